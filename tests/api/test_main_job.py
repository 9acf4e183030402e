"""The main job through the API alone: discharge, consent, handoff, training, and back."""

from typing import Any

from clients.scopes import Scope
from tests.api.client import Api
from tests.api.conftest import World
from tests.factories import certified_trainer

NOTE: dict[str, Any] = {
    "discharge_type": "full",
    "discharge_on": "2027-01-12",
    "reason": "goals_met",
    "pain_now": 1,
    "pain_worst": 3,
    "pain_best": 0,
    "functional_level": "Lifts 10 kg to a shelf.",
    "home_programme": "Band rows, twice a week.",
    "follow_up": "Train with a trainer.",
    "trainer_referral": "yes",
    "clearance": "cleared_with_restrictions",
    "restrictions_decision": "listed",
    "flare_up_plan": "Rest for two days.",
    "return_criteria": "Pain above four for a week.",
    "goals": [{"text": "Swim 500 m", "outcome": "met"}],
}
AVOID: dict[str, Any] = {
    "kind": "avoid",
    "severity": "must_not",
    "body_region": "shoulder",
    "laterality": "right",
    "patterns": ["push_vertical"],
    "wording": "No pressing overhead.",
    "instead": "Row instead.",
    "criteria": [{"kind": "pt_review"}],
    "review_on": "2027-03-01",
}
LIMIT: dict[str, Any] = {
    "kind": "limit_load",
    "severity": "limit",
    "body_region": "shoulder",
    "laterality": "right",
    "patterns": ["carry"],
    "comparator": "le",
    "value": 12.5,
    "unit": "kg",
    "criteria": [{"measure": "Row", "comparator": "ge", "value": 20, "unit": "kg"}],
    "review_on": "2027-03-01",
}
GRANTED = ["clearance", "contact", "restrictions"]


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return response.json()


def discharged(world: World) -> str:
    """The therapist signs; returns the episode."""
    pt = world.pt_api
    episode = str(world.episode.pk)
    for moment, value, day in (("start", 30, "2026-09-01"), ("discharge", 62, "2027-01-12")):
        body = {"measure": "probe", "moment": moment, "value": value, "taken_on": day}
        ok(pt.post(f"episodes/{episode}/measurements/", body), 201)
    note = ok(pt.post("discharge-notes/", {"episode": episode}), 201)
    assert note["status"] == "draft"
    assert note["missing"]
    for restriction in (AVOID, LIMIT):
        draft = ok(pt.post("restrictions/", {"episode": episode, **restriction}), 201)
        assert draft["status"] == "draft"
    change = {"revision": note["revision"], **NOTE}
    note = ok(pt.patch(f"discharge-notes/{note['id']}/", change))
    assert note["missing"] == {}
    sign = {"revision": note["revision"], "seen": note["fingerprint"]}
    note = ok(pt.post(f"discharge-notes/{note['id']}/sign/", sign))
    assert note["status"] == "signed"
    assert note["signature"]["licence_state"] == "NY"
    return episode


