"""Referrals: one ask of one recipient, its history, its messages and its reports."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.models import Client, Consent, Professional
from handoff.core.sensitivity import classify
from referrals.models.episode import Episode
from referrals.models.note import DischargeNote
from referrals.states import OPEN, Kind, Party, State


class Referral(models.Model):
    """FHIR ServiceRequest + Task. `state` changes only through `referrals.lifecycle`."""

    class Priority(models.TextChoices):
        ROUTINE = "routine", "Routine"
        URGENT = "urgent", "Urgent"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=Kind)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="referrals")
    episode = models.ForeignKey(
        Episode, on_delete=models.PROTECT, null=True, blank=True, related_name="referrals"
    )
    note = models.ForeignKey(
        DischargeNote, on_delete=models.PROTECT, null=True, blank=True, related_name="referrals"
    )
    sender = models.ForeignKey(
        Professional, on_delete=models.PROTECT, related_name="sent_referrals"
    )
    recipient = models.ForeignKey(
        Professional, on_delete=models.PROTECT, related_name="received_referrals"
    )
    consent = models.ForeignKey(
        Consent, on_delete=models.PROTECT, null=True, blank=True, related_name="referrals"
    )
    previous = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="rerouted"
    )
    state = models.CharField(max_length=20, choices=State, default=State.DRAFT)
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.ROUTINE)
    goal = models.CharField(
        max_length=300,
        blank=True,
        help_text="What the client wants to train for. The trainer reads this before accepting.",
    )
    start_from = models.DateField(null=True, blank=True)
    start_until = models.DateField(null=True, blank=True)
    first_session_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    state_at = models.DateTimeField(default=timezone.now, help_text="Since when in this state.")
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["recipient", "-state_at", "-id"], name="referral_inbox"),
            models.Index(fields=["sender", "-state_at", "-id"], name="referral_outbox"),
            models.Index(fields=["client", "-created_at", "-id"], name="referral_client_newest"),
            models.Index(
                fields=["state", "state_at"],
                name="referral_open_waiting",
                condition=Q(state__in=sorted(OPEN)),
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["client", "recipient", "kind"],
                condition=Q(state__in=sorted(OPEN)),
                name="referral_one_open_per_client_recipient_kind",
            ),
            models.CheckConstraint(
                condition=~Q(sender=models.F("recipient")), name="referral_not_to_oneself"
            ),
            models.CheckConstraint(
                condition=Q(start_from__isnull=True)
                | Q(start_until__isnull=True)
                | Q(start_until__gte=models.F("start_from")),
                name="referral_start_window_ordered",
            ),
            models.CheckConstraint(
                condition=~Q(state="scheduled") | Q(first_session_at__isnull=False),
                name="referral_scheduled_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"referral {self.pk}"


classify(
    Referral,
    public=(
        *("id", "kind", "state", "priority", "created_at", "state_at", "sent_at"),
        *("answered_at", "closed_at"),
    ),
    personal=(
        *("client", "episode", "note", "sender", "recipient", "consent", "previous"),
        *("start_from", "start_until", "first_session_at"),
    ),
    clinical=("goal",),
)


class ReferralEvent(models.Model):
    """One step of a referral. Append-only: the path through the state table."""

    id = models.BigAutoField(primary_key=True)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="events")
    verb = models.CharField(max_length=30)
    source = models.CharField(max_length=20, choices=State)
    target = models.CharField(max_length=20, choices=State)
    party = models.CharField(max_length=10, choices=[(each.value, each.value) for each in Party])
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)
    reason_code = models.CharField(max_length=30, blank=True)
    reason_text = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["referral", "id"]

    def __str__(self) -> str:
        return f"{self.verb} on referral {self.referral_id}"


classify(
    ReferralEvent,
    public=("id", "referral", "verb", "source", "target", "party", "at", "reason_code"),
    personal=("by",),
    clinical=("reason_text",),
)


class ReferralMessage(models.Model):
    """Ask and answer between sender and recipient. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="messages")
    author = models.ForeignKey(Professional, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(max_length=2000)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["sent_at", "id"]

    def __str__(self) -> str:
        return f"message {self.pk}"


classify(
    ReferralMessage,
    public=("id", "sent_at"),
    personal=("referral", "author"),
    clinical=("text",),
)


class LoopReport(models.Model):
    """What the recipient tells the sender (class `training_feedback`). Append-only."""

    class Kind(models.TextChoices):
        INTERIM = "interim", "Interim note"
        FINAL = "final", "Final report"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="reports")
    kind = models.CharField(max_length=10, choices=Kind)
    author = models.ForeignKey(Professional, on_delete=models.PROTECT, related_name="+")
    sessions_held = models.PositiveSmallIntegerField(null=True, blank=True)
    observations = models.TextField(max_length=4000)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["sent_at", "id"]

    def __str__(self) -> str:
        return f"report {self.pk}"


classify(
    LoopReport,
    public=("id", "kind", "sent_at"),
    personal=("referral", "author"),
    clinical=("sessions_held", "observations"),
)
