"""Fifty guesses at once are no more than the limit, one after the other."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.test import Client as Browser

from clients.models import User
from tests.factories import PASSWORD, UserFactory
from tests.races.rounds import rounds
from tests.races.test_referral_races import together

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 50
LIMIT = 5
"""Failed tries for one account in five minutes."""
SLACK = 2


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> Iterator[list[Any]]:
    """How often a secret was compared, not how often somebody tried."""
    compare, calls = getattr(owner, name), list[Any]()

    def spy(*args: Any, **named: Any) -> Any:
        calls.append(args)
        return compare(*args, **named)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, spy)
        yield calls


def test_the_harness_can_show_the_race() -> None:
    """Positive control: who counts first and compares later compares all of them."""
    barrier, counter, compared = threading.Barrier(AT_ONCE), [0], list[int]()

    def guess() -> None:
        is_free = counter[0] < LIMIT
        barrier.wait(timeout=20)
        if is_free:
            counter[0] += 1
            compared.append(1)

    together(*[guess] * AT_ONCE)
    assert len(compared) == AT_ONCE


def wrong(browser: Browser, address: str, body: dict[str, str]) -> Callable[[], int]:
    return lambda: browser.post(address, body).status_code


def test_guessing_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in rounds(1, 20):
        user = UserFactory.create()
        body = {"login": user.email, "password": "wrong"}
        guesses = [wrong(Browser(), "/accounts/login/", body) for _ in range(AT_ONCE)]
        with counted(monkeypatch, User, "check_password") as compared:
            statuses = together(*guesses)
        assert all(isinstance(each, int) and each < 500 for each in statuses), statuses
        assert 1 <= len(compared) <= LIMIT + SLACK
        right = {"login": user.email, "password": PASSWORD}
        browser = Browser()
        browser.post("/accounts/login/", right)
        assert "_auth_user_id" not in browser.session  # the right one, too, has to wait


def test_guessing_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in rounds(1, 20):
        user = UserFactory.create()
        totp.TOTP.activate(user, totp.generate_totp_secret())
        assert Authenticator.objects.filter(user=user).exists()
        browser = Browser()
        browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        same_window = [_same(browser) for _ in range(AT_ONCE)]
        guesses = [
            partial(wrong(each, "/accounts/2fa/authenticate/", {"code": "000000"}))
            for each in same_window
        ]
        with counted(monkeypatch, totp.TOTP, "validate_code") as compared:
            statuses = together(*guesses)
        assert all(isinstance(each, int) and each < 500 for each in statuses), statuses
        assert 1 <= len(compared) <= LIMIT + SLACK


def _same(browser: Browser) -> Browser:
    other = Browser()
    for name, morsel in browser.cookies.items():
        other.cookies[name] = morsel.value
    return other
