"""The question about sharing: what stands on the page, and what an answer does."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from clients import consent as consents
from clients.models import (
    AccessEntry,
    Client,
    Consent,
    ConsentEvent,
    Guardianship,
    Professional,
    User,
)
from clients.scopes import SUGGESTED, Scope
from referrals import disclosure, lifecycle, sharing
from referrals.models import Referral
from referrals.packets import Packet
from referrals.states import State
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    GuardianshipFactory,
    UserFactory,
    acting,
    asked_consent,
    certified_trainer,
    granted_consent,
    licensed_pt,
)
from tests.pages.reading import as_, get, post, queries_of, switches
from tests.referrals.scenes import Therapy
from tests.referrals.test_lifecycle import Story

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def after_noon(time_machine: Any) -> None:
    """The factories live at NOON; the pages are looked at a little later."""
    time_machine.move_to(NOON + LATER, tick=False)


@pytest.fixture
def story() -> Story:
    return Story()


def waiting(story: Story) -> Consent:
    """A handoff that waits for the client's yes."""
    lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    return Consent.objects.get()


def yes(*classes: str, **over: str) -> dict[str, Any]:
    return {"classes": list(classes), "until": "6", "confirmed": "on", **over}


class TestTheQuestion:
    def test_nothing_is_switched_on_beforehand(self, story: Story) -> None:
        question = waiting(story)
        text = get(as_(story.client), f"/consents/{question.pk}/")
        assert switches(text) == dict.fromkeys(Scope.values, False)
        assert text.count(f"{story.pt.user.first_name} asks for this.") == len(SUGGESTED)

    def test_it_says_everything_that_is_needed_to_decide(self, story: Story) -> None:
        question = waiting(story)
        text = get(as_(story.client), f"/consents/{question.pk}/")
        for words in (
            story.pt.name,
            story.trainer.name,
            story.trainer.practice.name,
            "CSCS",
            question.purpose,
            "Never shared with a trainer",
            "If you say no",
            "If you change your mind",
            "HIPAA",
            "No, share nothing",
            "Yes, share",
            "3 Feb 2027",  # 21 days, then the request is closed
            "13 Jul 2027",  # six months
            "You get a receipt",
        ):
            assert words in text, words

    def test_the_two_answers_look_the_same(self, story: Story) -> None:
        text = get(as_(story.client), f"/consents/{waiting(story).pk}/")
        no, agree = text.index("No, share nothing"), text.index(">Yes, share")
        for place in (no, agree):
            button = text[text.rindex("<button", 0, place) : place]
            assert 'class="btn btn--wide"' in button
        assert "btn--primary" not in text

    def test_the_usual_parts_are_taken_without_a_script_and_nothing_is_saved(
        self, story: Story
    ) -> None:
        question = waiting(story)
        client = as_(story.client)
        data = {"classes": ["note"], "until": "3", "take": "suggested"}
        text = post(client, f"/consents/{question.pk}/", data, status=200)
        assert {name for name, on in switches(text).items() if on} == {*SUGGESTED, "note"}
        assert "Nothing is saved yet" in text
        assert "needs another look" not in text
        assert question.events.count() == 1

    def test_saying_yes(self, story: Story) -> None:
        question = waiting(story)
        client = as_(story.client)
        post(client, f"/consents/{question.pk}/grant/", yes("clearance", "restrictions"))
        found = consents.standing(question, NOON + LATER)
        assert found.classes == {Scope.CLEARANCE, Scope.RESTRICTIONS}
        assert Referral.objects.get().state == State.SENT
        text = get(client, f"/consents/{question.pk}/")
        assert "2 of 7 parts" in text
        assert "13 Jul 2027" in text
        assert f"/consents/{question.pk}/receipt/" in text

    def test_saying_no_costs_nothing_and_is_kept(self, story: Story) -> None:
        question = waiting(story)
        client = as_(story.client)
        post(client, f"/consents/{question.pk}/decline/")
        assert consents.standing(question, NOON + LATER).state == "declined"
        assert Referral.objects.get().state == State.CANCELLED
        text = get(client, f"/consents/{question.pk}/")
        assert "You said no" in text
        assert "/receipt/" not in text
        assert "Decide again" in text

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (yes(), "Choose at least one part to share."),
            (yes("contact"), "at least “That you are ready to train” must be shared"),
            (yes("clearance", confirmed=""), "Tick this once you have read both."),
            (yes("clearance", until=""), "Choose until when."),
            (yes("clearance", until="day"), "Pick the last day of sharing."),
            (yes("clearance", until="day", until_day="2027-01-13"), "Choose a date after today."),
            (yes("clearance", until="day", until_day="2028-02-01"), "within 12 months"),
            (yes("clearance", "nonsense"), "Choose from the parts on this page."),
        ],
    )
    def test_what_is_wrong_is_said_and_what_was_chosen_stays(
        self, story: Story, data: dict[str, Any], words: str
    ) -> None:
        question = waiting(story)
        path = f"/consents/{question.pk}/grant/"
        text = post(as_(story.client), path, data, status=422)
        assert words in text
        assert 'id="error-summary"' in text
        known = set(Scope.values) & set(data["classes"])
        assert {name for name, on in switches(text).items() if on} == known
        assert question.events.count() == 1
        assert Referral.objects.get().state == State.AWAITING_CONSENT

    def test_everything_that_is_missing_is_named_at_once(self, story: Story) -> None:
        question = waiting(story)
        path = f"/consents/{question.pk}/grant/"
        text = post(as_(story.client), path, yes(confirmed=""), status=422)
        assert "What is shared: Choose at least one part to share." in text
        assert "That you have read it: Tick this once you have read both." in text

    def test_a_day_of_ones_own(self, story: Story) -> None:
        question = waiting(story)
        data = yes("clearance", until="day", until_day="2027-02-20")
        post(as_(story.client), f"/consents/{question.pk}/grant/", data)
        ends = consents.standing(question, NOON + LATER).expires_at
        assert ends is not None
        assert ends.isoformat() == "2027-02-21T05:00:00+00:00"

    def test_an_answer_that_came_too_late_is_said(self, story: Story) -> None:
        question = waiting(story)
        consents.withdraw_question(actor=story.as_pt, consent_id=question.pk, at=NOON)
        post(as_(story.client), f"/consents/{question.pk}/grant/", yes("clearance"), status=409)
        post(as_(story.client), f"/consents/{question.pk}/decline/", status=409)
        assert "took the question back" in get(as_(story.client), f"/consents/{question.pk}/")


