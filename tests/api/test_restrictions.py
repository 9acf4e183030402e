"""Restrictions through the API: drafts, signed versions, acknowledgements, and who reads them."""

from typing import Any

import time_machine

from clients.scopes import Scope
from referrals.models import Restriction
from tests.api.client import Api
from tests.api.conftest import World
from tests.api.test_main_job import AVOID, LIMIT, ok
from tests.factories import NOON


def listed(world: World, query: str = "", api: Any = None) -> list[dict[str, Any]]:
    query = query or f"client={world.client.pk}"
    found: list[dict[str, Any]] = ok((api or world.pt_api).get(f"restrictions/?{query}"))["results"]
    return found


def test_a_draft_is_listed_changed_and_taken_off(world: World) -> None:
    episode = str(world.episode.pk)
    made = ok(world.pta_api.post("restrictions/", {"episode": episode, **LIMIT}), 201)
    assert (made["status"], made["set_by"], made["value"]) == ("draft", None, 12.5)
    assert made["criteria"] == [
        {"kind": "test", "measure": "Row", "comparator": "ge", "value": 20}
        | {"unit": "kg", "side": None}
    ]
    address = f"restrictions/{made['id']}/"
    changed = ok(world.pt_api.patch(address, {"value": 10, "rationale": "Young repair."}))
    assert (changed["value"], changed["unit"]) == (10, "kg")
    assert changed["drafting"]["rationale"] == "Young repair."
    assert ok(world.pt_api.get(address)) == changed
    assert listed(world, f"episode={episode}&status=draft") == [changed]
    assert listed(world) == []  # in force for nobody
    assert world.pt_api.delete(address).status_code == 204
    assert not Restriction.objects.exists()
    assert world.pt_api.get(address).status_code == 404


def test_rules_of_restrictions_come_back_by_field(world: World) -> None:
    episode = str(world.episode.pk)
    refused = world.pt_api.post("restrictions/", {"episode": episode, **LIMIT, "unit": "deg"})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["unit"])
    body = {"episode": episode, **AVOID, "kind": "never"}
    assert list(world.pt_api.post("restrictions/", body).json()["errors"]) == ["kind"]
    late = {"episode": episode, **AVOID, "review_on": "2026-01-01"}
    assert list(world.pt_api.post("restrictions/", late).json()["errors"]) == ["review_on"]


def test_a_draft_is_nobody_elses(world: World) -> None:
    episode = str(world.episode.pk)
    world.share(*Scope)
    made = ok(world.pt_api.post("restrictions/", {"episode": episode, **AVOID}), 201)
    address = f"restrictions/{made['id']}/"
    for api in (world.client_api, world.trainer_api, world.other_pt_api):
        assert api.get(address).status_code == 404
        assert api.patch(address, {"instead": "x"}).status_code in (403, 404)
        assert api.delete(address).status_code in (403, 404)
    assert listed(world, f"episode={episode}", world.client_api) == []


def test_the_contracts_keys_are_all_there(world: World) -> None:
    world.signed()
    found = listed(world)[0]
    promised = {
        *("id", "client", "episode", "kind", "severity", "body_region", "laterality", "patterns"),
        *("joint_action", "comparator", "value", "value_high", "unit", "wording", "instead"),
        *("criteria", "review_on", "review_overdue", "version", "status", "set_by", "set_on"),
        "acknowledged_on",
    }
    assert promised <= {*found}
    assert {"measure", "comparator", "value", "unit", "side"} <= {*found["criteria"][0]}
    assert (found["set_by"], found["set_on"]) == (world.pt.name, "2027-01-13")


def test_a_signed_one_changes_by_versions_only(world: World) -> None:
    world.signed()
    world.share(Scope.RESTRICTIONS)
    restriction = world.restriction("limit_load")
    address = f"restrictions/{restriction.pk}/"
    assert world.pt_api.patch(address, {"value": 5}).status_code == 409
    assert world.pt_api.delete(address).status_code == 409
    refused = world.pt_api.post(f"{address}revise/", {"value": 15})
    assert list(refused.json()["errors"]) == ["reason"]
    body = {"value": 15, "reason": "Stronger.", "version": 1}
    revised = ok(world.pt_api.post(f"{address}revise/", body))
    assert (revised["version"], revised["value"], revised["status"]) == (2, 15, "active")
    assert world.pt_api.post(f"{address}revise/", body).status_code == 409
    lifted = ok(world.pt_api.post(f"{address}lift/", {"reason": "Row 20 kg."}))
    assert (lifted["version"], lifted["status"]) == (3, "lifted")
    assert world.pt_api.post(f"{address}lift/", {"reason": "Again."}).status_code == 409
    assert [each["id"] for each in listed(world)] == [str(world.restriction("avoid").pk)]
    assert len(listed(world, f"episode={world.episode.pk}")) == 2
    history = ok(world.pt_api.get(f"{address}history/"))["results"]
    assert [(each["version"], each["change_reason"]) for each in history] == [
        (3, "Row 20 kg."),
        (2, "Stronger."),
        (1, ""),
    ]
    as_trainer = ok(world.trainer_api.get(f"{address}history/"))["results"]
    assert [each["value"] for each in as_trainer] == [15, 15, 10]
    assert {each["change_reason"] for each in as_trainer} == {None}


