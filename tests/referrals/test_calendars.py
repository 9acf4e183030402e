"""Business days, clock changes, quiet hours and birthdays, by example."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from handoff.core.errors import Invalid
from referrals.calendars import (
    NO_HOLIDAYS,
    US_FEDERAL,
    Delay,
    DelayUnit,
    HolidayRule,
    QuietHours,
    add_business_days,
    age_on,
    birthday_in,
    holidays_in,
    is_business_day,
    local_today,
    majority_instant,
    next_allowed,
    wall_to_utc,
    zone_named,
)

NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"
APIA = "Pacific/Apia"
KATHMANDU = "Asia/Kathmandu"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # parts are a date's


# --- zones --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "../etc/passwd", "/etc/passwd", "America", "a\0b", "x" * 5000]
)
def test_what_is_no_zone_is_refused_by_field(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        zone_named(name)
    assert list(refused.value.errors) == ["timezone"]


# --- wall clocks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "clock", "zone", "expected"),
    [
        (date(2026, 11, 16), time(9), NEW_YORK, utc(2026, 11, 16, 14)),
        (date(2026, 7, 1), time(9), NEW_YORK, utc(2026, 7, 1, 13)),
        (date(2026, 7, 1), time(9), KATHMANDU, utc(2026, 7, 1, 3, 15)),
        # 02:00 to 03:00 does not exist on 8 March 2026: the first valid instant after it.
        (date(2026, 3, 8), time(2), NEW_YORK, utc(2026, 3, 8, 7)),
        (date(2026, 3, 8), time(2, 30), NEW_YORK, utc(2026, 3, 8, 7)),
        (date(2026, 3, 8), time(2, 59, 59), NEW_YORK, utc(2026, 3, 8, 7)),
        (date(2026, 3, 8), time(3), NEW_YORK, utc(2026, 3, 8, 7)),
        (date(2026, 3, 8), time(1, 59, 59), NEW_YORK, utc(2026, 3, 8, 6, 59, 59)),
        # 01:30 happens twice on 1 November 2026: the first one, still in summer time.
        (date(2026, 11, 1), time(1, 30), NEW_YORK, utc(2026, 11, 1, 5, 30)),
        (date(2026, 11, 1), time(2), NEW_YORK, utc(2026, 11, 1, 7)),
        # Lord Howe moves its clocks by half an hour only.
        (date(2026, 10, 4), time(2, 15), LORD_HOWE, utc(2026, 10, 3, 15, 30)),
        (date(2026, 10, 4), time(2, 30), LORD_HOWE, utc(2026, 10, 3, 15, 30)),
        (date(2026, 4, 5), time(1, 45), LORD_HOWE, utc(2026, 4, 4, 14, 45)),
        # Apia left out 30 December 2011.
        (date(2011, 12, 30), time(12), APIA, utc(2011, 12, 30, 10)),
        (date(2011, 12, 31), time(0), APIA, utc(2011, 12, 30, 10)),
        (date(2011, 12, 29), time(23, 59), APIA, utc(2011, 12, 30, 9, 59)),
    ],
)
def test_wall_time_is_the_instant_a_clock_shows_it(
    day: date, clock: time, zone: str, expected: datetime
) -> None:
    found = wall_to_utc(day, clock, zone)
    assert found == expected
    assert found.tzinfo is UTC


def test_a_wall_time_has_no_zone_of_its_own() -> None:
    clock = time(9, tzinfo=timezone(timedelta(hours=5)))
    assert wall_to_utc(date(2026, 7, 1), clock, NEW_YORK) == utc(2026, 7, 1, 13)


def test_today_is_the_persons_own_date() -> None:
    instant = utc(2026, 11, 16, 4, 30)
    assert local_today(instant, NEW_YORK) == date(2026, 11, 15)
    assert local_today(instant, KATHMANDU) == date(2026, 11, 16)
    with pytest.raises(ValueError, match="time zone"):
        local_today(datetime(2026, 11, 16), NEW_YORK)  # noqa: DTZ001  # naive on purpose


# --- business days ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ((2026, 11, 16, 15), 1, (2026, 11, 17, 15)),  # Monday
        ((2026, 11, 20, 15), 1, (2026, 11, 23, 15)),  # Friday
        ((2026, 11, 21, 15), 1, (2026, 11, 23, 15)),  # Saturday
        ((2026, 11, 22, 15), 1, (2026, 11, 23, 15)),  # Sunday
        ((2026, 11, 16, 15), 5, (2026, 11, 23, 15)),
        ((2026, 11, 16, 15), 7, (2026, 11, 25, 15)),
        ((2026, 11, 21, 15), 0, (2026, 11, 21, 15)),
    ],
)
def test_business_days_skip_the_weekend(
    start: tuple[int, ...], days: int, expected: tuple[int, ...]
) -> None:
    assert add_business_days(utc(*start), days, NEW_YORK) == utc(*expected)


def test_business_days_skip_holidays() -> None:
    thanksgiving = holidays_in(2026)
    assert date(2026, 11, 26) in thanksgiving
    found = add_business_days(utc(2026, 11, 25, 15), 1, NEW_YORK, thanksgiving)
    assert found == utc(2026, 11, 27, 15)


def test_business_days_count_from_the_date_where_the_person_is() -> None:
    # Friday 23:30 in New York is Saturday in London; the next business day is Monday all the same.
    friday_night = utc(2026, 11, 21, 4, 30)
    assert add_business_days(friday_night, 1, NEW_YORK) == utc(2026, 11, 24, 4, 30)
    assert add_business_days(friday_night, 1, "Europe/London") == utc(2026, 11, 23, 4, 30)


def test_business_days_keep_the_time_on_the_wall_over_a_clock_change() -> None:
    friday_nine = wall_to_utc(date(2026, 3, 6), time(9), NEW_YORK)
    found = add_business_days(friday_nine, 1, NEW_YORK)
    assert found == wall_to_utc(date(2026, 3, 9), time(9), NEW_YORK)
    assert found - friday_nine == timedelta(days=3) - timedelta(hours=1)


def test_a_date_that_never_was_is_no_business_day() -> None:
    thursday = wall_to_utc(date(2011, 12, 29), time(9), APIA)
    assert add_business_days(thursday, 1, APIA) == wall_to_utc(date(2012, 1, 2), time(9), APIA)


def test_business_days_refuse_what_has_no_answer() -> None:
    class Always:
        def __contains__(self, day: object) -> bool:
            return True

    with pytest.raises(ValueError, match="forwards"):
        add_business_days(utc(2026, 11, 16), -1, NEW_YORK)
    with pytest.raises(ValueError, match="no business day"):
        add_business_days(utc(2026, 11, 16), 1, NEW_YORK, Always())
    with pytest.raises(ValueError, match="time zone"):
        add_business_days(datetime(2026, 11, 16), 1, NEW_YORK)  # noqa: DTZ001  # naive on purpose


def test_is_business_day() -> None:
    assert [is_business_day(date(2026, 11, day)) for day in range(16, 23)] == [True] * 5 + [
        False,
        False,
    ]
    assert not is_business_day(date(2026, 11, 16), {date(2026, 11, 16)})
    assert not NO_HOLIDAYS


# --- delays -------------------------------------------------------------------------------------


def test_delay_reads_as_it_is_written() -> None:
    assert str(Delay(2, DelayUnit.BUSINESS_DAYS)) == "2 bd"
    assert str(Delay(-24, DelayUnit.HOURS)) == "-24 h"


def test_delay_counts_hours_by_stopwatch_and_days_by_the_wall() -> None:
    saturday = wall_to_utc(date(2026, 3, 7), time(9), NEW_YORK)
    hours = Delay(24, DelayUnit.HOURS).after(saturday, NEW_YORK)
    days = Delay(1, DelayUnit.DAYS).after(saturday, NEW_YORK)
    assert hours - saturday == timedelta(hours=24)
    assert days - saturday == timedelta(hours=23)
    assert days == wall_to_utc(date(2026, 3, 8), time(9), NEW_YORK)


def test_delay_before_an_appointment_counts_back() -> None:
    at = utc(2026, 11, 16, 15)
    assert Delay(-2, DelayUnit.HOURS).after(at, NEW_YORK) == utc(2026, 11, 16, 13)
    assert Delay(-7, DelayUnit.DAYS).after(at, NEW_YORK) == utc(2026, 11, 9, 15)


def test_delay_of_no_days_is_the_start_even_in_the_repeated_hour() -> None:
    second = utc(2026, 11, 1, 6, 30)  # the second 01:30 in New York
    assert Delay(0, DelayUnit.DAYS).after(second, NEW_YORK) == second
    assert Delay(0, DelayUnit.BUSINESS_DAYS).after(second, NEW_YORK) == second


def test_delay_in_business_days_knows_holidays_and_goes_forward_only() -> None:
    wednesday = utc(2026, 11, 25, 15)
    delay = Delay(1, DelayUnit.BUSINESS_DAYS)
    assert delay.after(wednesday, NEW_YORK) == utc(2026, 11, 26, 15)
    assert delay.after(wednesday, NEW_YORK, holidays_in(2026)) == utc(2026, 11, 27, 15)
    with pytest.raises(ValueError, match="forwards"):
        Delay(-1, DelayUnit.BUSINESS_DAYS)


# --- holidays -----------------------------------------------------------------------------------


def test_federal_holidays_of_a_year_as_published() -> None:
    # Office of Personnel Management, 2026.
    assert list(holidays_in(2026)) == [
        date(2026, 1, 1),
        date(2026, 1, 19),
        date(2026, 2, 16),
        date(2026, 5, 25),
        date(2026, 6, 19),
        date(2026, 7, 3),  # the 4th is a Saturday
        date(2026, 9, 7),
        date(2026, 10, 12),
        date(2026, 11, 11),
        date(2026, 11, 26),
        date(2026, 12, 25),
    ]


def test_new_year_on_a_saturday_is_kept_in_the_old_year() -> None:
    assert holidays_in(2021)[date(2021, 12, 31)] == "New Year's Day"
    assert date(2022, 1, 1) not in holidays_in(2022)
    assert date(2021, 12, 31) not in holidays_in(2022)


def test_a_sunday_holiday_is_kept_on_monday() -> None:
    assert holidays_in(2027)[date(2027, 7, 5)] == "Independence Day"


def test_a_young_holiday_is_not_kept_before_it_was_law() -> None:
    assert "Juneteenth" not in holidays_in(2020).values()
    assert holidays_in(2021)[date(2021, 6, 18)] == "Juneteenth"
    assert len(US_FEDERAL) == 11


def test_holidays_are_data() -> None:
    rules = (HolidayRule("Spring day", 4, nth=-1, weekday=2),)
    assert holidays_in(2026, rules) == {date(2026, 4, 29): "Spring day"}


# --- quiet hours --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        ((2026, 11, 16, 20, 59), (2026, 11, 16, 20, 59)),
        ((2026, 11, 16, 21, 0), (2026, 11, 17, 8, 0)),
        ((2026, 11, 16, 23, 30), (2026, 11, 17, 8, 0)),
        ((2026, 11, 17, 0, 0), (2026, 11, 17, 8, 0)),
        ((2026, 11, 17, 7, 59), (2026, 11, 17, 8, 0)),
        ((2026, 11, 17, 8, 0), (2026, 11, 17, 8, 0)),
    ],
)
def test_nobody_is_disturbed_between_nine_and_eight(
    wall: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    zone = ZoneInfo(NEW_YORK)
    instant = datetime(*wall, tzinfo=zone)  # type: ignore[misc,arg-type]  # parts are a date's
    due = datetime(*expected, tzinfo=zone)  # type: ignore[misc,arg-type]  # parts are a date's
    assert next_allowed(instant, NEW_YORK) == due


def test_quiet_hours_within_one_day_and_none_at_all() -> None:
    lunch = QuietHours(time(12), time(13))
    assert lunch.covers(time(12, 30))
    assert not lunch.covers(time(13))
    assert not lunch.covers(time(23))
    assert next_allowed(utc(2026, 7, 1, 12, 30), "UTC", lunch) == utc(2026, 7, 1, 13)
    never = QuietHours(time(5), time(5))
    assert next_allowed(utc(2026, 7, 1, 5), "UTC", never) == utc(2026, 7, 1, 5)


def test_quiet_hours_that_end_in_the_repeated_hour() -> None:
    quiet = QuietHours(time(21), time(1, 30))
    first, second = utc(2026, 11, 1, 5, 15), utc(2026, 11, 1, 6, 15)  # both 01:15 in New York
    assert next_allowed(first, NEW_YORK, quiet) == utc(2026, 11, 1, 5, 30)
    assert next_allowed(second, NEW_YORK, quiet) == utc(2026, 11, 1, 6, 30)


def test_quiet_hours_that_end_in_the_missing_hour_end_after_it() -> None:
    quiet = QuietHours(time(21), time(2, 30))
    night = utc(2026, 3, 8, 5)  # midnight in New York
    assert next_allowed(night, NEW_YORK, quiet) == utc(2026, 3, 8, 7)


def test_quiet_hours_need_an_instant() -> None:
    with pytest.raises(ValueError, match="time zone"):
        next_allowed(datetime(2026, 11, 16), NEW_YORK)  # noqa: DTZ001  # naive on purpose


# --- birthdays ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2008, 11, 16), date(2026, 11, 15), 17),
        (date(2008, 11, 16), date(2026, 11, 16), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 28), 19),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(2026, 11, 16), date(2026, 11, 16), 0),
    ],
)
def test_age_is_in_full_years(born: date, day: date, age: int) -> None:
    assert age_on(born, day) == age


def test_there_is_no_age_before_birth() -> None:
    with pytest.raises(ValueError, match="before birth"):
        age_on(date(2026, 11, 16), date(2026, 11, 15))


def test_a_leap_day_birthday_is_kept_on_the_first_of_march() -> None:
    assert birthday_in(date(2008, 2, 29), 2026) == date(2026, 3, 1)
    assert birthday_in(date(2008, 2, 29), 2028) == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("born", "zone", "age", "expected"),
    [
        (date(2008, 11, 16), NEW_YORK, 18, utc(2026, 11, 16, 5)),
        (date(2008, 11, 16), KATHMANDU, 18, utc(2026, 11, 15, 18, 15)),
        (date(2008, 2, 29), NEW_YORK, 18, utc(2026, 3, 1, 5)),
        (date(2007, 11, 16), NEW_YORK, 19, utc(2026, 11, 16, 5)),
        # Beirut springs forward at midnight: the day begins at 01:00.
        (date(2008, 3, 29), "Asia/Beirut", 18, utc(2026, 3, 28, 22)),
        # 30 December 2011 did not happen in Apia: the first instant after it.
        (date(1993, 12, 30), APIA, 18, utc(2011, 12, 30, 10)),
    ],
)
def test_majority_begins_at_midnight_where_the_person_lives(
    born: date, zone: str, age: int, expected: datetime
) -> None:
    assert majority_instant(born, zone, age) == expected
    assert local_today(expected, zone) >= birthday_in(born, born.year + age)


def test_a_unit_nobody_knows_is_not_guessed() -> None:
    odd = Delay(1, cast(DelayUnit, "fortnight"))
    with pytest.raises(AssertionError):
        odd.after(utc(2026, 11, 16), NEW_YORK)
