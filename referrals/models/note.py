"""The discharge note. A draft may be incomplete; once signed no role can change it."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from handoff.core.sensitivity import classify
from referrals.models.episode import Episode
from referrals.vocabulary import ClearanceLevel, DischargeReason, DischargeType, GoalOutcome


class DischargeNote(models.Model):
    """LOINC 84321-9. Which fields signing demands is in `referrals.discharge`."""

    class RestrictionsDecision(models.TextChoices):
        LISTED = "listed", "The movement restrictions listed here apply"
        NONE = "none", "No restrictions: I decided that none are needed"

    class TrainerReferral(models.TextChoices):
        YES = "yes", "Yes, hand off to a trainer"
        NO = "no", "No"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    saved_at = models.DateTimeField(default=timezone.now)
    revision = models.PositiveIntegerField(default=0)

    discharge_type = models.CharField(max_length=10, choices=DischargeType, blank=True)
    discharge_on = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=20, choices=DischargeReason, blank=True)
    diagnosis = models.TextField(max_length=2000, blank=True)
    course = models.TextField(max_length=8000, blank=True)
    first_visit_on = models.DateField(null=True, blank=True)
    last_visit_on = models.DateField(null=True, blank=True)
    visits_completed = models.PositiveSmallIntegerField(null=True, blank=True)
    pain_now = models.PositiveSmallIntegerField(null=True, blank=True)
    pain_worst = models.PositiveSmallIntegerField(null=True, blank=True)
    pain_best = models.PositiveSmallIntegerField(null=True, blank=True)
    range_of_motion = models.TextField(max_length=4000, blank=True)
    strength = models.TextField(max_length=4000, blank=True)
    functional_level = models.TextField(max_length=4000, blank=True)
    response = models.TextField(max_length=4000, blank=True)
    measures_missing_reason = models.TextField(max_length=1000, blank=True)
    home_programme = models.TextField(max_length=8000, blank=True)
    no_home_programme = models.BooleanField(default=False)
    equipment = models.TextField(max_length=2000, blank=True)
    follow_up = models.TextField(max_length=4000, blank=True)
    trainer_referral = models.CharField(max_length=3, choices=TrainerReferral, blank=True)
    clearance = models.CharField(max_length=30, choices=ClearanceLevel, blank=True)
    restrictions_decision = models.CharField(
        max_length=10, choices=RestrictionsDecision, blank=True
    )
    flare_up_plan = models.TextField(max_length=4000, blank=True)
    return_criteria = models.TextField(max_length=4000, blank=True)
    future_contact = models.CharField(max_length=300, blank=True)

    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    signer_name = models.CharField(max_length=160, blank=True)
    signer_credential = models.CharField(max_length=80, blank=True)
    licence_state = models.CharField(max_length=2, blank=True)
    licence_number = models.CharField(max_length=60, blank=True)
    content_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["episode"], name="note_one_per_episode"),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True, signed_by__isnull=True)
                | Q(signed_at__isnull=False, signed_by__isnull=False)
                & ~Q(signer_name="")
                & ~Q(licence_number="")
                & ~Q(content_hash=""),
                name="note_signed_at_with_signer",
            ),
            models.CheckConstraint(
                condition=(Q(pain_now__isnull=True) | Q(pain_now__lte=10))
                & (Q(pain_worst__isnull=True) | Q(pain_worst__lte=10))
                & (Q(pain_best__isnull=True) | Q(pain_best__lte=10)),
                name="note_pain_zero_to_ten",
            ),
        ]

    def __str__(self) -> str:
        return f"discharge note {self.pk}"

    @property
    def is_signed(self) -> bool:
        return self.signed_at is not None


classify(
    DischargeNote,
    public=("id", "created_at", "saved_at", "revision", "signed_at", "content_hash"),
    personal=(
        *("episode", "author", "signed_by", "signer_name", "signer_credential"),
        *("licence_state", "licence_number"),
    ),
    clinical=(
        *("discharge_type", "discharge_on", "reason", "diagnosis", "course", "first_visit_on"),
        *("last_visit_on", "visits_completed", "pain_now", "pain_worst", "pain_best"),
        *("range_of_motion", "strength", "functional_level", "response", "home_programme"),
        *("measures_missing_reason", "no_home_programme", "equipment", "follow_up"),
        *("trainer_referral", "clearance", "restrictions_decision", "flare_up_plan"),
        *("return_criteria", "future_contact"),
    ),
)


class Goal(models.Model):
    """One goal of the episode and what became of it. Sealed with its note."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    note = models.ForeignKey(DischargeNote, on_delete=models.PROTECT, related_name="goals")
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=300)
    outcome = models.CharField(max_length=10, choices=GoalOutcome, blank=True)
    why_not = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["note", "position"], name="goal_position_once")
        ]

    def __str__(self) -> str:
        return f"goal {self.pk}"


classify(
    Goal,
    public=("id", "position"),
    personal=("note",),
    clinical=("text", "outcome", "why_not"),
)


class Addendum(models.Model):
    """A signed correction or addition. The note it belongs to stays as it is. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    note = models.ForeignKey(DischargeNote, on_delete=models.PROTECT, related_name="addenda")
    text = models.TextField(max_length=8000)
    signed_at = models.DateTimeField(default=timezone.now)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    signer_name = models.CharField(max_length=160)
    licence_state = models.CharField(max_length=2)
    licence_number = models.CharField(max_length=60)

    class Meta:
        ordering: ClassVar[list[str]] = ["signed_at", "id"]

    def __str__(self) -> str:
        return f"addendum {self.pk}"


classify(
    Addendum,
    public=("id", "signed_at"),
    personal=("note", "signed_by", "signer_name", "licence_state", "licence_number"),
    clinical=("text",),
)
