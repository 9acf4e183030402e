"""Who should I see first, as a stranger on a phone and a client at a desk: by label and key."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from referrals.models import Screening
from tests.browser.conftest import DESK, PHONE, Check, SignIn
from tests.factories import PASSWORD
from tests.referrals.scenes import Therapy

pytestmark = pytest.mark.django_db(transaction=True)
WARNING = "Do you have any of these now, or in the last few days?"
HEALTH = "Does any of this apply to you?"
BODY = "How is your body today?"


def one_of(page: Page, group: str, choice: str) -> None:
    page.get_by_role("group", name=group).get_by_label(choice, exact=True).check(force=True)


def answer_the_rest(page: Page) -> None:
    one_of(page, HEALTH, "None of these")
    one_of(page, BODY, "Something hurts, at rest or when I move")
    one_of(page, "An injury, or an operation", "No")
    one_of(page, "What do you want most?", "Get stronger or fitter")
    one_of(page, "Have you been active", "Yes")
    one_of(page, "How hard do you want to train", "Light or moderate: I could still talk")


def test_a_stranger_learns_whom_to_see_and_a_client_keeps_it(
    page_at: Callable[..., Page], sign_in: SignIn, axe: Check, fits: Check
) -> None:
    # On a phone, without a script and without an account.
    page = page_at(PHONE, "dark", script=False)
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="Find out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who should I see first?")
    answer_the_rest(page)
    page.get_by_role("button", name="Show me who comes first").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("One thing needs another look")
    one_of(page, WARNING, "Fever together with strong pain in a joint or in the back")
    page.get_by_role("button", name="Show me who comes first").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Get medical help first")
    expect(page.get_by_role("link", name="Call 911 (in the US)")).to_be_visible()
    assert page.url.endswith("/triage/")

    # At a desk, as a client, with the keyboard for what one presses most.
    therapy = Therapy()
    assert therapy.client.user is not None
    page = page_at(DESK, "light")
    sign_in(page, therapy.client.user.email, PASSWORD)
    page.get_by_role("link", name="Who should I see first?").first.click()
    axe(page)
    fits(page)
    group = page.get_by_role("group", name=WARNING)
    group.get_by_label("None of these").focus()
    page.keyboard.press("Space")
    answer_the_rest(page)
    page.get_by_role("button", name="Show me who comes first").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("See a physical therapist first")
    axe(page)
    fits(page)

    page.get_by_text("Check or change my answers").click()
    page.get_by_role("button", name="Change my answers").click()
    expect(page.get_by_label("Get stronger or fitter")).to_be_checked()
    page.get_by_role("button", name="Show me who comes first").click()
    assert not Screening.objects.exists()
    page.get_by_role("button", name="Save to my record").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My saved results")
    axe(page)
    fits(page)
    assert Screening.objects.get().level == "pt"

    page.get_by_role("button", name="My health has changed").click()
    expect(page.get_by_role("main")).to_contain_text("Health changed")
    axe(page)
