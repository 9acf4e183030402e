"""Setting up a second factor, the list of devices, being signed out, and being asked once more."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from playwright.sync_api import Page, expect

from handoff.core import tokens
from tests.api.test_tokens import totp_code
from tests.browser.conftest import DESK, PHONE, Check, Scheme, SignIn
from tests.factories import PASSWORD
from tests.referrals.scenes import Therapy

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "light"), (DESK, "dark")])
def test_a_therapist_sets_one_up_and_goes_on(
    page_at: Callable[..., Page],
    sign_in: SignIn,
    axe: Check,
    fits: Check,
    settings: Any,
    width: int,
    scheme: Scheme,
) -> None:
    settings.SECOND_FACTOR_DEMANDED = True
    therapy = Therapy()
    therapy.signed()
    user = therapy.pt.user
    page = page_at(width, scheme)

    def looks(heading: str) -> None:
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        axe(page)
        fits(page)

    sign_in(page, user.email, PASSWORD)
    looks("Second step at sign-in")
    expect(page.get_by_role("main")).to_contain_text("One more thing before you begin")
    page.goto("/clients/")
    looks("Second step at sign-in")

    page.get_by_role("link", name="Set it up").click()
    looks("Is it you?")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    looks("Set up the authenticator app")
    page.get_by_label("Authenticator code").fill(totp_code(page.get_by_label("Key").input_value()))
    page.get_by_role("button", name="Use this app").click()
    looks("Recovery codes")

    tokens.issue(user_id=user.pk, name="Appointment import", second_factor=True)
    page.goto("/accounts/sessions/")
    looks("Where I am signed in")
    page.get_by_role("button", name="End the token Appointment import").click()
    expect(page.get_by_role("main")).not_to_contain_text("Appointment import")

    page.goto(f"/limits/{therapy.restriction('avoid').pk}/lift/")
    looks("Lift this limit?")
    page.get_by_role("textbox").fill("Strong enough in every direction.")
    _long_ago(user)
    page.get_by_role("button", name="Sign and lift").click()
    looks("Is it still you?")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#notices")).to_contain_text("The limit is lifted.")

    page.goto("/profile/")
    page.get_by_label("First name").fill("A name with some words in it")
    UserSession.objects.filter(user=user).update(last_seen_at=timezone.now() - timedelta(hours=1))
    page.get_by_role("main").get_by_role("button", name="Save").click()
    looks("You have been signed out")
    expect(page.get_by_label("First name")).to_have_value("A name with some words in it")


def _long_ago(user: Any) -> None:
    """The proofs in this person's session lie six minutes back."""
    store = SessionStore(UserSession.objects.get(user=user).session_key)
    key = "account_authentication_methods"
    store[key] = [{**each, "at": each["at"] - 360} for each in store[key]]
    store.save()
