"""What Celery runs. Messages carry nothing: what is due stands in the database.

Any number of beats may tick and any number of workers may deliver; a lost message is a lost
doorbell, and the next tick rings again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import structlog
from celery import shared_task

from handoff.core import hold
from handoff.core.ledger import database_now
from referrals import lifecycle, reminders, restoring, sharing
from referrals.reminders.delivery import BATCH
from referrals.rights import erasure, retention

log = structlog.get_logger(__name__)

MOST_DELIVERIES: Final = 4
"""More at once would only wait behind each other: a delivery goes on until nothing is due."""

NIGHT: Final = (7, 8)
"""UTC: the small hours in the States."""


@shared_task(name="referrals.tasks.tick")
def tick() -> None:
    """Look after the files outside; unless the house is held, let time do what it does to
    referrals and people, keep the plan in line, and ring for deliveries."""
    if restoring.tend():
        return
    _guarded("time_out", lifecycle.time_out)
    _guarded("ask_anew_of_age", sharing.ask_anew_of_age)
    _guarded("heal", lambda: reminders.heal(at=database_now()))
    _guarded("ring", _ring)


def _ring() -> None:
    due = reminders.backlog().due
    for _ in range(min(math.ceil(due / BATCH), MOST_DELIVERIES)):
        deliver_batch.delay()


@shared_task(name="referrals.tasks.deliver_batch")
def deliver_batch() -> None:
    """Deliver what is due until nothing is, or the time of one sweep is used up."""
    if hold.is_held():
        return
    tally = reminders.sweep()
    log.info(
        "reminders.swept",
        total=tally.taken,
        sent=tally.sent,
        failed=tally.letters.total() - tally.sent,
    )


@shared_task(name="referrals.tasks.tidy")
def tidy() -> None:
    """By night: let go what is past its time, and erase what clients asked to be erased.

    Rings all day and works in the small hours only; each goes on where the one before stopped.
    """
    if database_now().hour not in NIGHT:
        return
    _guarded("retention", _tidy)
    _guarded("erase", erasure.erase_due)


def _tidy() -> None:
    log.info("retention.ran", total=sum(each.count for each in retention.run()))


def _guarded(verb: str, act: Callable[[], Any]) -> None:
    """One chore that fails must not keep the others, and the mail, from happening."""
    try:
        act()
    except Exception:
        log.exception("tick.failed", verb=verb)
