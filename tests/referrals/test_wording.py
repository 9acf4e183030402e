"""The words people read about a restriction."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest

from referrals.vocabulary import (
    JOINT_ACTIONS_FOR_REGION,
    KIND_RULES,
    PAIRED,
    PT_REVIEW,
    RANGE_FOR_UNIT,
    UNITS_FOR_KIND,
    BodyRegion,
    Comparator,
    Criterion,
    CriterionKind,
    JointAction,
    Laterality,
    Need,
    Pattern,
    RestrictionKind,
    RestrictionSpec,
    Severity,
    Unit,
    WeightBearing,
    diagnosis_words,
)
from referrals.wording import (
    criterion_sentence,
    day_text,
    earliest_line,
    full_text,
    headline,
    lifts_when,
    limit_text,
    plate_caption,
    plate_text,
    review_line,
    sentence,
    site,
)

D = Decimal
K, U, C, W = RestrictionKind, Unit, Comparator, WeightBearing
TODAY = date(2026, 11, 16)

KNEE = RestrictionSpec(
    kind=K.LIMIT_ROM,
    severity=Severity.LIMIT,
    body_region=BodyRegion.KNEE,
    laterality=Laterality.LEFT,
    review_on=date(2027, 1, 12),
    criteria=(PT_REVIEW,),
)


def spec(kind: RestrictionKind, **changes: Any) -> RestrictionSpec:
    return replace(KNEE, kind=kind, **changes)


def limit(comparator: Comparator, value: str, unit: Unit) -> dict[str, Any]:
    return {"comparator": comparator, "value": D(value), "unit": unit}


# what; its sentence; its headline; its plate; the caption below the plate
EXAMPLES: list[tuple[RestrictionSpec, str, str, str, str]] = [
    (
        spec(K.LIMIT_ROM, joint_action=JointAction.FLEXION, **limit(C.LE, "90", U.DEG)),
        "Left knee bends at most 90°",
        "Bending, left knee",
        "≤ 90°",
        "knee bending",
    ),
    (
        spec(
            K.LIMIT_ROM,
            patterns=(Pattern.SQUAT,),
            joint_action=JointAction.FLEXION,
            **limit(C.LE, "90.00", U.DEG),
        ),
        "Squatting: left knee bends at most 90°",
        "Squatting with bending, left knee",
        "≤ 90°",
        "knee bending",
    ),
    (
        spec(
            K.LIMIT_ROM,
            laterality=Laterality.BILATERAL,
            joint_action=JointAction.FLEXION,
            value_high=D(90),
            **limit(C.BETWEEN, "0", U.DEG),
        ),
        "Both knees bend between 0° and 90°",
        "Bending, both knees",
        "0-90°",
        "knee bending",
    ),
    (
        spec(
            K.LIMIT_ROM,
            body_region=BodyRegion.SHOULDER,
            laterality=Laterality.RIGHT,
            joint_action=JointAction.FLEXION,
            **limit(C.LT, "120", U.DEG),
        ),
        "Right shoulder lifts to the front less than 120°",
        "Lifting to the front, right shoulder",
        "< 120°",
        "shoulder lifting to the front",
    ),
    (
        spec(K.AVOID, patterns=(Pattern.JUMP,)),
        "No jumping, left knee",
        "Jumping, left knee",
        "No jumping",
        "",
    ),
    (
        spec(K.AVOID, patterns=(Pattern.JUMP, Pattern.SPRINT, Pattern.KNEEL)),
        "No jumping, sprinting or kneeling, left knee",
        "Jumping, sprinting and kneeling, left knee",
        "No jumping +2",
        "",
    ),
    (
        spec(K.AVOID, joint_action=JointAction.EXTENSION),
        "No straightening, left knee",
        "Straightening, left knee",
        "No straightening",
        "",
    ),
    (
        spec(K.AVOID, patterns=(Pattern.SQUAT,), joint_action=JointAction.FLEXION),
        "No squatting with bending, left knee",
        "Squatting with bending, left knee",
        "No squatting",
        "",
    ),
    (
        spec(
            K.LIMIT_LOAD,
            patterns=(Pattern.SQUAT, Pattern.LUNGE),
            **limit(C.LE, "20", U.KG),
        ),
        "Squatting and lunging, left knee: at most 20 kg",
        "Squatting and lunging, left knee",
        "≤ 20 kg",
        "load",
    ),
    (
        spec(
            K.LIMIT_LOAD,
            body_region=BodyRegion.LUMBAR,
            laterality=Laterality.MIDLINE,
            patterns=(Pattern.HINGE,),
            **limit(C.LE, "50", U.PCT_1RM),
        ),
        "Bending at the hips, lower back: at most 50% of the one-rep max",
        "Bending at the hips, lower back",
        "≤ 50% max",
        "load",
    ),
    (
        spec(K.LIMIT_VOLUME, **limit(C.EQ, "3", U.SESSIONS_WEEK)),
        "Left knee: exactly 3 sessions a week",
        "Left knee",
        "3 / wk",
        "volume",
    ),
    (
        spec(K.LIMIT_VOLUME, **limit(C.LE, "1", U.SESSIONS_WEEK)),
        "Left knee: at most 1 session a week",
        "Left knee",
        "≤ 1 / wk",
        "volume",
    ),
    (
        spec(K.LIMIT_DURATION, patterns=(Pattern.RUN,), **limit(C.LE, "20", U.MIN)),
        "Running, left knee: at most 20 minutes",
        "Running, left knee",
        "≤ 20 min",
        "time",
    ),
    (
        spec(K.LIMIT_IMPACT, patterns=(Pattern.STEP_UP,), **limit(C.LE, "20", U.CM)),
        "Stepping up, left knee: at most 20 cm high",
        "Stepping up, left knee",
        "≤ 20 cm",
        "impact",
    ),
    (
        spec(K.LIMIT_SPEED, patterns=(Pattern.RUN,), **limit(C.LE, "8.5", U.KMH)),
        "Running, left knee: at most 8.5 km/h",
        "Running, left knee",
        "≤ 8.5 km/h",
        "speed",
    ),
    (
        spec(
            K.LIMIT_INTENSITY,
            body_region=BodyRegion.WHOLE_BODY,
            laterality=Laterality.NOT_APPLICABLE,
            **limit(C.LE, "140", U.BPM),
        ),
        "Whole body: heart rate at most 140 beats a minute",
        "Whole body",
        "≤ 140 bpm",
        "effort",
    ),
    (
        spec(K.LIMIT_POSITION, wording="feet no higher than the hips."),
        "Left knee: feet no higher than the hips",
        "Left knee",
        "Position",
        "",
    ),
    (
        spec(K.LIMIT_POSITION, wording="trunk tilt", **limit(C.LE, "45", U.DEG)),
        "Left knee: trunk tilt, at most 45°",
        "Left knee",
        "≤ 45°",
        "position",
    ),
    (
        spec(K.REQUIRES_SUPERVISION, patterns=(Pattern.SQUAT,)),
        "Squatting, left knee: only with someone watching",
        "Squatting, left knee",
        "Watched",
        "",
    ),
    (
        spec(K.REQUIRES_EQUIPMENT, wording="a hinged brace"),
        "Left knee: only with a hinged brace",
        "Left knee",
        "With gear",
        "",
    ),
    (
        spec(K.WEIGHT_BEARING, weight_bearing=W.NWB),
        "Left knee: no weight through it",
        "Left knee",
        "No weight",
        "",
    ),
    (
        spec(K.WEIGHT_BEARING, **limit(C.LE, "0", U.PCT_BW)),
        "Left knee: no weight through it (at most 0% of body weight)",
        "Left knee",
        "No weight",
        "",
    ),
    (
        spec(K.WEIGHT_BEARING, weight_bearing=W.TTWB),
        "Left knee: touch the floor for balance only",
        "Left knee",
        "Touch only",
        "",
    ),
    (
        spec(K.WEIGHT_BEARING, weight_bearing=W.TTWB, **limit(C.LE, "20", U.PCT_BW)),
        "Left knee: touch the floor for balance only, at most 20% of body weight",
        "Left knee",
        "Touch only",
        "",
    ),
    (
        spec(K.WEIGHT_BEARING, **limit(C.LE, "30", U.PCT_BW)),
        "Left knee: put at most 30% of body weight through it",
        "Left knee",
        "≤ 30% weight",
        "on this side",
    ),
    (
        spec(K.WEIGHT_BEARING, weight_bearing=W.WBAT),
        "Left knee: as much weight as is comfortable",
        "Left knee",
        "As comfortable",
        "",
    ),
    (
        spec(K.WEIGHT_BEARING, weight_bearing=W.FWB),
        "Left knee: full weight",
        "Left knee",
        "Full weight",
        "",
    ),
    (
        spec(K.WEIGHT_BEARING, weight_bearing=W.FWB, **limit(C.LE, "100", U.PCT_BW)),
        "Left knee: full weight (at most 100% of body weight)",
        "Left knee",
        "Full weight",
        "",
    ),
    (
        spec(K.PAIN_RULE, **limit(C.LE, "3", U.NPRS)),
        "Left knee: keep pain at most 3 of 10, else stop",
        "Left knee",
        "Pain ≤ 3/10",
        "",
    ),
    (
        spec(K.PRECAUTION, wording="the scar may feel tender.", patterns=(Pattern.KNEEL,)),
        "Kneeling, left knee: the scar may feel tender",
        "Kneeling, left knee",
        "Take care",
        "",
    ),
]


@pytest.mark.parametrize(
    ("restriction", "said", "titled", "plate", "caption"),
    EXAMPLES,
    ids=[row[1] for row in EXAMPLES],
)
def test_restriction_in_words(
    restriction: RestrictionSpec, said: str, titled: str, plate: str, caption: str
) -> None:
    assert sentence(restriction) == said
    assert headline(restriction) == titled
    assert plate_text(restriction) == plate
    assert plate_caption(restriction) == caption


def test_examples_cover_every_kind() -> None:
    assert {row[0].kind for row in EXAMPLES} == set(RestrictionKind)


NUMBERED = [
    (kind, unit, comparator)
    for kind, units in UNITS_FOR_KIND.items()
    for unit in units
    for comparator in KIND_RULES[kind].comparators
]


@pytest.mark.parametrize(
    ("kind", "unit", "comparator"), sorted(NUMBERED), ids=lambda part: part.value
)
@pytest.mark.parametrize("side", [Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL])
def test_number_and_side_are_always_said(
    kind: RestrictionKind, unit: Unit, comparator: Comparator, side: Laterality
) -> None:
    low = RANGE_FOR_UNIT[unit].low + 4
    restriction = spec(
        kind,
        laterality=side,
        joint_action=JointAction.FLEXION if kind is K.LIMIT_ROM else None,
        patterns=(Pattern.SQUAT,),
        comparator=comparator,
        value=low,
        value_high=low + 3 if comparator is C.BETWEEN else None,
        unit=unit,
    )
    said = sentence(restriction)
    assert str(low) in said
    assert str(low) in plate_text(restriction)
    assert {"left": "left", "right": "right", "bilateral": "both"}[side.value] in said.lower()
    if comparator is C.BETWEEN:
        assert str(low + 3) in said
        assert str(low + 3) in plate_text(restriction)
    assert "squatting" in said.lower()
    assert diagnosis_words(said) == ()
    if unit is not U.NPRS:
        assert plate_caption(restriction)


@pytest.mark.parametrize("region", BodyRegion)
def test_every_movement_of_every_region_has_words_without_a_condition(region: BodyRegion) -> None:
    for side in Laterality:
        where = site(region, side)
        assert where
        assert diagnosis_words(where) == ()
    for action in JOINT_ACTIONS_FOR_REGION[region]:
        avoided = spec(K.AVOID, body_region=region, joint_action=action)
        limited = spec(
            K.LIMIT_ROM, body_region=region, joint_action=action, **limit(C.LE, "10", U.DEG)
        )
        for text in (sentence(avoided), sentence(limited), headline(avoided)):
            assert diagnosis_words(text) == ()
            assert "left" in text.lower()
    for pattern in Pattern:
        text = sentence(spec(K.AVOID, body_region=region, patterns=(pattern,)))
        assert text.startswith("No ")
        assert diagnosis_words(text) == ()


@pytest.mark.parametrize(
    ("region", "action", "said"),
    [
        (BodyRegion.LUMBAR, JointAction.EXTENSION, "bends backward"),
        (BodyRegion.CERVICAL, JointAction.FLEXION, "bends forward"),
        (BodyRegion.CERVICAL, JointAction.ROTATION, "turns"),
        (BodyRegion.HIP, JointAction.EXTENSION, "moves back behind the body"),
        (BodyRegion.HIP, JointAction.ABDUCTION, "moves out to the side"),
        (BodyRegion.SHOULDER, JointAction.ABDUCTION, "lifts to the side"),
        (BodyRegion.SHOULDER, JointAction.EXTERNAL_ROTATION, "turns outward"),
        (BodyRegion.ELBOW, JointAction.PRONATION, "turns palm down"),
        (BodyRegion.ANKLE, JointAction.DORSIFLEXION, "pulls the toes up"),
        (BodyRegion.WRIST, JointAction.ULNAR_DEVIATION, "tilts toward the little finger"),
    ],
)
def test_movements_in_everyday_words(region: BodyRegion, action: JointAction, said: str) -> None:
    restriction = spec(
        K.LIMIT_ROM, body_region=region, joint_action=action, **limit(C.LE, "20", U.DEG)
    )
    assert f"{said} at most 20°" in sentence(restriction)


@pytest.mark.parametrize(
    ("region", "side", "said"),
    [
        (BodyRegion.KNEE, Laterality.LEFT, "left knee"),
        (BodyRegion.FOOT, Laterality.BILATERAL, "both feet"),
        (BodyRegion.KNEE, None, "knee"),
        (BodyRegion.LUMBAR, Laterality.RIGHT, "lower back, right side"),
        (BodyRegion.LUMBAR, Laterality.BILATERAL, "lower back, both sides"),
        (BodyRegion.LUMBAR, Laterality.MIDLINE, "lower back"),
        (BodyRegion.WHOLE_BODY, Laterality.NOT_APPLICABLE, "whole body"),
    ],
)
def test_site(region: BodyRegion, side: Laterality | None, said: str) -> None:
    assert site(region, side) == said


def test_paired_regions_have_a_plural() -> None:
    for region in PAIRED:
        assert site(region, Laterality.BILATERAL).startswith("both ")


def test_unfinished_restrictions_can_be_previewed() -> None:
    for kind in RestrictionKind:
        bare = spec(kind)
        assert "left knee" in sentence(bare).lower()
        assert headline(bare) == "Left knee"
        assert plate_text(bare)
        assert plate_caption(bare) == ""
    assert sentence(spec(K.AVOID)) == "No use, left knee"
    assert plate_text(spec(K.AVOID)) == "No use"
    assert sentence(spec(K.WEIGHT_BEARING)) == "Left knee: put only part of the weight on it"
    assert plate_text(spec(K.WEIGHT_BEARING)) == "Part weight"
    assert sentence(spec(K.REQUIRES_EQUIPMENT)) == "Left knee: only with the right gear"
    half = spec(K.LIMIT_LOAD, value=D(20), comparator=C.LE)
    assert sentence(half) == "Left knee"
    assert plate_text(half) == "Limit"
    open_ended = spec(K.LIMIT_LOAD, **limit(C.BETWEEN, "5", U.KG))
    assert "5 kg" in sentence(open_ended)
    assert "5 kg" in plate_text(open_ended)


def test_units_around_two_numbers_and_one() -> None:
    assert limit_text(C.BETWEEN, D(2), U.SETS, D(4)) == "between 2 and 4 sets"
    assert limit_text(C.BETWEEN, D(1), U.NPRS, D(3)) == "pain between 1 and 3 of 10"
    assert limit_text(C.GE, D(1), U.SETS) == "at least 1 set"
    assert limit_text(C.GT, D(1), U.KG) == "more than 1 kg"


# --- when it ends -------------------------------------------------------------------------------

HOP = Criterion(CriterionKind.TEST, "Single-leg hop", C.GE, D("90.0"), U.PCT, Laterality.LEFT)


@pytest.mark.parametrize(
    ("criterion", "said"),
    [
        (PT_REVIEW, "the physical therapist reviews and signs"),
        (HOP, "Single-leg hop at least 90%, left"),
        (replace(HOP, side=Laterality.BILATERAL), "Single-leg hop at least 90%, both sides"),
        (replace(HOP, side=None), "Single-leg hop at least 90%"),
        (
            Criterion(CriterionKind.OBSERVATION, "Pain on stairs", C.LE, D(2), U.NPRS),
            "Pain on stairs at most 2 of 10",
        ),
        (
            Criterion(CriterionKind.OBSERVATION, "No swelling the next morning."),
            "No swelling the next morning",
        ),
    ],
)
def test_criterion_in_words(criterion: Criterion, said: str) -> None:
    assert criterion_sentence(criterion) == said


def test_a_pt_can_be_named() -> None:
    assert criterion_sentence(PT_REVIEW, pt="Priya Raman") == "Priya Raman reviews and signs"


def test_numbers_alone_never_lift() -> None:
    assert lifts_when(replace(KNEE, criteria=(HOP,))) == (
        "Single-leg hop at least 90%, left; then the physical therapist reviews and signs"
    )
    assert lifts_when(replace(KNEE, criteria=(HOP, PT_REVIEW)), pt="Priya") == (
        "Single-leg hop at least 90%, left; then Priya reviews and signs"
    )
    assert lifts_when(KNEE) == "the physical therapist reviews and signs"


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (57, "Until the review on 12 Jan 2027, or longer"),
        (1, "Until the review on 17 Nov 2026, or longer"),
        (0, "Review is today; still in force"),
        (-1, "Review overdue by 1 day; still in force"),
        (-3, "Review overdue by 3 days; still in force"),
        (-400, "Review overdue by 400 days; still in force"),
    ],
)
def test_time_never_ends_it(days: int, said: str) -> None:
    assert review_line(TODAY + timedelta(days=days), TODAY) == said


def test_a_missing_review_date_ends_nothing() -> None:
    assert review_line(None, TODAY) == "No review date; still in force"


def test_earliest_date_is_said_while_it_lies_ahead() -> None:
    may = replace(KNEE, earliest_lift_on=date(2027, 5, 16))
    assert earliest_line(may, TODAY) == "Not before 16 May 2027"
    assert earliest_line(may, date(2027, 5, 16)) == ""
    assert earliest_line(KNEE, TODAY) == ""


def test_days_read_the_same_for_everybody() -> None:
    assert [day_text(date(2027, month, 1)).split()[1] for month in range(1, 13)] == (
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    )


def test_everything_in_running_text() -> None:
    whole = replace(
        KNEE,
        joint_action=JointAction.FLEXION,
        criteria=(HOP,),
        instead="box squat to 45 cm.",
        earliest_lift_on=date(2027, 1, 1),
        **limit(C.LE, "90", U.DEG),
    )
    assert full_text(whole, today=TODAY, pt="Priya Raman") == (
        "Left knee bends at most 90°. Until the review on 12 Jan 2027, or longer."
        " Not before 1 Jan 2027. Lifts when: Single-leg hop at least 90%, left;"
        " then Priya Raman reviews and signs. Fine instead: box squat to 45 cm."
    )
    bare = replace(whole, instead="", earliest_lift_on=None)
    assert full_text(bare, today=date(2027, 1, 15)) == (
        "Left knee bends at most 90°. Review overdue by 3 days; still in force."
        " Lifts when: Single-leg hop at least 90%, left;"
        " then the physical therapist reviews and signs."
    )


def test_a_rule_for_every_kind_with_a_number_is_worded() -> None:
    numbered = {kind for kind, rule in KIND_RULES.items() if rule.value is not Need.FORBIDDEN}
    assert {kind for kind, _, _ in NUMBERED} == numbered


@pytest.mark.parametrize(
    "odd",
    [
        replace(KNEE, kind=cast(RestrictionKind, "limit_mood")),
        replace(KNEE, laterality=cast(Laterality, "inside")),
        spec(K.WEIGHT_BEARING, weight_bearing=cast(WeightBearing, "a little")),
        replace(KNEE, criteria=(replace(HOP, side=cast(Laterality, "inside")),)),
    ],
)
def test_what_nobody_knows_is_not_put_into_words(odd: RestrictionSpec) -> None:
    with pytest.raises(AssertionError):
        full_text(odd, today=TODAY)
