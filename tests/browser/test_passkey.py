"""A passkey, from setting it up to signing in with it, in our own templates."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Page, expect

from clients.models import User
from handoff.web import demo

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account() -> User:
    user = User.objects.create_user("key@example.org", demo.PASSWORD, first_name="Key")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def plug_in(page: Page) -> None:
    """Give the browser a device that says yes."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_passkey_is_set_up_listed_and_signs_in(
    page_at: Callable[..., Page],
    sign_in: Callable[..., None],
    axe: Callable[[Page], None],
    account: User,
) -> None:
    page = page_at()
    plug_in(page)
    sign_in(page, account.email)
    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_label("Password", exact=True).fill(demo.PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name").fill("Work laptop")
    passwordless = page.get_by_role("checkbox")
    if not passwordless.is_checked():
        passwordless.check()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto("/accounts/2fa/webauthn/")
    expect(page.get_by_role("main")).to_contain_text("Work laptop")
    expect(page.get_by_role("main")).to_contain_text("Signs in by itself")
    axe(page)

    page.get_by_label("Account menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You have signed out.")).to_be_visible()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_label("Account menu")).to_be_visible()


def test_device_that_refuses_is_said_in_words(page_at: Callable[..., Page]) -> None:
    page = page_at()
    page.goto("/accounts/login/")
    # No device at all: the browser's own prompt cannot be answered, so let it be cancelled.
    page.evaluate(
        "() => { navigator.credentials.get = () => Promise.reject(new Error('cancelled')); }"
    )
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("#notices")).to_contain_text("The passkey did not work")
