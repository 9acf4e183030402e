"""Return gates: what a therapist wants to see before training or sport goes further."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.models import Client
from handoff.core.sensitivity import classify
from referrals.models.episode import Episode
from referrals.models.measure import Measure
from referrals.vocabulary import Comparator, Laterality, Unit


class Gate(models.Model):
    """One thing to reach, on a measure or in words. Whether it is reached is worked out from what
    was measured and never stored; what follows from it is the therapist's to decide."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="gates")
    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="gates")
    measure = models.ForeignKey(
        Measure, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    test = models.CharField(
        max_length=120, blank=True, help_text="In words, where no measure is recorded here."
    )
    comparator = models.CharField(max_length=10, choices=Comparator, blank=True)
    value = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    unit = models.CharField(max_length=20, choices=Unit, blank=True)
    side = models.CharField(max_length=20, choices=Laterality, blank=True)
    source = models.CharField(max_length=200, blank=True, help_text="Who says so.")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["added_at", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["episode", "added_at"], name="gate_episode_oldest")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(measure__isnull=False, test="", value__isnull=False)
                | Q(measure__isnull=True) & ~Q(test=""),
                name="gate_on_a_measure_or_in_words",
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=False, comparator__in=["le", "lt", "ge", "gt", "eq"])
                & ~Q(unit="")
                | Q(value__isnull=True, comparator="", unit=""),
                name="gate_number_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(side__in=["", "left", "right"]), name="gate_one_side"
            ),
        ]

    def __str__(self) -> str:
        return f"gate {self.pk}"


classify(
    Gate,
    public=("id", "added_at"),
    personal=("client", "added_by"),
    clinical=("episode", "measure", "test", "comparator", "value", "unit", "side", "source"),
)
