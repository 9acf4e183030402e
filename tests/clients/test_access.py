"""Who a signed-in person is, and which rows of people they may have."""

import pytest

from clients import access
from clients.models import Professional
from handoff.core.actors import ANONYMOUS
from handoff.core.errors import NotVisible
from tests.factories import (
    NOON,
    ClientFactory,
    GuardianshipFactory,
    ProfessionalFactory,
    UserFactory,
    acting,
)

pytestmark = pytest.mark.django_db


def test_nobody_has_no_clients_and_waits_for_no_verification() -> None:
    GuardianshipFactory.create(verified_at=None, verified_by=None)
    assert access.own_clients(ANONYMOUS) == []
    assert access.pending_authorities(ANONYMOUS) == 0


def test_an_own_client_is_found_and_any_other_is_not_visible() -> None:
    client, other = ClientFactory.create(), ClientFactory.create()
    assert access.own_client(acting(client), client.pk, NOON) == client
    with pytest.raises(NotVisible):
        access.own_client(acting(client), other.pk, NOON)


def test_a_professional_row_is_found_in_the_role_asked_for_alone() -> None:
    trainer = ProfessionalFactory.create(trainer=True)
    actor = acting(trainer)
    assert access.professional_of(actor, Professional.Role.TRAINER) == trainer
    for stranger, role in (
        (actor, Professional.Role.PT),
        (acting(UserFactory.create()), "trainer"),
    ):
        with pytest.raises(NotVisible):
            access.professional_of(stranger, role)


def test_a_professional_who_left_has_no_row_although_the_actor_is_older() -> None:
    trainer = ProfessionalFactory.create(trainer=True)
    actor = acting(trainer)
    trainer.left_at = NOON
    trainer.save()
    with pytest.raises(NotVisible):
        access.professional_of(actor, Professional.Role.TRAINER)
