"""Files in the database: written with what they belong to, backed up with it, gone with it.

A file belongs to a row that says what it is (a scan of a licence, a letter) and that holds the
wrapped key. This table holds sealed bytes and knows nobody but who brought them.
"""

import uuid
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Q
from django.utils import timezone

from handoff.core.errors import Invalid, NotVisible
from handoff.core.files.accepting import FIELD, Accepted
from handoff.core.files.kinds import Kind
from handoff.core.files.sealing import seal, unseal
from handoff.core.sensitivity import classify

MOST_PER_PERSON: Final = 20


class StoredFile(models.Model):
    """Sealed bytes. `content` is gone once the file was erased; the row says that it was there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=4, choices=Kind)
    size = models.PositiveIntegerField()
    content = models.BinaryField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "core"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["owner"], condition=Q(erased_at__isnull=True), name="file_kept_by_owner"
            )
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(content__isnull=True, erased_at__isnull=False)
                | Q(content__isnull=False, erased_at__isnull=True),
                name="file_has_content_until_erased",
            )
        ]

    def __str__(self) -> str:
        return f"file {self.pk}"


classify(
    StoredFile,
    public=("id", "kind", "size", "created_at", "erased_at"),
    personal=("owner",),
    secret=("content",),
)


def store(accepted: Accepted, *, owner_id: UUID, at: datetime) -> tuple[StoredFile, bytes]:
    """Keep a file for `owner_id`; the row, and the wrapped key for whatever it belongs to.

    Must run in the transaction that writes what it belongs to. Raises Invalid on "file" for
    somebody who keeps as many as one may.
    """
    # Locked, so that two at once are counted one after the other.
    people = get_user_model()._default_manager.select_for_update(no_key=True)
    if not people.filter(pk=owner_id).exists():
        raise NotVisible
    if StoredFile.objects.filter(owner=owner_id, erased_at=None).count() >= MOST_PER_PERSON:
        raise Invalid(
            {FIELD: [f"You keep {MOST_PER_PERSON} files here already. Remove one of them first."]}
        )
    row = StoredFile(owner_id=owner_id, kind=accepted.kind, size=len(accepted.data), created_at=at)
    row.content, key = seal(row.pk, accepted.data)
    row.save(force_insert=True)
    return row, key


def content_of(file_id: UUID, key: bytes) -> bytes:
    """What is in a file. Raises NotVisible once it was erased."""
    sealed = StoredFile.objects.filter(pk=file_id).values_list("content", flat=True).first()
    if sealed is None:
        raise NotVisible
    return unseal(file_id, bytes(sealed), bytes(key))


def erase(file_id: UUID, *, at: datetime) -> None:
    """Take the bytes out. The caller forgets the key in the same transaction."""
    StoredFile.objects.filter(pk=file_id, erased_at=None).update(content=None, erased_at=at)
