"""The audit ledger: who did which verb to which object. Ids and states, never content."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from handoff.core.actors import Actor
from handoff.core.ledger import ChainedEntry
from handoff.core.sensitivity import classify


class AuditEntry(ChainedEntry):
    """One change made through a verb."""

    CHAIN: ClassVar[str] = "audit"

    actor_id = models.UUIDField(null=True, db_index=True)
    actor_roles = ArrayField(models.CharField(max_length=20), default=list)
    verb = models.CharField(max_length=60, db_index=True)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40)
    channel = models.CharField(max_length=10)
    request_id = models.CharField(max_length=64, blank=True)
    facts = models.JSONField(default=dict)

    class Meta(ChainedEntry.Meta):
        app_label = "core"
        verbose_name_plural = "audit entries"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["object_type", "object_id"], name="audit_object")
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.verb}"


classify(
    AuditEntry,
    public=(
        *("number", "at", "prev_hash", "hash", "actor_id", "actor_roles", "verb", "object_type"),
        *("object_id", "channel", "request_id", "facts"),
    ),
)


def record(
    actor: Actor,
    verb: str,
    subject: models.Model,
    *,
    at: datetime | None = None,
    facts: Mapping[str, str | int | None] | None = None,
) -> AuditEntry:
    """Write that `actor` did `verb` ("referral.accepted") to `subject`, in its transaction.

    `facts` may hold ids, states and version numbers only. Call it last in a verb: it locks the
    head of the audit chain until the transaction ends.
    """
    return AuditEntry(
        actor_id=actor.user_id,
        actor_roles=sorted(actor.roles),
        verb=verb,
        object_type=subject._meta.label_lower,
        object_id=str(subject.pk),
        channel=actor.channel,
        request_id=actor.request_id,
        facts=dict(facts or {}),
    ).append(at=at)
