"""Whom a client would like to see."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.models import Client, Professional
from handoff.core.sensitivity import classify


class Wish(models.Model):
    """“I would like this trainer”, said by the client's side to whoever treats them.

    One at a time of each trade. The professional wished for does not learn of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="wishes")
    professional = models.ForeignKey(Professional, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=10, choices=Professional.Role)
    wished_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    wished_at = models.DateTimeField(default=timezone.now)
    taken_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["role", "-wished_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["client", "role"],
                condition=Q(taken_back_at__isnull=True),
                name="wish_one_open_per_role",
            ),
        ]

    def __str__(self) -> str:
        return f"wish {self.pk}"


classify(
    Wish,
    public=("id", "client", "role", "wished_by", "wished_at", "taken_back_at"),
    personal=("professional",),
)
