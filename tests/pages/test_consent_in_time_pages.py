"""Pages of renewal, objection, the end of training, requests, what would change and the exact look
at the record as its recipient."""

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from unittest import mock

import pytest
from django.test import Client as Browser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients import consent as consents
from clients import scopes
from clients.consent import ConsentState
from clients.models import AccessEntry, Client, Consent
from clients.scopes import SUGGESTED, Scope
from referrals import lifecycle, reminders, sharing
from referrals.models import Reminder
from referrals.reminders.rules import Rule
from tests.factories import NOON, GuardianshipFactory, asked_consent, granted_consent
from tests.pages.reading import as_, get, post, switches
from tests.referrals.test_lifecycle import Story
from tests.referrals.test_sharing_in_time import MAJORITY, Growing

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=5)
AT = NOON + LATER


@pytest.fixture(autouse=True)
def after_noon(time_machine: Any) -> Any:
    time_machine.move_to(AT, tick=False)
    return time_machine


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def growing() -> Growing:
    return Growing()


def asked_of(story: Story) -> Consent:
    return asked_consent(client=story.client, discloser=story.pt, recipient=story.trainer)


def agreed_by(story: Story, signer: Any = None, **over: Any) -> Consent:
    return granted_consent(
        client=story.client, discloser=story.pt, recipient=story.trainer, signer=signer, **over
    )


def yes(*classes: str, **over: str) -> dict[str, Any]:
    return {"classes": list(classes), "until": "6", "confirmed": "on", **over}


