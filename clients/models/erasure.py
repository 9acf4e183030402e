"""Somebody asked for their data to be erased, and how long records of treatment must be kept."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.models.client import Client
from handoff.core.sensitivity import classify


class Erasure(models.Model):
    """One request to erase a client's data: asked, perhaps called off, done, and finished.

    Done is when everything went that may go; finished when what the law kept went as well. Client,
    dates of asking and a hold never change once written (a trigger refuses it), except that a hold
    can be made longer.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="erasures")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Empty: on paper.",
    )
    asked_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(help_text="Until then it can be called off.")
    cancelled_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    held_until = models.DateField(null=True, help_text="Last day the record must be kept.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["client"], condition=Q(cancelled_at=None), name="erasure_one_per_client"
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at=None) | Q(done_at=None),
                name="erasure_done_or_cancelled",
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(done_at__isnull=False),
                name="erasure_finished_was_done",
            ),
            models.CheckConstraint(
                condition=Q(due_at__gt=models.F("asked_at")), name="erasure_due_after_asked"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["due_at"],
                name="erasure_open",
                condition=Q(cancelled_at=None, finished_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk}"


classify(
    Erasure,
    public=("id", "asked_at", "due_at", "cancelled_at", "done_at", "held_until", "finished_at"),
    personal=("client", "asked_by"),
)


class RecordRetention(models.Model):
    """How long a record of treatment is kept under the law of one state, and where that stands.

    Written by whoever owns the tables only (a trigger refuses it to others): the role of the web
    process must not be able to shorten a legal period.
    """

    state = models.CharField(
        max_length=2, primary_key=True, help_text="'*' for every state without a row of its own."
    )
    years = models.PositiveSmallIntegerField(help_text="After the last entry.")
    until_age = models.PositiveSmallIntegerField(
        null=True, help_text="A minor's record at least until this age. Empty: 18 and the years."
    )
    source = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar[list[str]] = ["state"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(years__gte=1, years__lte=100), name="retention_years_sane"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state}: {self.years} years"


classify(RecordRetention, public=("state", "years", "until_age", "source"))
