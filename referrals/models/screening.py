"""Results of "Who should I see first?" that a client chose to keep."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from clients.models import Client
from handoff.core.sensitivity import classify
from referrals.triage import Level


class Screening(models.Model):
    """One result: whom to see first, since when and how long it says anything.

    What was answered is not here, only which rules held. The client's side reads it and nobody
    else: no class of consent names it.
    """

    class Advised(models.TextChoices):
        MEDICAL = Level.MEDICAL.value, "Medical help first"
        PHYSICIAN = Level.PHYSICIAN.value, "A doctor first"
        PT = Level.PT.value, "A physical therapist first"
        HANDOFF = Level.HANDOFF.value, "A trainer, with a handoff"
        TRAINER = Level.TRAINER.value, "A trainer"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="screenings")
    level = models.CharField(max_length=9, choices=Advised)
    reasons = ArrayField(models.CharField(max_length=24))
    rules_version = models.PositiveSmallIntegerField()
    taken_at = models.DateTimeField(default=timezone.now)
    taken_on = models.DateField()
    valid_until = models.DateField()
    voided_at = models.DateTimeField(null=True, blank=True)
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["-taken_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["client", "-taken_at", "-id"], name="screening_client_newest")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(
                    valid_until__gte=F("taken_on"),
                    valid_until__lte=F("taken_on") + timedelta(days=366),
                ),
                name="screening_valid_a_year_at_most",
            ),
            models.CheckConstraint(condition=Q(reasons__len__gte=1), name="screening_says_why"),
        ]

    def __str__(self) -> str:
        return f"screening {self.pk}"


classify(
    Screening,
    public=("id", "client", "rules_version", "taken_at", "voided_at", "saved_by"),
    clinical=("level", "reasons", "taken_on", "valid_until"),
)
