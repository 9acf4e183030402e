"""Real workers and a real beat: mail as files, kill -9 in mid-delivery, lost bells, many bells."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import redis
from django.utils import timezone

from clients.models import User
from referrals import tasks
from referrals.models import Reminder
from tests.celery.processes import Running, beat, until, worker
from tests.factories import certified_trainer, licensed_pt
from tests.mailserver import MailServer, Manners, mail_server, text_of
from tests.referrals.reminder_scenes import due_row, scene
from tests.referrals.test_reminder_mail import TELLING

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("broker")]


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def midday_zone() -> str:
    """A zone in which it is about noon: no quiet hours, whenever the suite runs."""
    ahead = 12 - timezone.now().hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def due_now(count: int) -> list[Reminder]:
    now = timezone.now()
    return [
        due_row(
            due_at=now - timedelta(minutes=count - number),
            useful_until=now + timedelta(days=1),
            urgent=True,
        )
        for number in range(count)
    ]


def states() -> Counter[str]:
    return Counter(Reminder.objects.values_list("state", flat=True))


def lease_runs_out() -> None:
    """What a minute of waiting would do."""
    held = Reminder.objects.filter(state="sending")
    held.update(lease_until=timezone.now() - timedelta(seconds=1))


def message_id(row: Reminder) -> str:
    return f"<{row.pk.hex}@localhost>"


def test_a_journey_is_delivered_as_files(tmp_path: Path) -> None:
    zone, now = midday_zone(), timezone.now()
    mails = tmp_path / "mail"
    found = scene(
        pt=licensed_pt(user__first_name="Paula", user__time_zone=zone),
        trainer=certified_trainer(user__first_name="Tom", user__time_zone=zone),
        client__first_name="Ana",
        client__last_name="Lopez-Ruiz",
        client__time_zone=zone,
        review_on=now.date() + timedelta(days=60),
        at=now,
    )
    url = f"file://{mails}"
    client = User.objects.get(client=found.client).email
    trainer = found.trainer.user.email

    def arrived(address: str) -> list[EmailMessage]:
        read = []
        for path in sorted(mails.glob("*.eml")):
            message = message_from_bytes(path.read_bytes(), policy=policy.default)
            assert isinstance(message, EmailMessage)
            if message["To"] == address:
                read.append(message)
        return read

    with worker(tmp_path, EMAIL_URL=url) as one, beat(tmp_path, EMAIL_URL=url) as bell:
        found.send(now)
        until(lambda: arrived(client), else_show=one)
        found.grant(timezone.now(), expires_on=now.date() + timedelta(days=90))
        found.accept(timezone.now())
        until(lambda: arrived(trainer), else_show=one)
        assert bell.process.poll() is None
    letters = arrived(client) + arrived(trainer)
    assert len(letters) == 2  # asked; and to read what was shared: the rest is for later
    for letter in letters:
        text = text_of(letter).lower().replace(str(letter["To"]).lower(), "")
        assert [word for word in TELLING if word in text] == []
        assert "lopez" not in text
    assert "Traceback" not in one.words
    assert Reminder.objects.filter(rule=9, state="accepted").count() == 1


def test_kill_9_of_a_worker_in_mid_delivery_loses_nothing(
    tmp_path: Path, server: MailServer
) -> None:
    server.manners = Manners(hang_at="DOT")
    rows = due_now(3)
    with worker(tmp_path, EMAIL_URL=server.url) as first:
        tasks.deliver_batch.delay()
        assert server.hanging.wait(30)
        first.kill_all()
    assert states() == {"sending": 3}
    begun = Reminder.objects.filter(data_started_at__isnull=False)
    assert [row.pk for row in begun] == [rows[0].pk]

    server.manners = Manners()
    with worker(tmp_path, EMAIL_URL=server.url) as second:
        tasks.tick.delay()
        until(lambda: "reminders.swept" in second.words or "tick" in second.words)
        assert states() == {"sending": 3}  # the lease still protects what the dead one held
        lease_runs_out()
        tasks.tick.delay()
        until(lambda: states() == {"accepted": 3}, else_show=second)
    # The first may have been taken before the crash: again, under the same id. The others once.
    assert Counter(server.message_ids) == {
        message_id(rows[0]): 2,
        message_id(rows[1]): 1,
        message_id(rows[2]): 1,
    }
    assert set(Reminder.objects.values_list("attempts", flat=True)) == {2}


def test_kill_9_of_the_pool_child_alone_loses_nothing(tmp_path: Path, server: MailServer) -> None:
    """Celery takes such a task for done; the rows know better."""
    server.manners = Manners(hang_at="RCPT")
    (row,) = due_now(1)
    with worker(tmp_path, EMAIL_URL=server.url) as one:
        tasks.deliver_batch.delay()
        assert server.hanging.wait(30)
        _kill_children(one)
        server.manners = Manners()
        lease_runs_out()
        tasks.tick.delay()
        until(lambda: states() == {"accepted": 1}, else_show=one)
    assert server.message_ids == [message_id(row)]


def _kill_children(running: Running) -> None:
    children = running.children()
    assert children
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def test_lost_bells_and_too_many_bells_change_nothing(
    tmp_path: Path, server: MailServer, broker: "redis.Redis"
) -> None:
    due_now(12)
    tasks.deliver_batch.delay()
    broker.flushdb()  # the bell is lost; the rows are not
    assert states() == {"pending": 12}
    with worker(tmp_path, processes=2, EMAIL_URL=server.url) as one:
        for _ in range(4):
            tasks.tick.delay()
            tasks.deliver_batch.delay()
        until(lambda: states() == {"accepted": 12}, else_show=one)
        broker.flushdb()
        tasks.tick.delay()
        until(lambda: broker.llen("default") == 0)
    assert len(server.letters) == len(set(server.message_ids)) == 12
    assert set(Reminder.objects.values_list("attempts", flat=True)) == {1}


def test_a_worker_that_is_told_to_stop_finishes_its_letter(
    tmp_path: Path, server: MailServer
) -> None:
    server.manners = Manners(pause_seconds=1.5)
    due_now(1)
    with worker(tmp_path, EMAIL_URL=server.url) as one:
        tasks.deliver_batch.delay()
        until(lambda: server.letters, else_show=one)
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(20) == 0
    assert states() == {"accepted": 1}
    assert len(server.letters) == 1
