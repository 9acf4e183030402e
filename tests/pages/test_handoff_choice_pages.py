"""Choosing a trainer after the signature, and sending the handoff through the client's yes."""

import re
from datetime import timedelta
from typing import Any

import pytest

from clients.models import Consent, Credential, Professional
from clients.scopes import SUGGESTED, Scope
from referrals import lifecycle
from referrals.models import Referral
from referrals.states import State
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    PracticeFactory,
    ProfessionalFactory,
    UserFactory,
    certified_trainer,
    granted_consent,
    licensed_pt,
    signed_note,
)
from tests.pages.reading import as_, get, kept, leads, part, post, queries_of, switches
from tests.referrals.test_lifecycle import Story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def story() -> Story:
    return Story()


def path_of(story: Story) -> str:
    return f"/discharge/{story.episode.pk}/handoff/"


def wish(story: Story, **over: Any) -> dict[str, Any]:
    return {
        "recipient": str(story.trainer.pk),
        "find": "",
        "goal": "Swim 1 km",
        "start_from": "2027-01-20",
        "start_until": "2027-02-20",
        "priority": "routine",
        "classes": ["clearance", "restrictions"],
        **over,
    }


def radio(text: str, trainer: Professional) -> str:
    found = re.search(rf'<input type="radio" name="recipient" value="{trainer.pk}"[^>]*>', text)
    return found.group(0) if found else ""


