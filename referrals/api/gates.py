"""Return gates of an episode, and `restriction-templates/`: what to reach, and where to begin."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rest_framework import serializers

from clients.api.base import Endpoint
from handoff.api.operations import acts, lists, removes
from handoff.api.shapes import Body, Number, Shape
from handoff.core.errors import NotVisible
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals import gates, particulars
from referrals.api.restriction_answers import number
from referrals.gate_rules import Standing
from referrals.packets import GateView
from referrals.starting_points import TEMPLATES, ProposedGate, ProposedLimit, Template
from referrals.vocabulary import (
    BodyRegion,
    Comparator,
    CriterionKind,
    JointAction,
    Laterality,
    Pattern,
    RestrictionKind,
    Severity,
    Unit,
)

_COMPARATORS = [(each.value, each.label) for each in gates.COMPARATORS]
_SIDES = [(each.value, each.label) for each in (Laterality.LEFT, Laterality.RIGHT)]


class GateBody(Body):
    """A measure by its code, or a test in words; with a number, or without for a sign."""

    measure = serializers.CharField(
        max_length=40, required=False, allow_blank=True, help_text="A code of `measures/`."
    )
    test = serializers.CharField(max_length=120, required=False, allow_blank=True)
    comparator = serializers.ChoiceField(choices=_COMPARATORS, required=False, allow_null=True)
    value = Number(required=False, allow_null=True)
    unit = serializers.ChoiceField(
        choices=Unit.choices,
        required=False,
        allow_null=True,
        help_text="For a test in words; a measure has its own.",
    )
    side = serializers.ChoiceField(choices=_SIDES, required=False, allow_null=True)
    reference = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="Who says so."
    )


class GateShape(Shape):
    """One thing to reach, and the newest value recorded of it. Never a clearance."""

    id = serializers.UUIDField()
    measure = serializers.CharField(allow_null=True)
    test = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField()
    comparator = serializers.ChoiceField(choices=_COMPARATORS, allow_null=True)
    value = serializers.FloatField(allow_null=True)
    unit = serializers.ChoiceField(choices=Unit.choices, allow_null=True)
    side = serializers.ChoiceField(choices=_SIDES, allow_null=True)
    reference = serializers.CharField(allow_blank=True)
    standing = serializers.ChoiceField(choices=Standing.choices)
    measured = serializers.FloatField(allow_null=True)
    measured_side = serializers.ChoiceField(choices=Laterality.choices, allow_null=True)
    measured_on = serializers.DateField(allow_null=True)


class EpisodeGates(Endpoint):
    policy = Policy.SIGNED_IN

    @lists(GateShape)
    def get(self, query: dict[str, Any], id: UUID) -> Page[dict[str, Any]]:
        """What is to be reached in one episode, where outcomes are shared."""
        found = particulars.gates(actor=self.actor, episode_id=id)
        page = self.values(found.items, query, key=lambda each: str(each.id))
        return Page([_gate(each) for each in page.items], page.next, page.previous)

    @acts(GateShape, body=GateBody, status=201, policy=Policy.PT)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Name one more, in an episode of mine that runs."""
        source = body.pop("reference", "")
        data = {**body, "source": source}
        return gates.add_gate(actor=self.actor, episode_id=id, data=data).pk

    def show(self, pk: str) -> dict[str, Any]:
        for each in particulars.gates(actor=self.actor, episode_id=self.kwargs["id"]).items:
            if str(each.id) == pk:
                return _gate(each)
        raise NotVisible


class OneGate(Endpoint):
    policy = Policy.PT

    @removes()
    def delete(self, id: UUID) -> None:
        """Take one off again, while nothing is signed."""
        gates.remove_gate(actor=self.actor, gate_id=id)


class ProposedCriterionShape(Shape):
    """What is to be shown before the limit may be lifted."""

    kind = serializers.ChoiceField(choices=CriterionKind.choices)
    measure = serializers.CharField(allow_blank=True)
    comparator = serializers.ChoiceField(choices=Comparator.choices, allow_null=True)
    value = serializers.FloatField(allow_null=True)
    unit = serializers.ChoiceField(choices=Unit.choices, allow_null=True)


