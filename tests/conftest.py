"""What every test runs under."""

import gc
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client, TransactionTestCase

from handoff.core import roles
from tests import signing_in

# Examples are found again from the failure's printout; a slow machine is no failure.
hypothesis.settings.register_profile("dev", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=100, deadline=None, print_blob=True)
hypothesis.settings.register_profile("nightly", max_examples=2000, deadline=None, print_blob=True)
hypothesis.settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)


def pytest_configure() -> None:
    # Passwords in tests are not secrets, and the real hasher takes most of a suite's time.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # The suite runs as a demo, and demands all the same what production does.
    settings.SECOND_FACTOR_DEMANDED = True


def pytest_collection_finish() -> None:
    """Thousands of tests and all that was imported stay to the end: looking through them for
    garbage again and again took a seventh of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(autouse=True)
def nothing_witnessed() -> None:
    """The files outside the database begin with each test, as its tables do."""
    for name in (settings.ANCHOR_FILE, settings.REVOCATION_JOURNAL):
        Path(name).unlink(missing_ok=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much of the permission matrix was asked, from all the processes that asked."""
    told = [
        (name, str(value))
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if report.when == "call"
    ]
    cells = sum(int(value) for name, value in told if name == "matrix cells")
    routes = {value for name, value in told if name == "matrix route"}
    if cells:
        terminalreporter.write_line(
            f"permission matrix: {cells} cells asked, of {len(routes)} methods of addresses"
        )


_flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # see the end


def _flush_past_triggers(case: TransactionTestCase) -> Any:
    """Empty the tables after a test that committed.

    Append-only tables refuse TRUNCATE by trigger; as a replica the session fires none. That takes
    a superuser, which the throw-away server's account is and the product's is not.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    try:
        return _flush(case)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = DEFAULT")
            cursor.execute("DELETE FROM handoff_cache")  # no model, so no flush
            cursor.execute("DELETE FROM handoff_heartbeat")


# django-stubs does not declare this method.
TransactionTestCase._fixture_teardown = _flush_past_triggers  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The product's roles exist before the test database is made, which gives them their rights."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(1)")  # roles belong to all databases of the server
        there = {name for (name,) in server.execute("SELECT rolname FROM pg_roles").fetchall()}
        if not set(roles.ROLES) <= there:
            roles.create(server.cursor(), dict.fromkeys(roles.ROLES, secrets.token_urlsafe(24)))


@contextmanager
def as_role(role: str) -> Iterator[None]:
    """The database work of the block is done with the rights of one of the product's roles.

    Nothing is connected for it: a request that meets no database, or may not, meets none here.
    """

    def take(**made: Any) -> None:
        if made["connection"] is connections[DEFAULT_DB_ALIAS]:
            made["connection"].connection.execute(f"SET ROLE {role}")

    connection_created.connect(take)
    try:
        if connection.connection is not None:
            take(connection=connections[DEFAULT_DB_ALIAS])
        yield
    finally:
        connection_created.disconnect(take)
        raw = connection.connection
        if raw is not None and not raw.closed:
            # Where the transaction has failed the role goes with its rollback.
            failed = raw.info.transaction_status is psycopg.pq.TransactionStatus.INERROR
            if not failed:
                raw.execute("RESET ROLE")


_answer = BaseHandler.get_response


def _answer_as_web(handler: BaseHandler, request: HttpRequest) -> HttpResponseBase:
    """Every request of every test is served with the rights that the web process has."""
    with as_role(roles.WEB):
        return _answer(handler, request)


BaseHandler.get_response = _answer_as_web  # type: ignore[method-assign, assignment]


_log_in = Client._login  # type: ignore[attr-defined]  # see below


def _log_in_strongly(client: Client, user: Any, backend: str | None = None) -> None:
    """`force_login` as somebody who has signed in with a password and a second factor, just now.

    The demand for a second factor is on in the whole suite: what it asks for is a record of it in
    the session, and the session's row, so these are made as signing in makes them.
    `tests.signing_in` has weaker ways in.
    """
    _log_in(client, user, backend)
    signing_in.record(client, "password")
    signing_in.record(client, "mfa", type="totp")
    signing_in.begin(client, user)


Client._login = _log_in_strongly  # type: ignore[attr-defined]  # as above
