"""Two claimers never share a row; without the lock the same harness shows that they would."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from threading import Barrier, Lock, Thread
from uuid import UUID

import pytest
from django.db import connections, transaction

from referrals import reminders, restrictions
from referrals.models import Reminder
from referrals.reminders import planning
from referrals.reminders.cases import Key
from referrals.reminders.rules import Subject
from tests.factories import NOON, UserFactory, acting
from tests.referrals.reminder_scenes import Scene, due_row, rows, scene

pytestmark = pytest.mark.django_db(transaction=True)

ROWS, CLAIMERS = 60, 4


def together(count: int, act: Callable[[Barrier], None]) -> None:
    """Run `act` in `count` threads with connections of their own; raises what one raised."""
    barrier = Barrier(count, timeout=20)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            act(barrier)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failures:
        raise failures[0]


def many_due() -> None:
    user = UserFactory.create()
    for _ in range(ROWS):
        due_row(user=user, urgent=True)


def taken_by_all(claim: Callable[[], list[UUID]]) -> Counter[UUID]:
    """How often each row was claimed, when all claimers claim until nothing is left."""
    found: Counter[UUID] = Counter()
    guard = Lock()

    def act(barrier: Barrier) -> None:
        barrier.wait()
        while ids := claim():
            with guard:
                found.update(ids)

    together(CLAIMERS, act)
    return found


def unlocked(at: datetime) -> Callable[[], list[UUID]]:
    """Read what is due, then mark it: how it must not be done."""
    reading = Barrier(CLAIMERS)

    def claim() -> list[UUID]:
        with transaction.atomic():
            waiting = Reminder.objects.filter(state="pending", due_at__lte=at)
            ids = list(waiting.order_by("due_at", "id").values_list("pk", flat=True)[:7])
            reading.wait(20)
            Reminder.objects.filter(pk__in=ids).update(state="sending")
        return ids

    return claim


def test_without_the_lock_the_harness_sees_rows_shared() -> None:
    many_due()
    found = taken_by_all(unlocked(NOON))
    assert max(found.values()) > 1


def test_two_claimers_never_share_a_row_and_none_is_left() -> None:
    many_due()
    claims: set[UUID] = set()

    def claim() -> list[UUID]:
        taken = reminders.claim(limit=7, at=NOON).to_mail
        claims.update(each.fence for each in taken)
        return [each.id for each in taken]

    found = taken_by_all(claim)
    assert set(found.values()) == {1}
    assert found.total() == ROWS
    assert len(claims) >= ROWS / 7
    assert not Reminder.objects.filter(state="pending").exists()


def test_sweeping_at_once_sends_each_letter_once(mailoutbox: list[object]) -> None:
    for _ in range(20):
        due_row()
    sent: list[int] = []

    def act(barrier: Barrier) -> None:
        barrier.wait()
        sent.append(reminders.sweep(limit=3, at=NOON).sent)

    together(CLAIMERS, act)
    assert sum(sent) == len(mailoutbox) == 20
    assert {row.state for row in rows(19)} == {"accepted"}
    assert {row.attempts for row in rows(19)} == {1}


def test_an_answer_and_a_sweep_at_once_leave_nothing_open() -> None:
    """Whichever comes first: after both, nothing about the question waits or is listed."""
    for _ in range(5):
        found = scene().send()

        def act(barrier: Barrier, found: Scene = found) -> None:
            if barrier.wait() == 0:
                found.grant()
            else:
                reminders.sweep(at=NOON)

        together(2, act)
        assert not Reminder.objects.filter(
            rule=4, consent=found.consent, state__in=["pending", "retry", "sending"]
        ).exists()
        assert not [
            line
            for line in rows(4, consent=found.consent)
            if line.shown_at is not None and line.done_at is None
        ]


def test_accepting_while_a_limit_is_changed_and_everything_is_healed_waits_in_no_circle() -> None:
    """Each writes reminders that refer to rows the others hold."""
    for _ in range(4):
        found = scene().send().grant()
        Reminder.objects.all().delete()
        keys = {(Subject.REFERRAL, found.pk), (Subject.RESTRICTION, found.restriction.pk)}

        def look(keys: set[Key] = keys) -> None:
            with transaction.atomic():
                planning.plan(keys, at=NOON)

        def act(barrier: Barrier, found: Scene = found) -> None:
            match barrier.wait():
                case 0:
                    found.accept()
                case 1:
                    restrictions.lift(
                        actor=acting(found.pt),
                        restriction_id=found.restriction.pk,
                        reason="Strong enough.",
                        at=NOON,
                    )
                case _:
                    look()

        together(3, act)
        look()  # each saw the others half done; the next look sees it whole
        waiting = {row.rule_id for row in Reminder.objects.filter(state="pending")}
        assert 7 in waiting
        assert not waiting & {9, 12}
