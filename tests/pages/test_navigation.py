"""Whose places stand in the bar, which one is here, and the bell."""

from uuid import uuid4

import pytest
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import include, path

from handoff.core.actors import ANONYMOUS, Actor, Role
from handoff.web import bell
from handoff.web.context import IN_THE_BAR, leading_role, navigation, places_of


def here(request: HttpRequest, pk: str = "") -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    *(path(f"{name}/", here) for name in ("home", "clients", "referrals", "consents", "access")),
    path("reminders/", here),
    path("clients/<str:pk>/", here),
    path("accounts/", include("allauth.urls")),
    path("", include("handoff.web.urls")),
]
pytestmark = pytest.mark.urls(__name__)


def person(*roles: Role) -> Actor:
    return Actor(user_id=uuid4(), roles=frozenset(roles), name="Priya Raman")


def request_of(actor: Actor, address: str = "/") -> HttpRequest:
    request = RequestFactory().get(address)
    request.actor = actor  # type: ignore[attr-defined]  # as the middleware does
    return request


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number in the bell, without reminders in a database."""
    number = [0]
    monkeypatch.setattr(bell, "_counters", [lambda _: number[0]])
    return number


@pytest.mark.parametrize(
    ("role", "labels"),
    [
        (Role.PT, ["Today", "Caseload", "Handoffs", "Reminders"]),
        (Role.PTA, ["Today", "Caseload", "Reminders"]),
        (Role.TRAINER, ["Today", "Clients", "Inbox", "Reminders"]),
        (Role.CLIENT, ["My journey", "My sharing", "Who looked", "Reminders"]),
        (Role.GUARDIAN, ["Journey", "Sharing", "Who looked", "Reminders"]),
    ],
)
def test_each_role_has_its_own_places(role: Role, labels: list[str]) -> None:
    assert [place.label for place in places_of(person(role))] == labels


def test_place_without_a_page_is_left_out() -> None:
    """/admin/, /triage/ and /directory/ are not among the addresses of this test."""
    assert [place.path for place in places_of(person(Role.ADMIN))] == ["/reminders/"]
    assert places_of(ANONYMOUS) == []


def test_person_of_several_roles_has_each_place_once(waiting: list[int]) -> None:
    frame = navigation(request_of(person(Role.CLIENT, Role.TRAINER, Role.PT)))
    paths = [place.path for place in (*frame["bar"], *frame["further"])]
    assert len(paths) == len(set(paths))
    assert len(frame["bar"]) == IN_THE_BAR
    assert {"/consents/", "/access/"} <= set(paths)
    assert frame["account_role"] == "pt"
    assert leading_role(ANONYMOUS) == ""


@pytest.mark.parametrize(
    ("address", "current"),
    [("/clients/", "page"), ("/clients/abc/", "true"), ("/referrals/", ""), ("/", "")],
)
def test_bar_says_where_one_is(waiting: list[int], address: str, current: str) -> None:
    frame = navigation(request_of(person(Role.PT), address))
    marks = {place.path: place.current for place in frame["bar"]}
    assert marks["/clients/"] == current
    assert sum(bool(mark) for mark in marks.values()) <= 1


@pytest.mark.parametrize(
    ("count", "label", "shown"),
    [(0, "none open", ""), (3, "3 open", ">3<"), (12, "12 open", ">9+<")],
)
def test_bell_says_how_many_wait(waiting: list[int], count: int, label: str, shown: str) -> None:
    waiting[0] = count
    html = render_to_string("404.html", {}, request_of(person(Role.PT)))
    assert f"Reminders, {label}" in html
    assert shown in html


def test_nobody_signed_in_has_no_bell_and_no_account(waiting: list[int]) -> None:
    waiting[0] = 3
    html = render_to_string("404.html", {}, request_of(ANONYMOUS))
    assert "Reminders" not in html
    assert "Account menu" not in html
    assert 'href="/accounts/login/"' in html


def test_name_of_the_account_is_escaped(waiting: list[int]) -> None:
    actor = Actor(user_id=uuid4(), roles=frozenset({Role.PT}), name="<script>x</script>")
    html = render_to_string("404.html", {}, request_of(actor))
    assert "<script>x" not in html
