"""Outcome measures (reference data an admin edits) and what was measured."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from handoff.core.sensitivity import classify
from referrals.models.episode import Episode
from referrals.vocabulary import Laterality


class Measure(models.Model):
    """One outcome measure: range, unit and direction. Item texts of copyrighted tools stay out."""

    code = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=80)
    low = models.DecimalField(max_digits=8, decimal_places=2)
    high = models.DecimalField(max_digits=8, decimal_places=2)
    unit = models.CharField(max_length=20, blank=True)
    higher_is_better = models.BooleanField()
    whole_numbers = models.BooleanField(default=False)
    loinc = models.CharField(max_length=12, blank=True)
    note = models.CharField(max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(default=100)
    in_use = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position", "code"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(high__gt=F("low")), name="measure_range_ordered")
        ]

    def __str__(self) -> str:
        return self.name


classify(
    Measure,
    public=(
        *("code", "name", "low", "high", "unit", "higher_is_better", "whole_numbers"),
        *("loinc", "note", "position", "in_use"),
    ),
)


class ImportantChange(models.Model):
    """A published smallest change that matters to patients, with population and source."""

    measure = models.ForeignKey(Measure, on_delete=models.CASCADE, related_name="important_changes")
    amount = models.DecimalField(max_digits=8, decimal_places=2)
    amount_high = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    population = models.CharField(max_length=160, blank=True)
    source = models.CharField(max_length=200)
    usual = models.BooleanField(default=False, help_text="Compared with unless another is chosen.")

    class Meta:
        ordering: ClassVar[list[str]] = ["measure", "amount", "id"]

    def __str__(self) -> str:
        return f"{self.measure_id} {self.amount}"


classify(
    ImportantChange,
    public=("id", "measure", "amount", "amount_high", "population", "source", "usual"),
)


class Measurement(models.Model):
    """One value of one measure in one episode (FHIR Observation)."""

    class Moment(models.TextChoices):
        START = "start", "First visit"
        INTERIM = "interim", "In between"
        DISCHARGE = "discharge", "Discharge"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="measurements")
    measure = models.ForeignKey(Measure, on_delete=models.PROTECT, related_name="+")
    moment = models.CharField(max_length=10, choices=Moment)
    value = models.DecimalField(max_digits=8, decimal_places=2)
    side = models.CharField(max_length=20, choices=Laterality, blank=True)
    taken_on = models.DateField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["taken_on", "recorded_at", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["episode", "measure", "taken_on"], name="measurement_series"),
        ]

    def __str__(self) -> str:
        return f"measurement {self.pk}"


classify(
    Measurement,
    public=("id", "recorded_at"),
    personal=("recorded_by",),
    clinical=("episode", "measure", "moment", "value", "side", "taken_on"),
)