class TestThePreview:
    def test_it_is_what_the_trainer_reads_word_for_word(self) -> None:
        """The packets are compared, not the pages: both pages show packets by one template."""
        scene = Therapy()
        scene.signed()
        asked = asked_consent(
            client=scene.client, discloser=scene.pt, recipient=scene.trainer, classes=SUGGESTED
        )
        at = NOON + LATER
        before = disclosure.preview(
            actor=scene.as_client, consent_id=asked.pk, classes=SUGGESTED, at=at
        )
        scene.share(*SUGGESTED)
        after = disclosure.disclose(
            actor=scene.as_trainer, client_id=scene.client.pk, purpose="record", at=at
        )
        assert parts_of(before) == parts_of(after)
        assert set(after.shown) == SUGGESTED
        assert after.restrictions.items  # type: ignore[union-attr]  # shared, so not Withheld

    def test_both_pages_show_the_same_words(self) -> None:
        scene = Therapy()
        scene.signed()
        asked = asked_consent(client=scene.client, discloser=scene.pt, recipient=scene.trainer)
        preview = get(as_(scene.client), f"/consents/{asked.pk}/")
        scene.share(*Scope)
        page = get(as_(scene.trainer), f"/clients/{scene.client.pk}/")
        for words in (
            "No pressing overhead.",
            "Row instead.",
            "≤ 10 kg",
            "Rest for two days.",
            "Pain above four for a week.",
            scene.pt.phone,
            "Rotator cuff tear, repaired",
            "30 → 62",
            "Band rows, twice a week.",
            "The repair is young.",
            "Swim 500 m",
        ):
            assert words in preview, words
            assert words in page, words

    def test_it_shows_nothing_of_another_therapist(self) -> None:
        scene = Therapy()
        scene.signed()
        asked = asked_consent(client=scene.client, discloser=scene.pt, recipient=scene.trainer)
        EpisodeFactory.create(
            client=scene.client, pt=licensed_pt(), condition="Something else entirely"
        )
        text = get(as_(scene.client), f"/consents/{asked.pk}/")
        assert "Something else entirely" not in text

    def test_looking_at_it_is_entered_as_ones_own_look(self) -> None:
        scene = Therapy()
        scene.signed()
        asked = asked_consent(client=scene.client, discloser=scene.pt, recipient=scene.trainer)
        get(as_(scene.client), f"/consents/{asked.pk}/")
        entry = AccessEntry.objects.get()
        assert (entry.purpose, entry.actor_id) == ("preview", scene.client.user_id)

    def test_what_people_typed_is_text(self) -> None:
        scene = Therapy()
        evil = "<script>alert(1)</script>"
        User.objects.filter(pk=scene.trainer.user_id).update(first_name=evil)
        note = scene.ready()
        note.flare_up_plan = f'"><img src=x onerror=alert(1)>{evil}'
        note.save(update_fields=["flare_up_plan"])
        scene.sign(note)
        asked = asked_consent(client=scene.client, discloser=scene.pt, recipient=scene.trainer)
        text = get(as_(scene.client), f"/consents/{asked.pk}/")
        assert evil not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;" in text


