"""Limits are counted in PostgreSQL, to the try, and close or open as each one says."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from handoff.core import attempts
from handoff.core.attempts import RATES, Attempts
from tests.factories import NOON

pytestmark = pytest.mark.django_db
FIGURES = {
    "login_account": (5, timedelta(minutes=5)),
    "login_address": (20, timedelta(minutes=1)),
    "second_factor": (5, timedelta(minutes=5)),
    "reset": (3, timedelta(hours=1)),
    "invitation": (20, timedelta(days=1)),
    "search": (60, timedelta(minutes=1)),
    "triage": (60, timedelta(minutes=1)),
    "export": (5, timedelta(days=1)),
    "token": (30, timedelta(minutes=1)),
}


def test_the_figures() -> None:
    assert {name: (rate.most, rate.within) for name, rate in RATES.items()} == FIGURES


@pytest.mark.parametrize("name", FIGURES)
def test_so_many_and_not_one_more_in_any_stretch_of_time(name: str) -> None:
    most, within = FIGURES[name]
    step = within / (most * 2)
    for number in range(most):
        assert attempts.take(name, "who", at=NOON + number * step)
    last = NOON + within - timedelta(microseconds=1)
    assert attempts.take(name, "who", at=last) is None
    assert attempts.take(name, "somebody else", at=last)
    # The first one has left the window, and makes room for one.
    assert attempts.take(name, "who", at=NOON + within)
    assert attempts.take(name, "who", at=NOON + within) is None


def test_a_try_that_was_right_does_not_count() -> None:
    for _ in range(20):
        taken = attempts.take("login_account", "who", at=NOON)
        assert taken
        attempts.give_back(taken)
    assert Attempts.objects.get().moments == []


def test_a_row_names_nobody() -> None:
    attempts.take("login_account", "pt@example.org", at=NOON)
    assert "pt@example.org" not in str(Attempts.objects.values())


def test_what_says_nothing_any_more_is_forgotten() -> None:
    attempts.take("search", "who", at=NOON)
    attempts.take("invitation", "who", at=NOON)
    assert attempts.forget(at=NOON + timedelta(seconds=59)) == 0
    assert attempts.forget(at=NOON + timedelta(seconds=60)) == 1
    assert Attempts.objects.get().key.startswith("invitation:")


@pytest.mark.parametrize("name", FIGURES)
def test_without_a_count_browsing_goes_on_and_signing_in_does_not(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(attempts, "_taken", away)
    if name in ("search", "triage", "export"):
        assert attempts.take(name, "who") is not None
    else:
        with pytest.raises(OperationalError):
            attempts.take(name, "who")


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("unknown", "unknown"),
    ],
)
def test_a_household_is_one_address(address: str, counted_as: str) -> None:
    assert attempts.network(address) == counted_as
