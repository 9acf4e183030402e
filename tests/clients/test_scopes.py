"""What may be shared, and the words for it."""

from __future__ import annotations

import hashlib
from dataclasses import FrozenInstanceError
from datetime import date, timedelta

import pytest

from clients.scopes import (
    DURATION_CHOICES_MONTHS,
    MAX_DURATION_DAYS,
    MAX_DURATION_MONTHS,
    NOTICE_VERSION,
    NOTICES,
    SUGGESTED,
    Scope,
    add_months,
    check_expiry,
    fill,
    latest_expiry,
    notice,
    parse,
    sharing_summary,
)
from handoff.core.errors import Invalid

# The words under which people consented. A changed hash here means a wording was edited that
# may already have been shown: add a new version instead.
SHOWN = {
    "2026-11": "88e7f3a1d5cf7e9e47807729bd8d12124099e3aa77a58a63332537b6b1b512b3",
    "2026-11-reports": "141d66c5881d692660f68427623ced6dd3d7bf3af3f0966d5ee37b21b9004cd8",
}


def test_seven_classes_by_the_names_of_the_api() -> None:
    assert Scope.values == [
        "contact",
        "clearance",
        "restrictions",
        "history",
        "outcomes",
        "note",
        "training_feedback",
    ]


def test_the_suggested_set_names_no_condition() -> None:
    assert {"contact", "clearance", "restrictions", "training_feedback"} == SUGGESTED


def test_shown_wordings_stay_as_they_were() -> None:
    assert {version: shown.digest() for version, shown in NOTICES.items()} == SHOWN


def test_the_current_notice_is_found_by_default_and_old_ones_by_version() -> None:
    assert notice() is notice(NOTICE_VERSION)
    assert notice().version == NOTICE_VERSION
    for version, shown in NOTICES.items():
        assert notice(version) is shown
        assert shown.version == version
    with pytest.raises(KeyError):
        notice("1999-01")


@pytest.mark.parametrize("version", NOTICES)
def test_a_notice_explains_every_class_with_both_names(version: str) -> None:
    shown = notice(version)
    told = {Scope.TRAINING_FEEDBACK} if shown.is_of_reports else set(Scope)
    assert set(shown.scopes) == told
    for scope in told:
        text = shown.text_for(scope, recipient="Tom Okafor", discloser="Priya Raman")
        joined = " ".join((text.title, text.question, text.meaning))
        assert "{" not in joined
        assert "Tom Okafor" in text.question
        assert text.question.endswith("?")
        assert text.title
        assert text.meaning.endswith(".")


@pytest.mark.parametrize("version", NOTICES)
def test_a_notice_says_what_the_law_asks_for(version: str) -> None:
    shown = notice(version)
    assert "HIPAA" in shown.redisclosure
    assert "passed on" in shown.redisclosure
    assert shown.purpose
    if shown.is_of_reports:  # to somebody who keeps treatment records, by the rules for these
        assert "rules for such records" in shown.redisclosure
        assert any("tell it yourself" in line for line in shown.if_you_say_no)
    else:
        assert "Federal Trade Commission" in shown.redisclosure
        assert any("stays the same" in line for line in shown.if_you_say_no)
    assert any("never why" in line for line in shown.if_you_say_no)
    assert any("any day" in line for line in shown.if_you_change_your_mind)
    assert any("cannot be unread" in line for line in shown.if_you_change_your_mind)
    assert any("write to" in line for line in shown.if_you_change_your_mind)
    assert any("Insurance" in line for line in shown.never_shared)
    assert len(shown.never_shared) == 5
    assert "receipt" in shown.copy


def test_the_hash_is_that_of_the_canonical_text_and_moves_with_any_word() -> None:
    shown = notice()
    assert shown.digest() == hashlib.sha256(shown.canonical().encode()).hexdigest()
    lines = [
        shown.purpose,
        *shown.never_shared,
        *shown.if_you_say_no,
        *shown.if_you_change_your_mind,
        shown.redisclosure,
        shown.copy,
        *(part for text in shown.scopes.values() for part in (text.title, text.question)),
        *(text.meaning for text in shown.scopes.values()),
    ]
    for line in lines:
        assert line.replace("“", "\\u201c").replace("”", "\\u201d") in shown.canonical()


