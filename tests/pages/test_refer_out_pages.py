"""The way back through the address bar: the trainer's form, the therapist's page, the return."""

from typing import Any

import pytest

from clients.models import Consent
from clients.scopes import Scope
from referrals import lifecycle, sharing
from referrals.models import ReferOutFacts, Referral
from referrals.states import Kind, State
from tests.factories import NOON, licensed_pt
from tests.pages.reading import as_, get, post
from tests.referrals.test_refer_out import Back

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
SAID = "It hurt at the front on the way down."
FORM: dict[str, Any] = {
    "body_region": "knee",
    "laterality": "left",
    "pain_now": "3",
    "pain_worst": "5",
    "observations": SAID,
    "stopped": "Deep squats",
    "since": "2027-01-11",
    "then": "send",
}


@pytest.fixture
def back() -> Back:
    return Back()


def form_for(back: Back, **changes: Any) -> dict[str, Any]:
    return {**FORM, "recipient": str(back.pt.pk), **changes}


def the_referral() -> Referral:
    return Referral.objects.get(kind=Kind.REFER_OUT)


def test_a_trainer_sends_facts_from_the_clients_page(back: Back) -> None:
    trainer = as_(back.trainer)
    page = get(trainer, f"/clients/{back.client.pk}/")
    address = f"/clients/{back.client.pk}/refer-out/"
    assert address in page
    form = get(trainer, address)
    assert back.pt.name in form
    post(trainer, address, form_for(back))
    referral = the_referral()
    assert (referral.state, referral.recipient) == (State.SENT, back.pt)
    shown = get(trainer, f"/referrals/{referral.pk}/")
    assert SAID in shown
    assert "You send this client back to therapy" in shown
    assert "One is open already" in get(trainer, address)


def test_the_form_says_what_is_missing_and_keeps_what_was_typed(back: Back) -> None:
    address = f"/clients/{back.client.pk}/refer-out/"
    page = post(as_(back.trainer), address, form_for(back, laterality=""), status=422)
    assert "Choose left, right or both." in page
    assert SAID in page
    assert not Referral.objects.filter(kind=Kind.REFER_OUT).exists()


def test_words_of_a_diagnosis_are_pointed_out_once_and_stop_nobody(back: Back) -> None:
    trainer, address = as_(back.trainer), f"/clients/{back.client.pk}/refer-out/"
    doubtful = form_for(back, observations="Looks like a tear, I would prescribe rest.")
    page = post(trainer, address, doubtful, status=422)
    assert "tear, prescribe" in page
    assert 'name="seen_it"' in page
    post(trainer, address, {**doubtful, "seen_it": "on"})
    assert the_referral().state == State.SENT


def test_a_report_of_a_trainer_is_looked_at_the_same_way(back: Back) -> None:
    address = f"/referrals/{back.handoff.pk}/report/"
    said = {"report-observations": "I treated the strain."}
    page = post(as_(back.trainer), address, said, status=422)
    assert "strain, treated" in page
    post(as_(back.trainer), address, {**said, "report-seen_it": "on"})
    assert "seen_it" not in get(as_(back.trainer), address)


def test_a_draft_is_corrected_and_then_sent(back: Back) -> None:
    trainer = as_(back.trainer)
    post(trainer, f"/clients/{back.client.pk}/refer-out/", form_for(back, then="keep"))
    referral = the_referral()
    assert referral.state == State.DRAFT
    address = f"/referrals/{referral.pk}/facts/"
    assert address in get(trainer, f"/referrals/{referral.pk}/")
    assert SAID in get(trainer, address)
    get(as_(back.pt), address, status=404)
    get(as_(back.client), address, status=404)
    post(trainer, address, form_for(back, signs=["numbness"], then="send"))
    referral.refresh_from_db()
    assert (referral.state, referral.priority) == (State.SENT, "urgent")
    assert ReferOutFacts.objects.get().signs == ["numbness"]
    post(trainer, address, form_for(back), status=409)


def test_only_who_took_the_client_on_finds_the_form(back: Back) -> None:
    address = f"/clients/{back.client.pk}/refer-out/"
    for somebody in (back.pt, back.other_pt, back.client, back.stranger):
        get(as_(somebody), address, status=404)


