"""What the tasks do, what they ring with, and the order of their time limits."""

import base64
import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from clients.models import Practice
from handoff.celery import app
from referrals import tasks
from referrals.models import Reminder
from referrals.reminders import delivery, sweeping
from tests.referrals.reminder_scenes import due_row, scene

ROOT = Path(__file__).resolve().parents[2]


def overdue(count: int) -> None:
    now = timezone.now()
    first = due_row(due_at=now - timedelta(minutes=1), useful_until=now + timedelta(days=1))
    Reminder.objects.bulk_create(
        Reminder(
            rule_id=first.rule_id,
            audience=first.audience,
            recipient=first.recipient,
            credential=first.credential,
            occurrence_key=f"{first.occurrence_key}:{number}",
            due_at=first.due_at,
            useful_until=first.useful_until,
            zone=first.zone,
        )
        for number in range(count - 1)
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("due", "rings"),
    [(0, 0), (1, 1), (delivery.BATCH, 1), (delivery.BATCH + 1, 2), (400, tasks.MOST_DELIVERIES)],
)
def test_a_tick_rings_as_often_as_is_useful(broker: "redis.Redis", due: int, rings: int) -> None:
    if due:
        overdue(due)
    tasks.tick()
    assert broker.llen("mail") == rings


@pytest.mark.django_db
def test_a_ring_says_nothing(broker: "redis.Redis") -> None:
    overdue(1)
    tasks.tick()
    row = Reminder.objects.get()
    raw = broker.lrange("mail", 0, -1)
    assert isinstance(raw, list)
    (message,) = [json.loads(each) for each in raw]
    args, kwargs, _ = json.loads(base64.b64decode(message["body"]))
    assert (args, kwargs) == ([], {})
    assert message["headers"]["argsrepr"] == "()"
    assert message["headers"]["kwargsrepr"] == "{}"
    assert (message["headers"]["eta"], message["headers"]["ignore_result"]) == (None, True)
    whole = json.dumps(message)
    for secret in (str(row.pk), row.pk.hex, row.recipient.email, row.recipient.first_name):
        assert secret not in whole


@pytest.mark.django_db
def test_a_tick_lets_time_pass_and_looks_after_the_plan(broker: "redis.Redis") -> None:
    found = scene().send()
    consent = found.consent
    type(found.referral).objects.filter(pk=found.pk).update(
        state_at=timezone.now() - timedelta(days=30)
    )
    tasks.tick()
    found.referral.refresh_from_db()
    assert found.referral.state == "cancelled"
    assert not Reminder.objects.filter(consent=consent, state="pending").exists()


@pytest.mark.django_db
def test_a_chore_that_fails_keeps_no_mail_back(broker: "redis.Redis") -> None:
    found = scene().send().grant()
    type(found.referral).objects.filter(pk=found.pk).update(
        state_at=timezone.now() - timedelta(days=30)
    )
    Practice.objects.update(time_zone="Mars/Base")  # nobody can tell when its days end
    overdue(1)
    tasks.tick()
    assert broker.llen("mail") == 1


@pytest.mark.django_db
def test_a_batch_delivers_and_a_second_one_finds_nothing(
    mailoutbox: list[object], broker: "redis.Redis"
) -> None:
    due_row(
        due_at=timezone.now() - timedelta(minutes=1),
        useful_until=timezone.now() + timedelta(days=1),
        urgent=True,
    )
    tasks.deliver_batch()
    tasks.deliver_batch()
    tasks.tick()
    assert len(mailoutbox) == 1
    assert broker.llen("mail") == 0


@pytest.mark.django_db
def test_a_tick_survives_a_broker_that_refuses(broker: "redis.Redis") -> None:
    overdue(1)
    broker.set("mail", "not a queue")
    tasks.tick()
    assert Reminder.objects.get().state == "pending"
    broker.delete("mail")
    tasks.tick()
    assert broker.llen("mail") == 1


# --- limits -------------------------------------------------------------------------------------


def test_time_limits_are_strictly_ordered() -> None:
    mail = settings.EMAIL_TIMEOUT
    soft, hard = settings.CELERY_TASK_SOFT_TIME_LIMIT, settings.CELERY_TASK_TIME_LIMIT
    lease = delivery.LEASE.total_seconds()
    visibility = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert 0 < mail < sweeping.BUDGET_SECONDS + mail < soft < hard < lease < visibility


def test_tasks_keep_no_results_and_are_acknowledged_late() -> None:
    assert settings.CELERY_TASK_IGNORE_RESULT
    assert settings.CELERY_RESULT_BACKEND is None
    assert settings.CELERY_TASK_ACKS_LATE
    for name in ("tick", "deliver_batch"):
        task = app.tasks[f"referrals.tasks.{name}"]
        assert (task.ignore_result, task.acks_late) == (True, True)


def test_beat_ticks_by_the_stopwatch_and_its_tasks_exist() -> None:
    assert settings.CELERY_TIMEZONE == "UTC"
    app.loader.import_default_modules()  # as a worker does when it starts
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert isinstance(entry["schedule"], float)
        assert entry["task"] in app.tasks
        assert "args" not in entry
    assert settings.CELERY_BEAT_SCHEDULE["tick"]["schedule"] == 15.0


def test_mail_has_a_queue_of_its_own() -> None:
    assert app.amqp.router.route({}, "referrals.tasks.deliver_batch")["queue"].name == "mail"
    assert app.amqp.router.route({}, "referrals.tasks.tick")["queue"].name == "default"


def test_no_business_time_lies_in_the_broker() -> None:
    """Due times are rows. `eta` and `countdown` make Redis run tasks again and again."""
    found = subprocess.run(
        ["git", "grep", "-nE", r"(eta|countdown)=|ALWAYS_EAGER\s*=", "--", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in found.stdout.splitlines() if not line.startswith("tests/")]
    assert lines == []
    assert found.returncode in (0, 1)
