"""Signing up, signing in, the second step and their mails, through our own templates."""

import re
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.http import HttpResponse
from django.template.loader import get_template
from django.test import Client

from clients.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "a rather long sentence"
NAME, SURNAME = "Kit", "Canarysurname"
WHO = {"first_name": NAME, "last_name": SURNAME}


@pytest.fixture(autouse=True)
def _no_counters_left() -> None:
    """The rate limits count in the cache; a test must not pay for the one before."""
    cache.clear()


@pytest.fixture
def user() -> User:
    user = User.objects.create_user("kit@example.org", PASSWORD, first_name=NAME, last_name=SURNAME)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def sign_in(client: Client, password: str = PASSWORD) -> str:
    answer = client.post("/accounts/login/", {"login": "kit@example.org", "password": password})
    return str(answer.headers.get("Location", ""))


def prove(client: Client, password: str = PASSWORD) -> HttpResponse:
    """Answer `Is it you?` on the way to setting up an app."""
    answer = client.post(
        "/accounts/reauthenticate/",
        {"password": password, "next": "/accounts/2fa/totp/activate/"},
    )
    assert isinstance(answer, HttpResponse)
    return answer


def link_in(text: str) -> str:
    found = re.search(r"http://[^/\s]+(/\S+)", text)
    assert found, text
    return str(found.group(1))


def code_for(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time()))))


@pytest.mark.parametrize(
    "name",
    sorted(
        str(path.relative_to(folder))
        for folder in (Path(settings.BASE_DIR) / "templates",)
        for path in folder.rglob("*")
        if path.is_file()
    ),
)
def test_template_compiles(name: str) -> None:
    get_template(name)


def test_sign_up_confirm_and_sign_in(client: Client) -> None:
    answer = client.post(
        "/accounts/signup/",
        {"email": "New@example.org", **WHO, "password1": PASSWORD, "password2": PASSWORD},
    )
    assert answer.headers["Location"] == "/accounts/confirm-email/"
    assert "Look at your mail" in client.get("/accounts/confirm-email/").content.decode()
    (letter,) = mail.outbox
    assert letter.subject == "Please confirm your e-mail address"
    address = link_in(str(letter.body))
    page = client.get(address)
    assert "new@example.org" in page.content.decode()
    client.post(address)
    assert EmailAddress.objects.get(email="new@example.org").verified


def test_sign_up_with_a_known_address_tells_only_its_owner(client: Client, user: User) -> None:
    answer = client.post(
        "/accounts/signup/",
        {"email": user.email, **WHO, "password1": PASSWORD, "password2": PASSWORD},
    )
    assert answer.headers["Location"] == "/accounts/confirm-email/"  # as for a new address
    (letter,) = mail.outbox
    assert letter.subject == "You have an account already"
    assert User.objects.count() == 1


def test_one_confirmed_address_offers_nothing_that_cannot_be_done(
    client: Client, user: User
) -> None:
    client.force_login(user)
    page = client.get("/accounts/email/").content.decode()
    assert user.email in page
    assert not [name for name in ("action_primary", "action_send", "action_remove") if name in page]
    EmailAddress.objects.create(user=user, email="second@example.org", verified=False)
    page = client.get("/accounts/email/").content.decode()
    assert all(name in page for name in ("action_primary", "action_send", "action_remove"))


def test_passwords_are_labelled_like_everything_else(client: Client, user: User) -> None:
    client.force_login(user)
    page = client.get("/accounts/password/change/").content.decode()
    assert "Current password" in page
    assert "New password (again)" in page


def test_forgotten_password(client: Client, user: User) -> None:
    client.post("/accounts/password/reset/", {"email": user.email})
    (letter,) = mail.outbox
    assert letter.subject == "Choose a new password"
    form = client.get(link_in(str(letter.body)), follow=True)
    assert "New password" in form.content.decode()
    address = form.request["PATH_INFO"]
    new = "another long sentence"
    client.post(address, {"password1": new, "password2": new})
    assert not sign_in(Client())
    assert sign_in(Client(), new)
    assert "no longer works" in client.get(link_in(str(letter.body)), follow=True).content.decode()


