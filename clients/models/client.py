"""The client, and the identifiers other systems know them by."""

import uuid
from datetime import date
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from clients.models.professional import Professional
from clients.models.user import DEFAULT_ZONE, validate_zone
from handoff.core.sensitivity import classify


class Client(models.Model):
    """The person who is treated and trained (FHIR Patient).

    Exists before the person has an account (invited or imported); `user` is set once they come.
    `merged_into` marks a record whose person turned out to have one already.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="client",
    )
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80)
    birth_date = models.DateField()
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=30, blank=True)
    state = models.CharField(max_length=2, help_text="State they live in; decides which licence.")
    time_zone = models.CharField(max_length=64, default=DEFAULT_ZONE, validators=[validate_zone])
    language = models.CharField(max_length=10, default="en")
    created_by = models.ForeignKey(
        Professional, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    erased_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when only the record the law asks for is kept."
    )

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["last_name", "first_name", "id"], name="client_by_name"),
        ]

    def __str__(self) -> str:
        # Shown by the admin and in tracebacks: an id, not a name.
        return f"client {self.pk}"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def age_on(self, day: date) -> int:
        """Whole years on `day`."""
        had = (day.month, day.day) >= (self.birth_date.month, self.birth_date.day)
        return day.year - self.birth_date.year - (0 if had else 1)


classify(
    Client,
    public=("id", "created_at", "time_zone", "erased_at"),
    personal=(
        *("user", "first_name", "last_name", "birth_date", "email", "phone", "state"),
        *("language", "created_by", "merged_into"),
    ),
)


class ClientIdentifier(models.Model):
    """A number under which another system knows this client.

    Scoped to the professional who brought it: another importer must not learn from a clash
    that the person is known here.
    """

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="identifiers")
    owner = models.ForeignKey(Professional, on_delete=models.PROTECT, related_name="+")
    system = models.CharField(max_length=200)
    value = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["owner", "system", "value"], name="client_identifier_once_per_owner"
            )
        ]

    def __str__(self) -> str:
        return f"identifier of client {self.client_id}"


classify(ClientIdentifier, public=("id",), personal=("client", "owner", "system", "value"))
