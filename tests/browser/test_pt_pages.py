"""The pages of therapists in a real browser: seen at four sizes, and a discharge by keyboard."""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from clients.models import Client
from referrals import lifecycle
from referrals.models import DischargeNote, Episode, Measurement, Referral, RestrictionVersion
from referrals.states import State
from tests.browser.conftest import DESK, EACH_ONCE, PHONE, Check, Open, SignIn, Walk
from tests.factories import (
    PASSWORD,
    ClientFactory,
    DischargeNoteFactory,
    EpisodeFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    UserFactory,
    acting,
    certified_trainer,
    licensed_pt,
    signed_note,
)

pytestmark = pytest.mark.django_db(transaction=True)
PT = "priya@example.org"


class Cast:
    """A therapist with a client to discharge, one whose draft is begun, and one handed over."""

    def __init__(self) -> None:
        self.today = timezone.localdate()
        self.pt = licensed_pt(
            user=UserFactory.create(email=PT, first_name="Priya", last_name="Raman")
        )
        self.trainer = certified_trainer(
            user=UserFactory.create(first_name="Tom", last_name="Okafor")
        )
        self.jonas = self.in_therapy("Jonas", "Weber")
        self.drafted = self.in_therapy("Dora", "Lind")
        DischargeNoteFactory.create(
            episode=self.drafted, first_visit_on=self.drafted.started_on, flare_up_plan=""
        )
        self.listed = RestrictionVersionFactory.create(
            restriction=RestrictionFactory.create(episode=self.drafted),
            draft=True,
            review_on=self.today + timedelta(days=60),
        )
        self.minor = ClientFactory.create(
            first_name="Leo", created_by=self.pt, birth_date=self.today - timedelta(days=5500)
        )
        self.ana = self.discharged("Ana", "Duarte")

    def in_therapy(self, first: str, last: str) -> Episode:
        client: Client = ClientFactory.create(first_name=first, last_name=last, created_by=self.pt)
        episode = EpisodeFactory.create(
            client=client,
            pt=self.pt,
            onset_on=self.today - timedelta(days=95),
            started_on=self.today - timedelta(days=90),
            last_visit_on=self.today - timedelta(days=1),
        )
        for moment, value, ago in (("start", 7, 90), ("discharge", 2, 1)):
            Measurement.objects.create(
                episode=episode,
                measure_id="nprs",
                moment=moment,
                value=value,
                taken_on=self.today - timedelta(days=ago),
                recorded_by=self.pt.user,
            )
        return episode

    def discharged(self, first: str, last: str) -> Episode:
        now = timezone.now()
        episode = self.in_therapy(first, last)
        signed_note(episode=episode, discharge_on=self.today - timedelta(days=1), at=now)
        self.limit = RestrictionFactory.create(episode=episode)
        for number, value in ((1, 3), (2, 4)):
            RestrictionVersionFactory.create(
                restriction=self.limit,
                number=number,
                kind="pain_rule",
                severity="caution",
                patterns=["kneel"],
                comparator="le",
                value=value,
                unit="nprs",
                change_reason="Stronger." if number > 1 else "",
                review_on=self.today + timedelta(days=60),
                signed_at=now,
            )
        episode.status, episode.ended_on = "finished", self.today - timedelta(days=1)
        episode.save()
        actor = acting(self.pt, now)
        referral = lifecycle.draft(
            actor=actor,
            client_id=episode.client_id,
            recipient_id=self.trainer.pk,
            episode_id=episode.pk,
            at=now,
        )
        lifecycle.send(actor=actor, referral_id=referral.pk, at=now)
        return episode


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
    limit = f"/episodes/{cast.drafted.pk}/limits/"
    addresses = (
        *("/home/", "/clients/", "/clients/?tab=all", "/clients/?tab=overdue", "/clients/new/"),
        *(f"/clients/{cast.minor.pk}/guardian/", f"/clients/{cast.minor.pk}/episodes/new/"),
        *(f"/episodes/{each.pk}/" for each in (cast.jonas, cast.drafted, cast.ana)),
        *(f"/episodes/{cast.jonas.pk}/{more}/" for more in ("edit", "measurements")),
        f"/discharge/{cast.jonas.pk}/",
        *(f"/discharge/{cast.drafted.pk}/{more}" for more in ("", "?check=1")),
        *(f"{limit}new/", f"{limit}{cast.listed.restriction_id}/"),
        *(f"/limits/{cast.limit.pk}/{more}" for more in ("", "revise/", "lift/")),
        f"/discharge/{cast.ana.pk}/handoff/",
    )
    page = page_at(width, scheme)
    sign_in(page, PT, PASSWORD)
    walk(page, addresses)


