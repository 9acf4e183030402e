"""The restore drill: what was withdrawn after the backup stays withdrawn, what was sent since is
not sent again, and until that is sure nobody gets anything."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.test import Client as Browser
from django.utils import timezone
from psycopg.rows import dict_row
from pytest_django import Settings

from clients import consent as consents
from clients.models import AccessEntry, Client, Consent, User
from handoff import backups
from handoff.core import hold, journal, tokens
from handoff.core.mail import NotSent, Post
from referrals import disclosure, reminders, sharing, tasks
from referrals.models import Referral, Reminder
from referrals.rights import erasure
from tests.factories import PASSWORD, ClientFactory, UserFactory, acting
from tests.referrals.reminder_scenes import due_row
from tests.referrals.test_lifecycle import Story
from tests.restoring.databases import at_work_on, empty_database, here, url_of

pytestmark = pytest.mark.django_db(transaction=True)


class House:
    """A client who shares with a trainer, a reminder that is due, one whose time is later, and
    somebody whose days of grace are over."""

    def __init__(self) -> None:
        self.story = Story()
        self.referral: Referral = self.story.running()
        self.consent = Consent.objects.get()
        now = timezone.now()
        self.due = due_row(
            due_at=now - timedelta(minutes=1), useful_until=now + timedelta(days=1), urgent=True
        )
        self.leaving: Client = ClientFactory.create(first_name="Leaving")
        erasure.ask_on_paper(client_id=self.leaving.pk, at=now - erasure.GRACE)
        self.admin: User = UserFactory.create(is_staff=True, is_superuser=True)
        # An agreement in days of the tests' noon; the doors are asked at that moment.
        self.at = consents.standing(self.consent, now).event_at

    def trainer_reads(self) -> bool:
        packet = disclosure.disclose(
            actor=acting(self.story.trainer),
            client_id=self.story.client.pk,
            purpose="record",
            at=self.at,
        )
        return bool(packet.shown)

    def knows_the_leaving(self) -> bool:
        row = Client.objects.get(pk=self.leaving.pk)
        return row.first_name == "Leaving" or row.user_id is not None

    def stop_sharing(self) -> None:
        sharing.revoke(actor=self.story.as_client, consent_id=self.consent.pk, at=self.at)


@pytest.fixture
def house(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    settings.ANCHOR_FILE = str(tmp_path / "witness" / "anchors")
    settings.REVOCATION_JOURNAL = str(tmp_path / "witness" / "journal")
    monkeypatch.setenv("LIVE_URL", url_of(here()))
    return House()


@pytest.fixture
def spare(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = f"{here()}_restored"
    with empty_database(name) as url:
        monkeypatch.setenv("SPARE_URL", url)
        yield name


def by_hand(dump: Path, name: str) -> None:
    """As somebody would who never read our documents."""
    parts = backups.address("SPARE_URL")
    subprocess.run(
        [backups.tool("pg_restore"), "--no-owner", f"--dbname={name}", str(dump)],
        env={**parts, "PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
    )


def sample(url: str) -> dict[str, Any]:
    """Some rows of every table that people care about, as they stand."""
    tables = (
        *("clients_client", "clients_consent", "clients_consentevent", "clients_accessentry"),
        *("referrals_dischargenote", "referrals_restrictionversion", "referrals_referral"),
        *("core_auditentry",),
    )
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return {
            table: connection.execute(
                f"SELECT * FROM {table} ORDER BY 1 LIMIT 500"  # noqa: S608 (names from above)
            ).fetchall()
            for table in tables
        }


def assert_nobody_gets_anything(house: House) -> None:
    """Every way in and every way out, while the house is held."""
    trainer, client, admin = house.story.trainer.user, house.story.client.user, house.admin
    assert client is not None
    for user in (trainer, client):
        browser = Browser()
        for path in ("/", "/home/", f"/clients/{house.story.client.pk}/", "/api/v1/me/"):
            browser.force_login(user)
            answer = browser.get(path)
            assert answer.status_code == 503, path
            assert "restored from a backup" in answer.content.decode()
        assert browser.get("/admin/").status_code == 503
        signed_in = Browser().post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        assert signed_in.status_code == 503
        assert "_auth_user_id" not in browser.session or signed_in.status_code == 503
    _, token = tokens.issue(user_id=trainer.pk)
    answer = Browser().get("/api/v1/me/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert Browser().post("/api/v1/tokens/", {"email": "a", "password": "b"}).status_code == 503
    # The door itself, past every page: the database refuses the entry, so nothing comes out.
    entries = AccessEntry.objects.count()
    with pytest.raises(DatabaseError):
        house.trainer_reads()
    assert AccessEntry.objects.count() == entries
    # The post, and the ticks that ring for it.
    letters = len(mail.outbox)
    assert reminders.sweep().taken == 0
    tasks.deliver_batch()
    tasks.tick()
    with pytest.raises(NotSent, match="on_hold"):
        Post().open()
    with pytest.raises(CommandError, match="held"):
        call_command("send_due_reminders", "--now")
    assert len(mail.outbox) == letters
    # Health checks answer, and admins come in.
    ready = Browser().get("/readyz").json()
    assert (ready["status"], ready["hold"]) == ("hold", hold.reason())
    assert Browser().get("/healthz").status_code == 200
    browser = Browser()
    entered = browser.post("/accounts/login/", {"login": admin.email, "password": PASSWORD})
    assert entered.status_code == 302
    # The password alone leads to the second factor, in these days as in all others.
    assert browser.get("/admin/", follow=True).request["PATH_INFO"].startswith("/accounts/2fa/")
    browser.force_login(admin)  # with a factor
    assert browser.get("/admin/").status_code == 200
    assert browser.get("/home/").status_code == 503


def replay_and_release(house: House) -> None:
    with pytest.raises(CommandError, match="replay_journal"):
        call_command("release_hold")
    call_command("replay_journal")
    assert hold.is_held()
    call_command("replay_journal")  # once more does nothing more
    assert JournalTimes.of("consent.revoked") == 1
    call_command("release_hold")
    assert not hold.is_held()
    call_command("verify_ledger")


class JournalTimes:
    @staticmethod
    def of(kind: str) -> int:
        return sum(1 for line in journal.file().lines() if line.body.get("kind") == kind)


def assert_as_before_but_withdrawn(house: House) -> None:
    """The agreement is over, the reminder stays unsent, and the house works."""
    now = consents.standing(house.consent, house.at)
    assert now.state == consents.ConsentState.REVOKED
    assert not house.knows_the_leaving()
    assert not house.trainer_reads()
    row = Reminder.objects.get(pk=house.due.pk)
    assert (row.state, row.cancel_reason) == (Reminder.State.CANCELLED, "restored")
    letters = len(mail.outbox)
    tasks.tick()
    assert reminders.sweep().sent == 0
    assert len(mail.outbox) == letters
    assert Browser().get("/readyz").json()["hold"] is None


@pytest.mark.parametrize("hand", ["our command", "pg_restore by hand"])
def test_a_restore_brings_back_neither_consent_nor_letters(
    house: House, spare: str, tmp_path: Path, hand: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "backup"
    call_command("anchor_ledgers")
    assert house.trainer_reads()
    call_command("backup", str(folder), "--from", "LIVE_URL")
    before = sample(url_of(here()))

    house.stop_sharing()
    assert reminders.sweep().sent == 1
    assert len(mail.outbox) == 1
    assert erasure.erase_due() == 1
    assert not house.knows_the_leaving()
    call_command("anchor_ledgers")

    if hand == "our command":
        call_command("restore", str(folder), "--into", "SPARE_URL")
    else:
        by_hand(folder / backups.DUMP, spare)
    assert sample(url_of(spare)) == before

    with at_work_on(spare):
        assert hold.reason() == "restored"
        assert consents.standing(house.consent, house.at).is_active, "what a backup brings back"
        assert house.knows_the_leaving()
        assert_nobody_gets_anything(house)
        replay_and_release(house)
        assert_as_before_but_withdrawn(house)
    assert len(mail.outbox) == 1
    told = capsys.readouterr().out
    assert f"consent.revoked {house.consent.pk}: revoked" in told
    assert f"erasure.done {house.leaving.pk}: erased" in told
    assert "consent: entries #3 to #3 did not come back" in told
