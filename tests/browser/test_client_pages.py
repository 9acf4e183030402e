"""The pages of clients and guardians in a real browser: seen, tapped, and without scripts."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clients import consent as consents
from clients.models import Client, Consent
from clients.scopes import SUGGESTED, Scope
from referrals import lifecycle, reminders
from referrals.models import Measurement
from tests.browser.conftest import DESK, EACH_ONCE, PHONE, Open, SignIn, Walk
from tests.factories import (
    PASSWORD,
    ClientFactory,
    EpisodeFactory,
    GuardianshipFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    UserFactory,
    acting,
    asked_consent,
    certified_trainer,
    granted_consent,
    licensed_pt,
    signed_note,
)

pytestmark = pytest.mark.django_db(transaction=True)


class Cast:
    """A client just discharged, asked whether a trainer may see parts; and a minor's guardian."""

    def __init__(self) -> None:
        now = timezone.now()
        self.pt = licensed_pt(
            user=UserFactory.create(first_name="Priya", last_name="Raman"), phone="555-0111"
        )
        self.trainer = certified_trainer(
            user=UserFactory.create(first_name="Tom", last_name="Okafor")
        )
        self.client = self.discharged("ana@example.org", first_name="Ana", last_name="Duarte")
        self.question = self.waiting(self.client)
        self.agreed = granted_consent(
            client=self.client,
            discloser=self.pt,
            recipient=certified_trainer(
                user=UserFactory.create(first_name="Uma", last_name="Lindgren")
            ),
            at=now - timedelta(days=3),
        )
        self.minor = self.discharged(
            "leo@example.org",
            first_name="Leo",
            last_name="Brandt",
            birth_date=timezone.localdate() - timedelta(days=15 * 365),
        )
        self.guardian = GuardianshipFactory.create(
            client=self.minor, user__email="ines@example.org", user__first_name="Ines"
        ).user
        self.for_minor = self.waiting(self.minor)
        self.pending = GuardianshipFactory.create(
            unverified=True, user__email="new@example.org"
        ).user

    def discharged(self, email: str, **fields: object) -> Client:
        now = timezone.now()
        client: Client = ClientFactory.create(user__email=email, **fields)
        day = timezone.localdate()
        episode = EpisodeFactory.create(
            client=client,
            pt=self.pt,
            condition="Left knee, after ligament surgery",
            started_on=day - timedelta(days=90),
            last_visit_on=day - timedelta(days=2),
            surgery="Ligament reconstruction",
            surgery_on=day - timedelta(days=100),
        )
        for moment, value, ago in (("start", 7, 90), ("discharge", 2, 2)):
            Measurement.objects.create(
                episode=episode,
                measure_id="nprs",
                moment=moment,
                value=value,
                taken_on=day - timedelta(days=ago),
                recorded_by=self.pt.user,
            )
        signed_note(episode=episode, discharge_on=day - timedelta(days=1), at=now)
        for severity, kind in (("must_not", "avoid"), ("caution", "precaution")):
            RestrictionVersionFactory.create(
                restriction=RestrictionFactory.create(episode=episode),
                severity=severity,
                kind=kind,
                body_region="knee",
                laterality="left",
                review_on=day + timedelta(days=50),
                signed_at=now,
            )
        episode.status, episode.ended_on = "finished", day - timedelta(days=1)
        episode.save()
        self.episode = episode
        return client

    def waiting(self, client: Client) -> Consent:
        """A handoff that waits for an answer, and a reminder of it in the list."""
        asked_at = timezone.now() - timedelta(days=2, hours=1)
        referral = lifecycle.draft(
            actor=acting(self.pt, asked_at),
            client_id=client.pk,
            recipient_id=self.trainer.pk,
            episode_id=self.episode.pk,
            at=asked_at,
        )
        sent = lifecycle.send(actor=acting(self.pt, asked_at), referral_id=referral.pk, at=asked_at)
        reminders.sweep()
        assert sent.consent is not None
        return sent.consent


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.mark.parametrize(("width", "scheme"), EACH_ONCE)
def test_every_page_passes_axe_and_fits(
    cast: Cast,
    page_at: Open,
    sign_in: SignIn,
    walk: Walk,
    width: int,
    scheme: str,
) -> None:
    visits = {
        "ana@example.org": [
            "/home/",
            "/consents/",
            f"/consents/{cast.question.pk}/",
            f"/consents/{cast.agreed.pk}/",
            f"/consents/{cast.agreed.pk}/revoke/",
            f"/consents/{cast.agreed.pk}/receipt/",
            "/access/?own=1",
            "/reminders/",
            "/profile/",
            "/my-data/",
            f"/my-data/{cast.client.pk}/erase/",
        ],
        "ines@example.org": ["/home/", f"/consents/{cast.for_minor.pk}/", "/access/"],
        "leo@example.org": ["/home/", f"/consents/{cast.for_minor.pk}/"],
        "new@example.org": ["/home/"],
    }
    for email, addresses in visits.items():
        page = page_at(width, scheme)
        sign_in(page, email, PASSWORD)
        walk(page, addresses)


