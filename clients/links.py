"""What happens to the link of an invitation: it is opened, and accepted once.

A link alone shows nothing and gives nothing. It is accepted by an account that has proved the
invited address, and a client must also know the date of birth that was written down: a mail that
was forwarded, or went to the wrong person, opens no record.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clients import guardians
from clients.invitations import Kind, hashed
from clients.models import Client, Guardianship, Invitation, User
from clients.models.user import DEFAULT_ZONE
from handoff.core import audit
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale

WRONG_DATES: Final = 5
"""So many wrong dates of birth cancel the link."""
WRONG_DATE: Final = (
    "This is not the date that was written down for you. Check it, or ask whoever invited you to"
    " correct it."
)


class Stage(StrEnum):
    """Where a link stands for the person who opened it."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    CANCELLED = "cancelled"
    SIGN_IN = "sign_in"
    OTHER_ADDRESS = "other_address"
    CONFIRM = "confirm"
    """A client without a record of their own: they confirm with their date of birth."""
    MATCH = "match"
    """A client who has a record here already: is this you?"""
    GUARDIAN = "guardian"
    YOURS = "yours"
    """Accepted by this very account."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the page of a link may know: never whose it is."""

    stage: Stage
    invitation_id: UUID | None = None
    kind: str = ""


def find(token: str) -> UUID | None:
    """The invitation a secret belongs to, whatever became of it; None for a wrong one."""
    found = Invitation.objects.filter(token_hash=hashed(token)).values_list("pk", flat=True)
    return found.first()


def outlook(*, actor: Actor, invitation_id: UUID | None, at: datetime | None = None) -> Outlook:
    """Where a link stands for whoever looks. Tells nothing of whom it is about."""
    at = at or timezone.now()
    if invitation_id is None:
        return Outlook(Stage.UNKNOWN)
    invitation = Invitation.objects.select_related("client").filter(pk=invitation_id).first()
    if invitation is None:
        return Outlook(Stage.UNKNOWN)
    return Outlook(_stage(actor, invitation, at), invitation.pk, invitation.kind)


def address_of(invitation_id: UUID, at: datetime | None = None) -> str | None:
    """The address an open link was sent to: whoever holds the link has proved that it is theirs.

    None for a link that can no longer be used.
    """
    invitation = Invitation.objects.filter(pk=invitation_id).first()
    if invitation is None or _spent(invitation, at or timezone.now()) is not None:
        return None
    return invitation.email


def accept(
    *,
    actor: Actor,
    invitation_id: UUID,
    birth_date: date | None = None,
    at: datetime | None = None,
) -> Invitation:
    """Connect the account with the record (client), or ask to act for a minor (guardian).

    A guardian may do nothing yet: somebody has to verify the authority first. A client who has a
    record here already connects through `referrals.matching` instead. Raises Stale for a link
    that is used, too old or cancelled, NotAllowed for another address, NotVisible for a wrong
    one, Invalid on `birth_date`.
    """
    at = at or timezone.now()
    with transaction.atomic():
        invitation = claimed(actor=actor, invitation_id=invitation_id, at=at)
        stage = _stage(actor, invitation, at)
        if stage is Stage.GUARDIAN:
            _become_guardian(actor, invitation, at)
            return invitation
        if stage is not Stage.CONFIRM:
            raise Stale
        if birth_date is None:
            raise Invalid({"birth_date": ["Enter your date of birth."]})
        if birth_date == invitation.client.birth_date:
            _become_client(actor, invitation, at)
            return invitation
        _note_wrong_date(actor, invitation, at)
    # Outside: the count of wrong dates must stay.
    raise Invalid({"birth_date": [WRONG_DATE]})