def parts_of(packet: Packet) -> dict[str, object]:
    return {scope.value: packet.part(scope) for scope in Scope}


class TestSharingNow:
    @pytest.fixture
    def agreed(self) -> tuple[Therapy, Consent]:
        scene = Therapy()
        scene.signed()
        scene.share(Scope.CLEARANCE, Scope.RESTRICTIONS, Scope.NOTE)
        return scene, scene.consent

    def test_narrowing_takes_effect_at_once(self, agreed: tuple[Therapy, Consent]) -> None:
        scene, consent = agreed
        client, trainer = as_(scene.client), as_(scene.trainer)
        page = f"/clients/{scene.client.pk}/"
        assert "Band rows" in get(trainer, page)
        shown = switches(get(client, f"/consents/{consent.pk}/"))
        assert shown == {"clearance": True, "restrictions": True, "note": True}
        post(client, f"/consents/{consent.pk}/narrow/", {"classes": ["restrictions"]})
        text = get(trainer, page)
        assert "Band rows" not in text
        assert "No pressing overhead." in text
        assert "Narrowed to 1 part" in get(client, f"/consents/{consent.pk}/")

    def test_narrowing_to_the_same_is_no_narrowing(self, agreed: tuple[Therapy, Consent]) -> None:
        scene, consent = agreed
        data = {"classes": ["clearance", "restrictions", "note"]}
        text = post(as_(scene.client), f"/consents/{consent.pk}/narrow/", data, status=422)
        assert "Choose fewer parts than are shared now." in text

    def test_more_cannot_be_smuggled_in(self, agreed: tuple[Therapy, Consent]) -> None:
        scene, consent = agreed
        data = {"classes": ["clearance", "history"]}
        post(as_(scene.client), f"/consents/{consent.pk}/narrow/", data, status=422)
        assert Scope.HISTORY not in consents.standing(consent, NOON + LATER).classes

    def test_switching_everything_off_leads_to_stopping(
        self, agreed: tuple[Therapy, Consent]
    ) -> None:
        scene, consent = agreed
        answer = as_(scene.client).post(f"/consents/{consent.pk}/narrow/", {})
        assert answer["Location"] == f"/consents/{consent.pk}/revoke/"

    def test_stopping_takes_two_taps_from_the_first_page(
        self, agreed: tuple[Therapy, Consent]
    ) -> None:
        scene, consent = agreed
        client = as_(scene.client)
        stop = f"/consents/{consent.pk}/revoke/"
        assert stop in get(client, "/home/")
        assert "Stop sharing now" in get(client, stop)
        post(client, stop)
        assert not consents.standing(consent, NOON + LATER).is_active
        text = get(as_(scene.trainer), f"/clients/{scene.client.pk}/")
        assert "Band rows" not in text
        assert "No pressing overhead." not in text
        text = get(client, f"/consents/{consent.pk}/")
        assert "Sharing was stopped on" in text
        assert client.get(stop).status_code == 303
        post(client, stop, status=409)

    def test_sharing_more_is_a_new_question(self, agreed: tuple[Therapy, Consent]) -> None:
        scene, consent = agreed
        client = as_(scene.client)
        answer = client.post(f"/consents/{consent.pk}/again/")
        anew = Consent.objects.exclude(pk=consent.pk).get()
        assert answer["Location"] == f"/consents/{anew.pk}/"
        assert consents.standing(consent, NOON + LATER).is_active
        assert switches(get(client, f"/consents/{anew.pk}/")) == dict.fromkeys(Scope.values, False)
        post(client, f"/consents/{anew.pk}/grant/", yes("clearance", "history"))
        text = get(client, f"/consents/{consent.pk}/")
        assert "A newer answer took the place" in text
        assert "/receipt/" in text

    def test_after_the_last_day_the_page_says_so(
        self, agreed: tuple[Therapy, Consent], time_machine: Any
    ) -> None:
        scene, consent = agreed
        time_machine.move_to(NOON + timedelta(days=200))
        text = get(as_(scene.client), f"/consents/{consent.pk}/")
        assert "Sharing ended after" in text
        assert "Band rows" not in text

    def test_paused_while_an_account_is_off(self, agreed: tuple[Therapy, Consent]) -> None:
        scene, consent = agreed
        User.objects.filter(pk=scene.trainer.user_id).update(is_active=False)
        text = get(as_(scene.client), f"/consents/{consent.pk}/")
        assert "Paused" in text
        assert "Stop sharing" in text
        assert "Share more or longer" not in text


