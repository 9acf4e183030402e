"""The canary of `test_canary`, with real processes around it: in every clinical field, through the
whole of what people do, with views, templates, forms, the database and tasks that fail.

Then it must stand nowhere but where it belongs. Each place is also shown to hold what leaks there.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
import time_machine
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.template import Template
from django.test import Client as Browser
from django.utils import timezone

from clients.models import Client, User
from handoff.celery import app
from referrals import reminders, tasks
from referrals.models import Reminder
from tests.api.conftest import World
from tests.api.test_main_job import ok
from tests.celery.conftest import broker  # noqa: F401  (a fixture)
from tests.celery.processes import until, worker
from tests.core.uploaded import paper
from tests.factories import (
    NOON,
    ClientFactory,
    DischargeNoteFactory,
    EpisodeFactory,
    RestrictionVersionFactory,
    UserFactory,
)
from tests.guards.canary import (
    Browsing,
    Monitor,
    cache_text,
    clinical_columns,
    clinical_texts,
    columns_with,
    mail_text,
    postgres_log,
    session_text,
    valkey_text,
    watch_browsers,
)
from tests.guards.test_canary import (  # noqa: F401  (lines is a fixture)
    CANARY,
    TEXT,
    failures,
    job,
    lines,
    more,
    pages,
)
from tests.mailserver import Manners, mail_server
from tests.referrals.reminder_scenes import due_row

pytestmark = pytest.mark.django_db(transaction=True)

Plant = Callable[[], None]


class Stage:
    """The places, before and after."""

    def __init__(self, folder: Path, web: io.StringIO, seen: Browsing, monitor: Monitor) -> None:
        self.folder, self.web, self.seen, self.monitor = folder, web, seen, monitor
        self.worker_log = ""
        self.postgres_before = len(postgres_log())

    def texts(self) -> dict[str, str]:
        """Every place where nothing clinical may stand, by name."""
        stray = set(columns_with(CANARY)) - clinical_columns()
        return {
            "log of the web process": self.web.getvalue(),
            "log of the worker": self.worker_log,
            "log of PostgreSQL": postgres_log()[self.postgres_before :],
            "mail": mail_text(self.folder / "mail"),
            "Valkey": valkey_text(),
            "Valkey's MONITOR": self.monitor.text,
            "addresses": "\n".join(self.seen.addresses),
            "headers and cookies": "\n".join(self.seen.headers),
            "error pages": "\n".join(self.seen.errors),
            "sessions": session_text(),
            "cache": cache_text(),
            "tables": "\n".join(f"{CANARY} in {table}.{column}" for table, column in sorted(stray)),
        }

    def leaks(self) -> set[str]:
        return {name for name, text in self.texts().items() if CANARY.lower() in text.lower()}


@pytest.fixture
def stage(
    tmp_path: Path,
    lines: io.StringIO,  # noqa: F811  (the fixture)
    monkeypatch: pytest.MonkeyPatch,
    broker: redis.Redis,  # noqa: F811  (the fixture)
) -> Any:
    with Monitor() as monitor:
        yield Stage(tmp_path, lines, watch_browsers(monkeypatch), monitor)


def rest(world: World) -> None:
    """What the job leaves out: clinical fields of drafts, an import, an invitation, an end."""
    episode = EpisodeFactory.create(
        pt=world.pt,
        client=world.client,
        condition=TEXT,
        icd10_code=CANARY[:10],
        mechanism=TEXT,
        surgery=TEXT,
    )
    texts = [name for table, name in clinical_texts() if table == "referrals_dischargenote"]
    note = DischargeNoteFactory.create(
        episode=episode, author=world.pt.user, **dict.fromkeys(texts, TEXT)
    )
    note.goals.create(position=1, text=TEXT, outcome="not", why_not=TEXT)
    RestrictionVersionFactory.create(
        restriction__episode=episode,
        draft=True,
        number=2,
        wording=TEXT,
        instead=TEXT,
        rationale=TEXT,
        change_reason=TEXT,
        criteria=[{"kind": "measure", "measure": TEXT}],
    )


def paid(world: World) -> None:
    """Who pays, noted by the therapist and read; and a body that is refused with it."""
    address = f"episodes/{world.episode.pk}/coverage/"
    ok(world.pt_api.post(address, {"payer": TEXT, "visits_authorized": 3}))
    assert world.pt_api.post(address, {"payer": TEXT, "visits_used": -1}).status_code == 400
    ok(world.client_api.get(f"clients/{world.client.pk}/coverages/"))


def handed_in(world: World) -> None:
    """A letter, read by the therapist it is for; and one whose name and words are refused."""
    address = f"clients/{world.client.pk}/letters/"
    sent = {
        "therapist_id": str(world.pt.pk),
        "kind": "findings",
        "author": TEXT,
        "dated_on": "2027-01-04",
        "file_name": f"{TEXT}.pdf",
        "media_type": "application/pdf",
        "content": base64.b64encode(paper()).decode(),
    }
    made = ok(world.client_api.post(address, sent, headers=more()), 201)
    ok(world.pt_api.get(f"letters/{made['id']}/file/"))
    broken = {**sent, "content": base64.b64encode(TEXT.encode()).decode()}
    assert world.client_api.post(address, broken, headers=more()).status_code == 400


def imported(world: World, folder: Path) -> None:
    bundle = Path(__file__).parents[1] / "data" / "fhir_knee.json"
    content = json.loads(bundle.read_text())
    for entry in content["entry"]:
        if entry["resource"]["resourceType"] == "Condition":
            entry["resource"]["code"]["text"] = TEXT
    file = folder / "bundle.json"
    file.write_text(json.dumps(content))
    said = io.StringIO()
    call_command("import_fhir", str(file), pt_email=world.pt.user.email, stdout=said)
    assert CANARY not in said.getvalue()


def ended(world: World) -> None:
    """A newcomer is invited; the client shares less, then nothing."""
    ok(
        world.pt_api.post(
            f"clients/{world.newcomer.pk}/invitations/",
            {"kind": "client", "email": "new@example.org"},
            headers=more(),
        ),
        201,
    )
    (consent,) = world.client.consents.filter(recipient=world.trainer)
    address = f"consents/{consent.pk}/"
    ok(world.client_api.post(f"{address}narrow/", {"classes": ["clearance"]}, headers=more()))
    ok(world.client_api.post(f"{address}revoke/", {}, headers=more()))


def broken_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A template that fails with what it was given, for everybody who opens a page about it."""
    render = Template.render

    def fails(self: Template, context: Any) -> str:
        if (self.name or "").startswith(("pt/episode", "client_page/")):
            raise RuntimeError(f"cannot write {TEXT} of {context}")
        return str(render(self, context))

    found = []
    with monkeypatch.context() as patch:
        patch.setattr(Template, "render", fails)
        for who in (world.pt, world.trainer):
            browser = Browser(raise_request_exception=False)
            browser.force_login(who.user)
            for path in (f"/episodes/{world.episode.pk}/", f"/clients/{world.client.pk}/"):
                found.append(browser.get(path).status_code)
    return found


