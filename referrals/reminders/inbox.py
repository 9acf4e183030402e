"""The person's own list. Complete and silent: what stands here does not depend on mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotVisible
from handoff.core.paging import Page, keyset_page
from referrals.models import Referral, Reminder
from referrals.reminders import wording
from referrals.reminders.cases import cases, subject_of
from referrals.reminders.checks import Stop, reason_against
from referrals.reminders.rules import CATALOGUE, Audience, Rule

WITH_PEOPLE: Final = (
    "rule",
    "recipient",
    "referral__client",
    "referral__sender__user",
    "referral__recipient__user",
    "consent__client",
    "consent__discloser__user",
    "consent__recipient__user",
    "episode__client",
    "episode__pt__user",
    "restriction__episode__client",
    "restriction__episode__pt__user",
    "credential__user",
)
LONGEST_SNOOZE: Final = timedelta(days=30)
COUNTED_UP_TO: Final = 99


@dataclass(frozen=True, slots=True)
class Line:
    """One reminder in words. `path` leads to where it can be seen to."""

    id: UUID
    rule: int
    title: str
    path: str
    urgent: bool
    is_notice: bool
    """It tells of something; ticking it off is all there is to do."""
    due_at: datetime
    shown_at: datetime
    snoozed_until: datetime | None
    done_at: datetime | None


def mine(
    actor: Actor, at: datetime | None = None, *, cursor: str | None = None, size: int = 25
) -> Page[Line]:
    """One page of what waits for this person, newest first.

    What is no longer so by now is left out even if nobody has closed it yet, so a page can hold
    fewer lines than `size`. Raises Invalid for a cursor that is not ours.
    """
    at = at or timezone.now()
    page = keyset_page(
        open_rows(actor, at).select_related(*WITH_PEOPLE),
        order=("-due_at", "-id"),
        cursor=cursor,
        size=size,
    )
    return Page(items=_lines(page.items, at), next=page.next, previous=page.previous)


def open_rows(actor: Actor, at: datetime) -> QuerySet[Reminder]:
    """The rows behind `mine`: listed, not done, not snoozed, not ended by time."""
    return Reminder.objects.filter(
        Q(snoozed_until=None) | Q(snoozed_until__lte=at),
        Q(ends_at=None) | Q(ends_at__gt=at),
        recipient=actor.user_id,
        shown_at__isnull=False,
        done_at=None,
    )


def is_listed(actor: Actor, at: datetime) -> Exists:
    """For a query of referrals: whether the person's list holds something about the row."""
    return Exists(open_rows(actor, at).filter(referral=OuterRef("pk")))


def open_count(actor: Actor, at: datetime | None = None) -> int:
    """How many wait, counted no further than a bell can show."""
    if actor.user_id is None:
        return 0
    return open_rows(actor, at or timezone.now()).order_by()[:COUNTED_UP_TO].count()


def _lines(rows: Sequence[Reminder], at: datetime) -> list[Line]:
    found = cases({subject_of(row) for row in rows}, at)
    return [
        _line(row) for row in rows if reason_against(row, found.get(subject_of(row)), at) is None
    ]


def _line(row: Reminder) -> Line:
    return Line(
        id=row.pk,
        rule=row.rule_id,
        title=wording.title(row),
        path=wording.path(row),
        urgent=row.urgent,
        is_notice=CATALOGUE[Rule(row.rule_id)].notice,
        due_at=row.due_at,
        shown_at=row.shown_at or row.due_at,
        snoozed_until=row.snoozed_until,
        done_at=row.done_at,
    )


def mark_done(*, actor: Actor, reminder_id: UUID, at: datetime | None = None) -> Reminder:
    """Tick a reminder off; a mail that has not left yet is not sent.

    Ticking off a notice ends it. Where somebody still waits, the next reminder comes all the same.
    Raises NotVisible for what is not in this person's list. Twice is once.
    """
    at = at or timezone.now()
    with transaction.atomic():
        row = _own(actor, reminder_id)
        if row.done_at is not None:
            return row
        ended = Q(pk=row.pk)
        if CATALOGUE[Rule(row.rule_id)].notice:
            subject, pk = subject_of(row)
            ended = Q(rule=row.rule_id, recipient=row.recipient_id, **{subject.value: pk})
        # All of them at once and in one order, as the planner does it.
        rows = {each.pk: each for each in _locked(Reminder.objects.filter(ended))}
        waiting = [pk for pk, each in rows.items() if each.state in Reminder.WAITING]
        Reminder.objects.filter(pk__in=waiting).update(
            state=Reminder.State.CANCELLED, cancel_reason=Stop.DONE, next_try_at=None
        )
        Reminder.objects.filter(pk=row.pk).update(done_at=at)
        row.refresh_from_db(fields=["state", "cancel_reason", "done_at"])
    return row


def snooze(
    *, actor: Actor, reminder_id: UUID, until: datetime, at: datetime | None = None
) -> Reminder:
    """Take a reminder out of the list until later.

    Raises NotVisible for what is not in this person's list, Invalid for a time that is past or
    more than 30 days ahead.
    """
    at = at or timezone.now()
    row = _own(actor, reminder_id)
    if until <= at:
        raise Invalid({"until": ["Choose a time that lies ahead."]})
    if until > at + LONGEST_SNOOZE:
        raise Invalid({"until": ["Choose a time within 30 days."]})
    row.snoozed_until = until
    row.save(update_fields=["snoozed_until"])
    return row


def _own(actor: Actor, reminder_id: UUID) -> Reminder:
    if actor.user_id is None:
        raise NotVisible
    own = Reminder.objects.filter(pk=reminder_id, recipient=actor.user_id, shown_at__isnull=False)
    row = own.first()
    if row is None:
        raise NotVisible
    return row


def _locked(rows: QuerySet[Reminder]) -> QuerySet[Reminder]:
    return rows.select_for_update(of=("self",), no_key=True).order_by("id")


# --- the sender's view --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reminded:
    """That the other side of a referral was reminded of it, and when."""

    rule: int
    audience: Audience
    listed_at: datetime
    mailed_at: datetime | None


_OTHER_SIDE: Final = (Audience.RECIPIENT, Audience.CLIENT, Audience.DECIDER)


def sent_for(referral: Referral) -> tuple[Reminded, ...]:
    """The reminders that reached the other side of a referral, oldest first.

    For its sender: whoever shows this has checked that. Names nobody and says nothing about mail
    that could not be delivered.
    """
    about = Q(referral=referral.pk)
    if referral.consent_id is not None:
        about |= Q(consent=referral.consent_id, rule=Rule.CONSENT_ASKED)
    rows = Reminder.objects.filter(
        about, audience__in=_OTHER_SIDE, shown_at__isnull=False
    ).order_by("shown_at", "id")
    return tuple(
        Reminded(row.rule_id, Audience(row.audience), row.shown_at, row.accepted_at)
        for row in rows
        if row.shown_at is not None
    )