def test_discharge_reaches_the_trainer_with_consent_and_no_longer(world: World) -> None:
    pt, trainer, client = world.pt_api, world.trainer_api, world.client_api
    client_id = str(world.client.pk)
    record = f"clients/{client_id}/record/"
    episode = discharged(world)

    found = ok(pt.get(f"professionals/?role=trainer&q={world.trainer.user.last_name}"))
    recipient = found["results"][0]["id"]
    draft = {"client": client_id, "episode": episode, "recipient": recipient, "goal": "Run 5 km"}
    referral = ok(pt.post("referrals/", draft), 201)
    address = f"referrals/{referral['id']}/"
    assert trainer.get(address).status_code == 404
    assert client.get(address).status_code == 404

    sent = ok(pt.post(f"{address}send/", {"classes": GRANTED}))
    assert sent["state"] == "awaiting_consent"
    assert sent["waiting_on"] == "client"
    assert trainer.get(address).status_code == 404
    assert trainer.get(record).status_code == 404

    question = ok(client.get("consents/"))["results"][0]
    consent = f"consents/{question['id']}/"
    shown = ok(client.get(consent))
    assert shown["may_decide"] is True
    assert len(shown["notice"]["classes"]) == len(Scope)
    preview = ok(client.get(f"{consent}preview/?classes=restrictions"))
    assert len(preview["restrictions"]["items"]) == 2
    assert preview["history"] == {"withheld": "history"}
    granted = ok(client.post(f"{consent}grant/", {"classes": GRANTED, "expires_on": "2027-07-01"}))
    assert (granted["state"], granted["classes"]) == ("active", GRANTED)

    # Before acceptance: the envelope and no more.
    waiting = ok(trainer.get(address))
    assert waiting["state"] == "sent"
    assert waiting["client"]["id"] is None
    assert waiting["client"]["name"] == f"{world.client.first_name} {world.client.last_name[0]}."
    assert waiting["goal"] is None
    assert waiting["envelope"]["goal"] == "Run 5 km"
    assert waiting["envelope"]["has_restrictions"] is True
    assert trainer.get(record).status_code == 404

    assert ok(trainer.post(f"{address}view/"))["state"] == "viewed"
    accepted = ok(trainer.post(f"{address}accept/"))
    assert (accepted["state"], accepted["goal"]) == ("accepted", "Run 5 km")
    assert accepted["client"]["id"] == client_id

    seen = ok(trainer.get(record))
    assert seen["standpoint"] == "trainer"
    classes = {scope.value for scope in Scope}
    withheld = {
        name for name in classes if isinstance(seen[name], dict) and "withheld" in seen[name]
    }
    assert withheld == classes - set(GRANTED)
    items = seen["restrictions"]["items"]
    assert [each["severity"] for each in items] == ["must_not", "limit"]
    assert items[1]["value"] == 12.5
    assert seen["clearance"][0]["level"] == "cleared_with_restrictions"
    for each in items:
        body = {"version": each["version"]}
        read = ok(trainer.post(f"restrictions/{each['id']}/acknowledge/", body))
        assert read["acknowledged_on"] == "2027-01-13"

    ok(client.post(f"{consent}revoke/"))
    after = ok(trainer.get(record))
    assert all(after[name] == {"withheld": name} for name in classes)
    gone = ok(trainer.get(address))
    assert (gone["goal"], gone["sharing"]["state"], gone["sharing"]["classes"]) == (
        None,
        "ended",
        [],
    )
    refused = trainer.get(f"restrictions/?client={client_id}")
    assert refused.status_code == 403
    assert refused.json()["withheld"] == "restrictions"

    log = ok(client.get("access-log/?page_size=100"))["results"]
    looks = [entry for entry in log if entry["who"]["name"] == world.trainer.name]
    assert {(entry["action"], entry["channel"]) for entry in looks} == {
        ("envelope", "api"),
        ("read", "api"),
        ("refused", "api"),
    }
    read = next(entry for entry in looks if set(entry["shown"]) == set(GRANTED))
    assert set(read["withheld"]) == classes - set(GRANTED)
    assert read["consents"] == [question["id"]]


def test_nobody_else_sees_anything(world: World) -> None:
    episode = discharged(world)
    world.share(*Scope)
    client_id = str(world.client.pk)
    restriction = ok(world.pt_api.get(f"restrictions/?episode={episode}"))["results"][0]["id"]
    note = ok(world.pt_api.get("discharge-notes/"))["results"][0]["id"]
    addresses = [
        f"clients/{client_id}/",
        f"clients/{client_id}/record/",
        f"clients/{client_id}/timeline/",
        f"episodes/{episode}/",
        f"episodes/{episode}/measurements/",
        f"discharge-notes/{note}/",
        f"restrictions/{restriction}/",
        f"restrictions/{restriction}/history/",
        f"restrictions/?client={client_id}",
        f"restrictions/?episode={episode}",
        f"referrals/{world.referral.pk}/",
        f"consents/{world.consent.pk}/",
        f"access-log/?client_id={client_id}",
    ]
    unconnected_trainer = Api(certified_trainer())
    for address in addresses:
        shared = "access-log" not in address
        assert world.trainer_api.get(address).status_code == (200 if shared else 403), address
        assert world.client_api.get(address).status_code == 200, address
        assert world.nobody_api.get(address).status_code == 401, address
        for api in (*world.others(), unconnected_trainer):
            status = api.get(address).status_code
            forbidden = address.startswith("access-log") and api is not world.stranger_api
            assert status == (403 if forbidden else 404), address
    for api in (*world.others(), unconnected_trainer):
        for name in ("clients", "referrals", "consents", "discharge-notes"):
            found = ok(api.get(f"{name}/"))["results"]
            assert client_id not in str(found)
            assert str(world.referral.pk) not in str(found)