def complaining_database(row: Reminder) -> None:
    """From now on the database refuses this row, and says the canary when it does."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION complain() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'Key (wording)=({TEXT}) is not welcome'
                USING DETAIL = '{TEXT}', HINT = '{TEXT}'; END $$;
            CREATE TRIGGER complain BEFORE UPDATE ON {Reminder._meta.db_table}
            FOR EACH ROW WHEN (NEW.id = '{row.pk}' AND NEW.state NOT IN ('pending', 'sending'))
            EXECUTE FUNCTION complain()
            """
        )


def quiet_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION complain() CASCADE")


def delivered(stage: Stage) -> None:
    """A real worker: letters as files, a mail server that refuses, a database that complains."""
    now = timezone.now()
    times: dict[str, Any] = {
        "due_at": now - timedelta(minutes=5),
        "useful_until": now + timedelta(days=1),
    }
    good = due_row(**times, urgent=True)
    folder = stage.folder / "mail"
    with worker(stage.folder, EMAIL_URL=f"file://{folder}", LOG_LEVEL="DEBUG") as one:
        tasks.tick.delay()
        until(lambda: list(folder.glob("*.eml")), seconds=60, else_show=one)
        until(lambda: Reminder.objects.get(pk=good.pk).state == "accepted", else_show=one)
        stage.worker_log += one.words

    refused = due_row(**times, urgent=True)
    with mail_server() as server:
        server.manners = Manners(content=f"451 not now, {TEXT}")
        with worker(stage.folder, EMAIL_URL=server.url, LOG_LEVEL="DEBUG") as two:
            tasks.tick.delay()
            until(lambda: Reminder.objects.get(pk=refused.pk).attempts, seconds=60, else_show=two)
            until(lambda: server.connections, seconds=60, else_show=two)
            server.manners = Manners()
            complaining_database(due_row(**times, urgent=True))
            try:
                tasks.tick.delay()
                until(lambda: '"exception"' in two.words, seconds=60, else_show=two)
            finally:
                quiet_database()
            stage.worker_log += two.words
    assert '"exception"' in stage.worker_log


