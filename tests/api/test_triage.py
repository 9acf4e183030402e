"""Who comes first through the API: for everybody, without a trace; kept only when asked."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Client
from handoff.core import tokens
from handoff.core.idempotency import IdempotentRequest
from referrals.models import Screening
from tests.api.client import Api
from tests.api.conftest import World
from tests.factories import ClientFactory, ProfessionalFactory
from tests.referrals.test_screenings import HURTS, WELL

pytestmark = pytest.mark.django_db
NOBODY = "00000000-0000-4000-8000-000000000000"


def kept(world: World, **changes: Any) -> dict[str, Any]:
    return {**HURTS, "save_for": str(world.client.pk), **changes}


def test_anybody_gets_advice_with_reasons_and_sources(world: World) -> None:
    for api in (Api(), world.trainer_api, world.client_api):
        answer = api.post("triage/", HURTS)
        assert answer.status_code == 200
        body = answer.json()
        assert (body["level"], body["saved"]) == ("pt", None)
        assert body["title"] == "See a physical therapist first"
        (reason,) = body["reasons"]
        assert (reason["code"], reason["unsure"]) == ("pain", False)
        assert reason["sources"]
        assert (body["taken_on"], body["valid_until"]) == ("2027-01-13", "2028-01-13")
    assert not Screening.objects.exists()


def test_what_is_left_out_is_taken_with_care() -> None:
    body = Api().post("triage/", {}).json()
    assert body["level"] == "medical"
    assert all(each["unsure"] for each in body["reasons"])
    without = {key: value for key, value in WELL.items() if key != "pain"}
    assert Api().post("triage/", without).json()["level"] == "pt"
    assert Api().post("triage/", WELL).json()["level"] == "trainer"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pain": "maybe"}, "pain"),
        ({"goal": "unsure"}, "goal"),
        ({"chest": True}, "chest"),
        ({"mood": "yes"}, "mood"),
        ({"save_for": "me"}, "save_for"),
    ],
)
def test_what_is_wrong_is_said_at_its_key(changes: dict[str, Any], field: str) -> None:
    answer = Api().post("triage/", {**WELL, **changes})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_nothing_is_written_but_the_count_of_tries(world: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        answer = world.client_api.post("triage/", HURTS, headers={"Idempotency-Key": "once"})
    assert answer.status_code == 200
    written = [
        each["sql"]
        for each in queries
        if each["sql"].strip().startswith(("INSERT", "UPDATE", "DELETE"))
    ]
    assert all("core_attempts" in sql or "core_apitoken" in sql for sql in written), written
    assert not IdempotentRequest.objects.exists()


def test_a_client_keeps_reads_ends_and_removes_one(world: World) -> None:
    key = {"Idempotency-Key": "keep-1"}
    made = world.client_api.post("triage/", kept(world), headers=key)
    again = world.client_api.post("triage/", kept(world), headers=key)
    assert made.status_code == again.status_code == 200
    assert made.json()["saved"] == again.json()["saved"]
    row = Screening.objects.get()
    assert made.json()["saved"] == str(row.pk)
    address = f"clients/{world.client.pk}/screenings/"
    (listed,) = world.client_api.get(address).json()["results"]
    assert (listed["id"], listed["level"], listed["valid"]) == (str(row.pk), "pt", True)
    assert [each["code"] for each in listed["reasons"]] == ["pain"]
    assert world.client_api.post(f"screenings/{row.pk}/void/", {}).status_code == 204
    assert world.client_api.post(f"screenings/{row.pk}/void/", {}).status_code == 409
    (listed,) = world.client_api.get(address).json()["results"]
    assert not listed["valid"]
    assert world.client_api.post(f"screenings/{row.pk}/remove/", {}).status_code == 204
    assert world.client_api.get(address).json()["results"] == []


def test_repeated_after_it_was_removed_it_answers_that_it_was_done(world: World) -> None:
    key = {"Idempotency-Key": "keep-2"}
    row = world.client_api.post("triage/", kept(world), headers=key).json()["saved"]
    assert world.client_api.post(f"screenings/{row}/remove/", {}).status_code == 204
    assert world.client_api.post("triage/", kept(world), headers=key).status_code == 204
    assert not Screening.objects.exists()


def test_a_kept_result_has_the_day_of_where_the_client_lives(world: World) -> None:
    Client.objects.filter(pk=world.client.pk).update(time_zone="Pacific/Kiritimati")
    assert world.client_api.post("triage/", HURTS).json()["taken_on"] == "2027-01-13"
    assert world.client_api.post("triage/", kept(world)).json()["taken_on"] == "2027-01-14"
    assert str(Screening.objects.get().taken_on) == "2027-01-14"


def test_nobody_keeps_one_for_somebody_else(world: World) -> None:
    assert Api().post("triage/", kept(world)).status_code == 401
    for api in (world.pt_api, world.trainer_api, Api(ClientFactory.create().user)):
        assert api.post("triage/", kept(world)).status_code == 404
    assert world.client_api.post("triage/", kept(world, save_for=NOBODY)).status_code == 404
    assert not Screening.objects.exists()
    row = world.client_api.post("triage/", kept(world)).json()["saved"]
    for api, status in ((world.trainer_api, 403), (Api(ClientFactory.create().user), 404)):
        assert api.get(f"clients/{world.client.pk}/screenings/").status_code == status
        assert api.post(f"screenings/{row}/void/", {}).status_code == status
        assert api.post(f"screenings/{row}/remove/", {}).status_code == status
    assert Screening.objects.count() == 1


def test_keeping_takes_as_strong_a_sign_in_as_anything_else(world: World) -> None:
    """A client who also works as a trainer, with a token that shows no second factor."""
    assert world.client.user is not None
    ProfessionalFactory.create(user=world.client.user, role="trainer")
    _, weak = tokens.issue(user_id=world.client.user.pk, name="weak")
    bearer = {"Authorization": f"Bearer {weak}"}
    answer = Api().post("triage/", kept(world), headers=bearer)
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("second-factor")
    assert Api().post("triage/", HURTS, headers=bearer).status_code == 200
    assert not Screening.objects.exists()


def test_it_is_not_asked_without_end() -> None:
    for _ in range(60):
        assert Api().post("triage/", WELL).status_code == 200
    assert Api().post("triage/", WELL).status_code == 429
