"""Claim, deliver, settle.

A reminder whose reason still holds is handed to the mail server at least once. Claiming is one
short transaction: rows are taken under SKIP LOCKED with a lease and a fence, their reasons are
checked on facts read there and then, and they appear in the person's list. Mail comes second and
outside any transaction. Whoever lost the lease can write nothing more: every later write names the
fence. A copy too many is possible only when a process dies between the mail server's answer and
our note of it; it carries the same Message-ID.

Times come from the database's clock, which is the same for all workers, unless `at` is given.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4

import structlog
from django.db import transaction
from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Now

from handoff.core import mail
from handoff.core.ledger import database_now
from referrals.models import Reminder
from referrals.reminders.cases import Key, cases, subject_of
from referrals.reminders.checks import DAY, Next, Stop, Verdict, verdict

log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=60)
"""Longer than a task may live: a claim that is still ours cannot be somebody else's."""
BATCH: Final = 25
RETRY_AFTER: Final = tuple(timedelta(minutes=each) for each in (1, 5, 15, 60, 240))
JITTER: Final = 0.2
UNSETTLED: Final = (*Reminder.WAITING, Reminder.State.SENDING)
LIST_PATH: Final = "/reminders/"


@dataclass(frozen=True, slots=True)
class Claimed:
    """One reminder that is ours to mail until the lease ends."""

    id: UUID
    fence: UUID
    rule: int
    to: str
    first_name: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim took: some to mail, the others dealt with already."""

    to_mail: tuple[Claimed, ...]
    taken: int


class Outcome(StrEnum):
    """What became of one letter."""

    SENT = "sent"
    FAILED = "failed"
    LOST = "lost"  # the claim was not ours any more, nothing was sent
    UNREACHABLE = "unreachable"  # it failed, and the next one would fail in the same way
    REFUSED = "refused"  # the server takes nothing from us; the row was given back


# --- claim --------------------------------------------------------------------------------------


def due(now: datetime) -> Q:
    """What a claim would take: what waits, and what a lost worker left behind."""
    waits = Q(next_try_at=None) | Q(next_try_at__lte=now)
    left_behind = Q(state=Reminder.State.SENDING, lease_until__lte=now)
    return Q(state__in=UNSETTLED, due_at__lte=now) & (
        Q(state__in=Reminder.WAITING) & waits | left_behind
    )


def claim(*, limit: int = BATCH, at: datetime | None = None) -> Claim:
    """Take up to `limit` due reminders: list them, and answer those that are to be mailed now."""
    with transaction.atomic():
        now = at or database_now()
        rows = list(
            Reminder.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .select_related("rule", "recipient")
            .filter(due(now))
            .order_by("due_at", "id")[:limit]
        )
        if not rows:
            return Claim((), 0)
        keys = {row.pk: subject_of(row) for row in rows}
        found = cases(set(keys.values()), now)
        newer, older = _neighbours(rows, keys, now)
        mailed = _mailed_today({row.recipient_id for row in rows}, now)
        verdicts: dict[UUID, Verdict] = {}
        for row in rows:
            row.attempts += 1
            verdicts[row.pk] = verdict(
                row,
                found.get(keys[row.pk]),
                overtaken=row.pk in newer,
                mailed_today=mailed[row.recipient_id],
                at=now,
            )
            if verdicts[row.pk].next is Next.SEND:
                mailed[row.recipient_id] += 1
        fence = uuid4()
        _apply(rows, verdicts, fence, now)
        _close({pk for row in rows if verdicts[row.pk].listed for pk in older[row.pk]}, now)
    to_mail = [row for row in rows if verdicts[row.pk].next is Next.SEND]
    return Claim(tuple(_claimed(row, fence) for row in to_mail), len(rows))


def _claimed(row: Reminder, fence: UUID) -> Claimed:
    to = row.recipient
    return Claimed(row.pk, fence, row.rule_id, to.email, to.first_name, row.attempts)


def _neighbours(
    rows: Sequence[Reminder], keys: dict[UUID, Key], now: datetime
) -> tuple[set[UUID], dict[UUID, list[UUID]]]:
    """Which rows a later one of the same wait overtakes, and which listed ones each replaces."""
    about = Q()
    for subject, pk in set(keys.values()):
        about |= Q(**{subject.value: pk})
    near: dict[tuple[int, UUID, Key], list[Reminder]] = defaultdict(list)
    for other in (
        Reminder.objects.filter(
            about,
            rule__in={row.rule_id for row in rows},
            recipient__in={row.recipient_id for row in rows},
            due_at__lte=now,
        )
        .exclude(state=Reminder.State.CANCELLED, shown_at=None)
        .only(
            *("rule_id", "recipient_id", "occurrence_key", "due_at", "state", "shown_at"),
            *("done_at", "referral_id", "consent_id", "episode_id", "restriction_id"),
            "credential_id",
        )
    ):
        near[other.rule_id, other.recipient_id, subject_of(other)].append(other)
    newer: set[UUID] = set()
    older: dict[UUID, list[UUID]] = {}
    for row in rows:
        same = near[row.rule_id, row.recipient_id, keys[row.pk]]
        place = row.due_at, row.occurrence_key
        if any((other.due_at, other.occurrence_key) > place for other in same):
            newer.add(row.pk)
        older[row.pk] = [
            other.pk
            for other in same
            if (other.due_at, other.occurrence_key) < place
            and other.shown_at is not None
            and other.done_at is None
            and other.pk not in keys
        ]
    return newer, older


def _mailed_today(user_ids: Collection[UUID], now: datetime) -> Counter[UUID]:
    counts = (
        Reminder.objects.filter(recipient__in=user_ids, accepted_at__gt=now - DAY)
        .order_by()
        .values_list("recipient_id")
        .annotate(Count("id"))
    )
    return Counter(dict(counts))


def _apply(
    rows: Sequence[Reminder], verdicts: dict[UUID, Verdict], fence: UUID, now: datetime
) -> None:
    """Write the verdicts of one claim, each row in one statement.

    A second one in the same transaction would make PostgreSQL look at the foreign keys again, and
    so wait for whoever is at work on the subject.
    """
    groups: dict[tuple[Verdict, str], list[UUID]] = defaultdict(list)
    for row in rows:
        groups[verdicts[row.pk], _how_lost(row)].append(row.pk)
    for (given, lost), ids in groups.items():
        values: dict[str, Any] = {"fence": None, "lease_until": None, "next_try_at": given.until}
        if lost:
            values["last_error_code"] = lost
        if given.listed:
            values["shown_at"] = Coalesce("shown_at", Value(now))
        else:
            values["done_at"] = Case(
                When(shown_at__isnull=False, done_at=None, then=Value(now)), default="done_at"
            )
        match given.next:
            case Next.SEND:
                values |= {
                    "state": Reminder.State.SENDING,
                    "fence": fence,
                    "lease_until": now + LEASE,
                    "attempts": F("attempts") + 1,
                    "data_started_at": None,
                }
            case Next.HOLD:
                values["state"] = Reminder.State.PENDING
            case Next.STOP:
                values |= {"state": Reminder.State.CANCELLED, "cancel_reason": given.stop}
            case _:  # Next.DEAD
                values["state"] = Reminder.State.DEAD
                log.error("reminder.dead", count=len(ids), code=lost)
        Reminder.objects.filter(pk__in=ids).update(**values)


def _how_lost(row: Reminder) -> str:
    """Whether a claim before this one was never settled, and whether it may have been sent."""
    if row.state != Reminder.State.SENDING:
        return ""
    return "worker_lost" if row.data_started_at is None else "unconfirmed"


def _close(replaced: Collection[UUID], now: datetime) -> None:
    """Take from the list what a newer reminder of the same wait has replaced.

    Rows that somebody else is at work on are passed over: waiting for them could make a circle.
    """
    free = Reminder.objects.select_for_update(no_key=True, skip_locked=True).filter(
        pk__in=replaced, done_at=None
    )
    ids = [row.pk for row in free] if replaced else []
    if ids:
        Reminder.objects.filter(pk__in=ids).update(done_at=now, cancel_reason=Stop.OVERTAKEN)


# --- deliver ------------------------------------------------------------------------------------


def deliver(claimed: Claimed, post: mail.Post, *, at: datetime | None = None) -> Outcome:
    """Mail one claimed reminder and note what came of it. Never inside a transaction."""
    try:
        post.open()
    except mail.NotSent as error:
        return _not_sent(claimed, error, Outcome.UNREACHABLE, at)
    try:
        letter = mail.update_waiting(
            to=claimed.to, first_name=claimed.first_name, path=LIST_PATH, reference=claimed.id
        )
        if not begin(claimed, at=at):
            log.info("reminder.lost", reminder=claimed.id)
            return Outcome.LOST
        post.send(letter)
    except mail.NotSent as error:
        return _not_sent(claimed, error, Outcome.FAILED, at)
    except Exception:
        # One row that cannot be made into a letter must not hold up the others.
        log.exception("reminder.unexpected", reminder=claimed.id, rule=claimed.rule)
        fail(claimed, "unexpected", at=at)
        return Outcome.FAILED
    accepted(claimed, at=at)
    return Outcome.SENT


def _not_sent(
    claimed: Claimed, error: mail.NotSent, outcome: Outcome, at: datetime | None
) -> Outcome:
    if error.fate is mail.Fate.BROKEN:
        log.error("mail.refused", code=error.code)
        release([claimed])
        return Outcome.REFUSED
    fail(claimed, error.code, final=error.fate is mail.Fate.NEVER, at=at)
    return outcome


def begin(claimed: Claimed, *, at: datetime | None = None) -> bool:
    """Note that the letter is about to leave, and renew the lease; False when it is not ours."""
    now = at or database_now()
    return (
        _ours(claimed)
        .filter(lease_until__gt=now)
        .update(data_started_at=now, lease_until=now + LEASE)
        == 1
    )


def accepted(claimed: Claimed, *, at: datetime | None = None) -> bool:
    """Settle: the server has it. False when the lease has gone to somebody else."""
    mine = _ours(claimed).update(
        state=Reminder.State.ACCEPTED,
        accepted_at=at or Now(),
        last_error_code="",
        fence=None,
        lease_until=None,
    )
    log.info("reminder.sent" if mine else "reminder.lost", reminder=claimed.id, rule=claimed.rule)
    return mine == 1


def fail(claimed: Claimed, code: str, *, final: bool = False, at: datetime | None = None) -> bool:
    """Settle: it was not sent; try again later, or never. False when it is not ours."""
    now = at or database_now()
    again = not final and claimed.attempts <= len(RETRY_AFTER)
    mine = _ours(claimed).update(
        state=Reminder.State.RETRY if again else Reminder.State.DEAD,
        next_try_at=now + retry_after(claimed.attempts) if again else None,
        last_error_code=code,
        fence=None,
        lease_until=None,
        data_started_at=None,
    )
    (log.warning if again else log.error)(
        "reminder.failed" if again else "reminder.dead",
        reminder=claimed.id,
        rule=claimed.rule,
        code=code,
        attempts=claimed.attempts,
    )
    return mine == 1


def retry_after(attempts: int) -> timedelta:
    """The span after the `attempts`-th failure, spread so that rows do not come back together."""
    spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (not a secret)
    return RETRY_AFTER[attempts - 1] * spread


def release(claims: Iterable[Claimed]) -> None:
    """Give back what was claimed and not tried: it is due as before, and no attempt is counted."""
    for claimed in claims:
        _ours(claimed).update(
            state=Reminder.State.PENDING,
            attempts=F("attempts") - 1,
            fence=None,
            lease_until=None,
            data_started_at=None,
        )


def _ours(claimed: Claimed) -> QuerySet[Reminder]:
    return Reminder.objects.filter(pk=claimed.id, fence=claimed.fence, state=Reminder.State.SENDING)
