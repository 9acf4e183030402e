"""Clinics and gyms."""

import uuid
from typing import ClassVar

from django.db import models

from clients.models.user import DEFAULT_ZONE, validate_zone
from handoff.core.sensitivity import classify


class Practice(models.Model):
    """A place where professionals work (FHIR Organization)."""

    class Kind(models.TextChoices):
        CLINIC = "clinic", "Physical therapy clinic"
        GYM = "gym", "Gym or studio"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind)
    phone = models.CharField(max_length=30, blank=True)
    email = models.EmailField(blank=True)
    city = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=2, help_text="Two-letter state code.")
    time_zone = models.CharField(max_length=64, default=DEFAULT_ZONE, validators=[validate_zone])

    class Meta:
        ordering: ClassVar[list[str]] = ["name", "id"]

    def __str__(self) -> str:
        return self.name


classify(
    Practice,
    public=("id", "kind", "state", "time_zone"),
    personal=("name", "phone", "email", "city"),
)
