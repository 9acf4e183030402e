"""Does a restriction make sense? Errors stop it, warnings are shown and may be overruled.

A PT may know better than a table of normal movement, so that one only warns. What would leave a
trainer guessing (no side, no unit, no review date, no way out) is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, assert_never

from handoff.core.errors import Invalid
from referrals.vocabulary.spec import Criterion, RestrictionSpec, weight_bearing_of
from referrals.vocabulary.tables import (
    DECIMAL_PLACES,
    JOINT_ACTIONS_FOR_REGION,
    KIND_RULES,
    NAME_MAX_LENGTH,
    NORMAL_ROM,
    PAIRED,
    RANGE_FOR_UNIT,
    ROM_SOURCE,
    TEXT_MAX_LENGTH,
    KindRule,
    Need,
    sides_of,
)
from referrals.vocabulary.terms import (
    Authority,
    Comparator,
    CriterionKind,
    Laterality,
    RestrictionKind,
    Severity,
    Unit,
    WeightBearing,
)

# A review further away than this is no review.
LATEST_REVIEW: Final = timedelta(days=730)
FAR_REVIEW: Final = timedelta(days=183)
MAX_CRITERIA: Final = 10
# Toe-touch is for balance only; above this share of body weight it is partial weight bearing.
TOE_TOUCH_MAX: Final = Decimal(20)

# Words that name a condition or an operation. A trainer who was not given the class `history`
# must not learn it from a restriction's text, so the PT is asked to look again.
_DIAGNOSIS: Final = re.compile(
    r"\b(?:acl|pcl|mcl|lcl|slap|tha|tka|thr|tkr"
    r"|tears?|torn|ruptur\w*|sprain\w*|strain(?:s|ed)?|fractur\w*|dislocat\w*|subluxat\w*"
    r"|herniat\w*|hernia|prolaps\w*|stenosis|sciatica|syndrome|disease|disorder|lesions?"
    r"|impingement|instability|osteoporo\w*|osteopen\w*|cancer|tumou?r\w*|stroke|diabet\w*"
    r"|meniscus|meniscal|labrum|labral|rotator cuff|disc|discs"
    r"|surger\w*|surgical|post-?op\w*|reconstruct\w*|repair\w*|replacement|arthroplasty"
    r"|arthroscop\w*|fusion|diagnos\w*|\w+itis|\w+opath(?:y|ies)|\w+algia|\w+osis)\b",
    re.IGNORECASE,
)


def diagnosis_words(text: str) -> tuple[str, ...]:
    """Words in `text` that name a condition or an operation, in order, each once."""
    return tuple(dict.fromkeys(found.group(0).lower() for found in _DIAGNOSIS.finditer(text)))


@dataclass(slots=True)
class Findings:
    """Complaints by field name; "" is the whole restriction."""

    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.errors

    def refuse(self, name: str, text: str) -> None:
        self.errors.setdefault(name, []).append(text)

    def warn(self, name: str, text: str) -> None:
        self.warnings.setdefault(name, []).append(text)

    def raise_if_wrong(self) -> None:
        """Raises `Invalid` with the errors, if there are any."""
        if self.errors:
            raise Invalid(self.errors)


def check(spec: RestrictionSpec, *, today: date) -> Findings:
    """Everything that is wrong or doubtful about `spec`. `today` is the PT's local date."""
    found = Findings()
    rule = KIND_RULES[spec.kind]
    _check_severity(spec, rule, found)
    _check_side(spec, found)
    _check_movement(spec, rule, found)
    _check_number(spec, rule, found)
    _check_weight_bearing(spec, found)
    _check_texts(spec, rule, found)
    _check_criteria(spec.criteria, found)
    _check_dates(spec, found, today)
    _check_authority(spec, found, today)
    return found