def test_a_therapist_sees_the_envelope_then_the_facts_and_what_to_do(back: Back) -> None:
    other = as_(back.other_pt)
    referral = back.elsewhere()
    path = f"/referrals/{referral.pk}/"
    before = get(other, path)
    said = str(ReferOutFacts.objects.get().observations)
    assert "sends this client back to therapy, to you" in before
    assert said not in before
    assert back.client.last_name not in before
    assert "Clearance" not in before
    assert "Back to physical therapy" in get(other, "/referrals/")
    post(other, f"{path}accept/")
    after = get(other, path)
    assert said in after
    assert f"/clients/{back.client.pk}/episodes/new/" in after
    assert "The client was seen" in after
    record = get(other, f"/clients/{back.client.pk}/")
    assert said in record
    assert "The knee was fine" not in record


def test_the_client_reads_the_question_the_right_way_round(db: None) -> None:
    back = Back(classes=frozenset({Scope.CLEARANCE}))
    referral = back.sent()
    client = as_(back.client)
    trainer, pt = back.trainer.user.first_name, back.pt.user.first_name
    page = get(client, f"/consents/{referral.consent_id}/")
    assert f"{trainer}, your trainer, would tell {pt}, your physical therapist" in page
    assert "Never shared with a trainer" not in page
    assert page.count('role="switch"') == 1
    home = get(client, "/home/")
    assert f"/consents/{referral.consent_id}/" in home
    agreed = {"classes": ["training_feedback"], "until": "3", "confirmed": "on"}
    post(client, f"/consents/{referral.consent_id}/grant/", agreed)
    assert the_referral().state == State.SENT
    for place in ("", "receipt/", "revoke/", "view-as/"):
        shown = get(client, f"/consents/{referral.consent_id}/{place}")
        assert "of 7 parts" not in shown, place


def test_a_therapist_asks_anew_for_what_the_trainer_saw_and_for_nothing_else(back: Back) -> None:
    referral = back.elsewhere()
    back.accept(referral)
    assert referral.consent_id is not None
    sharing.revoke(actor=back.as_client, consent_id=referral.consent_id, at=NOON)
    other, address = as_(back.other_pt), f"/clients/{back.client.pk}/ask/"
    page = get(other, address)
    assert back.trainer.name in page
    assert page.count('name="classes"') == 1
    asked = {"classes": ["training_feedback"], "purpose": "To know what happened."}
    post(other, address, {**asked, "other": str(back.trainer.pk)})
    assert Consent.objects.get(asked_by=back.other_pt.user).discloser == back.trainer
    # Who handed the client over as well is at the other end once, and four parts are shared there.
    back.accept(back.sent())
    page = get(as_(back.pt), address)
    assert page.count('name="classes"') == 3
    assert 'value="training_feedback"' not in page


def test_back_to_training_from_the_referral_that_it_answers(back: Back) -> None:
    answered = back.accept(back.sent())
    pt = as_(back.pt)
    address = f"/episodes/{back.episode.pk}/return/?answers={answered.pk}"
    assert address in get(pt, f"/referrals/{answered.pk}/")
    form = get(pt, address)
    assert back.trainer.name in form
    post(
        pt,
        address,
        {"answers": str(answered.pk), "recipient": str(back.trainer.pk), "priority": "routine"},
    )
    returned = Referral.objects.get(kind=Kind.RETURN_TO_TRAINING)
    assert (returned.state, returned.previous) == (State.SENT, answered)
    assert "sends this client back to you for training" in get(
        as_(back.trainer), f"/referrals/{returned.pk}/"
    )
    assert "A return is open already" in get(pt, address)
    post(pt, address, {"recipient": str(licensed_pt().pk), "priority": "routine"}, status=422)
    get(as_(back.trainer), address, status=404)
    get(as_(back.other_pt), address, status=404)


def test_the_client_reads_where_they_are_on_the_way_back(back: Back) -> None:
    client = as_(back.client)
    referral = back.sent()
    home = get(client, "/home/")
    assert f"{back.pt.user.first_name} has been asked to see you" in home
    back.accept(referral)
    assert "Book the first visit" in get(client, "/home/")
    lifecycle.begin(actor=back.as_pt, referral_id=referral.pk, at=NOON)
    assert f"{back.pt.user.first_name} leads now" in get(client, "/home/")
