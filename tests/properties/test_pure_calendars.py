"""What holds for every instant in every zone, the awkward ones included."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from referrals.calendars import (
    QuietHours,
    add_business_days,
    age_on,
    holidays_in,
    is_business_day,
    local_today,
    majority_instant,
    next_allowed,
    wall_to_utc,
)

# Half-hour clock changes, ordinary ones, no whole-hour offset, and a skipped date.
ZONES = st.sampled_from(
    ["Australia/Lord_Howe", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Asia/Beirut"]
)
DAYS = st.dates(date(2000, 1, 1), date(2040, 12, 31))
CLOCKS = st.times().map(lambda clock: clock.replace(microsecond=0))
INSTANTS = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001  # the strategy adds the zone
    datetime(2040, 12, 31),  # noqa: DTZ001  # the strategy adds the zone
    timezones=st.just(UTC),
).map(lambda instant: instant.replace(microsecond=0))
HOLIDAYS = {day for year in range(2000, 2042) for day in holidays_in(year)}


def wall(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@given(DAYS, CLOCKS, ZONES)
@example(date(2011, 12, 30), time(12), "Pacific/Apia")
@example(date(2026, 3, 8), time(2, 30), "America/New_York")
@example(date(2026, 11, 1), time(1, 30), "America/New_York")
@example(date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe")
@example(date(2026, 4, 5), time(1, 45), "Australia/Lord_Howe")
def test_wall_time_is_the_first_instant_that_is_not_before_it(
    day: date, clock: time, zone: str
) -> None:
    asked = datetime.combine(day, clock)
    found = wall_to_utc(day, clock, zone)
    assert found.tzinfo is UTC
    assert wall(found, zone) >= asked
    # A second earlier the clock showed less: nothing valid was skipped, no later one was taken.
    assert wall(found - timedelta(seconds=1), zone) < asked


@given(INSTANTS, ZONES)
def test_every_wall_time_a_clock_shows_comes_back_to_its_first_showing(
    instant: datetime, zone: str
) -> None:
    shown = wall(instant, zone)
    found = wall_to_utc(shown.date(), shown.time(), zone)
    assert wall(found, zone) == shown
    assert timedelta(0) <= instant - found <= timedelta(hours=1)


@given(INSTANTS, st.integers(1, 30), ZONES)
@example(datetime(2011, 12, 29, 23, 30, tzinfo=UTC), 1, "Pacific/Apia")
def test_business_days_land_on_business_days_and_miss_none(
    start: datetime, days: int, zone: str
) -> None:
    found = add_business_days(start, days, zone, HOLIDAYS)
    first, last = local_today(start, zone), local_today(found, zone)
    assert is_business_day(last, HOLIDAYS)
    between = [first + timedelta(days=step) for step in range(1, (last - first).days + 1)]
    real = [day for day in between if local_today(wall_to_utc(day, time(12), zone), zone) == day]
    assert sum(is_business_day(day, HOLIDAYS) for day in real) == days


@given(INSTANTS, st.integers(0, 15), st.integers(0, 15), ZONES)
def test_business_days_add_up_by_date(start: datetime, one: int, two: int, zone: str) -> None:
    at_once = add_business_days(start, one + two, zone, HOLIDAYS)
    in_steps = add_business_days(add_business_days(start, one, zone, HOLIDAYS), two, zone, HOLIDAYS)
    # The time of day may move when a step lands in a clock change; the date never does.
    assert local_today(at_once, zone) == local_today(in_steps, zone)


@given(INSTANTS, st.integers(0, 15), ZONES)
def test_business_days_go_forward(start: datetime, days: int, zone: str) -> None:
    found = add_business_days(start, days, zone, HOLIDAYS)
    longer = add_business_days(start, days + 1, zone, HOLIDAYS)
    assert start <= found < longer


@given(INSTANTS, ZONES, CLOCKS, CLOCKS)
def test_next_allowed_is_never_earlier_never_quiet_and_never_needlessly_late(
    instant: datetime, zone: str, begins: time, ends: time
) -> None:
    quiet = QuietHours(begins, ends)
    found = next_allowed(instant, zone, quiet)
    assert found >= instant
    assert not quiet.covers(wall(found, zone).time())
    assert next_allowed(found, zone, quiet) == found
    if found > instant:
        assert quiet.covers(wall(instant, zone).time())
        before = wall(found - timedelta(seconds=1), zone).time()
        assert quiet.covers(before)


@given(DAYS, DAYS)
@example(date(2008, 2, 29), date(2026, 2, 28))
def test_age_grows_by_one_a_year_and_only_on_birthdays(born: date, day: date) -> None:
    if day < born:
        return
    age = age_on(born, day)
    tomorrow = age_on(born, day + timedelta(days=1))
    assert tomorrow - age in (0, 1)
    if tomorrow > age:
        next_day = day + timedelta(days=1)
        leap = (born.month, born.day) == (2, 29) and (next_day.month, next_day.day) == (3, 1)
        assert (next_day.month, next_day.day) == (born.month, born.day) or leap


@given(DAYS, ZONES, st.integers(14, 21))
@example(date(1993, 12, 30), "Pacific/Apia", 18)
def test_majority_is_the_first_instant_of_that_age(born: date, zone: str, age: int) -> None:
    grown = majority_instant(born, zone, age)
    assert age_on(born, local_today(grown, zone)) == age
    assert age_on(born, local_today(grown - timedelta(seconds=1), zone)) == age - 1
