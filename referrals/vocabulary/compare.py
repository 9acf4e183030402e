"""Tighter or looser: what a revision does to what a trainer may programme.

Each side of a restriction (how strict, which movements, which numbers, what must be shown first)
is compared on its own; the whole is tighter when no side got looser and one got tighter. Whatever
cannot be put in order counts as loosening, which only a PT may do.

Restrictions compared here have passed `rules.check`: their numbers are finite and fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, assert_never

from referrals.vocabulary.spec import RestrictionSpec, weight_bearing_of
from referrals.vocabulary.terms import (
    Authority,
    Comparator,
    Laterality,
    RestrictionKind,
    Severity,
    Unit,
    WeightBearing,
)


class Revision(StrEnum):
    TIGHTENS = "tightens"
    LOOSENS = "loosens"
    SAME = "same"
    UNCLEAR = "unclear"


_STRICTNESS: Final = {Severity.CAUTION: 0, Severity.LIMIT: 1, Severity.MUST_NOT: 2}
# Declared strictest first.
_WEIGHT: Final = {status: -rank for rank, status in enumerate(WeightBearing)}
_WEIGHT_WITH_NUMBER: Final = frozenset({WeightBearing.TTWB, WeightBearing.PWB})

# Units that measure the same thing: the shared unit and the factor to it (both exact).
_SHARED_UNIT: Final[dict[Unit, tuple[Unit, Decimal]]] = {
    Unit.LB: (Unit.KG, Decimal("0.45359237")),
    Unit.MIN: (Unit.SEC, Decimal(60)),
    Unit.MPH: (Unit.KMH, Decimal("1.609344")),
}


# --- one interval -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Allowed:
    """The numbers a limit lets through, in one unit. None is no end on that side; an open end
    does not include its number."""

    unit: Unit
    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False

    def contains(self, other: Allowed) -> bool:
        """Whether everything `other` lets through is let through here. Same unit assumed."""
        return _reaches_down(self, other) and _reaches_up(self, other)


def _reaches_down(outer: Allowed, inner: Allowed) -> bool:
    if outer.low is None:
        return True
    if inner.low is None:
        return False
    return outer.low < inner.low or (
        outer.low == inner.low and (not outer.low_open or inner.low_open)
    )


def _reaches_up(outer: Allowed, inner: Allowed) -> bool:
    if outer.high is None:
        return True
    if inner.high is None:
        return False
    return outer.high > inner.high or (
        outer.high == inner.high and (not outer.high_open or inner.high_open)
    )


def allowed(spec: RestrictionSpec) -> Allowed | None:
    """The numbers that `spec` lets through; None when it sets no number."""
    if spec.value is None or spec.unit is None or spec.comparator is None:
        return None
    unit, factor = _SHARED_UNIT.get(spec.unit, (spec.unit, Decimal(1)))
    value = spec.value * factor
    match spec.comparator:
        case Comparator.LE:
            return Allowed(unit, high=value)
        case Comparator.LT:
            return Allowed(unit, high=value, high_open=True)
        case Comparator.GE:
            return Allowed(unit, low=value)
        case Comparator.GT:
            return Allowed(unit, low=value, low_open=True)
        case Comparator.EQ:
            return Allowed(unit, low=value, high=value)
        case Comparator.BETWEEN:
            upper = spec.value if spec.value_high is None else spec.value_high
            return Allowed(unit, low=value, high=upper * factor)
        case _:
            assert_never(spec.comparator)


# --- sides of a restriction, each answering how the new stands to the old ------------------------


def _order(new: int | Decimal, old: int | Decimal) -> Revision:
    if new == old:
        return Revision.SAME
    return Revision.TIGHTENS if new > old else Revision.LOOSENS


def _containment(*, new_in_old: bool, old_in_new: bool) -> Revision:
    """For what is *let through*: a part of it is tighter."""
    match new_in_old, old_in_new:
        case True, True:
            return Revision.SAME
        case True, False:
            return Revision.TIGHTENS
        case False, True:
            return Revision.LOOSENS
        case _:
            return Revision.UNCLEAR


def _numbers(old: RestrictionSpec, new: RestrictionSpec) -> Revision:
    before, after = allowed(old), allowed(new)
    if before is None or after is None:
        return _containment(new_in_old=before is None, old_in_new=after is None)
    if before.unit != after.unit:
        return Revision.UNCLEAR
    return _containment(new_in_old=before.contains(after), old_in_new=after.contains(before))


def _weight(old: RestrictionSpec, new: RestrictionSpec) -> Revision:
    before, after = weight_bearing_of(old), weight_bearing_of(new)
    if before is None or after is None:
        return Revision.UNCLEAR
    if before is after and after in _WEIGHT_WITH_NUMBER:
        return _numbers(old, new)
    return _order(_WEIGHT[after], _WEIGHT[before])


def _strength(old: RestrictionSpec, new: RestrictionSpec) -> Revision:
    """How strict, leaving aside what it applies to and when it ends."""
    if old.kind is not new.kind:
        # Not at all is stricter than any limit on the same movement; other kinds say different
        # things about it.
        if new.kind is RestrictionKind.AVOID:
            return Revision.TIGHTENS
        if old.kind is RestrictionKind.AVOID:
            return Revision.LOOSENS
        return Revision.UNCLEAR
    severity = _order(_STRICTNESS[new.severity], _STRICTNESS[old.severity])
    if new.kind is RestrictionKind.WEIGHT_BEARING:
        return _together((severity, _weight(old, new)))
    return _together((severity, _numbers(old, new)))


def _reach(old: RestrictionSpec, new: RestrictionSpec) -> Revision:
    """What it applies to: more movements, or both sides instead of one, is tighter."""
    if old.body_region is not new.body_region or old.joint_action is not new.joint_action:
        return Revision.UNCLEAR
    # No pattern named means every movement of that region.
    everything = frozenset({""})
    before = frozenset(str(p) for p in old.patterns) or everything
    after = frozenset(str(p) for p in new.patterns) or everything
    patterns = _containment(
        new_in_old=after == everything or before <= after,
        old_in_new=before == everything or after <= before,
    )
    return _together((patterns, _sides(old.laterality, new.laterality)))


def _sides(old: Laterality | None, new: Laterality | None) -> Revision:
    if old is new:
        return Revision.SAME
    one = (Laterality.LEFT, Laterality.RIGHT)
    if old in one and new is Laterality.BILATERAL:
        return Revision.TIGHTENS
    if old is Laterality.BILATERAL and new in one:
        return Revision.LOOSENS
    return Revision.UNCLEAR


def _ending(old: RestrictionSpec, new: RestrictionSpec) -> Revision:
    """What must be shown, and how long waited, before it may be lifted: more is tighter."""
    before, after = frozenset(old.criteria), frozenset(new.criteria)
    criteria = _containment(new_in_old=before <= after, old_in_new=after <= before)
    earliest = _order(
        (new.earliest_lift_on or date.min).toordinal(),
        (old.earliest_lift_on or date.min).toordinal(),
    )
    return _together((criteria, earliest))


def _together(sides: Sequence[Revision]) -> Revision:
    seen = set(sides) - {Revision.SAME}
    if not seen:
        return Revision.SAME
    return seen.pop() if len(seen) == 1 else Revision.UNCLEAR


# --- what others ask ----------------------------------------------------------------------------


def compare(old: RestrictionSpec, new: RestrictionSpec) -> Revision:
    """What replacing `old` by `new` does to what is allowed. Words (`wording`, `instead`), the
    review date and the authority are not weighed here; see `needs_pt_act`."""
    return _together((_strength(old, new), _reach(old, new), _ending(old, new)))


def is_tighter(old: RestrictionSpec, new: RestrictionSpec) -> bool:
    """Whether `new` clearly allows less than `old` and nothing more."""
    return compare(old, new) is Revision.TIGHTENS


def needs_pt_act(old: RestrictionSpec, new: RestrictionSpec) -> bool:
    """Whether the revision must be a PT's own act with a reason: always, unless it is a plain
    tightening. Loosening, what cannot be compared, a later review, other words and another
    authority all need one."""
    if not is_tighter(old, new):
        return True
    if old.review_on is None or new.review_on is None or new.review_on > old.review_on:
        return True
    if (new.wording, new.instead) != (old.wording, old.instead):
        return True
    return _order_of(new) != _order_of(old)


def _order_of(spec: RestrictionSpec) -> tuple[Authority, str, date | None]:
    return spec.authority, spec.authority_name, spec.authority_on


def strictest(specs: Iterable[RestrictionSpec]) -> tuple[RestrictionSpec, ...]:
    """Those that govern, of several that apply to the same movement: all that no other one beats,
    the most severe first, in the given order among equals.

    Several remain when they limit different things (a load and a range of motion). The others
    are overruled but stay in force; readers show them as well.
    """
    given = list(dict.fromkeys(specs))
    governing = [
        spec
        for spec in given
        if not any(_strength(spec, other) is Revision.TIGHTENS for other in given)
    ]
    return tuple(sorted(governing, key=lambda spec: -_STRICTNESS[spec.severity]))
