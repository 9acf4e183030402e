"""Pytest plugin: throw-away PostgreSQL and Valkey, started before Django reads its settings.

A server named in the environment wins. Under xdist only the controller starts servers; the
workers inherit their addresses, and each takes its own test database and Redis number.
"""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from urllib.parse import urlsplit

import pytest

from handoff import embedded

_servers: embedded.ThrowAway | None = None


def _environment() -> None:
    """What the suite runs under, whatever stands in a developer's own `.env`."""
    os.environ["HANDOFF_ENV_FILE"] = ""
    os.environ["HANDOFF_PROCESS"] = "test"
    os.environ["DJANGO_SETTINGS_MODULE"] = "handoff.settings"
    os.environ["DEMO"] = "1"
    os.environ["SITE_URL"] = "http://localhost:8000"
    for name in ("DEBUG", "ALLOWED_HOSTS", "EMAIL_URL", "MAIL_FROM", "SECRET_KEY_FILE", "PORT"):
        os.environ.pop(name, None)
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(60))
    _witness_files()


def _witness_files() -> None:
    """Each process its own files outside the database, as each has its own database."""
    folder = tempfile.mkdtemp(prefix="handoff-witness-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["ANCHOR_FILE"] = f"{folder}/anchors"
    os.environ["REVOCATION_JOURNAL"] = f"{folder}/journal"


def _redis_number(url: str, number: int) -> str:
    parts = urlsplit(url)
    if parts.scheme in ("unix", "redis+socket"):
        return parts._replace(query=f"virtual_host={number}").geturl()
    return parts._replace(path=f"/{number}").geturl()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    """A wrapper runs before the hooks it wraps: pytest-django's, which loads the settings."""
    _prepare()
    return (yield)


def _prepare() -> None:
    global _servers
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        number = int(worker.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = _redis_number(os.environ["REDIS_URL"], number)
        _witness_files()
        return
    _environment()
    kinds = embedded.wanted(os.environ)
    if not kinds:
        return
    atexit.register(pytest_unconfigure)  # also when loading the settings fails
    try:
        _servers = embedded.ThrowAway(kinds)
        os.environ.update(_servers.start())
    except embedded.EmbeddedError as error:
        raise pytest.UsageError(str(error)) from None
    embedded.on_termination(lambda received: pytest.exit(f"signal {received}", 128 + received))


def pytest_unconfigure() -> None:
    global _servers
    if _servers is not None:
        _servers.stop()
        _servers = None
