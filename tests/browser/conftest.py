"""A real Chromium on a real server, by role and label as a person would use it.

Without Chromium these tests are skipped, unless HANDOFF_REQUIRE_BROWSER=1 says that they must run.
"""

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from handoff.web import demo

Scheme = Literal["light", "dark"]
Open = Callable[..., Page]
Check = Callable[[Page], None]
SignIn = Callable[..., None]
Walk = Callable[[Page, Iterable[str]], None]

_CHROMIUM = os.environ.get("HANDOFF_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
# Above this the bar shows its links; below it they are at the foot of the screen.
PHONE = 390
DESK = 1280
NARROWEST = 320
SIZES = [(PHONE, "light"), (PHONE, "dark"), (DESK, "light"), (DESK, "dark")]
EACH_ONCE = [(PHONE, "light"), (DESK, "dark")]
"""Both widths and both schemes, for long walks; what pages are made of is looked at in all."""
# WCAG 2.0 to 2.2, A and AA, and axe's own good habits (landmarks, headings).
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="session")
def browser() -> Generator[Browser, None, None]:
    if not Path(_CHROMIUM).exists():
        hint = f"no Chromium at {_CHROMIUM}: apt-get install chromium, or set HANDOFF_CHROMIUM"
        if os.environ.get("HANDOFF_REQUIRE_BROWSER") == "1":
            pytest.fail(hint)
        pytest.skip(hint)
    # Playwright's sync API runs an event loop in this thread; Django's ORM must be told that the
    # calls of this thread are nevertheless plain ones.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        yield started
        started.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(autouse=True)
def _as_a_demo(settings: Any) -> None:
    """People walk through the demo, which asks nobody for a second factor, and says so."""
    settings.SECOND_FACTOR_DEMANDED = False


@pytest.fixture
def page_at(
    browser: Browser, live_server: LiveServer
) -> Generator[Callable[..., Page], None, None]:
    """`page_at(width, scheme)`: a fresh window, signed in as nobody; paths are relative.

    A window fails its test when the page reported an error: a script that broke, a file that was
    refused by our own content security policy, a request that was not answered.
    """
    opened: list[tuple[Any, list[str]]] = []

    def open_window(
        width: int = DESK, scheme: Scheme = "light", *, script: bool = True, **options: Any
    ) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 844 if width < 600 else 900},
            color_scheme=scheme,
            java_script_enabled=script,
            reduced_motion="reduce",
            **options,
        )
        troubles: list[str] = []
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
        page.on("console", lambda said: _note(troubles, said))
        opened.append((context, troubles))
        return page

    yield open_window
    found: list[str] = []
    for context, troubles in opened:
        context.close()
        found += troubles
    assert not found, "the browser complained:\n" + "\n".join(found)


def _note(troubles: list[str], said: Any) -> None:
    # A refusal (4xx) is an answer; the browser reports it as an error all the same. And htmx tells
    # of a request that ends because its page is left; one that fails says `htmx:sendError` besides.
    harmless = ("responded with a status of 4", "htmx:afterRequest", "htmx:sendAbort")
    if said.type == "error" and not any(each in said.text for each in harmless):
        troubles.append(f"console: {said.text}")


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], None]:
    """`axe(page)`: no accessibility violation on what the page shows now."""
    runner = Axe()

    def check(page: Page) -> None:
        results = runner.run(page, options={"runOnly": {"type": "tag", "values": _RULES}})
        found = [
            f"{one['id']} ({one['impact']}): {one['help']}\n    "
            + "\n    ".join(node["html"][:200] for node in one["nodes"][:5])
            for one in results.response["violations"]
        ]
        assert not found, f"{page.url}\n" + "\n".join(found)

    return check


@pytest.fixture(scope="session")
def fits() -> Callable[[Page], None]:
    """`fits(page)`: nothing scrolls sideways."""

    def check(page: Page) -> None:
        wide, window = page.evaluate(
            "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= window, f"{page.url} is {wide} px wide in a window of {window} px"

    return check


@pytest.fixture(scope="session")
def walk(axe: Check, fits: Check) -> Walk:
    """`walk(page, addresses)`: each has one heading, passes axe with all unfolded, and fits; on a
    phone, the narrowest one too."""

    def visit(page: Page, addresses: Iterable[str]) -> None:
        size = page.viewport_size
        assert size is not None
        for address in addresses:
            page.goto(address)
            expect(page.get_by_role("heading", level=1)).to_have_count(1)
            page.evaluate(
                "() => document.querySelectorAll('main details.more').forEach(e => e.open = true)"
            )
            axe(page)
            fits(page)
            if size["width"] == PHONE:
                page.set_viewport_size({"width": NARROWEST, "height": size["height"]})
                fits(page)
                page.set_viewport_size(size)

    return visit


@pytest.fixture(scope="session")
def sign_in() -> Callable[..., None]:
    """`sign_in(page, email)`: through the form, as a person does."""

    def enter(page: Page, email: str, password: str = demo.PASSWORD) -> None:
        page.goto("/accounts/login/")
        page.get_by_label("Email", exact=True).fill(email)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
        expect(page).not_to_have_url(re.compile("/accounts/login/"))

    return enter
