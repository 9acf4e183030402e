"""Every wait of the specification, as it stands there."""

from __future__ import annotations

import pytest

from referrals.calendars import Delay
from referrals.states import EDGES, OPEN, Kind, Party, State, Verb, edge
from referrals.waits import TIMEOUTS, Anchor, Limit, Timeout, Wait, waits_of

# wait: routine nudges; urgent nudges; routine limit; urgent limit; verb; who is told
SPECIFIED = {
    "consent": ("2 d, 7 d, 14 d", "1 d", "21 d", "21 d", "expire", "sender"),
    "answer": ("2 bd, 4 bd", "4 h, 24 h", "7 bd", "48 h", "expire", "sender client"),
    "information": ("2 bd, 5 bd", "1 d", "10 bd", "10 bd", "expire", "sender"),
    "booking": ("3 bd, 7 bd", "1 bd", "14 d", "14 d", "", "admin"),
    "appointment": ("-24 h, -2 h", "-24 h, -2 h", "1 bd", "1 bd", "", "recipient"),
    "no_show": ("1 bd", "1 bd", "", "", "", "sender"),
    "report": ("30 d, 60 d", "7 d", "90 d", "90 d", "", "recipient"),
    "pt_visit": ("3 d, 7 d", "1 d", "14 d", "14 d", "", "sender client admin"),
    "cancellation": ("1 bd", "1 bd", "2 bd", "2 bd", "confirm-cancel", "sender client"),
}


def _texts(delays: tuple[Delay, ...]) -> str:
    return ", ".join(map(str, delays))


@pytest.mark.parametrize("wait", Wait)
def test_wait_is_the_specified_one(wait: Wait) -> None:
    row = TIMEOUTS[wait]
    routine, urgent, limit, urgent_limit, verb, tell = SPECIFIED[wait.value]
    assert row.wait is wait
    assert _texts(row.nudges(urgent=False)) == routine
    assert _texts(row.nudges(urgent=True)) == urgent
    spans = [str(row.limit.span(urgent=hurry)) if row.limit else "" for hurry in (False, True)]
    assert spans == [limit, urgent_limit]
    assert (row.verb or "") == verb
    assert row.tell == {Party(name) for name in tell.split()}
    assert row.then
    assert str(wait.label)


def test_only_the_second_missed_session_is_counted_instead_of_timed() -> None:
    counted = {row.wait: row.after_times for row in TIMEOUTS.values() if row.after_times}
    assert counted == {Wait.NO_SHOW: 2}


def test_only_the_appointment_counts_from_the_booked_time() -> None:
    booked = {row.wait for row in TIMEOUTS.values() if row.anchor is Anchor.APPOINTMENT}
    assert booked == {Wait.APPOINTMENT}
    for row in TIMEOUTS.values():
        if row.anchor is Anchor.ENTERED:
            assert all(delay.amount > 0 for delay in row.routine + row.urgent)


@pytest.mark.parametrize("row", TIMEOUTS.values(), ids=lambda row: row.wait)
def test_what_the_system_does_in_the_end_is_an_edge_it_may_walk(row: Timeout) -> None:
    assert row.states <= OPEN
    if row.verb is not None:
        for state in row.states:
            assert edge(source=state, verb=row.verb, party=Party.SYSTEM).target != state


def test_every_step_the_system_takes_by_the_clock_has_its_wait() -> None:
    timed = {Verb.EXPIRE, Verb.CONFIRM_CANCEL}
    walked = {(state, row.verb) for row in TIMEOUTS.values() for state in row.states if row.verb}
    assert walked == {
        (step.source, step.verb)
        for step in EDGES
        if step.verb in timed and Party.SYSTEM in step.parties
    }


def test_waits_of_a_referral_depend_on_its_kind() -> None:
    assert [row.wait for row in waits_of(State.SENT, Kind.DISCHARGE_HANDOFF)] == [Wait.ANSWER]
    assert [row.wait for row in waits_of(State.SENT, Kind.REFER_OUT)] == [
        Wait.ANSWER,
        Wait.PT_VISIT,
    ]
    assert waits_of(State.COMPLETED, Kind.REFER_OUT) == ()
    assert waits_of(State.DRAFT, Kind.REFER_OUT) == ()


def test_a_limit_without_an_urgent_span_is_the_same_when_urgent() -> None:
    day = TIMEOUTS[Wait.CONSENT].routine[0]
    assert Limit(day).span(urgent=True) == day
