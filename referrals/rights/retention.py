"""How long everything else is kept, as one table, and what tidies it up by night.

Each category is emptied in small batches that step around rows somebody else holds, so that the
task may run twice at once, be killed, and run again. docs/rights.md has the same table; a test
compares them.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

import structlog
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Exists, Model, OuterRef, Q
from django.utils import timezone

from clients import consent as consents
from clients.models import Consent, ConsentEvent, Invitation
from handoff.core import subjects
from handoff.core.actors import SYSTEM
from handoff.core.idempotency import IdempotentRequest
from handoff.core.tokens import ApiToken
from referrals import reminders, whose
from referrals.models import Referral, ReferralEvent, Reminder
from referrals.states import State

log = structlog.get_logger(__name__)

BATCH: Final = 500
SECONDS: Final = 20.0
"""A task must end before Celery's limit; the next one goes on where this one stopped."""


class Sweep(Protocol):
    """How a category is emptied."""

    def count(self, before: datetime) -> int:
        """How many there are to go. Writes nothing."""

    def some(self, before: datetime, at: datetime) -> int:
        """Let one batch go; how many, 0 when none is left."""


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of thing that is kept for a time."""

    key: str
    what: str
    days: int | None
    """None: for good."""
    since: str
    why: str
    sweep: Sweep | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one table that may simply go."""

    model: type[Model]
    which: Callable[[datetime], Q]

    def count(self, before: datetime) -> int:
        return self.model._default_manager.filter(self.which(before)).count()

    def some(self, before: datetime, at: datetime) -> int:
        with transaction.atomic():
            found = self.model._default_manager.filter(self.which(before))
            held = found.select_for_update(of=("self",), skip_locked=True).order_by("pk")
            ids = list(held.values_list("pk", flat=True)[:BATCH])
            self.model._default_manager.filter(pk__in=ids).delete()
        return len(ids)


@dataclass(frozen=True, slots=True)
class Drafts:
    """Drafts of handoffs are under row-level security: whose they are is asked first."""

    rows: Rows

    def count(self, before: datetime) -> int:
        with subjects.among(self._whose(before)):
            return self.rows.count(before)

    def some(self, before: datetime, at: datetime) -> int:
        with subjects.among(self._whose(before)):
            return self.rows.some(before, at)

    def _whose(self, before: datetime) -> frozenset[UUID]:
        return whose.clients_waiting([State.DRAFT], since_before=before)


@dataclass(frozen=True, slots=True)
class Counters:
    """The cache table holds counters of tries only, and no model."""

    def count(self, before: datetime) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM handoff_cache WHERE expires < %s", [before])
            found: int = cursor.fetchone()[0]
        return found

    def some(self, before: datetime, at: datetime) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM handoff_cache WHERE cache_key IN (SELECT cache_key FROM handoff_cache"
                " WHERE expires < %s ORDER BY cache_key LIMIT %s FOR UPDATE SKIP LOCKED)",
                [before, BATCH],
            )
            gone: int = cursor.rowcount
        return gone


