"""Licences, certifications and the like, each with who checked it, where and when."""

import uuid
from datetime import date
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from handoff.core.sensitivity import classify


class CredentialQuerySet(models.QuerySet["Credential"]):
    def valid_on(self, day: date) -> Self:
        """Verified, not withdrawn, begun and not past its expiry on `day` (expiry day included)."""
        return self.filter(
            Q(issued_on__isnull=True) | Q(issued_on__lte=day),
            Q(expires_on__isnull=True) | Q(expires_on__gte=day),
            verified_at__isnull=False,
            withdrawn_at__isnull=True,
        )


class Credential(models.Model):
    """One document of one person (FHIR Practitioner.qualification)."""

    class Kind(models.TextChoices):
        PT_LICENCE = "pt_licence", "Physical therapist licence"
        COMPACT_PRIVILEGE = "compact_privilege", "PT Compact privilege"
        PTA_LICENCE = "pta_licence", "Physical therapist assistant licence"
        TRAINER_CERTIFICATION = "trainer_certification", "Trainer certification"
        CPR_AED = "cpr_aed", "CPR/AED"
        DEGREE = "degree", "Degree"
        INSURANCE = "insurance", "Professional insurance"

    STATE_BOUND: ClassVar[frozenset[str]] = frozenset(
        {Kind.PT_LICENCE, Kind.COMPACT_PRIVILEGE, Kind.PTA_LICENCE}
    )
    """Kinds that are valid in one state only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="credentials"
    )
    kind = models.CharField(max_length=25, choices=Kind)
    title = models.CharField(max_length=80, blank=True, help_text="For example DPT or NSCA-CSCS.")
    issuer = models.CharField(max_length=120)
    number = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=2, blank=True)
    issued_on = models.DateField(null=True, blank=True)
    expires_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    verified_where = models.CharField(
        max_length=200, blank=True, help_text="Register or document that was looked at."
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = CredentialQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["kind", "-expires_on", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(verified_at__isnull=True, verified_by__isnull=True)
                | Q(verified_at__isnull=False, verified_by__isnull=False),
                name="credential_verified_at_with_by",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="credential_withdrawn_at_with_by",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["pt_licence", "compact_privilege", "pta_licence"])
                | (~Q(state="") & ~Q(number="")),
                name="credential_licence_has_state_and_number",
            ),
            models.CheckConstraint(
                condition=Q(issued_on__isnull=True)
                | Q(expires_on__isnull=True)
                | Q(expires_on__gte=models.F("issued_on")),
                name="credential_expires_after_issue",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.state}".strip()

    def is_valid_on(self, day: date) -> bool:
        """The rule of `CredentialQuerySet.valid_on` for one row."""
        return (
            self.verified_at is not None
            and self.withdrawn_at is None
            and (self.issued_on is None or self.issued_on <= day)
            and (self.expires_on is None or self.expires_on >= day)
        )


classify(
    Credential,
    public=("id", "kind", "state", "created_at", "verified_at", "withdrawn_at", "expires_on"),
    personal=(
        *("user", "title", "issuer", "number", "issued_on"),
        *("verified_by", "verified_where", "withdrawn_by"),
    ),
)
