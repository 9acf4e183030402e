"""The trainer's pages in a real browser: on the gym floor, at a desk, by keys, without scripts."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clients.models import Client, Consent, Credential
from clients.scopes import Scope
from referrals import lifecycle, reminders, restrictions, sharing
from referrals.models import Referral
from referrals.states import State
from tests.browser.conftest import DESK, EACH_ONCE, PHONE, Check, Open, SignIn, Walk
from tests.factories import (
    PASSWORD,
    ClientFactory,
    EpisodeFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    UserFactory,
    acting,
    certified_trainer,
    granted_consent,
    licensed_pt,
    signed_note,
)

pytestmark = pytest.mark.django_db(transaction=True)

TRAINER = "tom@example.org"


class Gym:
    """A trainer with a request that waits too long, a client to begin with and one under way."""

    def __init__(self) -> None:
        self.now = timezone.now()
        self.pt = licensed_pt(
            user=UserFactory.create(first_name="Priya", last_name="Raman"), phone="555-0111"
        )
        self.trainer = certified_trainer(
            user=UserFactory.create(email=TRAINER, first_name="Tom", last_name="Okafor")
        )
        self.asked = self.handed_over("Ana", "Duarte", ago=6)
        self.taken = self.accepted("Mira", "Castellano", frozenset(Scope), ago=3)
        some = frozenset({Scope.CLEARANCE, Scope.RESTRICTIONS, Scope.CONTACT})
        self.running = self.accepted("Jonas", "Weber", some, ago=2)
        restrictions.acknowledge_all(
            actor=acting(self.trainer, self.now), client_id=self.running.client_id, at=self.now
        )
        lifecycle.begin(
            actor=acting(self.trainer, self.now), referral_id=self.running.pk, at=self.now
        )
        reminders.sweep()

    def handed_over(
        self, first: str, last: str, classes: frozenset[Scope] = frozenset(Scope), *, ago: int
    ) -> Referral:
        at = self.now - timedelta(days=ago)
        day = at.date()
        client: Client = ClientFactory.create(first_name=first, last_name=last)
        episode = EpisodeFactory.create(
            client=client,
            pt=self.pt,
            condition="Left knee, after ligament surgery",
            started_on=day - timedelta(days=90),
            last_visit_on=day - timedelta(days=2),
            status="finished",
            ended_on=day,
        )
        signed_note(episode=episode, discharge_on=day, at=at)
        for severity, kind, fields in (
            ("must_not", "avoid", {"patterns": ["jump"], "wording": "No jumping and no landing."}),
            (
                *("limit", "limit_rom"),
                {
                    "patterns": ["squat"],
                    "joint_action": "flexion",
                    "comparator": "le",
                    "value": 90,
                    "unit": "deg",
                    "wording": "Bend only to a right angle.",
                },
            ),
            ("caution", "precaution", {"patterns": [], "wording": "Kneeling may feel tender."}),
        ):
            RestrictionVersionFactory.create(
                restriction=RestrictionFactory.create(episode=episode),
                severity=severity,
                kind=kind,
                body_region="knee",
                laterality="left",
                review_on=day + timedelta(days=50),
                signed_at=at,
                **fields,
            )
        granted_consent(
            client=client, discloser=self.pt, recipient=self.trainer, classes=classes, at=at
        )
        draft = lifecycle.draft(
            actor=acting(self.pt, at),
            client_id=client.pk,
            recipient_id=self.trainer.pk,
            episode_id=episode.pk,
            goal="Run with my sister again, first 3 km, then 5.",
            at=at,
        )
        return lifecycle.send(actor=acting(self.pt, at), referral_id=draft.pk, at=at)

    def accepted(self, first: str, last: str, classes: frozenset[Scope], *, ago: int) -> Referral:
        sent = self.handed_over(first, last, classes, ago=ago)
        at = self.now - timedelta(days=ago)
        return lifecycle.accept(actor=acting(self.trainer, at), referral_id=sent.pk, at=at)


@pytest.fixture
def gym() -> Gym:
    return Gym()


@pytest.mark.parametrize(("width", "scheme"), EACH_ONCE)
def test_every_page_passes_axe_and_fits(
    gym: Gym,
    page_at: Open,
    sign_in: SignIn,
    walk: Walk,
    width: int,
    scheme: str,
) -> None:
    limit = restrictions.current_versions([gym.taken.episode_id])[0].restriction_id  # type: ignore[list-item]  # set above
    addresses = [
        "/home/",
        "/clients/",
        "/referrals/",
        "/referrals/?box=closed",
        f"/referrals/{gym.asked.pk}/",
        f"/referrals/{gym.taken.pk}/",
        f"/referrals/{gym.running.pk}/",
        f"/clients/{gym.taken.client_id}/",
        f"/clients/{gym.taken.client_id}/card/",
        f"/clients/{gym.running.client_id}/",
        f"/limits/{limit}/ask/",
        "/reminders/",
    ]
    page = page_at(width, scheme)
    sign_in(page, TRAINER, PASSWORD)
    walk(page, addresses)


def test_limits_stand_first_on_the_phone(gym: Gym, page_at: Open, sign_in: SignIn) -> None:
    page = page_at(PHONE)
    sign_in(page, TRAINER, PASSWORD)
    page.goto(f"/clients/{gym.taken.client_id}/")
    tops = []
    for name in ("Limits for training", "Where", "Ready to train", "Who to call"):
        box = page.get_by_role("heading", name=name, exact=True).bounding_box()
        assert box is not None
        tops.append(box["y"])
    assert tops == sorted(tops)
    # On the first screen already: how many limits of each kind there are.
    tally = page.get_by_role("link", name="Avoid").first.bounding_box()
    assert tally is not None
    assert tally["y"] < 844


@pytest.mark.parametrize("script", [True, False])
def test_from_the_request_to_the_first_session(
    gym: Gym, page_at: Open, sign_in: SignIn, script: bool
) -> None:
    page = page_at(PHONE, script=script)
    sign_in(page, TRAINER, PASSWORD)
    page.goto("/home/")
    expect(page.get_by_text("Due now")).to_be_visible()
    page.get_by_role("link", name="Ana D.").click()
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("link", name="Open Ana's page").click()
    page.get_by_role("link", name="confirm below the limits").click()
    page.get_by_role("button", name="I have read them").click()
    expect(page.get_by_text("You confirmed version 1").first).to_be_visible()
    page.get_by_role("link", name="Ask about this").first.click()
    page.get_by_role("button", name="Send the question").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("What you ask for, and why").fill("May we hop on the right leg?")
    page.get_by_role("button", name="Send the question").click()
    expect(page.get_by_text("Your question is on its way.")).to_be_visible()
    page.get_by_role("navigation", name="Actions").get_by_role("link", name="Next step").click()
    expect(page.get_by_text("May we hop on the right leg?")).to_be_visible()
    page.get_by_role("button", name="Book it").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Day").fill((timezone.localdate() + timedelta(days=5)).isoformat())
    page.get_by_label("Time", exact=True).fill("10:00")
    page.get_by_role("button", name="Book it").click()
    expect(page.get_by_text("First session: ")).to_be_visible()
    gym.asked.refresh_from_db()
    assert gym.asked.state == State.SCHEDULED


def test_by_keyboard_alone(gym: Gym, page_at: Open, sign_in: SignIn) -> None:
    page = page_at(DESK)
    sign_in(page, TRAINER, PASSWORD)
    page.goto(f"/referrals/{gym.asked.pk}/")
    for name in ("Decline", "Ask before you decide"):
        page.locator("summary").filter(has_text=name).focus()
        page.keyboard.press("Enter")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement?.textContent?.trim() ?? ''"))
    assert {"Accept", "Decline", "Ask a question"} <= reached
    page.get_by_role("button", name="Accept").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Accepted. The sender knows.")).to_be_visible()


def test_going_back_after_the_client_stopped_shows_nothing(
    gym: Gym, page_at: Open, sign_in: SignIn
) -> None:
    """The browser keeps no copy: its back button asks anew."""
    page = page_at(PHONE)
    sign_in(page, TRAINER, PASSWORD)
    page.goto(f"/clients/{gym.taken.client_id}/")
    expect(page.get_by_text("No jumping and no landing.").first).to_be_visible()
    page.goto("/home/")
    consent = Consent.objects.get(client_id=gym.taken.client_id)
    sharing.revoke(actor=acting(gym.taken.client, timezone.now()), consent_id=consent.pk)
    page.go_back()
    expect(page.get_by_text("Nothing is shared with you")).to_be_visible()
    expect(page.get_by_text("No jumping and no landing.")).to_have_count(0)


def test_a_lapsed_trainer_is_told_and_offered_no_yes(
    gym: Gym, page_at: Open, sign_in: SignIn, axe: Check
) -> None:
    Credential.objects.filter(user=gym.trainer.user, kind=Credential.Kind.CPR_AED).delete()
    page = page_at(PHONE)
    sign_in(page, TRAINER, PASSWORD)
    page.goto("/home/")
    expect(page.get_by_text("You cannot take new clients at the moment")).to_be_visible()
    axe(page)
    page.goto(f"/referrals/{gym.asked.pk}/")
    expect(page.get_by_text("You cannot accept right now")).to_be_visible()
    expect(page.get_by_role("button", name="Accept")).to_have_count(0)
    axe(page)