def test_nothing_clinical_leaves_the_record(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with time_machine.travel(NOON):
        world = World()
        referral = job(world)
        rest(world)
        handed_in(world)
        paid(world)
        imported(world, stage.folder)
        assert {200, 302, 404} <= set(pages(world, referral))
        assert {400, 500} <= set(failures(world, monkeypatch))
        assert 500 in broken_pages(world, monkeypatch)
        ended(world)
    for day in range(0, 90, 6):
        reminders.sweep(at=NOON + timedelta(days=day))
    delivered(stage)

    sung = set(columns_with(CANARY))
    assert clinical_texts() - sung == set(), "plant the canary in these as well"
    assert stage.leaks() == set(), {
        name: [line[:300] for line in text.splitlines() if CANARY.lower() in line.lower()][:5]
        for name, text in stage.texts().items()
        if name in stage.leaks()
    }
    # Each place was really there, and had something to say.
    silent = {name for name, text in stage.texts().items() if not text.strip()} - {
        "tables",  # names only what strays
        "log of PostgreSQL",  # says nothing of refused statements, which is the point
    }
    assert silent == set()
    assert stage.seen.answers > 100


def test_each_place_would_show_a_leak(stage: Stage) -> None:
    """The controls: what is put into one place is found there, and nowhere else."""
    person = UserFactory.create()
    assert stage.leaks() == set()

    def log() -> None:
        structlog.get_logger("control").warning("control", reason=TEXT)

    def worker_log() -> None:
        stage.worker_log += TEXT

    def raised_log() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE LOG '{TEXT}'; END $$")

    def letter() -> None:
        mail.outbox.append(mail.EmailMessage(subject=TEXT, to=["a@example.org"]))

    def letter_on_disk() -> None:
        (stage.folder / "mail").mkdir()
        (stage.folder / "mail" / "1.eml").write_text(TEXT)

    def task() -> None:
        app.send_task("referrals.tasks.tick", kwargs={"note": CANARY})

    def session() -> None:
        browser = Browser()
        browser.force_login(person)
        held = browser.session
        held["note"] = TEXT
        held.save()

    def cached() -> None:
        cache.set("note", {"text": TEXT})

    def admin_history() -> None:
        LogEntry.objects.create(
            user=person,
            content_type=ContentType.objects.get_for_model(User),
            object_id=str(person.pk),
            object_repr=TEXT,
            action_flag=CHANGE,
            change_message="",
        )

    def name() -> None:
        ClientFactory.create(first_name=TEXT)

    def answer(**parts: Any) -> None:
        browser = Browser()
        response = browser.get("/healthz")
        for header, value in parts.get("headers", {}).items():
            response.headers[header] = value
        response.status_code = parts.get("status", 200)
        if "body" in parts:
            response.content = parts["body"]
            response.headers["Content-Type"] = "text/html"
        stage.seen.note({}, response)

    plants: dict[str, tuple[Plant, set[str]]] = {
        "log": (log, {"log of the web process"}),
        "worker": (worker_log, {"log of the worker"}),
        "database log": (raised_log, {"log of PostgreSQL"}),
        "letter": (letter, {"mail"}),
        "letter on disk": (letter_on_disk, {"mail"}),
        "task": (task, {"Valkey", "Valkey's MONITOR"}),
        "session": (session, {"sessions"}),
        "cache": (cached, {"cache"}),
        "admin history": (admin_history, {"tables"}),
        "name": (name, {"tables"}),
        "link": (lambda: answer(body=f'<a href="/x?q={CANARY}">x</a>'), {"addresses"}),
        "redirect": (
            lambda: answer(headers={"Location": f"/{CANARY}/"}),
            {"addresses", "headers and cookies"},
        ),
        "header": (lambda: answer(headers={"X-Note": CANARY}), {"headers and cookies"}),
        "error page": (lambda: answer(status=500, body=TEXT), {"error pages"}),
    }
    shown: set[str] = set()
    for plant, (put, places) in plants.items():
        put()
        until(lambda places=places: places <= stage.leaks(), seconds=10)  # type: ignore[misc]
        assert stage.leaks() - shown <= places, plant
        shown |= places
    assert shown == set(stage.texts())


def test_the_table_of_sensitivity_is_walked() -> None:
    """Columns with words in them, of every table with clinical content."""
    tables = {table for table, _ in clinical_texts()}
    assert tables >= {
        "referrals_episode",
        "referrals_dischargenote",
        "referrals_restrictionversion",
        "referrals_loopreport",
    }
    assert Client._meta.db_table not in tables