def claimed(*, actor: Actor, invitation_id: UUID, at: datetime) -> Invitation:
    """The invitation and its record, locked, if it is open and the account proved its address.

    For verbs that accept a link, inside their transaction: of two at once, the second waits and
    finds it used. Raises NotVisible, Stale or NotAllowed.
    """
    invitation = Invitation.objects.select_for_update(no_key=True).filter(pk=invitation_id).first()
    if invitation is None or actor.user_id is None:
        raise NotVisible
    # The account too: it may hold two links at once, and gets one record.
    User.objects.select_for_update(no_key=True).get(pk=actor.user_id)
    if _spent(invitation, at) is not None:
        raise Stale("This invitation can no longer be used.")
    if not _has_proved(actor.user_id, invitation.email):
        raise NotAllowed("This invitation was sent to another e-mail address.")
    invitation.client = Client.objects.select_for_update(no_key=True).get(pk=invitation.client_id)
    return invitation


def use(invitation: Invitation, *, actor: Actor, at: datetime) -> None:
    """Mark a claimed invitation as used, in the transaction that claimed it."""
    invitation.used_at = at
    invitation.used_by_id = actor.user_id
    invitation.save(update_fields=["used_at", "used_by"])
    audit.record(actor, f"invitation.accepted_{invitation.kind}", invitation, at=at)


def _stage(actor: Actor, invitation: Invitation, at: datetime) -> Stage:
    if invitation.used_at is not None and invitation.used_by_id == actor.user_id:
        return Stage.YOURS
    spent = _spent(invitation, at)
    if spent is not None:
        return spent
    if actor.user_id is None:
        return Stage.SIGN_IN
    if not _has_proved(actor.user_id, invitation.email):
        return Stage.OTHER_ADDRESS
    client = invitation.client
    if invitation.kind == Kind.GUARDIAN:
        # Nobody is their own guardian, and nobody of age has one.
        own = client.user_id == actor.user_id
        return Stage.CANCELLED if own or not guardians.is_minor(client, at) else Stage.GUARDIAN
    if client.user_id is not None or client.merged_into_id is not None:
        return Stage.USED
    has_record = Client.objects.filter(user_id=actor.user_id, merged_into__isnull=True).exists()
    return Stage.MATCH if has_record else Stage.CONFIRM


def _spent(invitation: Invitation, at: datetime) -> Stage | None:
    if invitation.used_at is not None:
        return Stage.USED
    if invitation.cancelled_at is not None:
        return Stage.CANCELLED
    return Stage.EXPIRED if at >= invitation.expires_at else None


def _has_proved(user_id: UUID, address: str) -> bool:
    """Whether the account has verified this address. Any of its addresses counts."""
    return User.objects.filter(
        pk=user_id,
        is_active=True,
        emailaddress__verified=True,
        emailaddress__email__iexact=address,
    ).exists()


def _account(actor: Actor) -> User:
    if actor.user_id is None:
        raise NotVisible
    return User.objects.get(pk=actor.user_id)


def _become_client(actor: Actor, invitation: Invitation, at: datetime) -> None:
    client, user = invitation.client, _account(actor)
    client.user = user
    client.save(update_fields=["user"])
    if not user.get_full_name():
        user.first_name, user.last_name = client.first_name, client.last_name
    if user.time_zone == DEFAULT_ZONE:
        user.time_zone = client.time_zone
    user.save(update_fields=["first_name", "last_name", "time_zone"])
    use(invitation, actor=actor, at=at)


def _become_guardian(actor: Actor, invitation: Invitation, at: datetime) -> None:
    user = _account(actor)
    held = Guardianship.objects.filter(client=invitation.client, user=user, ended_at__isnull=True)
    if not held.exists():
        Guardianship.objects.create(
            client=invitation.client,
            user=user,
            relationship=invitation.relationship,
            created_at=at,
        )
    use(invitation, actor=actor, at=at)


def _note_wrong_date(actor: Actor, invitation: Invitation, at: datetime) -> None:
    """Count a wrong date of birth in the audit ledger; the last one allowed ends the link."""
    before = audit.AuditEntry.objects.filter(
        object_type=invitation._meta.label_lower,
        object_id=str(invitation.pk),
        verb="invitation.wrong_date",
    ).count()
    if before + 1 >= WRONG_DATES:
        invitation.cancelled_at = at
        invitation.save(update_fields=["cancelled_at"])
    audit.record(actor, "invitation.wrong_date", invitation, at=at)
