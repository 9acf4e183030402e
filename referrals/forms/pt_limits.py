"""One movement restriction as a form. What it asks depends on the kind, by the domain's tables."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django import forms
from django.db.models import TextChoices

from referrals.forms.pt_entries import (
    Entry,
    EntryForm,
    choice,
    day,
    number,
    one_of,
    text,
    tick,
    typed,
    words,
)
from referrals.restriction_input import CRITERION_FIELDS, MOST_CRITERIA
from referrals.vocabulary import (
    JOINT_ACTIONS_FOR_REGION,
    KIND_RULES,
    Authority,
    BodyRegion,
    Comparator,
    CriterionKind,
    JointAction,
    KindRule,
    Laterality,
    Need,
    Pattern,
    RestrictionKind,
    Severity,
    Unit,
    WeightBearing,
)

AT_ONCE: Final = 2
"""Tests to fill in from the start; another one appears as soon as these are used."""
_TESTED: Final = (Comparator.GE, Comparator.GT, Comparator.LE, Comparator.LT, Comparator.EQ)
_TESTED_UNITS: Final = (
    *(Unit.PCT, Unit.DEG, Unit.KG, Unit.LB, Unit.REPS, Unit.SEC, Unit.MIN, Unit.CM, Unit.M),
    *(Unit.NPRS, Unit.POINTS, Unit.PCT_BW, Unit.PCT_1RM, Unit.RPE),
)


def _pairs(members: Iterable[TextChoices]) -> list[tuple[str, Any]]:
    return [(each.value, each.label) for each in members]


class CriterionForm(EntryForm):
    """One thing to show before the limit may be lifted."""

    measure = words("Test or sign", required=True, placeholder="Hop test, left against right")
    comparator = choice("Result", _pairs(_TESTED), empty="Seen")
    value = number("Number", whole=False)
    unit = choice("Unit", _pairs(_TESTED_UNITS), empty="None")
    side = choice(
        "Side",
        _pairs((Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL)),
        empty="None",
    )

    @property
    def is_blank(self) -> bool:
        return not any(str(value or "").strip() for value in self.entries().values())


class LimitForm(EntryForm):
    """A restriction. Build it, then `shape()` it: fields that its kind does not have are gone."""

    severity = one_of("How strict", Severity.choices)
    kind = choice("What kind of limit", RestrictionKind.choices)
    body_region = choice("Where", BodyRegion.choices)
    laterality = choice("Side", Laterality.choices)
    patterns = Entry(
        label="Movements",
        required=False,
        widget=forms.CheckboxSelectMultiple(choices=Pattern.choices),
    )
    joint_action = choice("Which way the joint moves", JointAction.choices)
    weight_bearing = choice("How much weight", WeightBearing.choices)
    comparator = choice("Allowed is", Comparator.choices)
    value = number("Number", whole=False)
    value_high = number("and", whole=False)
    unit = choice("Unit", Unit.choices)
    wording = words(
        "In plain words for the trainer",
        required=False,
        hint="No diagnosis: this is read even when the client keeps “What happened” private.",
    )
    instead = words("Fine instead", required=False)
    review_on = day("Review on", hint="It stays in force after this day, until you decide.")
    earliest_lift_on = day("Not lifted before", required=False)
    authority = choice("Whose limit it is", Authority.choices)
    authority_name = words("Surgeon")
    authority_on = day("Order of")
    rationale = text(
        "Clinical reason",
        required=False,
        hint="Stands in the full closing note only.",
        rows=2,
    )
    pt_review = tick("My review alone lifts it", hint="Otherwise name what must be shown first.")
    reason = words("Why it changes", hint="Kept with this version. The trainer does not read it.")

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        stored: Mapping[str, Any] | None = None,
        with_reason: bool = False,
    ) -> None:
        known = stored or {}
        initial = {name: known[name] for name in self.base_fields if name in known}
        initial.setdefault("authority", Authority.PT.value)
        super().__init__(data, initial=initial)
        if not with_reason:
            del self.fields["reason"]
        given = [row for row in known.get("criteria") or [] if row.get("measure")]
        reviewed = bool(known) and not given
        self.fields["pt_review"].initial = reviewed
        self.criteria = self._criteria(data, given)

    # --- what was entered -----------------------------------------------------------------------

    def now(self, name: str) -> Any:
        """A field's value as the form stands."""
        if self.is_bound:
            widget = self.base_fields[name].widget
            return widget.value_from_datadict(self.data, self.files, name)
        return self.initial.get(name, self.base_fields[name].initial)

    def wanted(self) -> dict[str, Any]:
        """Everything the restriction's verbs take; a field that is not there is empty."""
        taken = {**dict.fromkeys(self.base_fields, ""), **self.entries()}
        review, _ = taken.pop("pt_review"), taken.pop("reason")
        rows: list[dict[str, Any]] = [row.entries() for row in self.criteria if not row.is_blank]
        if not rows and review:
            rows = [{"kind": CriterionKind.PT_REVIEW.value}]
        return {**taken, "criteria": rows}

    @property
    def why(self) -> str:
        return str(self.now("reason") or "")

    def _criteria(
        self, data: Mapping[str, Any] | None, given: list[Mapping[str, Any]]
    ) -> list[CriterionForm]:
        if data is None:
            rows = [
                CriterionForm(
                    prefix=f"criteria-{place}",
                    initial={name: row.get(name, "") for name in CRITERION_FIELDS},
                )
                for place, row in enumerate(given)
            ]
        else:
            try:
                count = min(max(int(data.get("criteria-rows", 0)), 0), MOST_CRITERIA)
            except (TypeError, ValueError):
                count = 0
            rows = [CriterionForm(data, prefix=f"criteria-{place}") for place in range(count)]
        used = len(given) if data is None else sum(not row.is_blank for row in rows)
        while len(rows) < min(MOST_CRITERIA, max(AT_ONCE, used + 1)):
            rows.append(CriterionForm(prefix=f"criteria-{len(rows)}"))
        return rows

    # --- which fields there are -----------------------------------------------------------------

    @property
    def rule(self) -> KindRule | None:
        kind = self.now("kind")
        return KIND_RULES[RestrictionKind(kind)] if kind in RestrictionKind.values else None

    def shape(self) -> "LimitForm":
        """Leave the fields that this kind, severity and region have, with fitting choices."""
        severity, rule = self.now("severity"), self.rule
        kinds = [
            kind
            for kind in RestrictionKind
            if severity not in Severity.values
            or Severity(severity) in KIND_RULES[kind].severities
            or kind == self.now("kind")
        ]
        self._choose_from("kind", _pairs(kinds))
        if rule is None:
            self._drop(*(name for name in self.fields if name not in _FIRST))
            return self
        self._shape_movement(rule)
        self._shape_number(rule)
        if self.now("kind") != RestrictionKind.WEIGHT_BEARING:
            self._drop("weight_bearing")
        if self.now("authority") != Authority.SURGEON_ORDER:
            self._drop("authority_name", "authority_on")
        self.fields["wording"].required = rule.wording is Need.REQUIRED
        return self

    def _shape_movement(self, rule: KindRule) -> None:
        self.fields["patterns"].required = rule.patterns is Need.REQUIRED
        region = self.now("body_region")
        known: frozenset[JointAction] = frozenset()
        if region in BodyRegion.values:
            known = JOINT_ACTIONS_FOR_REGION[BodyRegion(region)]
        if rule.joint_action is Need.FORBIDDEN or not known:
            self._drop("joint_action")
            return
        required = rule.joint_action is Need.REQUIRED
        self.fields["joint_action"].required = required
        ways = [action for action in JointAction if action in known]
        self._choose_from("joint_action", _pairs(ways), empty="Choose" if required else "Any way")

    def _shape_number(self, rule: KindRule) -> None:
        if rule.value is Need.FORBIDDEN:
            self._drop("comparator", "value", "value_high", "unit")
            return
        optional = rule.value is Need.OPTIONAL
        ways = [way for way in Comparator if way in rule.comparators]
        self._choose_from("comparator", _pairs(ways), empty="No number" if optional else "Choose")
        self._choose_from("unit", _pairs(unit for unit in Unit if unit in rule.units))
        for name in ("comparator", "value", "unit"):
            self.fields[name].required = not optional
        if self.now("comparator") != Comparator.BETWEEN:
            self._drop("value_high")

    def _choose_from(
        self, name: str, choices: list[tuple[str, Any]], empty: str = "Choose"
    ) -> None:
        widget = self.fields[name].widget
        if isinstance(widget, forms.Select):
            widget.choices = [("", empty), *choices]

    def _drop(self, *names: str) -> None:
        for name in names:
            self.fields.pop(name, None)


_FIRST: Final = ("severity", "kind", "body_region", "laterality")
"""What must be known before the rest can be asked."""


class ReasonForm(EntryForm):
    """Why a limit is lifted."""

    reason = words("Why it is lifted", hint="Kept with this version. The trainer does not read it.")


def stored_limit(values: Iterable[tuple[str, object]]) -> dict[str, Any]:
    """A stored version, as initial values of a `LimitForm`."""
    return {
        name: value if name in ("criteria", "patterns") else _shown(value) for name, value in values
    }


def _shown(value: object) -> str:
    """A number without the zeros its column adds."""
    written = typed(value)
    if hasattr(value, "as_tuple") and "." in written:
        written = written.rstrip("0").rstrip(".")
    return written
