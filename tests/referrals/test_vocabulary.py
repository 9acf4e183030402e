"""The restriction vocabulary: closed lists, what fits what, and every rule of the check."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import FrozenInstanceError, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from handoff.core.errors import Invalid
from referrals.vocabulary import (
    JOINT_ACTIONS_FOR_REGION,
    KIND_RULES,
    NORMAL_ROM,
    PAIRED,
    PT_REVIEW,
    RANGE_FOR_UNIT,
    ROM_SOURCE,
    UNITS_FOR_KIND,
    Authority,
    BodyRegion,
    ClearanceLevel,
    Comparator,
    Criterion,
    CriterionKind,
    DischargeReason,
    DischargeType,
    Findings,
    GoalOutcome,
    JointAction,
    Laterality,
    Need,
    Pattern,
    RestrictionKind,
    RestrictionSpec,
    Severity,
    Unit,
    WeightBearing,
    check,
    diagnosis_words,
    normal_icd10,
    parts_of,
    picked,
    sides_of,
    valid_icd10_shape,
    value_problem,
    weight_bearing_of,
)
from referrals.vocabulary.bodymap import ALL_PARTS
from referrals.vocabulary.rules import MAX_CRITERIA
from referrals.vocabulary.tables import NAME_MAX_LENGTH, TEXT_MAX_LENGTH

D = Decimal
K, U, C = RestrictionKind, Unit, Comparator
TODAY = date(2026, 11, 16)
SOON = date(2027, 1, 12)
ROOT = Path(__file__).resolve().parents[2]

KNEE_BEND = RestrictionSpec(
    kind=K.LIMIT_ROM,
    severity=Severity.LIMIT,
    body_region=BodyRegion.KNEE,
    laterality=Laterality.LEFT,
    patterns=(Pattern.SQUAT,),
    joint_action=JointAction.FLEXION,
    comparator=C.LE,
    value=D(90),
    unit=U.DEG,
    instead="Box squat to 45 cm",
    criteria=(PT_REVIEW,),
    review_on=SOON,
)
NO_JUMPS = RestrictionSpec(
    kind=K.AVOID,
    severity=Severity.MUST_NOT,
    body_region=BodyRegion.KNEE,
    laterality=Laterality.LEFT,
    patterns=(Pattern.JUMP, Pattern.LAND),
    instead="Step-downs from 20 cm",
    criteria=(PT_REVIEW,),
    review_on=SOON,
)
# One sound restriction of every kind.
SOUND = {
    K.AVOID: NO_JUMPS,
    K.LIMIT_ROM: KNEE_BEND,
    K.LIMIT_LOAD: replace(KNEE_BEND, kind=K.LIMIT_LOAD, joint_action=None, value=D(20), unit=U.KG),
    K.LIMIT_VOLUME: replace(
        KNEE_BEND, kind=K.LIMIT_VOLUME, joint_action=None, value=D(3), unit=U.SESSIONS_WEEK
    ),
    K.LIMIT_DURATION: replace(
        KNEE_BEND, kind=K.LIMIT_DURATION, joint_action=None, value=D(20), unit=U.MIN
    ),
    K.LIMIT_IMPACT: replace(
        KNEE_BEND, kind=K.LIMIT_IMPACT, joint_action=None, value=D(20), unit=U.CM
    ),
    K.LIMIT_SPEED: replace(
        KNEE_BEND,
        kind=K.LIMIT_SPEED,
        joint_action=None,
        value=D(8),
        unit=U.KMH,
        patterns=(Pattern.RUN,),
    ),
    K.LIMIT_INTENSITY: replace(
        KNEE_BEND, kind=K.LIMIT_INTENSITY, joint_action=None, value=D(6), unit=U.RPE
    ),
    K.LIMIT_POSITION: replace(
        KNEE_BEND, kind=K.LIMIT_POSITION, joint_action=None, wording="not below parallel"
    ),
    K.REQUIRES_SUPERVISION: replace(NO_JUMPS, kind=K.REQUIRES_SUPERVISION, severity=Severity.LIMIT),
    K.REQUIRES_EQUIPMENT: replace(
        NO_JUMPS, kind=K.REQUIRES_EQUIPMENT, severity=Severity.LIMIT, wording="a hinged brace"
    ),
    K.WEIGHT_BEARING: replace(
        KNEE_BEND, kind=K.WEIGHT_BEARING, joint_action=None, value=D(30), unit=U.PCT_BW
    ),
    K.PAIN_RULE: replace(KNEE_BEND, kind=K.PAIN_RULE, joint_action=None, value=D(3), unit=U.NPRS),
    K.PRECAUTION: replace(
        NO_JUMPS, kind=K.PRECAUTION, severity=Severity.CAUTION, wording="the skin is tender"
    ),
}


def found(spec: RestrictionSpec, **changes: Any) -> Findings:
    return check(replace(spec, **changes), today=TODAY)


def fields(spec: RestrictionSpec, **changes: Any) -> set[str]:
    return set(found(spec, **changes).errors)


# --- the closed lists ---------------------------------------------------------------------------


def words(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize(
    ("listed", "base", "added"),
    [
        (
            RestrictionKind,
            "avoid limit_load limit_rom limit_volume limit_duration limit_impact limit_speed"
            " limit_intensity limit_position requires_supervision requires_equipment"
            " weight_bearing pain_rule precaution",
            "",
        ),
        (Severity, "must_not limit caution", ""),
        (Authority, "pt surgeon_order", ""),
        (
            BodyRegion,
            "cervical thoracic lumbar si_pelvis shoulder elbow wrist hand hip knee ankle foot core"
            " cardiorespiratory whole_body",
            "",
        ),
        (Laterality, "left right bilateral midline not_applicable", ""),
        (
            Pattern,
            "squat hinge lunge step_up push_horizontal push_vertical pull_horizontal pull_vertical"
            " carry rotate anti_rotate gait run sprint change_of_direction jump land throw"
            " overhead_reach crawl hang kneel balance isometric_hold mobility",
            "",
        ),
        (
            JointAction,
            "flexion extension abduction adduction internal_rotation external_rotation pronation"
            " supination dorsiflexion plantarflexion side_bend rotation",
            "radial_deviation ulnar_deviation inversion eversion",
        ),
        (Comparator, "le lt ge gt eq between", ""),
        (
            Unit,
            "deg kg lb pct_1rm pct_bw rpe reps sets sessions_week min sec m cm bpm pct_hrmax nprs",
            "kmh mph pct_max_speed pct points",
        ),
        (WeightBearing, "nwb ttwb pwb wbat fwb", ""),
        (CriterionKind, "measure test observation pt_review", ""),
        (
            ClearanceLevel,
            "not_cleared cleared_with_restrictions cleared_general cleared_full",
            "",
        ),
        (
            DischargeReason,
            "goals_met plateau client_choice did_not_return benefit_exhausted moved_provider"
            " medical",
            "",
        ),
        (DischargeType, "full quick", ""),
        (GoalOutcome, "met partly not_met", ""),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_lists_hold_the_specified_words(listed: Any, base: str, added: str) -> None:
    assert listed.values == words(base) + words(added)
    assert all(str(member.label) for member in listed)


def test_severity_words_are_fixed() -> None:
    assert [str(severity.label) for severity in Severity] == ["Avoid", "Modify", "Caution"]


# --- the tables ---------------------------------------------------------------------------------


def test_every_kind_has_a_rule_and_every_unit_a_range() -> None:
    assert set(KIND_RULES) == set(RestrictionKind)
    assert set(RANGE_FOR_UNIT) == set(Unit)
    for kind, rule in KIND_RULES.items():
        assert UNITS_FOR_KIND[kind] == rule.units
        assert rule.severities
        assert bool(rule.units) == (rule.value is not Need.FORBIDDEN)
    for bounds in RANGE_FOR_UNIT.values():
        assert bounds.low < bounds.high


def test_units_fit_the_kinds_as_specified() -> None:
    fitting = {kind: {unit.value for unit in units} for kind, units in UNITS_FOR_KIND.items()}
    assert fitting == {
        K.AVOID: set(),
        K.LIMIT_LOAD: {"kg", "lb", "pct_1rm", "pct_bw"},
        K.LIMIT_ROM: {"deg"},
        K.LIMIT_VOLUME: {"reps", "sets", "sessions_week", "m"},
        K.LIMIT_DURATION: {"min", "sec"},
        K.LIMIT_IMPACT: {"cm", "reps", "pct_bw"},
        K.LIMIT_SPEED: {"kmh", "mph", "pct_max_speed"},
        K.LIMIT_INTENSITY: {"rpe", "bpm", "pct_hrmax"},
        K.LIMIT_POSITION: {"deg", "cm"},
        K.REQUIRES_SUPERVISION: set(),
        K.REQUIRES_EQUIPMENT: set(),
        K.WEIGHT_BEARING: {"pct_bw"},
        K.PAIN_RULE: {"nprs"},
        K.PRECAUTION: set(),
    }


# low high, and int for whole numbers only
RANGES = """
deg 0 180
kg 0 500
lb 0 1100
pct_1rm 0 100
pct_bw 0 300
rpe 0 10
reps 0 1000 int
sets 0 50 int
sessions_week 0 21 int
min 0 600
sec 0 3600
m 0 50000
cm 0 300
bpm 30 230 int
pct_hrmax 0 100
nprs 0 10 int
kmh 0 45
mph 0 28
pct_max_speed 0 100
pct 0 200
points -100 1000
"""


def test_ranges_are_the_agreed_ones() -> None:
    built = [
        f"{unit.value} {bounds.low} {bounds.high}{' int' if bounds.integer_only else ''}"
        for unit, bounds in RANGE_FOR_UNIT.items()
    ]
    assert built == RANGES.strip().split("\n")
    assert (MAX_CRITERIA, NAME_MAX_LENGTH, TEXT_MAX_LENGTH) == (10, 120, 300)


@pytest.mark.parametrize(
    ("thing", "name"),
    [(KNEE_BEND, "value"), (PT_REVIEW, "measure"), (KIND_RULES[K.AVOID], "units")],
)
def test_what_was_checked_cannot_change_afterwards(thing: Any, name: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(thing, name, None)


ROM_TABLE = """
shoulder flexion 180, abduction 180, external_rotation 90, internal_rotation 90, extension 60
elbow flexion 145, pronation 80, supination 85
wrist extension 70, flexion 80, radial_deviation 20, ulnar_deviation 45
hip flexion 125, extension 30, abduction 45, adduction 25, external_rotation 60
hip internal_rotation 40
knee flexion 140
ankle dorsiflexion 20, plantarflexion 45, inversion 35, eversion 25
cervical flexion 45, extension 45, side_bend 45, rotation 80
thoracic flexion 90, extension 30, side_bend 30, rotation 30
lumbar flexion 90, extension 30, side_bend 30, rotation 30
"""


def test_normal_movement_is_the_specified_table() -> None:
    rows = {}
    for line in ROM_TABLE.strip().split("\n"):
        region, rest = line.split(" ", 1)
        for entry in rest.split(", "):
            action, degrees = entry.split()
            rows[BodyRegion(region), JointAction(action)] = D(degrees)
    assert rows == NORMAL_ROM
    assert "38 CFR 4.71" in ROM_SOURCE


def test_joints_move_the_ways_the_table_knows_and_some_without_a_figure() -> None:
    assert set(JOINT_ACTIONS_FOR_REGION) == set(BodyRegion)
    for region, action in NORMAL_ROM:
        assert action in JOINT_ACTIONS_FOR_REGION[region]
    assert JOINT_ACTIONS_FOR_REGION[BodyRegion.KNEE] == {
        JointAction.FLEXION,
        JointAction.EXTENSION,
    }
    assert JOINT_ACTIONS_FOR_REGION[BodyRegion.WHOLE_BODY] == frozenset()


def test_paired_regions_have_sides_and_others_only_where_halves_make_sense() -> None:
    assert {region.value for region in PAIRED} == set(
        words("shoulder elbow wrist hand hip knee ankle foot")
    )
    both = {Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL}
    for region in PAIRED:
        assert sides_of(region) == both
    assert sides_of(BodyRegion.LUMBAR) == set(Laterality)
    assert sides_of(BodyRegion.WHOLE_BODY) == {Laterality.NOT_APPLICABLE}


# --- sound ones pass ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", RestrictionKind)
def test_a_sound_restriction_of_every_kind_passes(kind: RestrictionKind) -> None:
    judged = found(SOUND[kind])
    assert judged.ok
    assert judged.errors == {}
    assert judged.warnings == {}
    judged.raise_if_wrong()


@pytest.mark.parametrize("kind", RestrictionKind)
def test_every_unit_of_every_kind_passes_in_the_middle_of_its_range(
    kind: RestrictionKind,
) -> None:
    for unit in UNITS_FOR_KIND[kind]:
        bounds = RANGE_FOR_UNIT[unit]
        middle = ((bounds.low + bounds.high) / 2).to_integral_value()
        value = D(40) if kind is K.WEIGHT_BEARING else middle
        assert fields(SOUND[kind], unit=unit, value=value) == set()


def test_wrong_ones_raise_with_all_their_fields() -> None:
    judged = found(KNEE_BEND, laterality=None, unit=None, review_on=None)
    assert not judged.ok
    with pytest.raises(Invalid) as refused:
        judged.raise_if_wrong()
    assert set(refused.value.errors) == {"laterality", "unit", "review_on"}


# --- how strict ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        (K.AVOID, "must_not"),
        (K.PRECAUTION, "caution"),
        (K.LIMIT_POSITION, "must_not limit caution"),
        *((kind, "limit caution") for kind in RestrictionKind if kind.value.startswith("limit_l")),
        (K.LIMIT_ROM, "limit caution"),
        (K.LIMIT_VOLUME, "limit caution"),
        (K.LIMIT_DURATION, "limit caution"),
        (K.LIMIT_IMPACT, "limit caution"),
        (K.LIMIT_SPEED, "limit caution"),
        (K.LIMIT_INTENSITY, "limit caution"),
        (K.REQUIRES_SUPERVISION, "limit caution"),
        (K.REQUIRES_EQUIPMENT, "limit caution"),
        (K.WEIGHT_BEARING, "limit caution"),
        (K.PAIN_RULE, "limit caution"),
    ],
)
def test_severity_fits_the_kind(kind: RestrictionKind, allowed: str) -> None:
    for severity in Severity:
        expected = set() if severity.value in allowed.split() else {"severity"}
        assert fields(SOUND[kind], severity=severity) == expected, severity


def test_severity_complaints_say_what_to_choose() -> None:
    assert "Modify or Caution" in found(KNEE_BEND, severity=Severity.MUST_NOT).errors["severity"][0]
    assert "always Avoid" in found(NO_JUMPS, severity=Severity.LIMIT).errors["severity"][0]
    precaution = SOUND[K.PRECAUTION]
    assert "always Caution" in found(precaution, severity=Severity.MUST_NOT).errors["severity"][0]


# --- sides --------------------------------------------------------------------------------------


@pytest.mark.parametrize("region", sorted(PAIRED))
def test_a_paired_region_needs_its_side(region: BodyRegion) -> None:
    for wrong in (None, Laterality.MIDLINE, Laterality.NOT_APPLICABLE):
        assert fields(NO_JUMPS, body_region=region, laterality=wrong) == {"laterality"}
    for right in (Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL):
        assert fields(NO_JUMPS, body_region=region, laterality=right) == set()


def test_an_unpaired_region_needs_none_and_refuses_one_it_cannot_have() -> None:
    assert fields(NO_JUMPS, body_region=BodyRegion.WHOLE_BODY, laterality=None) == set()
    judged = found(NO_JUMPS, body_region=BodyRegion.WHOLE_BODY)
    assert judged.errors == {"laterality": ["Whole body has no sides."]}
    for side in Laterality:
        assert fields(NO_JUMPS, body_region=BodyRegion.LUMBAR, laterality=side) == set()


# --- movements ----------------------------------------------------------------------------------


def test_avoid_says_what() -> None:
    assert fields(NO_JUMPS, patterns=()) == {"patterns"}
    assert fields(NO_JUMPS, patterns=(), joint_action=JointAction.FLEXION) == set()


def test_a_movement_is_named_once_and_a_speed_needs_one() -> None:
    assert fields(NO_JUMPS, patterns=(Pattern.JUMP, Pattern.JUMP)) == {"patterns"}
    assert fields(SOUND[K.LIMIT_SPEED], patterns=()) == {"patterns"}
    assert fields(SOUND[K.LIMIT_LOAD], patterns=()) == set()


def test_a_joint_action_belongs_to_its_kinds_and_its_joint() -> None:
    assert fields(KNEE_BEND, joint_action=None) == {"joint_action"}
    assert fields(KNEE_BEND, joint_action=JointAction.PRONATION) == {"joint_action"}
    assert fields(SOUND[K.LIMIT_LOAD], joint_action=JointAction.FLEXION) == {"joint_action"}


# --- numbers ------------------------------------------------------------------------------------

LIMITED = [kind for kind, rule in KIND_RULES.items() if rule.value is Need.REQUIRED]


@pytest.mark.parametrize("kind", LIMITED)
def test_a_limit_needs_number_comparison_and_fitting_unit(kind: RestrictionKind) -> None:
    spec = SOUND[kind]
    assert fields(spec, value=None) == {"value"}
    assert fields(spec, comparator=None) == {"comparator"}
    assert fields(spec, unit=None) == {"unit"}
    assert fields(spec, value=None, comparator=None, unit=None) == {"value", "unit"}
    for unit in set(Unit) - UNITS_FOR_KIND[kind]:
        assert "unit" in fields(spec, unit=unit), unit


@pytest.mark.parametrize(
    "kind", [kind for kind, rule in KIND_RULES.items() if rule.value is Need.FORBIDDEN]
)
def test_a_kind_without_number_refuses_each_part_of_one(kind: RestrictionKind) -> None:
    spec = SOUND[kind]
    for part in ({"value": D(1)}, {"value_high": D(1)}, {"unit": U.KG}, {"comparator": C.LE}):
        assert fields(spec, **part) == set(part)


def test_an_optional_number_comes_whole_or_not_at_all() -> None:
    bare = replace(SOUND[K.LIMIT_POSITION], value=None, unit=None, comparator=None)
    assert found(bare).ok
    assert fields(bare, unit=U.DEG) == {"value"}
    assert fields(bare, comparator=C.LE) == {"value"}
    assert fields(bare, value_high=D(1), unit=U.DEG, comparator=C.BETWEEN) == {"value"}
    assert fields(bare, value=D(45)) == {"unit", "comparator"}
    assert fields(bare, unit=U.KG) == {"value", "unit"}


@pytest.mark.parametrize("unit", Unit)
def test_ranges_include_their_ends_and_nothing_beyond(unit: Unit) -> None:
    bounds = RANGE_FOR_UNIT[unit]
    assert value_problem(bounds.low, unit) == ""
    assert value_problem(bounds.high, unit) == ""
    for beyond in (bounds.low - 1, bounds.high + 1):
        text = value_problem(beyond, unit)
        assert str(bounds.low) in text
        assert str(bounds.high) in text


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "1e400000", "1e9"])
def test_what_is_no_sensible_number_is_refused(value: str) -> None:
    for kind in LIMITED:
        assert fields(SOUND[kind], value=D(value)) == {"value"}, kind
        assert fields(SOUND[kind], value=D(value), unit=None) == {"value", "unit"}
    assert fields(SOUND[K.WEIGHT_BEARING], value=D(value)) >= {"value"}
    assert fields(KNEE_BEND, comparator=C.BETWEEN, value_high=D(value)) == {"value_high"}
    criterion = Criterion(CriterionKind.TEST, "hop", C.GE, D(value), U.PCT)
    assert fields(KNEE_BEND, criteria=(criterion, criterion)) == {"criteria"}


def test_whole_numbers_and_decimals() -> None:
    assert fields(SOUND[K.LIMIT_VOLUME], value=D("2.5")) == {"value"}
    assert fields(SOUND[K.LIMIT_VOLUME], value=D("2.0")) == set()
    assert fields(SOUND[K.LIMIT_INTENSITY], value=D("6.5")) == set()
    assert fields(SOUND[K.LIMIT_LOAD], value=D("2.25")) == set()
    assert fields(SOUND[K.LIMIT_LOAD], value=D("2.255")) == {"value"}
    assert fields(SOUND[K.LIMIT_LOAD], value=D("1e-400000")) == {"value"}


def test_between_needs_both_numbers_in_order() -> None:
    between = replace(KNEE_BEND, comparator=C.BETWEEN, value=D(30), value_high=D(90))
    assert found(between).ok
    assert fields(between, value_high=None) == {"value_high"}
    assert fields(between, value_high=D(30)) == {"value_high"}
    assert fields(between, value_high=D(20)) == {"value_high"}
    assert fields(between, value=D("NaN")) == {"value"}
    assert fields(between, comparator=C.LE) == {"value_high"}


def test_comparisons_fit_the_kind() -> None:
    for comparator in (C.GE, C.GT, C.EQ):
        assert fields(SOUND[K.PAIN_RULE], comparator=comparator) == {"comparator"}
    assert fields(SOUND[K.PAIN_RULE], comparator=C.LT) == set()
    assert fields(SOUND[K.WEIGHT_BEARING], comparator=C.GE) == {"comparator"}


@pytest.mark.parametrize("comparator", [C.GE, C.GT])
def test_asking_for_more_is_doubted_where_it_is_rare(comparator: Comparator) -> None:
    assert set(found(SOUND[K.LIMIT_LOAD], comparator=comparator).warnings) == {"comparator"}
    assert found(KNEE_BEND, comparator=comparator).warnings == {}
    assert found(SOUND[K.LIMIT_POSITION], comparator=comparator).warnings == {}


def test_movement_beyond_normal_warns_and_does_not_refuse() -> None:
    judged = found(KNEE_BEND, value=D(141))
    assert judged.ok
    assert "140" in judged.warnings["value"][0]
    assert "38 CFR" in judged.warnings["value"][0]
    assert found(KNEE_BEND, value=D(140)).warnings == {}
    wide = found(KNEE_BEND, comparator=C.BETWEEN, value=D(20), value_high=D(150))
    assert wide.ok
    assert set(wide.warnings) == {"value_high"}


def test_no_warning_without_an_agreed_figure() -> None:
    judged = found(KNEE_BEND, joint_action=JointAction.EXTENSION, value=D(170))
    assert judged.errors == judged.warnings == {}
    # A number that is refused for its own sake is not compared with the table as well.
    assert found(KNEE_BEND, value=D(999)).warnings == {}
    assert found(KNEE_BEND, joint_action=None, value=D(150)).warnings == {}
    odd = found(KNEE_BEND, comparator=C.BETWEEN, value=D(20), value_high=D("NaN"))
    assert odd.warnings == {}


# --- weight bearing -----------------------------------------------------------------------------

W = WeightBearing
BARE_WEIGHT = replace(SOUND[K.WEIGHT_BEARING], value=None, unit=None, comparator=None)


def weight(status: WeightBearing | None, share: str | None, **changes: Any) -> RestrictionSpec:
    number: dict[str, Any] = (
        {} if share is None else {"value": D(share), "unit": U.PCT_BW, "comparator": C.LE}
    )
    return replace(BARE_WEIGHT, weight_bearing=status, **{**number, **changes})


@pytest.mark.parametrize(
    ("status", "share", "wrong"),
    [
        (W.NWB, None, ""),
        (W.NWB, "0", ""),
        (W.NWB, "5", "value"),
        (W.TTWB, None, ""),
        (W.TTWB, "20", ""),
        (W.TTWB, "21", "value"),
        (W.PWB, None, "value"),
        (W.PWB, "0", "value"),
        (W.PWB, "0.01", ""),
        (W.PWB, "30", ""),
        (W.PWB, "99.99", ""),
        (W.PWB, "100", "value"),
        (W.WBAT, None, ""),
        (W.WBAT, "50", "value"),
        (W.FWB, None, ""),
        (W.FWB, "100", ""),
        (W.FWB, "90", "value"),
        (None, None, "weight_bearing"),
        (None, "0", ""),
        (None, "30", ""),
        (None, "100", ""),
    ],
)
def test_weight_bearing_and_its_share_agree(
    status: WeightBearing | None, share: str | None, wrong: str
) -> None:
    assert set(check(weight(status, share), today=TODAY).errors) == ({wrong} if wrong else set())


def test_weight_bearing_is_read_from_the_share_when_not_chosen() -> None:
    assert weight_bearing_of(weight(None, "0")) is W.NWB
    assert weight_bearing_of(weight(None, "30")) is W.PWB
    assert weight_bearing_of(weight(None, "100")) is W.FWB
    assert weight_bearing_of(weight(None, None)) is None
    assert weight_bearing_of(weight(None, "NaN")) is None
    assert weight_bearing_of(weight(W.TTWB, "10")) is W.TTWB
    between = weight(None, "20", comparator=C.BETWEEN, value_high=D(50))
    assert weight_bearing_of(between) is W.PWB
    assert check(between, today=TODAY).ok
    assert weight_bearing_of(KNEE_BEND) is None


def test_weight_bearing_belongs_to_its_own_kind() -> None:
    assert fields(KNEE_BEND, weight_bearing=W.PWB) == {"weight_bearing"}


def test_only_no_weight_at_all_can_be_avoided() -> None:
    assert check(weight(W.NWB, None, severity=Severity.MUST_NOT), today=TODAY).ok
    for status in (W.TTWB, W.WBAT, W.FWB):
        judged = check(weight(status, None, severity=Severity.MUST_NOT), today=TODAY)
        assert set(judged.errors) == {"severity"}
    nothing = check(weight(None, None, severity=Severity.MUST_NOT), today=TODAY)
    assert set(nothing.errors) == {"weight_bearing"}


# --- texts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [K.LIMIT_POSITION, K.REQUIRES_EQUIPMENT, K.PRECAUTION])
def test_kinds_made_of_words_need_them(kind: RestrictionKind) -> None:
    assert fields(SOUND[kind], wording="  ") == {"wording"}


def test_texts_have_an_end() -> None:
    assert fields(KNEE_BEND, wording="x" * TEXT_MAX_LENGTH) == set()
    assert fields(KNEE_BEND, wording="x" * (TEXT_MAX_LENGTH + 1)) == {"wording"}
    assert fields(KNEE_BEND, instead="x" * (TEXT_MAX_LENGTH + 1)) == {"instead"}


def test_avoid_asks_for_what_is_fine_instead() -> None:
    judged = found(NO_JUMPS, instead=" ")
    assert judged.ok
    assert set(judged.warnings) == {"instead"}
    assert found(KNEE_BEND, instead="").warnings == {}


@pytest.mark.parametrize("name", ["wording", "instead"])
def test_a_text_that_names_the_condition_is_doubted(name: str) -> None:
    judged = found(KNEE_BEND, **{name: "After the ACL reconstruction go slow"})
    assert judged.ok
    assert "acl, reconstruction" in judged.warnings[name][0]


def test_a_criterion_that_names_the_condition_is_doubted() -> None:
    named = Criterion(CriterionKind.OBSERVATION, "no sign of tendonitis")
    assert set(found(KNEE_BEND, criteria=(named,)).warnings) == {"criteria"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Torn meniscus, repaired in May", ("torn", "meniscus", "repaired")),
        ("rotator cuff, ROTATOR CUFF", ("rotator cuff",)),
        ("patellar tendinopathy", ("tendinopathy",)),
        ("osteoarthritis and sciatica", ("osteoarthritis", "sciatica")),
        ("herniated disc", ("herniated", "disc")),
        ("post-op week six", ("post-op",)),
        ("Use a pad under the shin", ()),
        ("Stop at a tear-free pace", ("tear",)),
        ("Discuss the next steps, wear the brace", ()),
        ("The scar may feel tender", ()),
        ("", ()),
    ],
)
def test_words_that_name_a_condition(text: str, named: tuple[str, ...]) -> None:
    assert diagnosis_words(text) == named


# --- criteria -----------------------------------------------------------------------------------

HOP = Criterion(CriterionKind.TEST, "Single-leg hop", C.GE, D(90), U.PCT, Laterality.LEFT)


def test_something_lifts_every_limit() -> None:
    assert fields(KNEE_BEND, criteria=()) == {"criteria"}
    assert fields(KNEE_BEND, criteria=(HOP,)) == set()
    assert fields(KNEE_BEND, criteria=(HOP, PT_REVIEW)) == set()
    assert fields(KNEE_BEND, criteria=(HOP, HOP)) == {"criteria"}


def test_criteria_have_an_end() -> None:
    many = [replace(HOP, measure=f"hop {index}") for index in range(MAX_CRITERIA + 1)]
    assert fields(KNEE_BEND, criteria=tuple(many[1:])) == set()
    assert fields(KNEE_BEND, criteria=tuple(many)) == {"criteria"}


@pytest.mark.parametrize(
    "wrong",
    [
        replace(PT_REVIEW, measure="hop"),
        replace(PT_REVIEW, value=D(1)),
        replace(PT_REVIEW, unit=U.KG),
        replace(PT_REVIEW, comparator=C.GE),
        replace(PT_REVIEW, side=Laterality.LEFT),
        replace(HOP, measure=" "),
        replace(HOP, measure="x" * (NAME_MAX_LENGTH + 1)),
        replace(HOP, side=Laterality.MIDLINE),
        replace(HOP, unit=None),
        replace(HOP, comparator=None),
        replace(HOP, value=None),
        replace(HOP, comparator=None, value=None, unit=None),
        replace(HOP, kind=CriterionKind.MEASURE, comparator=None, value=None, unit=None),
        replace(HOP, comparator=C.BETWEEN),
        replace(HOP, value=D(900)),
    ],
)
def test_a_criterion_that_nobody_could_check_is_refused(wrong: Criterion) -> None:
    assert fields(KNEE_BEND, criteria=(wrong,)) == {"criteria"}
    assert len(found(KNEE_BEND, criteria=(wrong,)).errors["criteria"]) == 1


@pytest.mark.parametrize(
    "right",
    [
        replace(HOP, side=None),
        replace(HOP, side=Laterality.BILATERAL),
        replace(HOP, kind=CriterionKind.MEASURE),
        Criterion(CriterionKind.OBSERVATION, "No swelling the next morning"),
        Criterion(CriterionKind.OBSERVATION, "Pain going downstairs", C.LE, D(2), U.NPRS),
    ],
)
def test_a_criterion_that_can_be_checked_passes(right: Criterion) -> None:
    assert found(KNEE_BEND, criteria=(right,)).ok


# --- dates and authority ------------------------------------------------------------------------


def test_a_review_lies_ahead_and_not_beyond_reach() -> None:
    assert fields(KNEE_BEND, review_on=None) == {"review_on"}
    assert fields(KNEE_BEND, review_on=TODAY) == {"review_on"}
    assert fields(KNEE_BEND, review_on=TODAY - timedelta(days=1)) == {"review_on"}
    assert fields(KNEE_BEND, review_on=TODAY + timedelta(days=1)) == set()
    assert fields(KNEE_BEND, review_on=TODAY + timedelta(days=731)) == {"review_on"}
    far = found(KNEE_BEND, review_on=TODAY + timedelta(days=730))
    assert far.ok
    assert set(far.warnings) == {"review_on"}
    assert found(KNEE_BEND, review_on=TODAY + timedelta(days=183)).warnings == {}


def test_an_earliest_date_that_has_passed_is_doubted() -> None:
    assert set(found(KNEE_BEND, earliest_lift_on=TODAY - timedelta(days=1)).warnings) == {
        "earliest_lift_on"
    }
    assert found(KNEE_BEND, earliest_lift_on=TODAY).warnings == {}


def test_a_surgeons_order_has_a_name_and_a_date_in_the_past() -> None:
    order = replace(
        KNEE_BEND,
        authority=Authority.SURGEON_ORDER,
        authority_name="Dr. Imaginary",
        authority_on=TODAY,
    )
    assert found(order).ok
    assert fields(order, authority_name=" ") == {"authority_name"}
    assert fields(order, authority_on=None) == {"authority_on"}
    assert fields(order, authority_on=TODAY + timedelta(days=1)) == {"authority_on"}
    assert fields(order, authority_name="x" * NAME_MAX_LENGTH) == set()
    assert fields(order, authority_name="x" * (NAME_MAX_LENGTH + 1)) == {"authority_name"}
    assert fields(KNEE_BEND, authority_name="x" * (NAME_MAX_LENGTH + 1)) == {"authority_name"}


# --- condition codes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code", ["M54", "M54.5", "M54.50", "S83.511A", "C4A.0", "Z3A.20", "U07.1", "T36.0X1A"]
)
def test_codes_written_like_icd10(code: str) -> None:
    assert valid_icd10_shape(code)
    assert normal_icd10(f" {code.lower()} ") == code
    assert normal_icd10(code.replace(".", "")) == code


@pytest.mark.parametrize(
    "code",
    ["", "M5", "54.5", "MM4.5", "M5C.1", "M54.", "M54.12345", "M54..5", "M54.5\n", "M5٤.5", "knee"],
)
def test_text_that_is_no_icd10_code(code: str) -> None:
    assert not valid_icd10_shape(code)


def test_text_that_cannot_be_made_a_code() -> None:
    assert [normal_icd10(text) for text in ("", "knee pain", "M5", "M54..5")] == [None] * 4


# --- the figure ---------------------------------------------------------------------------------


def drawn(view: str) -> set[str]:
    svg = (ROOT / "handoff" / "static" / "img" / f"bodymap-{view}.svg").read_text()
    return set(re.findall(r'data-region="([^"]+)"', svg))


def test_every_drawn_part_can_be_picked_and_every_pick_is_drawn() -> None:
    assert drawn("front") | drawn("back") == set(ALL_PARTS)


@pytest.mark.parametrize("part", ALL_PARTS)
def test_a_picked_part_has_a_side_its_region_can_have(part: str) -> None:
    pick = picked(part)
    assert pick is not None
    region, side = pick
    assert side in sides_of(region)
    if part.startswith(("left-", "right-")):
        assert part.startswith(side.value)


@pytest.mark.parametrize("region", BodyRegion)
def test_a_region_is_coloured_where_it_is_drawn(region: BodyRegion) -> None:
    both = parts_of(region, Laterality.BILATERAL)
    assert both
    assert set(both) <= set(ALL_PARTS)
    if region in PAIRED:
        left, right = parts_of(region, Laterality.LEFT), parts_of(region, Laterality.RIGHT)
        assert all(part.startswith("left-") for part in left)
        assert all(part.startswith("right-") for part in right)
        assert set(left) | set(right) == set(both)
        assert parts_of(region, None) == both
        for side in (Laterality.LEFT, Laterality.RIGHT):
            for part in parts_of(region, side):
                assert picked(part) == (region, side)


def _views(parts: Iterable[str]) -> set[str]:
    return {view for view in ("front", "back") if drawn(view) & set(parts)}


def test_joints_show_in_both_views_and_the_whole_body_is_all_of_it() -> None:
    for region in PAIRED:
        assert _views(parts_of(region, Laterality.LEFT)) == {"front", "back"}, region
    assert set(parts_of(BodyRegion.WHOLE_BODY, Laterality.NOT_APPLICABLE)) == set(ALL_PARTS)
    assert parts_of(BodyRegion.LUMBAR, Laterality.LEFT) == ("lumbar-spine",)
    assert picked("left-elbow") == (BodyRegion.ELBOW, Laterality.LEFT)
    assert picked("tail") is None


def test_a_weight_nobody_knows_is_not_guessed() -> None:
    with pytest.raises(AssertionError):
        check(weight(cast(WeightBearing, "a little"), None), today=TODAY)
