"""Who acts. Every verb takes an Actor first; nothing reads the request to find out."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self
from uuid import UUID


class Role(StrEnum):
    """What a person is to this product. One person can hold several."""

    CLIENT = "client"
    GUARDIAN = "guardian"
    PT = "pt"
    PTA = "pta"
    TRAINER = "trainer"
    ADMIN = "admin"
    SYSTEM = "system"


PROFESSIONAL_ROLES = frozenset({Role.PT, Role.PTA, Role.TRAINER})


class Channel(StrEnum):
    """On which way a request came in; written into the ledgers."""

    PAGE = "page"
    API = "api"
    PRINT = "print"
    COMMAND = "command"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or the system itself, at the moment of acting.

    `professional_ids` maps each professional role the person holds to that practice row's id.
    Roles say who somebody is, never what is permitted: permission is worked out from
    relationship, consent and credentials at the time of use.
    """

    user_id: UUID | None
    roles: frozenset[Role] = frozenset()
    professionals: tuple[tuple[Role, UUID], ...] = ()
    name: str = ""
    channel: Channel = Channel.PAGE
    request_id: str = ""

    @property
    def professional_ids(self) -> tuple[UUID, ...]:
        return tuple(pk for _, pk in self.professionals)

    def professional_id(self, role: Role) -> UUID | None:
        """The id of this person's professional row in `role`, or None."""
        return next((pk for held, pk in self.professionals if held == role), None)

    @property
    def is_system(self) -> bool:
        return Role.SYSTEM in self.roles

    @property
    def is_professional(self) -> bool:
        return bool(self.roles & PROFESSIONAL_ROLES)

    def through(self, channel: Channel) -> Self:
        """The same actor, coming in through another channel."""
        return replace(self, channel=channel)


SYSTEM = Actor(user_id=None, roles=frozenset({Role.SYSTEM}), name="Handoff", channel=Channel.TASK)
ANONYMOUS = Actor(user_id=None)
