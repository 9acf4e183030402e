"""Who must show a second factor, and what is open to somebody who has not. No database."""

import itertools

import pytest

from clients import assurance
from clients.assurance import Place, Way
from handoff.core.actors import Role

ROLES = [
    *((Role.PT, True), (Role.PTA, True), (Role.TRAINER, True), (Role.ADMIN, True)),
    *((Role.CLIENT, False), (Role.GUARDIAN, False)),
]


@pytest.mark.parametrize(("role", "demanded"), ROLES)
def test_it_is_demanded_of_those_who_see_others(role: Role, demanded: bool) -> None:
    assert assurance.is_demanded({role}) is demanded
    assert assurance.is_assured(roles={role}, factors=(), demo=False) is not demanded


def test_one_role_that_demands_it_is_enough() -> None:
    assert not assurance.is_assured(
        roles={Role.CLIENT, Role.TRAINER, Role.GUARDIAN}, factors=(), demo=False
    )


@pytest.mark.parametrize("factor", ["totp", "webauthn", "recovery_codes"])
def test_each_second_factor_counts(factor: str) -> None:
    assert assurance.is_assured(roles={Role.PT}, factors={factor}, demo=False)


@pytest.mark.parametrize("factor", ["", "password", "None", "sms", "TOTP"])
def test_nothing_else_counts(factor: str) -> None:
    assert not assurance.is_assured(roles={Role.PT}, factors={factor}, demo=False)


@pytest.mark.parametrize("role", [role for role, _ in ROLES])
def test_a_demo_asks_nobody(role: Role) -> None:
    assert assurance.is_assured(roles={role}, factors=(), demo=True)


def test_nobody_has_no_role_to_demand_it_of() -> None:
    assert assurance.is_assured(roles=(), factors=(), demo=False)


WAYS = {
    # place, the account has a factor: what becomes of somebody who has not shown one
    (Place.PUBLIC, False): Way.OPEN,
    (Place.PUBLIC, True): Way.OPEN,
    (Place.WAY_OUT, False): Way.OPEN,
    (Place.WAY_OUT, True): Way.OPEN,
    (Place.OWN_ACCOUNT, False): Way.OPEN,
    (Place.OWN_ACCOUNT, True): Way.PROVE,
    (Place.REST, False): Way.ENROL,
    (Place.REST, True): Way.PROVE,
}


@pytest.mark.parametrize(("place", "has"), list(itertools.product(Place, (False, True))))
def test_what_is_open_without_it(place: Place, has: bool) -> None:
    found = assurance.way(place=place, assured=False, account_has_factor=has)
    assert found is WAYS[place, has]


@pytest.mark.parametrize(("place", "has"), list(itertools.product(Place, (False, True))))
def test_with_it_everything_is_open(place: Place, has: bool) -> None:
    assert assurance.way(place=place, assured=True, account_has_factor=has) is Way.OPEN
