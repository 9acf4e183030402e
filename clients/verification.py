"""An admin checks documents: credentials of professionals, authority of guardians."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clients.consequences import credential_changed, deciders_changed
from clients.models import Credential, Guardianship
from handoff.core import audit
from handoff.core.actors import Actor, Role
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale


def verify_credential(
    *, actor: Actor, credential_id: UUID, where: str, at: datetime | None = None
) -> Credential:
    """Record that a credential was looked up, and where. Counts from this moment on.

    Raises NotAllowed for one's own credential, Invalid without `where`, Stale when it was
    verified or withdrawn meanwhile, NotVisible for non-admins.
    """
    at = at or timezone.now()
    _require_admin(actor)
    if not where.strip():
        raise Invalid({"verified_where": ["Say which register or document you looked at."]})
    with transaction.atomic():
        credential = (
            Credential.objects.select_for_update(no_key=True).filter(pk=credential_id).first()
        )
        if credential is None:
            raise NotVisible
        if credential.user_id == actor.user_id:
            raise NotAllowed("Nobody verifies their own credential.")
        if credential.verified_at is not None or credential.withdrawn_at is not None:
            raise Stale
        credential.verified_at = at
        credential.verified_by_id = actor.user_id
        credential.verified_where = where.strip()[:200]
        credential.save(update_fields=["verified_at", "verified_by", "verified_where"])
        credential_changed(credential, at=at)
        audit.record(actor, "credential.verified", credential, at=at)
    return credential


def withdraw_credential(
    *, actor: Actor, credential_id: UUID, at: datetime | None = None
) -> Credential:
    """End a credential before its day; what rests on it stops at once.

    Raises Stale when it was withdrawn before, NotVisible for non-admins.
    """
    at = at or timezone.now()
    _require_admin(actor)
    with transaction.atomic():
        credential = (
            Credential.objects.select_for_update(no_key=True).filter(pk=credential_id).first()
        )
        if credential is None:
            raise NotVisible
        if credential.withdrawn_at is not None:
            raise Stale
        credential.withdrawn_at = at
        credential.withdrawn_by_id = actor.user_id
        credential.save(update_fields=["withdrawn_at", "withdrawn_by"])
        credential_changed(credential, at=at)
        audit.record(actor, "credential.withdrawn", credential, at=at)
    return credential


def verify_guardianship(
    *, actor: Actor, guardianship_id: UUID, at: datetime | None = None
) -> Guardianship:
    """Record that the authority of a guardian was checked; they may act from now on.

    Raises NotAllowed for one's own, Stale when verified or ended, NotVisible for non-admins.
    """
    at = at or timezone.now()
    _require_admin(actor)
    with transaction.atomic():
        row = Guardianship.objects.select_for_update(no_key=True).filter(pk=guardianship_id).first()
        if row is None:
            raise NotVisible
        if row.user_id == actor.user_id:
            raise NotAllowed("Nobody verifies their own authority.")
        if row.verified_at is not None or row.ended_at is not None:
            raise Stale
        row.verified_at = at
        row.verified_by_id = actor.user_id
        row.save(update_fields=["verified_at", "verified_by"])
        deciders_changed(row.client, at=at)
        audit.record(actor, "guardianship.verified", row, at=at)
    return row


def end_guardianship(
    *, actor: Actor, guardianship_id: UUID, at: datetime | None = None
) -> Guardianship:
    """The guardian may act no longer, from this moment on. Raises Stale when ended before."""
    at = at or timezone.now()
    _require_admin(actor)
    with transaction.atomic():
        row = Guardianship.objects.select_for_update(no_key=True).filter(pk=guardianship_id).first()
        if row is None:
            raise NotVisible
        if row.ended_at is not None:
            raise Stale
        row.ended_at = at
        row.save(update_fields=["ended_at"])
        deciders_changed(row.client, at=at)
        audit.record(actor, "guardianship.ended", row, at=at)
    return row


def _require_admin(actor: Actor) -> None:
    if Role.ADMIN not in actor.roles:
        raise NotVisible
