"""Letters from doctors that belong to a client's record."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.models import Client, Professional
from handoff.core.files.storing import StoredFile
from handoff.core.sensitivity import classify


class Letter(models.Model):
    """One letter, handed in for one therapist (FHIR DocumentReference).

    The key that opens its file stands here and nowhere else.
    """

    class Kind(models.TextChoices):
        CLEARANCE = "clearance", "Clearance to train"
        SURGERY = "surgery", "Report of an operation"
        FINDINGS = "findings", "Findings or images"
        PRESCRIPTION = "prescription", "Referral or prescription"
        OTHER = "other", "Other letter"

    class AddedAs(models.TextChoices):
        CLIENT = "client", "Client"
        GUARDIAN = "guardian", "Parent or guardian"
        TREATING = "pt", "Treating side"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="letters")
    pt = models.ForeignKey(Professional, on_delete=models.PROTECT, related_name="letters")
    kind = models.CharField(max_length=12, choices=Kind)
    author = models.CharField(max_length=120)
    dated_on = models.DateField()
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    key = models.BinaryField(null=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    added_as = models.CharField(max_length=8, choices=AddedAs)
    added_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-dated_on", "-added_at", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["client", "-dated_on"], name="letter_client_newest")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(key__isnull=True, removed_at__isnull=False)
                | Q(key__isnull=False, removed_at__isnull=True),
                name="letter_has_key_until_removed",
            )
        ]

    def __str__(self) -> str:
        return f"letter {self.pk}"


classify(
    Letter,
    public=("id", "client", "pt", "added_by", "added_as", "added_at", "removed_at"),
    personal=("file",),
    clinical=("kind", "author", "dated_on"),
    secret=("key",),
)
