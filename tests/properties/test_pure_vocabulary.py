"""What holds for every restriction that can be built, sensible or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import assume, event, given
from hypothesis import strategies as st

from referrals import wording
from referrals.vocabulary import (
    KIND_RULES,
    PAIRED,
    PT_REVIEW,
    RANGE_FOR_UNIT,
    Authority,
    Comparator,
    Criterion,
    CriterionKind,
    JointAction,
    Laterality,
    Pattern,
    RestrictionKind,
    RestrictionSpec,
    Revision,
    Severity,
    Unit,
    WeightBearing,
    check,
    compare,
    needs_pt_act,
    strictest,
)
from referrals.vocabulary.terms import BodyRegion

TODAY = date(2026, 11, 16)
OPPOSITE = {
    Revision.TIGHTENS: Revision.LOOSENS,
    Revision.LOOSENS: Revision.TIGHTENS,
    Revision.SAME: Revision.SAME,
    Revision.UNCLEAR: Revision.UNCLEAR,
}


def pick(listed: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(list(listed))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


NUMBERS = st.decimals(allow_nan=True, allow_infinity=True) | st.integers(-5, 400).map(Decimal)
DATES = maybe(st.dates(TODAY - timedelta(days=900), TODAY + timedelta(days=900)))
CRITERIA = st.lists(
    st.builds(
        Criterion,
        kind=pick(CriterionKind),
        measure=st.text(max_size=150),
        comparator=maybe(pick(Comparator)),
        value=maybe(NUMBERS),
        unit=maybe(pick(Unit)),
        side=maybe(pick(Laterality)),
    ),
    max_size=3,
).map(tuple)
ANYTHING = st.builds(
    RestrictionSpec,
    kind=pick(RestrictionKind),
    severity=pick(Severity),
    body_region=pick(BodyRegion),
    laterality=maybe(pick(Laterality)),
    patterns=st.lists(pick(Pattern), max_size=4).map(tuple),
    joint_action=maybe(pick(JointAction)),
    comparator=maybe(pick(Comparator)),
    value=maybe(NUMBERS),
    value_high=maybe(NUMBERS),
    unit=maybe(pick(Unit)),
    weight_bearing=maybe(pick(WeightBearing)),
    wording=st.text(max_size=350),
    instead=st.text(max_size=350),
    criteria=CRITERIA,
    review_on=DATES,
    earliest_lift_on=DATES,
    authority=pick(Authority),
    authority_name=st.text(max_size=150),
    authority_on=DATES,
)


@st.composite
def sound(draw: st.DrawFn) -> RestrictionSpec:
    """A restriction built to pass, over every kind, unit, comparison, side and movement."""
    kind = draw(pick(RestrictionKind))
    rule = KIND_RULES[kind]
    region = draw(pick(BodyRegion))
    laterality = Laterality.NOT_APPLICABLE
    if region in PAIRED:
        laterality = draw(pick([Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL]))
    spec = RestrictionSpec(
        kind=kind,
        severity=draw(pick(sorted(rule.severities))),
        body_region=region,
        laterality=laterality,
        patterns=draw(st.lists(pick(Pattern), min_size=1, max_size=3, unique=True).map(tuple)),
        wording="keep it light",
        criteria=(PT_REVIEW,),
        review_on=TODAY + timedelta(days=30),
    )
    if kind is RestrictionKind.LIMIT_ROM:
        spec = replace(spec, joint_action=draw(pick(JointAction)))
    if kind is RestrictionKind.WEIGHT_BEARING:
        share = draw(st.integers(1, 99).map(Decimal))
        spec = replace(spec, weight_bearing=draw(pick(WeightBearing)))
        if spec.weight_bearing is WeightBearing.PWB:
            spec = replace(spec, comparator=Comparator.LE, value=share, unit=Unit.PCT_BW)
    elif rule.units:
        unit = draw(pick(sorted(rule.units)))
        comparator = draw(pick(sorted(rule.comparators)))
        bounds = RANGE_FOR_UNIT[unit]
        places = 0 if bounds.integer_only else 2
        numbers = st.decimals(bounds.low, bounds.high, places=places)
        low, high = draw(numbers), draw(numbers)
        if comparator is Comparator.BETWEEN:
            assume(low != high)
            low, high = min(low, high), max(low, high)
            spec = replace(spec, value_high=high)
        spec = replace(spec, comparator=comparator, value=low, unit=unit)
    found = check(spec, today=TODAY)
    assume(found.ok)
    return spec


@given(ANYTHING)
def test_any_restriction_is_judged_without_breaking(spec: RestrictionSpec) -> None:
    found = check(spec, today=TODAY)
    names = set(RestrictionSpec.__dataclass_fields__)
    assert set(found.errors) <= names
    assert set(found.warnings) <= names
    assert all(texts for texts in (*found.errors.values(), *found.warnings.values()))
    if found.ok:
        assert spec.review_on is not None
        assert spec.review_on > TODAY
        assert spec.criteria
        assert spec.body_region not in PAIRED or spec.laterality is not None
        assert spec.value is None or spec.value.is_finite()
        assert (spec.value is None) == (spec.unit is None) == (spec.comparator is None)


@given(sound(), sound())
def test_comparing_back_and_forth_is_opposite(one: RestrictionSpec, two: RestrictionSpec) -> None:
    assert compare(one, one) is Revision.SAME
    two = replace(two, body_region=one.body_region, joint_action=one.joint_action)
    assert compare(two, one) is OPPOSITE[compare(one, two)]


HOP = Criterion(CriterionKind.TEST, "hop", Comparator.GE, Decimal(90), Unit.PCT)
BASE = RestrictionSpec(RestrictionKind.LIMIT_LOAD, Severity.LIMIT, BodyRegion.KNEE)
# Close relatives, so that many pairs can be put in order.
RELATIVES = st.builds(
    lambda **changes: replace(BASE, **changes),
    severity=pick([Severity.LIMIT, Severity.CAUTION]),
    laterality=pick([Laterality.LEFT, Laterality.BILATERAL]),
    patterns=st.sets(pick([Pattern.SQUAT, Pattern.LUNGE])).map(lambda found: tuple(sorted(found))),
    comparator=pick([Comparator.LE, Comparator.LT, Comparator.BETWEEN]),
    value=st.integers(1, 3).map(Decimal),
    value_high=st.integers(4, 5).map(Decimal),
    unit=pick([Unit.KG, Unit.LB]),
    criteria=st.sets(pick([PT_REVIEW, HOP])).map(
        lambda found: tuple(sorted(found, key=lambda criterion: criterion.kind))
    ),
)


@given(RELATIVES, RELATIVES, RELATIVES)
def test_tighter_than_tighter_is_tighter(
    one: RestrictionSpec, two: RestrictionSpec, three: RestrictionSpec
) -> None:
    steps = {compare(one, two), compare(two, three)}
    event(" ".join(sorted(steps)))
    if steps <= {Revision.TIGHTENS, Revision.SAME}:
        assert compare(one, three) is (
            Revision.TIGHTENS if Revision.TIGHTENS in steps else Revision.SAME
        )


@given(RELATIVES, RELATIVES, st.integers(0, 6).map(Decimal))
def test_a_tighter_limit_lets_no_number_through_that_the_other_stops(
    one: RestrictionSpec, two: RestrictionSpec, kilos: Decimal
) -> None:
    if compare(one, two) is Revision.TIGHTENS and lets_through(two, kilos):
        assert lets_through(one, kilos)


def lets_through(spec: RestrictionSpec, kilos: Decimal) -> bool:
    """What the limit says about a load, worked out without intervals."""
    assert spec.value is not None
    assert spec.value_high is not None
    factor = Decimal("0.45359237") if spec.unit is Unit.LB else Decimal(1)
    match spec.comparator:
        case Comparator.LE:
            return kilos <= spec.value * factor
        case Comparator.LT:
            return kilos < spec.value * factor
        case _:
            return spec.value * factor <= kilos <= spec.value_high * factor


@given(sound(), sound())
def test_only_a_plain_tightening_needs_no_pt(one: RestrictionSpec, two: RestrictionSpec) -> None:
    if not needs_pt_act(one, two):
        assert compare(one, two) is Revision.TIGHTENS
        assert one.wording == two.wording
        assert one.authority is two.authority


@given(st.lists(sound(), max_size=5))
def test_something_governs_and_nothing_else_beats_it(specs: list[RestrictionSpec]) -> None:
    governing = strictest(specs)
    assert set(governing) <= set(specs)
    assert bool(governing) == bool(specs)
    if any(spec.kind is RestrictionKind.AVOID for spec in specs):
        assert all(spec.kind is RestrictionKind.AVOID for spec in governing)
    assert strictest(governing) == governing


@given(sound())
def test_every_sound_restriction_can_be_said(spec: RestrictionSpec) -> None:
    said = wording.sentence(spec)
    assert said
    assert said[0].isupper()
    assert wording.headline(spec)
    assert 0 < len(wording.plate_text(spec)) <= 40
    for side, word in ((Laterality.LEFT, "left"), (Laterality.RIGHT, "right")):
        if spec.laterality is side:
            assert word in said.lower()
            assert word in wording.headline(spec).lower()
    if spec.laterality is Laterality.BILATERAL:
        assert "both" in said.lower()
    for number in (spec.value, spec.value_high):
        if number is not None:
            assert f"{number.normalize():f}" in said


@given(ANYTHING)
def test_even_a_senseless_restriction_is_said_without_breaking(spec: RestrictionSpec) -> None:
    assume(spec.value is None or spec.value.is_finite())
    assume(spec.value_high is None or spec.value_high.is_finite())
    assert wording.sentence(spec)
    assert wording.headline(spec)
    assert wording.plate_text(spec)
    assert isinstance(wording.plate_caption(spec), str)
