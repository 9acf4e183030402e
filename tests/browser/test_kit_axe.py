"""The frame, the account pages and every component, as a browser and its reader see them."""

import re
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import expect

from clients.models import User
from handoff.web import demo
from tests.browser.conftest import NARROWEST, SIZES, Check, Open

pytestmark = pytest.mark.django_db(transaction=True)

OPEN = [
    "/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/design/",
    "/no/",
]
ACCOUNT = [
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/sessions/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/logout/",
]


@pytest.fixture
def account() -> User:
    user = User.objects.create_user(
        "kit@example.org", demo.PASSWORD, first_name="Kit", last_name="Sample"
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_open_pages_pass_axe(
    page_at: Open, axe: Check, fits: Check, width: int, scheme: str
) -> None:
    page = page_at(width, scheme)
    for address in OPEN:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        axe(page)
        fits(page)


@pytest.mark.parametrize(("width", "scheme"), [SIZES[0], SIZES[3]])
def test_account_pages_pass_axe(
    page_at: Open,
    axe: Check,
    fits: Check,
    sign_in: Callable[..., None],
    account: User,
    width: int,
    scheme: str,
) -> None:
    page = page_at(width, scheme)
    sign_in(page, account.email)
    for address in ACCOUNT:
        page.goto(address)
        if "reauthenticate" in page.url:
            axe(page)
            page.get_by_label("Password", exact=True).fill(demo.PASSWORD)
            page.get_by_role("button", name="Go on").click()
        expect(page).to_have_url(re.compile(re.escape(address) + "$"))
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        axe(page)
        fits(page)


def test_nothing_scrolls_sideways_on_the_narrowest_phone(page_at: Open, fits: Check) -> None:
    page = page_at(NARROWEST)
    for address in OPEN:
        page.goto(address)
        fits(page)


def test_first_tab_stop_skips_to_the_content_and_is_seen(page_at: Open) -> None:
    page = page_at()
    page.goto("/accounts/login/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Email", exact=True)).to_be_focused()


def test_focus_is_visible_on_every_control(page_at: Open) -> None:
    page = page_at()
    page.goto("/accounts/signup/")
    seen = 0
    for _ in range(30):
        page.keyboard.press("Tab")
        width, tag = page.evaluate(
            """() => {
              const at = document.activeElement;
              const style = getComputedStyle(at);
              const drawn = style.outlineStyle !== "none";
              return [drawn ? parseFloat(style.outlineWidth) : 0, at.tagName];
            }"""
        )
        if tag == "BODY":
            break
        assert width >= 2, f"no focus ring on {tag}"
        seen += 1
    assert seen >= 5


def test_nothing_moves_for_people_who_asked_for_that(page_at: Open) -> None:
    page = page_at()
    page.goto("/design/")
    spinner = page.locator(".spinner").first
    assert spinner.evaluate("node => getComputedStyle(node).animationIterationCount") == "1"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_sign_in_and_out(page_at: Open, account: User, script: bool) -> None:
    page = page_at(script=script)
    page.goto("/accounts/login/")
    page.get_by_label("Email", exact=True).fill(account.email)
    page.get_by_label("Password", exact=True).fill(demo.PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    page.goto("/")
    page.get_by_label("Account menu, Kit Sample").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    expect(page.get_by_text("You have signed out.")).to_be_visible()


def test_wrong_password_says_so_and_takes_the_focus(
    page_at: Open, axe: Check, account: User
) -> None:
    page = page_at()
    page.goto("/accounts/login/")
    page.get_by_label("Email", exact=True).fill(account.email)
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    summary = page.get_by_role("alert").filter(has_text="That did not work")
    expect(summary).to_be_focused()
    axe(page)


def test_demo_login_is_filled_in_by_one_press(page_at: Open) -> None:
    page = page_at()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Fill in trainer@example.org").click()
    expect(page.get_by_label("Email", exact=True)).to_have_value("trainer@example.org")
    expect(page.get_by_label("Password", exact=True)).to_have_value(demo.PASSWORD)


def test_escape_closes_the_account_menu_and_returns(
    page_at: Open, sign_in: Callable[..., None], account: User
) -> None:
    page = page_at()
    sign_in(page, account.email)
    page.goto("/")
    menu = page.get_by_label("Account menu, Kit Sample")
    menu.click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(menu).to_be_focused()


def test_tap_on_the_body_fills_in_the_lists_and_back(page_at: Open) -> None:
    page = page_at()
    page.goto("/design/")
    figure = page.get_by_role("img", name="Front of body. Choose from the list below.")
    figure.locator('[data-region="left-knee"]').click()
    expect(page.get_by_label("Where")).to_have_value("knee")
    side = page.locator("[name=pick-side]")
    expect(side).to_have_value("left")
    selected = figure.locator(".is-selected")
    expect(selected).to_have_attribute("data-region", "left-knee")
    side.select_option("right")
    expect(selected).to_have_attribute("data-region", "right-knee")


def test_dialog_opens_closes_and_gives_the_focus_back(page_at: Open, axe: Check) -> None:
    page = page_at()
    page.goto("/design/")
    opener = page.get_by_role("link", name="Stop sharing")
    opener.click()
    dialog = page.get_by_role("dialog", name="Stop sharing with Tom?")
    expect(dialog).to_be_visible()
    axe(page)
    dialog.get_by_role("button", name="Keep sharing").click()
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_paper_shows_limits_without_the_frame(page_at: Open) -> None:
    page = page_at()
    page.goto("/design/")
    page.emulate_media(media="print")
    expect(page.get_by_role("banner")).to_be_hidden()
    expect(page.get_by_role("contentinfo")).to_be_hidden()
    plate = page.locator(".plate.is-avoid").first
    expect(plate).to_be_visible()
    # Not by colour alone: a frame of its own, and dark words on the paper.
    assert plate.evaluate("node => getComputedStyle(node).borderStyle") == "double"
