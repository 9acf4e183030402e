"""Every place where health data must not be, as a text to look through."""

from __future__ import annotations

import base64
import contextlib
import re
import threading
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import redis
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.db.models import CharField, Field, JSONField, TextField
from django.test import Client as Browser

from handoff.core.sensitivity import Sensitivity, fields_of


def clinical_columns() -> set[tuple[str, str]]:
    """Where clinical content belongs."""
    return {
        (model._meta.db_table, str(field.column))
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.name in fields_of(model, Sensitivity.CLINICAL)
    }


def clinical_texts() -> set[tuple[str, str]]:
    """Those of them that somebody writes words into."""

    def takes_words(column: Field[Any, Any]) -> bool:
        return isinstance(column, CharField | TextField | JSONField) and not column.choices

    return {
        (model._meta.db_table, name)
        for model in apps.get_models()
        for name in fields_of(model, Sensitivity.CLINICAL)
        if isinstance(column := model._meta.get_field(name), Field) and takes_words(column)
    }


def columns_with(word: str) -> dict[tuple[str, str], int]:
    """(table, column) -> in how many rows the word stands, over the whole database."""
    found: dict[tuple[str, str], int] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public'"
        )
        for table, column in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ILIKE %s',  # noqa: S608
                [f"%{word}%"],
            )
            row = cursor.fetchone()
            if row and row[0]:
                found[table, column] = row[0]
    return found


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = ("href", "action", "src", "formaction", "hx-get", "hx-post", "hx-push-url")
        self.found += [value or "" for name, value in attrs if name in wanted]


@dataclass
class Browsing:
    """What every test browser was answered: where it may go next, headers, cookies, complaints."""

    addresses: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    answers: int = 0

    def note(self, request: dict[str, Any], response: Any) -> None:
        self.answers += 1
        self.headers += [f"{name}: {value}" for name, value in response.headers.items()]
        self.headers += [str(morsel) for morsel in response.cookies.values()]
        body = response.content.decode("utf-8", "replace") if not response.streaming else ""
        if response.status_code in (404, 405, 409) or response.status_code >= 500:
            self.errors.append(body)  # a form with complaints shows its owner what they typed
        if "html" in response.headers.get("Content-Type", ""):
            reader = _Links()
            reader.feed(body)
            self.addresses += reader.found
        self.addresses.append(response.headers.get("Location", ""))
        self.addresses.append(response.headers.get("HX-Redirect", ""))


def watch_browsers(monkeypatch: pytest.MonkeyPatch) -> Browsing:
    """Notes the answers to every test client made from now on."""
    seen, ask = Browsing(), Browser.request

    def noted(self: Browser, **request: Any) -> Any:
        response = ask(self, **request)
        seen.note(request, response)
        return response

    monkeypatch.setattr(Browser, "request", noted)
    return seen


class Monitor:
    """What every client says to Valkey, as its MONITOR shows it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        # It waits for as long as nobody says anything.
        self.client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=None)
        self._stop = threading.Event()
        self._listens = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        with self.client.monitor() as monitor:  # type: ignore[no-untyped-call]
            self._listens.set()
            while not self._stop.is_set():
                said = monitor.next_command()
                self.lines.append(str(said["command"]))

    def __enter__(self) -> Monitor:
        self._thread.start()
        assert self._listens.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.client.ping()  # one last command for it to wake up at
        self._thread.join(10)
        self.client.close()

    @property
    def text(self) -> str:
        return with_decoded("\n".join(self.lines))


def with_decoded(text: str) -> str:
    """The text, and what stands in it as base64: bodies of tasks."""
    inner = []
    for found in re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", text):
        with contextlib.suppress(ValueError):
            inner.append(base64.b64decode(found).decode("utf-8", "replace"))
    return "\n".join([text, *inner])


def valkey_text() -> str:
    """Every key of every database of the server, with what it holds."""
    texts: list[str] = []
    with contextlib.closing(redis.Redis.from_url(settings.REDIS_URL)) as client:
        texts.append(repr(client.info("keyspace")))
        for key in client.scan_iter(count=1000):
            texts += [repr(key), repr(client.dump(key))]
            match client.type(key):
                case b"list":
                    texts.append(repr(client.lrange(key, 0, -1)))
                case b"hash":
                    texts.append(repr(client.hgetall(key)))
                case b"string":
                    texts.append(repr(client.get(key)))
                case b"set":
                    texts.append(repr(client.smembers(key)))
                case b"zset":
                    texts.append(repr(client.zrange(key, 0, -1)))
                case kind:
                    raise AssertionError(f"{kind!r} is not read")
    return with_decoded("\n".join(texts))


def mail_text(folder: Path) -> str:
    """The letters of this process and those that workers wrote as files, as they were sent."""
    letters = [str(letter.message()) for letter in getattr(mail, "outbox", ())]
    for letter in getattr(mail, "outbox", ()):
        parts = [letter.subject, letter.from_email, letter.body]
        letters += [str(part) for part in (*parts, *getattr(letter, "alternatives", ()))]
    letters += [path.read_text() for path in folder.glob("**/*.eml")]
    return "\n".join(letters)


def session_text() -> str:
    """What sessions hold, read as the product reads them."""
    held = [SessionStore(row.session_key).load() for row in Session.objects.all()]
    return "\n".join(map(repr, held))


def cache_text() -> str:
    """The cache's rows; values are pickles in base64, in which words stand as they are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM handoff_cache")
        return "\n".join(f"{key} {base64.b64decode(value)!r}" for key, value in cursor.fetchall())


def postgres_log() -> str:
    """What the embedded server wrote; its role here may read its own folder."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        row = cursor.fetchone()
    assert row
    folder = Path(row[0]).parent / "log"
    texts = [path.read_text(errors="replace") for path in folder.glob("postgres*")]
    assert texts, f"no log of PostgreSQL in {folder}"
    return "\n".join(texts)
