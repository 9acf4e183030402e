"""When a reminder is due: business days, quiet hours and clock changes, on the person's clock."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.calendars import DEFAULT_QUIET_HOURS, holidays_in
from referrals.reminders.rules import Audience, Moment, Rule, Wait, parse
from referrals.reminders.timing import (
    Occurrence,
    Person,
    Settings,
    considerate,
    due_at,
    occurrences,
)

NEW_YORK = "America/New_York"
PERSON = Person(UUID(int=1), NEW_YORK, "NY")


def local(day: date, clock: time, zone: str = NEW_YORK) -> datetime:
    return datetime.combine(day, clock, tzinfo=ZoneInfo(zone)).astimezone(UTC)


WEDNESDAY_NOON = local(date(2027, 1, 13), time(12))


def settings(
    *routine: str, urgent: tuple[str, ...] = (), quiet: bool = True, **more: str
) -> Settings:
    return Settings(
        rule=Rule.REFERRAL_WAITING,
        routine=routine,
        urgent=urgent,
        escalate_after=more.get("escalate_after", ""),
        urgent_escalate_after=more.get("urgent_escalate_after", ""),
        useful_for=timedelta(hours=72),
        keeps_quiet_hours=quiet,
    )


def wait(
    since: Moment | None = WEDNESDAY_NOON,
    until: Moment | None = None,
    *,
    ends_at: datetime | None = None,
    first_only: frozenset[Audience] = frozenset(),
) -> Wait:
    return Wait(
        Rule.REFERRAL_WAITING,
        "sent",
        since,
        until,
        (Audience.RECIPIENT, Audience.CLIENT),
        Audience.SENDER,
        first_only,
        None,
        ends_at,
    )


def planned(
    rule: Settings,
    on: Wait,
    audience: Audience = Audience.RECIPIENT,
    *,
    person: Person = PERSON,
    urgent: bool = False,
) -> list[Occurrence]:
    return occurrences(
        on,
        rule,
        audience,
        person,
        subject="referral:7",
        urgent=urgent,
        holidays=holidays_in(2027),
    )


def test_keys_say_what_is_meant_and_not_when_it_was_planned() -> None:
    found = planned(settings("0d", "2bd", "4bd"), wait())
    assert [each.base for each in found] == [
        "referral:7:sent:0d",
        "referral:7:sent:2bd",
        "referral:7:sent:4bd",
    ]


def test_business_days_are_those_of_the_person_and_skip_holidays() -> None:
    # Thursday, Friday; the Monday after is the Birthday of Martin Luther King, Jr.
    found = planned(settings("2bd", "4bd"), wait())
    assert [each.due_at for each in found] == [
        local(date(2027, 1, 15), time(12)),
        local(date(2027, 1, 20), time(12)),
    ]


def test_business_days_follow_the_persons_zone_over_the_date_line() -> None:
    auckland = Person(UUID(int=2), "Pacific/Auckland")
    (found,) = planned(settings("1bd"), wait(), person=auckland)
    # Noon on Wednesday in New York is six in the morning on Thursday there; Friday, at eight.
    assert found.due_at == local(date(2027, 1, 15), time(8), "Pacific/Auckland")


def test_urgent_has_its_own_offsets_and_does_not_wait_for_the_morning() -> None:
    rule = settings("2bd", urgent=("4h", "24h"))
    late = local(date(2027, 1, 13), time(20))
    assert [each.due_at for each in planned(rule, wait(late), urgent=True)] == [
        late + timedelta(hours=4),
        late + timedelta(hours=24),
    ]


def test_urgent_without_offsets_of_its_own_is_as_routine() -> None:
    assert [each.base for each in planned(settings("2bd"), wait(), urgent=True)] == [
        "referral:7:sent:2bd"
    ]


@pytest.mark.parametrize(
    ("urgent", "after", "urgent_after", "expected"),
    [
        (False, "4bd", "24h", ["referral:7:sent:escalation-4bd"]),
        (True, "4bd", "24h", ["referral:7:sent:escalation-24h"]),
        (True, "4bd", "", ["referral:7:sent:escalation-4bd"]),
        (False, "", "24h", []),
        (True, "", "", []),
    ],
)
def test_escalation_has_one_step_of_its_own(
    urgent: bool, after: str, urgent_after: str, expected: list[str]
) -> None:
    rule = settings("0d", "2bd", escalate_after=after, urgent_escalate_after=urgent_after)
    found = planned(rule, wait(), Audience.SENDER, urgent=urgent)
    assert [each.base for each in found] == expected


def test_who_is_told_once_gets_the_first_step_only() -> None:
    once = wait(first_only=frozenset({Audience.CLIENT}))
    assert len(planned(settings("0d", "2bd"), once, Audience.CLIENT)) == 1
    assert len(planned(settings("0d", "2bd"), once, Audience.RECIPIENT)) == 2


def test_offsets_below_zero_count_back_from_the_end_and_need_one() -> None:
    session = WEDNESDAY_NOON + timedelta(days=5)
    rule = settings("0d", "-24h")
    assert [each.due_at for each in planned(rule, wait(until=session))] == [
        WEDNESDAY_NOON,
        session - timedelta(hours=24),
    ]
    assert len(planned(rule, wait())) == 1
    assert len(planned(rule, wait(since=None, until=session))) == 1


def test_a_day_means_its_morning_where_the_person_lives() -> None:
    day = date(2027, 3, 1)
    rule = settings("-14d", "0d", "7d")
    (before, on, after) = planned(rule, wait(day, day))
    assert before.due_at == local(date(2027, 2, 15), time(9))
    assert on.due_at == local(day, time(9))
    assert after.due_at == local(date(2027, 3, 8), time(9))
    (_, elsewhere, _) = planned(
        rule, wait(day, day), person=Person(UUID(int=3), "America/Los_Angeles")
    )
    assert elsewhere.due_at == on.due_at + timedelta(hours=3)


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2027, 3, 13), 23),  # the clocks go forward on the 14th
        (date(2027, 11, 6), 25),  # and back on the 7th of November
        (date(2027, 6, 1), 24),
    ],
)
def test_days_keep_the_time_on_the_wall_over_a_clock_change(day: date, hours: int) -> None:
    start = local(day, time(12))
    due = due_at(start, parse("1d"), NEW_YORK, ())
    assert due == local(day + timedelta(days=1), time(12))
    assert due - start == timedelta(hours=hours)
    assert due_at(start, parse("24h"), NEW_YORK, ()) == start + timedelta(hours=24)


def test_half_hour_clock_changes() -> None:
    lord_howe = "Australia/Lord_Howe"
    day = date(2027, 4, 3)  # goes back half an hour in the night
    start = local(day, time(12), lord_howe)
    assert due_at(start, parse("1d"), lord_howe, ()) - start == timedelta(hours=24, minutes=30)


def test_useful_until_ends_with_the_reason() -> None:
    session = WEDNESDAY_NOON + timedelta(hours=30)
    (found,) = planned(settings("0d"), wait(ends_at=session))
    assert found.useful_until == session
    (unbounded,) = planned(settings("0d"), wait())
    assert unbounded.useful_until == WEDNESDAY_NOON + timedelta(hours=72)


# --- quiet hours --------------------------------------------------------------------------------

JANUARY = date(2027, 1, 13)


@pytest.mark.parametrize(
    ("clock", "moved_to"),
    [
        (time(20, 59), None),
        (time(21), (1, time(8))),
        (time(23, 30), (1, time(8))),
        (time(0), (0, time(8))),
        (time(7, 59), (0, time(8))),
        (time(8), None),
    ],
)
def test_nobody_is_disturbed_between_nine_and_eight(
    clock: time, moved_to: tuple[int, time] | None
) -> None:
    due = local(JANUARY, clock)
    expected = due
    if moved_to:
        expected = local(JANUARY + timedelta(days=moved_to[0]), moved_to[1])
    assert considerate(due, NEW_YORK, before=None) == expected


def test_a_rule_that_keeps_no_quiet_hours_is_due_at_night() -> None:
    night = local(JANUARY, time(3))
    (found,) = planned(settings("0d", quiet=False), wait(night))
    assert found.due_at == night


@pytest.mark.parametrize(
    ("session", "due", "expected"),
    [
        # Two hours before an early session: the evening before.
        (time(7), (0, time(5)), (-1, time(20, 45))),
        # The morning after the quiet hours is still before it: then.
        (time(9), (0, time(7)), (0, time(8))),
        (time(8), (0, time(6)), (-1, time(20, 45))),
        # A session in the night itself: the same evening.
        (time(23, 30), (0, time(21, 30)), (0, time(20, 45))),
    ],
)
def test_before_an_early_session_the_evening_before(
    session: time, due: tuple[int, time], expected: tuple[int, time]
) -> None:
    at = local(JANUARY, session)
    shifted = considerate(local(JANUARY + timedelta(days=due[0]), due[1]), NEW_YORK, before=at)
    assert shifted == local(JANUARY + timedelta(days=expected[0]), expected[1])


@given(
    st.integers(0, 4 * 365 * 24 * 60).map(lambda m: WEDNESDAY_NOON + timedelta(minutes=m)),
    st.sampled_from([NEW_YORK, "Pacific/Chatham", "Europe/London", "Australia/Lord_Howe", "UTC"]),
    st.one_of(st.none(), st.timedeltas(timedelta(minutes=1), timedelta(days=3))),
)
def test_never_in_quiet_hours_nor_after_the_end(
    due: datetime, zone: str, left: timedelta | None
) -> None:
    end = None if left is None else due + left
    found = considerate(due, zone, before=end)
    assert not DEFAULT_QUIET_HOURS.covers(found.astimezone(ZoneInfo(zone)).time())
    assert end is None or found < end
    assert timedelta(hours=-13) < found - due <= timedelta(hours=13)
