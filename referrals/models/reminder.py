"""Reminders as rows: planned with the transition that causes them, claimed with a lease."""

import uuid
from datetime import date
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.models import Consent, Credential
from handoff.core.sensitivity import classify
from referrals.models.episode import Episode
from referrals.models.referral import Referral
from referrals.models.restriction import Restriction

OFFSET = RegexValidator(
    r"\A(-?[0-9]{1,3}[hd]|[0-9]{1,2}bd)\Z",
    "Write it like 4h, -7d or 2bd (business days only forwards).",
)


class ReminderRule(models.Model):
    """One row of the catalogue that an admin may tune: when, and how long it stays worth sending.

    Who is reminded and when the reason is gone is code: `referrals.reminders.rules`.
    """

    number = models.PositiveSmallIntegerField(primary_key=True)
    key = models.SlugField(max_length=40, unique=True)
    title = models.CharField(max_length=80, help_text="Shown to admins.")
    routine_offsets = ArrayField(
        models.CharField(max_length=12, validators=[OFFSET]),
        blank=True,
        help_text="When to remind, from the moment that starts the wait: 2bd, 4h, -7d.",
    )
    urgent_offsets = ArrayField(
        models.CharField(max_length=12, validators=[OFFSET]),
        default=list,
        blank=True,
        help_text="The same for urgent cases. Empty: as routine.",
    )
    escalate_after = models.CharField(max_length=12, blank=True, validators=[OFFSET])
    urgent_escalate_after = models.CharField(
        max_length=12, blank=True, validators=[OFFSET], help_text="Empty: as routine."
    )
    useful_for_hours = models.PositiveSmallIntegerField(
        default=72, help_text="Later than this it is cancelled as late, not sent."
    )
    keeps_quiet_hours = models.BooleanField(default=True)
    by_mail = models.BooleanField(default=True)
    in_use = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["number"]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


classify(
    ReminderRule,
    public=(
        *("number", "key", "title", "routine_offsets", "urgent_offsets", "escalate_after"),
        *("urgent_escalate_after", "useful_for_hours", "keeps_quiet_hours", "by_mail", "in_use"),
    ),
)


class Reminder(models.Model):
    """One occurrence: one rule, one subject, one person, once."""

    class State(models.TextChoices):
        PENDING = "pending", "Planned"
        SENDING = "sending", "Being sent"
        RETRY = "retry", "Will be tried again"
        ACCEPTED = "accepted", "Sent"
        DEAD = "dead", "Could not be sent"
        CANCELLED = "cancelled", "Cancelled"

    class Audience(models.TextChoices):
        """As whom somebody is reminded. One person can be several of these to one subject."""

        PT = "pt", "The treating therapist"
        SENDER = "sender", "Who sent the referral"
        RECIPIENT = "recipient", "Who received the referral"
        CLIENT = "client", "The client's side"
        DECIDER = "decider", "Who decides for the client"
        ASKER = "asker", "Who asked for consent"
        DISCLOSER = "discloser", "Who shares under a consent"
        READER = "reader", "Who may read under a consent"
        OWNER = "owner", "The owner of a credential"
        ADMIN = "admin", "Admins"

    WAITING: ClassVar[tuple[str, ...]] = (State.PENDING, State.RETRY)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.ForeignKey(ReminderRule, on_delete=models.PROTECT, related_name="reminders")
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reminders"
    )
    audience = models.CharField(max_length=10, choices=Audience)
    occurrence_key = models.CharField(max_length=120)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, null=True, related_name="+")
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, null=True, related_name="+")
    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, null=True, related_name="+")
    restriction = models.ForeignKey(
        Restriction, on_delete=models.PROTECT, null=True, related_name="+"
    )
    credential = models.ForeignKey(
        Credential, on_delete=models.PROTECT, null=True, related_name="+"
    )
    urgent = models.BooleanField(default=False, help_text="Does not wait for quiet hours to end.")
    due_at = models.DateTimeField()
    useful_until = models.DateTimeField(help_text="Not mailed after this; the list shows it.")
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text="When time alone takes the reason away."
    )
    zone = models.CharField(max_length=64)
    planned_at = models.DateTimeField(default=timezone.now)

    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    cancel_reason = models.CharField(max_length=30, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.UUIDField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    data_started_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    last_error_code = models.CharField(max_length=40, blank=True)

    shown_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when it stands in the person's list."
    )
    done_at = models.DateTimeField(
        null=True, blank=True, help_text="Ticked off by the person, or the reason is gone."
    )
    snoozed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["due_at", "id"],
                name="reminder_waiting",
                condition=Q(state__in=["pending", "retry", "sending"]),
            ),
            models.Index(
                fields=["recipient", "-due_at", "-id"],
                name="reminder_mine",
                condition=Q(shown_at__isnull=False, done_at__isnull=True),
            ),
            models.Index(
                fields=["recipient", "accepted_at"],
                name="reminder_mailed",
                condition=Q(accepted_at__isnull=False),
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["rule", "recipient", "occurrence_key"], name="reminder_once"
            ),
            models.CheckConstraint(
                name="reminder_has_one_subject",
                condition=(
                    Q(referral__isnull=False, consent__isnull=True, episode__isnull=True)
                    & Q(restriction__isnull=True, credential__isnull=True)
                )
                | (
                    Q(referral__isnull=True, consent__isnull=False, episode__isnull=True)
                    & Q(restriction__isnull=True, credential__isnull=True)
                )
                | (
                    Q(referral__isnull=True, consent__isnull=True, episode__isnull=False)
                    & Q(restriction__isnull=True, credential__isnull=True)
                )
                | (
                    Q(referral__isnull=True, consent__isnull=True, episode__isnull=True)
                    & Q(restriction__isnull=False, credential__isnull=True)
                )
                | (
                    Q(referral__isnull=True, consent__isnull=True, episode__isnull=True)
                    & Q(restriction__isnull=True, credential__isnull=False)
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"reminder {self.pk}"


classify(
    Reminder,
    public=(
        *("id", "rule", "audience", "occurrence_key", "urgent", "due_at", "useful_until"),
        *("ends_at", "zone", "planned_at"),
        *("state", "cancel_reason", "lease_until", "fence", "attempts", "next_try_at"),
        *("data_started_at", "accepted_at", "last_error_code", "shown_at", "done_at"),
        *("snoozed_until", "referral", "consent", "episode", "restriction", "credential"),
    ),
    personal=("recipient",),
)


class HolidayManager(models.Manager["Holiday"]):
    def days_in(self, state: str) -> frozenset[date]:
        """The days that are no business days in a two-letter state."""
        return frozenset(self.filter(state__in=("", state)).values_list("day", flat=True))


class Holiday(models.Model):
    """A day that is no business day, everywhere or in one state."""

    day = models.DateField()
    state = models.CharField(max_length=2, blank=True, help_text="Empty: everywhere.")
    name = models.CharField(max_length=80)

    objects = HolidayManager()

    class Meta:
        ordering: ClassVar[list[str]] = ["day", "state"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["day", "state"], name="holiday_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


classify(Holiday, public=("id", "day", "state", "name"))
