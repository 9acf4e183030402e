"""Clients: who sees whom in a list, what is written down about them, and inviting."""

from typing import Any

import pytest
from django.core import mail

from clients.models import Client, Invitation
from clients.scopes import Scope
from referrals.states import State
from tests.api.client import Api
from tests.api.conftest import World
from tests.api.test_main_job import ok
from tests.factories import ClientFactory, GuardianshipFactory

NEW: dict[str, Any] = {
    "first_name": "Ana",
    "last_name": "Duarte",
    "birth_date": "1994-03-08",
    "email": "ana@example.org",
    "state": "NY",
}


def names(api: Api, query: str = "") -> list[str]:
    return [each["name"] for each in ok(api.get(f"clients/{query}"))["results"]]


def test_a_list_holds_whom_i_treat_took_on_am_or_act_for(world: World) -> None:
    name = world.client.name
    assert names(world.pt_api) == names(world.pta_api) == [name]
    assert names(world.client_api) == [name]
    assert names(world.stranger_api) == [world.stranger.name]
    assert names(world.other_pt_api) == names(world.trainer_api) == []
    world.share(Scope.CLEARANCE, state=State.SENT)
    assert names(world.trainer_api) == []
    world.referral.state = State.ACCEPTED
    world.referral.save()
    assert names(world.trainer_api) == [name]


def test_what_is_written_down_is_not_for_the_trainer(world: World) -> None:
    world.share(*Scope)
    address = f"clients/{world.client.pk}/"
    as_trainer = ok(world.trainer_api.get(address))
    assert (as_trainer["standpoint"], as_trainer["details"]) == ("trainer", None)
    as_pt = ok(world.pt_api.get(address))
    assert as_pt["standpoint"] == "pt"
    assert as_pt["details"]["birth_date"] == "1990-05-04"
    as_self = ok(world.client_api.get(address))
    assert (as_self["standpoint"], as_self["details"]["has_account"]) == ("client", True)


def test_a_guardian_finds_the_minor_they_act_for(world: World) -> None:
    guardianship = GuardianshipFactory.create()
    api = Api(guardianship.user)
    found = ok(api.get("clients/"))["results"]
    assert [(each["id"], each["standpoint"]) for each in found] == [
        (str(guardianship.client_id), "guardian")
    ]
    refused = api.patch(f"clients/{guardianship.client_id}/", {"phone": "555-0199"})
    assert refused.status_code == 403
    unverified = GuardianshipFactory.create(unverified=True)
    assert names(Api(unverified.user)) == []


def test_filters(world: World) -> None:
    ClientFactory.create(first_name="Zoe", last_name="Quill", created_by=world.pt)
    assert names(world.pt_api, "?q=zoe") == ["Zoe Quill"]
    assert names(world.pt_api, "?q=zoe%20quill") == ["Zoe Quill"]
    assert names(world.pt_api, "?q=zoe%20family") == []
    assert names(world.pt_api, "?standpoint=trainer") == []
    assert len(names(world.pt_api, "?standpoint=pt")) == 2
    assert names(world.client_api, "?standpoint=client") == [world.client.name]
    assert names(world.client_api, "?standpoint=guardian") == []


def test_pages_lead_on_and_back(world: World) -> None:
    for number in range(5):
        ClientFactory.create(last_name=f"Page{number}", created_by=world.pt)
    first = ok(world.pt_api.get("clients/?page_size=4"))
    assert (len(first["results"]), first["previous"]) == (4, None)
    second = ok(world.pt_api.get(first["next"].removeprefix("http://testserver")))
    assert (len(second["results"]), second["next"]) == (2, None)
    back = ok(world.pt_api.get(second["previous"].removeprefix("http://testserver")))
    assert back["results"] == first["results"]
    # What the cursor holds is not to be read in an address.
    assert "Page" not in first["next"]


