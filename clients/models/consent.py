"""The consent ledger. Read and written by `clients.consent` only."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from clients.models.client import Client
from clients.models.guardian import Guardianship
from clients.models.professional import Professional
from clients.scopes import Scope
from handoff.core.ledger import ChainedEntry
from handoff.core.sensitivity import classify


class Consent(models.Model):
    """One question to one client: may `recipient` see parts of what `discloser` holds?

    The row never changes after it is written (a trigger refuses it); what became of the question
    is in its events. The class `training_feedback` flows the other way, from recipient to
    discloser, under the same question.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="consents")
    discloser = models.ForeignKey(Professional, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Professional, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=300)
    classes_asked = ArrayField(models.CharField(max_length=20, choices=Scope))
    notice_version = models.CharField(max_length=20)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["client", "recipient"], name="consent_client_recipient"),
            models.Index(fields=["client", "-asked_at", "id"], name="consent_client_newest"),
        ]

    def __str__(self) -> str:
        return f"consent {self.pk}"


classify(
    Consent,
    public=("id", "asked_at", "notice_version", "classes_asked"),
    personal=("client", "discloser", "recipient", "purpose", "asked_by"),
)


class ConsentEvent(ChainedEntry):
    """What was said to a consent question, and by whom. The newest event of a consent rules."""

    CHAIN: ClassVar[str] = "consent"
    ADDED: ClassVar[frozenset[str]] = frozenset({"until_training_ends"})

    class Kind(models.TextChoices):
        REQUESTED = "requested", "Asked"
        GRANTED = "granted", "Agreed"
        DECLINED = "declined", "Declined"
        NARROWED = "narrowed", "Narrowed"
        REVOKED = "revoked", "Stopped"
        SUPERSEDED = "superseded", "Replaced by a newer one"
        LAPSED = "lapsed", "Not answered in time"
        WITHDRAWN = "withdrawn", "Question taken back"
        OBJECTED = "objected", "The client objects"
        ENDED = "ended", "Ended by itself"

    class Authority(models.TextChoices):
        SELF = "self", "The client"
        GUARDIAN = "guardian", "A guardian"
        PROFESSIONAL = "professional", "The asking professional"
        SYSTEM = "system", "The system"

    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=12, choices=Kind)
    classes = ArrayField(models.CharField(max_length=20, choices=Scope), default=list)
    valid_from = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    # Ends earlier, with the training; `expires_at` stays the latest.
    until_training_ends = models.BooleanField(default=False, db_default=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    authority = models.CharField(max_length=12, choices=Authority)
    guardianship = models.ForeignKey(
        Guardianship, on_delete=models.PROTECT, null=True, related_name="+"
    )
    notice_version = models.CharField(max_length=20)
    notice_hash = models.CharField(max_length=64)
    channel = models.CharField(max_length=10)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["consent", "-number"], name="consent_event_newest"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~models.Q(kind__in=["granted", "narrowed"])
                | models.Q(expires_at__isnull=False, by__isnull=False, classes__len__gt=0),
                name="consent_grant_has_classes_expiry_and_signer",
            ),
            models.CheckConstraint(
                condition=~models.Q(authority="guardian") | models.Q(guardianship__isnull=False),
                name="consent_guardian_names_guardianship",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.kind}"


classify(
    ConsentEvent,
    public=(
        *("number", "at", "prev_hash", "hash", "consent", "kind", "classes", "valid_from"),
        *(
            "expires_at",
            "until_training_ends",
            "authority",
            "notice_version",
            "notice_hash",
            "channel",
        ),
    ),
    personal=("by", "guardianship"),
)
