"""What is past its time goes, what is not stays, and two sweeps at once do no harm."""

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, connections

from clients.consent import ConsentState, standing
from clients.models import AccessEntry, Consent, ConsentEvent, Invitation
from handoff.core import tokens
from handoff.core.idempotency import IdempotentRequest
from handoff.core.ledger import verify
from referrals import tasks as queue
from referrals.models import Referral, Reminder, ReminderRule
from referrals.rights import erasure, retention
from referrals.rights.retention import CATEGORIES
from tests.factories import (
    NOON,
    ClientFactory,
    CredentialFactory,
    ProfessionalFactory,
    ReferralFactory,
    UserFactory,
    asked_consent,
)
from tests.guards.test_docs import DOCS, rows, section

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def mailbox(tmp_path: Path, settings: Any) -> None:
    """Not the folder of this checkout's `make run`: what lies there is somebody's demo."""
    settings.EMAIL_FILE_PATH = str(tmp_path / "elsewhere")


def tidied(at: datetime = NOON) -> dict[str, int]:
    told = {each.key: each.count for each in retention.report(at=at)}
    done = {each.key: each.count for each in retention.run(at=at)}
    assert told == done
    assert not any(each.count for each in retention.run(at=at))
    return {key: count for key, count in done.items() if count}


def reminder(**fields: Any) -> Reminder:
    credential = CredentialFactory.create()
    return Reminder.objects.create(
        **{
            "rule": ReminderRule.objects.order_by("number").first(),
            "recipient": credential.user,
            "audience": "owner",
            "occurrence_key": "x",
            "credential": credential,
            "due_at": NOON - 401 * DAY,
            "useful_until": NOON - 401 * DAY,
            "zone": "America/New_York",
            "state": "accepted",
            "shown_at": NOON - 401 * DAY,
            "done_at": NOON - 400 * DAY,
            **fields,
        }
    )


