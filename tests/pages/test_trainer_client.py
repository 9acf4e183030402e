"""A client's page as their trainer reads it: parts, limits, receipts, questions, the end."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from clients import consent as consents
from clients.models import Consent
from clients.scopes import Scope
from referrals import lifecycle, restrictions, sharing
from referrals.models import ReferralMessage, Restriction, RestrictionVersion
from referrals.states import State
from tests.api.client import Api
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    ReferralFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    certified_trainer,
    granted_consent,
    licensed_pt,
    signed_note,
)
from tests.pages.reading import as_, get, refused, submit
from tests.referrals.scenes import Therapy
from tests.referrals.test_lifecycle import Story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
MINUTE = timedelta(minutes=1)
either = pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])

# For each part: the heading under which it stands, and words that only it holds.
PARTS: dict[Scope, tuple[str, str]] = {
    Scope.RESTRICTIONS: ("restrictions-h", "No pressing overhead."),
    Scope.CLEARANCE: ("clearance-h", "Rest for two days."),
    Scope.HISTORY: ("history-h", "ICD-10 M75.121"),
    Scope.OUTCOMES: ("outcomes-h", "Probe scale"),
    Scope.NOTE: ("note-h", "Lifts 10 kg to a shelf."),
    Scope.TRAINING_FEEDBACK: ("training_feedback-h", "Rows at 20 kg."),
    Scope.CONTACT: ("contact-h", "555-0101"),
}


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def therapy() -> Therapy:
    """Signed with two limits, and reported on by the trainer: something stands in every part."""
    therapy = Therapy()
    therapy.signed()
    return therapy


def page_of(story: Story | Therapy, further: str = "") -> str:
    return f"/clients/{story.client.pk}/{further}"


def section(text: str, heading: str) -> str:
    found = re.search(rf'<section[^>]*aria-labelledby="{heading}".*?\n    </section>', text, re.S)
    found = found or re.search(rf'<section[^>]*aria-labelledby="{heading}".*', text, re.S)
    assert found is not None, heading
    rest = found.group(0)
    following = re.search(r'<section class="card[^"]*" aria-labelledby', rest[10:])
    return rest[: following.start() + 10] if following else rest


def reported(therapy: Therapy) -> None:
    lifecycle.report(
        actor=therapy.as_trainer,
        referral_id=therapy.referral.pk,
        observations="Rows at 20 kg.",
        at=NOON,
    )


class TestTheParts:
    def test_everything_shared_shows_everything(self, therapy: Therapy) -> None:
        therapy.share(*Scope, state=State.IN_PROGRESS)
        reported(therapy)
        text = get(as_(therapy.trainer), page_of(therapy))
        for heading, words in PARTS.values():
            assert words in section(text, heading), heading
        assert "Not shared" not in text

    @pytest.mark.parametrize("kept", Scope)
    def test_a_part_kept_back_says_so_and_is_never_empty(
        self, therapy: Therapy, kept: Scope
    ) -> None:
        therapy.share(*(each for each in Scope if each is not kept), state=State.IN_PROGRESS)
        reported(therapy)
        text = get(as_(therapy.trainer), page_of(therapy))
        for scope, (heading, words) in PARTS.items():
            part = section(text, heading)
            assert (words in part) is (scope is not kept), scope
            assert ("Not shared" in part) is (scope is kept), scope

    def test_a_part_that_is_shared_and_holds_nothing_says_that(self, therapy: Therapy) -> None:
        therapy.share(*Scope, state=State.IN_PROGRESS)
        text = get(as_(therapy.trainer), page_of(therapy))
        assert "No report has been written yet." in section(text, "training_feedback-h")
        assert "Not shared" not in text

    def test_limits_that_are_all_lifted_were_not_decided_away(self, therapy: Therapy) -> None:
        therapy.share(Scope.RESTRICTIONS)
        for each in Restriction.objects.all():
            restrictions.lift(
                actor=therapy.as_pt, restriction_id=each.pk, reason="Strong.", at=NOON
            )
        for page in (page_of(therapy), page_of(therapy, "card/")):
            text = get(as_(therapy.trainer), page)
            assert "that none are needed" not in text
            assert "All limits are lifted." in text
        assert "decided that none are needed" not in get(as_(therapy.client), "/home/")

    def test_that_none_are_needed_is_said_by_who_decided_it(self, story: Story) -> None:
        story.client = ClientFactory.create()
        story.episode = EpisodeFactory.create(client=story.client, pt=story.pt)
        signed_note(episode=story.episode, restrictions_decision="none")
        story.accepted()
        text = section(get(as_(story.trainer), page_of(story)), "restrictions-h")
        assert f"{story.pt.name} decided on" in text
        assert text.count("that none are needed") == 1

    def test_the_card_holds_limits_and_contact_and_no_history(self, therapy: Therapy) -> None:
        therapy.share(*Scope)
        text = get(as_(therapy.trainer), page_of(therapy, "card/"))
        for scope in (Scope.RESTRICTIONS, Scope.CLEARANCE, Scope.CONTACT):
            assert PARTS[scope][1] in text
        for scope in (Scope.HISTORY, Scope.NOTE, Scope.OUTCOMES):
            assert PARTS[scope][1] not in text

    def test_limits_come_before_everything_else_on_the_phone(self, therapy: Therapy) -> None:
        """The order of the page without styles; the one with them is the browser tests'."""
        therapy.share(*Scope)
        text = get(as_(therapy.trainer), page_of(therapy, "card/"))
        places = [text.index(f'id="{name}"') for name in ("limits-h", "clearance-h", "contact-h")]
        assert places == sorted(places)


