"""Which people a route is for. Declared on every page and API view; a route without is an error.

A policy only opens the door of the route: which rows and which content somebody may see there is
decided by `access` and `disclosure`.
"""

from enum import StrEnum

from handoff.core.actors import PROFESSIONAL_ROLES, Actor, Role


class Policy(StrEnum):
    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    PROFESSIONAL = "professional"
    PT = "pt"
    TRAINER = "trainer"
    CLIENT = "client"
    STAFF = "staff"

    def admits(self, actor: Actor) -> bool:
        """Whether a route under this policy is open to the actor at all."""
        if self is Policy.PUBLIC:
            return True
        if actor.user_id is None:
            return False
        if self is Policy.SIGNED_IN:
            return True
        return bool(actor.roles & _ROLES[self])


_ROLES: dict[Policy, frozenset[Role]] = {
    Policy.PROFESSIONAL: PROFESSIONAL_ROLES,
    Policy.PT: frozenset({Role.PT, Role.PTA}),
    Policy.TRAINER: frozenset({Role.TRAINER}),
    Policy.CLIENT: frozenset({Role.CLIENT, Role.GUARDIAN}),
    Policy.STAFF: frozenset({Role.ADMIN}),
}
