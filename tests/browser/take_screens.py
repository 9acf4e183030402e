"""Takes the pictures in docs/screens/. Not a test of the suite: `make screens` runs it.

The eight main pages, as the demo cast sees them, at phone and desk width, light and dark.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import Page

from referrals.models import Episode, Referral
from referrals.states import State
from tests.browser.conftest import DESK, PHONE

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screens"


def _paths() -> dict[str, tuple[str, str]]:
    """Name of the picture -> (who looks, where)."""
    waiting = Referral.objects.get(state=State.AWAITING_CONSENT, client__first_name="Ana")
    running = Referral.objects.get(state=State.IN_PROGRESS)
    draft = Episode.objects.get(client__first_name="Jonas")
    return {
        "caseload-pt": ("pt", reverse("caseload")),
        "discharge-pt": ("pt", reverse("discharge", args=[draft.pk])),
        "referral-pt": ("pt", reverse("referral", args=[running.pk])),
        "home-trainer": ("trainer", reverse("home")),
        "client-page-trainer": ("trainer", reverse("client", args=[running.client_id])),
        "home-client": ("client3", reverse("home")),
        "consent-client": ("client", reverse("consent", args=[waiting.consent_id])),
        "access-client": ("client3", reverse("access")),
    }


def _make_room(page: Page) -> None:
    """A window as tall as the page: bars that stay at its foot do not lie across the picture."""
    assert page.viewport_size is not None
    tall = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": tall})


@pytest.mark.django_db(transaction=True)
def test_take_the_pictures(page_at: Callable[..., Page], sign_in: Callable[..., None]) -> None:
    call_command("demo")
    FOLDER.mkdir(parents=True, exist_ok=True)
    paths = _paths()
    # The trainer looks first, so that the client's access page has something to show.
    for who in ("trainer", "pt", "client", "client3"):
        for width in (PHONE, DESK):
            for scheme in ("light", "dark"):
                page = page_at(width, scheme)
                sign_in(page, f"{who}@example.org")
                for name, (person, path) in paths.items():
                    if person == who:
                        page.goto(path)
                        _make_room(page)
                        page.screenshot(path=FOLDER / f"{name}-{width}-{scheme}.png")