def test_a_pt_invites_and_the_link_is_in_the_mail_only(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        made = ok(world.pt_api.post("clients/", NEW), 201)
    assert (made["name"], made["details"]["has_account"]) == ("Ana Duarte", False)
    assert [message.to for message in mail.outbox] == [["ana@example.org"]]
    links = ok(world.pt_api.get(f"clients/{made['id']}/invitations/"))["results"]
    assert [(each["kind"], each["used_at"]) for each in links] == [("client", None)]
    again = world.pt_api.post("clients/", NEW)
    assert again.status_code == 400
    assert "email" in again.json()["errors"]


def test_inviting_a_known_address_tells_nothing(world: World) -> None:
    unknown = world.pt_api.post("clients/", NEW)
    known = world.pt_api.post("clients/", {**NEW, "email": world.stranger_api.account.email})
    assert (unknown.status_code, known.status_code) == (201, 201)
    assert {*unknown.json()} == {*known.json()}
    assert known.json()["details"]["has_account"] is False


def test_invalid_people_are_refused_by_field(world: World) -> None:
    body = {**NEW, "birth_date": "2030-01-01", "email": "nonsense"}
    found = world.pt_api.post("clients/", body)
    assert found.status_code == 400
    assert "email" in found.json()["errors"] or "birth_date" in found.json()["errors"]
    assert world.pt_api.post("clients/", {**NEW, "state": "XX"}).json()["errors"].keys() == {
        "state"
    }


@pytest.mark.parametrize("who", ["trainer_api", "client_api", "stranger_api"])
def test_only_therapists_invite(world: World, who: str) -> None:
    assert getattr(world, who).post("clients/", NEW).status_code == 403


def test_links_are_sent_again_and_ended(world: World) -> None:
    made = ok(world.pt_api.post("clients/", NEW), 201)
    address = f"clients/{made['id']}/invitations/"
    second = ok(world.pt_api.post(address, {"kind": "client", "email": "ana2@example.org"}), 201)
    states = {
        each["id"]: each["cancelled_at"] is None
        for each in ok(world.pt_api.get(address))["results"]
    }
    assert states.pop(second["id"]) is True
    assert list(states.values()) == [False]
    ended = ok(world.pt_api.post(f"{address}{second['id']}/cancel/"))
    assert ended["cancelled_at"]
    assert world.other_pt_api.get(address).status_code == 404
    assert world.other_pt_api.post(f"{address}{second['id']}/cancel/").status_code == 404
    elsewhere = f"clients/{world.client.pk}/invitations/{second['id']}/cancel/"
    assert world.pt_api.post(elsewhere).status_code == 404


def test_a_minors_guardian_is_invited(world: World) -> None:
    made = ok(world.pt_api.post("clients/", {**NEW, "birth_date": "2011-06-01"}), 201)
    body = {"kind": "guardian", "email": "mother@example.org", "relationship": "parent"}
    sent = ok(world.pt_api.post(f"clients/{made['id']}/invitations/", body), 201)
    assert Invitation.objects.get(pk=sent["id"]).relationship == "parent"
    del body["relationship"]
    refused = world.pt_api.post(f"clients/{made['id']}/invitations/", body)
    assert list(refused.json()["errors"]) == ["relationship"]


def test_my_own_details_are_mine_to_change(world: World) -> None:
    address = f"clients/{world.client.pk}/"
    body = {"phone": "555-0177", "time_zone": "America/Chicago"}
    changed = ok(world.client_api.patch(address, body))
    assert changed["details"]["phone"] == "555-0177"
    assert changed["details"]["time_zone"] == "America/Chicago"
    for fixed in ({"birth_date": "2000-01-01"}, {"email": "x@example.org"}, {"state": "MS"}):
        assert world.client_api.patch(address, fixed).status_code == 400
    assert world.pt_api.patch(address, {"first_name": "X"}).status_code == 409
    assert world.pt_api.patch(address, {"phone": "1"}).status_code == 403
    world.share(*Scope)
    assert world.trainer_api.patch(address, {"phone": "1"}).status_code == 403
    assert world.stranger_api.patch(address, {"phone": "1"}).status_code == 404
    world.client.refresh_from_db()
    assert (world.client.first_name, world.client.phone) != ("X", "1")


def test_a_pt_corrects_what_they_wrote_before_the_client_comes(world: World) -> None:
    made = ok(world.pt_api.post("clients/", NEW), 201)
    address = f"clients/{made['id']}/"
    changed = ok(world.pt_api.patch(address, {"birth_date": "1994-08-03"}))
    assert changed["details"]["birth_date"] == "1994-08-03"
    assert Client.objects.get(pk=made["id"]).last_name == "Duarte"