class TestSending:
    @pytest.mark.parametrize("htmx", [False, True])
    def test_the_client_is_asked_first(self, story: Story, htmx: bool) -> None:
        browser = as_(story.pt)
        address = leads(browser, path_of(story), wish(story), htmx=htmx)
        sent = Referral.objects.get()
        assert address == f"/referrals/{sent.pk}/"
        assert (sent.state, sent.recipient, sent.episode, sent.goal) == (
            State.AWAITING_CONSENT,
            story.trainer,
            story.episode,
            "Swim 1 km",
        )
        assert not Consent.objects.get().events.exclude(kind="requested").exists()
        for private in ("Swim", story.client.last_name, story.trainer.user.last_name, "Rotator"):
            assert private not in kept(browser)
        assert "The client is asked now." in get(browser, address)
        get(as_(story.trainer), address, 404)

    def test_to_a_trainer_with_a_yes_it_goes_out_at_once(self, story: Story) -> None:
        granted_consent(client=story.client, discloser=story.pt, recipient=story.trainer)
        browser = as_(story.pt)
        assert f"</strong> {story.trainer.name}." in get(browser, path_of(story))
        address = leads(browser, path_of(story), wish(story))
        assert Referral.objects.get().state == State.SENT
        assert "The handoff is on its way." in get(browser, address)

    def test_the_usual_parts_are_ticked_and_the_chosen_ones_are_asked(self, story: Story) -> None:
        browser = as_(story.pt)
        text = get(browser, path_of(story))
        assert {name for name, on in switches(text).items() if on} == set(SUGGESTED)
        assert ". the trainer" not in text
        leads(browser, path_of(story), wish(story, classes=["clearance", "note"]))
        assert set(Consent.objects.get().classes_asked) == {Scope.CLEARANCE, Scope.NOTE}

    @pytest.mark.parametrize(
        ("over", "place", "words"),
        [
            ({"recipient": ""}, "recipient", "Choose a trainer from the list."),
            ({"recipient": "nonsense"}, "recipient", ""),
            ({"goal": "x" * 301}, "goal", "under 300"),
            ({"start_from": "2027-01-01"}, "start_from", "not past"),
            ({"start_until": "soon"}, "start_until", "Enter a date."),
            ({"start_until": "2027-01-19"}, "start_", ""),
            ({"priority": "nonsense"}, "priority", ""),
            ({"classes": ["note"]}, "classes", "without it the handoff cannot go out"),
            ({"classes": []}, "classes", "without it the handoff cannot go out"),
        ],
    )
    def test_what_does_not_fit_is_said_and_everything_stays(
        self, story: Story, over: dict[str, Any], place: str, words: str
    ) -> None:
        data = wish(story, **{"goal": f"Swim {EVIL}", **over})
        text = post(as_(story.pt), path_of(story), data, 422)
        found = re.search(rf'href="#(id_{place}\w*)">([^<]+)<', text)
        assert found
        assert f'id="{found.group(1)}"' in text
        assert words in found.group(2).replace("&nbsp;", " ")
        assert EVIL not in text
        assert {name for name, on in switches(text).items() if on} == set(data["classes"])
        if data["recipient"] == str(story.trainer.pk):
            assert " checked" in radio(text, story.trainer)
        if "goal" not in over:
            assert "Swim &lt;script&gt;" in text
        assert not Referral.objects.exists()
        assert not Consent.objects.exists()

    @pytest.mark.parametrize("why", ["lapsed", "closed", "left", "off", "therapist", "nobody"])
    def test_whoever_cannot_be_asked_is_not_and_no_draft_is_left(
        self, story: Story, why: str
    ) -> None:
        recipient = str(story.trainer.pk)
        match why:
            case "lapsed":
                held = Credential.objects.filter(user=story.trainer.user, kind="cpr_aed")
                held.update(expires_on=NOON.date() - timedelta(days=1))
            case "closed":
                Professional.objects.filter(pk=story.trainer.pk).update(accepts_referrals=False)
            case "left":
                Professional.objects.filter(pk=story.trainer.pk).update(left_at=NOON)
            case "off":
                story.trainer.user.is_active = False
                story.trainer.user.save()
            case "therapist":
                recipient = str(licensed_pt().pk)
            case _:
                recipient = str(story.episode.pk)
        answer = as_(story.pt).post(path_of(story), wish(story, recipient=recipient))
        assert answer.status_code in (404, 422)
        if answer.status_code == 422:
            assert "Swim 1 km" in answer.content.decode()
        assert not Referral.objects.exists()
        assert not Consent.objects.exists()

    def test_twice_to_the_same_one_is_said(self, story: Story) -> None:
        browser = as_(story.pt)
        leads(browser, path_of(story), wish(story))
        text = get(browser, path_of(story))
        assert "A handoff is open already" in text
        assert "disabled" in radio(text, story.trainer)
        answer = browser.post(path_of(story), wish(story))
        assert answer.status_code in (409, 422)
        assert Referral.objects.count() == 1

    def test_another_one_takes_its_place_before_anybody_accepted(self, story: Story) -> None:
        browser = as_(story.pt)
        leads(browser, path_of(story), wish(story))
        other = certified_trainer()
        leads(browser, path_of(story), wish(story, recipient=str(other.pk)))
        assert set(Referral.objects.values_list("recipient_id", "state")) == {
            (story.trainer.pk, State.CANCELLED),
            (other.pk, State.AWAITING_CONSENT),
        }


