"""Writes the rows that should exist for a subject, and takes back those that should not.

Planning is declarative: whatever happened, the subject is looked at as it is now, and its rows are
brought in line. Verbs call these functions inside their transaction; calling them twice changes
nothing. What no verb reports (a guardian is verified, somebody moves to another zone) is found by
`heal`, which looks at everything open about once an hour, a slice at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet, Value

from clients.models import Consent, Credential, User
from handoff.core import subjects
from referrals import whose
from referrals.models import (
    DischargeNote,
    Episode,
    Holiday,
    Referral,
    Reminder,
    ReminderRule,
    Restriction,
)
from referrals.reminders.cases import Case, Key, cases, subject_of
from referrals.reminders.checks import Stop
from referrals.reminders.rules import CATALOGUE, Audience, Rule, Subject, parse
from referrals.reminders.timing import Occurrence, Settings, occurrences
from referrals.states import RECIPIENT_MAY_READ, TERMINAL, Edge, State

log = structlog.get_logger(__name__)

# --- called by verbs ----------------------------------------------------------------------------


def referral_walked(referral: Referral, edge: Edge, *, at: datetime) -> None:
    """A referral took a step. Call it after the step and its event are written."""
    keys: set[Key] = {(Subject.REFERRAL, referral.pk)}
    if edge.source is State.DRAFT:
        keys |= _ended_before(referral)
    if (edge.source in RECIPIENT_MAY_READ) != (edge.target in RECIPIENT_MAY_READ):
        keys |= _restrictions_of(referral.client_id)
    plan(keys, at=at)


def referral_drafted(referral: Referral, *, at: datetime) -> None:
    """A referral was begun, perhaps in place of one that ended without success."""
    plan(_ended_before(referral), at=at)


def consent_asked(consent: Consent, *, urgent: bool, at: datetime) -> None:
    """A question was put to a client."""
    key = Subject.CONSENT, consent.pk
    plan([key], at=at, urgent={key} if urgent else frozenset())


def consent_changed(consent: Consent, *, at: datetime) -> None:
    """A question was answered, taken back or let lapse, or sharing was narrowed or ended."""
    same = Consent.objects.filter(
        client_id=consent.client_id,
        recipient_id=consent.recipient_id,
        discloser_id=consent.discloser_id,
    )
    back = Q(sender_id=consent.recipient_id, recipient_id=consent.discloser_id)
    between = Referral.objects.filter(
        Q(recipient_id=consent.recipient_id) | back, client_id=consent.client_id
    ).exclude(state__in=TERMINAL)
    limits = Restriction.objects.filter(episode__client=consent.client_id)
    with subjects.of(consent.client_id):
        plan(
            _keys({Subject.CONSENT: same, Subject.REFERRAL: between, Subject.RESTRICTION: limits}),
            at=at,
        )


def episode_changed(episode: Episode, *, at: datetime) -> None:
    """An episode was opened, reviewed or changed: dates, visits, status."""
    plan([(Subject.EPISODE, episode.pk)], at=at)


def note_signed(note: DischargeNote, *, at: datetime) -> None:
    """A discharge note was signed."""
    plan([(Subject.EPISODE, note.episode_id)], at=at)


def restrictions_changed(restriction_ids: Iterable[UUID], *, at: datetime) -> None:
    """Versions of restrictions were signed: set, changed or lifted."""
    ids = list(restriction_ids)
    keys: set[Key] = {(Subject.RESTRICTION, pk) for pk in ids}
    for client_id in whose.clients_behind(restrictions=ids):
        keys |= _referrals_of(client_id, state__in=list(RECIPIENT_MAY_READ))
    plan(keys, at=at)


def acknowledged(referral_ids: Iterable[UUID], *, at: datetime) -> None:
    """The recipient of these referrals confirmed having read restrictions."""
    plan([(Subject.REFERRAL, pk) for pk in referral_ids], at=at)


def credential_changed(credential: Credential, *, at: datetime) -> None:
    """A credential was added, verified, changed or withdrawn."""
    same = Credential.objects.filter(
        user_id=credential.user_id, kind=credential.kind, state=credential.state
    )
    plan([(Subject.CREDENTIAL, pk) for pk in same.values_list("pk", flat=True)], at=at)


def people_changed(client_id: UUID, *, at: datetime) -> None:
    """A client got an account, or a guardian: who is reminded for them may have changed."""
    keys: set[Key] = {
        (Subject.CONSENT, pk)
        for pk in Consent.objects.filter(client_id=client_id).values_list("pk", flat=True)
    }
    plan(keys | _referrals_of(client_id, ~Q(state__in=TERMINAL)), at=at)


def client_erased(client_id: UUID, *, at: datetime) -> None:
    """A client's data was erased: whatever waited for or about them stops."""
    of = Q(client_id=client_id)
    with subjects.of(client_id):
        keys = _keys(
            {
                Subject.CONSENT: Consent.objects.filter(of),
                Subject.REFERRAL: Referral.objects.filter(of),
                Subject.EPISODE: Episode.objects.filter(of),
                Subject.RESTRICTION: Restriction.objects.filter(episode__client=client_id),
            }
        )
    plan(keys, at=at)


