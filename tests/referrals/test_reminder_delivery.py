"""Claim, deliver, settle: leases, fences, retries and dead letters, with a real SMTP server."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from handoff.core import mail
from handoff.core.audit import AuditEntry
from handoff.core.errors import NotAllowed, NotVisible, Stale
from referrals import reminders
from referrals.models import Reminder, ReminderRule
from referrals.reminders import delivery, sweeping
from referrals.reminders.delivery import LEASE, RETRY_AFTER, Claimed, Outcome
from tests.factories import NOON, UserFactory, acting
from tests.mailserver import MailServer, Manners, closed_port, mail_server
from tests.referrals.reminder_scenes import DAY, HOUR, due_row, rows, scene

pytestmark = pytest.mark.django_db

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    """A mail server that the product sends to, well behaved unless told otherwise."""
    with mail_server() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_TIMEOUT = 1
        yield running


def claim_one(at: datetime = NOON) -> Claimed:
    (claimed,) = reminders.claim(limit=1, at=at).to_mail
    return claimed


def deliver(claimed: Claimed, at: datetime = NOON) -> Outcome:
    with mail.Post() as post:
        return reminders.deliver(claimed, post, at=at)


def fresh(row: Reminder) -> Reminder:
    row.refresh_from_db()
    return row


# --- claim --------------------------------------------------------------------------------------


def test_claim_takes_what_is_due_oldest_first_and_not_more_than_asked() -> None:
    later = due_row(due_at=NOON - MINUTE)
    first = due_row(due_at=NOON - HOUR)
    due_row(due_at=NOON + MINUTE)
    assert claim_one().id == first.pk
    assert claim_one().id == later.pk
    assert reminders.claim(limit=5, at=NOON).taken == 0
    assert reminders.claim(limit=5, at=NOON + MINUTE - SECOND).taken == 0


def test_claim_leases_with_a_fence_and_lists_it_at_once() -> None:
    row = due_row()
    claimed = claim_one()
    row = fresh(row)
    assert (row.state, row.fence, row.attempts) == ("sending", claimed.fence, 1)
    assert row.lease_until == NOON + LEASE
    assert row.shown_at == NOON
    assert row.data_started_at is None


@pytest.mark.parametrize("state", ["accepted", "dead", "cancelled"])
def test_claim_leaves_what_is_settled(state: str) -> None:
    due_row(state=state)
    assert reminders.claim(at=NOON + DAY).taken == 0


def test_claim_goes_by_the_clock_of_the_database() -> None:
    now = timezone.now()
    due_row(due_at=now - MINUTE, useful_until=now + DAY, zone="UTC", urgent=True)
    due_row(due_at=now + HOUR, useful_until=now + DAY)
    assert reminders.claim().taken == 1


def test_claiming_many_takes_as_many_queries_as_claiming_one() -> None:
    def queries(count: int) -> int:
        for _ in range(count):
            due_row()
            scene().send()
        with CaptureQueriesContext(connection) as used:
            taken = reminders.claim(limit=100, at=NOON).taken
        assert taken == 2 * count
        Reminder.objects.all().delete()
        return len(used)

    assert queries(1) == queries(5)


# --- delivered ----------------------------------------------------------------------------------


def test_a_letter_taken_is_settled_as_sent(server: MailServer) -> None:
    row = due_row()
    assert deliver(claim_one(), NOON + SECOND) is Outcome.SENT
    row = fresh(row)
    assert (row.state, row.accepted_at, row.last_error_code) == ("accepted", NOON + SECOND, "")
    assert (row.fence, row.lease_until) == (None, None)
    ((to, message),) = server.letters
    assert to == [row.recipient.email]
    assert message["Message-ID"] == f"<{row.pk.hex}@localhost>"


def test_one_connection_serves_a_whole_sweep(server: MailServer) -> None:
    for _ in range(4):
        due_row()
    assert reminders.sweep(limit=3, at=NOON).sent == 4
    assert len(server.letters) == 4
    assert server.connections == 1


def test_the_moment_before_the_letter_leaves_is_on_record(server: MailServer) -> None:
    row = due_row()
    seen: list[tuple[str, datetime | None]] = []

    class Watching(mail.Post):
        def open(self) -> None:
            seen.append(("open", fresh(row).data_started_at))
            super().open()

        def send(self, letter: mail.Letter) -> None:
            seen.append(("send", fresh(row).data_started_at))
            super().send(letter)

    with Watching() as post:
        reminders.deliver(claim_one(), post, at=NOON)
    assert seen == [("open", None), ("send", NOON)]


# --- leases, fences, zombies ---------------------------------------------------------------------


def test_a_claim_whose_worker_died_before_sending_is_taken_up_again(server: MailServer) -> None:
    row = due_row()
    claim_one()
    assert reminders.claim(at=NOON + LEASE - SECOND).taken == 0
    again = claim_one(NOON + LEASE)
    assert fresh(row).last_error_code == "worker_lost"
    assert again.attempts == 2
    assert deliver(again, NOON + LEASE) is Outcome.SENT
    assert server.message_ids == [f"<{row.pk.hex}@localhost>"]


def test_a_claim_whose_worker_died_while_sending_is_sent_again_under_the_same_id(
    server: MailServer,
) -> None:
    row = due_row()
    lost = claim_one()
    assert delivery.begin(lost, at=NOON)
    again = claim_one(NOON + LEASE)
    assert fresh(row).last_error_code == "unconfirmed"
    assert deliver(again, NOON + LEASE) is Outcome.SENT
    assert server.message_ids == [f"<{row.pk.hex}@localhost>"]
    assert fresh(row).attempts == 2


def test_a_zombie_can_neither_send_nor_settle(server: MailServer) -> None:
    row = due_row()
    zombie = claim_one()
    heir = claim_one(NOON + LEASE)
    assert deliver(zombie, NOON + LEASE) is Outcome.LOST
    assert server.letters == []
    assert not delivery.accepted(zombie, at=NOON + LEASE)
    assert not delivery.fail(zombie, "timeout", at=NOON + LEASE)
    delivery.release([zombie])
    assert (fresh(row).state, fresh(row).fence) == ("sending", heir.fence)
    assert delivery.accepted(heir, at=NOON + LEASE)
    assert not delivery.fail(heir, "timeout", at=NOON + LEASE)
    assert fresh(row).state == "accepted"


def test_whoever_lets_the_lease_run_out_does_not_start_even_before_it_is_taken_up() -> None:
    due_row()
    late = claim_one()
    assert not delivery.begin(late, at=NOON + LEASE)
    assert delivery.begin(late, at=NOON + LEASE - SECOND)


def test_beginning_renews_the_lease() -> None:
    row = due_row()
    at = NOON + timedelta(seconds=50)
    assert delivery.begin(claim_one(), at=at)
    assert fresh(row).lease_until == at + LEASE


def test_what_is_taken_back_while_claimed_is_not_sent(server: MailServer) -> None:
    found = scene().send()
    claimed = claim_one()
    found.grant()
    assert deliver(claimed) is Outcome.LOST
    assert server.letters == []
    assert rows(4)[0].cancel_reason == "over"


def test_a_letter_that_is_leaving_is_not_taken_back(server: MailServer) -> None:
    found = scene().send()
    claimed = claim_one()
    assert delivery.begin(claimed, at=NOON)
    found.grant()
    assert delivery.accepted(claimed, at=NOON)
    row = rows(4)[0]
    assert row.state == "accepted"
    assert row.done_at is not None


# --- refusals -----------------------------------------------------------------------------------

AT_ONCE = "dead"
LATER = "retry"


@pytest.mark.parametrize(
    ("manners", "state", "code"),
    [
        (Manners(recipient="450 busy"), LATER, "smtp_450"),
        (Manners(recipient="550 nobody here"), AT_ONCE, "smtp_550"),
        (Manners(content="452 full"), LATER, "smtp_452"),
        (Manners(content="554 refused"), AT_ONCE, "smtp_554"),
        (Manners(greeting="421 not now"), LATER, "smtp_421"),
        (Manners(greeting="554 go away"), LATER, "smtp_554"),
        (Manners(sender="421 closing"), LATER, "smtp_421"),
        (Manners(silent=True), LATER, "disconnected"),
        (Manners(hang_at="RCPT"), LATER, "disconnected"),
        (Manners(hang_at="DOT"), LATER, "disconnected"),
        (Manners(drop_after_data=True), LATER, "disconnected"),
    ],
)
def test_what_a_refusal_means(server: MailServer, manners: Manners, state: str, code: str) -> None:
    server.manners = manners
    row = due_row()
    outcome = deliver(claim_one())
    assert outcome in (Outcome.FAILED, Outcome.UNREACHABLE)
    row = fresh(row)
    assert (row.state, row.last_error_code) == (state, code)
    assert (row.fence, row.lease_until, row.data_started_at) == (None, None, None)
    assert row.shown_at == NOON
    assert (row.next_try_at is None) == (state == AT_ONCE)


def test_a_server_that_is_not_there(settings: Any) -> None:
    row = due_row()
    with closed_port() as port:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        assert deliver(claim_one()) is Outcome.UNREACHABLE
    assert (fresh(row).state, fresh(row).last_error_code) == ("retry", "unreachable")


def test_the_ladder_and_its_end(server: MailServer) -> None:
    server.manners = Manners(recipient="450 busy")
    row = due_row(useful_until=NOON + 30 * DAY)
    at = NOON
    for number, span in enumerate(RETRY_AFTER, start=1):
        assert deliver(claim_one(at), at) is Outcome.FAILED
        row = fresh(row)
        assert (row.state, row.attempts) == ("retry", number)
        assert row.next_try_at is not None
        assert 0.8 * span <= row.next_try_at - at <= 1.2 * span
        assert reminders.claim(at=row.next_try_at - SECOND).taken == 0
        at = row.next_try_at
    assert deliver(claim_one(at), at) is Outcome.FAILED
    assert (fresh(row).state, fresh(row).attempts) == ("dead", 6)
    assert reminders.claim(at=NOON + 29 * DAY).taken == 0
    assert [minutes.total_seconds() / 60 for minutes in RETRY_AFTER] == [1, 5, 15, 60, 240]


def test_retries_do_not_come_back_together() -> None:
    spans = {delivery.retry_after(3) for _ in range(50)}
    assert len(spans) > 40
    assert max(spans) - min(spans) > MINUTE


def test_a_row_whose_workers_keep_dying_ends_too() -> None:
    row = due_row(useful_until=NOON + DAY)
    at = NOON
    for number in range(1, 7):
        assert claim_one(at).attempts == number
        at += LEASE
    taken = reminders.claim(at=at)
    assert (taken.taken, taken.to_mail) == (1, ())
    assert (fresh(row).state, fresh(row).last_error_code) == ("dead", "worker_lost")


def test_a_row_that_cannot_become_a_letter_holds_up_nobody(server: MailServer) -> None:
    poison = due_row(user=UserFactory.create(email="a@example.org"))
    type(poison.recipient).objects.filter(pk=poison.recipient_id).update(email="a@b\r\nbcc: c@d")
    healthy = due_row(due_at=NOON + SECOND)
    tally = reminders.sweep(at=NOON + MINUTE)
    assert (tally.taken, tally.sent) == (2, 1)
    assert fresh(healthy).state == "accepted"
    assert (fresh(poison).state, fresh(poison).last_error_code) == ("retry", "unexpected")


def test_a_template_that_fails_is_a_failure_of_that_letter_only(
    server: MailServer, settings: Any, tmp_path: Any
) -> None:
    (tmp_path / "emails").mkdir()
    (tmp_path / "emails" / "reminder.txt").write_text("{% include 'no/such.txt' %}")
    templates = [dict(settings.TEMPLATES[0], DIRS=[tmp_path, *settings.TEMPLATES[0]["DIRS"]])]
    settings.TEMPLATES = templates
    row = due_row()
    assert deliver(claim_one()) is Outcome.FAILED
    assert (fresh(row).state, fresh(row).last_error_code) == ("retry", "unexpected")


# --- the post itself ----------------------------------------------------------------------------


def test_when_the_server_cannot_be_reached_the_rest_is_given_back(server: MailServer) -> None:
    server.manners = Manners(greeting="421 not now")
    waiting = [due_row(due_at=NOON + timedelta(seconds=n)) for n in range(3)]
    tally = reminders.sweep(at=NOON + MINUTE)
    assert tally.letters == {Outcome.UNREACHABLE: 1}
    assert server.connections == 1
    states = [(fresh(row).state, row.attempts, row.fence) for row in waiting]
    assert states == [("retry", 1, None), ("pending", 0, None), ("pending", 0, None)]


@pytest.mark.parametrize(
    ("manners", "login"),
    [
        (Manners(login="535 wrong"), True),
        (Manners(sender="550 not from here"), False),
        (Manners(), True),  # log-in is wanted and not offered
    ],
)
def test_when_the_server_takes_nothing_from_us_everything_waits(
    server: MailServer, settings: Any, manners: Manners, login: bool
) -> None:
    server.manners = manners
    if login:
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "handoff", "secret"
    waiting = [due_row(due_at=NOON + timedelta(seconds=n)) for n in range(3)]
    at = NOON + MINUTE
    assert reminders.sweep(at=at).letters == {Outcome.REFUSED: 1}
    for row in waiting:
        row = fresh(row)
        assert (row.state, row.attempts) == ("pending", 0)
        assert row.next_try_at == at + sweeping.PAUSE
    assert reminders.sweep(at=at).taken == 0
    assert server.connections == 1


def test_a_login_that_is_busy_is_tried_again(server: MailServer, settings: Any) -> None:
    server.manners = Manners(login="454 later")
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "handoff", "secret"
    row = due_row()
    assert deliver(claim_one()) is Outcome.UNREACHABLE
    assert (fresh(row).state, fresh(row).last_error_code) == ("retry", "smtp_454")


def test_a_sweep_ends_when_its_time_is_used_up_and_gives_back_the_rest(
    server: MailServer,
) -> None:
    waiting = [due_row(due_at=NOON + n * SECOND) for n in range(3)]
    assert reminders.sweep(budget_seconds=0, at=NOON + MINUTE).taken == 0
    server.manners = Manners(pause_seconds=0.3)
    assert reminders.sweep(budget_seconds=0.2, at=NOON + MINUTE).sent == 1
    states = [(fresh(row).state, row.attempts, row.fence) for row in waiting]
    assert states == [("accepted", 1, None), ("pending", 0, None), ("pending", 0, None)]


# --- late, quiet, overtaken, enough ---------------------------------------------------------------


def test_after_a_long_outage_the_list_is_filled_and_the_mail_spared(server: MailServer) -> None:
    row = due_row(useful_until=NOON + HOUR)
    tally = reminders.sweep(at=NOON + 2 * HOUR)
    assert (tally.taken, tally.sent) == (1, 0)
    row = fresh(row)
    assert (row.state, row.cancel_reason) == ("cancelled", "late")
    assert row.shown_at == NOON + 2 * HOUR
    assert row.done_at is None


def test_at_night_it_is_listed_and_mailed_in_the_morning(server: MailServer) -> None:
    row = due_row()
    night, morning = NOON + 12 * HOUR, NOON + 20 * HOUR
    assert reminders.sweep(at=night).sent == 0
    row = fresh(row)
    assert (row.state, row.attempts, row.fence) == ("pending", 0, None)
    assert (row.shown_at, row.next_try_at) == (night, morning)
    assert reminders.sweep(at=morning - MINUTE).taken == 0
    assert reminders.sweep(at=morning).sent == 1
    assert fresh(row).shown_at == night


def test_of_one_wait_only_the_newest_goes_out_after_an_outage(server: MailServer) -> None:
    scene().send()
    at = NOON + 8 * DAY  # the first three are due
    assert reminders.sweep(limit=1, at=at).sent == 1
    assert [(row.state, row.cancel_reason) for row in rows(4, audience="decider")] == [
        ("cancelled", "overtaken"),
        ("cancelled", "overtaken"),
        ("accepted", ""),
        ("pending", ""),
    ]
    assert len(server.letters) == 1


def test_the_next_reminder_takes_the_place_of_the_one_before_in_the_list() -> None:
    scene().send()
    reminders.sweep(at=NOON)
    at = NOON + 2 * DAY
    reminders.sweep(at=at)
    first, second, *_ = rows(4, audience="decider")
    assert (first.state, first.done_at, first.cancel_reason) == ("accepted", at, "overtaken")
    assert (second.state, second.shown_at, second.done_at) == ("accepted", at, None)


def test_the_sixth_mail_of_a_day_is_spared_and_the_list_is_complete(server: MailServer) -> None:
    user = UserFactory.create()
    for number in range(7):
        due_row(user=user, due_at=NOON + timedelta(seconds=number))
    urgent = due_row(user=user, due_at=NOON + timedelta(seconds=8), urgent=True)
    reminders.sweep(limit=3, at=NOON + MINUTE)
    assert len(server.letters) == 6
    assert fresh(urgent).state == "accepted"
    spared = rows(19, cancel_reason="enough_mail")
    assert len(spared) == 2
    assert all(row.shown_at and not row.done_at for row in spared)
    due_row(user=user, due_at=NOON + DAY)
    assert reminders.sweep(at=NOON + DAY + 2 * MINUTE).sent == 1


def test_a_rule_without_mail_is_listed_only(server: MailServer) -> None:
    ReminderRule.objects.filter(pk=19).update(by_mail=False)
    row = due_row()
    reminders.sweep(at=NOON)
    assert (fresh(row).cancel_reason, fresh(row).shown_at) == ("list_only", NOON)
    assert server.letters == []


def test_a_reason_gone_after_listing_leaves_the_list() -> None:
    row = due_row(shown_at=NOON, state="retry", next_try_at=NOON + MINUTE)
    type(row.recipient).objects.filter(pk=row.recipient_id).update(is_active=False)
    reminders.sweep(at=NOON + MINUTE)
    assert (fresh(row).cancel_reason, fresh(row).done_at) == ("account_closed", NOON + MINUTE)


# --- operators ----------------------------------------------------------------------------------


def test_a_dead_reminder_is_sent_again_under_the_same_key_and_id(server: MailServer) -> None:
    server.manners = Manners(recipient="550 nobody here")
    row = due_row()
    key = row.occurrence_key
    deliver(claim_one())
    admin = UserFactory.create(is_staff=True)
    server.manners = Manners()
    at = NOON + 10 * DAY
    reminders.requeue(actor=acting(admin, at), reminder_id=row.pk, at=at)
    assert reminders.sweep(at=at).sent == 1
    row = fresh(row)
    assert (row.state, row.occurrence_key, row.attempts) == ("accepted", key, 1)
    assert server.message_ids == [f"<{row.pk.hex}@localhost>"]
    entry = AuditEntry.objects.get(verb="reminder.requeued")
    assert (entry.actor_id, entry.object_id) == (admin.pk, str(row.pk))


def test_requeue_checks_the_reason_again_and_does_not_outlive_it() -> None:
    row = due_row(state="dead", ends_at=NOON + HOUR, attempts=6)
    admin = acting(UserFactory.create(is_staff=True))
    assert reminders.requeue(actor=admin, reminder_id=row.pk, at=NOON).useful_until == (NOON + HOUR)
    type(row.recipient).objects.filter(pk=row.recipient_id).update(is_active=False)
    reminders.sweep(at=NOON)
    assert fresh(row).cancel_reason == "account_closed"


def test_requeue_is_for_admins_and_for_the_dead() -> None:
    row = due_row()
    admin = acting(UserFactory.create(is_staff=True))
    with pytest.raises(NotAllowed):
        reminders.requeue(actor=acting(row.recipient), reminder_id=row.pk, at=NOON)
    with pytest.raises(Stale):
        reminders.requeue(actor=admin, reminder_id=row.pk, at=NOON)
    with pytest.raises(NotVisible):
        reminders.requeue(actor=admin, reminder_id=uuid4())
    assert fresh(row).state == "pending"
    assert not AuditEntry.objects.filter(verb="reminder.requeued").exists()


def test_backlog_counts_what_a_claim_would_take() -> None:
    assert reminders.backlog(at=NOON) == reminders.Backlog(0, 0, 0, None)
    due_row(due_at=NOON - HOUR)
    due_row(state="retry", next_try_at=NOON + MINUTE)
    due_row(state="retry", next_try_at=NOON)
    due_row(due_at=NOON + HOUR)
    due_row(state="sending", lease_until=NOON + MINUTE)
    due_row(state="sending", lease_until=NOON)
    due_row(state="dead")
    due_row(state="accepted")
    assert reminders.backlog(at=NOON) == reminders.Backlog(3, 2, 1, NOON - HOUR)
    assert reminders.claim(at=NOON).taken == 3
    assert reminders.backlog().due >= 0


# --- the command --------------------------------------------------------------------------------


def test_the_command_says_what_is_due_and_sends_it_only_when_told(
    server: MailServer, capsys: pytest.CaptureFixture[str]
) -> None:
    due_row()
    at = NOON.isoformat()
    call_command("send_due_reminders", at=at)
    assert capsys.readouterr().out == "1 due. Deliver them with --now.\n"
    assert server.letters == []
    call_command("send_due_reminders", now=True, at=at)
    assert "1 mailed, 0 not, 0 settled without mail" in capsys.readouterr().out
    assert len(server.letters) == 1


def test_the_command_lets_time_pass_for_referrals_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = scene().send()
    call_command("send_due_reminders", now=True, at=(NOON + 22 * DAY).isoformat())
    assert capsys.readouterr().out.startswith("1 referrals timed out.")
    found.referral.refresh_from_db()
    assert found.referral.state == "cancelled"


def test_the_command_fails_when_the_server_takes_nothing(server: MailServer) -> None:
    server.manners = Manners(greeting="421 not now")
    due_row()
    with pytest.raises(CommandError, match="takes nothing"):
        call_command("send_due_reminders", now=True, at=NOON.isoformat())


@pytest.mark.parametrize("text", ["soon", "2027-01-12T09:00"])
def test_the_command_wants_a_real_time(text: str) -> None:
    with pytest.raises(CommandError, match="--at wants a time"):
        call_command("send_due_reminders", at=text)


def test_times_are_real_in_production(settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="demo and development"):
        call_command("send_due_reminders", now=True, at=NOON.isoformat())
    call_command("send_due_reminders", now=True)