class TestReceipts:
    def test_page_and_files_hold_what_was_agreed(self) -> None:
        scene = Therapy()
        consent = granted_consent(
            client=scene.client,
            discloser=scene.pt,
            recipient=scene.trainer,
            classes=frozenset({Scope.CLEARANCE, Scope.CONTACT}),
        )
        client = as_(scene.client)
        text = get(client, f"/consents/{consent.pk}/receipt/")
        for words in (scene.pt.name, scene.trainer.name, "That you are ready to train", "In force"):
            assert words in text
        answer = client.get(f"/consents/{consent.pk}/receipt.json")
        held = json.loads(answer.content)
        purpose = held["pii_processing"]["purposes"][0]
        shared = [line["pii_type"] for line in purpose["pii_information"]]
        assert shared == ["clearance", "contact"]
        assert [each["party_name"] for each in held["party_identification"]] == [
            *(scene.client.name, scene.pt.name, scene.trainer.name),
        ]
        words = held["pii_processing"]["privacy_notice"]
        assert words["version"] == consent.notice_version
        assert len(words["sha256"]) == 64
        assert [event["event_type"] for event in held["events"]] == ["requested", "granted"]
        assert held["receipt"]["receipt_id"].startswith(str(consent.pk))
        assert answer["Content-Disposition"] == 'attachment; filename="receipt.json"'
        answer = client.get(f"/consents/{consent.pk}/receipt.pdf")
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")

    def test_the_same_receipt_however_often(self) -> None:
        scene = Therapy()
        scene.share(Scope.CLEARANCE)
        client = as_(scene.client)
        for kind in ("json", "pdf"):
            path = f"/consents/{scene.consent.pk}/receipt.{kind}"
            assert client.get(path).content == client.get(path).content

    def test_after_stopping_it_stays_readable(self) -> None:
        scene = Therapy()
        scene.share(Scope.CLEARANCE)
        sharing.revoke(actor=scene.as_client, consent_id=scene.consent.pk, at=NOON + LATER)
        text = get(as_(scene.client), f"/consents/{scene.consent.pk}/receipt/")
        assert "No longer in force" in text
        assert "That you are ready to train" in text

    def test_none_without_an_agreement_and_none_of_another_kind(self, story: Story) -> None:
        question = waiting(story)
        client = as_(story.client)
        get(client, f"/consents/{question.pk}/receipt/", 409)
        post(client, f"/consents/{question.pk}/grant/", yes("clearance"))
        get(client, f"/consents/{question.pk}/receipt.exe", 404)