def zone_changed(user: User, *, at: datetime) -> None:
    """Somebody lives by another clock now: what waits for them moves with it."""
    rows = Reminder.objects.filter(recipient=user, state__in=Reminder.WAITING)
    plan({subject_of(row) for row in rows}, at=at)


def rule_changed(number: int, *, at: datetime) -> None:
    """An admin changed a rule: what waits under it is planned anew."""
    rows = Reminder.objects.filter(rule_id=number, state__in=Reminder.WAITING)
    plan({subject_of(row) for row in rows}, at=at)


# --- looking at everything, a little at a time --------------------------------------------------

SLICES = 240
SLICE_SECONDS = 15
LONGEST_NOTICE = timedelta(days=62)


def heal(*, at: datetime) -> int:
    """Bring one slice of all subjects that are open, or ended lately, in line; how many there were.

    The slice follows from the clock, so ticks need no memory, and all slices pass in an hour.
    Identifiers are random: an equal part of every table falls into each slice.
    """
    number = int(at.timestamp()) // SLICE_SECONDS % SLICES
    width = 2**128 // SLICES
    low, high = UUID(int=number * width), UUID(int=min((number + 1) * width, 2**128 - 1))
    with subjects.among(whose.clients_between(low, high)):
        keys = _open_between(low, high, at)
    with transaction.atomic():
        plan(keys, at=at)
    return len(keys)


def _open_between(low: UUID, high: UUID, at: datetime) -> set[Key]:
    inside = Q(pk__gte=low, pk__lt=high)
    day = at.date()
    rows = {
        Subject.REFERRAL: Referral.objects.exclude(state=State.DRAFT).filter(
            ~Q(state__in=TERMINAL) | Q(closed_at__gt=at - LONGEST_NOTICE)
        ),
        Subject.CONSENT: Consent.objects.filter(asked_at__gt=at - timedelta(days=400)),
        Subject.EPISODE: Episode.objects.filter(status=Episode.Status.ACTIVE),
        Subject.RESTRICTION: Restriction.objects.filter(
            versions__review_on__gt=day - LONGEST_NOTICE,
            versions__review_on__lt=day + LONGEST_NOTICE,
        ).distinct(),
        Subject.CREDENTIAL: Credential.objects.filter(
            expires_on__gt=day - LONGEST_NOTICE, expires_on__lt=day + LONGEST_NOTICE
        ),
    }
    return _keys({subject: found.filter(inside) for subject, found in rows.items()})


def _keys(rows: Mapping[Subject, QuerySet[Any]]) -> set[Key]:
    """The subjects that these queries find, in one query."""
    named = [
        found.order_by().annotate(subject=Value(subject.value)).values_list("subject", "pk")
        for subject, found in rows.items()
    ]
    return {(Subject(subject), pk) for subject, pk in named[0].union(*named[1:], all=True)}


def _ended_before(referral: Referral) -> set[Key]:
    """Ended referrals that this one may follow up."""
    answered = Q(sender_id=referral.sender_id) | Q(pk=referral.previous_id)
    return _referrals_of(referral.client_id, answered, state__in=list(TERMINAL))


def _referrals_of(client_id: UUID, *conditions: Q, **more: object) -> set[Key]:
    with subjects.of(client_id):
        rows = Referral.objects.filter(*conditions, client_id=client_id, **more)
        return {(Subject.REFERRAL, pk) for pk in rows.values_list("pk", flat=True)}


def _restrictions_of(client_id: UUID) -> set[Key]:
    with subjects.of(client_id):
        rows = Restriction.objects.filter(episode__client=client_id)
        return {(Subject.RESTRICTION, pk) for pk in rows.values_list("pk", flat=True)}


# --- bringing rows in line ------------------------------------------------------------------------


def plan(keys: Collection[Key], *, at: datetime, urgent: Collection[Key] = frozenset()) -> None:
    """Make the waiting rows of these subjects what they should be. Inside a transaction."""
    if not keys:
        return
    found = cases(keys, at)
    settings = _settings()
    days_off = _days_off()
    rows = _locked(keys)
    changes = Changes()
    for key in sorted(set(keys), key=lambda key: (key[0], key[1].int)):
        case = found.get(key)
        wanted: list[Occurrence] = []
        if case is not None:
            if key in urgent:
                case = replace(case, urgent=True)
            wanted = wanted_of(case, settings, days_off)
        compare(key, wanted, rows[key], at, changes)
    _write(changes, at)


