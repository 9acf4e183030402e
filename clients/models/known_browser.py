"""Browsers somebody has signed in with before, so that a new one is told of."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from handoff.core.sensitivity import classify


class KnownBrowser(models.Model):
    """One browser of one person, known again by a random mark in a cookie; stored is its hash.

    It opens nothing: whoever has the mark still signs in like everybody else.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="known_browsers"
    )
    mark_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "mark_hash"], name="known_browser_once")
        ]

    def __str__(self) -> str:
        return f"browser {self.pk}"


classify(
    KnownBrowser,
    public=("id", "created_at", "used_at"),
    personal=("user",),
    secret=("mark_hash",),
)
