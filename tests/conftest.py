"""What every test runs under."""

import os
from typing import Any

import hypothesis
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase

# Examples are found again from the failure's printout; a slow machine is no failure.
hypothesis.settings.register_profile("dev", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=500, deadline=None, print_blob=True)
hypothesis.settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)


def pytest_configure() -> None:
    # Passwords in tests are not secrets, and the real hasher takes most of a suite's time.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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