def wanted_of(
    case: Case, settings: Mapping[Rule, Settings], days_off: Mapping[str, frozenset[date]]
) -> list[Occurrence]:
    """All reminders that should exist for one subject now, past ones included."""
    found = []
    for wait in case.waits:
        if wait.rule not in settings:
            continue
        told: list[Audience] = list(wait.audiences)
        if wait.escalates_to is not None and wait.escalates_to not in told:
            told.append(wait.escalates_to)
        for audience in told:
            for person in case.people.get(audience, ()):
                found += occurrences(
                    wait,
                    settings[wait.rule],
                    audience,
                    person,
                    subject=case.name,
                    urgent=case.urgent,
                    holidays=days_off[""] | days_off.get(person.state, frozenset()),
                )
    return found


@dataclass(slots=True)
class Changes:
    insert: list[Reminder] = field(default_factory=list)
    move: list[Reminder] = field(default_factory=list)
    stop: list[UUID] = field(default_factory=list)
    close: list[UUID] = field(default_factory=list)


Place = tuple[int, UUID, str]
"""(rule, person, key without the count): the same occasion, however often it comes round."""


def compare(
    key: Key,
    wanted: Iterable[Occurrence],
    rows: Iterable[Reminder],
    at: datetime,
    changes: Changes,
) -> None:
    """Pure: what to insert, move, stop and close so that `rows` become `wanted`.

    A row that waits moves with its date and keeps its key. One that is settled stays as it is; if
    its occasion comes round again, later, the next count of the key is planned. Of several that
    are due already only the newest is caught up, and only while it is useful.
    """
    existing: dict[Place, list[Reminder]] = defaultdict(list)
    for row in rows:
        existing[row.rule_id, row.recipient_id, _base(row.occurrence_key)].append(row)
    kept: set[Place] = set()
    missed: dict[tuple[int, UUID], tuple[Occurrence, int]] = {}
    for occurrence in wanted:
        place = occurrence.rule.value, occurrence.person.user_id, occurrence.base
        if place in kept:
            continue  # somebody in two capacities needs one reminder
        kept.add(place)
        before = sorted(existing[place], key=lambda row: _count(row.occurrence_key))
        if not before:
            count = 1
        elif before[-1].state in Reminder.WAITING:
            _move(before[-1], occurrence, changes)
            continue
        elif not _comes_again(before[-1], occurrence):
            continue
        else:
            count = _count(before[-1].occurrence_key) + 1
            changes.close += [row.pk for row in before if _is_listed(row)]
        if _came_late(occurrence, existing, at):
            occurrence = replace(occurrence, useful_until=_anew(occurrence, at))
        if occurrence.due_at > at:
            changes.insert.append(_row(key, occurrence, count, at))
        elif occurrence.useful_until > at:
            person = occurrence.rule.value, occurrence.person.user_id
            newest = missed.get(person)
            if newest is None or newest[0].due_at < occurrence.due_at:
                missed[person] = occurrence, count
    for person, (occurrence, count) in missed.items():
        # Nothing newer of the same wait has come round meanwhile.
        wait = occurrence.base.rpartition(":")[0]
        newer = any(
            row.due_at >= occurrence.due_at and row.due_at <= at and _goes_out(row)
            for place, found in existing.items()
            if place[:2] == person and place[2].rpartition(":")[0] == wait
            for row in found
        )
        if not newer:
            changes.insert.append(_row(key, occurrence, count, at))
    for place, found in existing.items():
        if place not in kept:
            changes.stop += [row.pk for row in found if _can_stop(row)]
            changes.close += [row.pk for row in found if _is_listed(row)]


def _came_late(
    occurrence: Occurrence, existing: Mapping[Place, Sequence[Reminder]], at: datetime
) -> bool:
    """Whether somebody can decide only now, and so has never been reminded of the question."""
    person = occurrence.rule.value, occurrence.person.user_id
    return (
        occurrence.rule is Rule.CONSENT_ASKED
        and occurrence.audience is Audience.DECIDER
        and occurrence.useful_until <= at
        and not any(found for place, found in existing.items() if place[:2] == person)
    )


def _anew(occurrence: Occurrence, at: datetime) -> datetime:
    """As long useful from now on as it would have been, and not beyond the end of the wait."""
    until = at + (occurrence.useful_until - occurrence.due_at)
    return until if occurrence.ends_at is None else min(until, occurrence.ends_at)


def _base(key: str) -> str:
    head, _, tail = key.rpartition("#")
    return head if head and tail.isdecimal() else key


def _count(key: str) -> int:
    head, _, tail = key.rpartition("#")
    return int(tail) if head and tail.isdecimal() else 1