class TestFinding:
    def test_by_name_gym_or_city_and_never_in_the_address(self, story: Story) -> None:
        gym = PracticeFactory.create(kind="gym", name="Riverside Strength", city="Queens")
        uma = certified_trainer(user=UserFactory.create(first_name="Uma"), practice=gym)
        browser = as_(story.pt)
        for words in ("uma", "riverside", "QUEENS", "strength uma"):
            text = post(browser, path_of(story), wish(story, find=words, then="find"), 200)
            assert radio(text, uma), words
            assert "Swim 1 km" in text
            fragment = part(browser, path_of(story), wish(story, find=words, then="find"))
            assert radio(fragment, uma)
            assert "<html" not in fragment
        assert not Referral.objects.exists()
        assert "riverside" not in kept(browser).lower()

    @pytest.mark.parametrize(
        "words", ["\0", "un\0likely", "\u202e", "x" * 5000], ids=["nul", "inside", "turned", "long"]
    )
    def test_nonsense_finds_nobody_and_is_no_failure(self, story: Story, words: str) -> None:
        for over in ({"then": "find"}, {"goal": "x" * 400}):
            data = wish(story, find=words, recipient=words, **over)
            post(as_(story.pt), path_of(story), data, 200 if "then" in over else 422)

    def test_whoever_was_chosen_stays_in_the_list(self, story: Story) -> None:
        text = part(as_(story.pt), path_of(story), wish(story, find="nobody", then="find"))
        assert " checked" in radio(text, story.trainer)
        for recipient in ("", "nonsense"):
            data = wish(story, recipient=recipient, find="nobody at all", then="find")
            assert "No trainer found" in part(as_(story.pt), path_of(story), data)

    def test_those_who_cannot_now_say_why(self, story: Story) -> None:
        lapsed = ProfessionalFactory.create(trainer=True)
        text = get(as_(story.pt), path_of(story))
        assert "disabled" in radio(text, lapsed)
        assert "Cannot take new clients:" in text
        assert "disabled" not in radio(text, story.trainer)

    def test_a_therapist_who_trains_is_not_offered_to_themselves(self, story: Story) -> None:
        own = certified_trainer(user=story.pt.user)
        assert not radio(get(as_(story.pt), path_of(story)), own)

    def test_the_page_costs_the_same_for_one_trainer_and_for_many(self, story: Story) -> None:
        browser = as_(story.pt)
        get(browser, path_of(story))
        one = queries_of(browser, path_of(story))
        for _ in range(15):
            certified_trainer()
            ProfessionalFactory.create(trainer=True)
        assert queries_of(browser, path_of(story)) == one


class TestWhoMay:
    def test_before_the_signature_it_leads_to_the_note(self, story: Story) -> None:
        episode = EpisodeFactory.create(client=story.client, pt=story.pt)
        answer = as_(story.pt).get(f"/discharge/{episode.pk}/handoff/")
        assert answer["Location"] == f"/discharge/{episode.pk}/"

    def test_an_assistant_does_not_send(self, story: Story) -> None:
        pta = ProfessionalFactory.create(role=Professional.Role.PTA, practice=story.pt.practice)
        get(as_(pta), path_of(story), 403)
        post(as_(pta), path_of(story), wish(story), 403)
        assert not Referral.objects.exists()

    def test_nobody_else_finds_it(self, story: Story) -> None:
        strangers = (
            licensed_pt(),
            licensed_pt(practice=story.pt.practice),
            ProfessionalFactory.create(role=Professional.Role.PTA),
            story.trainer,
            story.client.user,
            UserFactory.create(is_staff=True),
        )
        for somebody in strangers:
            get(as_(somebody), path_of(story), 404)
            post(as_(somebody), path_of(story), wish(story), 404)
            part(as_(somebody), path_of(story), wish(story, then="find"), status=404)
        assert as_(None).get(path_of(story)).status_code == 302
        assert not Referral.objects.exists()

    def test_it_says_who_cannot_answer_yet(self, story: Story) -> None:
        client = ClientFactory.create(minor=True, created_by=story.pt)
        episode = EpisodeFactory.create(client=client, pt=story.pt)
        signed_note(episode=episode)
        text = get(as_(story.pt), f"/discharge/{episode.pk}/handoff/")
        assert "No guardian can answer yet" in text
        client = ClientFactory.create(user=None, created_by=story.pt)
        episode = EpisodeFactory.create(client=client, pt=story.pt)
        signed_note(episode=episode)
        text = get(as_(story.pt), f"/discharge/{episode.pk}/handoff/")
        assert "has no account and cannot answer" in text

    def test_the_page_holds_nothing_clinical(self, story: Story) -> None:
        lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
        text = get(as_(story.pt), path_of(story))
        for words in ("Rotator cuff", "No pressing overhead", "Band rows"):
            assert words not in text
