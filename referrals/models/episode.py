"""Episodes of care: one client, one therapist, one condition, from first visit to discharge."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from clients.models import Client, Professional
from handoff.core.sensitivity import classify
from referrals.vocabulary import BodyRegion, Laterality, RecurrenceKind


class Episode(models.Model):
    """FHIR EpisodeOfCare with its Condition. A returning client gets a new one."""

    class Status(models.TextChoices):
        REVIEW = "review", "Imported, waiting for your review"
        ACTIVE = "active", "In therapy"
        FINISHED = "finished", "Discharged"
        ENTERED_IN_ERROR = "entered_in_error", "Entered in error"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="episodes")
    pt = models.ForeignKey(Professional, on_delete=models.PROTECT, related_name="episodes")
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    condition = models.CharField(max_length=300, help_text="In the therapist's own words.")
    icd10_code = models.CharField(max_length=10, blank=True)
    body_region = models.CharField(max_length=20, choices=BodyRegion)
    laterality = models.CharField(max_length=20, choices=Laterality)
    onset_on = models.DateField(null=True, blank=True)
    mechanism = models.CharField(max_length=300, blank=True)
    surgery = models.CharField(max_length=300, blank=True)
    surgery_on = models.DateField(null=True, blank=True)
    started_on = models.DateField(help_text="First visit.")
    last_visit_on = models.DateField(null=True, blank=True)
    visits_completed = models.PositiveSmallIntegerField(default=0)
    planned_discharge_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    recurrence_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="recurrences"
    )
    recurrence_kind = models.CharField(
        max_length=12, choices=RecurrenceKind, blank=True, default="", db_default=""
    )
    full_return_on = models.DateField(
        null=True, blank=True, help_text="Back to everything after the earlier episode."
    )
    source = models.CharField(max_length=20, blank=True, help_text="'fhir' when imported.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["pt", "-created_at", "-id"], name="episode_pt_newest"),
            models.Index(fields=["client", "-created_at", "-id"], name="episode_client_newest"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(last_visit_on__isnull=True) | Q(last_visit_on__gte=F("started_on")),
                name="episode_last_visit_after_start",
            ),
            models.CheckConstraint(
                condition=~Q(status="finished") | Q(ended_on__isnull=False),
                name="episode_finished_has_end",
            ),
            models.CheckConstraint(
                condition=Q(recurrence_kind="") | Q(recurrence_of__isnull=False),
                name="episode_label_of_a_recurrence",
            ),
            models.CheckConstraint(
                condition=Q(full_return_on__isnull=True)
                | Q(recurrence_kind__in=["early", "late", "delayed"]),
                name="episode_return_before_recurrence",
            ),
        ]

    def __str__(self) -> str:
        return f"episode {self.pk}"


classify(
    Episode,
    public=("id", "status", "source", "created_at"),
    personal=("client", "pt"),
    clinical=(
        *("condition", "icd10_code", "body_region", "laterality", "onset_on", "mechanism"),
        *("surgery", "surgery_on", "started_on", "last_visit_on", "visits_completed"),
        *("planned_discharge_on", "ended_on", "recurrence_of"),
        *("recurrence_kind", "full_return_on"),
    ),
)