class ProposedLimitShape(Shape):
    """A limit to begin from, in the words of `restrictions/`, without side and dates. What is in
    `open` has no published number and is the therapist's."""

    key = serializers.CharField()
    kind = serializers.ChoiceField(choices=RestrictionKind.choices)
    severity = serializers.ChoiceField(choices=Severity.choices)
    body_region = serializers.ChoiceField(choices=BodyRegion.choices)
    patterns = serializers.ListField(child=serializers.ChoiceField(choices=Pattern.choices))
    joint_action = serializers.ChoiceField(choices=JointAction.choices, allow_null=True)
    comparator = serializers.ChoiceField(choices=Comparator.choices, allow_null=True)
    value = serializers.FloatField(allow_null=True)
    unit = serializers.ChoiceField(choices=Unit.choices, allow_null=True)
    wording = serializers.CharField(allow_blank=True)
    instead = serializers.CharField(allow_blank=True)
    criteria = ProposedCriterionShape(many=True)
    reference = serializers.CharField(allow_blank=True)
    open = serializers.ListField(child=serializers.CharField())
    review_in_days = serializers.IntegerField()
    wait_weeks = serializers.IntegerField(help_text="After the operation.")
    wait_months = serializers.IntegerField(help_text="After the operation.")
    wait_reference = serializers.CharField(allow_blank=True)


class ProposedGateShape(Shape):
    """A gate to begin from. Without a value and with a comparator, the number is left open."""

    key = serializers.CharField()
    measure = serializers.CharField(allow_null=True)
    test = serializers.CharField(allow_blank=True)
    comparator = serializers.ChoiceField(choices=Comparator.choices, allow_null=True)
    value = serializers.FloatField(allow_null=True)
    unit = serializers.ChoiceField(choices=Unit.choices, allow_null=True)
    reference = serializers.CharField(allow_blank=True)
    sided = serializers.BooleanField()


class TemplateShape(Shape):
    """One condition: proposals, each number with its source."""

    key = serializers.CharField()
    name = serializers.CharField()
    regions = serializers.ListField(child=serializers.ChoiceField(choices=BodyRegion.choices))
    note = serializers.CharField()
    limits = ProposedLimitShape(many=True)
    gates = ProposedGateShape(many=True)


class Templates(Endpoint):
    policy = Policy.PT

    @lists(TemplateShape)
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """Limits and gates to begin from, by condition. Nothing of them is kept by reading."""
        page = self.values(TEMPLATES, query, key=lambda each: each.key)
        return Page([_template(each) for each in page.items], page.next, page.previous)


def _gate(view: GateView) -> dict[str, Any]:
    return {
        "id": view.id,
        "measure": view.measure or None,
        "test": view.test,
        "sentence": view.sentence,
        "comparator": view.comparator or None,
        "value": number(view.value),
        "unit": view.unit or None,
        "side": view.side or None,
        "reference": view.source,
        "standing": view.standing,
        "measured": number(view.measured),
        "measured_side": view.measured_side or None,
        "measured_on": view.measured_on,
    }


def _template(template: Template) -> dict[str, Any]:
    return {
        "key": template.key,
        "name": template.name,
        "regions": [each.value for each in template.regions],
        "note": template.note,
        "limits": [_limit(each) for each in template.limits],
        "gates": [_proposed(each) for each in template.gates],
    }


def _limit(limit: ProposedLimit) -> Mapping[str, Any]:
    wait, entries = limit.wait, limit.entries
    return {
        "key": limit.key,
        **{
            name: entries[name]
            for name in ("kind", "severity", "body_region", "wording", "instead")
        },
        **{name: entries.get(name) for name in ("joint_action", "comparator", "unit")},
        "patterns": entries.get("patterns", []),
        "value": _float(entries.get("value")),
        "criteria": [_criterion(each) for each in limit.criteria],
        "reference": limit.source,
        "open": list(limit.open),
        "review_in_days": limit.review_in.days,
        "wait_weeks": wait.weeks if wait else 0,
        "wait_months": wait.months if wait else 0,
        "wait_reference": wait.source if wait else "",
    }


def _criterion(row: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        "kind": row["kind"],
        "measure": row.get("measure", ""),
        "comparator": row.get("comparator"),
        "value": _float(row.get("value")),
        "unit": row.get("unit"),
    }


def _float(value: object) -> float | None:
    return float(str(value)) if value else None


def _proposed(gate: ProposedGate) -> Mapping[str, Any]:
    return {
        "key": gate.key,
        "measure": gate.measure or None,
        "test": gate.test,
        "comparator": gate.comparator,
        "value": _float(gate.value),
        "unit": gate.unit,
        "reference": gate.source,
        "sided": gate.is_sided,
    }