def _check_severity(spec: RestrictionSpec, rule: KindRule, found: Findings) -> None:
    if spec.severity in rule.severities:
        return
    if spec.severity is Severity.MUST_NOT and Severity.LIMIT in rule.severities:
        found.refuse(
            "severity", "“Avoid” allows nothing at all. Choose Modify or Caution for a limit."
        )
    else:
        words = " or ".join(str(s.label) for s in Severity if s in rule.severities)
        found.refuse("severity", f"This kind of limit is always {words}.")


def _check_side(spec: RestrictionSpec, found: Findings) -> None:
    if spec.laterality is None:
        if spec.body_region in PAIRED:
            found.refuse("laterality", "Choose left, right or both.")
        return
    if spec.laterality in sides_of(spec.body_region):
        return
    if spec.body_region in PAIRED:
        found.refuse("laterality", "Choose left, right or both.")
    else:
        found.refuse("laterality", f"{spec.body_region.label} has no sides.")


def _check_movement(spec: RestrictionSpec, rule: KindRule, found: Findings) -> None:
    if len(set(spec.patterns)) != len(spec.patterns):
        found.refuse("patterns", "Name each movement once.")
    if rule.patterns is Need.REQUIRED and not spec.patterns:
        found.refuse("patterns", "Choose at least one movement.")
    if spec.joint_action is None:
        if rule.joint_action is Need.REQUIRED:
            found.refuse("joint_action", "Choose which way the joint moves.")
        if rule.names_movement and not spec.patterns:
            found.refuse("patterns", "Say what to avoid: choose a movement or a joint action.")
    elif rule.joint_action is Need.FORBIDDEN:
        found.refuse("joint_action", "This kind of limit has no joint action.")
    elif spec.joint_action not in JOINT_ACTIONS_FOR_REGION[spec.body_region]:
        found.refuse(
            "joint_action", f"{spec.body_region.label} does not move that way. Choose another."
        )


def _check_number(spec: RestrictionSpec, rule: KindRule, found: Findings) -> None:
    if rule.value is Need.FORBIDDEN:
        for name in ("value", "value_high", "unit", "comparator"):
            if getattr(spec, name) is not None:
                found.refuse(name, "This kind of limit has no number.")
        return
    if spec.value is None:
        if rule.value is Need.REQUIRED:
            found.refuse("value", "Enter a number.")
        for name in ("value_high", "unit", "comparator"):
            if rule.value is Need.OPTIONAL and getattr(spec, name) is not None:
                found.refuse("value", "Enter a number, or leave all of the limit empty.")
                break
        _check_unit(spec.unit, rule, found, missing=rule.value is Need.REQUIRED)
        return
    if spec.comparator is None:
        found.refuse("comparator", "Choose at most, less than or between.")
    elif spec.comparator not in rule.comparators:
        found.refuse("comparator", "Choose a way to compare that fits: at most, or less than.")
    _check_unit(spec.unit, rule, found, missing=True)
    usable = _check_amount("value", spec.value, spec.unit, found)
    if spec.comparator is Comparator.BETWEEN:
        if spec.value_high is None:
            found.refuse("value_high", "Enter the upper number too.")
        elif (
            _check_amount("value_high", spec.value_high, spec.unit, found)
            and usable
            and spec.value >= spec.value_high
        ):
            found.refuse("value_high", "The upper number must be above the lower one.")
    elif spec.value_high is not None:
        found.refuse("value_high", "An upper number belongs to “between” only.")
    if usable:
        _warn_direction(spec, found)
        _warn_rom(spec, found)


def _check_unit(unit: Unit | None, rule: KindRule, found: Findings, *, missing: bool) -> None:
    if unit is None:
        if missing:
            found.refuse("unit", "Choose a unit.")
    elif unit not in rule.units:
        fitting = ", ".join(str(known.label) for known in Unit if known in rule.units)
        found.refuse("unit", f"This unit does not fit. Choose one of: {fitting}.")