def test_after_the_signature_a_new_one_needs_a_reason(world: World) -> None:
    world.signed()
    body = {"episode": str(world.episode.pk), **LIMIT, "patterns": ["hang"]}
    assert world.pt_api.post("restrictions/", body).status_code == 409
    made = ok(world.pt_api.post("restrictions/", {**body, "reason": "New finding."}), 201)
    assert (made["status"], made["version"]) == ("active", 1)


def test_only_the_treating_therapist_changes_one(world: World) -> None:
    world.signed()
    world.share(*Scope)
    address = f"restrictions/{world.restriction().pk}/"
    for verb, body in (("lift", {"reason": "x"}), ("revise", {"reason": "x", "value": 1})):
        for api in (world.trainer_api, world.client_api, world.pta_api):
            assert api.post(f"{address}{verb}/", body).status_code == 403
        assert world.other_pt_api.post(f"{address}{verb}/", body).status_code == 404
    assert ok(world.pt_api.get(address))["version"] == 1


def test_a_trainer_acknowledges_what_rules_and_asks(world: World) -> None:
    world.signed()
    world.share(Scope.RESTRICTIONS)
    restriction = world.restriction("limit_load")
    address = f"restrictions/{restriction.pk}/"
    assert ok(world.trainer_api.get(address))["acknowledged_on"] is None
    read = ok(world.trainer_api.post(f"{address}acknowledge/", {"version": 1}))
    assert read["acknowledged_on"] == "2027-01-13"
    ok(world.pt_api.post(f"{address}revise/", {"value": 8, "reason": "Sore."}))
    assert ok(world.trainer_api.get(address))["acknowledged_on"] is None
    stale = world.trainer_api.post(f"{address}acknowledge/", {"version": 1})
    assert stale.status_code == 409
    assert world.pt_api.post(f"{address}acknowledge/", {"version": 2}).status_code == 403
    asked = ok(world.trainer_api.post(f"{address}request-lift/", {"text": "Row 25 kg."}))
    assert (asked["status"], asked["value"]) == ("active", 8)
    thread = ok(world.pt_api.get(f"referrals/{world.referral.pk}/messages/"))["results"]
    assert "Row 25 kg." in thread[0]["text"]


def test_past_its_review_it_stays_in_force(world: World, noon: time_machine.Traveller) -> None:
    world.signed()
    world.share(Scope.RESTRICTIONS)
    assert {each["review_overdue"] for each in listed(world)} == {False}
    noon.move_to(NOON.replace(month=3, day=2))
    found = listed(world, api=Api(world.trainer))  # with a new token
    assert [(each["status"], each["review_overdue"]) for each in found] == [("active", True)] * 2


def test_what_is_not_shared_is_said_and_not_empty(world: World) -> None:
    world.signed()
    world.share(Scope.CLEARANCE)
    address = f"restrictions/{world.restriction().pk}/"
    refused = world.trainer_api.get(f"restrictions/?client={world.client.pk}")
    assert refused.status_code == 403
    assert refused.json()["withheld"] == "restrictions"
    assert refused.json()["type"].endswith("#not-shared")
    for one in (address, f"{address}history/", f"restrictions/?episode={world.episode.pk}"):
        assert world.trainer_api.get(one).status_code == 404
    assert world.trainer_api.post(f"{address}acknowledge/", {"version": 1}).status_code == 404
    assert world.trainer_api.post(f"{address}request-lift/", {"text": "x"}).status_code == 404


def test_a_list_needs_to_know_whose(world: World) -> None:
    for query in ("", f"client={world.client.pk}&episode={world.episode.pk}"):
        refused = world.pt_api.get(f"restrictions/?{query}")
        assert (refused.status_code, list(refused.json()["errors"])) == (400, ["client"])


def test_pages_of_a_list_follow_each_other(world: World) -> None:
    world.signed()
    first = ok(world.pt_api.get(f"restrictions/?client={world.client.pk}&page_size=1"))
    assert (len(first["results"]), first["previous"]) == (1, None)
    second = ok(world.pt_api.get(first["next"].removeprefix("http://testserver")))
    assert second["next"] is None
    assert second["results"][0]["id"] != first["results"][0]["id"]
    back = ok(world.pt_api.get(second["previous"].removeprefix("http://testserver")))
    assert back["results"] == first["results"]
