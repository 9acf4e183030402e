"""Single-use links that bring a client or guardian in."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from clients.models.client import Client
from clients.models.professional import Professional
from handoff.core.sensitivity import classify


class Invitation(models.Model):
    """Bound to an address; the secret in the link is stored only as a hash."""

    class Kind(models.TextChoices):
        CLIENT = "client", "Client"
        GUARDIAN = "guardian", "Guardian"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CLIENT)
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    relationship = models.CharField(max_length=20, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Professional, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=True, used_by__isnull=True)
                | models.Q(used_at__isnull=False, used_by__isnull=False),
                name="invitation_used_at_with_by",
            )
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}"


classify(
    Invitation,
    public=("id", "kind", "created_at", "expires_at", "used_at", "cancelled_at"),
    personal=("client", "email", "relationship", "invited_by", "used_by"),
    secret=("token_hash",),
)
