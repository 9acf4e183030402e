"""What a trainer saw and tells a physical therapist when they refer a client back."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Professional
from handoff.core.sensitivity import classify
from referrals.models.referral import Referral
from referrals.vocabulary import BodyRegion, Laterality

MOST_WORDS = 2000


class RedSign(models.TextChoices):
    """What is red whatever the pain is: training of that movement stops."""

    NEW_SWELLING = "new_swelling", _("New swelling")
    LOCKING = "locking", _("It locks or gives way")
    NUMBNESS = "numbness", _("Numbness, tingling or weakness")
    SHARP_PAIN = "sharp_pain", _("Sharp new pain where a limit is set")
    NIGHT_PAIN = "night_pain", _("Pain at night")
    TRAUMA = "trauma", _("A fall or a blow")


class ReferOutFacts(models.Model):
    """Facts of one referral from a trainer to a therapist (class `training_feedback`).

    Written while the referral is a draft. From then on a trigger keeps them as the client was
    asked about them, and as they went out.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="facts")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(Professional, on_delete=models.PROTECT, related_name="+")
    observations = models.TextField(max_length=MOST_WORDS)
    body_region = models.CharField(max_length=20, choices=BodyRegion)
    laterality = models.CharField(max_length=20, choices=Laterality)
    pain_now = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(10)]
    )
    pain_worst = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(10)]
    )
    signs = ArrayField(models.CharField(max_length=20, choices=RedSign), default=list, blank=True)
    since = models.DateField(null=True, blank=True)
    stopped = models.CharField(max_length=300, blank=True)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["client", "-saved_at"], name="facts_client_newest"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=(Q(pain_now=None) | Q(pain_now__lte=10))
                & (Q(pain_worst=None) | Q(pain_worst__lte=10)),
                name="facts_pain_runs_to_ten",
            ),
        ]

    def __str__(self) -> str:
        return f"facts {self.pk}"


classify(
    ReferOutFacts,
    public=("id", "saved_at"),
    personal=("referral", "client", "author"),
    clinical=(
        *("observations", "body_region", "laterality", "pain_now", "pain_worst"),
        *("signs", "since", "stopped"),
    ),
)
