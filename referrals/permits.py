"""Pure: which classes of whose content a person may read about one client.

Three grounds exist and no other: it is one's own record (or one acts for its owner), one treats
the client, or the client agreed and a referral was accepted. No ground means nothing.

A therapist discloses what they hold, class by class. A trainer discloses what they reported of the
training and nothing else, whatever a consent names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from clients.scopes import Scope


class Standpoint(StrEnum):
    """The ground that weighs most; written into the access ledger as the viewer's role. A
    recipient who is a therapist is written down as one (`referrals.capacity`)."""

    SELF = "client"
    GUARDIAN = "guardian"
    TREATING = "pt"
    RECIPIENT = "trainer"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Grant:
    """One consent that is active now."""

    consent_id: UUID
    discloser_id: UUID
    recipient_id: UUID
    classes: frozenset[Scope]
    reported_by_discloser: bool = False
    """The discloser is a trainer: what is shared are their own reports."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """All that decides what one person may read of one client, at one moment."""

    is_self: bool = False
    is_guardian: bool = False
    own_ids: frozenset[UUID] = frozenset()
    """The viewer's own professional rows."""
    treats_as: frozenset[UUID] = frozenset()
    """Therapists (professional ids) on whose side of the treatment the viewer stands."""
    accepted_from: frozenset[tuple[UUID, UUID]] = frozenset()
    """(sender, recipient) of referrals in a state in which the recipient may read."""
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Permit:
    """The answer: for each class, whose content may be read. A class without a source is none."""

    standpoint: Standpoint
    everything: bool
    sources: Mapping[Scope, frozenset[UUID]]
    """Class -> ids of the professionals whose content of that class may be read."""
    consent_ids: frozenset[UUID]
    """The consents this rests on."""
    received_as: frozenset[UUID] = frozenset()
    """The viewer's own rows with which they accepted a referral of this client."""

    def covers(self, scope: Scope) -> bool:
        return self.everything or bool(self.sources.get(scope))

    @property
    def is_empty(self) -> bool:
        return self.standpoint is Standpoint.NONE


def permit(grounds: Grounds) -> Permit:
    """Work out what may be read. Total: every combination of grounds has an answer."""
    if grounds.is_self or grounds.is_guardian:
        standpoint = Standpoint.SELF if grounds.is_self else Standpoint.GUARDIAN
        return Permit(standpoint, True, MappingProxyType({}), frozenset())

    sources: dict[Scope, set[UUID]] = {}
    consents: set[UUID] = set()
    for scope in Scope:
        if scope is not Scope.TRAINING_FEEDBACK and grounds.treats_as:
            sources.setdefault(scope, set()).update(grounds.treats_as)
    for grant in grounds.grants:
        pair = (grant.discloser_id, grant.recipient_id)
        if grant.recipient_id in grounds.own_ids and pair in grounds.accepted_from:
            for scope, source in _received(grant):
                sources.setdefault(scope, set()).update(source)
                consents.add(grant.consent_id)
        if (
            Scope.TRAINING_FEEDBACK in grant.classes
            and not grant.reported_by_discloser
            and grant.discloser_id in grounds.treats_as
            and pair in grounds.accepted_from
        ):
            told = sources.setdefault(Scope.TRAINING_FEEDBACK, set())
            told.add(grant.recipient_id)
            if (grant.recipient_id, grant.discloser_id) in grounds.accepted_from:
                told.add(grant.discloser_id)  # referred back to, they reported themselves
            consents.add(grant.consent_id)
    received_as = grounds.own_ids & {recipient for _, recipient in grounds.accepted_from}
    if grounds.treats_as:
        standpoint = Standpoint.TREATING
    elif received_as:
        # They took a client on: they may know that the client exists, shared or not.
        standpoint = Standpoint.RECIPIENT
    else:
        standpoint = Standpoint.NONE
    return Permit(
        standpoint,
        False,
        MappingProxyType({scope: frozenset(ids) for scope, ids in sources.items()}),
        frozenset(consents),
        received_as,
    )


def _received(grant: Grant) -> list[tuple[Scope, set[UUID]]]:
    """Whose content of which class a recipient reads under one consent.

    One class flows back: a recipient reads what they reported themselves.
    """
    back = Scope.TRAINING_FEEDBACK
    if grant.reported_by_discloser:
        return [(back, {grant.discloser_id, grant.recipient_id})] if back in grant.classes else []
    return [
        (scope, {grant.recipient_id if scope is back else grant.discloser_id})
        for scope in grant.classes
    ]