class TestConfirming:
    def shown(self, text: str) -> dict[str, list[str]]:
        return {"read": re.findall(r'name="read" value="([^"]+)"', text)}

    @either
    def test_what_stands_on_the_page_is_confirmed_and_a_change_asks_again(
        self, therapy: Therapy, htmx: bool
    ) -> None:
        therapy.share(*Scope)
        trainer = as_(therapy.trainer)
        before = get(trainer, page_of(therapy))
        assert "New or changed" in before
        assert len(self.shown(before)["read"]) == 2
        to = submit(trainer, page_of(therapy, "read/"), self.shown(before), htmx=htmx)
        assert to == page_of(therapy)
        after = get(trainer, page_of(therapy))
        assert "I have read" not in after
        assert after.count("You confirmed version 1") == 2

        changed = therapy.restriction("limit_load")
        restrictions.revise(
            actor=therapy.as_pt,
            restriction_id=changed.pk,
            data={"value": "8"},
            reason="Sore.",
            at=NOON,
        )
        again = get(trainer, page_of(therapy))
        assert "Please read this limit" in again
        assert again.count("New or changed</span>") == 1
        assert again.count("You confirmed version 1") == 1
        # What was on the page before is not what rules now.
        refused(trainer, page_of(therapy, "read/"), 409, self.shown(before), htmx=htmx)
        assert "I have read" in get(trainer, page_of(therapy))
        submit(trainer, page_of(therapy, "read/"), self.shown(again), htmx=htmx)
        assert "You confirmed version 2" in get(trainer, page_of(therapy))

    def test_the_button_comes_after_what_it_confirms(self, therapy: Therapy) -> None:
        therapy.share(*Scope)
        text = get(as_(therapy.trainer), page_of(therapy))
        assert text.index("No pressing overhead.") < text.index("I have read")
        assert 'href="#confirm"' in text
        assert text.index('href="#confirm"') < text.index("No pressing overhead.")

    @either
    def test_nobody_else_confirms(self, therapy: Therapy, htmx: bool) -> None:
        therapy.share(*Scope)
        shown = self.shown(get(as_(therapy.trainer), page_of(therapy)))
        for person in (
            *(certified_trainer(), therapy.pt, therapy.client, licensed_pt()),
            ClientFactory.create().user,
        ):
            refused(as_(person), page_of(therapy, "read/"), 404, shown, htmx=htmx)
        assert "I have read" not in get(as_(therapy.client), page_of(therapy))
        assert "I have read" not in get(as_(therapy.pt), page_of(therapy))


