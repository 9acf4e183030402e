"""Strangers at the edge: other hosts, other places to go on to, headers and bodies without end,
questions that take for ever, and documents that would fetch something."""

import io
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client as Browser
from django.test import override_settings
from pypdf import PdfReader

from clients.models import User
from clients.receipts import receipt_for
from clients.scopes import Scope
from handoff.embedded import BASE_DIR
from referrals import receipts
from tests.factories import UserFactory
from tests.ground.test_edge import POLICY
from tests.pages.reading import as_
from tests.referrals.scenes import Therapy

PASSWORD = "a long word of the demo"
ELSEWHERE = (
    *("https://evil.example/", "//evil.example/", "///evil.example", "\\\\evil.example"),
    *("/\\evil.example", "javascript:alert(1)", "JavaScript://evil.example/%0aalert(1)"),
    *("http:evil.example", "https:///evil.example", "data:text/html,x", "\t//evil.example"),
    *("/\t/evil.example", "https://testserver@evil.example/", "//testserver.evil.example/"),
)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(("/admin/", 200), ("/admin/clients/user/", 200), ("/admin/clients/client/x/", 302)),
        *(("/api/v1/docs/", 200), ("/api/v1/schema/", 200), ("/api/v1/me/", 200)),
        *(("/api/v1/nothing/", 404), ("/reminders/", 200), ("/profile/", 200), ("/access/", 404)),
        *(("/clients/00000000-0000-4000-8000-000000000000/", 404), ("/healthz", 200)),
        *(("/accounts/email/", 200), ("/static/css/tokens.css", 200), ("/static/nothing.css", 404)),
    ],
)
def test_every_answer_is_strict_also_to_an_administrator(path: str, status: int) -> None:
    answer = as_(UserFactory.create(is_staff=True, is_superuser=True)).get(path)
    assert answer.status_code == status
    # Files of ours hold nothing of anybody.
    assert_strict(answer, kept=path.startswith("/static/"))
    answer.close()


def assert_strict(answer: Any, *, kept: bool = False) -> None:
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    if not kept:
        assert set(policy.split("; ")) == POLICY
        assert "no-store" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Server" not in answer
    assert "X-Powered-By" not in answer


@pytest.mark.django_db
def test_every_refusal_is_strict(client: Browser) -> None:
    strict = Browser(enforce_csrf_checks=True)
    refusals = {
        400: client.get("/home/", headers={"host": "evil.example"}),
        403: strict.post("/accounts/login/", {"login": "x"}),
        404: client.get("/%00"),
        405: as_(UserFactory.create()).delete("/profile/"),
        413: client.post("/accounts/login/", {"login": "x" * 1_000_001}),
    }
    for status, answer in refusals.items():
        assert answer.status_code == status
        assert_strict(answer)


@pytest.mark.django_db
def test_a_form_has_only_so_many_fields(client: Browser) -> None:
    answer = client.post("/accounts/login/", {f"f{number}": "" for number in range(501)})
    assert answer.status_code == 400
    assert_strict(answer)


