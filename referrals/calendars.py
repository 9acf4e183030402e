"""Wall clocks, business days, quiet hours and birthdays.

Pure: time zones and holidays come in as data, and nothing here asks for the time. Instants are
aware; answers are in UTC. A person's "today" and "nine o'clock" are those of their IANA zone.

Two rules cover clock changes everywhere. A wall time that a clock change skips means the first
valid instant after the gap; one that happens twice means its first occurrence.
"""

from __future__ import annotations

import calendar
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from handoff.core.errors import Invalid

MAJORITY_AGE: Final = 18  # Default; some states differ, so callers may pass another age.
NO_HOLIDAYS: Final[frozenset[date]] = frozenset()
# A run of days off longer than this is a mistake in the holiday data, not a calendar.
_LONGEST_BREAK_DAYS: Final = 60
_SATURDAY: Final = 5


def zone_named(name: str) -> ZoneInfo:
    """The IANA zone of that name; `Invalid` for anything else, however odd the text."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid({"timezone": ["Choose a time zone from the list."]}) from None


# --- one instant, one wall clock ----------------------------------------------------------------


def wall_to_utc(day: date, clock: time, zone: str) -> datetime:
    """The instant at which a clock on the wall in `zone` shows `clock` on `day`.

    In a gap: the first valid instant after it (Apia had no 30 December 2011 at all). In a fold:
    the first occurrence.
    """
    return _wall_to_utc(datetime.combine(day, clock.replace(tzinfo=None)), zone_named(zone))


def _wall_to_utc(wall: datetime, zone: ZoneInfo) -> datetime:
    found = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _local(found, zone) == wall:
        return found
    # In a gap, fold=0 reads the clock before the change and so lands behind it; fold=1 lands
    # before it. The change, on a full second, is the first instant whose local time is not before
    # the asked one.
    wall = wall.replace(microsecond=0)
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    while (seconds := int((after - before).total_seconds())) > 1:
        middle = before + timedelta(seconds=seconds // 2)
        if _local(middle, zone) >= wall:
            after = middle
        else:
            before = middle
    return after


def _local(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def local_today(instant: datetime, zone: str) -> date:
    """The date on the wall in `zone` at `instant`."""
    return _aware(instant).astimezone(zone_named(zone)).date()


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError("an instant needs a time zone")
    return instant


# --- business days ------------------------------------------------------------------------------


def is_business_day(day: date, holidays: Container[date] = NO_HOLIDAYS) -> bool:
    """Monday to Friday and not a holiday."""
    return day.weekday() < _SATURDAY and day not in holidays


def add_business_days(
    start: datetime, days: int, zone: str, holidays: Container[date] = NO_HOLIDAYS
) -> datetime:
    """The same time on the wall, `days` business days after `start`'s date in `zone`.

    The day of `start` never counts, so one business day after a Friday, a Saturday or a Sunday
    is Monday. Zero days is `start` itself, on whatever day.
    """
    if days < 0:
        raise ValueError("business days are counted forwards")
    place = zone_named(zone)
    wall = _aware(start).astimezone(place).replace(tzinfo=None, fold=0)
    found = start.astimezone(UTC)
    idle = 0
    while days:
        wall += timedelta(days=1)
        candidate = _wall_to_utc(wall, place)
        # A date that the zone skipped altogether is nobody's working day.
        exists = _local(candidate, place).date() == wall.date()
        if exists and is_business_day(wall.date(), holidays):
            found, days, idle = candidate, days - 1, 0
            continue
        idle += 1
        if idle > _LONGEST_BREAK_DAYS:
            raise ValueError("the holidays leave no business day")
    return found


class DelayUnit(StrEnum):
    HOURS = "h"
    DAYS = "d"
    BUSINESS_DAYS = "bd"


@dataclass(frozen=True, slots=True)
class Delay:
    """A span as an admin writes it: "4 h", "7 d", "2 bd". Negative counts back (T-24 h)."""

    amount: int
    unit: DelayUnit

    def __post_init__(self) -> None:
        if self.unit is DelayUnit.BUSINESS_DAYS and self.amount < 0:
            raise ValueError("business days are counted forwards")

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}"

    def after(
        self, start: datetime, zone: str, holidays: Container[date] = NO_HOLIDAYS
    ) -> datetime:
        """When the span, begun at `start`, is over. Days keep the time on the wall in `zone`;
        hours are hours on a stopwatch."""
        match self.unit:
            case DelayUnit.HOURS:
                return _aware(start).astimezone(UTC) + timedelta(hours=self.amount)
            case DelayUnit.DAYS:
                if not self.amount:
                    return _aware(start).astimezone(UTC)
                place = zone_named(zone)
                wall = _aware(start).astimezone(place).replace(tzinfo=None, fold=0)
                return _wall_to_utc(wall + timedelta(days=self.amount), place)
            case DelayUnit.BUSINESS_DAYS:
                return add_business_days(start, self.amount, zone, holidays)
            case _:
                assert_never(self.unit)


# --- holidays of the United States --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """A yearly day off: a fixed date, or the nth (-1: last) weekday of a month."""

    name: str
    month: int
    day: int = 0
    nth: int = 0
    weekday: int = 0
    since: int = 0

    def in_year(self, year: int) -> date:
        """The day itself, before any moving away from a weekend."""
        if self.day:
            return date(year, self.month, self.day)
        weeks = [
            week[self.weekday]
            for week in calendar.monthcalendar(year, self.month)
            if week[self.weekday]
        ]
        return date(year, self.month, weeks[self.nth - 1 if self.nth > 0 else self.nth])


# Legal public holidays of 5 U.S.C. 6103(a). Inauguration Day is local to Washington, so not here.
US_FEDERAL: Final[tuple[HolidayRule, ...]] = (
    HolidayRule("New Year's Day", 1, day=1),
    HolidayRule("Birthday of Martin Luther King, Jr.", 1, nth=3, weekday=calendar.MONDAY),
    HolidayRule("Washington's Birthday", 2, nth=3, weekday=calendar.MONDAY),
    HolidayRule("Memorial Day", 5, nth=-1, weekday=calendar.MONDAY),
    HolidayRule("Juneteenth", 6, day=19, since=2021),
    HolidayRule("Independence Day", 7, day=4),
    HolidayRule("Labor Day", 9, nth=1, weekday=calendar.MONDAY),
    HolidayRule("Columbus Day", 10, nth=2, weekday=calendar.MONDAY),
    HolidayRule("Veterans Day", 11, day=11),
    HolidayRule("Thanksgiving Day", 11, nth=4, weekday=calendar.THURSDAY),
    HolidayRule("Christmas Day", 12, day=25),
)


def holidays_in(year: int, rules: tuple[HolidayRule, ...] = US_FEDERAL) -> Mapping[date, str]:
    """The days off in `year` as they are kept: a Saturday's on the Friday before, a Sunday's on
    the Monday after (5 U.S.C. 6103(b)), so next New Year's Day can fall into this December."""
    kept: dict[date, str] = {}
    for named in (year, year + 1):
        for rule in rules:
            day = rule.in_year(named)
            if named < rule.since:
                continue
            if day.weekday() == calendar.SATURDAY:
                day -= timedelta(days=1)
            elif day.weekday() == calendar.SUNDAY:
                day += timedelta(days=1)
            if day.year == year:
                kept[day] = rule.name
    return dict(sorted(kept.items()))


