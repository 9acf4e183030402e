"""Who may act for a minor (FHIR RelatedPerson)."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.models.client import Client
from handoff.core.sensitivity import classify


class Guardianship(models.Model):
    """One guardian of one client. Acts only once the authority has been verified by a person."""

    class Relationship(models.TextChoices):
        PARENT = "parent", "Parent"
        LEGAL_GUARDIAN = "legal_guardian", "Legal guardian"
        OTHER = "other", "Other legal representative"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="guardianships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="guardianships"
    )
    relationship = models.CharField(max_length=20, choices=Relationship)
    created_at = models.DateTimeField(default=timezone.now)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["client", "user"],
                condition=Q(ended_at__isnull=True),
                name="guardianship_once_per_person",
            ),
            models.CheckConstraint(
                condition=Q(verified_at__isnull=True, verified_by__isnull=True)
                | Q(verified_at__isnull=False, verified_by__isnull=False),
                name="guardianship_verified_at_with_by",
            ),
        ]

    def __str__(self) -> str:
        return f"guardianship {self.pk}"


classify(
    Guardianship,
    public=("id", "created_at", "verified_at", "ended_at"),
    personal=("client", "user", "relationship", "verified_by"),
)
