"""What happened with a client, in order: steps of referrals and of consents. States and dates only.

Everybody sees the steps of what they may know of, in the words for their side.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from clients import access as people
from clients.models import ConsentEvent
from handoff.core.actors import Actor
from referrals import access, disclosure, sharing
from referrals.models import Referral, ReferralEvent
from referrals.standpoints import Side, event_for, side_of
from referrals.states import State, reason_label

_BEFORE_SENDING = frozenset({State.DRAFT, State.AWAITING_CONSENT, State.DISCARDED})


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `key` tells two of them apart."""

    key: str
    at: datetime
    subject: str
    """`referral` or `consent`."""
    subject_id: UUID
    what: str
    label: str
    by: str
    between: tuple[str, str]
    """Names of the professional it comes from and the one it goes to."""
    reason: str = ""


def timeline(*, actor: Actor, client_id: UUID, at: datetime | None = None) -> tuple[Moment, ...]:
    """What the actor may know happened with this client, newest first.

    Raises NotVisible for a client the actor may not know of.
    """
    at = at or timezone.now()
    client = access.client_for(actor, client_id, at=at)
    own = frozenset(each.pk for each in people.own_clients(actor, at))
    found = [*_of_referrals(actor, client.pk, at), *_of_consents(actor, client.pk, own, at)]
    return tuple(sorted(found, key=lambda each: (each.at, each.key), reverse=True))


def _of_referrals(actor: Actor, client_id: UUID, at: datetime) -> list[Moment]:
    sends = access.treating_ids(actor) | frozenset(actor.professional_ids)
    referrals = access.referrals_visible_to(actor, at).filter(client_id=client_id)
    events = (
        ReferralEvent.objects.filter(referral__in=referrals)
        .select_related("by", "referral__sender__user", "referral__recipient__user")
        .order_by("id")
    )
    return [
        Moment(
            key=f"referral-{event.pk}",
            at=event.at,
            subject="referral",
            subject_id=event.referral_id,
            what=event.target,
            label=disclosure.STEP_WORDS.get(event.verb) or str(State(event.target).label),
            by=event.by.name if event.by else "",
            between=(event.referral.sender.name, event.referral.recipient.name),
            reason=reason_label(event.reason_code, State(event.target)),
        )
        for event in events
        if _told(event, event.referral, sends)
    ]


def _told(event: ReferralEvent, referral: Referral, sends: frozenset[UUID]) -> bool:
    """What happened before it was sent is the sender's; as `disclosure.steps` has it."""
    return referral.sender_id in sends or event.target not in _BEFORE_SENDING


def _of_consents(actor: Actor, client_id: UUID, own: frozenset[UUID], at: datetime) -> list[Moment]:
    consents = sharing.consents_visible_to(actor, at).filter(client_id=client_id)
    events = (
        ConsentEvent.objects.filter(consent__in=consents.order_by())
        .select_related("by", "consent__discloser__user", "consent__recipient__user")
        .order_by("number")
    )
    found = []
    for event in events:
        side = side_of(actor, event.consent, own)
        told = event_for(side, event.kind)
        if told is None:
            continue
        found.append(
            Moment(
                key=f"consent-{event.number}",
                at=event.at,
                subject="consent",
                subject_id=event.consent_id,
                what=told[0],
                label=told[1],
                by=event.by.name if event.by and side is Side.CLIENT else "",
                between=(event.consent.discloser.name, event.consent.recipient.name),
            )
        )
    return found