class TestRenewal:
    def test_it_is_offered_in_the_list_on_the_page_and_by_the_reminder(self, story: Story) -> None:
        consent = agreed_by(story, days=20)
        reminders.consent_changed(consent, at=NOON)
        address = f"/consents/{consent.pk}/renew/"
        client = as_(story.client)
        assert address in get(client, "/consents/")
        assert address in get(client, f"/consents/{consent.pk}/")
        row = Reminder.objects.filter(rule=Rule.CONSENT_ENDING.value).order_by("due_at")[0]
        from referrals.reminders.wording import path  # noqa: PLC0415 (the address alone)

        assert path(row) == address

    def test_the_same_parts_go_on(self, story: Story) -> None:
        consent = agreed_by(story, days=20)
        client = as_(story.client)
        text = get(client, f"/consents/{consent.pk}/renew/")
        assert "there is no gap" in text
        post(client, f"/consents/{consent.pk}/renew/", {"until": "12"})
        now = consents.standing(consent, AT)
        assert now.classes == SUGGESTED
        assert now.expires_at == datetime(2028, 1, 14, 5, tzinfo=UTC)
        assert "Renewed: the same 4 parts" in get(client, f"/consents/{consent.pk}/")

    def test_only_later_days_are_offered_and_taken(self, story: Story) -> None:
        consent = agreed_by(story, days=120)
        client = as_(story.client)
        address = f"/consents/{consent.pk}/renew/"
        text = get(client, address)
        assert 'value="3"' not in text
        for data, words in [
            ({}, "Choose until when."),
            ({"until": "3"}, "Select a valid choice"),
            ({"until": "day"}, "Pick the last day of sharing."),
            ({"until": "day", "until_day": "2027-02-01"}, "Choose a later day than now."),
            ({"until": "day", "until_day": "2029-02-01"}, "Choose a date within 12 months."),
        ]:
            assert words in post(client, address, data, status=422), data

    def test_a_day_of_ones_own(self, story: Story) -> None:
        consent = agreed_by(story, days=360)
        client = as_(story.client)
        address = f"/consents/{consent.pk}/renew/"
        post(client, address, {"until": "day", "until_day": "2028-01-13"})
        assert consents.standing(consent, AT).expires_at == datetime(2028, 1, 14, 5, tzinfo=UTC)

    def test_what_cannot_be_renewed_leads_to_the_question(
        self, story: Story, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = as_(story.client)
        question = asked_of(story)
        answer = client.get(f"/consents/{question.pk}/renew/")
        assert answer["Location"] == f"/consents/{question.pk}/"
        consent = agreed_by(story)
        monkeypatch.setattr(scopes, "NOTICE_VERSION", "2027-01")
        answer = client.post(f"/consents/{consent.pk}/renew/", {"until": "12"})
        assert answer["Location"] == f"/consents/{consent.pk}/"
        assert consent.events.count() == 2
        assert "Share more or longer" in get(client, f"/consents/{consent.pk}/")


class TestObjecting:
    def test_a_minor_objects_and_the_guardian_reads_it_before_they_agree(
        self, growing: Growing
    ) -> None:
        question = asked_of(growing)
        minor, guardian = as_(growing.client), as_(growing.guardian.user)
        address = f"/consents/{question.pk}/"
        assert f"{address}object/" in get(minor, address)
        assert f"{address}object/" not in get(guardian, address)
        assert "cannot agree without having read it" in get(minor, f"{address}object/")
        post(minor, f"{address}object/")
        assert f"{address}object/" not in get(minor, address)
        text = get(guardian, address)
        assert "There is an objection" in text
        assert "I know that" in text
        refused = post(guardian, f"{address}grant/", yes("clearance"), status=422)
        assert "Tick that you know of the objection." in refused
        assert consents.standing(question, AT).state is ConsentState.REQUESTED
        post(guardian, f"{address}grant/", yes("clearance", knows_objection="on"))
        assert consents.standing(question, AT).is_active
        for reader in (minor, guardian):
            assert "Objected" in get(reader, address)

    def test_an_objection_to_what_is_shared_stops_it(self, growing: Growing) -> None:
        consent = agreed_by(growing, growing.guardian.user)
        minor = as_(growing.client)
        text = get(minor, f"/consents/{consent.pk}/object/")
        assert "Sharing stops at once" in text
        post(minor, f"/consents/{consent.pk}/object/")
        assert consents.standing(consent, AT).state is ConsentState.REVOKED
        guardian = as_(growing.guardian.user)
        assert "There is an objection" in get(guardian, f"/consents/{consent.pk}/")

    def test_there_is_nothing_to_object_to_for_those_who_decide(self, story: Story) -> None:
        question = asked_of(story)
        client = as_(story.client)
        answer = client.get(f"/consents/{question.pk}/object/")
        assert answer["Location"] == f"/consents/{question.pk}/"
        post(client, f"/consents/{question.pk}/object/", status=403)
        get(as_(story.pt), f"/consents/{question.pk}/object/", status=404)


class TestComingOfAge:
    def test_the_young_adult_reads_that_they_are_asked_now(
        self, growing: Growing, after_noon: Any
    ) -> None:
        agreed = agreed_by(growing, growing.guardian.user)
        after_noon.move_to(MAJORITY - timedelta(seconds=1), tick=False)
        minor, guardian = as_(growing.client), as_(growing.guardian.user)
        get(guardian, f"/consents/{agreed.pk}/")
        after_noon.move_to(MAJORITY, tick=False)
        sharing.ask_anew_of_age(at=MAJORITY)
        get(guardian, f"/consents/{agreed.pk}/", status=404)
        anew = Consent.objects.exclude(pk=agreed.pk).get()
        text = get(minor, f"/consents/{anew.pk}/")
        assert "You are of age now" in text
        assert not any(switches(text).values())
        assert "Read and answer" in get(minor, "/consents/")
        assert "Ended by itself" in get(minor, f"/consents/{agreed.pk}/")


class TestUntilTrainingEnds:
    def test_it_can_be_chosen_where_a_training_can_end(self, story: Story) -> None:
        lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
        question = Consent.objects.get()
        client = as_(story.client)
        assert "Training ends" in get(client, f"/consents/{question.pk}/")
        post(
            client,
            f"/consents/{question.pk}/grant/",
            yes("clearance", until="training"),
        )
        now = consents.standing(question, AT)
        assert now.until_training_ends
        assert now.expires_at == datetime(2028, 1, 14, 5, tzinfo=UTC)
        for address in (f"/consents/{question.pk}/", "/consents/"):
            assert "training ends, at the latest" in get(client, address)

    def test_it_is_not_offered_without(self, story: Story) -> None:
        question = asked_of(story)
        client = as_(story.client)
        assert "Training ends" not in get(client, f"/consents/{question.pk}/")
        data = yes("clearance", until="training")
        assert "Select a valid choice" in post(
            client, f"/consents/{question.pk}/grant/", data, status=422
        )


class TestWhatIf:
    def test_stopping_says_what_each_part_means(self, story: Story) -> None:
        consent = agreed_by(story)
        text = get(as_(story.client), f"/consents/{consent.pk}/revoke/")
        assert text.count("No longer shared") == len(SUGGESTED)
        assert "They still hold" in text

    @pytest.mark.parametrize("htmx", [True, False])
    def test_narrowing_shows_it_before_and_saves_nothing(self, story: Story, htmx: bool) -> None:
        consent = agreed_by(story)
        client = as_(story.client)
        kept = {"classes": ["clearance", "contact", "training_feedback"]}
        headers = {"HX-Request": "true"} if htmx else {}
        answer = client.post(f"/consents/{consent.pk}/what-if/", kept, headers=headers)
        text = answer.content.decode()
        assert text.count("No longer shared") == 1
        assert text.count("Stays shared") == 3
        assert text.count("Stays private") == 3
        assert "must not train you against limits" in re.sub(r"\s+", " ", text)
        assert ("<html" in text) is not htmx
        assert consents.standing(consent, AT).classes == SUGGESTED

    def test_an_answer_that_takes_the_place_of_another_shows_gains_and_losses(
        self, story: Story
    ) -> None:
        agreed_by(story)
        question = asked_of(story)
        client = as_(story.client)
        page = get(client, f"/consents/{question.pk}/")
        assert page.count("Shared now.") == len(SUGGESTED)
        assert not any(switches(page).values())
        text = post(
            client, f"/consents/{question.pk}/what-if/", {"classes": ["outcomes"]}, status=200
        )
        assert text.count("No longer shared") == len(SUGGESTED)
        assert text.count(">New<") == 1 or "New" in text
        taken = post(
            client, f"/consents/{question.pk}/", {"take": "present", "until": "6"}, status=200
        )
        assert {name for name, on in switches(taken).items() if on} == set(SUGGESTED)

    def test_it_leads_to_the_question_when_there_is_nothing_to_weigh(self, story: Story) -> None:
        consent = agreed_by(story)
        client = as_(story.client)
        assert client.get(f"/consents/{consent.pk}/what-if/").status_code == 303
        sharing.revoke(actor=story.as_client, consent_id=consent.pk, at=AT)
        assert client.post(f"/consents/{consent.pk}/what-if/", {}).status_code == 303
        get(as_(story.trainer), f"/consents/{consent.pk}/what-if/", status=404)


class TestTheWords:
    def test_those_it_was_asked_in_are_shown_and_match(self, story: Story) -> None:
        consent = agreed_by(story)
        text = get(as_(story.client), f"/consents/{consent.pk}/")
        assert scopes.notice().digest() in text
        assert "their fingerprint is the one in the record" in text

    def test_a_newer_version_changes_no_older_question(self, story: Story) -> None:
        consent = agreed_by(story)
        client = as_(story.client)
        before = get(client, f"/consents/{consent.pk}/receipt.json")
        newer = _newer_notice()
        notices = {**scopes.NOTICES, newer.version: newer}
        with (
            mock.patch.object(scopes, "NOTICES", notices),
            mock.patch.object(scopes, "NOTICE_VERSION", newer.version),
        ):
            assert get(client, f"/consents/{consent.pk}/receipt.json") == before
            text = get(client, f"/consents/{consent.pk}/")
            assert "Version 2026-11." in text
            assert "their fingerprint is the one in the record" in text
            asked = asked_of(story)
            assert "Version 2027-01." in get(client, f"/consents/{asked.pk}/")

    def test_a_wording_edited_in_place_is_noticed(self, story: Story) -> None:
        consent = agreed_by(story)
        edited = _newer_notice(version="2026-11")
        with mock.patch.object(scopes, "NOTICES", {"2026-11": edited}):
            text = get(as_(story.client), f"/consents/{consent.pk}/")
        assert "These are not the words in the record." in text
        assert scopes.notice().digest() in text


def _newer_notice(version: str = "2027-01") -> scopes.Notice:
    from dataclasses import replace  # noqa: PLC0415 (two tests make another wording)

    return replace(scopes.notice(), version=version, copy="Another wording altogether.")


class TestAsking:
    def test_a_trainer_asks_and_the_client_sees_who_and_why(self, story: Story) -> None:
        story.accepted()
        trainer = as_(story.trainer)
        address = f"/clients/{story.client.pk}/ask/"
        assert address in get(trainer, f"/clients/{story.client.pk}/")
        text = get(trainer, address)
        assert "shared now" in text
        assert set(switches(text)) == {"history", "outcomes", "note"}
        data = {
            "other": str(story.pt.pk),
            "classes": ["outcomes"],
            "purpose": "To set the loads of the next weeks",
        }
        post(trainer, address, data)
        question = Consent.objects.order_by("-asked_at")[0]
        told = get(as_(story.client), f"/consents/{question.pk}/")
        assert "asks: may I see some of your record?" in told
        assert "To set the loads of the next weeks" in told
        assert told.count("asks for this.") == 1  # the others are shared already
        assert "Waiting" in get(trainer, address)

    def test_a_no_tells_them_only_that_it_is_not_shared(self, story: Story) -> None:
        story.accepted()
        trainer = as_(story.trainer)
        address = f"/clients/{story.client.pk}/ask/"
        data = {"other": str(story.pt.pk), "classes": ["note"], "purpose": "To read it"}
        post(trainer, address, data)
        question = Consent.objects.order_by("-asked_at")[0]
        sharing.decline(actor=story.as_client, consent_id=question.pk, at=AT)
        text = get(trainer, address)
        assert "Not shared" in text
        assert "declined" not in text.lower()
        assert consents.live(client_id=story.client.pk, at=AT)[0].classes == SUGGESTED

    def test_a_therapist_asks_for_the_trainer(self, story: Story) -> None:
        story.accepted()
        pt = as_(story.pt)
        address = f"/clients/{story.client.pk}/ask/"
        data = {"other": str(story.trainer.pk), "classes": ["history"], "purpose": "To be safe"}
        post(pt, address, data)
        assert Consent.objects.order_by("-asked_at")[0].asked_by == story.pt.user

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ({"purpose": "Why"}, "Choose at least one part to ask for."),
            ({"classes": ["note"]}, "Say why you ask"),
            ({"classes": ["clearance"], "purpose": "Why"}, "This is shared already."),
        ],
    )
    def test_what_is_missing_is_named(self, story: Story, data: dict[str, Any], words: str) -> None:
        story.accepted()
        address = f"/clients/{story.client.pk}/ask/"
        whole = {"other": str(story.pt.pk), **data}
        assert words in post(as_(story.trainer), address, whole, status=422)

    def test_strangers_and_those_who_wait_find_nothing(self, story: Story) -> None:
        story.sent()
        address = f"/clients/{story.client.pk}/ask/"
        for somebody in (story.trainer, story.client, Story().trainer, Story().pt):
            get(as_(somebody), address, status=404)

    def test_a_fourth_question_is_refused(self, story: Story) -> None:
        story.accepted()
        trainer = as_(story.trainer)
        address = f"/clients/{story.client.pk}/ask/"
        data = {"other": str(story.pt.pk), "classes": ["note"], "purpose": "To read it"}
        for _ in range(3):
            post(trainer, address, data)
            newest = Consent.objects.order_by("-asked_at", "-id")
            question = next(
                each for each in newest if consents.standing(each, AT).state == "requested"
            )
            sharing.decline(actor=story.as_client, consent_id=question.pk, at=AT)
        post(trainer, address, data, status=403)


