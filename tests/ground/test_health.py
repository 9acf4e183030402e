"""`/healthz` asks nobody; `/readyz` tells the truth, soon, whatever hangs."""

import socket
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings

from handoff import health

# Nobody listens there: a port that was just given back.
with socket.socket() as _probe:
    _probe.bind(("127.0.0.1", 0))
    CLOSED = _probe.getsockname()[1]


@pytest.fixture
def frozen() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_healthz_needs_no_database(client: Client) -> None:
    # No database mark: any query would fail this test.
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_readyz_when_all_is_well(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "database": "ok",
        "migrations": "ok",
        "redis": "ok",
        "worker_seconds": None,
        "hold": None,
        "journal_owed": 0,
    }


@pytest.mark.django_db(transaction=True)
def test_readyz_tells_the_age_of_the_last_sign_of_life(client: Client) -> None:
    health.stamp("worker")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE handoff_heartbeat SET seen_at = seen_at - interval '40 s'")
    assert 40 <= client.get("/readyz").json()["worker_seconds"] <= 50
    health.stamp("worker")
    assert client.get("/readyz").json()["worker_seconds"] <= 10


@pytest.mark.django_db
def test_without_redis_the_pages_still_work(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{CLOSED}/0"
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["redis"]) == ("degraded", "unreachable")


@pytest.mark.django_db
def test_a_frozen_redis_does_not_hold_the_answer(
    client: Client, settings: Settings, frozen: int
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{frozen}/0"
    began = time.monotonic()
    assert client.get("/readyz").json()["redis"] == "unreachable"
    assert time.monotonic() - began < health.CHECK_SECONDS + 1


@pytest.mark.django_db
def test_missing_migrations_are_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    more = health.expected_migrations() | {("handoff", "9999_not_there")}
    monkeypatch.setattr(health, "expected_migrations", lambda: more)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "missing")


@pytest.mark.parametrize("state", ["gone", "frozen"])
def test_without_a_database_it_says_so_soon(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
    frozen: int,
    state: str,
) -> None:
    port = frozen if state == "frozen" else CLOSED
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", str(port))
    began = time.monotonic()
    with django_db_blocker.unblock():
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    assert answer.json()["database"] == "unreachable"
    assert time.monotonic() - began < health.CHECK_SECONDS + 1


@pytest.mark.django_db
def test_neither_may_be_kept_by_a_cache(client: Client) -> None:
    for path in ("/healthz", "/readyz"):
        assert "no-store" in client.get(path).headers["Cache-Control"]