@dataclass(frozen=True, slots=True)
class MailFiles:
    """Where mail is written into a folder (a demo), the folder does not grow for ever."""

    def count(self, before: datetime) -> int:
        return sum(1 for _ in self._old(before))

    def some(self, before: datetime, at: datetime) -> int:
        gone = 0
        for path in self._old(before):
            path.unlink(missing_ok=True)
            gone += 1
            if gone == BATCH:
                break
        return gone

    def _old(self, before: datetime) -> Iterator[Path]:
        folder: str | None = getattr(settings, "EMAIL_FILE_PATH", None)
        if folder is None or not Path(folder).is_dir():
            return
        for path in Path(folder).glob("*.eml"):
            try:
                if path.stat().st_mtime < before.timestamp():
                    yield path
            except FileNotFoundError:
                continue  # another sweep was quicker


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions about sharing are entries of a ledger: they stay, closed as not answered."""

    def count(self, before: datetime) -> int:
        return Consent.objects.filter(self._open(before)).count()

    def some(self, before: datetime, at: datetime) -> int:
        closed = 0
        for consent in list(Consent.objects.filter(self._open(before)).order_by("pk")[:BATCH]):
            with subjects.of(consent.client_id), transaction.atomic():
                if consents.lapse(actor=SYSTEM, consent_id=consent.pk, at=at):
                    reminders.consent_changed(consent, at=at)
                    closed += 1
        return closed

    def _open(self, before: datetime) -> Q:
        events = ConsentEvent.objects.filter(consent=OuterRef("pk"))
        answered = events.exclude(kind=ConsentEvent.Kind.REQUESTED)
        return Q(~Exists(answered), Exists(events), asked_at__lt=before)


def _devices(before: datetime) -> Q:
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    return Q(~Exists(alive), last_seen_at__lt=before)


def _tokens(before: datetime) -> Q:
    return Q(expires_at__lt=before) | Q(revoked_at__lt=before)


def _reminders(before: datetime) -> Q:
    settled = ~Q(state__in=[*Reminder.WAITING, Reminder.State.SENDING])
    listed = Q(shown_at__isnull=False, done_at=None)
    # Neither date may lie ahead of `before`: what is useful yet would be planned again.
    return settled & ~listed & Q(due_at__lt=before, useful_until__lt=before)


def _drafts(before: datetime) -> Q:
    return Q(
        ~Exists(ReferralEvent.objects.filter(referral=OuterRef("pk"))),
        ~Exists(Reminder.objects.filter(referral=OuterRef("pk"))),
        ~Exists(Referral.objects.filter(previous=OuterRef("pk"))),
        state=State.DRAFT,
        state_at__lt=before,
    )


CATEGORIES: Final[tuple[Category, ...]] = (
    Category(
        "sessions",
        "sessions",
        0,
        "their end",
        "An ended session opens nothing.",
        Rows(Session, lambda before: Q(expire_date__lt=before)),
    ),
    Category(
        "devices",
        "where somebody was signed in: address and browser",
        30,
        "last use, once the session is gone",
        "To recognise a sign-in that was not oneself.",
        Rows(UserSession, _devices),
    ),
    Category(
        "invitations",
        "invitations, used or not",
        90,
        "their end",
        "They hold an address; who came is in the record.",
        Rows(Invitation, lambda before: Q(expires_at__lt=before)),
    ),
    Category(
        "tokens",
        "keys to the API",
        30,
        "their end",
        "So that their owner sees what ended.",
        Rows(ApiToken, _tokens),
    ),
    Category(
        "idempotency",
        "numbers of repeated requests",
        2,
        "the request",
        "A program that tries again does so within a day.",
        Rows(IdempotentRequest, lambda before: Q(created_at__lt=before)),
    ),
    Category(
        "reminders",
        "reminders that are done",
        400,
        "the day they were due",
        "A year, to answer who was reminded of what.",
        Rows(Reminder, _reminders),
    ),
    Category(
        "counters",
        "counters of tries",
        0,
        "their end",
        "They count minutes to a day.",
        Counters(),
    ),
    Category(
        "mails",
        "mail written into a folder instead of being sent",
        30,
        "writing",
        "Only in a demo.",
        MailFiles(),
    ),
    Category(
        "drafts",
        "handoffs that were begun and never sent",
        180,
        "the last step",
        "Nobody but their sender knew of them.",
        Drafts(Rows(Referral, _drafts)),
    ),
    Category(
        "questions",
        "questions about sharing that nobody answered",
        90,
        "asking",
        "Closed as not answered; the entry stays.",
        Questions(),
    ),
    Category(
        "records",
        "the record of treatment",
        None,
        "-",
        "Until the client asks and the law lets it go: see above.",
        None,
    ),
    Category(
        "consents",
        "what was agreed to, and with whom",
        None,
        "-",
        "Proof that sharing was allowed: numbers, times, ids.",
        None,
    ),
    Category(
        "looks",
        "who looked at what",
        None,
        "-",
        "The client's own list. Without content; its chain would break.",
        None,
    ),
    Category(
        "audit",
        "who did what",
        None,
        "-",
        "Proof of what was done. Without content; its chain would break.",
        None,
    ),
)


@dataclass(frozen=True, slots=True)
class Tidied:
    """What became of one category."""

    key: str
    count: int


def report(*, at: datetime | None = None) -> list[Tidied]:
    """How much would go now. Writes nothing."""
    moment = at or timezone.now()
    return [Tidied(each.key, sweep.count(before)) for each, sweep, before in _swept(moment)]


def run(*, at: datetime | None = None, seconds: float = SECONDS) -> list[Tidied]:
    """Let go what is past its time, batch by batch, for at most so long; how much of each.

    One category that fails holds up no other.
    """
    moment = at or timezone.now()
    ends = time.monotonic() + seconds
    done = []
    for each, sweep, before in _swept(moment):
        count = 0
        try:
            while time.monotonic() < ends and (some := sweep.some(before, moment)):
                count += some
        except Exception:
            log.exception("retention.failed", verb=each.key)
        done.append(Tidied(each.key, count))
    return done


def _swept(at: datetime) -> Iterator[tuple[Category, Sweep, datetime]]:
    for each in CATEGORIES:
        if each.sweep is not None and each.days is not None:
            yield each, each.sweep, at - timedelta(days=each.days)
