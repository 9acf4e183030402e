"""What every answer carries, and what keeps working while Redis is away."""

import ast
import socket
import time
from collections.abc import Iterator

import pytest
from celery import Celery
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from kombu.exceptions import OperationalError

from handoff.core.attempts import Attempts
from handoff.embedded import BASE_DIR

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/accounts/login/", "/admin/login/", "/no/such/page/", "/readyz"])
def test_every_answer_is_strict(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert set(headers["Content-Security-Policy"].split("; ")) == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "no-store" in headers["Cache-Control"]
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.django_db
def test_guessing_passwords_is_slowed_down_by_counters_in_the_database(client: Client) -> None:
    data = {"login": "somebody@example.org", "password": "guess after guess"}
    for _ in range(5):
        page = client.post("/accounts/login/", data)
        assert "Too many" not in page.content.decode()
    assert "Too many" in client.post("/accounts/login/", data).content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM handoff_cache")
        assert cursor.fetchone()[0] > 0
    cache.clear()  # allauth's counters; ours stand in a table and hold all the same
    assert "Too many" in client.post("/accounts/login/", data).content.decode()
    cache.clear()
    Attempts.objects.all().delete()
    assert "Too many" not in client.post("/accounts/login/", data).content.decode()


@pytest.fixture
def frozen() -> Iterator[int]:
    """A broker that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_frozen_broker_holds_nobody_for_long(frozen: int) -> None:
    app = Celery("probe", broker=f"redis://127.0.0.1:{frozen}/0")
    app.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    app.conf.task_publish_retry = settings.CELERY_TASK_PUBLISH_RETRY
    began = time.monotonic()
    with pytest.raises((OperationalError, TimeoutError)):
        app.send_task("referrals.tasks.tick")
    assert time.monotonic() - began < 8


def test_mail_has_one_door() -> None:
    """`django.core.mail` is imported by the post office and its file backend, by nobody else."""
    importers = set()
    for package in ("handoff", "clients", "referrals"):
        for path in (BASE_DIR / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = (
                    [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else []
                )
                if any(name.startswith("django.core.mail") for name in names):
                    importers.add(str(path.relative_to(BASE_DIR)))
    assert importers == {"handoff/core/mail.py", "handoff/core/mail_files.py"}
