"""A restriction as the API says it, from the frozen views of the disclosure door."""

from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from handoff.api.shapes import Shape
from referrals.packets import CriterionView, RestrictionView
from referrals.particulars import ListedView
from referrals.vocabulary import (
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

STATUSES = [("draft", "Not signed yet"), ("active", "In force"), ("lifted", "Lifted")]


class CriterionShape(Shape):
    """One thing to show before the restriction may be lifted. Only a therapist lifts."""

    kind = serializers.ChoiceField(choices=CriterionKind.choices)
    measure = serializers.CharField(allow_blank=True)
    comparator = serializers.ChoiceField(choices=Comparator.choices, allow_null=True)
    value = serializers.FloatField(allow_null=True)
    unit = serializers.ChoiceField(choices=Unit.choices, allow_null=True)
    side = serializers.ChoiceField(choices=Laterality.choices, allow_null=True)


class FindingShape(Shape):
    """One thing that is wrong, or doubtful, about a draft."""

    field = serializers.CharField()
    text = serializers.CharField()


class DraftingShape(Shape):
    """What only matters while a restriction is a draft; for the treating side."""

    rationale = serializers.CharField(allow_blank=True)
    earliest_lift_on = serializers.DateField(allow_null=True)
    authority_on = serializers.DateField(allow_null=True)
    problems = FindingShape(many=True, help_text="What a signature would be refused for.")
    warnings = FindingShape(many=True)


class RestrictionShape(Shape):
    """One restriction as it rules now. Time never lifts one: past its review it stays in force.

    A draft holds for nobody yet; it has nobody who set it, and `drafting`.
    """

    id = serializers.UUIDField()
    client = serializers.UUIDField()
    episode = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=RestrictionKind.choices)
    severity = serializers.ChoiceField(choices=Severity.choices)
    body_region = serializers.ChoiceField(choices=BodyRegion.choices)
    laterality = serializers.ChoiceField(choices=Laterality.choices)
    patterns = serializers.ListField(child=serializers.ChoiceField(choices=Pattern.choices))
    joint_action = serializers.ChoiceField(choices=JointAction.choices, allow_null=True)
    comparator = serializers.ChoiceField(choices=Comparator.choices, allow_null=True)
    value = serializers.FloatField(allow_null=True)
    value_high = serializers.FloatField(allow_null=True)
    unit = serializers.ChoiceField(choices=Unit.choices, allow_null=True)
    weight_bearing = serializers.ChoiceField(choices=WeightBearing.choices, allow_null=True)
    wording = serializers.CharField(allow_blank=True)
    instead = serializers.CharField(allow_blank=True)
    criteria = CriterionShape(many=True)
    review_on = serializers.DateField()
    review_overdue = serializers.BooleanField()
    authority = serializers.ChoiceField(choices=Authority.choices)
    authority_name = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=STATUSES)
    set_by = serializers.CharField(allow_null=True)
    set_on = serializers.DateField(allow_null=True)
    acknowledged_on = serializers.DateField(
        allow_null=True,
        help_text="By me, when I am the recipient; else by whoever received it. Day in UTC.",
    )
    headline = serializers.CharField(help_text="The limit in a few plain words.")
    sentence = serializers.CharField(help_text="The limit as one sentence.")
    drafting = DraftingShape(allow_null=True)


def number(value: Decimal | None) -> int | float | None:
    """A stored amount as a JSON number."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def restriction(view: RestrictionView) -> dict[str, Any]:
    return {
        "id": view.id,
        "client": view.client_id,
        "episode": view.episode_id,
        "kind": view.kind,
        "severity": view.severity,
        "body_region": view.body_region,
        "laterality": view.laterality,
        "patterns": list(view.patterns),
        "joint_action": view.joint_action or None,
        "comparator": view.comparator or None,
        "value": number(view.value),
        "value_high": number(view.value_high),
        "unit": view.unit or None,
        "weight_bearing": view.weight_bearing or None,
        "wording": view.wording,
        "instead": view.instead,
        "criteria": [_criterion(each) for each in view.criteria],
        "review_on": view.review_on,
        "review_overdue": view.review_overdue,
        "authority": view.authority,
        "authority_name": view.authority_name,
        "version": view.version,
        "status": view.status,
        "set_by": view.set_by,
        "set_on": view.set_on,
        "acknowledged_on": view.acknowledged_at and view.acknowledged_at.astimezone(UTC).date(),
        "headline": view.headline,
        "sentence": view.sentence,
        "drafting": None,
    }


def draft(listed: ListedView) -> dict[str, Any]:
    view = listed.draft
    values = dict(view.values)
    return {
        "id": view.restriction_id,
        "client": listed.client_id,
        "episode": listed.episode_id,
        **{name: values[name] for name in ("kind", "severity", "body_region", "laterality")},
        "patterns": values["patterns"],
        **{name: values[name] or None for name in ("joint_action", "comparator")},
        "value": _amount(values["value"]),
        "value_high": _amount(values["value_high"]),
        **{name: values[name] or None for name in ("unit", "weight_bearing")},
        **{name: values[name] for name in ("wording", "instead")},
        "criteria": _stored_criteria(values["criteria"]),
        "review_on": values["review_on"],
        "review_overdue": False,
        **{name: values[name] for name in ("authority", "authority_name")},
        "version": values["number"],
        "status": "draft",
        "set_by": None,
        "set_on": None,
        "acknowledged_on": None,
        "headline": view.headline,
        "sentence": view.sentence,
        "drafting": {
            **{name: values[name] for name in ("rationale", "earliest_lift_on", "authority_on")},
            "problems": [{"field": name, "text": text} for name, text in view.errors],
            "warnings": [{"field": name, "text": text} for name, text in view.warnings],
        },
    }


def _criterion(view: CriterionView) -> dict[str, Any]:
    return {
        "kind": view.kind,
        "measure": view.measure,
        "comparator": view.comparator or None,
        "value": number(Decimal(view.value)) if view.value else None,
        "unit": view.unit or None,
        "side": view.side or None,
    }


def _stored_criteria(rows: Any) -> list[dict[str, Any]]:
    return [_stored_criterion(row) for row in rows]


def _stored_criterion(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "kind": row["kind"],
        "measure": row["measure"],
        "comparator": row["comparator"] or None,
        "value": number(Decimal(row["value"])) if row["value"] else None,
        "unit": row["unit"] or None,
        "side": row["side"] or None,
    }


def _amount(value: object) -> int | float | None:
    return number(value) if isinstance(value, Decimal) else None
