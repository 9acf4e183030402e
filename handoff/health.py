"""Is the process up (`/healthz`), and can it do its work (`/readyz`)?

Both are for everybody and tell nothing but states. Neither may hang: a check that cannot answer in
time counts as failed, and what hangs is left to its own thread.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from typing import Any, cast

import psycopg
import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, JsonResponse

from handoff.core.policy import Policy
from handoff.web.pages import PolicyView

CHECK_SECONDS = 3.0
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="readyz")


def healthz(_request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nobody else, so that a database outage restarts no web server."""
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> JsonResponse:
    """503 until database and migrations are there. Redis and the worker are told but do not
    count: pages work without them, and what waits for them waits as rows. Nor does a journal that
    cannot be written, which somebody has to see to, or a hold, during which nothing is shown."""
    database = _in_time(_database)
    broker = _in_time(_broker)
    facts: dict[str, Any] = {
        "database": "unreachable",
        "migrations": "unknown",
        "worker_seconds": None,
        "hold": None,
        "journal_owed": None,
        "redis": "ok" if broker else "unreachable",
    } | (database or {})
    ready = facts["database"] == "ok" and facts["migrations"] == "ok"
    whole = broker and not facts["journal_owed"]
    status = "ok" if ready and whole else "degraded" if ready else "unavailable"
    if ready and facts["hold"]:
        status = "hold"  # and still 200: admins have to get in, others to be told why not
    return JsonResponse({"status": status, **facts}, status=200 if ready else 503)


for _view in (healthz, readyz):
    cast("PolicyView", _view).policy = Policy.PUBLIC


def stamp(process: str) -> None:
    """Note a sign of life, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO handoff_heartbeat (process, seen_at) VALUES (%s, clock_timestamp())"
            " ON CONFLICT (process) DO UPDATE SET seen_at = EXCLUDED.seen_at",
            [process],
        )


def _in_time(check: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    waiting: Future[dict[str, Any]] = _threads.submit(check)
    try:
        return waiting.result(timeout=CHECK_SECONDS)
    except TooLate:
        waiting.cancel()
    except (psycopg.Error, redis.RedisError, OSError):
        pass
    return None


def _database() -> dict[str, Any]:
    """Through a connection of its own: a pool that is used up is load, not an outage."""
    parameters = {**connection.get_connection_params(), "connect_timeout": 2}
    parameters.pop("pool", None)
    parameters.pop("cursor_factory", None)
    with psycopg.connect(**parameters, autocommit=True) as own:
        own.execute("SET statement_timeout = '2s'")
        there = own.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone()
        applied: set[tuple[str, str]] = set()
        age = None
        if there and there[0]:
            applied = set(own.execute("SELECT app, name FROM django_migrations").fetchall())
        complete = expected_migrations() <= applied
        held, owed = None, None
        if complete:
            row = own.execute(
                "SELECT handoff_hold(), (SELECT count(*) FROM core_journalline"
                " WHERE number IS NULL)"
            ).fetchone()
            held, owed = row if row else (None, None)
            row = own.execute(
                "SELECT extract(epoch FROM clock_timestamp() - seen_at)::int"
                " FROM handoff_heartbeat WHERE process = 'worker'"
            ).fetchone()
            age = row[0] if row else None
    return {
        "database": "ok",
        "migrations": "ok" if complete else "missing",
        "worker_seconds": age,
        "hold": held or None,
        "journal_owed": owed,
    }


@functools.cache
def expected_migrations() -> frozenset[tuple[str, str]]:
    """The newest migration of every app in this code."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _broker() -> dict[str, Any]:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1)
    try:
        client.ping()
    finally:
        client.close()
    return {"redis": "ok"}
