"""What fits what: units to kinds, ranges to units, sides and movements to regions, normal ROM.

The bounds refuse slips of the pen (900 degrees, 20000 kg), they are no clinical advice. Whether
a number is wise is the PT's to judge.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Final

from referrals.vocabulary.terms import (
    BodyRegion,
    Comparator,
    JointAction,
    Laterality,
    RestrictionKind,
    Severity,
    Unit,
)

# Limits are kept in numeric(7, 2) columns.
DECIMAL_PLACES: Final = 2
TEXT_MAX_LENGTH: Final = 300
NAME_MAX_LENGTH: Final = 120


class Need(Enum):
    REQUIRED = "required"
    OPTIONAL = "optional"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class KindRule:
    """What a kind of restriction must, may and may not have."""

    value: Need
    units: frozenset[Unit]
    severities: frozenset[Severity]
    joint_action: Need = Need.FORBIDDEN
    patterns: Need = Need.OPTIONAL
    comparators: frozenset[Comparator] = frozenset(Comparator)
    wording: Need = Need.OPTIONAL
    # At least one of pattern and joint action must say what is meant.
    names_movement: bool = False


_NUMBERED = frozenset({Severity.LIMIT, Severity.CAUTION})
_ANY = frozenset(Severity)
_UPPER = frozenset({Comparator.LE, Comparator.LT})
_NONE: frozenset[Unit] = frozenset()

KIND_RULES: Final[Mapping[RestrictionKind, KindRule]] = MappingProxyType(
    {
        RestrictionKind.AVOID: KindRule(
            Need.FORBIDDEN,
            _NONE,
            frozenset({Severity.MUST_NOT}),
            joint_action=Need.OPTIONAL,
            names_movement=True,
        ),
        RestrictionKind.LIMIT_LOAD: KindRule(
            Need.REQUIRED, frozenset({Unit.KG, Unit.LB, Unit.PCT_1RM, Unit.PCT_BW}), _NUMBERED
        ),
        RestrictionKind.LIMIT_ROM: KindRule(
            Need.REQUIRED, frozenset({Unit.DEG}), _NUMBERED, joint_action=Need.REQUIRED
        ),
        RestrictionKind.LIMIT_VOLUME: KindRule(
            Need.REQUIRED,
            frozenset({Unit.REPS, Unit.SETS, Unit.SESSIONS_WEEK, Unit.M}),
            _NUMBERED,
        ),
        RestrictionKind.LIMIT_DURATION: KindRule(
            Need.REQUIRED, frozenset({Unit.MIN, Unit.SEC}), _NUMBERED
        ),
        RestrictionKind.LIMIT_IMPACT: KindRule(
            Need.REQUIRED, frozenset({Unit.CM, Unit.REPS, Unit.PCT_BW}), _NUMBERED
        ),
        RestrictionKind.LIMIT_SPEED: KindRule(
            Need.REQUIRED,
            frozenset({Unit.KMH, Unit.MPH, Unit.PCT_MAX_SPEED}),
            _NUMBERED,
            patterns=Need.REQUIRED,
        ),
        RestrictionKind.LIMIT_INTENSITY: KindRule(
            Need.REQUIRED, frozenset({Unit.RPE, Unit.BPM, Unit.PCT_HRMAX}), _NUMBERED
        ),
        # A position is described in words; a number (trunk tilt, hand height) may narrow it.
        RestrictionKind.LIMIT_POSITION: KindRule(
            Need.OPTIONAL, frozenset({Unit.DEG, Unit.CM}), _ANY, wording=Need.REQUIRED
        ),
        RestrictionKind.REQUIRES_SUPERVISION: KindRule(Need.FORBIDDEN, _NONE, _NUMBERED),
        RestrictionKind.REQUIRES_EQUIPMENT: KindRule(
            Need.FORBIDDEN, _NONE, _NUMBERED, wording=Need.REQUIRED
        ),
        # Needs of the number depend on the status chosen; see rules.
        RestrictionKind.WEIGHT_BEARING: KindRule(
            Need.OPTIONAL,
            frozenset({Unit.PCT_BW}),
            _ANY,
            comparators=_UPPER | {Comparator.EQ, Comparator.BETWEEN},
        ),
        RestrictionKind.PAIN_RULE: KindRule(
            Need.REQUIRED, frozenset({Unit.NPRS}), _NUMBERED, comparators=_UPPER
        ),
        RestrictionKind.PRECAUTION: KindRule(
            Need.FORBIDDEN, _NONE, frozenset({Severity.CAUTION}), wording=Need.REQUIRED
        ),
    }
)

UNITS_FOR_KIND: Final[Mapping[RestrictionKind, frozenset[Unit]]] = MappingProxyType(
    {kind: rule.units for kind, rule in KIND_RULES.items()}
)


@dataclass(frozen=True, slots=True)
class UnitRange:
    low: Decimal
    high: Decimal
    integer_only: bool = False


def _range(low: int, high: int, *, integer_only: bool = False) -> UnitRange:
    return UnitRange(Decimal(low), Decimal(high), integer_only)


RANGE_FOR_UNIT: Final[Mapping[Unit, UnitRange]] = MappingProxyType(
    {
        Unit.DEG: _range(0, 180),
        Unit.KG: _range(0, 500),
        Unit.LB: _range(0, 1100),
        Unit.PCT_1RM: _range(0, 100),
        Unit.PCT_BW: _range(0, 300),
        Unit.RPE: _range(0, 10),
        Unit.REPS: _range(0, 1000, integer_only=True),
        Unit.SETS: _range(0, 50, integer_only=True),
        Unit.SESSIONS_WEEK: _range(0, 21, integer_only=True),
        Unit.MIN: _range(0, 600),
        Unit.SEC: _range(0, 3600),
        Unit.M: _range(0, 50_000),
        Unit.CM: _range(0, 300),
        Unit.BPM: _range(30, 230, integer_only=True),
        Unit.PCT_HRMAX: _range(0, 100),
        Unit.NPRS: _range(0, 10, integer_only=True),
        Unit.KMH: _range(0, 45),
        Unit.MPH: _range(0, 28),
        Unit.PCT_MAX_SPEED: _range(0, 100),
        # Involved side against the other one can pass 100 %.
        Unit.PCT: _range(0, 200),
        Unit.POINTS: _range(-100, 1000),
    }
)

# --- sides --------------------------------------------------------------------------------------

PAIRED: Final = frozenset(
    {
        BodyRegion.SHOULDER,
        BodyRegion.ELBOW,
        BodyRegion.WRIST,
        BodyRegion.HAND,
        BodyRegion.HIP,
        BodyRegion.KNEE,
        BodyRegion.ANKLE,
        BodyRegion.FOOT,
    }
)
# One structure in the middle, of which one half can still be meant.
SIDED_MIDLINE: Final = frozenset(
    {
        BodyRegion.CERVICAL,
        BodyRegion.THORACIC,
        BodyRegion.LUMBAR,
        BodyRegion.SI_PELVIS,
        BodyRegion.CORE,
    }
)
_BOTH_SIDES = frozenset({Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL})


def sides_of(region: BodyRegion) -> frozenset[Laterality]:
    """The sides that make sense for a region. Only paired regions must name one."""
    if region in PAIRED:
        return _BOTH_SIDES
    if region in SIDED_MIDLINE:
        return frozenset(Laterality)
    return frozenset({Laterality.NOT_APPLICABLE})


# --- joints -------------------------------------------------------------------------------------

ROM_SOURCE: Final = (
    "38 CFR 4.71, plates I and II, with customary values for neck and back; sources differ by"
    " 5 to 20 degrees and age matters"
)

# Upper end of normal movement in degrees; the lower end is 0 throughout. A direction without an
# entry exists but has no agreed figure (straightening a knee, toes), and is then not warned about.
_A = JointAction
NORMAL_ROM: Final[Mapping[tuple[BodyRegion, JointAction], Decimal]] = MappingProxyType(
    {
        (region, action): Decimal(degrees)
        for regions, movements in (
            (
                (BodyRegion.SHOULDER,),
                {
                    _A.FLEXION: 180,
                    _A.ABDUCTION: 180,
                    _A.EXTERNAL_ROTATION: 90,
                    _A.INTERNAL_ROTATION: 90,
                    _A.EXTENSION: 60,
                },
            ),
            # The forearm turns at the elbow.
            ((BodyRegion.ELBOW,), {_A.FLEXION: 145, _A.PRONATION: 80, _A.SUPINATION: 85}),
            (
                (BodyRegion.WRIST,),
                {
                    _A.EXTENSION: 70,
                    _A.FLEXION: 80,
                    _A.RADIAL_DEVIATION: 20,
                    _A.ULNAR_DEVIATION: 45,
                },
            ),
            (
                (BodyRegion.HIP,),
                {
                    _A.FLEXION: 125,
                    _A.EXTENSION: 30,
                    _A.ABDUCTION: 45,
                    _A.ADDUCTION: 25,
                    _A.EXTERNAL_ROTATION: 60,
                    _A.INTERNAL_ROTATION: 40,
                },
            ),
            ((BodyRegion.KNEE,), {_A.FLEXION: 140}),
            (
                (BodyRegion.ANKLE,),
                {
                    _A.DORSIFLEXION: 20,
                    _A.PLANTARFLEXION: 45,
                    _A.INVERSION: 35,
                    _A.EVERSION: 25,
                },
            ),
            (
                (BodyRegion.CERVICAL,),
                {_A.FLEXION: 45, _A.EXTENSION: 45, _A.SIDE_BEND: 45, _A.ROTATION: 80},
            ),
            # Measured over the thoracic and lumbar spine together.
            (
                (BodyRegion.THORACIC, BodyRegion.LUMBAR),
                {_A.FLEXION: 90, _A.EXTENSION: 30, _A.SIDE_BEND: 30, _A.ROTATION: 30},
            ),
        )
        for region in regions
        for action, degrees in movements.items()
    }
)

_WITHOUT_FIGURE: Final[Mapping[BodyRegion, frozenset[JointAction]]] = MappingProxyType(
    {
        BodyRegion.SHOULDER: frozenset({_A.ADDUCTION}),
        BodyRegion.ELBOW: frozenset({_A.EXTENSION}),
        BodyRegion.KNEE: frozenset({_A.EXTENSION}),
        BodyRegion.HAND: frozenset({_A.FLEXION, _A.EXTENSION, _A.ABDUCTION, _A.ADDUCTION}),
        BodyRegion.FOOT: frozenset({_A.FLEXION, _A.EXTENSION, _A.INVERSION, _A.EVERSION}),
        BodyRegion.CORE: frozenset({_A.FLEXION, _A.EXTENSION, _A.SIDE_BEND, _A.ROTATION}),
    }
)

JOINT_ACTIONS_FOR_REGION: Final[Mapping[BodyRegion, frozenset[JointAction]]] = MappingProxyType(
    {
        region: frozenset(action for known, action in NORMAL_ROM if known == region)
        | _WITHOUT_FIGURE.get(region, frozenset())
        for region in BodyRegion
    }
)

# --- condition codes ----------------------------------------------------------------------------

# A letter, a digit, a digit or A/B, then up to four more behind a dot (the seventh character may
# be a letter). Shape only: whether a code is in this year's list is not known here.
_ICD10_SHAPE: Final = re.compile(r"[A-Z][0-9][0-9AB](?:\.[0-9A-Z]{1,4})?", re.ASCII)


def valid_icd10_shape(code: str) -> bool:
    """Whether `code` is written like an ICD-10-CM code: "M54.5", "S83.511A", "C4A.0"."""
    return _ICD10_SHAPE.fullmatch(code) is not None


def normal_icd10(text: str) -> str | None:
    """The code in its usual spelling (capitals, dot in place), or None when it is not one."""
    bare = text.strip().upper().replace(".", "", 1)
    code = f"{bare[:3]}.{bare[3:]}" if len(bare) > 3 else bare
    return code if valid_icd10_shape(code) else None
