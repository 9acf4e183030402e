"""The door of every page: who comes in, and what a refusal looks like."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory, override_settings
from django.urls import include, path
from django_htmx.middleware import HtmxDetails

from clients.models import User
from handoff import demo_cast
from handoff.core.actors import ANONYMOUS, Actor, Role
from handoff.core.errors import DomainError, Invalid, NotAllowed, NotVisible, Stale
from handoff.core.policy import Policy
from handoff.web import demo
from handoff.web.failures import failed
from handoff.web.pages import page, page_before, panel, redirect_or_swap

# --- routes for these tests only ------------------------------------------------------------------

# Whether the house is held is asked of the database, before every answer.
pytestmark = pytest.mark.django_db


def breaks(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("canary-7f3a")


def away(request: HttpRequest) -> HttpResponse:
    raise OperationalError("canary-7f3a")


def clash(request: HttpRequest) -> HttpResponse:
    raise IntegrityError("canary-7f3a")


def damaged(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation("canary-7f3a")


@page(Policy.PUBLIC, methods=("GET", "POST"))
def open_to_all(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


handler500 = failed
urlpatterns = [
    path("breaks/", breaks),
    path("damaged/", damaged),
    path("away/", away),
    path("clash/", clash),
    path("open/", open_to_all),
    path("accounts/", include("allauth.urls")),
    path("", include("handoff.web.urls")),
]


def ask(
    view: Any, *, actor: Actor = ANONYMOUS, method: str = "get", htmx: bool = False, **meta: Any
) -> HttpResponseBase:
    """Call a view as the middleware would have, so that each actor can be tried without rows."""
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/from/"} if htmx else {}
    request = getattr(RequestFactory(headers=headers), method)("/thing/", **meta)
    request.actor = actor
    request.htmx = HtmxDetails(request)
    answer = view(request)
    assert isinstance(answer, HttpResponseBase)
    return answer


def text_of(answer: HttpResponseBase) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def person(*roles: Role) -> Actor:
    return Actor(user_id=uuid4(), roles=frozenset(roles))


EVERYBODY = {
    "anonymous": ANONYMOUS,
    "nobody yet": person(),
    **{role.value: person(role) for role in Role},
}
ADMITTED = {
    Policy.PUBLIC: set(EVERYBODY),
    Policy.SIGNED_IN: set(EVERYBODY) - {"anonymous"},
    Policy.PROFESSIONAL: {"pt", "pta", "trainer"},
    Policy.PT: {"pt", "pta"},
    Policy.TRAINER: {"trainer"},
    Policy.CLIENT: {"client", "guardian"},
    Policy.STAFF: {"admin"},
}


# --- who comes in ---------------------------------------------------------------------------------


@pytest.mark.django_db  # the frame of the 404 counts the person's reminders
@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("who", list(EVERYBODY))
def test_door_opens_for_exactly_the_policys_people(policy: Policy, who: str) -> None:
    @page(policy)
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("inside")

    answer = ask(view, actor=EVERYBODY[who])
    if who in ADMITTED[policy]:
        assert answer.status_code == 200
    elif who == "anonymous":
        assert answer.status_code == 302
        assert answer.headers["Location"] == "/accounts/login/?next=/thing/"
    else:
        assert answer.status_code == 404
        assert "inside" not in text_of(answer)


def test_policy_is_written_on_the_view() -> None:
    assert open_to_all.policy is Policy.PUBLIC  # type: ignore[attr-defined]  # set by the decorator


def test_only_declared_methods_pass() -> None:
    @page(Policy.PUBLIC)
    def reads(request: HttpRequest) -> HttpResponse:
        return HttpResponse("read")

    assert ask(reads, method="head").status_code == 200
    refused = ask(reads, method="post")
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "GET, HEAD"


def test_form_of_somebody_signed_out_comes_back_to_the_page_around_it() -> None:
    @page(Policy.SIGNED_IN, methods=("POST",))
    def act(request: HttpRequest) -> HttpResponse:
        raise AssertionError("reached")

    plain = ask(act, method="post", HTTP_REFERER="http://testserver/from/?tab=1")
    assert plain.headers["Location"] == "/accounts/login/?next=/from/%3Ftab%3D1"
    swapped = ask(act, method="post", htmx=True)
    assert swapped.status_code == 200
    assert swapped.headers["HX-Redirect"] == "/accounts/login/?next=/from/"


# --- what a refusal looks like --------------------------------------------------------------------

REFUSALS = [
    (NotVisible(), 404, "Nothing here"),
    (Http404("canary-7f3a"), 404, "Nothing here"),
    (NotAllowed("Only the sender can cancel."), 403, "Only the sender can cancel."),
    (PermissionDenied("Not on this day."), 403, "Not on this day."),
    (Stale("Somebody accepted it first."), 409, "Somebody accepted it first."),
    (Invalid({"side": ["Choose a side."]}), 422, "Choose a side."),
]


@pytest.mark.parametrize(("error", "status", "words"), REFUSALS, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_refusal(error: Exception, status: int, words: str, htmx: bool) -> None:
    @page(Policy.PUBLIC, methods=("POST",))
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    answer = ask(view, method="post", htmx=htmx)
    html = text_of(answer)
    assert answer.status_code == status
    assert words in html
    assert "canary-7f3a" not in html
    if htmx:
        assert answer.headers["HX-Retarget"] == "#notices"
        assert "<html" not in html
    else:
        assert html.count("<h1") == 1
        assert "<main" in html


def test_refusal_escapes_the_reason() -> None:
    @page(Policy.PUBLIC)
    def view(request: HttpRequest) -> HttpResponse:
        raise NotAllowed("<script>x</script>")

    assert "<script>x" not in text_of(ask(view))


def test_stale_offers_the_page_it_came_from_and_no_other_site() -> None:
    @page(Policy.PUBLIC, methods=("POST",))
    def view(request: HttpRequest) -> HttpResponse:
        raise Stale

    assert 'href="/from/"' in text_of(
        ask(view, method="post", HTTP_REFERER="http://testserver/from/")
    )
    elsewhere = text_of(ask(view, method="post", HTTP_REFERER="https://evil.example/from/"))
    assert "evil.example" not in elsewhere


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example", ""],
)
def test_page_before_stays_on_this_site(address: str) -> None:
    request = RequestFactory().get("/", HTTP_REFERER=address)
    assert page_before(request, default="/home/") == "/home/"


@pytest.mark.parametrize(
    "path", ["//evil.example/x?y=1", "/\\evil.example/x?y=1", "///evil.example"]
)
def test_page_before_never_begins_like_another_site(path: str) -> None:
    """`//name/` as a path of this site is another site as a link."""
    request = RequestFactory().get("/", HTTP_REFERER=f"http://testserver{path}")
    assert page_before(request).startswith("/evil.example")


def test_domain_error_without_an_answer_is_a_bug() -> None:
    @page(Policy.PUBLIC)
    def view(request: HttpRequest) -> HttpResponse:
        raise DomainError

    with pytest.raises(DomainError):
        ask(view)


# --- one view, with and without a script ----------------------------------------------------------


def test_panel_is_a_part_for_htmx_and_the_page_for_a_browser() -> None:
    @page(Policy.PUBLIC)
    def view(request: HttpRequest) -> HttpResponse:
        return panel(
            request, "components/phase.html", {"text": "Rehab"}, page="404.html", status=422
        )

    part = ask(view, htmx=True)
    assert part.status_code == 422
    assert "<html" not in text_of(part)
    assert "<html" in text_of(ask(view))


def test_redirect_or_swap() -> None:
    @page(Policy.PUBLIC, methods=("POST",))
    def view(request: HttpRequest) -> HttpResponse:
        return redirect_or_swap(request, "landing")

    plain = ask(view, method="post")
    assert (plain.status_code, plain.headers["Location"]) == (303, "/")
    assert ask(view, method="post", htmx=True).headers["HX-Redirect"] == "/"


# --- error pages of Django, in our look -----------------------------------------------------------


@pytest.mark.urls(__name__)
def test_500_needs_neither_database_nor_context() -> None:
    """No database mark: a query in the error page would fail this test."""
    client = Client(raise_request_exception=False)
    answer = client.get("/breaks/")
    html = answer.content.decode()
    assert answer.status_code == 500
    assert "Something broke on our side" in html
    assert "canary-7f3a" not in html
    assert '<html lang="en">' in html


@pytest.mark.urls(__name__)
def test_a_database_that_is_away_is_a_503() -> None:
    client = Client(raise_request_exception=False)
    answer = client.get("/away/")
    html = answer.content.decode()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Not right now" in html
    assert "canary-7f3a" not in html
    # What only looks like it is still ours to mend.
    assert client.get("/clash/").status_code == 500


@pytest.mark.urls(__name__)
def test_400_says_nothing_about_why() -> None:
    answer = Client().get("/damaged/")
    assert answer.status_code == 400
    assert "canary-7f3a" not in answer.content.decode()


@pytest.mark.urls(__name__)
def test_404_of_an_unknown_address() -> None:
    answer = Client().get("/canary-7f3a/")
    html = answer.content.decode()
    assert answer.status_code == 404
    assert "Nothing here" in html
    assert "canary-7f3a" not in html


@pytest.mark.urls(__name__)
def test_form_without_its_token_says_send_it_again() -> None:
    answer = Client(enforce_csrf_checks=True).post("/open/")
    assert answer.status_code == 403
    assert "Please send it again" in answer.content.decode()


@pytest.mark.parametrize("name", ["403_csrf.html", "404.html", "409.html", "422.html", "429.html"])
def test_error_pages_have_one_heading_and_one_main(name: str) -> None:
    from django.template.loader import render_to_string  # noqa: PLC0415 beside its use

    html = render_to_string(name, {}, RequestFactory().get("/"))
    assert html.count("<h1") == 1
    assert html.count("<main") == 1


# --- headers --------------------------------------------------------------------------------------


@pytest.mark.urls(__name__)
def test_nothing_we_answer_may_be_kept() -> None:
    headers = Client().get("/open/").headers
    assert "no-store" in headers["Cache-Control"]
    assert {"Cookie", "HX-Request"} <= {name.strip() for name in headers["Vary"].split(",")}
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.urls(__name__)
def test_request_number_is_ours_and_new_each_time() -> None:
    client = Client(headers={"X-Request-ID": "forged"})
    first, second = (client.get("/open/").headers["X-Request-ID"] for _ in range(2))
    assert first != second
    assert "forged" not in (first, second)


@pytest.mark.urls(__name__)
@pytest.mark.django_db
def test_signing_out_empties_the_browser() -> None:
    user = User.objects.create_user("out@example.org", "a long password")
    client = Client()
    client.force_login(user)
    assert "Clear-Site-Data" not in client.get("/open/").headers
    answer = client.post("/accounts/logout/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'


# --- the frame ------------------------------------------------------------------------------------


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(("demo", "shown"), [(True, True), (False, False)])
def test_demo_logins_are_shown_in_demo_mode_only(demo: bool, shown: bool) -> None:
    with override_settings(DEMO=demo):
        for address in ("/", "/accounts/login/"):
            html = Client().get(address).content.decode()
            assert ("handoff-demo" in html) is shown
            assert ("people and records here are fictional" in html.lower()) is shown


def test_demo_logins_are_the_people_of_the_cast() -> None:
    shown = {login.email: login.name for login in demo.LOGINS}
    cast = {
        f"{key}@example.org": f"{first} {last}"
        for key, first, last, *_ in (*demo_cast.PROFESSIONALS, *demo_cast.CLIENTS)
    }
    assert cast.items() <= shown.items()
    assert set(shown) - set(cast) == {"guardian@example.org", "admin@example.org"}


@pytest.mark.urls(__name__)
def test_gallery_is_not_there_for_real_people() -> None:
    with override_settings(DEMO=False, DEBUG=False):
        assert Client().get("/design/").status_code == 404


@pytest.mark.urls(__name__)
@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/design/", "/accounts/login/", "/accounts/signup/"])
def test_no_page_brings_its_own_script_or_style(address: str) -> None:
    html = Client().get(address).content.decode()
    assert " style=" not in html
    assert "<style" not in html
    assert " onclick=" not in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    for script in html.split("<script")[1:]:
        assert " src=" in script.split(">")[0] or 'type="application/json"' in script.split(">")[0]
