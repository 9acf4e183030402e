"""Personal API tokens: random, hashed at rest, expiring, revocable."""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from handoff.core.sensitivity import classify

PREFIX = "hf_"
LIFETIME = timedelta(days=30)


class ApiToken(models.Model):
    """A bearer token of one person. It carries no rights of its own: they are read at use."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=80, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    second_factor = models.BooleanField(default=False, db_default=False)
    """Whether a second factor was shown when it was made."""
    proved_at = models.DateTimeField(null=True, blank=True)
    """When its owner last proved, with this token, that it is them."""

    class Meta:
        app_label = "core"
        ordering: ClassVar[list[str]] = ["-created_at", "id"]

    def __str__(self) -> str:
        return f"token {self.pk}"

    def is_live(self, at: datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at


classify(
    ApiToken,
    public=("id", "created_at", "expires_at", "revoked_at", "second_factor", "proved_at"),
    personal=("user", "name"),
    secret=("token_hash",),
)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def issue(
    *,
    user_id: uuid.UUID,
    name: str = "",
    second_factor: bool = False,
    at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make a token for somebody who has just signed in, with a second factor or without.

    The returned secret is shown once and stored only as a hash.
    """
    at = at or timezone.now()
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user_id=user_id,
        name=name[:80],
        token_hash=_hash(secret),
        created_at=at,
        expires_at=at + LIFETIME,
        second_factor=second_factor,
        proved_at=at,
    )
    return token, secret


def find(secret: str, *, at: datetime | None = None) -> ApiToken | None:
    """The live token behind a secret whose owner's account is active, or None."""
    at = at or timezone.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(token_hash=_hash(secret), user__is_active=True)
        .first()
    )
    return token if token is not None and token.is_live(at) else None


def prove(*, token_id: uuid.UUID, second_factor: bool, at: datetime | None = None) -> None:
    """Note that its owner has just proved, with this token, that it is them."""
    changes: dict[str, object] = {"proved_at": at or timezone.now()}
    if second_factor:
        changes["second_factor"] = True
    ApiToken.objects.filter(pk=token_id).update(**changes)


def revoke(*, user_id: uuid.UUID, token_id: uuid.UUID, at: datetime | None = None) -> bool:
    """End one's own token at once; False when there is no such live token of this person."""
    changed = ApiToken.objects.filter(pk=token_id, user_id=user_id, revoked_at=None).update(
        revoked_at=at or timezone.now()
    )
    return changed == 1


def revoke_all(*, user_id: uuid.UUID, at: datetime | None = None) -> int:
    """End every live token of a person, as when their password changed; how many."""
    return ApiToken.objects.filter(user_id=user_id, revoked_at=None).update(
        revoked_at=at or timezone.now()
    )
