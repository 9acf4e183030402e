"""Every refusal is `application/problem+json`, with the right number and the fields by name."""

import json
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.db import connection
from rest_framework.exceptions import ValidationError

from handoff.api.problems import MEDIA_TYPE, TITLES, answer_to, by_field
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from tests.api.client import Api
from tests.api.conftest import World
from tests.factories import UserFactory


def problem(response: Any, status: int, kind: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["type"].endswith(f"/api/v1/docs/#{kind}")
    assert body["title"] == TITLES[kind]
    assert body["detail"]
    assert response["Cache-Control"] == "no-store, private"
    return body


@pytest.fixture
def api(db: None) -> Api:
    return Api(UserFactory.create())


def raw(api: Api, text: bytes | str, address: str = "tokens/") -> Any:
    return api.generic("POST", address, text, content_type="application/json")


def test_unknown_keys_are_named(world: World) -> None:
    body = {"client": str(world.client.pk), "conditon": "x", "secret": 1}
    found = problem(world.pt_api.post("episodes/", body), 400, "invalid")
    assert found["errors"]["conditon"] == ["There is no such entry."]
    assert found["errors"]["secret"] == ["There is no such entry."]
    assert "condition" in found["errors"]  # what is missing is named in the same answer


def test_unknown_keys_deep_in_a_body_are_named_with_their_place(world: World) -> None:
    body = {
        **{"episode": str(world.episode.pk), "kind": "avoid", "severity": "must_not"},
        **{"body_region": "shoulder", "laterality": "right", "review_on": "2027-03-01"},
        "criteria": [{"kind": "pt_review"}, {"colour": "red"}],
    }
    found = problem(world.pt_api.post("restrictions/", body), 400, "invalid")
    assert found["errors"] == {"criteria.1.colour": ["There is no such entry."]}


def test_unknown_parameters_are_named_and_do_not_widen_a_list(world: World) -> None:
    found = problem(world.pt_api.get(f"episodes/?cliend={world.client.pk}"), 400, "invalid")
    assert list(found["errors"]) == ["cliend"]


BAD_PARAMETERS = (
    *("page_size=0", "page_size=101", "page_size=x", "status=asleep"),
    *("client=7", "cursor=nonsense", "client=%00"),
)


@pytest.mark.parametrize("parameter", BAD_PARAMETERS)
def test_bad_parameters_are_refused(world: World, parameter: str) -> None:
    problem(world.pt_api.get(f"episodes/?{parameter}"), 400, "invalid")


NO_JSON: dict[str, bytes | str] = {
    "cut": "{",
    "nan": '{"name": NaN}',
    "infinity": '{"name": Infinity}',
    "a key twice": '{"a": 1, "a": 2}',
    "not utf-8": b"\xff\xfe",
    "deep": "[" * 100_000,
    "long number": "1" * 5000,
}


@pytest.mark.parametrize("text", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_refused(api: Api, text: bytes | str) -> None:
    problem(raw(api, text), 400, "malformed")


def test_no_body_is_an_empty_one(api: Api) -> None:
    found = problem(raw(api, ""), 400, "invalid")
    assert set(found["errors"]) == {"email", "password"}


@pytest.mark.parametrize("text", ["[]", "1", "null", '"x"', "true"])
def test_a_body_must_be_an_object(api: Api, text: str) -> None:
    problem(raw(api, text), 400, "malformed")


def test_a_body_too_large_is_refused(api: Api) -> None:
    problem(raw(api, json.dumps({"email": "x" * 1_000_001})), 413, "too-large")


def test_other_media_types_are_refused(api: Api) -> None:
    sent = api.generic("POST", "tokens/", "a=1", content_type="application/x-www-form-urlencoded")
    problem(sent, 415, "media-type")
    problem(api.get("me/", headers={"Accept": "text/html"}), 406, "not-acceptable")


def test_unknown_addresses_and_methods(api: Api) -> None:
    problem(api.get("nothing/"), 404, "not-found")
    problem(api.get("restrictions/%0A/history/"), 404, "not-found")
    problem(api.post("me"), 404, "not-found")
    problem(api.post("me/"), 405, "method")
    problem(api.options("me/"), 405, "method")
    problem(api.put("me/"), 405, "method")


def test_nobody_is_asked_to_sign_in(db: None) -> None:
    refused = Api().get("me/")
    problem(refused, 401, "unauthenticated")
    assert refused["WWW-Authenticate"] == 'Bearer realm="handoff"'


def test_a_door_that_is_not_for_me_says_for_whom_it_is(world: World) -> None:
    found = problem(world.trainer_api.get("episodes/"), 403, "not-allowed")
    assert found["detail"] == "This is for physical therapists."
    problem(world.trainer_api.post("clients/", {}), 403, "not-allowed")
    problem(world.pt_api.get("access-log/"), 403, "not-allowed")


def test_text_no_database_can_hold_is_refused_by_field(world: World) -> None:
    for bad in ("a\x00b", "a\ud800b"):
        text = json.dumps({"condition": bad})
        address = f"episodes/{world.episode.pk}/"
        sent = world.pt_api.generic("PATCH", address, text, content_type="application/json")
        found = problem(sent, 400, "invalid")
        assert list(found["errors"]) == ["condition"]


def test_domain_errors_keep_their_number(world: World) -> None:
    pt = world.pt_api
    episode = f"episodes/{world.episode.pk}/"
    found = problem(pt.patch(episode, {"surgery_on": "2027-12-01"}), 400, "invalid")
    assert "surgery_on" in found["errors"]
    problem(world.other_pt_api.patch(episode, {"surgery": "x"}), 404, "not-found")
    problem(world.pta_api.patch(episode, {"surgery": "x"}), 403, "not-allowed")
    world.signed()
    problem(pt.patch(episode, {"surgery": "x"}), 409, "stale")


def test_the_four_errors_of_the_domain_are_all_there_are() -> None:
    assert {each.__name__ for each in (NotVisible, NotAllowed, Stale, Invalid)} == {
        each.__name__ for each in Invalid.__mro__[1].__subclasses__() if "core" in each.__module__
    }


@pytest.mark.django_db(transaction=True)
def test_when_the_ledger_cannot_be_written_nothing_is_shown() -> None:
    """Fail closed: the very same read, once with the ledger in reach and once without."""
    world = World()
    address = f"episodes/{world.episode.pk}/"
    assert world.pt_api.get(address).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE clients_accessentry RENAME TO clients_accessentry_away")
    try:
        refused = world.pt_api.get(address)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE clients_accessentry_away RENAME TO clients_accessentry")
    found = problem(refused, 503, "unavailable")
    assert world.episode.condition not in json.dumps(found)
    assert refused["Retry-After"] == "2"
    assert world.pt_api.get(address).status_code == 200


def test_a_failure_of_ours_is_a_problem_too_and_tells_nothing() -> None:
    heard: list[Any] = []

    def listen(**facts: Any) -> None:
        heard.append(facts)

    got_request_exception.connect(listen, dispatch_uid="test")
    try:
        failed = answer_to(RuntimeError("canary of a message"), {})
    finally:
        got_request_exception.disconnect(dispatch_uid="test")
    assert (failed.status_code, failed.content_type) == (500, MEDIA_TYPE)
    assert "canary" not in str(failed.data)
    assert heard  # Django's own listeners learn of it


def test_complaints_come_out_flat() -> None:
    nested = ValidationError(
        {
            "goals": {"0": {"text": ["a"]}, "2": {"non_field_errors": ["b"]}},
            "non_field_errors": ["c"],
        }
    )
    assert by_field(nested.detail) == {"goals.0.text": ["a"], "goals.2": ["b"], "": ["c"]}
    assert by_field(ValidationError(["d"]).detail) == {"": ["d"]}
    assert by_field(ValidationError({"list": [["e"], {"x": ["f"]}]}).detail) == {
        "list.0": ["e"],
        "list.1.x": ["f"],
    }
