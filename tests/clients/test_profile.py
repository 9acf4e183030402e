"""One's own details, and what one cannot move by them."""

import pytest

from clients import profile
from clients.models import Client
from handoff.core.actors import ANONYMOUS
from handoff.core.errors import Invalid, NotVisible
from tests.factories import NOON, ClientFactory, ProfessionalFactory, acting

pytestmark = pytest.mark.django_db
DENVER = "America/Denver"


def test_a_client_changes_account_and_record() -> None:
    client = ClientFactory.create()
    changes = {"first_name": " Robin ", "time_zone": DENVER, "phone": "555-0142"}
    user = profile.change(actor=acting(client), changes=changes, at=NOON)
    client.refresh_from_db()
    assert (user.first_name, user.time_zone) == ("Robin", DENVER)
    assert (client.first_name, client.time_zone, client.phone) == ("Robin", DENVER, "555-0142")


def test_a_minor_does_not_move_the_hour_at_which_they_come_of_age() -> None:
    minor = ClientFactory.create(minor=True)
    before = minor.time_zone
    user = profile.change(actor=acting(minor), changes={"time_zone": DENVER}, at=NOON)
    assert user.time_zone == DENVER
    assert Client.objects.get(pk=minor.pk).time_zone == before


def test_a_professional_has_no_phone_here_and_nobody_an_address() -> None:
    pt = ProfessionalFactory.create()
    for field in ("phone", "email"):
        with pytest.raises(Invalid) as refused:
            profile.change(actor=acting(pt), changes={field: "1"}, at=NOON)
        assert list(refused.value.errors) == [field]
    with pytest.raises(NotVisible):
        profile.change(actor=ANONYMOUS, changes={}, at=NOON)
