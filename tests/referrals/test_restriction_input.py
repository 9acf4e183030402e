"""From what a therapist typed to a restriction, or complaints by field."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from handoff.core.errors import Invalid
from referrals import criteria, restriction_input
from referrals.models import (
    RestrictionVersion,
)
from referrals.vocabulary import (
    PT_REVIEW,
    Comparator,
    Criterion,
    CriterionKind,
    Laterality,
    Pattern,
    RestrictionKind,
    Unit,
)
from tests.factories import (
    NOON,
)
from tests.referrals.scenes import LIGHT_LOADS, NO_PRESSING

TODAY = date(2027, 1, 13)
LATER = NOON + timedelta(days=7)


def test_a_form_s_texts_become_a_restriction() -> None:
    wanted = restriction_input.read(LIGHT_LOADS, today=TODAY)
    spec = wanted.spec
    assert spec.kind is RestrictionKind.LIMIT_LOAD
    assert (spec.comparator, spec.value, spec.unit) == (Comparator.LE, Decimal(10), Unit.KG)
    assert spec.patterns == (Pattern.PULL_HORIZONTAL, Pattern.CARRY)
    assert spec.criteria == (
        Criterion(CriterionKind.TEST, "Row", Comparator.GE, Decimal(20), Unit.KG),
    )
    assert spec.review_on == date(2027, 3, 1)


def test_typed_values_are_taken_as_they_are() -> None:
    base = restriction_input.read(LIGHT_LOADS, today=TODAY)
    assert restriction_input.read({}, today=TODAY, base=base) == base


def test_what_is_left_out_stays_and_what_is_emptied_goes() -> None:
    base = restriction_input.read(NO_PRESSING, today=TODAY)
    changed = restriction_input.read({"instead": "", "wording": "No."}, today=TODAY, base=base)
    assert (changed.spec.instead, changed.spec.wording) == ("", "No.")
    assert changed.rationale == base.rationale


def test_a_region_without_sides_is_stored_without_one() -> None:
    data = {**NO_PRESSING, "body_region": "lumbar", "laterality": ""}
    assert restriction_input.read(data, today=TODAY).spec.laterality == "not_applicable"


def test_a_criterion_without_a_number_is_something_to_see() -> None:
    data = {**NO_PRESSING, "criteria": [{"measure": "Arm swings freely"}]}
    (criterion,) = restriction_input.read(data, today=TODAY).spec.criteria
    assert criterion == Criterion(CriterionKind.OBSERVATION, "Arm swings freely")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"kind": ""}, {"kind"}),
        ({"kind": "forbid"}, {"kind"}),
        ({"severity": None}, {"severity"}),
        ({"body_region": ""}, {"body_region"}),
        ({"laterality": ""}, {"laterality"}),
        ({"patterns": "squat"}, {"patterns"}),
        ({"patterns": ["squat", "fly"]}, {"patterns"}),
        ({"patterns": [7]}, {"patterns"}),
        ({"joint_action": "wiggle"}, {"joint_action"}),
        ({"value": "ten"}, {"value"}),
        ({"value": ""}, {"value"}),
        ({"value": "501"}, {"value"}),
        ({"unit": "deg"}, {"unit"}),
        ({"unit": ""}, {"unit"}),
        ({"wording": "x" * 301}, {"wording"}),
        ({"instead": "x" * 301}, {"instead"}),
        ({"rationale": "x" * 2001}, {"rationale"}),
        ({"criteria": []}, {"criteria"}),
        ({"criteria": "PT review"}, {"criteria"}),
        ({"criteria": ["PT review"]}, {"criteria"}),
        ({"criteria": [{"kind": "pt_review"}] * 11}, {"criteria"}),
        ({"criteria": [{"measure": "Row", "value": "much"}]}, {"criteria"}),
        ({"criteria": [{"measure": "Row", "who": "me"}]}, {"criteria"}),
        ({"review_on": ""}, {"review_on"}),
        ({"review_on": TODAY}, {"review_on"}),
        ({"authority": "coach"}, {"authority"}),
        ({"authority": "surgeon_order"}, {"authority_name", "authority_on"}),
        ({"authority_name": "x" * 121}, {"authority_name"}),
        ({"status": "lifted"}, {"status"}),
        ({"kind": "", "review_on": "soon", "unit": "mile"}, {"kind", "review_on", "unit"}),
    ],
)
def test_each_complaint_is_at_its_field(changes: dict[str, Any], fields: set[str]) -> None:
    data = {**LIGHT_LOADS, **changes}
    with pytest.raises(Invalid) as caught:
        restriction_input.read(data, today=TODAY)
    assert set(caught.value.errors) == fields
    assert restriction_input.findings(data, today=TODAY).errors == caught.value.errors


def test_doubts_are_shown_and_stop_nothing() -> None:
    data = {**NO_PRESSING, "wording": "After the labrum repair."}
    assert restriction_input.read(data, today=TODAY).spec.wording
    assert set(restriction_input.findings(data, today=TODAY).warnings) == {"wording"}


def test_widths_are_those_of_the_columns() -> None:
    columns = {field.name: field for field in RestrictionVersion._meta.concrete_fields}
    assert columns["wording"].max_length == restriction_input.MOST_WORDING
    assert columns["instead"].max_length == restriction_input.MOST_WORDING
    assert columns["rationale"].max_length == restriction_input.MOST_RATIONALE
    assert columns["authority_name"].max_length == restriction_input.MOST_NAME


def test_criteria_come_back_from_the_column_as_they_went_in() -> None:
    given = (
        PT_REVIEW,
        Criterion(
            CriterionKind.TEST,
            "Single-leg hop",
            Comparator.GE,
            Decimal("90.5"),
            Unit.PCT,
            Laterality.LEFT,
        ),
    )
    assert criteria.from_json(criteria.to_json(given)) == given
