"""How long a sign-in lasts, to the second. No database."""

from datetime import timedelta

import pytest

from clients.session_limits import OWN_RECORD, STRICT, Ended, Limits, ended, limits_for
from handoff.core.actors import Role
from tests.factories import NOON

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("role", [Role.PT, Role.PTA, Role.TRAINER, Role.ADMIN])
def test_whoever_sees_others_is_held_short(role: Role) -> None:
    limits = limits_for({role, Role.CLIENT})
    assert (limits.idle, limits.absolute) == (timedelta(minutes=30), timedelta(hours=12))
    assert limits.at_once == 3


@pytest.mark.parametrize("roles", [{Role.CLIENT}, {Role.GUARDIAN}, set()])
def test_others_have_a_day_and_a_month(roles: set[Role]) -> None:
    limits = limits_for(roles)
    assert (limits.idle, limits.absolute) == (timedelta(hours=24), timedelta(days=30))
    assert limits.at_once is None


@pytest.mark.parametrize("limits", [STRICT, OWN_RECORD], ids=["strict", "own record"])
def test_it_ends_to_the_second(limits: Limits) -> None:
    def at(idle: timedelta, age: timedelta) -> Ended | None:
        return ended(limits, began=NOON - age, used=NOON - idle, at=NOON)

    assert at(limits.idle - SECOND, limits.absolute - SECOND) is None
    assert at(limits.idle, limits.idle) is Ended.IDLE
    assert at(timedelta(0), limits.absolute) is Ended.OLD
    assert at(limits.idle, limits.absolute) is Ended.OLD
