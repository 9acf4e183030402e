"""Pure: whether a reminder may still go out at this moment, and what becomes of it if not.

Asked in the transaction that claims the row, on facts read in that transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from referrals.calendars import next_allowed
from referrals.models import Reminder
from referrals.reminders.cases import Case
from referrals.reminders.rules import Audience

MAX_ATTEMPTS: Final = 6
"""The first and five more: `delivery.RETRY_AFTER` has five steps."""
MAILS_A_DAY: Final = 5
"""More than this says nothing new: the mails are all alike. The list stays complete."""
DAY: Final = timedelta(hours=24)


class Stop(StrEnum):
    """Why a reminder is not mailed. Stored, and shown to admins."""

    OVER = "over"  # the plan changed: answered, moved, signed, ...
    REASON_GONE = "reason_gone"  # the same, noticed only when it was due
    NOT_THEIRS = "not_theirs"
    CONSENT_ENDED = "consent_ended"
    ACCOUNT_CLOSED = "account_closed"
    RULE_OFF = "rule_off"
    OVERTAKEN = "overtaken"  # a later reminder of the same wait is due as well
    LATE = "late"
    ENOUGH = "enough_mail"
    LIST_ONLY = "list_only"
    DONE = "done"
    RESTORED = "restored"  # due before a backup was restored: it may have been sent since


class Next(StrEnum):
    SEND = "send"
    HOLD = "hold"
    STOP = "stop"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a claimed row. `listed`: the person's list shows it, mailed or not."""

    next: Next
    stop: Stop | None = None
    until: datetime | None = None
    listed: bool = False


def reason_against(reminder: Reminder, case: Case | None, at: datetime) -> Stop | None:
    """Why this reminder has no ground any more; None while it has."""
    if not reminder.rule.in_use:
        return Stop.RULE_OFF
    if not reminder.recipient.is_active:
        return Stop.ACCOUNT_CLOSED
    if case is None:
        return Stop.REASON_GONE
    if not any(wait.rule == reminder.rule_id and wait.holds_at(at) for wait in case.waits):
        return Stop.REASON_GONE
    if case.is_in(reminder.audience, reminder.recipient_id):
        return None
    if Audience(reminder.audience) in case.unshared:
        return Stop.CONSENT_ENDED
    return Stop.NOT_THEIRS


def verdict(
    reminder: Reminder, case: Case | None, *, overtaken: bool, mailed_today: int, at: datetime
) -> Verdict:
    """What to do now with a reminder that has just been claimed."""
    against = reason_against(reminder, case, at)
    if against is not None:
        return Verdict(Next.STOP, against)
    if overtaken:
        return Verdict(Next.STOP, Stop.OVERTAKEN)
    if reminder.attempts > MAX_ATTEMPTS:
        return Verdict(Next.DEAD, listed=True)
    if not reminder.rule.by_mail:
        return Verdict(Next.STOP, Stop.LIST_ONLY, listed=True)
    if at >= reminder.useful_until:
        return Verdict(Next.STOP, Stop.LATE, listed=True)
    if reminder.urgent:
        return Verdict(Next.SEND, listed=True)
    if mailed_today >= MAILS_A_DAY:
        return Verdict(Next.STOP, Stop.ENOUGH, listed=True)
    if reminder.rule.keeps_quiet_hours:
        allowed = next_allowed(at, reminder.zone)
        if allowed >= reminder.useful_until:
            return Verdict(Next.STOP, Stop.LATE, listed=True)
        if allowed > at:
            return Verdict(Next.HOLD, until=allowed, listed=True)
    return Verdict(Next.SEND, listed=True)
