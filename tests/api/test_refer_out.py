"""The way back through the API: facts out, training again, and who is told what at each step."""

from typing import Any

import pytest

from clients.scopes import Scope
from referrals.states import State
from tests.api.client import Api
from tests.api.conftest import World
from tests.api.test_main_job import ok
from tests.factories import licensed_pt

FACTS: dict[str, Any] = {
    "observations": "It hurt at the front when they pressed overhead.",
    "body_region": "shoulder",
    "laterality": "right",
    "pain_now": 4,
    "pain_worst": 6,
    "signs": ["night_pain"],
    "since": "2027-01-11",
    "stopped": "Pressing",
}


@pytest.fixture
def training(world: World) -> World:
    """Signed, shared without a way back for reports, and in training."""
    world.signed()
    world.share(Scope.CLEARANCE, Scope.RESTRICTIONS, state=State.IN_PROGRESS)
    return world


def refer(world: World, **more: Any) -> Any:
    body = {"client": str(world.client.pk), "kind": "refer_out", "facts": FACTS, **more}
    return world.trainer_api.post("referrals/", body)


def facts_for(world: World, referral: Any) -> dict[str, bool]:
    """Who reads the facts at their own address."""
    people = {
        "trainer": world.trainer_api,
        "pt": world.pt_api,
        "other pt": world.other_pt_api,
        "client": world.client_api,
        "stranger": world.stranger_api,
    }
    found = {}
    for name, api in people.items():
        answer = api.get(f"referrals/{referral['id']}/facts/")
        assert answer.status_code in (200, 404), (name, answer.status_code)
        found[name] = answer.status_code == 200
    return found


def test_the_whole_way_back_and_who_reads_the_facts(training: World) -> None:
    world = training
    referral = ok(refer(world), 201)
    assert (referral["kind"], referral["state"], referral["priority"]) == (
        "refer_out",
        "draft",
        "urgent",
    )
    assert referral["recipient"]["id"] == str(world.pt.pk)
    assert referral["episode"] is None
    nobody = {"pt": False, "other pt": False, "stranger": False}
    assert facts_for(world, referral) == {**nobody, "trainer": True, "client": False}
    address = f"referrals/{referral['id']}/"
    rewritten = {**FACTS, "observations": "It hurt, as after a tear.", "signs": []}
    facts = ok(world.trainer_api.put(f"{address}facts/", rewritten))
    assert facts["words_to_check"] == ["tear"]
    assert (facts["is_red"], facts["signs"], facts["author"]) == (True, [], world.trainer.name)

    sent = ok(world.trainer_api.post(f"{address}send/", {}))
    assert sent["state"] == "awaiting_consent"
    assert world.trainer_api.put(f"{address}facts/", FACTS).status_code == 409
    question = ok(world.client_api.get(f"consents/{sent['consent']}/"))
    assert question["classes_asked"] == ["training_feedback"]
    assert facts_for(world, referral) == {**nobody, "trainer": True, "client": True}
    agreed = {"classes": ["training_feedback"], "expires_on": "2027-06-01"}
    ok(world.client_api.post(f"consents/{sent['consent']}/grant/", agreed))

    seen = ok(world.pt_api.get(address))
    assert seen["state"] == "sent"
    assert seen["envelope"]["clearance_level"] is None
    assert seen["envelope"]["has_restrictions"] is None
    assert seen["client"]["id"] is None
    assert facts_for(world, referral) == {**nobody, "trainer": True, "client": True}
    ok(world.pt_api.post(f"{address}accept/", {}))
    assert facts_for(world, referral) == {
        **nobody,
        "trainer": True,
        "client": True,
        "pt": True,
    }
    told = ok(world.pt_api.get(f"clients/{world.client.pk}/record/"))["training_feedback"]
    assert [each["facts"]["observations"] for each in told] == ["It hurt, as after a tear."]
    handoff = ok(world.pt_api.get(f"referrals/{world.referral.pk}/"))
    assert handoff["state"] == "on_hold"

    ok(world.pt_api.post(f"{address}begin/", {}))
    ok(world.pt_api.post(f"{address}complete/", {"observations": "Seen and treated."}))
    back = ok(
        world.pt_api.post(
            "referrals/",
            {
                "client": str(world.client.pk),
                "episode": str(world.episode.pk),
                "recipient": str(world.trainer.pk),
                "kind": "return_to_training",
                "previous": referral["id"],
            },
        ),
        201,
    )
    assert back["previous"] == referral["id"]
    returned = f"referrals/{back['id']}/"
    assert ok(world.pt_api.post(f"{returned}send/", {}))["state"] == "sent"
    assert ok(world.trainer_api.post(f"{returned}accept/", {}))["previous"] is None
    assert ok(world.pt_api.get(f"referrals/{world.referral.pk}/"))["state"] == "cancelled"
    record = ok(world.trainer_api.get(f"clients/{world.client.pk}/record/"))
    assert "withheld" not in record["restrictions"]
    assert ok(world.trainer_api.get(address))["state"] == "completed"


def test_facts_complain_at_their_fields(training: World) -> None:
    for change, field in (
        ({"body_region": "soul"}, "body_region"),
        ({"laterality": ""}, "laterality"),
        ({"pain_now": 7, "pain_worst": 2}, "pain_worst"),
    ):
        answer = refer(training, facts={**FACTS, **change})
        assert answer.status_code == 400
        assert set(answer.json()["errors"]) == {f"facts.{field}"}
    nothing = training.trainer_api.post(
        "referrals/", {"client": str(training.client.pk), "kind": "refer_out"}
    )
    assert set(nothing.json()["errors"]) == {"facts.observations", "facts.body_region"}


def test_a_therapist_does_not_refer_out_and_a_trainer_not_back(training: World) -> None:
    world = training
    body = {"client": str(world.client.pk), "kind": "refer_out", "facts": FACTS}
    assert world.pt_api.post("referrals/", body).status_code == 403
    assert world.other_pt_api.post("referrals/", body).status_code == 404
    assert world.client_api.post("referrals/", body).status_code == 403
    returned = {
        "client": str(world.client.pk),
        "episode": str(world.episode.pk),
        "recipient": str(world.trainer.pk),
        "kind": "return_to_training",
    }
    assert world.trainer_api.post("referrals/", returned).status_code == 404


def test_a_stranger_among_therapists_reads_nothing_after_their_no(training: World) -> None:
    other = licensed_pt()
    referral = ok(refer(training, recipient=str(other.pk)), 201)
    sent = ok(training.trainer_api.post(f"referrals/{referral['id']}/send/", {}))
    agreed = {"classes": ["training_feedback"], "expires_on": "2027-06-01"}
    ok(training.client_api.post(f"consents/{sent['consent']}/grant/", agreed))
    theirs = Api(other)
    ok(theirs.post(f"referrals/{referral['id']}/decline/", {"reason_code": "no_capacity"}))
    assert theirs.get(f"referrals/{referral['id']}/facts/").status_code == 404
    assert theirs.get(f"clients/{training.client.pk}/record/").status_code == 404