def test_a_notice_cannot_be_edited() -> None:
    with pytest.raises(FrozenInstanceError):
        notice().purpose = "other"  # type: ignore[misc]  # refused, as it should be
    with pytest.raises(TypeError):
        notice().scopes[Scope.NOTE] = notice().scopes[Scope.CONTACT]  # type: ignore[index]  # same
    with pytest.raises(TypeError):
        NOTICES["2026-11"] = notice()  # type: ignore[index]  # same


def test_a_name_that_looks_like_a_placeholder_stays_a_name() -> None:
    filled = fill("{recipient} asks {discloser}", recipient="{discloser}", discloser="{0.x}")
    assert filled == "{discloser} asks {0.x}"
    assert fill("{other} %s", recipient="a", discloser="b") == "{other} %s"


# --- how long -----------------------------------------------------------------------------------


def test_months_are_calendar_months_and_end_with_the_month() -> None:
    assert add_months(date(2026, 11, 16), 6) == date(2027, 5, 16)
    assert add_months(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert add_months(date(2027, 11, 30), 3) == date(2028, 2, 29)
    assert add_months(date(2026, 12, 31), 12) == date(2027, 12, 31)
    assert add_months(date(2028, 2, 29), 12) == date(2029, 2, 28)


def test_the_longest_time_is_a_year_and_the_choices_fit_in() -> None:
    assert DURATION_CHOICES_MONTHS == (3, 6, 12)
    assert max(DURATION_CHOICES_MONTHS) <= MAX_DURATION_MONTHS
    for day in (date(2026, 1, 1), date(2027, 3, 1), date(2028, 2, 29)):
        assert (latest_expiry(day) - day).days <= MAX_DURATION_DAYS
    assert (latest_expiry(date(2027, 3, 1)) - date(2027, 3, 1)).days == MAX_DURATION_DAYS


def test_expiry_lies_after_today_and_within_the_longest_time() -> None:
    today = date(2026, 11, 16)
    check_expiry(today + timedelta(days=1), today=today)
    check_expiry(date(2027, 11, 16), today=today)
    check_expiry(date(2028, 11, 16), today=today, max_months=24)
    for wrong in (today, today - timedelta(days=1), date(2027, 11, 17)):
        with pytest.raises(Invalid) as refused:
            check_expiry(wrong, today=today)
        assert list(refused.value.errors) == ["expires_on"]


# --- what was chosen ----------------------------------------------------------------------------


def test_summary_splits_and_counts_in_the_order_of_the_page() -> None:
    chosen = sharing_summary([Scope.NOTE, Scope.RESTRICTIONS, Scope.NOTE])
    assert chosen.shared == (Scope.RESTRICTIONS, Scope.NOTE)
    assert len(chosen.withheld) == 5
    assert set(chosen.shared) | set(chosen.withheld) == set(Scope)
    assert str(chosen) == "Shares 2 of 7 parts: What to avoid for now, Closing note."


def test_empty_means_nothing_and_everything_says_so() -> None:
    assert str(sharing_summary([])) == "Shares nothing."
    assert sharing_summary([]).withheld == tuple(notice().scopes)
    assert str(sharing_summary(Scope)) == "Shares all 7 parts."
    assert sharing_summary(Scope).withheld == ()


def test_parse_takes_known_names_only() -> None:
    assert parse(["note", "contact", "note"]) == {Scope.NOTE, Scope.CONTACT}
    assert parse([]) == frozenset()
    with pytest.raises(Invalid) as refused:
        parse(["note", "everything", "x" * 500])
    assert len(refused.value.errors["scopes"]) == 2
    assert "everything" in refused.value.errors["scopes"][0]
    assert len(refused.value.errors["scopes"][1]) < 100
