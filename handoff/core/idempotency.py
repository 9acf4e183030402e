"""Repeated requests answer as the first time (`Idempotency-Key`), without keeping any answer.

Only the status and the id of what was made are kept. The body is made anew from that id under
the consents of the moment: a stored answer would be a cache of health data.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from handoff.core.sensitivity import classify


class IdempotentRequest(models.Model):
    """One (person, key) and the request it stood for."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="idempotent_requests"
    )
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    object_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        app_label = "core"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotent_once_per_user_key")
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.object_id}"


classify(
    IdempotentRequest,
    public=("id", "status", "object_id", "created_at"),
    personal=("user",),
    secret=("key", "fingerprint"),
)
