"""Whether a sign-in is strong enough for what is asked. Decides on plain values; reads nothing.

Judged is the session or token at hand: that the account has a second factor somewhere says
nothing about whoever holds this one.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final, assert_never

from handoff.core.actors import PROFESSIONAL_ROLES, Role

DEMANDED_OF: Final = PROFESSIONAL_ROLES | {Role.ADMIN}

SECOND_FACTORS: Final = frozenset({"totp", "webauthn", "recovery_codes"})
"""What counts beside the password; the names are allauth's."""


class Place(StrEnum):
    """What kind of thing is asked for."""

    PUBLIC = "public"
    """Open to everybody, also without an account."""
    WAY_OUT = "way_out"
    """Signing out, and proving a factor that the account has."""
    OWN_ACCOUNT = "own_account"
    """One's own details, devices, password and factors."""
    REST = "rest"
    """Everything else: clients, lists, the administration."""


class Way(StrEnum):
    """What is done about a request."""

    OPEN = "open"
    ENROL = "enrol"
    """The account has no second factor: set one up first."""
    PROVE = "prove"
    """The account has one and this session has not shown it."""


def is_demanded(roles: Collection[Role]) -> bool:
    """Whether these roles see others' records, or look after those who do."""
    return bool(DEMANDED_OF.intersection(roles))


def is_assured(*, roles: Collection[Role], factors: Collection[str], demo: bool) -> bool:
    """Whether a session or token with these `factors` may pass as somebody with these `roles`."""
    return demo or not is_demanded(roles) or bool(SECOND_FACTORS.intersection(factors))


def way(*, place: Place, assured: bool, account_has_factor: bool) -> Way:
    """What becomes of a request for `place`.

    Where the account has a factor, a session without it changes nothing about the account either:
    else whoever holds the password alone could add a factor of their own.
    """
    if assured:
        return Way.OPEN
    match place:
        case Place.PUBLIC | Place.WAY_OUT:
            return Way.OPEN
        case Place.OWN_ACCOUNT:
            return Way.PROVE if account_has_factor else Way.OPEN
        case Place.REST:
            return Way.PROVE if account_has_factor else Way.ENROL
        case _:  # pragma: no cover  # mypy proves that no place is left over
            assert_never(place)
