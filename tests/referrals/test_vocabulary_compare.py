"""Tighter, looser or neither: one side of a restriction at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from referrals.vocabulary import (
    PT_REVIEW,
    Authority,
    BodyRegion,
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
    compare,
    is_tighter,
    needs_pt_act,
    strictest,
)

D = Decimal
K, U, C, W = RestrictionKind, Unit, Comparator, WeightBearing
SOON = date(2027, 1, 12)
HOP = Criterion(CriterionKind.TEST, "Single-leg hop", C.GE, D(90), U.PCT, Laterality.LEFT)

LOAD = RestrictionSpec(
    kind=K.LIMIT_LOAD,
    severity=Severity.LIMIT,
    body_region=BodyRegion.KNEE,
    laterality=Laterality.LEFT,
    patterns=(Pattern.SQUAT, Pattern.LUNGE),
    comparator=C.LE,
    value=D(20),
    unit=U.KG,
    criteria=(HOP, PT_REVIEW),
    review_on=SOON,
)
AVOID = replace(
    LOAD,
    kind=K.AVOID,
    severity=Severity.MUST_NOT,
    comparator=None,
    value=None,
    unit=None,
)
BEND = replace(LOAD, kind=K.LIMIT_ROM, joint_action=JointAction.FLEXION, value=D(90), unit=U.DEG)
WEIGHT = replace(LOAD, kind=K.WEIGHT_BEARING, value=D(30), unit=U.PCT_BW)
OPPOSITE = {
    Revision.TIGHTENS: Revision.LOOSENS,
    Revision.LOOSENS: Revision.TIGHTENS,
    Revision.SAME: Revision.SAME,
    Revision.UNCLEAR: Revision.UNCLEAR,
}


def limit(comparator: Comparator, value: int, high: int | None = None) -> dict[str, Any]:
    return {
        "comparator": comparator,
        "value": D(value),
        "value_high": None if high is None else D(high),
    }


TIGHTENING: list[tuple[str, RestrictionSpec, dict[str, Any]]] = [
    ("lower number", LOAD, {"value": D(15)}),
    ("less than the same", LOAD, {"comparator": C.LT}),
    ("exactly the same", LOAD, {"comparator": C.EQ}),
    ("a range below", LOAD, limit(C.BETWEEN, 5, 20)),
    ("fewer pounds", LOAD, {"value": D(44), "unit": U.LB}),
    ("severity", replace(LOAD, severity=Severity.CAUTION), {"severity": Severity.LIMIT}),
    ("both sides", LOAD, {"laterality": Laterality.BILATERAL}),
    (
        "one more movement",
        LOAD,
        {"patterns": (Pattern.SQUAT, Pattern.LUNGE, Pattern.STEP_UP)},
    ),
    ("every movement", LOAD, {"patterns": ()}),
    (
        "one more thing to show",
        replace(LOAD, criteria=(PT_REVIEW,)),
        {"criteria": (HOP, PT_REVIEW)},
    ),
    ("a longer wait", LOAD, {"earliest_lift_on": SOON}),
    (
        "an even longer wait",
        replace(LOAD, earliest_lift_on=SOON),
        {"earliest_lift_on": SOON + timedelta(days=1)},
    ),
    ("higher lower end", replace(BEND, **limit(C.GE, 30)), limit(C.GE, 40)),
    ("above the same lower end", replace(BEND, **limit(C.GE, 30)), limit(C.GT, 30)),
    ("closed at the top", replace(BEND, **limit(C.GE, 30)), limit(C.BETWEEN, 30, 90)),
    ("inside the range", replace(BEND, **limit(C.BETWEEN, 0, 90)), limit(C.BETWEEN, 10, 80)),
    (
        "not at all",
        LOAD,
        {"kind": K.AVOID, "severity": Severity.MUST_NOT}
        | {"comparator": None, "value": None, "unit": None},
    ),
    ("less weight", WEIGHT, {"value": D(20)}),
    ("touch only", WEIGHT, {"weight_bearing": W.TTWB, "value": D(10)}),
    ("less than touch", replace(WEIGHT, weight_bearing=W.TTWB, value=D(20)), {"value": D(10)}),
    ("no weight", WEIGHT, {"weight_bearing": W.NWB, "value": D(0)}),
    (
        "part instead of comfort",
        replace(WEIGHT, weight_bearing=W.WBAT, comparator=None, value=None, unit=None),
        {"weight_bearing": W.PWB, **limit(C.LE, 50), "unit": U.PCT_BW},
    ),
    (
        "a number at last",
        replace(BEND, kind=K.LIMIT_POSITION, comparator=None, value=None, unit=None),
        {**limit(C.LE, 45), "unit": U.DEG},
    ),
]


@pytest.mark.parametrize(
    ("old", "changes"), [row[1:] for row in TIGHTENING], ids=[row[0] for row in TIGHTENING]
)
def test_tightening_and_its_undoing(old: RestrictionSpec, changes: dict[str, Any]) -> None:
    new = replace(old, **changes)
    assert compare(old, new) is Revision.TIGHTENS
    assert compare(new, old) is Revision.LOOSENS
    assert is_tighter(old, new)
    assert not is_tighter(new, old)
    assert not needs_pt_act(old, new)
    assert needs_pt_act(new, old)


UNCLEAR: list[tuple[str, RestrictionSpec, dict[str, Any]]] = [
    ("other side", LOAD, {"laterality": Laterality.RIGHT}),
    ("side to middle", LOAD, {"laterality": Laterality.MIDLINE}),
    ("other region", LOAD, {"body_region": BodyRegion.HIP}),
    ("other movement", LOAD, {"patterns": (Pattern.JUMP,)}),
    ("other kind", LOAD, {"kind": K.LIMIT_VOLUME, "unit": U.REPS}),
    ("other unit", LOAD, {"unit": U.PCT_1RM}),
    ("other joint action", BEND, {"joint_action": JointAction.EXTENSION}),
    ("joint action or none", AVOID, {"joint_action": JointAction.FLEXION}),
    ("overlapping ranges", replace(BEND, **limit(C.BETWEEN, 0, 90)), limit(C.BETWEEN, 30, 120)),
    ("at most against at least", BEND, limit(C.GE, 90)),
    ("lower but milder", LOAD, {"value": D(15), "severity": Severity.CAUTION}),
    (
        "lower but one side less",
        replace(LOAD, laterality=Laterality.BILATERAL),
        {"value": D(15), "laterality": Laterality.LEFT},
    ),
    ("lower but less to show", LOAD, {"value": D(15), "criteria": (PT_REVIEW,)}),
    ("other things to show", replace(LOAD, criteria=(HOP,)), {"criteria": (PT_REVIEW,)}),
    ("weight not said", WEIGHT, {"value": None}),
]


@pytest.mark.parametrize(
    ("old", "changes"), [row[1:] for row in UNCLEAR], ids=[row[0] for row in UNCLEAR]
)
def test_what_cannot_be_put_in_order_counts_as_loosening(
    old: RestrictionSpec, changes: dict[str, Any]
) -> None:
    new = replace(old, **changes)
    for one, other in ((old, new), (new, old)):
        assert compare(one, other) is Revision.UNCLEAR
        assert not is_tighter(one, other)
        assert needs_pt_act(one, other)


SAME: list[tuple[str, RestrictionSpec, dict[str, Any]]] = [
    ("nothing", LOAD, {}),
    ("movements in another order", LOAD, {"patterns": (Pattern.LUNGE, Pattern.SQUAT)}),
    ("trailing zeros", LOAD, {"value": D("20.00")}),
    ("words", LOAD, {"wording": "on the bar", "instead": "leg press"}),
    ("a later review", LOAD, {"review_on": SOON + timedelta(days=30)}),
    (
        "minutes as seconds",
        replace(LOAD, kind=K.LIMIT_DURATION, value=D(3), unit=U.MIN),
        {"value": D(180), "unit": U.SEC},
    ),
    ("exactly as a range", replace(LOAD, comparator=C.EQ), limit(C.BETWEEN, 20, 20)),
    ("a range without its upper end", replace(LOAD, comparator=C.EQ), limit(C.BETWEEN, 20)),
    (
        "no weight with and without zero",
        replace(WEIGHT, weight_bearing=W.NWB, value=D(0)),
        {"comparator": None, "value": None, "unit": None},
    ),
]


@pytest.mark.parametrize(
    ("old", "changes"), [row[1:] for row in SAME], ids=[row[0] for row in SAME]
)
def test_what_allows_the_same_is_still_a_pts_act(
    old: RestrictionSpec, changes: dict[str, Any]
) -> None:
    new = replace(old, **changes)
    assert compare(old, new) is Revision.SAME
    assert compare(new, old) is Revision.SAME
    assert needs_pt_act(old, new)


@pytest.mark.parametrize(
    "more",
    [
        {"wording": "on the bar"},
        {"instead": "leg press"},
        {"review_on": SOON + timedelta(days=1)},
        {"review_on": None},
        {"authority": Authority.SURGEON_ORDER},
        {"authority_name": "Dr. Imaginary"},
        {"authority_on": SOON},
    ],
)
def test_a_tightening_that_changes_something_else_is_a_pts_act(more: dict[str, Any]) -> None:
    tighter = replace(LOAD, value=D(15))
    assert not needs_pt_act(LOAD, tighter)
    assert not needs_pt_act(LOAD, replace(tighter, review_on=SOON - timedelta(days=1)))
    assert is_tighter(LOAD, replace(tighter, **more))
    assert needs_pt_act(LOAD, replace(tighter, **more))


def test_half_open_ends() -> None:
    below, upto = replace(BEND, comparator=C.LT), BEND
    above, from_ = replace(BEND, comparator=C.GT), replace(BEND, comparator=C.GE)
    assert compare(upto, below) is Revision.TIGHTENS
    assert compare(below, upto) is Revision.LOOSENS
    assert compare(below, replace(below)) is Revision.SAME
    assert compare(from_, above) is Revision.TIGHTENS
    assert compare(above, from_) is Revision.LOOSENS
    assert compare(above, replace(above)) is Revision.SAME


# --- several at once ----------------------------------------------------------------------------


def test_the_lowest_number_governs() -> None:
    assert strictest([LOAD, replace(LOAD, value=D(15)), replace(LOAD, value=D(30))]) == (
        replace(LOAD, value=D(15)),
    )


def test_avoid_governs_everything_on_that_movement() -> None:
    caution = replace(LOAD, severity=Severity.CAUTION)
    assert strictest([caution, BEND, AVOID, LOAD]) == (AVOID,)


def test_limits_of_different_things_govern_together_most_severe_first() -> None:
    caution = replace(BEND, severity=Severity.CAUTION)
    assert strictest([caution, LOAD]) == (LOAD, caution)
    assert strictest([LOAD, BEND]) == (LOAD, BEND)
    assert strictest([BEND, LOAD]) == (BEND, LOAD)


def test_equals_stay_and_copies_do_not() -> None:
    other = replace(LOAD, criteria=(PT_REVIEW,))
    assert strictest([LOAD, replace(LOAD), other]) == (LOAD, other)
    assert strictest([]) == ()


def test_where_it_applies_does_not_weigh_in() -> None:
    right = replace(LOAD, laterality=Laterality.RIGHT, patterns=(Pattern.SQUAT,), value=D(10))
    assert strictest([LOAD, right]) == (right,)


def test_order_is_transitive_over_a_small_world() -> None:
    world = [
        replace(LOAD, severity=severity, laterality=side, patterns=patterns, **number)
        for severity in (Severity.LIMIT, Severity.CAUTION)
        for side in (Laterality.LEFT, Laterality.BILATERAL)
        for patterns in ((), (Pattern.SQUAT,), (Pattern.LUNGE,))
        for number in (limit(C.LE, 2), limit(C.LT, 2), limit(C.LE, 1), limit(C.BETWEEN, 1, 2))
    ]
    tighter = {
        (one, two)
        for one, first in enumerate(world)
        for two, second in enumerate(world)
        if is_tighter(first, second)
    }
    assert len(tighter) > len(world)
    for one, two in tighter:
        assert (two, one) not in tighter
        for three in range(len(world)):
            assert (two, three) not in tighter or (one, three) in tighter


def test_a_comparison_nobody_knows_is_not_guessed() -> None:
    odd = replace(LOAD, comparator=cast(Comparator, "about"))
    with pytest.raises(AssertionError):
        compare(LOAD, odd)
