"""One canary word in every clinical text and in the client's surname, through the whole job with
all its failures; then we look for it in every place where health data must not be."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
import time_machine
from django.apps import apps
from django.core import mail
from django.db import connection, transaction
from django.test import Client as Browser

from handoff import logs
from handoff.core.sensitivity import Sensitivity, fields_of
from referrals import care, reminders
from tests.api.conftest import World
from tests.api.test_main_job import AVOID, GRANTED, LIMIT, NOTE, ok
from tests.factories import NOON

CANARY = "Zyxquorrel"
TEXT = f"{CANARY} at the left knee"
DAY = "2027-07-01"
# Where clinical text belongs. Whatever is not one of these tables and columns must be free of it.
RECORD = {
    (model._meta.db_table, name)
    for model in apps.get_models()
    for name in fields_of(model, Sensitivity.CLINICAL)
}


@pytest.fixture
def lines(db: None) -> Iterator[io.StringIO]:
    """Everything any logger writes, as production writes it."""
    root, stream = logging.getLogger(), io.StringIO()
    kept = (root.handlers[:], root.level)
    logs.configure(level="DEBUG", readable=False)
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers[:], root.level = kept
    structlog.reset_defaults()


def job(world: World) -> str:
    """The main job, with the canary wherever somebody writes; answers the referral."""
    pt, trainer, client = world.pt_api, world.trainer_api, world.client_api
    episode = str(world.episode.pk)
    ok(pt.patch(f"episodes/{episode}/", {"condition": TEXT, "mechanism": TEXT}))
    for moment, value, day in (("start", 30, "2026-09-01"), ("discharge", 62, "2027-01-12")):
        body = {"measure": "probe", "moment": moment, "value": value, "taken_on": day}
        ok(pt.post(f"episodes/{episode}/measurements/", body), 201)
    gate = {"test": TEXT, "reference": TEXT}
    ok(pt.post(f"episodes/{episode}/gates/", gate), 201)
    note = ok(pt.post("discharge-notes/", {"episode": episode}), 201)
    for each in (AVOID, LIMIT):
        limit = {**each, "wording": TEXT, "instead": TEXT, "rationale": TEXT}
        ok(pt.post("restrictions/", {"episode": episode, **limit}), 201)
    texts: dict[str, Any] = {
        name: TEXT for name, value in NOTE.items() if value and " " in str(value)
    }
    texts |= {"goals": [{"text": TEXT, "outcome": "met"}], "diagnosis": TEXT, "course": TEXT}
    change = {"revision": note["revision"], **NOTE, **texts}
    note = ok(pt.patch(f"discharge-notes/{note['id']}/", change))
    sign = {"revision": note["revision"], "seen": note["fingerprint"]}
    ok(pt.post(f"discharge-notes/{note['id']}/sign/", sign, headers=more()))
    ok(pt.post(f"discharge-notes/{note['id']}/addenda/", {"text": TEXT}, headers=more()), 201)
    draft = {"client": str(world.client.pk), "episode": episode, "goal": TEXT}
    draft["recipient"] = str(world.trainer.pk)
    referral = ok(pt.post("referrals/", draft, headers=more()), 201)
    address = f"referrals/{referral['id']}/"
    sent = ok(pt.post(f"{address}send/", {"classes": GRANTED}, headers=more()))
    agreed = {"classes": GRANTED, "expires_on": DAY}
    ok(client.post(f"consents/{sent['consent']}/grant/", agreed, headers=more()))
    ok(trainer.post(f"{address}ask/", {"text": TEXT}, headers=more()))
    ok(pt.post(f"{address}answer/", {"text": TEXT}, headers=more()))
    ok(trainer.post(f"{address}accept/", {}, headers=more()))
    for limit in ok(trainer.get(f"restrictions/?client={world.client.pk}"))["results"]:
        ok(trainer.post(f"restrictions/{limit['id']}/acknowledge/", {"version": 1}, headers=more()))
        ok(
            trainer.post(
                f"restrictions/{limit['id']}/request-lift/", {"text": TEXT}, headers=more()
            )
        )
    ok(trainer.post(f"{address}begin/", {}, headers=more()))
    ok(
        trainer.post(
            f"{address}report/", {"observations": TEXT, "sessions_held": 1}, headers=more()
        )
    )
    hold = {"reason_code": "client_unwell", "reason_text": TEXT}
    ok(trainer.post(f"{address}hold/", hold, headers=more()))
    seen = {"observations": TEXT, "stopped": TEXT, "body_region": "knee", "laterality": "left"}
    back = {"client": str(world.client.pk), "kind": "refer_out", "facts": seen}
    out = ok(trainer.post("referrals/", back, headers=more()), 201)
    ok(trainer.post(f"referrals/{out['id']}/send/", {}, headers=more()))
    return str(referral["id"])


_keys = iter(range(1_000_000))


def more() -> dict[str, str]:
    return {"Idempotency-Key": f"key-{next(_keys)}"}


def pages(world: World, referral: str) -> list[int]:
    """The same in a browser, refusals and complaints included."""
    found: list[int] = []
    client, episode = world.client.pk, world.episode.pk
    reads = (
        f"/clients/{client}/",
        f"/clients/{client}/card/",
        f"/clients/{client}/timeline/",
        f"/referrals/{referral}/",
    )
    for who in (world.pt, world.trainer, world.client, world.other_pt, None):
        browser = Browser(raise_request_exception=False)
        if who is not None and who.user is not None:
            browser.force_login(who.user)
        for path in (*reads, "/home/", "/reminders/", "/referrals/", "/clients/", "/access/"):
            found.append(browser.get(path).status_code)
        for path in (f"/episodes/{episode}/", f"/episodes/{episode}/limits/", "/consents/"):
            found.append(browser.get(path).status_code)
        for verb in ("report", "hold", "resume", "ask"):
            sent = {"observations": TEXT, "text": TEXT, "reason_text": TEXT}
            found.append(browser.post(f"/referrals/{referral}/{verb}/", sent).status_code)
    return found


def failures(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Complaints, broken JSON, a bug, a clash in the database, a value no column can hold."""
    pt = world.pt_api
    address = f"/api/v1/episodes/{world.episode.pk}/"
    found = [
        pt.post("episodes/", {"client": TEXT, "condition": TEXT * 30, TEXT: TEXT}).status_code,
        pt.generic("POST", "episodes/", f'{{"condition": "{TEXT}', "application/json").status_code,
        pt.get(f"clients/?q={CANARY}&cursor={CANARY}").status_code,
        Browser().get(f"/clients/{CANARY}/", {"q": TEXT}).status_code,
        Browser().post("/accounts/login/", {"login": TEXT, "password": TEXT}).status_code,
    ]

    def bug(**named: Any) -> None:
        raise RuntimeError(f"cannot do this with {named}, {TEXT}")

    def clash(**named: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE taken (word text UNIQUE, short varchar(3))")
            cursor.execute("INSERT INTO taken VALUES (%s), (%s)", [TEXT, TEXT])

    def too_long(**named: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT CAST(%s AS integer)", [TEXT])

    for breakage in (bug, clash, too_long):
        monkeypatch.setattr(care, "update_episode", breakage)
        browser = Browser(raise_request_exception=False)
        browser.force_login(world.pt.user)
        answers = [
            browser.patch(address, {"condition": TEXT}, content_type="application/json"),
            browser.post(f"/episodes/{world.episode.pk}/edit/", {"condition": TEXT}),
        ]
        for answer in answers:
            assert CANARY not in answer.content.decode()
            found.append(answer.status_code)
    monkeypatch.undo()
    return found


def stored() -> dict[tuple[str, str], int]:
    """(table, column) -> in how many rows the canary stands, over the whole database."""
    found: dict[tuple[str, str], int] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public'"
        )
        for table, column in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ILIKE %s',  # noqa: S608
                [f"%{CANARY}%"],
            )
            row = cursor.fetchone()
            if row and row[0]:
                found[table, column] = row[0]
    return found


def test_health_data_stays_in_the_record(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(NOON):
        world = World()
        referral = job(world)
        seen = pages(world, referral)
        assert {200, 302, 404} <= set(seen)
        broken = failures(world, monkeypatch)
        assert {400, 500} <= set(broken)
    # What the job has planned goes out as its time comes, for three months.
    for day in range(90):
        reminders.sweep(at=NOON + timedelta(days=day))

    found = stored()
    assert found  # the canary sings where it may
    assert set(found) <= RECORD, set(found) - RECORD
    written = lines.getvalue()
    assert len(written.splitlines()) > 10
    assert CANARY not in written
    assert all(json.loads(line) for line in written.splitlines())
    assert mail.outbox
    for letter in mail.outbox:
        assert isinstance(letter, mail.EmailMultiAlternatives)
        parts = [letter.subject, letter.from_email, letter.body]
        text = "\n".join(str(part) for part in (*parts, *letter.alternatives))
        for word in (CANARY, "knee", "shoulder", world.client.last_name, world.trainer.name):
            assert word not in text