def _is_listed(row: Reminder) -> bool:
    return row.shown_at is not None and row.done_at is None


def _can_stop(row: Reminder) -> bool:
    if row.state == Reminder.State.SENDING:
        return row.data_started_at is None
    return row.state in Reminder.WAITING


def _goes_out(row: Reminder) -> bool:
    return row.state != Reminder.State.CANCELLED or row.shown_at is not None


def _comes_again(settled: Reminder, occurrence: Occurrence) -> bool:
    """Whether an occasion that was dealt with has come round once more."""
    if settled.cancel_reason == Stop.OVER and settled.shown_at is None:
        return True  # taken back before anybody saw it
    if settled.zone != occurrence.person.zone:
        return occurrence.due_at - settled.due_at > timedelta(days=1)
    return occurrence.due_at > settled.due_at


def _move(row: Reminder, occurrence: Occurrence, changes: Changes) -> None:
    new = (
        occurrence.due_at,
        occurrence.useful_until,
        occurrence.ends_at,
        occurrence.person.zone,
        occurrence.urgent,
    )
    if new == (row.due_at, row.useful_until, row.ends_at, row.zone, row.urgent):
        return
    row.due_at, row.useful_until, row.ends_at, row.zone, row.urgent = new
    changes.move.append(row)


def _row(key: Key, occurrence: Occurrence, count: int, at: datetime) -> Reminder:
    subject, pk = key
    row = Reminder(
        rule_id=occurrence.rule.value,
        recipient_id=occurrence.person.user_id,
        audience=occurrence.audience,
        occurrence_key=occurrence.base if count == 1 else f"{occurrence.base}#{count}",
        urgent=occurrence.urgent,
        due_at=occurrence.due_at,
        useful_until=occurrence.useful_until,
        ends_at=occurrence.ends_at,
        zone=occurrence.person.zone,
        planned_at=at,
    )
    setattr(row, f"{subject.value}_id", pk)
    return row


# --- the database ---------------------------------------------------------------------------------


def _settings() -> dict[Rule, Settings]:
    found = {}
    for row in ReminderRule.objects.filter(in_use=True, number__in=list(CATALOGUE)):
        found[Rule(row.number)] = Settings(
            rule=Rule(row.number),
            routine=_readable(row, row.routine_offsets),
            urgent=_readable(row, row.urgent_offsets),
            escalate_after="".join(_readable(row, [row.escalate_after])),
            urgent_escalate_after="".join(_readable(row, [row.urgent_escalate_after])),
            useful_for=timedelta(hours=row.useful_for_hours),
            keeps_quiet_hours=row.keeps_quiet_hours,
        )
    return found


def _readable(row: ReminderRule, offsets: Iterable[str]) -> tuple[str, ...]:
    """Offsets that can be read: a bad one, written past the form, must not stop people's work."""
    found = []
    for text in offsets:
        try:
            parse(text)
        except ValueError:
            if text:
                log.error("reminder.offset_unreadable", rule=row.number)
        else:
            found.append(text)
    return tuple(found)


def _days_off() -> dict[str, frozenset[date]]:
    days: dict[str, set[date]] = {"": set()}
    for state, day in Holiday.objects.values_list("state", "day"):
        days.setdefault(state, set()).add(day)
    return {state: frozenset(found) for state, found in days.items()}


def _locked(keys: Collection[Key]) -> dict[Key, list[Reminder]]:
    """All rows of these subjects, locked in one order so that planners never wait in a circle."""
    ids: dict[Subject, list[UUID]] = defaultdict(list)
    for subject, pk in keys:
        ids[subject].append(pk)
    about = Q()
    for subject, pks in ids.items():
        about |= Q(**{f"{subject.value}__in": pks})
    found: dict[Key, list[Reminder]] = defaultdict(list)
    rows = Reminder.objects.select_for_update(of=("self",), no_key=True).filter(about)
    for row in rows.order_by("id"):
        found[subject_of(row)].append(row)
    return found


def _write(changes: Changes, at: datetime) -> None:
    if changes.insert:
        Reminder.objects.bulk_create(changes.insert, ignore_conflicts=True)
    if changes.move:
        Reminder.objects.bulk_update(
            changes.move, ["due_at", "useful_until", "ends_at", "zone", "urgent"]
        )
    if changes.stop:
        Reminder.objects.filter(pk__in=changes.stop).update(
            state=Reminder.State.CANCELLED,
            cancel_reason=Stop.OVER,
            fence=None,
            lease_until=None,
            next_try_at=None,
        )
    if changes.close:
        Reminder.objects.filter(pk__in=changes.close, done_at=None).update(
            done_at=at, cancel_reason=Stop.OVER
        )
