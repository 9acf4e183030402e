"""Scans of licences and certificates, for whoever verifies them."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.models.credential import Credential
from handoff.core.files.storing import StoredFile
from handoff.core.sensitivity import classify


class Evidence(models.Model):
    """One file handed in for one credential. The key that opens it stands here and nowhere else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    credential = models.ForeignKey(Credential, on_delete=models.PROTECT, related_name="evidence")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    key = models.BinaryField(null=True)
    added_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["added_at", "id"]
        verbose_name_plural = "evidence"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(key__isnull=True, removed_at__isnull=False)
                | Q(key__isnull=False, removed_at__isnull=True),
                name="evidence_has_key_until_removed",
            )
        ]

    def __str__(self) -> str:
        return f"evidence {self.pk}"


classify(
    Evidence,
    public=("id", "added_at", "removed_at"),
    personal=("credential", "file"),
    secret=("key",),
)