class TestOthers:
    PAGES = ("", "revoke/", "receipt/", "receipt.json", "receipt.pdf")
    ACTS = ("grant/", "decline/", "narrow/", "revoke/", "again/", "")

    def test_nobody_else_finds_or_answers_it(self) -> None:
        scene = Therapy()
        scene.share(Scope.CLEARANCE)
        strangers: list[User | Professional | Client] = [
            scene.pt,
            scene.trainer,
            certified_trainer(),
            ClientFactory.create(),
            GuardianshipFactory.create().user,
        ]
        for somebody in strangers:
            browser = as_(somebody)
            for page in self.PAGES:
                get(browser, f"/consents/{scene.consent.pk}/{page}", 404)
            for act in self.ACTS:
                post(browser, f"/consents/{scene.consent.pk}/{act}", yes("clearance"), status=404)
        assert ConsentEvent.objects.count() == 2
        for page in self.PAGES:
            assert Browser().get(f"/consents/{scene.consent.pk}/{page}").status_code == 302
            get(as_(scene.client), f"/consents/{uuid4()}/{page}", 404)


class TestMinors:
    @pytest.fixture
    def asked(self) -> tuple[Client, User, Consent]:
        scene = Therapy()
        Client.objects.filter(pk=scene.client.pk).update(birth_date=date(2011, 6, 1))
        scene.client.refresh_from_db()
        scene.signed()
        guardian = GuardianshipFactory.create(client=scene.client).user
        consent = asked_consent(client=scene.client, discloser=scene.pt, recipient=scene.trainer)
        return scene.client, guardian, consent

    def test_the_guardian_decides_and_it_says_for_whom(
        self, asked: tuple[Client, User, Consent]
    ) -> None:
        minor, guardian, consent = asked
        browser = as_(guardian)
        text = get(browser, f"/consents/{consent.pk}/")
        assert f"on behalf of <strong>{minor.name}</strong>" in text
        assert f"some of {minor.first_name}\u2019s record?" in text
        post(browser, f"/consents/{consent.pk}/grant/", yes("clearance"))
        event = ConsentEvent.objects.latest("number")
        assert (event.authority, event.by) == ("guardian", guardian)
        held = json.loads(browser.get(f"/consents/{consent.pk}/receipt.json").content)
        entity = held["events"][-1]["entity"]
        assert (entity["authority"], entity["name"]) == ("guardian", guardian.name)

    def test_the_minor_reads_it_and_cannot_decide(
        self, asked: tuple[Client, User, Consent]
    ) -> None:
        minor, _, consent = asked
        browser = as_(minor)
        text = get(browser, f"/consents/{consent.pk}/")
        assert "Your guardian decides" in text
        assert switches(text) == {}
        assert "Yes, share" not in text
        assert "No pressing overhead." in text
        post(browser, f"/consents/{consent.pk}/grant/", yes("clearance"), status=403)
        post(browser, f"/consents/{consent.pk}/decline/", status=403)
        assert consent.events.count() == 1

    def test_the_minor_may_stop(self, asked: tuple[Client, User, Consent]) -> None:
        minor, guardian, consent = asked
        sharing.grant(
            actor=acting(guardian),
            consent_id=consent.pk,
            classes=[Scope.CLEARANCE],
            expires_on=date(2027, 3, 1),
            at=NOON,
        )
        browser = as_(minor)
        text = get(browser, f"/consents/{consent.pk}/")
        assert "Stop sharing" in text
        assert switches(text) == {}
        assert "Share more or longer" not in text
        post(browser, f"/consents/{consent.pk}/revoke/")
        assert not consents.standing(consent, NOON + LATER).is_active

    def test_an_unverified_guardian_finds_nothing(
        self, asked: tuple[Client, User, Consent]
    ) -> None:
        minor, guardian, consent = asked
        Guardianship.objects.update(verified_at=None, verified_by=None)
        browser = as_(guardian)
        get(browser, f"/consents/{consent.pk}/", 404)
        get(browser, "/consents/", 404)
        post(browser, f"/consents/{consent.pk}/grant/", yes("clearance"), status=404)
        text = get(browser, "/home/")
        assert "not verified yet" in text
        assert minor.first_name not in text
        assert minor.last_name not in text


