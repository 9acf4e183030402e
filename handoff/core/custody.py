"""What the database knows of the files outside it, and whether the house stands still.

A restored database is not the one that wrote its own `Custody` row: `handoff_hold()`, a function
of the database, compares where it is with where that row was written. So a dump that anybody put
back by any means is held from its first moment, before any process of ours has looked at it.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from handoff.core.sensitivity import classify


class Custody(models.Model):
    """One row. What stands here comes back with a backup; that is the point of it."""

    class Hold(models.TextChoices):
        """Why nothing may be shown or sent. Empty: it may."""

        NONE = "", "Not held"
        RESTORED = "restored", "A backup was restored"
        BEHIND = "behind", "The files outside know more than the database"
        MISSING = "missing", "Its record of custody is missing"

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    fingerprint = models.CharField(max_length=80)
    hold = models.CharField(max_length=10, choices=Hold, default=Hold.NONE, blank=True)
    held_since = models.DateTimeField(null=True)
    backed_up_heads = models.JSONField(default=dict)
    replayed_at = models.DateTimeField(null=True)
    replayed_line = models.BigIntegerField(null=True)
    journal_was_lost = models.BooleanField(default=False)
    anchor_number = models.BigIntegerField(default=0)
    anchor_mac = models.CharField(max_length=64, blank=True)
    anchored_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "core"
        verbose_name_plural = "custody"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(id=1), name="custody_is_one_row")
        ]

    def __str__(self) -> str:
        return f"custody: {self.hold or 'not held'}"


classify(
    Custody,
    public=(
        *("id", "fingerprint", "hold", "held_since", "backed_up_heads", "replayed_at"),
        *("replayed_line", "journal_was_lost", "anchor_number", "anchor_mac", "anchored_at"),
    ),
)


class JournalLine(models.Model):
    """A line of the revocation journal that took effect in this database.

    A line of the file without such a row is one this database does not know of. A row without
    `number` is owed to the file, which could not be written at that moment.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        app_label = "core"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["at"], name="journal_owed", condition=models.Q(number__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.number or 'owed'}"


classify(JournalLine, public=("id", "number", "kind", "facts", "at"))
