"""Sweeps over what is due, and what an operator can see and do about it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Count, Min, Q
from django.utils import timezone

from handoff.core import audit, hold, mail
from handoff.core.actors import Actor, Role
from handoff.core.errors import NotAllowed, NotVisible, Stale
from handoff.core.ledger import database_now
from referrals.models import Reminder
from referrals.reminders.checks import Stop
from referrals.reminders.delivery import (
    BATCH,
    UNSETTLED,
    Outcome,
    claim,
    deliver,
    due,
    release,
)

log = structlog.get_logger(__name__)

BUDGET_SECONDS: Final = 15.0
"""How long a sweep takes up new letters. One letter's timeout on top, and it still ends below the
soft limit of a task."""
PAUSE: Final = timedelta(minutes=5)
"""For how long nothing is tried once the mail server refuses us altogether."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a sweep did: rows taken, and what became of the letters among them."""

    taken: int
    letters: Counter[Outcome]

    @property
    def sent(self) -> int:
        return self.letters[Outcome.SENT]


def sweep(
    *, budget_seconds: float = BUDGET_SECONDS, limit: int = BATCH, at: datetime | None = None
) -> Tally:
    """Claim and deliver until nothing is due or the time is used up. Any number may run at once.

    Nothing is taken while the house is held.
    """
    if hold.is_held():
        return Tally(0, Counter())
    ends = time.monotonic() + budget_seconds
    taken, letters = 0, Counter[Outcome]()
    with mail.Post() as post:
        while time.monotonic() < ends:
            batch = claim(limit=limit, at=at)
            if not batch.taken:
                break
            taken += batch.taken
            for position, claimed in enumerate(batch.to_mail):
                if time.monotonic() >= ends:
                    release(batch.to_mail[position:])
                    break
                outcome = deliver(claimed, post, at=at)
                letters[outcome] += 1
                if outcome in (Outcome.UNREACHABLE, Outcome.REFUSED):
                    release(batch.to_mail[position + 1 :])
                    if outcome is Outcome.REFUSED:
                        pause(at=at)
                    return Tally(taken, letters)
    return Tally(taken, letters)


def stop_due(*, at: datetime | None = None) -> int:
    """Take everything due out of the post, and into the lists where its reason still holds.

    After a restore: what was due may have been sent since the backup, and nobody remembers. Answers
    how many would have been mailed.
    """
    now = at or database_now()
    with transaction.atomic():
        waiting = Reminder.objects.filter(state__in=UNSETTLED, due_at__lte=now)
        ids = list(waiting.select_for_update(no_key=True).values_list("pk", flat=True))
        rows = Reminder.objects.filter(pk__in=ids)
        rows.update(
            state=Reminder.State.PENDING,
            useful_until=now,
            next_try_at=None,
            fence=None,
            lease_until=None,
            data_started_at=None,
        )
        while claim(at=now).taken:
            pass
        return rows.filter(state=Reminder.State.CANCELLED, cancel_reason=Stop.LATE).update(
            cancel_reason=Stop.RESTORED
        )


def pause(*, at: datetime | None = None) -> int:
    """Hold everything due for a while: whoever refused our login will refuse it again."""
    now = at or database_now()
    with transaction.atomic():
        # Rows that somebody else is at work on are passed over: no waiting in circles.
        free = Reminder.objects.select_for_update(no_key=True, skip_locked=True).filter(
            state__in=Reminder.WAITING, due_at__lte=now
        )
        ids = list(free.values_list("pk", flat=True))
        held = Reminder.objects.filter(pk__in=ids).update(next_try_at=now + PAUSE)
    log.error("mail.paused", count=held)
    return held


@dataclass(frozen=True, slots=True)
class Backlog:
    """The outbox at one moment, for operators and health checks.

    `due` is what a claim would take now: what waits, and what a lost worker left behind.
    """

    due: int
    sending: int
    dead: int
    oldest_due_at: datetime | None


def backlog(*, at: datetime | None = None) -> Backlog:
    """How much waits, is being sent, or needs a person."""
    now = at or database_now()
    ready = due(now)
    found = Reminder.objects.filter(
        state__in=[*Reminder.WAITING, Reminder.State.SENDING, Reminder.State.DEAD]
    ).aggregate(
        due=Count("id", filter=ready),
        sending=Count("id", filter=Q(state=Reminder.State.SENDING)),
        dead=Count("id", filter=Q(state=Reminder.State.DEAD)),
        oldest_due_at=Min("due_at", filter=ready),
    )
    return Backlog(**found)


def requeue(*, actor: Actor, reminder_id: UUID, at: datetime | None = None) -> Reminder:
    """Send a dead reminder once more, under the same key and Message-ID.

    For admins. Its reason is checked again before it goes out. Raises NotAllowed for others,
    NotVisible where there is none, Stale unless it is dead.
    """
    at = at or timezone.now()
    if Role.ADMIN not in actor.roles:
        raise NotAllowed
    with transaction.atomic():
        row = (
            Reminder.objects.select_for_update(of=("self",))
            .select_related("rule")
            .filter(pk=reminder_id)
            .first()
        )
        if row is None:
            raise NotVisible
        if row.state != Reminder.State.DEAD:
            raise Stale
        row.state = Reminder.State.PENDING
        row.attempts = 0
        row.next_try_at = None
        row.data_started_at = None
        row.useful_until = at + timedelta(hours=row.rule.useful_for_hours)
        if row.ends_at is not None:
            row.useful_until = min(row.useful_until, row.ends_at)
        row.save(
            update_fields=["state", "attempts", "next_try_at", "data_started_at", "useful_until"]
        )
        audit.record(actor, "reminder.requeued", row, at=at)
    return row
