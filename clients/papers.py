"""Licences and certificates, handed in by whoever holds them, with a scan of each.

A scan is for the person who verifies: it is seen by its owner and by administrators, each of whose
looks is entered in the audit ledger. It counts for nothing by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from clients.consequences import credential_changed
from clients.models import Credential, Evidence
from clients.us_states import US_STATES
from handoff.core import audit
from handoff.core.actors import PROFESSIONAL_ROLES, Actor, Role
from handoff.core.errors import Invalid, NotVisible, Stale
from handoff.core.files.accepting import Accepted
from handoff.core.files.kinds import Kind
from handoff.core.files.storing import content_of, erase, store

FIELDS: Final = ("kind", "title", "issuer", "number", "state", "issued_on", "expires_on")
MOST_PER_PAPER: Final = 5


@dataclass(frozen=True, slots=True)
class Scan:
    """One file as it is sent."""

    kind: Kind
    data: bytes


def hand_in(
    *, actor: Actor, values: Mapping[str, Any], scan: Accepted, at: datetime | None = None
) -> Credential:
    """A new paper of one's own with its first scan, to be verified by somebody else.

    Raises Invalid by field, NotVisible for somebody who works nowhere here.
    """
    at = at or timezone.now()
    user_id = _professional(actor)
    complaints = complaints_about(values, at.date())
    if complaints:
        raise Invalid(complaints)
    with transaction.atomic():
        credential = Credential(
            user_id=user_id, created_at=at, **{name: values.get(name) for name in FIELDS}
        )
        for name in ("title", "number", "state"):
            setattr(credential, name, getattr(credential, name) or "")
        try:
            credential.full_clean(validate_constraints=True)
        except ValidationError as error:
            wrong = error.message_dict
            raise Invalid(
                {"" if name == "__all__" else name: wrong[name] for name in wrong}
            ) from None
        credential.save(force_insert=True)
        _attach(credential, scan, user_id, at)
        credential_changed(credential, at=at)
        audit.record(actor, "credential.handed_in", credential, at=at)
    return credential


def add_scan(
    *, actor: Actor, credential_id: UUID, scan: Accepted, at: datetime | None = None
) -> Evidence:
    """Another page or the back of a paper that is not verified yet.

    Raises Invalid on "file", Stale once the paper was verified or withdrawn: what was verified is
    what was seen. NotVisible for somebody else's paper.
    """
    at = at or timezone.now()
    with transaction.atomic():
        credential = _own(actor, credential_id)
        if credential.verified_at is not None or credential.withdrawn_at is not None:
            raise Stale("This has been checked already. Hand in a new one instead.")
        if _kept(credential).count() >= MOST_PER_PAPER:
            raise Invalid({"file": [f"{MOST_PER_PAPER} files are enough for one paper."]})
        evidence = _attach(credential, scan, credential.user_id, at)
        audit.record(actor, "credential.scan_added", credential, at=at)
    return evidence


def remove_scan(*, actor: Actor, evidence_id: UUID, at: datetime | None = None) -> UUID:
    """Erase a scan of one's own; the paper, whose id comes back, stays as it is.

    Raises Stale when it is gone already, NotVisible for somebody else's.
    """
    at = at or timezone.now()
    with transaction.atomic():
        evidence = (
            Evidence.objects.select_for_update(of=("self",), no_key=True)
            .select_related("credential")
            .filter(pk=evidence_id)
            .first()
        )
        if evidence is None or evidence.credential.user_id != actor.user_id:
            raise NotVisible
        if evidence.removed_at is not None:
            raise Stale
        erase(evidence.file_id, at=at)
        evidence.key, evidence.removed_at = None, at
        evidence.save(update_fields=["key", "removed_at"])
        audit.record(actor, "credential.scan_removed", evidence.credential, at=at)
    return evidence.credential_id


def scan(*, actor: Actor, evidence_id: UUID, at: datetime | None = None) -> Scan:
    """A scan for its owner, or for an administrator; the look is in the audit ledger first.

    Raises NotVisible for everybody else, and when it was removed.
    """
    at = at or timezone.now()
    evidence = (
        Evidence.objects.select_related("credential")
        .filter(pk=evidence_id, removed_at=None)
        .first()
    )
    if evidence is None or actor.user_id is None or evidence.key is None:
        raise NotVisible
    if evidence.credential.user_id != actor.user_id and Role.ADMIN not in actor.roles:
        raise NotVisible
    data = content_of(evidence.file_id, bytes(evidence.key))
    with transaction.atomic(durable=True):
        audit.record(actor, "credential.scan_seen", evidence.credential, at=at)
    return Scan(Kind(evidence.file.kind), data)


def complaints_about(values: Mapping[str, Any], today: date) -> dict[str, list[str]]:
    """What is wrong with a paper that somebody hands in, by field; empty when nothing is."""
    found: dict[str, list[str]] = {}
    kind = str(values.get("kind") or "")
    issued, expires = values.get("issued_on"), values.get("expires_on")
    if kind not in Credential.Kind.values:
        found["kind"] = ["Choose what it is."]
    if not str(values.get("issuer") or "").strip():
        found["issuer"] = ["Say who issued it."]
    state = str(values.get("state") or "")
    if kind in Credential.STATE_BOUND:
        if state not in US_STATES:
            found["state"] = ["Choose the state it is valid in."]
        if not str(values.get("number") or "").strip():
            found["number"] = ["Enter its number."]
    elif state and state not in US_STATES:
        found["state"] = ["Choose a state, or leave it out."]
    if issued is not None and issued > today:
        found["issued_on"] = ["This day is still to come."]
    if expires is not None and expires < today:
        found["expires_on"] = ["This has ended already. Hand in the renewed one."]
    elif issued is not None and expires is not None and expires < issued:
        found["expires_on"] = ["It cannot end before it begins."]
    return found


def _attach(credential: Credential, accepted: Accepted, owner_id: UUID, at: datetime) -> Evidence:
    file, key = store(accepted, owner_id=owner_id, at=at)
    return Evidence.objects.create(credential=credential, file=file, key=key, added_at=at)


def _kept(credential: Credential) -> Any:
    return Evidence.objects.filter(credential=credential, removed_at=None)


def _own(actor: Actor, credential_id: UUID) -> Credential:
    credential = (
        Credential.objects.select_for_update(no_key=True)
        .filter(pk=credential_id, user_id=_professional(actor))
        .first()
    )
    if credential is None:
        raise NotVisible
    return credential


def _professional(actor: Actor) -> UUID:
    if actor.user_id is None or not actor.roles & PROFESSIONAL_ROLES:
        raise NotVisible
    return actor.user_id
