"""What htmx shows of each kind of answer, under our content security policy."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from playwright.sync_api import Page, expect

from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]

_PAGE = """{% extends "base.html" %}{% block h1 %}Swaps{% endblock %}{% block main %}
<div id="box" class="card">before</div>
{% for name in names %}
<form method="post" action="/act/{{ name }}/" hx-post="/act/{{ name }}/" hx-target="#box">
{% csrf_token %}
<button class="btn" type="submit">{{ name }}</button></form>{% endfor %}
{% endblock %}"""
_REFUSALS = {
    "gone": NotVisible(),
    "forbidden": NotAllowed("Only the sender can do this."),
    "stale": Stale("Somebody was quicker."),
    "invalid": Invalid("Choose a side."),
}


@page(Policy.PUBLIC)
def start(request: HttpRequest) -> HttpResponse:
    names = [*_REFUSALS, "fine", "again", "elsewhere", "broken", "locked"]
    return HttpResponse(engines["django"].from_string(_PAGE).render({"names": names}, request))


@page(Policy.PUBLIC, methods=("POST",))
def act(request: HttpRequest, name: str) -> HttpResponse:
    if name in _REFUSALS:
        raise _REFUSALS[name]
    if name == "elsewhere":
        return redirect_or_swap(request, "landing")
    if name == "broken":
        return HttpResponse("canary-7f3a", status=500)
    return HttpResponse(f"after {name}", status=422 if name == "again" else 200)


@page(Policy.SIGNED_IN, methods=("POST",))
def locked(request: HttpRequest) -> HttpResponse:
    raise AssertionError("reached")


urlpatterns = [
    path("swaps/", start),
    path("act/locked/", locked),
    path("act/<str:name>/", act),
    path("accounts/", include("allauth.urls")),
    path("", include("handoff.web.urls")),
]

Open = Callable[..., Page]


@pytest.fixture
def swaps(page_at: Open) -> Page:
    page = page_at(PHONE)
    page.goto("/swaps/")
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("name", ["fine", "again"])
def test_answer_lands_in_its_place_also_when_the_form_was_wrong(swaps: Page, name: str) -> None:
    press(swaps, name)
    expect(swaps.locator("#box")).to_have_text(f"after {name}")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone", "Nothing here"),
        ("forbidden", "Only the sender can do this."),
        ("stale", "Somebody was quicker."),
        ("invalid", "Choose a side."),
    ],
)
def test_refusal_is_a_notice_with_the_focus_and_leaves_the_page(
    swaps: Page, name: str, words: str
) -> None:
    press(swaps, name)
    expect(swaps.locator("#notices")).to_contain_text(words)
    expect(swaps.locator("#notices [data-focus]")).to_be_focused()
    expect(swaps.locator("#box")).to_have_text("before")


def test_stale_leads_back_to_this_page(swaps: Page) -> None:
    press(swaps, "stale")
    swaps.get_by_role("link", name="Load it again").click()
    expect(swaps.locator("#notices")).not_to_contain_text("Somebody was quicker.")
    assert swaps.url.endswith("/swaps/")


def test_success_goes_on(swaps: Page) -> None:
    press(swaps, "elsewhere")
    expect(swaps.get_by_role("heading", name="Where to begin")).to_be_visible()


def test_lost_session_leads_to_the_login_and_back(swaps: Page) -> None:
    press(swaps, "locked")
    expect(swaps.get_by_role("heading", name="Sign in", level=1)).to_be_visible()
    assert swaps.url.endswith("?next=/swaps/")


def test_nothing_of_a_visited_page_stays_in_the_browsers_storage(swaps: Page) -> None:
    press(swaps, "fine")
    expect(swaps.locator("#box")).to_have_text("after fine")
    kept = swaps.evaluate("() => ({...localStorage, ...sessionStorage})")
    # htmx notes the address it is at, and none of what was there.
    assert kept == {"htmx-current-path-for-history": "/swaps/"}


@pytest.mark.parametrize("name", ["stale", "fine"])
def test_the_same_forms_work_without_a_script(page_at: Open, name: str) -> None:
    page = page_at(PHONE, script=False)
    page.goto("/swaps/")
    press(page, name)
    expect(page.locator("body")).to_contain_text(
        {"stale": "Somebody was quicker.", "fine": "after fine"}[name]
    )


class TestBroken:
    """The browser itself reports a 500 and a dead line, so these two have a window of their own."""

    @pytest.fixture
    def window(self, browser, live_server):  # type: ignore[no-untyped-def]  # plain Playwright
        context = browser.new_context(base_url=live_server.url)
        page = context.new_page()
        page.goto("/swaps/")
        yield page
        context.close()

    def test_failure_of_the_server_is_said_in_words(self, window: Page) -> None:
        press(window, "broken")
        expect(window.locator("#notices")).to_contain_text("No answer from Handoff")
        expect(window.locator("body")).not_to_contain_text("canary-7f3a")

    def test_lost_connection_is_said_in_words(self, window: Page) -> None:
        window.context.set_offline(True)
        press(window, "fine")
        expect(window.locator("#notices")).to_contain_text("Check your connection")
        expect(window.locator("#box")).to_have_text("before")