def test_forgotten_password_of_nobody_looks_the_same(client: Client, user: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": user.email}, follow=True)
    unknown = client.post("/accounts/password/reset/", {"email": "no@example.org"}, follow=True)
    assert known.redirect_chain == unknown.redirect_chain
    assert [letter.subject for letter in mail.outbox][1:] in (["No account with this address"], [])


def test_mails_of_the_account_name_nobody(client: Client, user: User) -> None:
    client.post("/accounts/password/reset/", {"email": user.email})
    sign_in(client)
    client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": PASSWORD + "!", "password2": PASSWORD + "!"},
    )
    assert len(mail.outbox) == 2
    for letter in mail.outbox:
        text = f"{letter.subject}\n{letter.body}"
        assert SURNAME not in text
        assert "localhost" not in letter.subject
        assert text.count("Handoff") >= 1


def test_signing_in_leaves_no_message_with_a_name(client: Client, user: User) -> None:
    sign_in(client)
    html = client.get("/accounts/2fa/").content.decode()
    assert "Successfully" not in html
    assert 'class="alert' not in html.split("<template")[0]


def test_too_many_tries_are_stopped_in_our_words(client: Client, user: User) -> None:
    for _ in range(6):
        answer = client.post("/accounts/login/", {"login": user.email, "password": "wrong"})
    assert "Too many" in answer.content.decode()
    assert not sign_in(client)  # the right one, too, has to wait


def test_second_step_with_an_app_and_with_a_recovery_code(client: Client, user: User) -> None:
    sign_in(client)
    prove(client)
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    found = re.search(r'id="authenticator_secret" value="([A-Z2-7]+)"', page)
    assert found
    assert "data:image/svg+xml" in page
    done = client.post(
        "/accounts/2fa/totp/activate/", {"code": code_for(found.group(1))}, follow=True
    )
    assert "10 of 10 left" in done.content.decode()  # straight to the recovery codes
    codes = re.findall(
        r"^([0-9a-f]{8})$",
        client.get("/accounts/2fa/recovery-codes/")
        .content.decode()
        .replace(">", ">\n")
        .replace("<", "\n<"),
        re.MULTILINE,
    )
    assert len(codes) == 10
    for path in ("/accounts/2fa/totp/deactivate/", "/accounts/2fa/recovery-codes/generate/"):
        assert client.get(path).status_code == 200

    fresh = Client()
    assert sign_in(fresh) == "/accounts/2fa/authenticate/"
    page = fresh.get("/accounts/2fa/authenticate/").content.decode()
    assert "Second step" in page
    assert fresh.get("/accounts/2fa/").status_code == 302  # not in yet
    wrong = fresh.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "That code does not fit" in wrong.content.decode()
    assert fresh.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 302
    assert fresh.get("/accounts/2fa/").status_code == 200

    other = Client()
    sign_in(other)
    again = other.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert "That code does not fit" in again.content.decode()


def test_sessions_elsewhere_end(client: Client, user: User) -> None:
    elsewhere = Client(headers={"User-Agent": "Mozilla/5.0 (iPhone) Safari/604.1"})
    sign_in(elsewhere)
    sign_in(client)
    page = client.get("/accounts/sessions/").content.decode()
    assert "Safari on iPhone" in page
    assert page.count("This one") == 1
    client.post("/accounts/sessions/")
    assert elsewhere.get("/accounts/sessions/").status_code == 302
    assert client.get("/accounts/sessions/").status_code == 200


def test_sensitive_step_asks_once_more_who_it_is(client: Client, user: User) -> None:
    sign_in(client)
    page = client.get("/accounts/2fa/totp/activate/", follow=True)
    assert "Is it you?" in page.content.decode()
    assert prove(client, "not the password").status_code == 200
    assert prove(client).headers["Location"] == "/accounts/2fa/totp/activate/"


def test_pause_after_many_requests_is_a_page_of_ours(client: Client) -> None:
    answers = [
        client.post("/accounts/password/reset/", {"email": f"n{number}@example.org"})
        for number in range(25)
    ]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert "Too many tries" in refused[0].content.decode()
    assert refused[0].content.decode().count("<h1") == 1
