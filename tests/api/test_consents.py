"""Consents through the API: asked, answered, previewed, narrowed, stopped, told to each side."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from clients.models import ConsentEvent
from clients.scopes import NOTICE_VERSION, Scope, notice
from referrals.states import RECIPIENT_SEES_ENVELOPE, State
from tests.api.client import Api
from tests.api.conftest import World
from tests.api.test_main_job import ok
from tests.factories import (
    NOON,
    EpisodeFactory,
    GuardianshipFactory,
    ReferralFactory,
    asked_consent,
    certified_trainer,
)

DAY = "2027-07-01"


def question(world: World, classes: Any = ("clearance", "restrictions")) -> str:
    body = {
        "client": str(world.client.pk),
        "recipient": str(world.trainer.pk),
        "purpose": "So that your trainer can begin safely.",
        "classes": list(classes),
    }
    return str(ok(world.pt_api.post("consents/", body), 201)["id"])


def test_asking_shares_nothing_and_shows_the_whole_notice_to_the_client(world: World) -> None:
    pk = question(world)
    as_client = ok(world.client_api.get(f"consents/{pk}/"))
    words = as_client["notice"]
    assert (as_client["state"], as_client["classes"], as_client["side"]) == (
        *("requested", []),
        "client",
    )
    assert (words["version"], words["hash"]) == (NOTICE_VERSION, notice().digest())
    assert {each["scope"] for each in words["classes"]} == {scope.value for scope in Scope}
    assert words["last_day"] == "2028-01-13"
    assert world.trainer.name in words["redisclosure"]
    as_pt = ok(world.pt_api.get(f"consents/{pk}/"))
    assert (as_pt["notice"], as_pt["may_decide"], as_pt["side"]) == (None, False, "discloser")
    for api in (world.trainer_api, *world.others()):
        assert api.get(f"consents/{pk}/").status_code == 404


def test_what_is_agreed_is_exactly_what_is_shared(world: World) -> None:
    pk = question(world)
    granted = ok(
        world.client_api.post(
            f"consents/{pk}/grant/", {"classes": ["contact", "note"], "expires_on": DAY}
        )
    )
    assert (granted["state"], granted["classes"]) == ("active", ["contact", "note"])
    assert granted["expires_at"] == "2027-07-02T04:00:00Z"  # the end of that day in New York
    assert [each["kind"] for each in granted["events"]] == ["requested", "granted"]
    again = world.client_api.post(
        f"consents/{pk}/grant/", {"classes": ["contact"], "expires_on": DAY}
    )
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"classes": [], "expires_on": DAY}, "classes"),
        ({"classes": ["everything"], "expires_on": DAY}, "classes.0"),
        ({"classes": ["contact"], "expires_on": "2027-01-13"}, "expires_on"),
        ({"classes": ["contact"], "expires_on": "2028-01-14"}, "expires_on"),
        ({"classes": ["contact"]}, "expires_on"),
    ],
)
def test_an_answer_that_cannot_be_meant_is_refused(
    world: World, body: dict[str, Any], field: str
) -> None:
    pk = question(world)
    refused = world.client_api.post(f"consents/{pk}/grant/", body)
    assert (refused.status_code, list(refused.json()["errors"])) == (400, [field])
    assert ok(world.client_api.get(f"consents/{pk}/"))["state"] == "requested"


def test_only_the_client_decides(world: World) -> None:
    pk = question(world)
    body = {"classes": ["contact"], "expires_on": DAY}
    for verb in ("grant", "decline", "narrow", "revoke"):
        given = body if verb == "grant" else {"classes": ["contact"]} if verb == "narrow" else {}
        for api in (world.pt_api, world.trainer_api, world.other_pt_api):
            assert api.post(f"consents/{pk}/{verb}/", given).status_code == 403
        assert world.stranger_api.post(f"consents/{pk}/{verb}/", given).status_code == 404
    assert ConsentEvent.objects.filter(consent_id=pk).count() == 1


def test_nobody_learns_whether_a_client_said_no_or_nothing(world: World) -> None:
    pk = question(world)
    ok(world.client_api.post(f"consents/{pk}/decline/"))
    as_pt = ok(world.pt_api.get(f"consents/{pk}/"))
    assert as_pt["state"] == "not_shared"
    assert [each["kind"] for each in as_pt["events"]] == ["requested", "not_shared"]
    assert "decline" not in str(as_pt).lower()
    as_client = ok(world.client_api.get(f"consents/{pk}/"))
    assert as_client["state"] == "declined"


def test_less_and_then_nothing(world: World) -> None:
    world.share(Scope.CONTACT, Scope.CLEARANCE)
    pk = world.consent.pk
    wider = world.client_api.post(f"consents/{pk}/narrow/", {"classes": ["contact", "note"]})
    assert list(wider.json()["errors"]) == ["classes"]
    less = ok(world.client_api.post(f"consents/{pk}/narrow/", {"classes": ["contact"]}))
    assert less["classes"] == ["contact"]
    record = ok(world.trainer_api.get(f"clients/{world.client.pk}/record/"))
    assert record["clearance"] == {"withheld": "clearance"}
    assert isinstance(record["contact"], list)
    ended = ok(world.client_api.post(f"consents/{pk}/revoke/"))
    assert (ended["state"], ended["classes"]) == ("revoked", [])
    assert world.client_api.post(f"consents/{pk}/revoke/").status_code == 409
    as_trainer = ok(world.trainer_api.get(f"consents/{pk}/"))
    assert (as_trainer["state"], as_trainer["classes_asked"]) == ("ended", None)
    assert [each["words"] for each in as_trainer["events"]][-1] == "Sharing ended"


def test_consent_ends_by_itself(world: World, noon: time_machine.Traveller) -> None:
    world.share(Scope.CLEARANCE)
    noon.move_to(NOON + timedelta(days=181))
    trainer, client = Api(world.trainer), Api(world.client)
    record = ok(trainer.get(f"clients/{world.client.pk}/record/"))
    assert record["clearance"] == {"withheld": "clearance"}
    assert ok(client.get(f"consents/{world.consent.pk}/"))["state"] == "expired"
    assert ok(trainer.get(f"consents/{world.consent.pk}/"))["state"] == "ended"


def test_the_preview_is_what_the_recipient_would_read(world: World) -> None:
    world.signed()
    pk = question(world, ["clearance"])
    asked = ok(world.client_api.get(f"consents/{pk}/preview/"))
    assert asked["clearance"][0]["level"] == "cleared_with_restrictions"
    assert asked["restrictions"] == {"withheld": "restrictions"}
    chosen = ok(world.client_api.get(f"consents/{pk}/preview/?classes=restrictions,history"))
    assert len(chosen["restrictions"]["items"]) == 2
    assert chosen["history"][0]["condition"] == world.episode.condition
    nothing = world.client_api.get(f"consents/{pk}/preview/?classes=everything")
    assert list(nothing.json()["errors"]) == ["classes"]
    for api in (world.pt_api, world.trainer_api):
        assert api.get(f"consents/{pk}/preview/").status_code == 403
    assert world.stranger_api.get(f"consents/{pk}/preview/").status_code == 404


def test_the_receipt_is_to_keep(world: World) -> None:
    pk = question(world)
    assert world.client_api.get(f"consents/{pk}/receipt/").status_code == 409
    body = {"classes": ["clearance", "contact"], "expires_on": DAY}
    ok(world.client_api.post(f"consents/{pk}/grant/", body))
    receipt = ok(world.client_api.get(f"consents/{pk}/receipt/"))
    purpose = receipt["pii_processing"]["purposes"][0]
    assert {each["pii_type"] for each in purpose["pii_information"]} == {"clearance", "contact"}
    assert purpose["collection_method"] == "api"
    names = [each["party_name"] for each in receipt["party_identification"]]
    assert names == [world.client.name, world.pt.name, world.trainer.name]
    assert receipt["pii_processing"]["privacy_notice"]["sha256"] == notice().digest()
    numbers = [each["evidence"]["number"] for each in receipt["events"]]
    stored = ConsentEvent.objects.filter(consent_id=pk).order_by("number")
    assert numbers == [each.number for each in stored]
    assert receipt["events"][-1]["evidence"]["hash"] == stored[1].hash
    ok(world.client_api.post(f"consents/{pk}/revoke/"))
    after = ok(world.client_api.get(f"consents/{pk}/receipt/"))
    assert after["pii_processing"] == receipt["pii_processing"]
    assert after["events"][-1]["event_type"] == "revoked"
    assert world.pt_api.get(f"consents/{pk}/receipt/").status_code == 403


def test_a_guardian_decides_for_a_minor_and_the_minor_can_stop(world: World) -> None:
    guardianship = GuardianshipFactory.create()
    minor = guardianship.client
    EpisodeFactory.create(client=minor, pt=world.pt)
    consent = asked_consent(client=minor, discloser=world.pt, recipient=world.trainer)
    guardian, child = Api(guardianship.user), Api(minor)
    address = f"consents/{consent.pk}/"
    assert ok(child.get(address))["may_decide"] is False
    body = {"classes": ["clearance"], "expires_on": DAY}
    refused = child.post(f"{address}grant/", body)
    assert refused.status_code == 403
    assert "guardian" in refused.json()["detail"]
    assert ok(guardian.get(address))["may_decide"] is True
    assert ok(guardian.post(f"{address}grant/", body))["state"] == "active"
    receipt = ok(guardian.get(f"{address}receipt/"))
    entity = receipt["events"][-1]["entity"]
    assert (entity["authority"], entity["name"]) == ("guardian", guardianship.user.name)
    assert ok(child.post(f"{address}revoke/"))["state"] == "revoked"
    unverified = GuardianshipFactory.create(client=minor, unverified=True)
    assert Api(unverified.user).get(address).status_code == 404


def test_who_may_ask_whom(world: World) -> None:
    body = {
        "client": str(world.client.pk),
        "recipient": str(world.trainer.pk),
        "purpose": "x",
        "classes": ["contact"],
    }
    assert world.other_pt_api.post("consents/", body).status_code == 404
    assert world.stranger_api.post("consents/", body).status_code == 400  # which therapist?
    named = {**body, "discloser": str(world.pt.pk)}
    assert world.stranger_api.post("consents/", named).status_code == 404
    assert world.trainer_api.post("consents/", named).status_code == 404
    mine = ok(world.client_api.post("consents/", named), 201)
    assert (mine["state"], mine["may_decide"]) == ("requested", True)
    nobody = {**body, "recipient": str(world.stranger.pk)}
    assert world.pt_api.post("consents/", nobody).status_code == 404


def test_a_list_is_each_sides_own(world: World) -> None:
    pk = question(world)
    other = certified_trainer()
    for api in (world.pt_api, world.client_api):
        assert [each["id"] for each in ok(api.get("consents/"))["results"]] == [pk]
    for api in (world.trainer_api, Api(other), *world.others()):
        assert ok(api.get("consents/"))["results"] == []
    assert ok(world.pt_api.get(f"consents/?client={world.stranger.pk}"))["results"] == []
    world.share(Scope.CONTACT)
    found = ok(world.trainer_api.get("consents/"))["results"]
    assert (str(world.consent.pk), "active") in [(each["id"], each["state"]) for each in found]


ONLY_THE_ENVELOPE = (
    *(State.SENT, State.VIEWED, State.INFO_REQUESTED, State.DECLINED, State.EXPIRED),
    *(State.CANCELLED, State.FAILED, State.ENTERED_IN_ERROR),
)


@pytest.mark.parametrize("state", ONLY_THE_ENVELOPE)
def test_a_recipient_who_has_not_taken_the_client_on_learns_no_name_here(
    world: World, state: State
) -> None:
    """Before the answer they see the envelope, after a mistake nothing: no full name, no id of
    the client, no words of the therapist, on no second path."""
    world.share(Scope.CLEARANCE, Scope.NOTE, state=state)
    trainer, pk = world.trainer_api, world.consent.pk
    assert trainer.get(f"consents/{pk}/").status_code == 404
    assert ok(trainer.get("consents/"))["results"] == []
    assert ok(world.pt_api.get(f"consents/{pk}/"))["side"] == "discloser"
    assert ok(world.client_api.get(f"consents/{pk}/"))["side"] == "client"


@pytest.mark.parametrize("state", [*sorted(RECIPIENT_SEES_ENVELOPE), State.DECLINED])
def test_the_referral_names_its_consent_to_those_who_may_know_of_it(
    world: World, state: State
) -> None:
    world.share(Scope.CLEARANCE, state=state)
    address = f"referrals/{world.referral.pk}/"
    assert ok(world.trainer_api.get(address))["consent"] is None
    for api in (world.pt_api, world.client_api):
        assert ok(api.get(address))["consent"] == str(world.consent.pk)


def agreed(world: World) -> str:
    """The id of a question that the client has answered with three classes."""
    pk = question(world)
    body = {"classes": ["contact", "clearance", "restrictions"], "expires_on": DAY}
    ok(world.client_api.post(f"consents/{pk}/grant/", body))
    return pk


def test_renewing_goes_on_with_the_same_and_is_told_as_such(world: World) -> None:
    pk = agreed(world)
    shared = ok(world.client_api.get(f"consents/{pk}/"))["classes"]
    answer = ok(world.client_api.post(f"consents/{pk}/renew/", {"expires_on": "2028-01-13"}))
    assert (answer["state"], answer["classes"]) == ("active", shared)
    assert answer["expires_at"].startswith("2028-01-14")
    assert answer["events"][-1]["words"] == "Renewed"
    refused = world.client_api.post(f"consents/{pk}/renew/", {"expires_on": "2027-02-01"})
    assert refused.status_code == 400
    for api in (world.pt_api, world.trainer_api):
        body = {"expires_on": "2028-01-13"}
        assert api.post(f"consents/{pk}/renew/", body).status_code in (403, 404)


def test_what_would_change_is_told_class_by_class_and_saves_nothing(world: World) -> None:
    pk = agreed(world)
    shared = set(ok(world.client_api.get(f"consents/{pk}/"))["classes"])
    found = ok(world.client_api.get(f"consents/{pk}/what-if/?classes=contact,note"))
    assert (set(found["before"]), set(found["after"])) == (shared, {"contact", "note"})
    effects = {each["scope"]: each["effect"] for each in found["changes"]}
    assert {scope for scope, effect in effects.items() if effect == "loses"} == shared - {
        "contact",
        "note",
    }
    lost = next(each for each in found["changes"] if each["scope"] == "restrictions")
    assert "must not train you against limits they cannot see" in lost["meaning"]
    asked_for = ok(world.client_api.get(f"consents/{pk}/what-if/"))
    assert set(asked_for["after"]) == {"clearance", "restrictions"}
    assert world.client_api.get(f"consents/{pk}/what-if/?classes=blood").status_code == 400
    assert set(ok(world.client_api.get(f"consents/{pk}/"))["classes"]) == shared
    for api in (world.pt_api, world.trainer_api, *world.others()):
        assert api.get(f"consents/{pk}/what-if/").status_code in (403, 404)


def test_the_words_are_those_of_the_record(world: World) -> None:
    pk = agreed(world)
    assert ok(world.client_api.get(f"consents/{pk}/"))["notice_matches"] is True
    assert ok(world.pt_api.get(f"consents/{pk}/"))["notice_matches"] is None


def test_a_minor_objects_and_both_sides_hear_of_it(world: World) -> None:
    world.client.birth_date = date(2011, 6, 1)
    world.client.save()
    guardian = GuardianshipFactory.create(client=world.client)
    pk = question(world)
    found = ok(world.client_api.post(f"consents/{pk}/object/"))
    assert (found["state"], found["may_decide"]) == ("requested", False)
    assert found["events"][-1]["words"] == "The client objects"
    assert len(found["objected_at"]) == 1
    as_pt = ok(world.pt_api.get(f"consents/{pk}/"))
    assert (as_pt["events"][-1]["kind"], as_pt["objected_at"]) == ("objected", [])
    assert world.client_api.post(f"consents/{pk}/object/").status_code == 409
    guardian_api = Api(guardian.user)
    body: dict[str, Any] = {"classes": ["clearance"], "expires_on": DAY}
    refused = guardian_api.post(f"consents/{pk}/grant/", body)
    assert refused.status_code == 400
    assert "knows_objection" in refused.json()["errors"]
    agreed = {**body, "knows_objection": True}
    assert ok(guardian_api.post(f"consents/{pk}/grant/", agreed))["state"] == "active"


def test_until_training_ends_needs_a_training(world: World) -> None:
    pk = question(world)
    body = {"classes": ["clearance"], "expires_on": DAY, "until_training_ends": True}
    refused = world.client_api.post(f"consents/{pk}/grant/", body)
    assert refused.status_code == 400
    assert "until_training_ends" in refused.json()["errors"]
    ReferralFactory.create(
        client=world.client, sender=world.pt, recipient=world.trainer, state=State.IN_PROGRESS
    )
    granted = ok(world.client_api.post(f"consents/{pk}/grant/", body))
    assert (granted["state"], granted["until_training_ends"]) == ("active", True)


def test_a_professional_asks_three_times_in_thirty_days(world: World) -> None:
    for _ in range(3):
        pk = question(world)
        ok(world.client_api.post(f"consents/{pk}/decline/"))
    body = {
        "client": str(world.client.pk),
        "recipient": str(world.trainer.pk),
        "purpose": "Once more",
        "classes": ["note"],
    }
    assert world.pt_api.post("consents/", body).status_code == 403
    states = {each["state"] for each in ok(world.pt_api.get("consents/"))["results"]}
    assert states == {"not_shared"}
