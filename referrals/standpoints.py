"""How a consent looks from each side. Pure.

The client's side sees all of it. Professionals learn whether something is shared, and since when
or until when it was; never whether a client said no or said nothing, and never why it ended.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from clients.consent import ConsentState
from clients.models import Consent, ConsentEvent
from handoff.core.actors import Actor

Kind = ConsentEvent.Kind


class Side(StrEnum):
    CLIENT = "client"
    DISCLOSER = "discloser"
    RECIPIENT = "recipient"


class Seen(StrEnum):
    """Where a consent stands, as professionals are told."""

    REQUESTED = "requested"
    ACTIVE = "active"
    NOT_SHARED = "not_shared"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


_STATES: Final[Mapping[ConsentState, Seen]] = MappingProxyType(
    {
        ConsentState.REQUESTED: Seen.REQUESTED,
        ConsentState.ACTIVE: Seen.ACTIVE,
        ConsentState.NOT_YET: Seen.NOT_SHARED,
        ConsentState.DECLINED: Seen.NOT_SHARED,
        ConsentState.LAPSED: Seen.NOT_SHARED,
        ConsentState.EXPIRED: Seen.ENDED,
        ConsentState.SUSPENDED: Seen.ENDED,
        ConsentState.REVOKED: Seen.ENDED,
        ConsentState.SUPERSEDED: Seen.ENDED,
        ConsentState.ENDED: Seen.ENDED,
        ConsentState.WITHDRAWN: Seen.WITHDRAWN,
    }
)
_EVENTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        Kind.REQUESTED: (Kind.REQUESTED.value, "The client is asked"),
        Kind.GRANTED: (Kind.GRANTED.value, "Shared"),
        Kind.NARROWED: (Kind.NARROWED.value, "Less is shared"),
        Kind.DECLINED: (Seen.NOT_SHARED.value, "Not shared"),
        Kind.LAPSED: (Seen.NOT_SHARED.value, "Not shared"),
        Kind.REVOKED: (Seen.ENDED.value, "Sharing ended"),
        Kind.ENDED: (Seen.ENDED.value, "Sharing ended"),
        Kind.WITHDRAWN: (Kind.WITHDRAWN.value, "The question was taken back"),
        # A minor says it so that others hear it; the page on which they say it tells them who.
        Kind.OBJECTED: (Kind.OBJECTED.value, "The client objects"),
    }
)
"""What a professional is told of each event; one that is missing here is not told."""


def side_of(actor: Actor, consent: Consent, own_clients: Collection[UUID]) -> Side:
    """Where the actor stands. The client's side weighs more than any other."""
    if consent.client_id in own_clients:
        return Side.CLIENT
    if consent.discloser_id in actor.professional_ids:
        return Side.DISCLOSER
    return Side.RECIPIENT


def state_for(side: Side, state: ConsentState) -> str:
    """The state of a consent in the words for one side."""
    return state.value if side is Side.CLIENT else _STATES[state].value


def event_for(side: Side, kind: str) -> tuple[str, str] | None:
    """Code and words of an event for one side; None where that side is not told."""
    if side is Side.CLIENT:
        return kind, str(Kind(kind).label)
    return _EVENTS.get(kind)
