"""The page of a handoff as its trainer uses it: the envelope, each step, with and without htmx."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from clients.models import Consent, Credential
from clients.scopes import SUGGESTED, Scope
from referrals import lifecycle, sharing
from referrals.models import LoopReport, Referral, ReferralMessage
from referrals.reasons import CancelReason
from referrals.states import State
from tests.factories import NOON, ClientFactory, certified_trainer, granted_consent, licensed_pt
from tests.pages.reading import as_, get, refused, submit
from tests.referrals.test_lifecycle import LAST_DAY, Story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
DAY = timedelta(days=1)
CLINICAL = (
    "Rotator cuff tear, repaired",
    "M75.121",
    "No pressing overhead.",
    "Row instead.",
    "Band rows, twice a week.",
    "Rest for two days",
    "Come back if pain",
)
either = pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])


@pytest.fixture
def story() -> Story:
    return Story()


def page_of(referral: Referral, step: str = "") -> str:
    return f"/referrals/{referral.pk}/" + (f"{step}/" if step else "")


def state_of(referral: Referral) -> str:
    referral.refresh_from_db()
    return referral.state


def offered(text: str) -> list[str]:
    """The steps a page offers, the leading one first."""
    return re.findall(r'action="/referrals/[0-9a-f-]{36}/([a-z-]+)/"', text)


def fact(text: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt><dd>(.*?)</dd>", text, re.S)
    assert found is not None, name
    return re.sub(r"<[^>]+>", "", found.group(1)).strip()


class TestTheEnvelope:
    def sent(self, story: Story, classes: frozenset[Scope]) -> Referral:
        granted_consent(
            client=story.client, discloser=story.pt, recipient=story.trainer, classes=classes
        )
        return lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)

    @pytest.mark.parametrize(
        ("classes", "clearance", "limits"),
        [
            (SUGGESTED, "Cleared, with limits", "Yes. You see them once you accept."),
            (frozenset({Scope.CLEARANCE}), "Cleared, with limits", "Not shared"),
            (frozenset(Scope), "Cleared, with limits", "Yes. You see them once you accept."),
        ],
    )
    def test_it_says_what_was_agreed_and_never_more(
        self, story: Story, classes: frozenset[Scope], clearance: str, limits: str
    ) -> None:
        referral = self.sent(story, classes)
        text = get(as_(story.trainer), page_of(referral))
        assert fact(text, "Clearance") == clearance
        assert fact(text, "Limits") == limits
        assert fact(text, "Client") == f"{story.client.first_name} {story.client.last_name[0]}."
        assert "Swim 1 km" in text
        assert not [words for words in CLINICAL if words in text]
        assert story.client.last_name not in text
        assert str(story.client.pk) not in text

    def test_when_the_client_stops_before_the_answer_both_are_not_shared(
        self, story: Story
    ) -> None:
        referral = self.sent(story, SUGGESTED)
        sharing.revoke(actor=story.as_client, consent_id=Consent.objects.get().pk, at=NOON)
        text = get(as_(story.trainer), page_of(referral))
        assert fact(text, "Clearance") == fact(text, "Limits") == "Not shared"

    def test_there_is_none_while_the_client_has_not_agreed(self, story: Story) -> None:
        referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
        for step in ("", "accept", "decline"):
            get(as_(story.trainer), page_of(referral, step), 404)
        refused(as_(story.trainer), page_of(referral, "accept"), 404)

    @pytest.mark.parametrize("state", [State.DECLINED, State.CANCELLED, State.EXPIRED])
    def test_there_is_none_once_it_is_over(self, story: Story, state: State) -> None:
        referral = self.sent(story, frozenset(Scope))
        Referral.objects.filter(pk=referral.pk).update(state=state, closed_at=NOON)
        text = get(as_(story.trainer), page_of(referral))
        assert "The request" not in text
        assert "Swim 1 km" not in text
        assert story.client.last_name not in text
        assert not [words for words in CLINICAL if words in text]
        assert offered(text) == []

    def test_opening_a_step_does_not_count_as_seen_but_the_page_does(self, story: Story) -> None:
        referral = self.sent(story, SUGGESTED)
        get(as_(story.trainer), page_of(referral, "decline"))
        assert state_of(referral) == State.SENT
        get(as_(story.pt), page_of(referral))
        assert state_of(referral) == State.SENT
        get(as_(story.trainer), page_of(referral))
        assert state_of(referral) == State.VIEWED


class TestAnswering:
    @either
    def test_accepting_opens_the_clients_page(self, story: Story, htmx: bool) -> None:
        referral = story.sent()
        trainer = as_(story.trainer)
        get(trainer, f"/clients/{story.client.pk}/", 404)
        assert submit(trainer, page_of(referral, "accept"), htmx=htmx) == page_of(referral)
        text = get(trainer, page_of(referral))
        assert "Accepted. The sender knows." in text
        assert f'href="/clients/{story.client.pk}/"' in text
        assert story.client.name in text
        get(trainer, f"/clients/{story.client.pk}/")

    def test_what_the_client_wants_to_train_for_stays_readable(self, story: Story) -> None:
        referral = story.accepted()
        assert "Swim 1 km" in get(as_(story.trainer), page_of(referral))
        sharing.revoke(actor=story.as_client, consent_id=Consent.objects.get().pk, at=NOON)
        assert "Swim 1 km" not in get(as_(story.trainer), page_of(referral))

    @either
    def test_without_a_reason_a_no_comes_back_as_typed(self, story: Story, htmx: bool) -> None:
        referral = story.sent()
        typed = {"decline-reason_text": "Full until March"}
        text = refused(as_(story.trainer), page_of(referral, "decline"), 422, typed, htmx=htmx)
        assert "Full until March" in text
        assert 'id="step-decline"' in text
        assert 'href="#id_decline-reason_code"' in text
        assert ('id="step-accept"' in text) is not htmx
        assert state_of(referral) in (State.SENT, State.VIEWED)

    @either
    def test_a_no_ends_it_and_the_page_says_so(self, story: Story, htmx: bool) -> None:
        referral = story.sent()
        submit(
            as_(story.trainer),
            page_of(referral, "decline"),
            {"decline-reason_code": "no_capacity"},
            htmx=htmx,
        )
        text = get(as_(story.trainer), page_of(referral))
        assert state_of(referral) == State.DECLINED
        assert "Declined" in text
        get(as_(story.trainer), f"/clients/{story.client.pk}/", 404)

    @either
    def test_a_question_waits_for_the_sender(self, story: Story, htmx: bool) -> None:
        referral = story.sent()
        step = page_of(referral, "ask")
        assert "Your message" in refused(as_(story.trainer), step, 422, {}, htmx=htmx)
        submit(as_(story.trainer), step, {"ask-text": "Mornings?"}, htmx=htmx)
        assert state_of(referral) == State.INFO_REQUESTED
        text = get(as_(story.trainer), page_of(referral))
        assert "Mornings?" in text
        assert offered(text) == ["decline"]
        assert ReferralMessage.objects.get().author == story.trainer

    @either
    def test_a_step_that_is_over_is_refused_and_changes_nothing(
        self, story: Story, htmx: bool
    ) -> None:
        referral = story.accepted()
        refused(as_(story.trainer), page_of(referral, "accept"), 409, htmx=htmx)
        refused(as_(story.pt), page_of(referral, "begin"), 403, htmx=htmx)
        refused(as_(story.trainer), page_of(referral, "nonsense"), 404, htmx=htmx)
        refused(as_(story.trainer), page_of(referral, "supersede"), 404, htmx=htmx)
        assert state_of(referral) == State.ACCEPTED


class TestPapersThatRanOut:
    @pytest.fixture
    def lapsed(self, story: Story) -> Referral:
        referral = story.sent()
        Credential.objects.filter(
            user=story.trainer.user, kind=Credential.Kind.TRAINER_CERTIFICATION
        ).update(expires_on=NOON.date() - DAY)
        return referral

    def test_the_page_says_why_and_offers_no_yes(self, story: Story, lapsed: Referral) -> None:
        text = get(as_(story.trainer), page_of(lapsed))
        assert "You cannot accept right now" in text
        assert "A verified trainer certification, valid today, is missing." in text
        assert set(offered(text)) == {"decline", "ask"}
        assert "accept" not in offered(get(as_(story.trainer), page_of(lapsed, "accept")))

    @either
    def test_accepting_all_the_same_is_refused(
        self, story: Story, lapsed: Referral, htmx: bool
    ) -> None:
        text = refused(as_(story.trainer), page_of(lapsed, "accept"), 403, htmx=htmx)
        assert "A verified trainer certification, valid today, is missing." in text
        assert state_of(lapsed) in (State.SENT, State.VIEWED)

    def test_with_new_papers_it_is_offered_again(self, story: Story, lapsed: Referral) -> None:
        Credential.objects.filter(user=story.trainer.user).update(expires_on=LAST_DAY)
        text = get(as_(story.trainer), page_of(lapsed))
        assert "You cannot accept right now" not in text
        assert offered(text)[0] == "accept"

    def test_clients_taken_on_before_stay(self, story: Story) -> None:
        referral = story.accepted()
        Credential.objects.filter(user=story.trainer.user).update(expires_on=NOON.date() - DAY)
        assert "No pressing overhead." in get(as_(story.trainer), f"/clients/{story.client.pk}/")
        assert offered(get(as_(story.trainer), page_of(referral)))[0] == "schedule"


class TestTheFirstSession:
    @either
    def test_it_is_booked_missed_and_booked_again(
        self, story: Story, htmx: bool, at_noon: Any
    ) -> None:
        referral = story.accepted()
        trainer = as_(story.trainer)
        book = page_of(referral, "schedule")
        empty = refused(trainer, book, 422, {"schedule-day": "2027-01-20"}, htmx=htmx)
        assert 'value="2027-01-20"' in empty
        past = {"schedule-day": "2027-01-10", "schedule-time": "10:00"}
        assert "Choose a time that lies ahead" in refused(trainer, book, 422, past, htmx=htmx)
        submit(trainer, book, {"schedule-day": "2027-01-20", "schedule-time": "10:00"}, htmx=htmx)
        assert "First session: " in get(trainer, page_of(referral))
        early = refused(trainer, page_of(referral, "no-show"), 403, htmx=htmx)
        assert "The session has not begun yet." in early
        at_noon.move_to(NOON + 8 * DAY, tick=False)
        trainer = as_(story.trainer)
        submit(trainer, page_of(referral, "no-show"), htmx=htmx)
        assert state_of(referral) == State.NO_SHOW
        assert offered(get(trainer, page_of(referral)))[0] == "schedule"
        submit(trainer, book, {"schedule-day": "2027-01-25", "schedule-time": "10:00"}, htmx=htmx)
        submit(trainer, page_of(referral, "cancel-appointment"), htmx=htmx)
        assert state_of(referral) == State.APPT_CANCELLED
        assert "First session: " not in get(trainer, page_of(referral))

    @either
    def test_training_begins_once_the_limits_are_read(self, story: Story, htmx: bool) -> None:
        referral = story.accepted()
        trainer = as_(story.trainer)
        begin = page_of(referral, "begin")
        told = refused(trainer, begin, 403, htmx=htmx)
        assert "Confirm first that you have read the current limits." in told
        shown = {"read": f"{story.version.restriction_id}:1"}
        submit(trainer, f"/clients/{story.client.pk}/read/", shown, htmx=htmx)
        submit(trainer, begin, htmx=htmx)
        assert state_of(referral) == State.IN_PROGRESS


class TestUnderWay:
    @either
    def test_pausing_asks_for_a_reason_and_either_side_goes_on(
        self, story: Story, htmx: bool
    ) -> None:
        referral = story.running()
        trainer = as_(story.trainer)
        refused(trainer, page_of(referral, "hold"), 422, {}, htmx=htmx)
        assert state_of(referral) == State.IN_PROGRESS
        submit(trainer, page_of(referral, "hold"), {"hold-reason_code": "client_away"}, htmx=htmx)
        assert state_of(referral) == State.ON_HOLD
        text = get(trainer, page_of(referral))
        assert offered(text)[0] == "resume"
        assert "complete" not in offered(text)
        submit(as_(story.pt), page_of(referral, "resume"), htmx=htmx)
        assert state_of(referral) == State.IN_PROGRESS

    @either
    def test_a_note_between_reaches_the_sender_if_that_is_shared(
        self, story: Story, htmx: bool
    ) -> None:
        referral = story.running()
        step = page_of(referral, "report")
        typed = {"report-observations": "", "report-sessions_held": "6"}
        assert 'value="6"' in refused(as_(story.trainer), step, 422, typed, htmx=htmx)
        typed["report-observations"] = "Rows at 20 kg."
        submit(as_(story.trainer), step, typed, htmx=htmx)
        assert state_of(referral) == State.IN_PROGRESS
        assert LoopReport.objects.get().kind == LoopReport.Kind.INTERIM
        page = f"/clients/{story.client.pk}/"
        assert "Rows at 20 kg." in get(as_(story.pt), page)
        assert "Rows at 20 kg." in get(as_(story.trainer), page)
        sharing.narrow(
            actor=story.as_client,
            consent_id=Consent.objects.get().pk,
            classes=[Scope.CLEARANCE],
            at=NOON,
        )
        assert "Rows at 20 kg." not in get(as_(story.pt), page)
        assert "Interim note sent" in get(as_(story.pt), page_of(referral))

    @either
    def test_the_last_report_closes_the_loop(self, story: Story, htmx: bool) -> None:
        referral = story.running()
        step = page_of(referral, "complete")
        many = {"complete-observations": "Done.", "complete-sessions_held": "501"}
        refused(as_(story.trainer), step, 422, many, htmx=htmx)
        submit(as_(story.trainer), step, {"complete-observations": "Done."}, htmx=htmx)
        assert state_of(referral) == State.COMPLETED
        assert offered(get(as_(story.trainer), page_of(referral))) == []
        assert "Completed" in get(as_(story.pt), page_of(referral))

    @either
    def test_calling_off_takes_two(self, story: Story, htmx: bool) -> None:
        referral = story.running()
        asked = {"cancel-reason_code": CancelReason.values[0]}
        submit(as_(story.pt), page_of(referral, "cancel"), asked, htmx=htmx)
        assert state_of(referral) == State.CANCEL_REQUESTED
        text = get(as_(story.trainer), page_of(referral))
        assert offered(text)[0] == "confirm-cancel"
        submit(as_(story.trainer), page_of(referral, "confirm-cancel"), htmx=htmx)
        assert state_of(referral) == State.CANCELLED


class TestStrangers:
    @either
    def test_every_step_is_404_for_who_is_not_of_it(self, story: Story, htmx: bool) -> None:
        referral = story.running()
        nowhere = uuid4()
        for person in (certified_trainer(), licensed_pt(), ClientFactory.create().user):
            browser = as_(person)
            for step in ("", "hold", "complete", "report", "accept", "reroute", "enter-in-error"):
                get(browser, page_of(referral, step), 404)
                if step:
                    there = refused(browser, page_of(referral, step), 404, {}, htmx=htmx)
                    gone = refused(browser, f"/referrals/{nowhere}/{step}/", 404, {}, htmx=htmx)
                    assert _bare(there) == _bare(gone)
        assert state_of(referral) == State.IN_PROGRESS


class TestSharingAnew:
    def test_both_sides_see_the_new_answer_and_not_the_old_one(
        self, story: Story, at_noon: Any
    ) -> None:
        """Sharing again is a new question; the handoff came with the old one."""
        referral = story.accepted()
        first = Consent.objects.get()
        sharing.revoke(actor=story.as_client, consent_id=first.pk, at=NOON)
        for person in (story.trainer, story.pt):
            assert "Nothing is shared" in get(as_(person), page_of(referral))
        again = sharing.ask(
            actor=story.as_client,
            client_id=story.client.pk,
            discloser_id=story.pt.pk,
            recipient_id=story.trainer.pk,
            purpose="So that we can go on.",
            classes=[Scope.CLEARANCE],
            at=NOON + timedelta(seconds=1),
        )
        assert "Sharing ended on" in get(as_(story.trainer), page_of(referral))
        sharing.grant(
            actor=story.as_client,
            consent_id=again.pk,
            classes=[Scope.CLEARANCE, Scope.RESTRICTIONS],
            expires_on=LAST_DAY,
            at=NOON + timedelta(seconds=2),
        )
        at_noon.move_to(NOON + timedelta(minutes=1), tick=False)
        for person in (story.trainer, story.pt):
            text = get(as_(person), page_of(referral))
            assert "Nothing is shared" not in text
            assert "2 of 7 parts" in text
        page = get(as_(story.trainer), f"/clients/{story.client.pk}/")
        assert "No pressing overhead." in page
        assert "Nothing is shared with you" not in page
        assert "Shared until" in page


def _bare(text: str) -> str:
    """A page without what differs on every one: its nonces and tokens."""
    return re.sub(r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]*"', "", text)
