"""A person in one professional role at one practice (FHIR PractitionerRole)."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Value
from django.utils import timezone

from clients.languages import validate_language
from clients.models.practice import Practice
from clients.specialties import validate_specialty
from handoff.core.sensitivity import classify

MOST_PLACES = 50


class Professional(models.Model):
    """Says who somebody works as. What they may do follows from credentials valid now.

    `open_places` is how many more clients they would take: each handoff they accept uses one, and
    they set it anew themselves. Without a number they have not said.
    """

    class Role(models.TextChoices):
        PT = "pt", "Physical therapist"
        PTA = "pta", "Physical therapist assistant"
        TRAINER = "trainer", "Personal trainer"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="professionals"
    )
    role = models.CharField(max_length=10, choices=Role)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="professionals")
    phone = models.CharField(max_length=30, blank=True)
    specialties = ArrayField(
        models.CharField(max_length=60, validators=[validate_specialty]), default=list, blank=True
    )
    languages = ArrayField(
        models.CharField(max_length=3, validators=[validate_language]),
        default=list,
        db_default=Value("{}"),
        blank=True,
    )
    introduction = models.TextField(max_length=600, blank=True)
    in_directory = models.BooleanField(
        default=False,
        db_default=False,
        help_text="They want to be found in the public directory.",
    )
    accepts_referrals = models.BooleanField(default=True)
    open_places = models.PositiveSmallIntegerField(null=True, blank=True)
    joined_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["user__last_name", "user__first_name", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["user", "role"],
                condition=models.Q(left_at__isnull=True),
                name="professional_one_current_row_per_role",
            ),
            models.CheckConstraint(
                condition=models.Q(open_places__isnull=True)
                | models.Q(open_places__lte=MOST_PLACES),
                name="professional_open_places_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user.name}, {self.get_role_display()}"

    @property
    def name(self) -> str:
        return self.user.name

    @property
    def is_current(self) -> bool:
        """Works here and may sign in."""
        return self.left_at is None and self.user.is_active


classify(
    Professional,
    public=(
        "id",
        "role",
        "joined_at",
        "left_at",
        "accepts_referrals",
        "in_directory",
        "open_places",
    ),
    personal=("user", "practice", "phone", "specialties", "languages", "introduction"),
)