# --- quiet hours --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begins` (inclusive) to `ends` (exclusive) nobody is disturbed; may run over midnight.
    Equal ends mean that no hour is quiet."""

    begins: time = time(21)
    ends: time = time(8)

    def covers(self, clock: time) -> bool:
        if self.begins <= self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends


DEFAULT_QUIET_HOURS: Final = QuietHours()


def next_allowed(instant: datetime, zone: str, quiet: QuietHours = DEFAULT_QUIET_HOURS) -> datetime:
    """`instant` itself, or the end of the quiet hours it falls into on the wall in `zone`."""
    place = zone_named(zone)
    now = _aware(instant).astimezone(UTC)
    wall = _local(now, place)
    if not quiet.covers(wall.time()):
        return now
    # Clocks are read, not counted: in an hour that happens twice the end of the quiet hours may
    # already have passed once on this date, so both occurrences are tried before the next day.
    day = wall.date()
    while True:
        end_wall = datetime.combine(day, quiet.ends)
        second = end_wall.replace(tzinfo=place, fold=1).astimezone(UTC)
        for end in (_wall_to_utc(end_wall, place), second):
            if end > now and not quiet.covers(_local(end, place).time()):
                return end
        day += timedelta(days=1)


# --- birthdays ----------------------------------------------------------------------------------


def birthday_in(birth_date: date, year: int) -> date:
    """The birthday kept in `year`. Someone born on 29 February has it on 1 March in a common
    year: nobody is treated as grown up a day before the full years have passed."""
    try:
        return birth_date.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def age_on(birth_date: date, day: date) -> int:
    """Full years on `day`; `ValueError` before birth."""
    if day < birth_date:
        raise ValueError("no age before birth")
    return day.year - birth_date.year - (day < birthday_in(birth_date, day.year))


def majority_instant(birth_date: date, zone: str, majority_age: int = MAJORITY_AGE) -> datetime:
    """The first instant of the birthday that makes somebody an adult, where they live. From then
    on a guardian's authority has ended."""
    return wall_to_utc(birthday_in(birth_date, birth_date.year + majority_age), time(0), zone)
