"""The people of the matrix, as plain facts about where each stands towards one client, Ana.

Ana is treated by one therapist at one clinic. Several trainers have, had or await a handoff of
hers. Everything said about anybody below is said towards Ana and her therapist.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Who(StrEnum):
    """Somebody who asks."""

    ANONYMOUS = "anonymous"
    CLIENT = "the client"
    OTHER_CLIENT = "another client"
    AUTHOR = "the therapist who wrote it"
    COLLEAGUE = "a therapist of the same clinic"
    ASSISTANT = "an assistant of the same clinic"
    OTHER_THERAPIST = "a therapist of another clinic"
    TRAINER = "the trainer who accepted"
    PENDING = "a trainer who has not answered"
    EXPIRED = "a trainer whose consent ran out"
    REVOKED = "a trainer with whom sharing was stopped"
    OTHER_PART = "a trainer with whom only another part is shared"
    OTHERS_TRAINER = "the trainer of another client"
    SUSPENDED = "a trainer who has left the gym"
    NO_FACTOR = "a trainer without a second factor in this session"
    CLINIC_ADMIN = "an administrator without permissions"
    STAFF = "an administrator with all permissions"


class Trade(StrEnum):
    """What somebody is, at the moment they ask."""

    CLIENT = "client"
    THERAPIST = "pt"
    ASSISTANT = "pta"
    TRAINER = "trainer"
    ADMIN = "admin"


class Handoff(StrEnum):
    """How far the handoff of Ana to a trainer has come."""

    NONE = "none"
    SENT = "sent"
    ACCEPTED = "accepted"


class Asked(StrEnum):
    """Which question Ana was asked about a trainer."""

    NEVER = "never"
    AS_THE_STATE_SAYS = "as the state says"
    RAN_OUT = "agreed to everything, and it ran out a week ago"
    STOPPED = "agreed to everything, and stopped it"
    CONTACT_ONLY = "agreed to contact alone, and it stands"


@dataclass(frozen=True, slots=True)
class Person:
    """The facts about one actor. What is left out does not connect them with Ana."""

    trades: frozenset[Trade] = field(default_factory=frozenset)
    is_ana: bool = False
    treats: bool = False
    """Is the episode's therapist, or an assistant at the same clinic."""
    handoff: Handoff = Handoff.NONE
    asked: Asked = Asked.NEVER
    has_left: bool = False
    """Signs in, and works nowhere any more."""
    lacks_factor: bool = False
    """Reaches nothing but their own account and the page that asks for the second factor."""


_TRAINER = frozenset({Trade.TRAINER})
_THERAPIST = frozenset({Trade.THERAPIST})

PEOPLE: dict[Who, Person] = {
    Who.ANONYMOUS: Person(),
    Who.CLIENT: Person(frozenset({Trade.CLIENT}), is_ana=True),
    Who.OTHER_CLIENT: Person(frozenset({Trade.CLIENT})),
    Who.AUTHOR: Person(_THERAPIST, treats=True),
    # A colleague does not treat her. Sharing a roof with the therapist is no ground.
    Who.COLLEAGUE: Person(_THERAPIST),
    Who.ASSISTANT: Person(frozenset({Trade.ASSISTANT}), treats=True),
    Who.OTHER_THERAPIST: Person(_THERAPIST),
    Who.TRAINER: Person(_TRAINER, handoff=Handoff.ACCEPTED, asked=Asked.AS_THE_STATE_SAYS),
    Who.PENDING: Person(_TRAINER, handoff=Handoff.SENT, asked=Asked.AS_THE_STATE_SAYS),
    Who.EXPIRED: Person(_TRAINER, handoff=Handoff.ACCEPTED, asked=Asked.RAN_OUT),
    Who.REVOKED: Person(_TRAINER, handoff=Handoff.ACCEPTED, asked=Asked.STOPPED),
    Who.OTHER_PART: Person(_TRAINER, handoff=Handoff.ACCEPTED, asked=Asked.CONTACT_ONLY),
    Who.OTHERS_TRAINER: Person(_TRAINER),
    Who.SUSPENDED: Person(handoff=Handoff.ACCEPTED, asked=Asked.AS_THE_STATE_SAYS, has_left=True),
    Who.NO_FACTOR: Person(
        _TRAINER, handoff=Handoff.ACCEPTED, asked=Asked.AS_THE_STATE_SAYS, lacks_factor=True
    ),
    # The product knows no administrator of a single clinic: whoever runs one has an account that
    # opens the administration and none of its tables.
    Who.CLINIC_ADMIN: Person(frozenset({Trade.ADMIN})),
    Who.STAFF: Person(frozenset({Trade.ADMIN})),
}