def _check_amount(name: str, value: Decimal, unit: Unit | None, found: Findings) -> bool:
    """Whether `value` is a number that `unit` can have; complains on field `name` if not."""
    if not value.is_finite():
        found.refuse(name, "Enter a number.")
        return False
    if unit is None:
        # Reported by the unit's own check; still refuse what no unit could hold.
        if abs(value) > max(bounds.high for bounds in RANGE_FOR_UNIT.values()):
            found.refuse(name, "This number is too large.")
            return False
        return True
    bounds = RANGE_FOR_UNIT[unit]
    if not bounds.low <= value <= bounds.high:
        found.refuse(name, f"Enter a number from {bounds.low} to {bounds.high} ({unit.label}).")
        return False
    if bounds.integer_only and value != value.to_integral_value():
        found.refuse(name, "Enter a whole number.")
        return False
    if value != round(value, DECIMAL_PLACES):
        found.refuse(name, f"Use at most {DECIMAL_PLACES} decimals.")
        return False
    return True


# Elsewhere "at least" asks the trainer to do more, which is rarely what a limit is for.
_LOWER_BOUND_IS_COMMON: Final = frozenset(
    {RestrictionKind.LIMIT_ROM, RestrictionKind.LIMIT_POSITION}
)


def _warn_direction(spec: RestrictionSpec, found: Findings) -> None:
    if (
        spec.comparator in (Comparator.GE, Comparator.GT)
        and spec.kind not in _LOWER_BOUND_IS_COMMON
    ):
        found.warn("comparator", "This asks for more, not for less. Is that what you mean?")


def _warn_rom(spec: RestrictionSpec, found: Findings) -> None:
    if spec.kind is not RestrictionKind.LIMIT_ROM or spec.joint_action is None:
        return
    normal = NORMAL_ROM.get((spec.body_region, spec.joint_action))
    if normal is None:
        return
    for name, value in (("value", spec.value), ("value_high", spec.value_high)):
        if value is not None and value.is_finite() and value > normal:
            found.warn(name, f"Normal movement ends near {normal} degrees ({ROM_SOURCE}).")


def _check_weight_bearing(spec: RestrictionSpec, found: Findings) -> None:
    if spec.kind is not RestrictionKind.WEIGHT_BEARING:
        if spec.weight_bearing is not None:
            found.refuse("weight_bearing", "Only a weight-bearing limit has this.")
        return
    status = weight_bearing_of(spec)
    most = spec.value_high if spec.comparator is Comparator.BETWEEN else spec.value
    if most is not None and not most.is_finite():
        return  # refused as a number already
    match status:
        case None:
            found.refuse("weight_bearing", "Choose how much weight is allowed.")
        case WeightBearing.NWB:
            if most:
                found.refuse("value", "“No weight” is 0 % of body weight.")
        case WeightBearing.TTWB:
            if most is not None and most > TOE_TOUCH_MAX:
                found.refuse("value", f"Touch for balance is at most {TOE_TOUCH_MAX} %.")
        case WeightBearing.PWB:
            if most is None:
                found.refuse("value", "Part of body weight needs a number in %.")
            elif not 0 < most < 100:
                found.refuse("value", "Part of body weight is more than 0 and below 100 %.")
        case WeightBearing.WBAT:
            if most is not None:
                found.refuse("value", "“As much as is comfortable” has no number.")
        case WeightBearing.FWB:
            if most is not None and most != 100:
                found.refuse("value", "Full weight is 100 %.")
        case _:
            assert_never(status)
    if spec.severity is Severity.MUST_NOT and status is not None and status != WeightBearing.NWB:
        found.refuse("severity", "Only “no weight” can be Avoid. Choose Modify or Caution.")


def _check_texts(spec: RestrictionSpec, rule: KindRule, found: Findings) -> None:
    if rule.wording is Need.REQUIRED and not spec.wording.strip():
        found.refuse("wording", "Say in plain words what this is about.")
    for name, text in (("wording", spec.wording), ("instead", spec.instead)):
        if len(text) > TEXT_MAX_LENGTH:
            found.refuse(name, f"Keep it under {TEXT_MAX_LENGTH} characters.")
        _warn_diagnosis(name, text, found)
    if not spec.instead.strip() and spec.severity is Severity.MUST_NOT:
        found.warn("instead", "Tell the trainer what is fine instead.")