@pytest.mark.django_db
@pytest.mark.parametrize("depth", [2_000, 400_000])
def test_json_has_only_so_many_levels(client: Browser, depth: int) -> None:
    for opened in ("[", '{"a":'):
        body = (opened * depth)[:900_000]
        answer = client.post("/api/v1/tokens/", body, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json()["type"].endswith("#malformed")


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver@evil", ""])
def test_another_host_is_not_served(client: Browser, host: str) -> None:
    if host:
        assert client.get("/accounts/login/", headers={"host": host}).status_code == 400
    forwarded = client.get("/home/", headers={"x-forwarded-host": "evil.example"})
    assert "evil" not in forwarded["Location"]


@pytest.mark.django_db
def test_a_link_in_a_mail_leads_here_whatever_the_request_said(client: Browser) -> None:
    user = UserFactory.create()
    client.post(
        "/accounts/password/reset/",
        {"email": user.email},
        headers={"x-forwarded-host": "evil.example", "forwarded": "host=evil.example"},
    )
    (letter,) = mail.outbox
    (link,) = re.findall(r"https?://\S+", str(letter.body))
    assert urlsplit(link).netloc in ("testserver", urlsplit(settings.SITE_URL).netloc)


@pytest.mark.django_db
@pytest.mark.parametrize("place", ELSEWHERE)
def test_nobody_is_sent_elsewhere_after_signing_in(client: Browser, place: str) -> None:
    user = UserFactory.create()
    user.set_password(PASSWORD)
    user.save()
    data = {"login": user.email, "password": PASSWORD, "next": place}
    steps = [client.post("/accounts/login/", data)]
    assert steps[0].status_code == 302
    steps.append(client.get("/accounts/login/", {"next": place}))
    steps.append(client.get("/accounts/reauthenticate/", {"next": place}))
    again = {"password": PASSWORD, "next": place}
    steps.append(client.post("/accounts/reauthenticate/", again))
    steps.append(client.get("/accounts/logout/", {"next": place}))
    steps.append(client.get("/admin/login/", {"next": place}))
    steps.append(client.post("/accounts/logout/", {"next": place}))
    for answer in steps:
        stays_here(answer.headers.get("Location", "/"))
        shown = answer.content.decode()
        for attribute in re.findall(r'(?:href|action)="([^"]*)"', shown):
            stays_here(attribute, links=True)


def stays_here(location: str, *, links: bool = False) -> None:
    """As a browser reads it: controls are dropped and backslashes are slashes."""
    read = re.sub(r"[\x00-\x20]", "", location).replace("\\", "/")
    assert not read.startswith("//"), location
    parts = urlsplit(read)
    assert parts.scheme in ("", "http", "https", *(("mailto", "tel") if links else ())), location
    assert parts.netloc in ("", "testserver"), location


# --- questions that take for ever ---------------------------------------------------------------

SLEEPS = """
import json, sys, time
import django
django.setup()
from django.db import connection
from django.test import Client
from django.urls import path
from handoff.api.views import ApiView
from handoff.core.policy import Policy
from handoff.api.operations import reads
from handoff.api.shapes import Shape
from handoff.web.pages import page
import handoff.urls

def sleep():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")

@page(Policy.PUBLIC)
def slow_page(request):
    sleep()

class SlowApi(ApiView):
    policy = Policy.PUBLIC
    @reads(Shape)
    def get(self, query):
        sleep()

handoff.urls.urlpatterns[:0] = [path("slow/", slow_page), path("api/v1/slow/", SlowApi.as_view())]
client = Client(raise_request_exception=False, headers={"host": "localhost"})
found = []
for address in ("/slow/", "/api/v1/slow/"):
    began = time.monotonic()
    answer = client.get(address)
    found.append([answer.status_code, answer["Retry-After"], time.monotonic() - began])
print(json.dumps(found))
"""
TELLS = """
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        cursor.execute("SHOW " + name)
        print(cursor.fetchone()[0])
"""


def as_process(kind: str, script: str) -> str:
    environ = {**os.environ, "HANDOFF_PROCESS": kind, "DJANGO_SETTINGS_MODULE": "handoff.settings"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=BASE_DIR,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_page_and_the_api_give_up_a_question_that_takes_for_ever() -> None:
    found = json.loads(as_process("web", SLEEPS).splitlines()[-1])
    for status, retry, seconds in found:
        assert status == 503
        assert int(retry) > 0
        assert 4 < seconds < 15


@pytest.mark.parametrize(("kind", "limits"), [("web", "5s 10s"), ("worker", "30s 1min")])
def test_the_database_knows_how_long_each_process_waits(kind: str, limits: str) -> None:
    assert as_process(kind, TELLS).split() == limits.split()


# --- the server in front ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """The web server as it runs, around an application of one line."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--config", "handoff/gunicorn.py"),
            *("--workers", "1", "--bind", f"127.0.0.1:{port}", "tests.ground.one_line:answer"),
        ],
        cwd=BASE_DIR,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield port
    started.terminate()
    started.wait(30)


def said(port: int, sent: bytes) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(sent)
        first = line.recv(200)
    return int(first.split()[1]) if first else 0


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", {200}),
        (b"GET /?" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {400, 414}),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n", {400, 431}),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 80 + b"\r\n", {400, 431}),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", {400}),
    ],
)
def test_the_server_takes_lines_and_headers_within_bounds(
    server: int, sent: bytes, status: set[int]
) -> None:
    assert said(server, sent) in status


# --- documents ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_document_prints_what_would_fetch_something_and_fetches_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hostile = '<img src="file:///etc/passwd"/>'
    scene = Therapy()
    scene.share(Scope.CLEARANCE)
    User.objects.filter(pk=scene.trainer.user_id).update(
        first_name=hostile, last_name='<a href="http://evil.example">x</a>'
    )
    scene.consent.recipient.user.refresh_from_db()
    receipt = receipt_for(scene.consent)
    receipts.as_pdf(receipt, zone="UTC")  # fonts are read once, now

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError(f"a document opens {args}")

    opened: list[str] = []
    plain = open

    def watched(path: Any, *args: Any, **kwargs: Any) -> Any:
        opened.append(str(path))
        return plain(path, *args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("builtins.open", watched)
    data = receipts.as_pdf(receipt, zone="UTC")
    monkeypatch.undo()
    assert opened == []
    pages = PdfReader(io.BytesIO(data)).pages
    text = re.sub(r"\s", "", "".join(page.extract_text() for page in pages))
    assert re.sub(r"\s", "", hostile) in text
    assert not any(page.get("/Annots") for page in pages)
    assert b"evil.example" not in data  # no link either: the text is in compressed streams


@pytest.mark.django_db
def test_a_session_in_production_carries_host_only_cookies(client: Browser) -> None:
    names = {"SESSION_COOKIE_NAME": "__Host-session", "CSRF_COOKIE_NAME": "__Host-csrf"}
    names["BROWSER_COOKIE_NAME"] = "__Host-browser"
    with override_settings(**names, SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True):
        user = UserFactory.create()
        user.set_password(PASSWORD)
        user.save()
        client.get("/accounts/login/", secure=True)
        client.post("/accounts/login/", {"login": user.email, "password": PASSWORD}, secure=True)
    for name, cookie in client.cookies.items():
        assert name.startswith("__Host-")
        assert cookie["path"] == "/"
        assert not cookie["domain"]
        assert cookie["secure"]
        assert cookie["samesite"] == "Lax"
    assert client.cookies["__Host-session"]["httponly"]