class _Parts(HTMLParser):
    """The places of a page that are made of one part each, as the bytes that they are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.found, self.open = text, {}, []
        self.lines = [0]
        for line in text.split("\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)
        self.feed(text)

    text: str
    found: dict[str, str]
    open: list[tuple[str | None, int]]

    def place(self) -> int:
        line, column = self.getpos()
        return self.lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "div":
            self.open.append((dict(attrs).get("data-part"), self.place()))

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            name, start = self.open.pop()
            if name is not None:
                self.found[name] = self.text[start : self.place()]


def parts_of(text: str) -> dict[str, str]:
    return _Parts(text).found


class TestViewAs:
    @settings(
        max_examples=20,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(classes=st.frozensets(st.sampled_from(list(Scope))))
    def test_it_is_the_recipients_page_to_the_byte(
        self, story: Story, classes: frozenset[Scope]
    ) -> None:
        if not Consent.objects.exists():
            story.running()
        wanted = classes or SUGGESTED
        asked = asked_of(story)
        client, trainer = as_(story.client), as_(story.trainer)
        before = {"classes": sorted(wanted)}
        looked = post(client, f"/consents/{asked.pk}/view-as/", before, status=200)
        consents.grant(
            actor=story.as_client,
            consent_id=asked.pk,
            classes=wanted,
            expires_on=date(2027, 6, 1),
            at=NOON,
        )
        read = get(trainer, f"/clients/{story.client.pk}/")
        there, here = parts_of(read), parts_of(looked)
        assert set(Scope.values) <= set(there)
        assert here == there
        assert parts_of(get(client, f"/consents/{asked.pk}/view-as/")) == there
        for scope in Scope:
            assert ("Not shared" in here[scope.value]) is (scope not in wanted)
        if not classes:
            sharing.revoke(actor=story.as_client, consent_id=asked.pk, at=AT)
            nothing = parts_of(post(client, f"/consents/{asked.pk}/view-as/", {}, status=200))
            assert nothing == parts_of(get(trainer, f"/clients/{story.client.pk}/"))

    def test_a_look_is_entered_as_the_clients_own(self, story: Story) -> None:
        consent = agreed_by(story)
        get(as_(story.client), f"/consents/{consent.pk}/view-as/")
        entry = AccessEntry.objects.order_by("-number")[0]
        assert (entry.actor_id, entry.purpose) == (story.client.user_id, "preview")
        for somebody in (story.trainer, story.pt, Story().client):
            get(as_(somebody), f"/consents/{consent.pk}/view-as/", status=404)


def test_browsers_and_guardians_of_others_find_none_of_it(story: Story) -> None:
    consent = agreed_by(story)
    stranger = GuardianshipFactory.create(client=Client.objects.get(pk=Growing().client.pk)).user
    for name in ("renew", "object", "what-if", "view-as"):
        get(as_(stranger), f"/consents/{consent.pk}/{name}/", status=404)
        assert Browser().get(f"/consents/{consent.pk}/{name}/").status_code == 302