def _warn_diagnosis(name: str, text: str, found: Findings) -> None:
    words = diagnosis_words(text)
    if words:
        found.warn(
            name,
            f"This may name the condition ({', '.join(words)}). The trainer reads it even when"
            " the client keeps “What happened” private.",
        )


def _check_criteria(criteria: Sequence[Criterion], found: Findings) -> None:
    if not criteria:
        found.refuse("criteria", "Say what lifts this limit, or choose “PT review”.")
    if len(criteria) > MAX_CRITERIA:
        found.refuse("criteria", f"Name at most {MAX_CRITERIA}.")
    for criterion in criteria:
        for text in criterion_problems(criterion):
            found.refuse("criteria", text)
        _warn_diagnosis("criteria", criterion.measure, found)
    # Only usable numbers can be compared: a signalling NaN raises on ==.
    if "criteria" not in found.errors and len(set(criteria)) != len(criteria):
        found.refuse("criteria", "Name each one once.")


def criterion_problems(criterion: Criterion) -> list[str]:
    """What is wrong with one thing to be shown, in words for whoever typed it."""
    numbers = (criterion.comparator, criterion.value, criterion.unit)
    given = [part for part in numbers if part is not None]
    if criterion.kind is CriterionKind.PT_REVIEW:
        if given or criterion.measure or criterion.side:
            return ["“PT review” stands alone, without a test or a number."]
        return []
    errors = []
    if not criterion.measure.strip():
        errors.append("Name the score, the test or what must be seen.")
    if len(criterion.measure) > NAME_MAX_LENGTH:
        errors.append(f"Keep each name under {NAME_MAX_LENGTH} characters.")
    if criterion.side not in (None, Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL):
        errors.append("A side is left, right or both; leave it out otherwise.")
    if given and len(given) < len(numbers):
        errors.append("A number needs how to compare, a value and a unit.")
    elif not given and criterion.kind is not CriterionKind.OBSERVATION:
        errors.append("A score or a test needs a number to reach.")
    if criterion.comparator is Comparator.BETWEEN:
        errors.append("Compare with one number: at least, at most or exactly.")
    if criterion.value is not None:
        amount = Findings()
        _check_amount("value", criterion.value, criterion.unit, amount)
        errors += amount.errors.get("value", [])
    return errors


def _check_dates(spec: RestrictionSpec, found: Findings, today: date) -> None:
    if spec.review_on is None:
        found.refuse("review_on", "Choose a review date.")
    elif spec.review_on <= today:
        found.refuse("review_on", "Choose a review date after today.")
    elif spec.review_on - today > LATEST_REVIEW:
        found.refuse("review_on", "Choose a review date within two years.")
    elif spec.review_on - today > FAR_REVIEW:
        found.warn("review_on", "The review is more than six months away.")
    if spec.earliest_lift_on is not None and spec.earliest_lift_on < today:
        found.warn("earliest_lift_on", "This date has passed already.")


def _check_authority(spec: RestrictionSpec, found: Findings, today: date) -> None:
    if len(spec.authority_name) > NAME_MAX_LENGTH:
        found.refuse("authority_name", f"Keep it under {NAME_MAX_LENGTH} characters.")
    if spec.authority is not Authority.SURGEON_ORDER:
        return
    if not spec.authority_name.strip():
        found.refuse("authority_name", "Name the surgeon.")
    if spec.authority_on is None:
        found.refuse("authority_on", "Enter the date of the order.")
    elif spec.authority_on > today:
        found.refuse("authority_on", "An order cannot be from the future.")


def value_problem(value: Decimal, unit: Unit) -> str:
    """What is wrong with a number in this unit, for a field that is checked on its own; "" if
    nothing is."""
    found = Findings()
    _check_amount("value", value, unit, found)
    return next(iter(found.errors.get("value", ())), "")
