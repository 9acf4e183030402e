"""How long a sign-in lasts, counted on the server; ending one; how many at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client as Browser

from clients import sessions
from clients.models import User
from handoff.core import tokens
from handoff.core.audit import AuditEntry
from tests.factories import NOON, PASSWORD, ClientFactory, ProfessionalFactory, UserFactory
from tests.pages.reading import as_, get
from tests.signing_in import with_password_only

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _no_counters_left() -> None:
    cache.clear()


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def a_pt() -> User:
    return ProfessionalFactory.create().user


def a_client() -> User:
    user = ClientFactory.create().user
    assert user is not None
    return user


def used_every(browser: Browser, clock: Any, step: timedelta, until: timedelta) -> None:
    """Somebody who goes on using it, from NOON until a moment before `until`."""
    at = step
    while at < until:
        clock.move_to(NOON + at)
        assert browser.get("/profile/").status_code == 200, at
        at += step


@pytest.mark.parametrize(
    ("who", "idle"), [(a_pt, 30 * MINUTE), (a_client, 24 * HOUR)], ids=["pt", "client"]
)
def test_it_ends_without_use(clock: Any, who: Any, idle: timedelta) -> None:
    browser = as_(who())
    clock.move_to(NOON + idle - timedelta(seconds=1))
    assert browser.get("/profile/").status_code == 200
    clock.move_to(NOON + 2 * idle - timedelta(seconds=1))
    page = browser.get("/profile/")
    assert page.status_code == 401
    text = page.content.decode()
    assert "You have been signed out" in text
    assert "Nothing was done here for a while" in text
    assert "/accounts/login/?next=%2Fprofile%2F" in text
    # The session itself is gone: what the browser still holds opens nothing.
    assert not Session.objects.exists()
    assert browser.get("/profile/")["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    ("who", "step", "absolute"),
    [(a_pt, 20 * MINUTE, 12 * HOUR), (a_client, 23 * HOUR, 30 * DAY)],
    ids=["pt", "client"],
)
def test_it_ends_in_any_case(clock: Any, who: Any, step: timedelta, absolute: timedelta) -> None:
    browser = as_(who())
    used_every(browser, clock, step, absolute)
    clock.move_to(NOON + absolute)
    page = browser.get("/profile/")
    assert page.status_code == 401
    assert "for as long as one sign-in lasts" in page.content.decode()


def test_what_the_page_asks_by_itself_is_no_use(clock: Any) -> None:
    browser = as_(a_pt())
    for minutes in (10, 20, 29):
        clock.move_to(NOON + minutes * MINUTE)
        polled = browser.get("/reminders/", headers={"Handoff-Background": "1"})
        assert polled.status_code == 200
    clock.move_to(NOON + 30 * MINUTE)
    assert browser.get("/reminders/").status_code == 401


def test_the_age_of_the_cookie_says_nothing(clock: Any) -> None:
    """Somebody who writes a later end into the cookie, or the session, gains nothing."""
    browser = as_(a_pt())
    session = browser.session
    session.set_expiry(365 * 24 * 60 * 60)
    session.save()
    clock.move_to(NOON + 31 * MINUTE)
    assert browser.get("/profile/").status_code == 401


def test_a_session_without_its_row_is_none() -> None:
    browser = as_(a_pt())
    UserSession.objects.all().delete()
    page = browser.get("/profile/")
    assert page.status_code == 401
    assert "This sign-in was ended" in page.content.decode()


def test_the_row_of_somebody_else_does_not_do() -> None:
    browser = as_(a_pt())
    UserSession.objects.update(user=a_client())
    assert browser.get("/profile/").status_code == 401


def test_what_was_typed_is_given_back(clock: Any) -> None:
    browser = as_(a_pt())
    clock.move_to(NOON + HOUR)
    typed = {"first_name": "A rather long name to lose", "password": "not shown again"}
    text = browser.post("/profile/", typed).content.decode()
    assert "What you sent was not saved" in text
    assert "A rather long name to lose" in text
    assert "not shown again" not in text
    assert not User.objects.filter(first_name=typed["first_name"]).exists()


def test_a_part_of_a_page_leaves_the_rest_as_it_is(clock: Any) -> None:
    browser = as_(a_pt())
    clock.move_to(NOON + HOUR)
    answer = browser.post("/clients/", {"find": "x"}, headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#notices", "innerHTML")
    assert "still on this page" in answer.content.decode()


def test_the_api_says_that_nobody_is_signed_in(clock: Any) -> None:
    browser = as_(a_pt())
    clock.move_to(NOON + HOUR)
    answer = browser.get("/api/v1/me/")
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("#unauthenticated")


def test_pages_for_everybody_and_signing_in_go_on(clock: Any) -> None:
    for address in ("/", "/accounts/login/", "/accounts/password/reset/"):
        browser = as_(a_pt())
        clock.shift(HOUR)
        assert browser.get(address).status_code == 200, address


def sign_in(user: User, **headers: str) -> Browser:
    browser = Browser(headers=headers)
    browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    return browser


def test_a_professional_has_three_at_once_and_the_oldest_ends() -> None:
    user = a_pt()
    browsers = [sign_in(user) for _ in range(4)]
    statuses = [each.get("/profile/").status_code for each in browsers]
    assert statuses == [302, 200, 200, 200]
    assert UserSession.objects.filter(user=user).count() == 3


def test_a_client_has_as_many_as_they_like() -> None:
    user = a_client()
    browsers = [sign_in(user) for _ in range(5)]
    assert {each.get("/profile/").status_code for each in browsers} == {200}


# --- the list of devices ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_device_is_signed_out_at_once() -> None:
    user = a_client()
    here, there, third = as_(user), as_(user), as_(user)
    row = UserSession.objects.get(session_key=there.session.session_key)
    assert here.post(f"/accounts/sessions/{row.pk}/end/").status_code == 303
    assert there.get("/profile/").status_code == 302
    assert here.get("/profile/").status_code == third.get("/profile/").status_code == 200
    assert AuditEntry.objects.filter(verb="session.ended", actor_id=user.pk).count() == 1


@pytest.mark.django_db(transaction=True)
def test_everywhere_else_includes_tokens() -> None:
    user = a_client()
    here, there = as_(user), as_(user)
    _, secret = tokens.issue(user_id=user.pk, name="a program")
    page = get(here, "/accounts/sessions/")
    assert "a program" in page
    assert page.count("This one") == 1
    here.post("/accounts/sessions/")
    assert there.get("/profile/").status_code == 302
    assert tokens.find(secret) is None
    assert "a program" not in get(here, "/accounts/sessions/")


@pytest.mark.django_db(transaction=True)
def test_a_token_is_ended_from_the_list() -> None:
    user = a_client()
    here = as_(user)
    token, secret = tokens.issue(user_id=user.pk)
    assert here.post(f"/accounts/tokens/{token.pk}/end/").status_code == 303
    assert tokens.find(secret) is None


def test_what_is_somebody_elses_does_not_exist() -> None:
    mine, theirs = as_(a_client()), as_(other := a_client())
    row = UserSession.objects.get(user=other)
    token, secret = tokens.issue(user_id=other.pk)
    assert mine.post(f"/accounts/sessions/{row.pk}/end/").status_code == 404
    assert mine.post("/accounts/sessions/99999999/end/").status_code == 404
    assert mine.post(f"/accounts/tokens/{token.pk}/end/").status_code == 404
    assert theirs.get("/profile/").status_code == 200
    assert tokens.find(secret) is not None


def test_rows_of_sessions_that_are_over_are_removed(clock: Any) -> None:
    as_(a_client())
    assert sessions.forget(NOON) == 0
    UserSession.objects.update(last_seen_at=NOON - 25 * HOUR)
    assert sessions.forget(NOON) == 1
    assert not Session.objects.exists()


# --- what the owner is told -------------------------------------------------------------------


def test_a_new_browser_is_told_of_and_a_known_one_is_not() -> None:
    user = a_client()
    first = sign_in(user)
    assert mail.outbox == []  # nobody is told of their very first
    first.post("/accounts/logout/")
    first.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert mail.outbox == []
    sign_in(user)
    (letter,) = mail.outbox
    assert letter.to == [user.email]
    assert letter.subject == "Somebody signed in from a new browser"
    assert user.last_name not in letter.body


def test_a_notice_that_cannot_be_sent_stops_nobody(settings: Any) -> None:
    user = a_client()
    sign_in(user)
    settings.EMAIL_BACKEND = "tests.pages.test_sign_in_limits.Broken"
    assert sign_in(user).get("/profile/").status_code == 200


class Broken:
    """A post that takes nothing."""

    def __init__(self, **_: Any) -> None: ...

    def open(self) -> None: ...

    def close(self) -> None: ...

    def send_messages(self, _: Any) -> int:
        raise OSError("away")


def test_a_new_token_is_told_of(django_capture_on_commit_callbacks: Any) -> None:
    user = a_client()
    body = {"email": user.email, "password": PASSWORD}
    with django_capture_on_commit_callbacks(execute=True):
        Browser().post("/api/v1/tokens/", body, content_type="application/json")
    assert [each.subject for each in mail.outbox] == ["A new access token for your account"]


def test_a_changed_address_is_told_at_both() -> None:
    user = a_client()
    old = user.email
    EmailAddress.objects.create(user=user, email="second@example.org", verified=True)
    browser = as_(user)
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    browser.post("/accounts/email/", {"email": "second@example.org", "action_primary": ""})
    told = {letter.to[0] for letter in mail.outbox if "changed" in letter.subject.lower()}
    assert told == {old, "second@example.org"}


# --- a new password ---------------------------------------------------------------------------


def test_a_changed_password_ends_all_but_this_browser() -> None:
    user = a_client()
    here, there = as_(user), as_(user)
    _, secret = tokens.issue(user_id=user.pk)
    here.post("/accounts/reauthenticate/", {"password": PASSWORD})
    new = "another rather long sentence"
    here.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )
    assert here.get("/profile/").status_code == 200
    assert there.get("/profile/").status_code == 302
    assert tokens.find(secret) is None
    assert "Your password was changed" in [letter.subject for letter in mail.outbox]


def test_the_link_of_a_reset_is_ours_whatever_the_request_says(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    user = a_client()
    Browser().post(
        "/accounts/password/reset/",
        {"email": user.email},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )
    (letter,) = mail.outbox
    assert "evil.example" not in letter.body
    assert "http://localhost:8000/accounts/password/reset/key/" in letter.body


def test_a_reset_ends_everything_and_its_link_works_once(clock: Any) -> None:
    user = a_client()
    here = as_(user)
    _, secret = tokens.issue(user_id=user.pk)
    path = _asked_for(user)
    visitor = Browser()
    form = visitor.get(path, follow=True).request["PATH_INFO"]
    new = "another rather long sentence"
    assert visitor.post(form, {"password1": new, "password2": new}).status_code == 302
    assert here.get("/profile/").status_code == 302
    assert not UserSession.objects.filter(user=user).exists()
    assert tokens.find(secret) is None
    assert "no longer works" in Browser().get(path, follow=True).content.decode()


def test_the_link_of_a_reset_lasts_an_hour(clock: Any) -> None:
    path = _asked_for(a_client())
    clock.move_to(NOON + HOUR + timedelta(seconds=1))
    assert "no longer works" in Browser().get(path, follow=True).content.decode()


def test_a_reset_does_not_pass_the_second_factor() -> None:
    user = a_pt()
    browser = with_password_only(Browser(), user)
    session = browser.session
    session["account_authentication_methods"] = [
        {"method": "password_reset", "at": NOON.timestamp()}
    ]
    session.save()
    assert browser.get("/clients/")["Location"] == "/accounts/2fa/"


def _asked_for(user: User) -> str:
    Browser().post("/accounts/password/reset/", {"email": user.email})
    body = str(mail.outbox[-1].body)
    return body[body.index("/accounts/password/reset/key/") :].split()[0]


def test_anybody_else_is_unknown() -> None:
    assert not sessions.end(UserFactory.create(), session_id=1)
