"""Pure: when each reminder of a wait is due, for one person on their own clock."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from referrals.calendars import (
    DEFAULT_QUIET_HOURS,
    Delay,
    next_allowed,
    wall_to_utc,
    zone_named,
)
from referrals.reminders.rules import Audience, Moment, Rule, Wait, parse

MORNING: Final = time(9)
"""When people are reminded of something that has a day and no hour."""
BEFORE_QUIET: Final = timedelta(minutes=15)
ESCALATION: Final = "escalation"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to remind: their account, their clock, and the state whose holidays they keep."""

    user_id: UUID
    zone: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """A rule as the admins have set it."""

    rule: Rule
    routine: tuple[str, ...]
    urgent: tuple[str, ...]
    escalate_after: str
    urgent_escalate_after: str
    useful_for: timedelta
    keeps_quiet_hours: bool

    def offsets(self, *, urgent: bool) -> tuple[str, ...]:
        return self.urgent if urgent and self.urgent else self.routine

    def escalation(self, *, urgent: bool) -> str:
        urgent_one = self.urgent_escalate_after if urgent else ""
        return urgent_one or self.escalate_after


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One reminder that should exist. `base` is its key without a count of repetitions."""

    rule: Rule
    audience: Audience
    person: Person
    base: str
    due_at: datetime
    useful_until: datetime
    ends_at: datetime | None
    urgent: bool


def occurrences(
    wait: Wait,
    settings: Settings,
    audience: Audience,
    person: Person,
    *,
    subject: str,
    urgent: bool,
    holidays: Container[date],
) -> list[Occurrence]:
    """The reminders of one wait for one person in one audience, in the order of the offsets."""
    if audience is wait.escalates_to and audience not in wait.audiences:
        after = settings.escalation(urgent=urgent)
        steps = [(f"{ESCALATION}-{after}", after)] if after else []
    else:
        offsets = settings.offsets(urgent=urgent)
        steps = [(text, text) for text in offsets]
        if audience in wait.first_only:
            steps = steps[:1]
    quiet = settings.keeps_quiet_hours and not urgent
    found = []
    for name, text in steps:
        delay = parse(text)
        anchor = wait.until if delay.amount < 0 else wait.since
        if anchor is None:
            continue
        try:
            due = due_at(anchor, delay, person.zone, holidays)
            if quiet:
                due = considerate(due, person.zone, before=wait.ends_at)
            useful_until = due + settings.useful_for
        except OverflowError:
            continue  # a credential "until 9999": beyond the calendar nobody is reminded
        if wait.ends_at is not None:
            useful_until = min(useful_until, wait.ends_at)
        found.append(
            Occurrence(
                rule=wait.rule,
                audience=audience,
                person=person,
                base=f"{subject}:{wait.name}:{name}",
                due_at=due,
                useful_until=useful_until,
                ends_at=wait.ends_at,
                urgent=urgent,
            )
        )
    return found


def due_at(anchor: Moment, delay: Delay, zone: str, holidays: Container[date]) -> datetime:
    """When `delay` after (or before) an instant, or the morning of a day, is over."""
    start = anchor if isinstance(anchor, datetime) else wall_to_utc(anchor, MORNING, zone)
    return delay.after(start, zone, holidays)


def considerate(due: datetime, zone: str, *, before: datetime | None) -> datetime:
    """`due`, or the end of the quiet hours around it; the evening before when that is too late."""
    allowed = next_allowed(due, zone)
    if allowed == due or before is None or allowed < before:
        return allowed
    wall = due.astimezone(zone_named(zone))
    evening = wall.date()
    if wall.time() < DEFAULT_QUIET_HOURS.begins:
        evening -= timedelta(days=1)
    return wall_to_utc(evening, DEFAULT_QUIET_HOURS.begins, zone) - BEFORE_QUIET