class Keys:
    """A person without a pointer. Every step can be reached, and what has the focus is in sight."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.press, self.type = page.keyboard.press, page.keyboard.type

    def to(self, target: Locator, *, most: int = 120) -> None:
        expect(target).to_be_attached()
        for _ in range(most):
            if target.evaluate("each => each === document.activeElement"):
                self._is_in_sight()
                return
            self.press("Tab")
        raise AssertionError(f"no Tab leads to {target}")

    def fill(self, label: str, words: str) -> None:
        self.to(self.page.get_by_label(label, exact=True))
        self.type(words)

    def day(self, label: str, day: date) -> None:
        self.fill(label, f"{day:%m%d%Y}")

    def pick(self, name: str, option: str) -> None:
        """The first of a group of radios is where Tab leads; arrows go on from there."""
        group = self.page.get_by_role("group", name=name)
        self.to(group.get_by_role("radio").first)
        self.press("Space")
        for _ in range(group.get_by_role("radio").count()):
            if group.get_by_role("radio", name=option).is_checked():
                return
            self.press("ArrowDown")
        raise AssertionError(f"no arrow leads to {option}")

    def follow(self, role: str, name: str | re.Pattern[str]) -> None:
        self.to(self.page.get_by_role(role, name=name))  # type: ignore[arg-type]  # a role
        self.press("Enter")

    def _is_in_sight(self) -> None:
        where = """() => {
              const box = document.activeElement.getBoundingClientRect();
              const x = box.left + box.width / 2, y = box.top + box.height / 2;
              const bars = document.querySelectorAll(".signbar, .tabbar, .actionbar, header.bar");
              const over = document.elementFromPoint(x, y);
              if (over === null) return "out of sight";
              for (const bar of bars) {
                if (bar.contains(over) && !bar.contains(document.activeElement))
                  return bar.className;
              }
              return "";
            }"""
        try:
            self.page.wait_for_function(f"() => ({where})() === ''", timeout=3000)
        except PlaywrightTimeout:
            name = self.page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
            raise AssertionError(f"{name} lies under {self.page.evaluate(where)}") from None


def test_a_discharge_by_keyboard_alone_on_a_phone(
    cast: Cast, page_at: Open, sign_in: SignIn, axe: Check, fits: Check
) -> None:
    page = page_at(PHONE)
    sign_in(page, PT, PASSWORD)
    keys = Keys(page)

    def whole() -> None:
        # From the top: what the bar at the foot half covers just now is no small target.
        page.evaluate("scrollTo(0, 0)")
        axe(page)
        fits(page)

    page.goto("/clients/")
    keys.follow("link", "Jonas Weber")
    expect(page.get_by_role("heading", level=1)).to_have_text("Jonas Weber")
    keys.follow("button", "Begin the discharge note")
    expect(page.get_by_role("heading", level=1)).to_have_text("Discharge note")

    keys.pick("Kind of discharge", "Full")
    keys.day("Date of discharge", cast.today - timedelta(days=1))
    keys.to(page.get_by_label("Why therapy ends"))
    keys.press("ArrowDown")
    keys.fill("Pain now", "1")
    keys.fill("Pain at its worst", "3")
    keys.fill("Pain at its best", "0")
    keys.fill("What the client can do now", "Lifts 10 kg to a shelf.")
    keys.to(page.get_by_label("Another goal"))
    keys.type("Swim 500 m")
    keys.pick("What became of it", "Partly met")
    keys.fill("Why not fully", "300 m by now")
    expect(page.get_by_text(re.compile("Draft, saved"))).to_be_visible()

    keys.follow("button", "Add a limit")
    expect(page.get_by_role("heading", name="Add a limit")).to_be_focused()
    keys.pick("How strict", "Avoid")
    expect(page.get_by_label("What kind of limit")).to_have_value("avoid")
    keys.to(page.get_by_label("Where"))
    keys.type("Shoulder")
    keys.to(page.get_by_label("Side", exact=True).first)
    keys.type("Right")
    keys.to(page.get_by_role("checkbox", name="Push overhead"))
    keys.press("Space")
    shown = page.get_by_role("region", name="What the trainer will read")
    expect(shown).to_contain_text(re.compile("right shoulder", re.I))
    keys.fill("Fine instead (optional)", "Row instead.")
    expect(shown).to_contain_text("Row instead.")
    keys.to(page.get_by_role("checkbox", name="My review alone lifts it"))
    keys.press("Space")
    whole()
    keys.follow("button", "Save the limit")
    expect(page.get_by_role("alert")).to_contain_text("review")
    expect(page.get_by_label("Fine instead (optional)")).to_have_value("Row instead.")
    keys.day("Review on", cast.today + timedelta(days=60))
    whole()
    keys.follow("button", "Save the limit")
    expect(page.get_by_role("list", name="Listed limits")).to_contain_text("Row instead.")

    keys.pick("Your decision", "The movement restrictions listed here apply")
    keys.fill("Home programme", "Band rows, twice a week.")
    keys.fill("What you recommend from here", "Train with a trainer.")
    keys.fill("If it flares up", "Rest for two days.")
    keys.pick("May the client train?", "Cleared, with limits")
    keys.pick("Hand off to a trainer?", "Yes")
    keys.follow("button", "Check and sign")

    summary = page.locator("#error-summary")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_text(
        ["Say when the client should come back to you."]
    )
    expect(page.get_by_label("If it flares up")).to_have_value("Rest for two days.")
    whole()
    keys.follow("link", "Say when the client should come back to you.")
    expect(page.get_by_label("Come back to therapy if")).to_be_focused()
    keys.type("Pain above four for a week.")
    keys.follow("button", "Check and sign")
    expect(page.get_by_role("heading", level=1)).to_have_text("Read once more, then sign")
    expect(page.get_by_role("main")).to_contain_text("Pain above four for a week.")
    whole()
    keys.follow("button", "Sign the note")
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a trainer")
    assert DischargeNote.objects.get(episode=cast.jonas).is_signed
    assert RestrictionVersion.objects.filter(
        restriction__episode=cast.jonas, signed_at__isnull=False
    ).exists()

    keys.to(page.get_by_role("radio", name=re.compile("Tom Okafor")))
    keys.press("Space")
    whole()
    keys.follow("button", "Send")
    expect(page.get_by_text("The client is asked now.")).to_be_visible()
    sent = Referral.objects.get(episode=cast.jonas)
    assert (sent.state, sent.recipient) == (State.AWAITING_CONSENT, cast.trainer)


@pytest.mark.parametrize("answer", ["late", "refused"])
def test_a_press_while_the_draft_is_being_saved_is_not_lost(
    cast: Cast, page_at: Open, sign_in: SignIn, answer: str
) -> None:
    page = page_at(DESK)
    sign_in(page, PT, PASSWORD)
    page.goto(f"/discharge/{cast.drafted.pk}/")
    waiting: list[Route] = []
    page.route("**/save/", lambda route: waiting.append(route))
    with page.expect_request("**/save/"):
        page.get_by_label("If it flares up").press_sequentially("Rest for two days.")
    page.get_by_role("button", name="Save draft").last.click()
    expect(page.get_by_text("The draft is saved.")).to_have_count(0)
    if answer == "late":
        waiting[0].continue_()
    else:
        waiting[0].fulfill(status=422, content_type="text/html", body="")
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    expect(page.get_by_label("If it flares up")).to_have_value("Rest for two days.")
    note = DischargeNote.objects.get(episode=cast.drafted)
    assert note.flare_up_plan == "Rest for two days."


def test_a_press_right_after_typing_saves_once(cast: Cast, page_at: Open, sign_in: SignIn) -> None:
    """The save that was about to happen would otherwise race with the page, and one be stale."""
    page = page_at(DESK)
    sign_in(page, PT, PASSWORD)
    address = f"/discharge/{cast.drafted.pk}/"
    page.goto(address)
    saves: list[str] = []
    page.on("request", lambda sent: saves.append(sent.url) if "/save/" in sent.url else None)

    def slowly(route: Route) -> None:
        if route.request.method == "POST":
            page.wait_for_timeout(2000)
        route.continue_()

    page.route(f"**{address}", slowly)
    page.get_by_label("If it flares up").press_sequentially("Rest.")
    page.get_by_role("button", name="Save draft").last.click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    assert not saves
    assert DischargeNote.objects.get(episode=cast.drafted).flare_up_plan == "Rest."


def test_searching_while_typing(cast: Cast, page_at: Open, sign_in: SignIn) -> None:
    page = page_at(DESK)
    sign_in(page, PT, PASSWORD)
    page.goto("/clients/")
    page.get_by_role("searchbox", name="Find a client by name").press_sequentially("jon")
    expect(page.get_by_role("heading", name="Found")).to_be_visible()
    expect(page.get_by_role("link", name="Jonas Weber", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Ana Duarte")).to_have_count(0)
    assert page.url.endswith("/clients/")