def test_agreeing_by_keyboard_alone(cast: Cast, page_at: Open, sign_in: SignIn) -> None:
    page = page_at(DESK)
    sign_in(page, "ana@example.org", PASSWORD)
    page.goto(f"/consents/{cast.question.pk}/")
    expect(page.get_by_role("button", name="Yes, share what I turned on")).to_be_visible()
    page.get_by_role("switch", name="What your body should avoid for now").focus()
    page.keyboard.press("Space")
    page.get_by_role("switch", name="That you are ready to train").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Yes, share 2 parts")).to_be_visible()
    page.get_by_role("radio", name="6 months").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name="3 months")).to_be_checked()
    page.get_by_role("checkbox", name="I have read").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Yes, share 2 parts").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What Tom sees of your record")
    standing = consents.standing(cast.question, timezone.now())
    assert standing.classes == {Scope.RESTRICTIONS, Scope.CLEARANCE}


@pytest.mark.parametrize("script", [True, False])
def test_the_usual_parts_with_one_tap(
    cast: Cast, page_at: Open, sign_in: SignIn, script: bool
) -> None:
    page = page_at(PHONE, script=script)
    sign_in(page, "ana@example.org", PASSWORD)
    page.goto(f"/consents/{cast.question.pk}/")
    expect(page.get_by_role("switch", checked=True)).to_have_count(0)
    page.get_by_role("switch", name="Your test results").check()
    page.get_by_role("button", name="Turn on the usual 4").click()
    expect(page.get_by_text("Nothing is saved yet")).to_be_visible()
    expect(page.get_by_role("switch", checked=True)).to_have_count(len(SUGGESTED) + 1)
    assert cast.question.events.count() == 1
    page.get_by_text("Pick a day").click()
    day = timezone.localdate() + timedelta(days=40)
    page.get_by_label("Last day").fill(day.isoformat())
    page.get_by_role("button", name=re.compile("^Yes, share")).click()
    expect(page.get_by_role("alert")).to_contain_text("Tick this once you have read both")
    expect(page.get_by_role("switch", checked=True)).to_have_count(len(SUGGESTED) + 1)
    expect(page.get_by_label("Last day")).to_have_value(day.isoformat())
    page.get_by_role("checkbox", name="I have read").check()
    page.get_by_role("button", name=re.compile("^Yes, share")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What Tom sees of your record")
    standing = consents.standing(cast.question, timezone.now())
    assert standing.classes == SUGGESTED | {Scope.OUTCOMES}


@pytest.mark.parametrize("script", [True, False])
def test_stopping_in_two_taps(cast: Cast, page_at: Open, sign_in: SignIn, script: bool) -> None:
    page = page_at(PHONE, script=script)
    sign_in(page, "ana@example.org", PASSWORD)
    page.goto("/home/")
    page.get_by_role("link", name="Stop sharing with Uma Lindgren").click()
    page.get_by_role("button", name="Stop sharing now").click()
    expect(page.get_by_text("Sharing was stopped on")).to_be_visible()
    assert not consents.standing(cast.agreed, timezone.now()).is_active


def test_saying_no(cast: Cast, page_at: Open, sign_in: SignIn) -> None:
    page = page_at(PHONE, script=False)
    sign_in(page, "ana@example.org", PASSWORD)
    page.goto(f"/consents/{cast.question.pk}/")
    page.get_by_role("button", name="No, share nothing").click()
    expect(page.get_by_role("heading", name="You said no")).to_be_visible()


def test_the_preview_opens_without_a_script(cast: Cast, page_at: Open, sign_in: SignIn) -> None:
    page = page_at(PHONE, script=False)
    sign_in(page, "ana@example.org", PASSWORD)
    page.goto(f"/consents/{cast.question.pk}/")
    first = page.locator(".consent__part").first
    expect(first.get_by_text("No pressing overhead.").first).to_be_hidden()
    first.get_by_text("See exactly what Tom would see").click()
    expect(first.get_by_text("No pressing overhead.").first).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_ticking_off_and_putting_off_reminders(
    cast: Cast, page_at: Open, sign_in: SignIn, script: bool
) -> None:
    asked_consent(
        client=cast.client,
        discloser=cast.pt,
        recipient=certified_trainer(),
        at=timezone.now() - timedelta(days=2, hours=1),
    )
    page = page_at(PHONE, script=script)
    sign_in(page, "ana@example.org", PASSWORD)
    page.goto("/reminders/")
    line = page.get_by_role("listitem").filter(has_text="asks what you want to share")
    expect(line).to_have_count(1)
    line.get_by_text("Later").first.click()
    line.get_by_role("button", name="In 3 days").click()
    expect(page.get_by_text("Nothing waits for you")).to_be_visible()
