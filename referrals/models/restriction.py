"""Movement restrictions: a stable head, versions that are frozen once signed, acknowledgements."""

import uuid
from collections.abc import Collection
from datetime import date, datetime
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.models import Professional
from handoff.core.sensitivity import classify
from referrals import criteria as stored_criteria
from referrals.models.episode import Episode
from referrals.vocabulary import (
    Authority,
    BodyRegion,
    Comparator,
    JointAction,
    Laterality,
    Pattern,
    RestrictionKind,
    RestrictionSpec,
    Severity,
    Unit,
    WeightBearing,
)


class Restriction(models.Model):
    """One restriction through its whole life. What it says is in its newest signed version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    episode = models.ForeignKey(Episode, on_delete=models.PROTECT, related_name="restrictions")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["created_at", "id"]

    def __str__(self) -> str:
        return f"restriction {self.pk}"


classify(Restriction, public=("id", "created_at"), personal=("episode",))


class RestrictionVersionQuerySet(models.QuerySet["RestrictionVersion"]):
    def newest_signed(self, episode_ids: Collection[uuid.UUID]) -> Self:
        """The version that rules, one per restriction of these episodes: lifted ones included.

        Strictest first, then in the order in which the restrictions were made. No ids, no rows.
        """
        newest = (
            RestrictionVersion.objects.filter(
                restriction__episode_id__in=list(episode_ids), signed_at__isnull=False
            )
            .order_by("restriction_id", "-number")
            .distinct("restriction_id")
            .values("pk")
        )
        return self.filter(pk__in=newest).order_by(
            _STRICTEST_FIRST, "restriction__created_at", "pk"
        )

    def in_force(self) -> Self:
        """Those that are not lifted. Add it after `newest_signed`: an older version of a lifted
        restriction was in force once and is so no longer."""
        return self.filter(status=RestrictionVersion.Status.ACTIVE)

    def drafts_of(self, episode_id: uuid.UUID) -> Self:
        """What nobody signed yet, in the order in which it was written."""
        return self.filter(restriction__episode_id=episode_id, signed_at__isnull=True).order_by(
            "restriction__created_at", "restriction_id"
        )

    def signed_with(self, episode_id: uuid.UUID, signed_at: datetime) -> Self:
        """The versions that one signature under a note covered, in the order of `drafts_of`."""
        return self.filter(
            restriction__episode_id=episode_id, number=1, signed_at=signed_at
        ).order_by("restriction__created_at", "restriction_id")


# Declared strictest first.
_STRICTEST_FIRST = models.Case(
    *(models.When(severity=each, then=rank) for rank, each in enumerate(Severity)),
    default=len(Severity),
)


class RestrictionVersion(models.Model):
    """What the therapist set, at one moment. Time never lifts it: only a signed version does."""

    class Status(models.TextChoices):
        ACTIVE = "active", "In force"
        LIFTED = "lifted", "Lifted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    restriction = models.ForeignKey(Restriction, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    change_reason = models.CharField(max_length=500, blank=True)

    kind = models.CharField(max_length=25, choices=RestrictionKind)
    severity = models.CharField(max_length=10, choices=Severity)
    body_region = models.CharField(max_length=20, choices=BodyRegion)
    laterality = models.CharField(max_length=20, choices=Laterality)
    patterns = ArrayField(
        models.CharField(max_length=25, choices=Pattern), default=list, blank=True
    )
    joint_action = models.CharField(max_length=25, choices=JointAction, blank=True)
    comparator = models.CharField(max_length=10, choices=Comparator, blank=True)
    value = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    value_high = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    unit = models.CharField(max_length=20, choices=Unit, blank=True)
    weight_bearing = models.CharField(max_length=10, choices=WeightBearing, blank=True)
    wording = models.CharField(
        max_length=300, blank=True, help_text="For the trainer: plain words, no diagnosis."
    )
    rationale = models.TextField(
        max_length=2000, blank=True, help_text="Clinical reason; part of the full note only."
    )
    instead = models.CharField(max_length=300, blank=True)
    criteria = models.JSONField(default=list, blank=True)
    review_on = models.DateField()
    earliest_lift_on = models.DateField(null=True, blank=True)
    authority = models.CharField(max_length=20, choices=Authority, default=Authority.PT)
    authority_name = models.CharField(max_length=120, blank=True)
    authority_on = models.DateField(null=True, blank=True)

    set_at = models.DateTimeField(default=timezone.now)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(null=True, blank=True)

    objects = RestrictionVersionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["restriction", "number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["restriction", "number"], name="restriction_version_once"
            ),
            models.UniqueConstraint(
                fields=["restriction"],
                condition=Q(signed_at__isnull=True),
                name="restriction_one_draft",
            ),
            models.CheckConstraint(
                condition=Q(status="active") | ~Q(change_reason=""),
                name="restriction_lift_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(comparator="between")
                | Q(value__isnull=False, value_high__gte=models.F("value")),
                name="restriction_between_ordered",
            ),
        ]

    def __str__(self) -> str:
        return f"restriction version {self.pk}"

    def spec(self) -> RestrictionSpec:
        """What this version says, as the frozen value that rules and wording work on."""
        return RestrictionSpec(
            kind=RestrictionKind(self.kind),
            severity=Severity(self.severity),
            body_region=BodyRegion(self.body_region),
            laterality=Laterality(self.laterality),
            patterns=tuple(Pattern(each) for each in self.patterns),
            joint_action=JointAction(self.joint_action) if self.joint_action else None,
            comparator=Comparator(self.comparator) if self.comparator else None,
            value=self.value,
            value_high=self.value_high,
            unit=Unit(self.unit) if self.unit else None,
            weight_bearing=WeightBearing(self.weight_bearing) if self.weight_bearing else None,
            wording=self.wording,
            instead=self.instead,
            criteria=stored_criteria.from_json(self.criteria),
            review_on=self.review_on,
            earliest_lift_on=self.earliest_lift_on,
            authority=Authority(self.authority),
            authority_name=self.authority_name,
            authority_on=self.authority_on,
        )

    def is_review_overdue_on(self, day: date) -> bool:
        """Past its review date; the restriction stays in force all the same."""
        return self.status == self.Status.ACTIVE and self.review_on < day


classify(
    RestrictionVersion,
    public=("id", "number", "status", "set_at", "signed_at"),
    personal=("restriction", "set_by", "authority_name"),
    clinical=(
        *("change_reason", "kind", "severity", "body_region", "laterality", "patterns"),
        *(
            "joint_action",
            "comparator",
            "value",
            "value_high",
            "unit",
            "weight_bearing",
            "wording",
            "rationale",
        ),
        *("instead", "criteria", "review_on", "earliest_lift_on", "authority", "authority_on"),
    ),
)


class Acknowledgement(models.Model):
    """A trainer read this version. Append-only."""

    version = models.ForeignKey(
        RestrictionVersion, on_delete=models.PROTECT, related_name="acknowledgements"
    )
    professional = models.ForeignKey(Professional, on_delete=models.PROTECT, related_name="+")
    acknowledged_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["version", "professional"], name="acknowledged_once_per_person"
            )
        ]

    def __str__(self) -> str:
        return f"acknowledgement {self.pk}"


classify(
    Acknowledgement,
    public=("id", "acknowledged_at"),
    personal=("version", "professional"),
)