class TestTheList:
    def test_waiting_running_and_over(self) -> None:
        scene = Therapy()
        waits, runs, over = certified_trainer(), certified_trainer(), certified_trainer()
        asked = asked_consent(client=scene.client, discloser=scene.pt, recipient=waits)
        agreed = granted_consent(client=scene.client, discloser=scene.pt, recipient=runs)
        stopped = granted_consent(client=scene.client, discloser=scene.pt, recipient=over)
        sharing.revoke(actor=scene.as_client, consent_id=stopped.pk, at=NOON)
        text = get(as_(scene.client), "/consents/")
        parts = [
            text.index("Waiting for an answer"),
            text.index(f"/consents/{asked.pk}/"),
            text.index("Shared now"),
            text.index(f"/consents/{agreed.pk}/revoke/"),
            text.index(">Over<"),
            text.index(f"/consents/{stopped.pk}/"),
        ]
        assert parts == sorted(parts)
        assert f"/consents/{stopped.pk}/revoke/" not in text

    def test_it_takes_as_many_queries_for_many_as_for_one(self) -> None:
        scene = Therapy()
        client = as_(scene.client)
        granted_consent(client=scene.client, discloser=scene.pt, recipient=certified_trainer())
        asked_consent(client=scene.client, discloser=scene.pt, recipient=certified_trainer())
        get(client, "/consents/")
        few = queries_of(client, "/consents/")
        for _ in range(6):
            granted_consent(client=scene.client, discloser=scene.pt, recipient=certified_trainer())
            asked_consent(client=scene.client, discloser=scene.pt, recipient=certified_trainer())
        assert queries_of(client, "/consents/") == few

    def test_a_stranger_has_an_empty_one(self) -> None:
        text = get(as_(ClientFactory.create()), "/consents/")
        assert "Nothing is shared" in text
        get(as_(UserFactory.create()), "/consents/", 404)


def test_the_addresses_of_the_answers_lead_back_to_the_question(story: Story) -> None:
    question = waiting(story)
    client = as_(story.client)
    for act in ("grant", "decline", "narrow", "again"):
        answer = client.get(f"/consents/{question.pk}/{act}/")
        assert (answer.status_code, answer["Location"]) == (303, f"/consents/{question.pk}/")
    assert question.events.count() == 1
