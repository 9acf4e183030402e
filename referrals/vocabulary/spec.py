"""A restriction as one frozen value: what forms fill, models store and every reader is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from referrals.vocabulary.terms import (
    Authority,
    BodyRegion,
    Comparator,
    CriterionKind,
    JointAction,
    Laterality,
    Pattern,
    RestrictionKind,
    Severity,
    Unit,
    WeightBearing,
)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing to show before a limit may be lifted. All of them must be met, and even then
    only a PT lifts. `pt_review` needs nothing else: the PT decides."""

    kind: CriterionKind
    measure: str = ""
    comparator: Comparator | None = None
    value: Decimal | None = None
    unit: Unit | None = None
    side: Laterality | None = None


PT_REVIEW = Criterion(kind=CriterionKind.PT_REVIEW)


@dataclass(frozen=True, slots=True)
class RestrictionSpec:
    """What a restriction says, without who set it, its version or its state.

    Build it from typed input; `rules.check` says whether it makes sense. `wording` is the plain
    reason or description for the trainer, `instead` what is fine in its place; neither may name
    a diagnosis. `weight_bearing` belongs to that kind only and may be left out when the share of
    body weight in `value` says the same.
    """

    kind: RestrictionKind
    severity: Severity
    body_region: BodyRegion
    laterality: Laterality | None = None
    patterns: tuple[Pattern, ...] = ()
    joint_action: JointAction | None = None
    comparator: Comparator | None = None
    value: Decimal | None = None
    value_high: Decimal | None = None
    unit: Unit | None = None
    weight_bearing: WeightBearing | None = None
    wording: str = ""
    instead: str = ""
    criteria: tuple[Criterion, ...] = ()
    review_on: date | None = None
    earliest_lift_on: date | None = None
    authority: Authority = Authority.PT
    authority_name: str = ""
    authority_on: date | None = None


def weight_bearing_of(spec: RestrictionSpec) -> WeightBearing | None:
    """How much weight may go through it: as chosen, or as the share of body weight implies.
    None for every other kind and when neither is given."""
    if spec.kind is not RestrictionKind.WEIGHT_BEARING:
        return None
    if spec.weight_bearing is not None:
        return spec.weight_bearing
    share = spec.value_high if spec.comparator is Comparator.BETWEEN else spec.value
    if share is None or not share.is_finite():
        return None
    if share <= 0:
        return WeightBearing.NWB
    return WeightBearing.PWB if share < 100 else WeightBearing.FWB
