"""How often something may be tried: counted in PostgreSQL, one at a time, so that fifty guesses at
once count as fifty.

Every try is a moment in the row of whoever tries; a try is refused while the row holds as many
moments as the limit within its time. Rows are named by a keyed hash: they hold no address.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

import structlog
from django.contrib.postgres.fields import ArrayField
from django.db import DatabaseError, InterfaceError, models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from handoff.core.sensitivity import classify

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rate:
    most: int
    within: timedelta


RATES: Final[dict[str, Rate]] = {
    "login_account": Rate(5, timedelta(minutes=5)),
    "login_address": Rate(20, timedelta(minutes=1)),
    "second_factor": Rate(5, timedelta(minutes=5)),
    "reset": Rate(3, timedelta(hours=1)),
    "invitation": Rate(20, timedelta(days=1)),
    "token": Rate(30, timedelta(minutes=1)),
    "search": Rate(60, timedelta(minutes=1)),
    "triage": Rate(60, timedelta(minutes=1)),
    "export": Rate(5, timedelta(days=1)),
}
"""Every limit there is, by its name."""

OPEN_WHEN_UNCOUNTED: Final = frozenset({"search", "triage", "export"})
"""What goes on when nothing can be counted. All else is refused then: it lets somebody in, or
writes to somebody."""


class Attempts(models.Model):
    """The latest tries of one kind by one person or from one address."""

    key = models.CharField(max_length=80, primary_key=True)
    moments = ArrayField(models.DateTimeField(), default=list)
    until = models.DateTimeField()
    """From then on the row says nothing."""

    class Meta:
        app_label = "core"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["until"], name="core_attempts_until")
        ]

    def __str__(self) -> str:
        return self.key


classify(Attempts, public=("key", "moments", "until"))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that was counted."""

    key: str
    moment: datetime


def take(name: str, who: str, *, at: datetime | None = None) -> Attempt | None:
    """Count one try of `who`, or None when there were too many already.

    A refused try is not counted: who waits gets in again. Where it cannot be counted at all, a
    limit of `OPEN_WHEN_UNCOUNTED` lets it pass; any other lets the database's error through.
    """
    at = at or timezone.now()
    try:
        return _taken(name, who, at)
    except (DatabaseError, InterfaceError) as error:
        if name not in OPEN_WHEN_UNCOUNTED:
            raise
        log.warning("attempts.uncounted", limit=name, code=type(error).__name__)
        return Attempt(key="", moment=at)


def give_back(attempt: Attempt) -> None:
    """Uncount a try that turned out to be right: only failures count towards a sign-in's limit."""
    with transaction.atomic():
        row = Attempts.objects.select_for_update().filter(pk=attempt.key).first()
        if row is not None and attempt.moment in row.moments:
            row.moments.remove(attempt.moment)
            row.save(update_fields=["moments"])


def forget(*, at: datetime | None = None) -> int:
    """Remove the rows that say nothing any more; how many."""
    return Attempts.objects.filter(until__lte=at or timezone.now()).delete()[0]


def network(address: str) -> str:
    """Whom an address stands for: itself, or for IPv6 the network that one household gets."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False).network_address)
    return str(known)


def _taken(name: str, who: str, at: datetime) -> Attempt | None:
    rate = RATES[name]
    key = f"{name}:{salted_hmac('handoff.attempts', who, algorithm='sha256').hexdigest()}"
    with transaction.atomic():
        # Made or taken in one statement: others wait here, each for the one before.
        Attempts.objects.bulk_create(
            [Attempts(key=key, until=at + rate.within)],
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["until"],
        )
        row = Attempts.objects.get(pk=key)
        row.moments = [moment for moment in row.moments if moment > at - rate.within]
        if len(row.moments) >= rate.most:
            return None
        row.moments.append(at)
        row.save(update_fields=["moments"])
    return Attempt(key=key, moment=at)
