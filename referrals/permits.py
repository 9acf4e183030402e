"""Pure: which classes of whose content a person may read about one client.

Three grounds exist and no other: it is one's own record (or one acts for its owner), one treats
the client, or the client agreed and a referral was accepted. No ground means nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from clients.scopes import Scope


class Standpoint(StrEnum):
    """The ground that weighs most; written into the access ledger as the viewer's role."""

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
    receives = False
    for grant in grounds.grants:
        pair = (grant.discloser_id, grant.recipient_id)
        if grant.recipient_id in grounds.own_ids and pair in grounds.accepted_from:
            receives = True
            for scope in grant.classes:
                # The one class that flows back: a recipient reads what they reported themselves.
                back = scope is Scope.TRAINING_FEEDBACK
                source = grant.recipient_id if back else grant.discloser_id
                sources.setdefault(scope, set()).add(source)
                consents.add(grant.consent_id)
        if (
            Scope.TRAINING_FEEDBACK in grant.classes
            and grant.discloser_id in grounds.treats_as
            and pair in grounds.accepted_from
        ):
            sources.setdefault(Scope.TRAINING_FEEDBACK, set()).add(grant.recipient_id)
            consents.add(grant.consent_id)
    if grounds.treats_as:
        standpoint = Standpoint.TREATING
    elif receives or _took_on(grounds):
        standpoint = Standpoint.RECIPIENT
    else:
        standpoint = Standpoint.NONE
    return Permit(
        standpoint,
        False,
        MappingProxyType({scope: frozenset(ids) for scope, ids in sources.items()}),
        frozenset(consents),
    )


def _took_on(grounds: Grounds) -> bool:
    """The viewer accepted a referral: they may know that the client exists, shared or not."""
    return any(recipient in grounds.own_ids for _, recipient in grounds.accepted_from)
