"""Restrictions as data: the words, the rules they obey, and how two of them compare.

Pure: no models, no clock, no settings. `terms` holds the closed lists, `tables` what fits what,
`spec` the frozen restriction, `rules` the checks, `compare` tighter and looser, `bodymap` the
figure's regions.
"""

from referrals.vocabulary.terms import (
    Authority,
    BodyRegion,
    ClearanceLevel,
    Comparator,
    CriterionKind,
    DischargeReason,
    DischargeType,
    GoalOutcome,
    JointAction,
    Laterality,
    Pattern,
    RestrictionKind,
    Severity,
    Unit,
    WeightBearing,
)

__all__ = [
    "Authority",
    "BodyRegion",
    "ClearanceLevel",
    "Comparator",
    "CriterionKind",
    "DischargeReason",
    "DischargeType",
    "GoalOutcome",
    "JointAction",
    "Laterality",
    "Pattern",
    "RestrictionKind",
    "Severity",
    "Unit",
    "WeightBearing",
]