@pytest.mark.django_db
class TestEach:
    def test_sessions(self) -> None:
        for key, ends in (("old", NOON - DAY), ("new", NOON + DAY)):
            Session.objects.create(session_key=key, session_data="", expire_date=ends)
        assert tidied() == {"sessions": 1}
        assert [row.pk for row in Session.objects.all()] == ["new"]

    def test_devices_stay_while_their_session_lives(self) -> None:
        user = UserFactory.create()
        Session.objects.create(session_key="lives", session_data="", expire_date=NOON + DAY)
        for key, seen in (("lives", 40), ("gone", 40), ("fresh", 20)):
            row = UserSession.objects.create(
                user=user, session_key=key, ip="127.0.0.1", user_agent="x"
            )
            UserSession.objects.filter(pk=row.pk).update(last_seen_at=NOON - seen * DAY)
        assert tidied() == {"devices": 1}
        assert not UserSession.objects.filter(session_key="gone").exists()

    def test_invitations(self) -> None:
        pt = ProfessionalFactory.create()
        for number, ended in enumerate((91, 89)):
            Invitation.objects.create(
                client=ClientFactory.create(),
                email="somebody@example.org",
                token_hash=str(number) * 64,
                invited_by=pt,
                expires_at=NOON - ended * DAY,
            )
        assert tidied() == {"invitations": 1}
        assert Invitation.objects.get().expires_at == NOON - 89 * DAY

    def test_tokens(self) -> None:
        user = UserFactory.create()
        for ago in (61, 59):
            tokens.issue(user_id=user.pk, at=NOON - ago * DAY)
        revoked, _ = tokens.issue(user_id=user.pk, at=NOON)
        revoked.revoked_at = NOON - 31 * DAY
        revoked.save()
        assert tidied() == {"tokens": 2}

    def test_repeated_requests(self) -> None:
        user = UserFactory.create()
        for ago in (3, 1):
            IdempotentRequest.objects.create(
                user=user, key=str(ago), fingerprint="x", created_at=NOON - ago * DAY
            )
        assert tidied() == {"idempotency": 1}

    def test_reminders_that_are_done_and_no_others(self) -> None:
        reminder()
        reminder(state="cancelled", shown_at=None, done_at=None)
        kept = [
            reminder(state="pending"),
            reminder(state="retry"),
            reminder(state="sending", fence=None),
            reminder(done_at=None),
            reminder(due_at=NOON - 399 * DAY),
            reminder(useful_until=NOON - 399 * DAY),
        ]
        assert tidied() == {"reminders": 2}
        assert Reminder.objects.count() == len(kept)

    def test_counters(self) -> None:
        cache.set("old", 1, timeout=1)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE handoff_cache SET expires = %s", [NOON - DAY])
        cache.set("new", 1, timeout=None)
        assert tidied() == {"counters": 1}

    def test_mail_in_a_folder(self, tmp_path: Path, settings: Any) -> None:
        settings.EMAIL_FILE_PATH = str(tmp_path)
        for name, ago in (("old.eml", 31), ("new.eml", 29), ("other.txt", 31)):
            (tmp_path / name).write_text("x")
            stamp = (NOON - ago * DAY).timestamp()
            os.utime(tmp_path / name, (stamp, stamp))
        assert tidied() == {"mails": 1}
        assert {path.name for path in tmp_path.iterdir()} == {"new.eml", "other.txt"}
        settings.EMAIL_FILE_PATH = str(tmp_path / "nothing")
        assert tidied() == {}

    def test_drafts_never_sent(self) -> None:
        old = NOON - 181 * DAY
        gone = ReferralFactory.create(state_at=old)
        kept = [
            ReferralFactory.create(state_at=NOON - 179 * DAY),
            ReferralFactory.create(state_at=old, state="sent"),
            ReferralFactory.create(state_at=old),
        ]
        ReferralFactory.create(state_at=NOON, previous=kept[2])
        assert tidied() == {"drafts": 1}
        assert not Referral.objects.filter(pk=gone.pk).exists()
        assert Referral.objects.filter(pk__in=[row.pk for row in kept]).count() == 3

    def test_questions_nobody_answered_are_closed_and_stay(self) -> None:
        def asked(ago: int) -> Consent:
            return asked_consent(
                client=ClientFactory.create(),
                discloser=ProfessionalFactory.create(),
                recipient=ProfessionalFactory.create(trainer=True),
                at=NOON - ago * DAY,
            )

        old, fresh = asked(91), asked(89)
        assert tidied() == {"questions": 1}
        assert standing(old, NOON).state is ConsentState.LAPSED
        assert standing(fresh, NOON).state is ConsentState.REQUESTED
        assert verify(ConsentEvent) is None
        assert AccessEntry.objects.count() == 0

    def test_one_that_fails_holds_up_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*args: Any) -> int:
            raise RuntimeError

        monkeypatch.setattr(retention.Rows, "some", broken)
        cache.set("old", 1, timeout=1)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE handoff_cache SET expires = %s", [NOON - DAY])
        assert {each.key for each in retention.run(at=NOON) if each.count} == {"counters"}

    def test_it_stops_when_its_time_is_used_up(self) -> None:
        Session.objects.create(session_key="old", session_data="", expire_date=NOON - DAY)
        assert not any(each.count for each in retention.run(at=NOON, seconds=0))
        assert tidied() == {"sessions": 1}

    def test_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retention, "BATCH", 2)
        for number in range(5):
            Session.objects.create(session_key=str(number), session_data="", expire_date=NOON - DAY)
        assert tidied() == {"sessions": 5}

    def test_the_command_tells_and_does(self, capsys: pytest.CaptureFixture[str]) -> None:
        Session.objects.create(
            session_key="old", session_data="", expire_date=datetime(2020, 1, 1, tzinfo=UTC)
        )
        call_command("retention", "--dry-run")
        told = capsys.readouterr().out
        assert "     1 to go" in told
        assert Session.objects.exists()
        call_command("retention")
        assert "     1 gone" in capsys.readouterr().out
        assert not Session.objects.exists()

    def test_the_task_works_by_night_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Session.objects.create(
            session_key="old", session_data="", expire_date=datetime(2020, 1, 1, tzinfo=UTC)
        )
        client = ClientFactory.create()
        erasure.ask_on_paper(client_id=client.pk, at=datetime.now(UTC) - 8 * DAY)
        monkeypatch.setattr(queue, "database_now", lambda: NOON)
        queue.tidy()
        assert Session.objects.exists()
        monkeypatch.setattr(queue, "database_now", lambda: NOON.replace(hour=7))
        queue.tidy()
        assert not Session.objects.exists()
        client.refresh_from_db()
        assert client.erased_at is not None


@pytest.mark.django_db(transaction=True)
def test_twice_at_once() -> None:
    for number in range(1200):
        Session.objects.create(session_key=str(number), session_data="", expire_date=NOON - DAY)
    counts: list[int] = []
    both = threading.Barrier(2)

    def sweep() -> None:
        both.wait()
        counts.append(sum(each.count for each in retention.run(at=NOON)))
        connections.close_all()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    retention.run(at=NOON)
    assert sum(counts) <= 1200
    assert Session.objects.count() == 0


def test_the_document_has_the_same_table() -> None:
    text = section((DOCS / "rights.md").read_text(), "## How long things are kept")
    told = list(rows(text))
    assert told == [
        [
            each.what[:1].upper() + each.what[1:],
            "for good" if each.days is None else f"{each.days} days",
            each.since,
            each.why,
        ]
        for each in CATEGORIES
    ]


def test_times_are_longer_than_what_they_wait_for() -> None:
    days = {each.key: each.days for each in CATEGORIES}
    assert days["questions"] is not None
    assert days["reminders"] is not None
    assert days["reminders"] > days["questions"]
