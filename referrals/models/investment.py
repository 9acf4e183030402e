"""What care and training cost: coverage of an episode, and packages of sessions."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from clients.models import Client
from handoff.core.sensitivity import classify
from referrals.models.episode import Episode


class Coverage(models.Model):
    """Who pays for an episode, and for how many visits (FHIR Coverage, and the authorisation).

    The treating side writes it, the client reads it. Never a trainer's, whatever is shared.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    episode = models.OneToOneField(Episode, on_delete=models.PROTECT, related_name="coverage")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="coverages")
    payer = models.CharField(max_length=120)
    visits_authorized = models.PositiveSmallIntegerField(null=True, blank=True)
    visits_used = models.PositiveSmallIntegerField(default=0)
    authorized_until = models.DateField(null=True, blank=True)
    cost_per_visit = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="The client's own part, in dollars.",
    )
    low_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when few of the authorised visits are left."
    )
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(cost_per_visit__isnull=True) | Q(cost_per_visit__gte=0),
                name="coverage_cost_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"coverage {self.pk}"


classify(
    Coverage,
    public=("id", "changed_at", "low_since"),
    personal=("episode", "client"),
    clinical=(
        *("payer", "visits_authorized", "visits_used", "authorized_until", "cost_per_visit"),
    ),
)


class Package(models.Model):
    """Sessions with a trainer that the client paid for: their own note, read by nobody else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="packages")
    provider = models.CharField(max_length=120)
    sessions_bought = models.PositiveSmallIntegerField()
    sessions_used = models.PositiveSmallIntegerField(default=0)
    price = models.DecimalField(
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="For all of them, in dollars.",
    )
    bought_on = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["-bought_on", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["client", "-bought_on", "-id"], name="package_client_newest")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(sessions_used__lte=F("sessions_bought")),
                name="package_not_more_used_than_bought",
            ),
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gte=0), name="package_price_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("bought_on")),
                name="package_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"package {self.pk}"


classify(
    Package,
    public=("id", "added_at"),
    personal=(
        *("client", "provider", "sessions_bought", "sessions_used", "price", "bought_on"),
        "valid_until",
    ),
)