class TestAskingAboutALimit:
    @pytest.fixture
    def limit(self, therapy: Therapy) -> Restriction:
        therapy.share(Scope.RESTRICTIONS, Scope.CLEARANCE, state=State.IN_PROGRESS)
        return therapy.restriction("limit_load")

    @either
    def test_the_therapist_gets_it_and_the_limit_stays(
        self, therapy: Therapy, limit: Restriction, htmx: bool
    ) -> None:
        trainer = as_(therapy.trainer)
        path = f"/limits/{limit.pk}/ask/"
        assert f'href="{path}"' in get(trainer, page_of(therapy))
        text = get(trainer, path)
        assert "at most 10 kg" in text
        assert "The limit stays in force" in text
        to = submit(trainer, path, {"text": "Rows at 25 kg without pain."}, htmx=htmx)
        assert to == page_of(therapy)
        told = get(trainer, page_of(therapy))
        assert "Your question is on its way" in told
        assert "at most 10 kg" in told
        assert RestrictionVersion.objects.filter(restriction=limit).count() == 1
        thread = get(as_(therapy.pt), f"/referrals/{therapy.referral.pk}/")
        assert "Rows at 25 kg without pain." in thread

    @either
    @pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
    def test_what_says_nothing_or_too_much_comes_back(
        self, therapy: Therapy, limit: Restriction, htmx: bool, text: str
    ) -> None:
        back = refused(
            as_(therapy.trainer), f"/limits/{limit.pk}/ask/", 422, {"text": text}, htmx=htmx
        )
        assert text.strip() in back
        assert 'href="#id_text"' in back
        assert not ReferralMessage.objects.exists()

    @either
    def test_it_is_the_trainers_and_only_while_limits_are_shared(
        self, therapy: Therapy, limit: Restriction, htmx: bool
    ) -> None:
        path, typed = f"/limits/{limit.pk}/ask/", {"text": "Why?"}
        for person in (
            *(certified_trainer(), therapy.pt, therapy.client, licensed_pt()),
            ClientFactory.create().user,
        ):
            get(as_(person), path, 404)
            refused(as_(person), path, 404, typed, htmx=htmx)
        sharing.narrow(
            actor=therapy.as_client,
            consent_id=therapy.consent.pk,
            classes=[Scope.CLEARANCE],
            at=NOON,
        )
        get(as_(therapy.trainer), path, 404)
        refused(as_(therapy.trainer), path, 404, typed, htmx=htmx)
        get(as_(therapy.trainer), f"/limits/{uuid4()}/ask/", 404)
        assert not ReferralMessage.objects.exists()

    def test_a_therapist_who_also_trains_asks_nobody_about_their_own(
        self, therapy: Therapy, limit: Restriction
    ) -> None:
        both = certified_trainer(user=therapy.pt.user)
        refused(as_(both), f"/limits/{limit.pk}/ask/", 403, {"text": "Why?"})

    def test_a_lifted_one_needs_no_asking(self, therapy: Therapy, limit: Restriction) -> None:
        restrictions.lift(actor=therapy.as_pt, restriction_id=limit.pk, reason="Strong.", at=NOON)
        answer = as_(therapy.trainer).get(f"/limits/{limit.pk}/ask/")
        assert answer.status_code == 409


