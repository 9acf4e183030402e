"""The access ledger: who saw, or was refused, what of whose record."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from clients.models.client import Client
from clients.scopes import Scope
from handoff.core.ledger import ChainedEntry
from handoff.core.sensitivity import classify


class AccessEntry(ChainedEntry):
    """One disclosure, or one refusal. Holds classes and ids, never content."""

    CHAIN: ClassVar[str] = "access"

    class Action(models.TextChoices):
        READ = "read", "Looked at"
        PRINTED = "printed", "Printed"
        EXPORTED = "exported", "Downloaded"
        ENVELOPE = "envelope", "Saw the request"
        REFUSED = "refused", "Was refused"

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="access_entries")
    actor_id = models.UUIDField(null=True)
    actor_role = models.CharField(max_length=20)
    professional_id = models.UUIDField(null=True)
    action = models.CharField(max_length=10, choices=Action)
    shown = ArrayField(models.CharField(max_length=20, choices=Scope), default=list)
    withheld = ArrayField(models.CharField(max_length=20, choices=Scope), default=list)
    consent_ids = ArrayField(models.UUIDField(), default=list)
    purpose = models.CharField(max_length=80)
    channel = models.CharField(max_length=10)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["client", "-number"], name="access_client_newest"),
        ]
        verbose_name_plural = "access entries"

    def __str__(self) -> str:
        return f"#{self.number} {self.action}"


classify(
    AccessEntry,
    public=(
        *("number", "at", "prev_hash", "hash", "client", "actor_id", "actor_role"),
        *("professional_id", "action", "shown", "withheld", "consent_ids", "purpose"),
        *("channel", "request_id"),
    ),
)
