"""What signing demands: a full note has no gaps, and each gap is named where it is."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.discharge_rules import (
    GoalFacts,
    MeasuredFacts,
    NoteFacts,
    RestrictionFacts,
    missing,
    says_something,
)
from referrals.vocabulary import ClearanceLevel, GoalOutcome, Severity

TODAY = date(2027, 1, 13)
BOTH_ENDS = MeasuredFacts("lefs", "", frozenset({"start", "discharge"}))
FINE: Mapping[str, Any] = {}

COMPLETE = NoteFacts(
    today=TODAY,
    born_on=date(1990, 5, 4),
    body_region="knee",
    laterality="left",
    discharge_type="full",
    discharge_on=date(2027, 1, 12),
    reason="goals_met",
    diagnosis="Sore knee",
    first_visit_on=date(2026, 9, 1),
    last_visit_on=date(2027, 1, 12),
    visits_completed=12,
    pain_now=1,
    pain_worst=3,
    pain_best=0,
    functional_level="Climbs stairs.",
    home_programme="Squats.",
    follow_up="Train.",
    trainer_referral="yes",
    clearance="cleared_with_restrictions",
    restrictions_decision="listed",
    flare_up_plan="Rest.",
    return_criteria="Pain above four for a week.",
    future_contact="The clinic.",
    goals=(GoalFacts("Walk 5 km", "met"),),
    measured=(BOTH_ENDS,),
    restrictions=(RestrictionFacts("must_not", FINE),),
)


def gaps(**changes: Any) -> dict[str, list[str]]:
    return missing(replace(COMPLETE, **changes))


def restricted(*severities: str) -> tuple[RestrictionFacts, ...]:
    return tuple(RestrictionFacts(each, FINE) for each in severities)


def test_a_complete_note_has_no_gaps() -> None:
    assert missing(COMPLETE) == {}


MUSTS: list[tuple[str, Any]] = [
    ("discharge_type", ""),
    ("discharge_type", "half"),
    ("discharge_on", None),
    ("reason", ""),
    ("reason", "bored"),
    ("diagnosis", " \n"),
    ("diagnosis", "-"),
    ("body_region", ""),
    ("laterality", ""),
    ("first_visit_on", None),
    ("last_visit_on", None),
    ("visits_completed", None),
    ("visits_completed", 0),
    ("pain_now", None),
    ("pain_worst", None),
    ("pain_best", None),
    ("pain_worst", 11),
    ("functional_level", ""),
    ("home_programme", "  "),
    ("follow_up", ""),
    ("trainer_referral", ""),
    ("trainer_referral", "perhaps"),
    ("clearance", ""),
    ("restrictions_decision", ""),
    ("flare_up_plan", "."),
    ("return_criteria", ""),
    ("future_contact", ""),
    ("goals", ()),
]


@pytest.mark.parametrize(("field", "value"), MUSTS)
def test_a_must_field_without_content_is_the_only_gap_named(field: str, value: Any) -> None:
    found = gaps(**{field: value})
    assert list(found) == [field]
    assert all(text.endswith(".") for text in found[field])


def test_an_empty_note_names_every_must_in_the_order_it_is_written() -> None:
    empty = NoteFacts(today=TODAY, born_on=COMPLETE.born_on, body_region="", laterality="")
    assert list(missing(empty)) == [
        "discharge_type",
        "discharge_on",
        "reason",
        "diagnosis",
        "body_region",
        "first_visit_on",
        "last_visit_on",
        "visits_completed",
        "pain_now",
        "pain_worst",
        "pain_best",
        "functional_level",
        "goals",
        "measurements",
        "home_programme",
        "follow_up",
        "trainer_referral",
        "clearance",
        "restrictions_decision",
        "flare_up_plan",
        "return_criteria",
        "future_contact",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"discharge_on": TODAY + timedelta(days=1)}, "discharge_on"),
        ({"first_visit_on": date(1990, 5, 3)}, "first_visit_on"),
        ({"last_visit_on": date(2026, 8, 31)}, "last_visit_on"),
        ({"last_visit_on": TODAY}, "last_visit_on"),
        ({"last_visit_on": TODAY + timedelta(days=1), "discharge_on": None}, "last_visit_on"),
        ({"visits_completed": 1}, "visits_completed"),
        ({"pain_best": 4, "pain_now": 5}, "pain_best"),
        ({"pain_now": 4}, "pain_now"),
        ({"pain_best": 2, "pain_now": 1}, "pain_now"),
        ({"laterality": "midline"}, "laterality"),
        ({"body_region": "whole_body"}, "laterality"),
        ({"no_home_programme": True}, "home_programme"),
    ],
)
def test_what_cannot_be_is_named(changes: dict[str, Any], field: str) -> None:
    assert field in gaps(**changes)


def test_dates_on_one_day_are_in_order() -> None:
    day = TODAY
    same = gaps(first_visit_on=day, last_visit_on=day, discharge_on=day, visits_completed=1)
    assert same == {}


def test_a_first_visit_in_the_future_is_named() -> None:
    later = TODAY + timedelta(days=1)
    assert "first_visit_on" in gaps(first_visit_on=later, last_visit_on=later)


def test_pain_is_compared_only_where_it_is_known() -> None:
    assert list(gaps(pain_worst=None, pain_best=9)) == ["pain_worst", "pain_now"]
    assert list(gaps(pain_best=None, pain_now=9)) == ["pain_best", "pain_now"]
    assert list(gaps(pain_now=None, pain_worst=None, pain_best=None)) == [
        "pain_now",
        "pain_worst",
        "pain_best",
    ]


def test_a_region_without_sides_needs_none() -> None:
    assert gaps(body_region="whole_body", laterality="not_applicable") == {}
    assert gaps(body_region="lumbar", laterality="left") == {}


class TestGoals:
    def test_each_goal_needs_text_outcome_and_why_not(self) -> None:
        goals = (
            GoalFacts("Walk", "met"),
            GoalFacts("", "met"),
            GoalFacts("Run", ""),
            GoalFacts("Swim", "partly"),
            GoalFacts("Jump", "not_met", " "),
            GoalFacts("Row", "not_met", "No time."),
        )
        assert list(gaps(goals=goals)) == [
            "goals-1-text",
            "goals-2-outcome",
            "goals-3-why_not",
            "goals-4-why_not",
        ]

    def test_an_unknown_outcome_is_no_outcome(self) -> None:
        assert list(gaps(goals=(GoalFacts("Walk", "halfway"),))) == ["goals-0-outcome"]


class TestMeasures:
    START = MeasuredFacts("lefs", "", frozenset({"start"}))
    END = MeasuredFacts("nprs", "", frozenset({"discharge"}))
    BETWEEN = MeasuredFacts("nprs", "", frozenset({"interim"}))

    def test_a_full_note_needs_one_measure_at_both_ends(self) -> None:
        assert gaps(measured=(self.END, BOTH_ENDS)) == {}

    @pytest.mark.parametrize(
        ("measured", "sentences"),
        [
            ((), 2),
            ((BETWEEN,), 2),
            ((START,), 1),
            ((END,), 1),
            ((START, END), 1),
        ],
    )
    def test_a_full_note_says_which_end_is_missing(
        self, measured: tuple[MeasuredFacts, ...], sentences: int
    ) -> None:
        found = gaps(measured=measured, measures_missing_reason="No time.")
        assert list(found) == ["measurements"]
        assert len(found["measurements"]) == sentences

    def test_the_two_sides_of_a_body_are_two_series(self) -> None:
        left = MeasuredFacts("lsi", "left", frozenset({"start"}))
        right = MeasuredFacts("lsi", "right", frozenset({"discharge"}))
        assert list(gaps(measured=(left, right))) == ["measurements"]

    @pytest.mark.parametrize("measured", [(), (START,)])
    def test_a_quick_note_says_why_instead(self, measured: tuple[MeasuredFacts, ...]) -> None:
        silent = gaps(discharge_type="quick", measured=measured)
        assert list(silent) == ["measures_missing_reason"]
        assert (
            gaps(discharge_type="quick", measured=measured, measures_missing_reason="Did not come.")
            == {}
        )

    def test_a_quick_note_with_both_ends_explains_nothing(self) -> None:
        assert gaps(discharge_type="quick") == {}


class TestClearance:
    def test_no_restrictions_is_a_decision_of_its_own(self) -> None:
        assert gaps(restrictions=(), restrictions_decision="none", clearance="cleared_full") == {}

    def test_none_and_a_list_contradict_each_other(self) -> None:
        assert list(gaps(restrictions_decision="none")) == ["restrictions_decision"]

    def test_listed_without_a_list_is_no_decision(self) -> None:
        found = gaps(restrictions=(), clearance="cleared_general")
        assert list(found) == ["restrictions_decision"]

    def test_cleared_with_limits_needs_a_limit(self) -> None:
        found = gaps(restrictions=(), restrictions_decision="none")
        assert list(found) == ["clearance"]

    def test_who_is_not_cleared_does_not_go_to_a_trainer(self) -> None:
        assert list(gaps(clearance="not_cleared")) == ["clearance"]
        assert gaps(clearance="not_cleared", trainer_referral="no") == {}

    @pytest.mark.parametrize(
        ("level", "severities", "stands"),
        [
            ("cleared_full", ["caution"], True),
            ("cleared_full", ["limit"], False),
            ("cleared_full", ["caution", "must_not"], False),
            ("cleared_general", ["caution", "limit"], True),
            ("cleared_general", ["must_not"], False),
            ("cleared_with_restrictions", ["must_not", "limit"], True),
        ],
    )
    def test_a_level_stands_beside_milder_limits_only(
        self, level: str, severities: list[str], stands: bool
    ) -> None:
        found = gaps(clearance=level, restrictions=restricted(*severities))
        assert list(found) == ([] if stands else ["clearance"])


def test_an_invalid_restriction_is_named_by_its_place_not_its_content() -> None:
    wrong = RestrictionFacts("limit", {"review_on": ["Choose a review date after today."]})
    found = gaps(restrictions=(*restricted("must_not"), wrong))
    assert found == {"restrictions": ["Restriction 2: Choose a review date after today."]}


@pytest.mark.parametrize(
    ("text", "answer"), [("", False), (" . - ", False), ("x", True), ("7", True), ("é", True)]
)
def test_something_is_said_with_a_letter_or_a_digit(text: str, answer: bool) -> None:
    assert says_something(text) is answer


texts = st.sampled_from(["", "-", "Words."])
days = st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31))
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "body_region": st.sampled_from(["knee", "lumbar", "whole_body", "nose"]),
    "laterality": st.sampled_from(["left", "midline", "not_applicable", ""]),
    "discharge_type": st.sampled_from(["", "full", "quick"]),
    "discharge_on": days,
    "reason": st.sampled_from(["", "goals_met"]),
    "diagnosis": texts,
    "first_visit_on": days,
    "last_visit_on": days,
    "visits_completed": st.none() | st.integers(0, 3),
    "pain_now": st.none() | st.integers(0, 11),
    "pain_worst": st.none() | st.integers(0, 11),
    "pain_best": st.none() | st.integers(0, 11),
    "functional_level": texts,
    "measures_missing_reason": texts,
    "home_programme": texts,
    "no_home_programme": st.booleans(),
    "follow_up": texts,
    "trainer_referral": st.sampled_from(["", "yes", "no"]),
    "clearance": st.sampled_from(["", *ClearanceLevel.values]),
    "restrictions_decision": st.sampled_from(["", "listed", "none"]),
    "flare_up_plan": texts,
    "return_criteria": texts,
    "future_contact": texts,
    "goals": st.lists(
        st.builds(GoalFacts, texts, st.sampled_from(["", *GoalOutcome.values]), texts), max_size=2
    ).map(tuple),
    "measured": st.lists(
        st.builds(
            MeasuredFacts,
            st.just("lefs"),
            st.just(""),
            st.frozensets(st.sampled_from(["start", "interim", "discharge"])),
        ),
        max_size=1,
    ).map(tuple),
    "restrictions": st.lists(
        st.builds(RestrictionFacts, st.sampled_from(Severity.values), st.just(FINE)), max_size=2
    ).map(tuple),
}


@st.composite
def changed_notes(draw: st.DrawFn) -> NoteFacts:
    """The complete note with some of its fields rewritten; often it stays signable."""
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=6, unique=True))
    return replace(COMPLETE, **{name: draw(VALUES[name]) for name in names})


def test_the_drawn_notes_cover_every_fact() -> None:
    assert set(VALUES) | {"today", "born_on"} == {field.name for field in fields(NoteFacts)}


@given(changed_notes())
def test_a_note_without_gaps_holds_together(facts: NoteFacts) -> None:
    found = missing(facts)
    assert all(texts and all(texts) for texts in found.values())
    if found:
        return
    assert facts.first_visit_on
    assert facts.last_visit_on
    assert facts.discharge_on
    assert facts.first_visit_on <= facts.last_visit_on <= facts.discharge_on <= facts.today
    assert facts.pain_best is not None
    assert facts.pain_now is not None
    assert facts.pain_worst is not None
    assert facts.pain_best <= facts.pain_now <= facts.pain_worst <= 10
    assert facts.goals
    assert (facts.restrictions_decision == "listed") == bool(facts.restrictions)
    assert not (facts.clearance == "not_cleared" and facts.trainer_referral == "yes")


@given(changed_notes(), st.sampled_from(sorted(VALUES)))
def test_mending_a_field_leaves_no_gap_there(facts: NoteFacts, name: str) -> None:
    """Unless what stands elsewhere contradicts it."""
    contradictable = {
        *("clearance", "restrictions_decision", "last_visit_on", "visits_completed"),
        *("pain_best", "pain_now", "home_programme", "laterality", "first_visit_on"),
    }
    if name not in contradictable:
        assert name not in missing(replace(facts, **{name: getattr(COMPLETE, name)}))
