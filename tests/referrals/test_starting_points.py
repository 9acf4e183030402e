"""Every template, by the rules a typed restriction meets; and what it says to a trainer."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import cast

import pytest

from handoff.core.errors import Invalid
from referrals import restriction_input, wording
from referrals.measures import BY_CODE, MeasureUnit
from referrals.starting_points import TEMPLATES, Template, Wish, chosen, fitting_first, offer
from referrals.vocabulary import (
    PAIRED,
    BodyRegion,
    Comparator,
    Criterion,
    CriterionKind,
    Unit,
    criterion_problems,
    diagnosis_words,
)

TODAY = date(2027, 1, 13)
EACH = pytest.mark.parametrize("template", TEMPLATES, ids=lambda each: each.key)


def data_of(template: Template, laterality: str = "left") -> dict[str, Mapping[str, object]]:
    side = laterality if template.regions[0] in PAIRED else "not_applicable"
    found = offer(template, laterality=side, surgery_on=None, today=TODAY)
    return {each.key: each.data for each in found.limits}


def test_the_six_conditions_are_there_under_keys_of_their_own() -> None:
    assert [each.key for each in TEMPLATES] == [
        *("acl", "rotator_cuff", "low_back", "ankle_sprain", "meniscus", "hamstring")
    ]
    for template in TEMPLATES:
        for parts in (template.limits, template.gates):
            keys = [each.key for each in parts]
            assert len(set(keys)) == len(keys)
            assert not any("-" in key for key in keys)  # a key is part of a field's name


@EACH
def test_each_limit_is_one_a_therapist_could_type(template: Template) -> None:
    """What is left open is the only thing missing; filled in, nothing is wrong or doubtful."""
    for limit in template.limits:
        data = data_of(template)[limit.key]
        found = restriction_input.findings(data, today=TODAY)
        assert set(found.errors) == set(limit.open), (limit.key, found.errors)
        assert found.warnings == {}, limit.key
        whole = {**data, **dict.fromkeys(limit.open, "10")}
        wanted = restriction_input.read(whole, today=TODAY)
        assert wording.sentence(wanted.spec)
        assert wanted.spec.criteria


@EACH
def test_each_number_has_a_source_and_each_source_a_year_or_an_archive(template: Template) -> None:
    for limit in template.limits:
        numbers = [limit.entries.get("value")] + [
            each.get("value")
            for each in cast("list[dict[str, str]]", limit.entries.get("criteria", []))
        ]
        if any(numbers):
            assert limit.source, limit.key
        if limit.wait is not None:
            assert limit.wait.source, limit.key
            assert limit.wait.weeks or limit.wait.months
    for gate in template.gates:
        if gate.value or any(word in gate.test.lower() for word in ("month", "week")):
            assert gate.source, gate.key
        assert not (gate.is_open and gate.source), "a number of the therapist's has no other source"
    named = [*(each.source for each in template.limits), *(each.source for each in template.gates)]
    named += [each.wait.source for each in template.limits if each.wait]
    for source in filter(None, named):
        assert any(sign in source for sign in ("20", "PMC", "weeks")), source


@EACH
def test_each_gate_is_a_measure_of_ours_or_a_test_in_words(template: Template) -> None:
    for gate in template.gates:
        assert bool(gate.measure) != bool(gate.test), gate.key
        if gate.measure:
            measure = BY_CODE[gate.measure]
            assert gate.comparator is not None
            assert gate.comparator is not Comparator.BETWEEN
            expected = Unit.PCT if measure.unit is MeasureUnit.PERCENT else Unit.POINTS
            assert gate.unit is expected, gate.key
            if gate.value:
                assert measure.low <= Decimal(gate.value) <= measure.high
        else:
            assert gate.comparator is None
            assert gate.unit is None
            assert not gate.value
            kind = CriterionKind.OBSERVATION
            assert criterion_problems(Criterion(kind, gate.test)) == []


@EACH
def test_what_others_read_names_no_condition(template: Template) -> None:
    """A trainer may read gates without "What happened": neither words nor sources tell it."""
    for gate in template.gates:
        assert diagnosis_words(gate.test) == ()
        assert diagnosis_words(gate.source) == ()
    for limit in template.limits:
        for name in ("wording", "instead"):
            assert diagnosis_words(str(limit.entries[name])) == ()


class TestOffers:
    def test_the_side_is_that_of_the_episode(self) -> None:
        for side in ("left", "right", "bilateral"):
            found = offer(TEMPLATES[0], laterality=side, surgery_on=None, today=TODAY)
            assert {each.data["laterality"] for each in found.limits} == {side}
            assert all("laterality" not in each.asked for each in found.limits)

    def test_a_side_the_region_does_not_have_is_asked_for_or_left_out(self) -> None:
        knee = offer(TEMPLATES[0], laterality="not_applicable", surgery_on=None, today=TODAY)
        assert all("laterality" in each.missing for each in knee.limits)
        assert all("laterality" in each.asked for each in knee.limits)
        back = offer(TEMPLATES[2], laterality="left", surgery_on=None, today=TODAY)
        assert {each.data["laterality"] for each in back.limits} == {"left"}
        back = offer(TEMPLATES[2], laterality="nonsense", surgery_on=None, today=TODAY)
        assert {each.data["laterality"] for each in back.limits} == {"not_applicable"}

    def test_a_sided_gate_takes_one_side_only(self) -> None:
        def sides(laterality: str) -> set[object]:
            found = offer(TEMPLATES[3], laterality=laterality, surgery_on=None, today=TODAY)
            return {each.data["side"] for each in found.gates if each.gate.is_sided}

        assert sides("right") == {"right"}
        assert sides("bilateral") == {""}

    def test_the_wait_counts_from_the_operation_while_it_lasts(self) -> None:
        def earliest(surgery_on: date | None) -> object:
            found = offer(TEMPLATES[0], laterality="left", surgery_on=surgery_on, today=TODAY)
            return next(each for each in found.limits if each.key == "pivot").data.get(
                "earliest_lift_on"
            )

        assert earliest(date(2026, 11, 30)) == date(2027, 8, 30)
        assert earliest(date(2026, 4, 13)) is None  # over today
        assert earliest(None) is None

    def test_what_is_filled_in_counts_only_where_it_is_asked(self) -> None:
        typed = {"value": "20", "review_on": "2027-02-01", "laterality": "right", "kind": "avoid"}
        wish = Wish("acl", {"land": typed, "pain": typed})
        found = {
            each.key: each
            for each in offer(
                TEMPLATES[0], laterality="left", surgery_on=None, today=TODAY, filled=wish
            ).limits
        }
        land, pain = found["land"].data, found["pain"].data
        assert (land["value"], land["review_on"]) == ("20", "2027-02-01")
        assert (land["laterality"], land["kind"]) == ("left", "limit_impact")
        assert pain["value"] == "5"  # it has its source
        assert found["run"].data["review_on"] == TODAY + timedelta(weeks=6)

    def test_a_gate_left_open_takes_the_number_and_no_source(self) -> None:
        wish = Wish("acl", gates={"hop": {"value": "70"}})
        found = offer(TEMPLATES[0], laterality="left", surgery_on=None, today=TODAY, filled=wish)
        hop = next(each for each in found.gates if each.key == "hop")
        assert (hop.data["value"], hop.data["source"]) == ("90", hop.gate.source)
        wish = Wish("meniscus", gates={"hop": {"value": "85"}})
        found = offer(TEMPLATES[4], laterality="left", surgery_on=None, today=TODAY, filled=wish)
        hop = next(each for each in found.gates if each.key == "hop")
        assert (hop.data["value"], hop.data["source"]) == ("85", "")
        assert hop.sentence == "Hop, side against side (LSI), at least ..."

    def test_those_of_the_region_come_first(self) -> None:
        knee = fitting_first("knee")
        assert [each.key for each, fits in knee if fits] == ["acl", "meniscus", "hamstring"]
        assert [fits for _, fits in knee] == [True, True, True, False, False, False]
        assert len(fitting_first("elbow")) == 6
        assert all(isinstance(each, BodyRegion) for each in TEMPLATES[0].regions)

    def test_a_key_that_is_none(self) -> None:
        assert chosen("acl") is TEMPLATES[0]
        assert chosen("nose") is None
        assert chosen(None) is None


def test_a_limit_left_open_cannot_be_kept() -> None:
    """The control: the open number is really missing, not taken for nought."""
    with pytest.raises(Invalid) as refused:
        restriction_input.read(data_of(TEMPLATES[1])["load"], today=TODAY)
    assert set(refused.value.errors) == {"value"}
