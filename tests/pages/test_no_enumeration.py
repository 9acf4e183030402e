"""Nobody learns whether an address has an account: same answer, same work, same limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client as Browser

from clients.models import User
from handoff.core import attempts
from tests.factories import NOON, PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
UNKNOWN = "nobody-here@example.org"
NEW = "a rather long sentence"


@pytest.fixture(autouse=True)
def _at_one_moment() -> Iterator[None]:
    """Headers name the time; what is compared is answered at the same one."""
    cache.clear()
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each time a password is hashed, to be checked or to be kept."""
    done: list[str] = []
    plain = MD5PasswordHasher.encode

    def counting(self: Any, password: str, salt: str, *rest: Any) -> str:
        done.append(salt)
        return plain(self, password, salt, *rest)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    return done


def login(address: str) -> Any:
    return Browser().post("/accounts/login/", {"login": address, "password": "a wrong one"})


def signup(address: str) -> Any:
    body = {"email": address, "first_name": "A", "last_name": "B"}
    return Browser().post("/accounts/signup/", {**body, "password1": NEW, "password2": NEW})


def reset(address: str) -> Any:
    return Browser().post("/accounts/password/reset/", {"email": address})


def token(address: str) -> Any:
    body = {"email": address, "password": "a wrong one"}
    return Browser().post("/api/v1/tokens/", body, content_type="application/json")


WAYS: dict[str, tuple[Callable[[str], Any], int]] = {
    "login": (login, 1),
    "signup": (signup, 1),
    "reset": (reset, 0),
    "token": (token, 1),
}


def seen(answer: Any, address: str) -> tuple[int, str, dict[str, str], str]:
    """What an outsider can tell one answer from another by."""
    body = answer.content.decode().replace(address, "ADDRESS")
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": "\w+"', "CSRF", body)
    left_out = {"X-Request-ID", "Content-Length"}
    headers = {name: value for name, value in answer.headers.items() if name not in left_out}
    cookies = ",".join(sorted(answer.cookies))
    return answer.status_code, body, headers, cookies


@pytest.mark.parametrize("name", WAYS)
def test_a_known_and_an_unknown_address_are_answered_alike(hashes: list[str], name: str) -> None:
    way, expected = WAYS[name]
    known = UserFactory.create().email
    hashes.clear()
    known_answer = way(known)
    for_known = len(hashes)
    hashes.clear()
    unknown_answer = way(UNKNOWN)
    for_unknown = len(hashes)
    assert seen(known_answer, known) == seen(unknown_answer, UNKNOWN)
    assert for_known == for_unknown == expected
    # And a letter each, where one is written at all: the same time at the mail server.
    letters = len(mail.outbox)
    assert letters in (0, 2)


@pytest.mark.parametrize("name", ["login", "token"])
def test_the_limit_of_an_account_is_the_same_without_one(name: str) -> None:
    way, _ = WAYS[name]
    known = UserFactory.create().email
    series = [[way(address).content.decode() for _ in range(7)] for address in (known, UNKNOWN)]
    known_series, unknown_series = (
        [seen_body.replace(address, "ADDRESS") for seen_body in each]
        for each, address in zip(series, (known, UNKNOWN), strict=True)
    )
    strip = re.compile(r'value="\w{64}"|"X-CSRFToken": "\w+"')
    assert [strip.sub("", each) for each in known_series] == [
        strip.sub("", each) for each in unknown_series
    ]
    assert known_series[-1] != known_series[0]


def test_only_so_many_resets_an_hour_and_the_answer_stays_the_same() -> None:
    known = UserFactory.create().email
    answers = []
    for _ in range(5):
        cache.clear()  # allauth's own limit, which says something; ours is below it and silent
        answers.append(seen(reset(known), known))
    assert len(set(map(str, answers))) == 1
    assert len(mail.outbox) == 3


def test_an_inactive_account_is_an_unknown_one() -> None:
    off = UserFactory.create(is_active=False).email
    assert seen(login(off), off) == seen(login(UNKNOWN), UNKNOWN)
    assert seen(token(off), off) == seen(token(UNKNOWN), UNKNOWN)


# --- addresses that are made up ---------------------------------------------------------------


def guess(number: int, **headers: str) -> Any:
    return Browser().post(
        "/accounts/login/",
        {"login": f"somebody{number}@example.org", "password": "a wrong one"},
        headers=headers,
    )


def test_rotating_a_forwarded_address_gains_nothing() -> None:
    texts = [
        guess(number, **{"X-Forwarded-For": f"198.51.100.{number}"}).content.decode()
        for number in range(22)
    ]
    assert ["Too many" in text for text in texts] == [False] * 20 + [True] * 2


def test_behind_a_proxy_only_what_the_proxy_wrote_counts(settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    texts = [
        guess(number, **{"X-Forwarded-For": f"198.51.100.{number}, 192.0.2.1"}).content.decode()
        for number in range(22)
    ]
    assert ["Too many" in text for text in texts] == [False] * 20 + [True] * 2
    other = guess(99, **{"X-Forwarded-For": "198.51.100.1, 192.0.2.2"})
    assert "Too many" not in other.content.decode()


def test_a_success_in_between_does_not_empty_the_count() -> None:
    good = UserFactory.create()
    for number in range(20):
        if number % 5 == 4:
            Browser().post("/accounts/login/", {"login": good.email, "password": PASSWORD})
        guess(number)
    assert "Too many" in guess(21).content.decode()


def test_where_nothing_can_be_counted_nobody_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(attempts, "_taken", away)
    browser = Browser(raise_request_exception=False)
    user: User = UserFactory.create()
    answer = browser.post("/accounts/login/", {"login": user.email, "password": "handoff-demo"})
    assert answer.status_code >= 500
    assert browser.get("/profile/").status_code == 302
