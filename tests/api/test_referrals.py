"""Referrals through the API: every verb has an address, and the table decides who may take it."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import resolve

from clients.models import Credential
from clients.scopes import Scope
from referrals.api.referral_answers import VERBS
from referrals.models import Referral
from referrals.states import State, Verb
from tests.api.client import Api
from tests.api.conftest import World
from tests.api.test_main_job import ok
from tests.factories import NOON, certified_trainer

LATER = (NOON + timedelta(days=2)).isoformat()
REPORT = {"observations": "Six sessions, no pain.", "sessions_held": 6}


@pytest.fixture
def sent(world: World) -> World:
    """Signed, agreed, and with the trainer."""
    world.signed()
    world.share(Scope.CLEARANCE, Scope.RESTRICTIONS, state=State.SENT)
    Referral.objects.filter(pk=world.referral.pk).update(answered_at=None, goal="Run 5 km")
    return world


def take(world: World, api: Api, verb: str, body: dict[str, Any] | None = None) -> Any:
    return ok(api.post(f"referrals/{world.referral.pk}/{verb}/", body or {}))


def test_every_verb_of_the_contract_has_an_address() -> None:
    promised = (
        *("send", "view", "ask", "answer", "accept", "decline", "schedule", "no-show", "begin"),
        *("hold", "resume", "report", "complete", "fail", "cancel", "confirm-cancel", "reroute"),
    )
    known = {value for value, _ in VERBS}
    assert set(promised) <= known
    for verb in known:
        match = resolve(f"/api/v1/referrals/{'0' * 8}-0000-0000-0000-{'0' * 12}/{verb}/")
        assert match.url_name != "api-nothing", verb


def test_from_question_to_report(sent: World) -> None:
    pt, trainer = sent.pt_api, sent.trainer_api
    assert take(sent, trainer, "view")["state"] == "viewed"
    assert take(sent, trainer, "view")["state"] == "viewed"  # twice is once
    asked = take(sent, trainer, "ask", {"text": "Overhead at all?"})
    assert (asked["state"], asked["waiting_on"]) == ("info_requested", "sender")
    assert ok(pt.get("referrals/?box=waiting"))["results"][0]["id"] == str(sent.referral.pk)
    assert take(sent, pt, "answer", {"text": "Not yet."})["state"] == "viewed"
    thread = ok(trainer.get(f"referrals/{sent.referral.pk}/messages/"))["results"]
    assert [(each["text"], each["is_mine"]) for each in thread] == [
        ("Overhead at all?", True),
        ("Not yet.", False),
    ]
    accepted = take(sent, trainer, "accept")
    assert set(accepted["actions"]) == {"decline", "schedule", "begin"}
    booked = take(sent, trainer, "schedule", {"first_session_at": LATER})
    assert booked["first_session_at"].startswith("2027-01-15T17:00:00")
    assert take(sent, trainer, "cancel-appointment")["state"] == "appt_cancelled"
    assert take(sent, sent.client_api, "schedule", {"first_session_at": LATER})["state"] == (
        "scheduled"
    )
    refused = trainer.post(f"referrals/{sent.referral.pk}/begin/")
    assert refused.status_code == 403  # limits not acknowledged yet
    for each in ok(trainer.get(f"restrictions/?client={sent.client.pk}"))["results"]:
        body = {"version": each["version"]}
        ok(trainer.post(f"restrictions/{each['id']}/acknowledge/", body))
    assert take(sent, trainer, "begin")["state"] == "in_progress"
    held = {"reason_code": "client_away", "reason_text": "Two weeks."}
    assert take(sent, trainer, "hold", held)["state"] == "on_hold"
    assert take(sent, pt, "resume")["state"] == "in_progress"
    assert take(sent, trainer, "report", REPORT)["state"] == "in_progress"
    done = take(sent, trainer, "complete", REPORT)
    assert (done["state"], done["waiting_on"], done["actions"]) == ("completed", None, [])
    assert [step["verb"] for step in done["steps"]][-2:] == ["report", "complete"]
    # The sender always learns that it is done; what was observed needs its class.
    record = ok(pt.get(f"clients/{sent.client.pk}/record/"))
    assert record["training_feedback"] == {"withheld": "training_feedback"}


def test_declined_and_sent_to_somebody_else(sent: World) -> None:
    refused = sent.trainer_api.post(f"referrals/{sent.referral.pk}/decline/", {})
    assert list(refused.json()["errors"]) == ["reason_code"]
    body = {"reason_code": "no_capacity", "reason_text": "Full until May."}
    declined = take(sent, sent.trainer_api, "decline", body)
    assert (declined["state"], declined["envelope"], declined["goal"]) == ("declined", None, None)
    as_sender = ok(sent.pt_api.get(f"referrals/{sent.referral.pk}/"))
    assert as_sender["steps"][-1]["reason"] == "No room for a new client"
    assert as_sender["actions"] == ["reroute"]
    other = certified_trainer()
    address = f"referrals/{sent.referral.pk}/reroute/"
    again = sent.pt_api.post(address, {"recipient": str(sent.trainer.pk)})
    assert list(again.json()["errors"]) == ["recipient"]
    draft = ok(sent.pt_api.post(address, {"recipient": str(other.pk)}), 201)
    assert (draft["state"], draft["previous"]) == ("draft", str(sent.referral.pk))
    assert Api(other).get(f"referrals/{draft['id']}/").status_code == 404
    thrown = ok(sent.pt_api.post(f"referrals/{draft['id']}/discard/"))
    assert thrown["state"] == "discarded"


def test_called_off_before_and_after_acceptance(sent: World) -> None:
    cancel = {"reason_code": "client_choice"}
    take(sent, sent.trainer_api, "accept")
    asked = take(sent, sent.pt_api, "cancel", cancel)
    assert (asked["state"], asked["waiting_on"]) == ("cancel_requested", "recipient")
    assert take(sent, sent.trainer_api, "confirm-cancel")["state"] == "cancelled"
    late = sent.trainer_api.post(f"referrals/{sent.referral.pk}/accept/")
    assert (late.status_code, late.json()["type"].split("#")[1]) == (409, "stale")


def test_a_client_calls_it_off(sent: World) -> None:
    gone = take(sent, sent.client_api, "cancel", {"reason_code": "client_choice"})
    assert gone["state"] == "cancelled"
    assert sent.trainer_api.post(f"referrals/{sent.referral.pk}/accept/").status_code == 409


def test_missed_and_ended_without_result(sent: World) -> None:
    take(sent, sent.trainer_api, "accept")
    take(sent, sent.trainer_api, "schedule", {"first_session_at": LATER})
    early = sent.trainer_api.post(f"referrals/{sent.referral.pk}/no-show/")
    assert early.status_code == 403
    Referral.objects.filter(pk=sent.referral.pk).update(first_session_at=NOON - timedelta(hours=1))
    assert take(sent, sent.trainer_api, "no-show")["state"] == "no_show"
    failed = take(sent, sent.trainer_api, "fail", {"reason_code": "did_not_attend"})
    assert failed["state"] == "failed"


def test_entered_in_error_vanishes_for_the_others(sent: World) -> None:
    body = {"reason_code": "wrong_recipient"}
    assert take(sent, sent.pt_api, "enter-in-error", body)["state"] == "entered_in_error"
    address = f"referrals/{sent.referral.pk}/"
    assert sent.trainer_api.get(address).status_code == 404
    assert sent.client_api.get(address).status_code == 404


def test_an_admin_may_enter_it_in_error_without_seeing_it(sent: World) -> None:
    admin = sent.stranger_api.account
    admin.is_staff = True
    admin.save()
    address = f"referrals/{sent.referral.pk}/"
    assert sent.stranger_api.get(address).status_code == 404
    done = sent.stranger_api.post(f"{address}enter-in-error/", {"reason_code": "duplicate"})
    assert (done.status_code, done.content) == (204, b"")
    sent.referral.refresh_from_db()
    assert sent.referral.state == State.ENTERED_IN_ERROR


def test_steps_of_others_are_refused(sent: World) -> None:
    address = f"referrals/{sent.referral.pk}/"
    assert sent.pt_api.post(f"{address}accept/").status_code == 403
    assert sent.client_api.post(f"{address}accept/").status_code == 403
    assert sent.trainer_api.post(f"{address}cancel/", {"reason_code": "other"}).status_code == 403
    for api in sent.others():
        for verb in ("accept", "view", "cancel"):
            assert api.post(f"{address}{verb}/").status_code == 404
    sent.referral.refresh_from_db()
    assert sent.referral.state == State.SENT


def test_a_lapsed_trainer_cannot_accept(sent: World) -> None:
    Credential.objects.filter(user=sent.trainer.user, kind=Credential.Kind.CPR_AED).update(
        expires_on=NOON.date() - timedelta(days=1)
    )
    refused = sent.trainer_api.post(f"referrals/{sent.referral.pk}/accept/")
    assert refused.status_code == 403
    assert "CPR/AED" in refused.json()["detail"]


def test_a_draft_says_what_it_lacks(world: World) -> None:
    draft = {"client": str(world.client.pk), "episode": str(world.episode.pk)}
    refused = world.pt_api.post("referrals/", draft)
    assert list(refused.json()["errors"]) == ["recipient"]
    for recipient in (world.other_pt.pk, world.client.pk):
        refused = world.pt_api.post("referrals/", {**draft, "recipient": str(recipient)})
        assert list(refused.json()["errors"]) == ["recipient"]
    good = {**draft, "recipient": str(world.trainer.pk)}
    window = {"start_from": "2027-03-01", "start_until": "2027-02-01"}
    refused = world.pt_api.post("referrals/", {**good, **window})
    assert list(refused.json()["errors"]) == ["start_until"]
    made = ok(world.pt_api.post("referrals/", good), 201)
    unsigned = world.pt_api.post(f"referrals/{made['id']}/send/")
    assert unsigned.status_code == 403
    assert "Sign" in unsigned.json()["detail"]
    twice = world.pt_api.post("referrals/", good)
    assert list(twice.json()["errors"]) == ["recipient"]
    assert world.other_pt_api.post("referrals/", good).status_code == 404
    assert world.trainer_api.post("referrals/", good).status_code == 404
    stranger = {**good, "client": str(world.stranger.pk)}
    assert world.pt_api.post("referrals/", stranger).status_code == 404


def test_boxes_and_filters(sent: World) -> None:
    mine = str(sent.referral.pk)

    def found(api: Api, query: str) -> list[str]:
        return [each["id"] for each in ok(api.get(f"referrals/?{query}"))["results"]]

    assert found(sent.trainer_api, "box=in") == found(sent.pt_api, "box=out") == [mine]
    assert found(sent.trainer_api, "box=waiting") == [mine]
    assert found(sent.trainer_api, "box=out") == found(sent.pt_api, "box=in") == []
    assert found(sent.pt_api, "box=waiting") == []
    assert found(sent.pta_api, "box=out") == [mine]
    assert found(sent.client_api, "") == [mine]
    assert found(sent.pt_api, "state=sent&kind=discharge_handoff&open=1") == [mine]
    assert found(sent.pt_api, "open=0") == found(sent.pt_api, "state=draft") == []
    assert found(sent.pt_api, f"client={sent.client.pk}") == [mine]
    # Whether an unnamed client is the one with this id is not to be found out by a filter.
    assert found(sent.trainer_api, f"client={sent.client.pk}") == []


def test_a_list_says_nothing_clinical_and_shortens_the_name(sent: World) -> None:
    answer = sent.trainer_api.get("referrals/")
    text = answer.content.decode()
    assert "Run 5 km" not in text
    assert sent.client.last_name not in text
    assert answer.json()["results"][0]["client"]["id"] is None
    take(sent, sent.trainer_api, "accept")
    named = ok(sent.trainer_api.get("referrals/"))["results"][0]["client"]
    assert named == {"id": str(sent.client.pk), "name": sent.client.name}


def test_the_envelope_holds_back_what_is_not_agreed(world: World) -> None:
    world.signed()
    world.share(Scope.CLEARANCE, state=State.SENT)
    shown = ok(world.trainer_api.get(f"referrals/{world.referral.pk}/"))["envelope"]
    assert shown["clearance_level"] == "Cleared, with limits"
    assert shown["has_restrictions"] == {"withheld": "restrictions"}


def test_messages_are_between_the_two_professionals(sent: World) -> None:
    address = f"referrals/{sent.referral.pk}/messages/"
    assert list(sent.trainer_api.post(address, {"text": " "}).json()["errors"]) == ["text"]
    assert ok(sent.trainer_api.post(address, {"text": "When?"}), 201)["text"] == "When?"
    assert sent.trainer_api.post(address, {"text": "Now?"}).status_code == 409
    assert ok(sent.pt_api.post(address, {"text": "May."}), 201)["is_mine"] is True
    assert sent.client_api.get(address).status_code == 403
    assert sent.other_pt_api.get(address).status_code == 404
    ok(sent.client_api.post(f"consents/{sent.consent.pk}/revoke/"))
    assert sent.trainer_api.get(address).status_code == 403
    assert len(ok(sent.pt_api.get(address))["results"]) == 2


def test_the_verbs_of_the_table_and_of_the_api_are_the_same() -> None:
    happens = {"await-consent", "consent-granted", "consent-declined", "supersede", "expire"}
    assert {value for value, _ in VERBS} == {verb.value for verb in Verb} - happens
