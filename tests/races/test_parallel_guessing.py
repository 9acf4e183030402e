"""Fifty guesses at once: no more of them are looked at than the limit allows. Real threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser

from handoff.core import attempts
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
GUESSES = 50
LIMIT = 5


def at_once(many: int, act: Callable[[int], Any]) -> list[Any]:
    """Run `act` in so many threads that begin together; what each returned."""
    results: list[Any] = [None] * many
    start = threading.Barrier(many)

    def run(number: int) -> None:
        try:
            start.wait(timeout=30)
            results[number] = act(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not [thread for thread in threads if thread.is_alive()]
    return results


@pytest.fixture(autouse=True)
def _no_counters_left() -> None:
    cache.clear()


class Looked:
    """How often something was called, by any thread."""

    def __init__(self) -> None:
        self.times = 0
        self._lock = threading.Lock()

    def note(self) -> None:
        with self._lock:
            self.times += 1


def test_the_counter_lets_exactly_the_limit_pass() -> None:
    taken = at_once(GUESSES, lambda _: attempts.take("second_factor", "who"))
    assert len([each for each in taken if each]) == LIMIT


def test_a_counter_that_does_not_lock_lets_more_pass() -> None:
    """Positive control: read, wait for the others, then write."""
    counted: list[int] = []
    all_have_read = threading.Barrier(10)

    def naive(_: int) -> bool:
        allowed = len(counted) < LIMIT
        all_have_read.wait(timeout=30)
        if allowed:
            counted.append(1)
        return allowed

    assert sum(at_once(10, naive)) > LIMIT


def test_passwords_of_one_account_from_many_places(monkeypatch: pytest.MonkeyPatch) -> None:
    user, looked = UserFactory.create(), Looked()
    plain = MD5PasswordHasher.verify

    def counting(self: Any, password: str, encoded: str) -> bool:
        looked.note()
        return plain(self, password, encoded)

    monkeypatch.setattr(MD5PasswordHasher, "verify", counting)

    def guess(number: int) -> int:
        browser = Browser(REMOTE_ADDR=f"192.0.2.{number + 1}")
        body = {"login": user.email, "password": f"guess number {number}"}
        return browser.post("/accounts/login/", body).status_code

    statuses = at_once(GUESSES, guess)
    assert set(statuses) == {200}
    assert looked.times <= LIMIT + 2
    late = Browser().post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert "Too many" in late.content.decode()
