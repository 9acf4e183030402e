"""The catalogue against its specification, and what waits in every state of every subject."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.consent import ConsentState
from referrals.calendars import Delay, DelayUnit
from referrals.models.reminder import OFFSET
from referrals.reminders import rules
from referrals.reminders.rules import (
    CATALOGUE,
    Audience,
    CatalogueRow,
    ConsentFacts,
    CredentialFacts,
    EpisodeFacts,
    ReferralFacts,
    RestrictionFacts,
    Rule,
    Wait,
    parse,
    waits_of_consent,
    waits_of_credential,
    waits_of_episode,
    waits_of_referral,
    waits_of_restriction,
    written,
)
from referrals.states import TERMINAL, State

NOW = datetime(2027, 1, 13, 17, tzinfo=UTC)
SESSION = NOW + timedelta(days=3)

A = Audience
# The catalogue as it was specified: who, routine, urgent, escalates to, after, after when urgent.
SPECIFIED = {
    1: ({A.PT}, ["-7d", "-1d"], [], A.ADMIN, "3d", ""),
    2: ({A.PT}, ["0d", "-14d"], [], None, "", ""),
    3: ({A.PT}, ["1d", "3d", "7d"], [], A.ADMIN, "10d", ""),
    4: ({A.DECIDER}, ["0d", "2d", "7d", "14d"], ["0d", "1d"], A.ASKER, "14d", "2d"),
    5: ({A.RECIPIENT}, ["0d", "2bd", "4bd"], ["0d", "4h", "24h"], A.SENDER, "4bd", "24h"),
    6: ({A.SENDER, A.CLIENT}, ["0d", "2bd"], [], A.ADMIN, "4bd", ""),
    7: ({A.CLIENT, A.RECIPIENT}, ["3bd", "7bd"], ["1bd"], A.ADMIN, "14d", ""),
    8: ({A.CLIENT, A.RECIPIENT}, ["-24h", "-2h"], [], None, "", ""),
    9: ({A.RECIPIENT}, ["0d", "-24h"], [], A.SENDER, "3d", ""),
    12: ({A.PT, A.READER}, ["-14d", "0d", "7d"], [], A.ADMIN, "14d", ""),
    15: ({A.CLIENT, A.RECIPIENT, A.SENDER}, ["3d", "7d"], ["1d"], A.ADMIN, "14d", ""),
    17: ({A.DECIDER}, ["-30d", "-7d", "-1d"], [], None, "", ""),
    19: ({A.OWNER}, ["-60d", "-30d", "-7d", "0d"], [], A.ADMIN, "0d", ""),
    21: ({A.RECIPIENT}, ["30d", "60d"], ["7d"], A.SENDER, "90d", ""),
    23: ({A.SENDER}, ["0d", "2bd", "5bd"], ["0d", "1d"], None, "", ""),
    24: ({A.RECIPIENT}, ["0d", "1bd"], [], None, "", ""),
    25: ({A.READER, A.DISCLOSER}, ["0d"], [], None, "", ""),
    26: ({A.RECIPIENT}, ["1bd"], [], None, "", ""),
}


@pytest.mark.parametrize("number", sorted(SPECIFIED))
def test_catalogue_is_as_specified(number: int) -> None:
    row = CATALOGUE[Rule(number)]
    assert (
        set(row.audiences),
        list(row.routine),
        list(row.urgent),
        row.escalates_to,
        row.escalate_after,
        row.urgent_escalate_after,
    ) == SPECIFIED[number]


def test_catalogue_has_no_other_rule_and_every_key_once() -> None:
    assert {rule.value for rule in CATALOGUE} == set(SPECIFIED)
    assert len({row.key for row in CATALOGUE.values()}) == len(CATALOGUE)


def test_catalogue_keeps_quiet_hours_and_ends_only_notices_by_ticking_off() -> None:
    assert all(row.keeps_quiet_hours and row.by_mail for row in CATALOGUE.values())
    assert {row.rule for row in CATALOGUE.values() if row.notice} == {6, 25}


def test_the_document_shows_the_catalogue_as_it_is() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "reminders.md").read_text()
    expected = [_documented(row) for row in CATALOGUE.values()]
    assert [line for line in text.splitlines() if re.match(r"\| [0-9]+ \|", line)] == expected


def _documented(row: CatalogueRow) -> str:
    end = ""
    if row.escalates_to is not None:
        end = f"{row.escalates_to.value} {row.escalate_after}"
    if row.urgent_escalate_after:
        end += f", urgent {row.urgent_escalate_after}"
    who = " ".join(each.value for each in row.audiences)
    cells = [str(row.rule.value), row.title, who, " ".join(row.routine), " ".join(row.urgent), end]
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


@pytest.mark.parametrize("rule", list(Rule))
def test_every_offset_of_the_catalogue_is_one_the_form_takes(rule: Rule) -> None:
    row = CATALOGUE[rule]
    late = [row.escalate_after, row.urgent_escalate_after]
    for text in [*row.routine, *row.urgent, *filter(None, late)]:
        OFFSET(text)
        assert written(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("2bd", Delay(2, DelayUnit.BUSINESS_DAYS)),
        ("4h", Delay(4, DelayUnit.HOURS)),
        ("-24h", Delay(-24, DelayUnit.HOURS)),
        ("-7d", Delay(-7, DelayUnit.DAYS)),
        ("0d", Delay(0, DelayUnit.DAYS)),
    ],
)
def test_parse_reads_what_admins_write(text: str, delay: Delay) -> None:
    assert parse(text) == delay


@pytest.mark.parametrize(
    "text", ["", "d", "7", "7 d", "-2bd", "1.5d", "1000d", "7w", "7d\n", "\u0667d", "--1d"]
)
def test_parse_refuses_what_the_form_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="not an offset"):
        parse(text)
    with pytest.raises(Exception, match="Write it like"):
        OFFSET(text)


@given(st.integers(-999, 999), st.sampled_from([DelayUnit.HOURS, DelayUnit.DAYS]))
def test_written_and_parse_undo_each_other(amount: int, unit: DelayUnit) -> None:
    assert parse(written(Delay(amount, unit))) == Delay(amount, unit)


# --- referrals ----------------------------------------------------------------------------------

WAITS_BY_STATE = {
    State.DRAFT: set(),
    State.AWAITING_CONSENT: set(),  # its consent question is a subject of its own
    State.SENT: {Rule.REFERRAL_WAITING},
    State.VIEWED: {Rule.REFERRAL_WAITING},
    State.INFO_REQUESTED: {Rule.QUESTION_WAITING},
    State.ACCEPTED: {Rule.NOT_BOOKED, Rule.NOT_ACKNOWLEDGED},
    State.DECLINED: {Rule.REFERRAL_ENDED},
    State.SCHEDULED: {Rule.FIRST_SESSION, Rule.SESSION_TO_RECORD, Rule.NOT_ACKNOWLEDGED},
    State.NO_SHOW: {Rule.NOT_BOOKED, Rule.NOT_ACKNOWLEDGED},
    State.APPT_CANCELLED: {Rule.NOT_BOOKED, Rule.NOT_ACKNOWLEDGED},
    State.IN_PROGRESS: {Rule.REPORT_DUE, Rule.NOT_ACKNOWLEDGED},
    State.ON_HOLD: {Rule.NOT_ACKNOWLEDGED},
    State.CANCEL_REQUESTED: {Rule.CANCELLATION_ASKED},
    State.CANCELLED: set(),
    State.COMPLETED: set(),
    State.FAILED: {Rule.REFERRAL_ENDED},
    State.EXPIRED: {Rule.REFERRAL_ENDED},
    State.ENTERED_IN_ERROR: set(),
    State.DISCARDED: set(),
}


def facts(state: State, **more: object) -> ReferralFacts:
    values: dict[str, object] = {
        "state": state,
        "state_at": NOW,
        "first_session_at": SESSION,
        "unread_since": NOW - timedelta(hours=2),
    }
    return ReferralFacts(**(values | more))  # type: ignore[arg-type]  # names are given above


def test_every_state_of_a_referral_is_decided_on() -> None:
    assert set(WAITS_BY_STATE) == set(State)


@pytest.mark.parametrize("state", list(State))
def test_what_a_referral_waits_for(state: State) -> None:
    assert {wait.rule for wait in waits_of_referral(facts(state))} == WAITS_BY_STATE[state]


@pytest.mark.parametrize("state", list(State))
def test_nobody_is_asked_to_read_what_is_read(state: State) -> None:
    found = {wait.rule for wait in waits_of_referral(facts(state, unread_since=None))}
    assert found == WAITS_BY_STATE[state] - {Rule.NOT_ACKNOWLEDGED}


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_an_ended_referral_that_was_followed_up_waits_for_nothing(state: State) -> None:
    assert waits_of_referral(facts(state, followed_up=True, not_shared=True)) == ()


def one(waits: tuple[Wait, ...], rule: Rule) -> Wait:
    (found,) = [wait for wait in waits if wait.rule is rule]
    return found


def test_cancelled_because_nothing_is_shared_is_told_to_the_sender_only() -> None:
    wait = one(waits_of_referral(facts(State.CANCELLED, not_shared=True)), Rule.REFERRAL_ENDED)
    assert wait.audiences == (Audience.SENDER,)


@pytest.mark.parametrize("state", [State.DECLINED, State.EXPIRED])
def test_declined_and_expired_are_told_to_both_and_once_to_the_client(state: State) -> None:
    wait = one(waits_of_referral(facts(state)), Rule.REFERRAL_ENDED)
    assert wait.audiences == (Audience.SENDER, Audience.CLIENT)
    assert wait.first_only == {Audience.CLIENT}


def test_failed_is_told_to_the_sender_only() -> None:
    wait = one(waits_of_referral(facts(State.FAILED)), Rule.REFERRAL_ENDED)
    assert wait.audiences == (Audience.SENDER,)


def test_a_first_session_counts_back_from_its_time_and_ends_with_it() -> None:
    waits = waits_of_referral(facts(State.SCHEDULED))
    ahead, after = one(waits, Rule.FIRST_SESSION), one(waits, Rule.SESSION_TO_RECORD)
    assert (ahead.until, ahead.ends_at) == (SESSION, SESSION)
    assert ahead.holds_at(SESSION - timedelta(seconds=1))
    assert not ahead.holds_at(SESSION)
    assert (after.since, after.starts_at) == (SESSION, SESSION)
    assert not after.holds_at(SESSION - timedelta(seconds=1))
    assert after.holds_at(SESSION)


def test_reading_is_asked_for_before_the_session_only_where_one_is_booked() -> None:
    for state in (State.ACCEPTED, State.NO_SHOW, State.IN_PROGRESS):
        assert one(waits_of_referral(facts(state)), Rule.NOT_ACKNOWLEDGED).until is None
    booked = one(waits_of_referral(facts(State.SCHEDULED)), Rule.NOT_ACKNOWLEDGED)
    assert booked.until == SESSION
    assert booked.since == NOW - timedelta(hours=2)


# --- the other subjects -------------------------------------------------------------------------


def consent(state: ConsentState) -> tuple[Wait, ...]:
    return waits_of_consent(
        ConsentFacts(
            state=state,
            asked_at=NOW,
            changed_at=NOW + timedelta(hours=1),
            expires_at=SESSION,
            last_day=date(2027, 1, 15),
        )
    )


@pytest.mark.parametrize("state", list(ConsentState))
def test_what_a_consent_waits_for(state: ConsentState) -> None:
    expected = {
        ConsentState.REQUESTED: {Rule.CONSENT_ASKED},
        ConsentState.ACTIVE: {Rule.CONSENT_ENDING, Rule.SHARING_ENDED},
        ConsentState.EXPIRED: {Rule.CONSENT_ENDING, Rule.SHARING_ENDED},
        ConsentState.REVOKED: {Rule.SHARING_ENDED},
        ConsentState.ENDED: {Rule.SHARING_ENDED},
    }
    assert {wait.rule for wait in consent(state)} == expected.get(state, set())


def test_the_end_of_sharing_holds_from_the_end_and_its_warning_until_then() -> None:
    for state in (ConsentState.ACTIVE, ConsentState.EXPIRED):
        warning = one(consent(state), Rule.CONSENT_ENDING)
        ended = one(consent(state), Rule.SHARING_ENDED)
        before = SESSION - timedelta(microseconds=1)
        assert (warning.until, warning.ends_at) == (date(2027, 1, 15), SESSION)
        assert (warning.holds_at(before), warning.holds_at(SESSION)) == (True, False)
        assert (ended.holds_at(before), ended.holds_at(SESSION)) == (False, True)


def test_revoked_sharing_is_told_at_once() -> None:
    ended = one(consent(ConsentState.REVOKED), Rule.SHARING_ENDED)
    assert ended.since == NOW + timedelta(hours=1)
    assert ended.holds_at(NOW + timedelta(hours=1))


PLANNED, LAST = date(2027, 2, 1), date(2027, 1, 12)


@pytest.mark.parametrize(
    ("planned", "last", "expected"),
    [
        (None, None, {}),
        (PLANNED, None, {Rule.DISCHARGE_PLANNED: PLANNED}),
        (None, LAST, {Rule.NOTE_UNSIGNED: LAST}),
        (PLANNED, LAST, {Rule.DISCHARGE_PLANNED: PLANNED, Rule.NOTE_UNSIGNED: PLANNED}),
        (LAST, PLANNED, {Rule.DISCHARGE_PLANNED: LAST, Rule.NOTE_UNSIGNED: PLANNED}),
    ],
)
def test_what_an_episode_waits_for(
    planned: date | None, last: date | None, expected: dict[Rule, date]
) -> None:
    def waits(*, active: bool, signed: bool) -> dict[Rule, object]:
        found = waits_of_episode(EpisodeFacts(active, signed, planned, last))
        return {wait.rule: wait.since for wait in found}

    assert waits(active=True, signed=False) == expected
    assert waits(active=True, signed=True) == {}
    assert waits(active=False, signed=False) == {}


def test_a_restriction_in_force_waits_for_its_review_and_a_lifted_one_does_not() -> None:
    (wait,) = waits_of_restriction(RestrictionFacts(in_force=True, review_on=PLANNED))
    assert (wait.rule, wait.since, wait.until) == (Rule.RESTRICTION_REVIEW, PLANNED, PLANNED)
    assert waits_of_restriction(RestrictionFacts(in_force=False, review_on=PLANNED)) == ()


@pytest.mark.parametrize(
    ("counts", "renewed", "expires_on", "waits"),
    [
        (True, False, PLANNED, True),
        (False, False, PLANNED, False),
        (True, True, PLANNED, False),
        (True, False, None, False),
    ],
)
def test_only_a_credential_that_counts_and_is_not_renewed_waits(
    counts: bool, renewed: bool, expires_on: date | None, waits: bool
) -> None:
    found = waits_of_credential(CredentialFacts(counts, renewed, expires_on))
    assert [wait.rule for wait in found] == ([Rule.CREDENTIAL_EXPIRING] if waits else [])


def test_subjects_are_the_foreign_keys_of_a_reminder() -> None:
    from referrals.models import Reminder  # noqa: PLC0415 (only this test looks at the table)

    fields = {field.name for field in Reminder._meta.get_fields()}
    assert {subject.value for subject in rules.Subject} <= fields