class TestTheEnd:
    """What stops is gone with the very next request, whichever way it comes."""

    def ways(self, story: Story, referral: Any) -> Iterator[tuple[str, str]]:
        trainer, api = self.trainer, self.api
        limit = story.version.restriction_id
        for path in (page_of(story), page_of(story, "card/"), f"/referrals/{referral.pk}/"):
            yield path, trainer.get(path).content.decode()
        for path in (
            f"clients/{story.client.pk}/record/",
            f"clients/{story.client.pk}/",
            f"restrictions/?client={story.client.pk}",
            f"restrictions/{limit}/",
            f"episodes/{story.episode.pk}/",
            f"discharge-notes/{story.note.pk}/",
            f"referrals/{referral.pk}/",
        ):
            yield path, api.get(path).content.decode()

    trainer: Browser
    api: Api

    def opened(self, story: Story) -> Any:
        referral = story.sent()
        sharing.revoke(actor=story.as_client, consent_id=Consent.objects.get().pk, at=NOON)
        granted_consent(
            client=story.client,
            discloser=story.pt,
            recipient=story.trainer,
            classes=frozenset(Scope),
        )
        referral = lifecycle.accept(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
        self.trainer, self.api = as_(story.trainer), Api(story.trainer)
        return referral

    WORDS = (
        *("Rotator cuff", "M75.121", "No pressing overhead.", "Row instead.", "Band rows"),
        *("Rest for two days", "Swim 1 km", "push_vertical"),
    )

    def test_stopping(self, story: Story) -> None:
        referral = self.opened(story)
        seen = "".join(text for _, text in self.ways(story, referral))
        assert all(words in seen for words in self.WORDS)
        standing = consents.standings(Consent.objects.all(), NOON)
        (active,) = (each for each in standing.values() if each.is_active)
        sharing.revoke(actor=story.as_client, consent_id=active.consent_id, at=NOON)
        for path, text in self.ways(story, referral):
            assert not [words for words in self.WORDS if words in text], path
        text = get(self.trainer, page_of(story))
        assert "Sharing ended on" in text
        assert text.count("Not shared") == len(Scope)

    def test_the_last_day(self, story: Story, at_noon: Any) -> None:
        referral = self.opened(story)
        at_noon.move_to(NOON + timedelta(days=181), tick=False)
        self.trainer, self.api = as_(story.trainer), Api(story.trainer)
        for path, text in self.ways(story, referral):
            assert not [words for words in self.WORDS if words in text], path
        assert "Sharing ended after" in get(self.trainer, page_of(story))

    def test_stepping_back(self, story: Story) -> None:
        referral = self.opened(story)
        submit(
            self.trainer,
            f"/referrals/{referral.pk}/decline/",
            {"decline-reason_code": "no_capacity"},
        )
        for path, text in self.ways(story, referral):
            assert not [words for words in self.WORDS if words in text], path
        get(self.trainer, page_of(story), 404)
        get(self.trainer, page_of(story, "card/"), 404)

    def test_the_way_back_in_the_browser_keeps_nothing(self, story: Story) -> None:
        """Whoever goes back asks anew: no page may be stored, by a browser or by htmx."""
        referral = self.opened(story)
        for path in (
            *("/home/", "/clients/", "/referrals/", page_of(story), page_of(story, "card/")),
            f"/referrals/{referral.pk}/",
            f"/limits/{story.version.restriction_id}/ask/",
        ):
            answer = self.trainer.get(path)
            assert answer.status_code == 200, path
            assert "no-store" in answer["Cache-Control"], path
            assert 'hx-history="false"' in answer.content.decode(), path

    def test_one_therapists_end_is_not_anothers(self, story: Story, at_noon: Any) -> None:
        """Two therapists handed the same client over; only one of them is stopped."""
        story.accepted()
        first = Consent.objects.get()
        other = licensed_pt()
        episode = EpisodeFactory.create(client=story.client, pt=other)
        signed_note(episode=episode)
        RestrictionVersionFactory.create(
            restriction=RestrictionFactory.create(episode=episode), wording="No deep squats."
        )
        consent = granted_consent(client=story.client, discloser=other, recipient=story.trainer)
        ReferralFactory.create(
            client=story.client,
            sender=other,
            recipient=story.trainer,
            consent=consent,
            episode=episode,
            state=State.COMPLETED,
            sent_at=NOON,
            answered_at=NOON,
        )
        at_noon.move_to(NOON + MINUTE, tick=False)
        sharing.revoke(actor=story.as_client, consent_id=first.pk, at=NOON + MINUTE)
        text = get(as_(story.trainer), page_of(story))
        assert "No pressing overhead." not in text
        assert "No deep squats." in text
        assert "Nothing is shared with you" not in text
        assert f"{story.pt.name} no longer reach" in text
        sharing.revoke(actor=story.as_client, consent_id=consent.pk, at=NOON + MINUTE)
        assert "Nothing is shared with you" in get(as_(story.trainer), page_of(story))


@pytest.mark.parametrize("further", ["", "card/"])
def test_strangers_find_nobody(therapy: Therapy, further: str) -> None:
    therapy.share(*Scope)
    for person in (certified_trainer(), therapy.other_pt, ClientFactory.create().user):
        there = get(as_(person), page_of(therapy, further), 404)
        gone = get(as_(person), f"/clients/{uuid4()}/{further}", 404)
        assert len(there) == len(gone)
