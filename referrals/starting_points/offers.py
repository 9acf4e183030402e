"""A template held against one episode: what it offers, and what is still to be said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from referrals import restriction_input, wording
from referrals.measures import BY_CODE
from referrals.starting_points.conditions import TEMPLATES
from referrals.starting_points.shape import NOTHING, ProposedGate, ProposedLimit, Template
from referrals.vocabulary import (
    BodyRegion,
    Criterion,
    CriterionKind,
    Findings,
    Laterality,
    RestrictionSpec,
    sides_of,
)

_ONE_SIDE: Final = (Laterality.LEFT, Laterality.RIGHT)
ASKED: Final = ("laterality", "value", "review_on")
"""What a therapist may fill in beside a proposed limit. The rest is changed in the draft."""


@dataclass(frozen=True, slots=True)
class LimitOffer:
    """One proposed limit, with all that can be said about it for this episode."""

    limit: ProposedLimit
    data: Mapping[str, object]
    """What `restriction_input.read` is given."""
    spec: RestrictionSpec | None
    findings: Findings
    """What the rules of restrictions say, as for one that is typed."""
    asked: tuple[str, ...]
    """What stands beside it to be filled in: what is open, the review, a side not known."""

    @property
    def key(self) -> str:
        return self.limit.key

    @property
    def missing(self) -> tuple[str, ...]:
        """The entries without which it cannot be kept."""
        return tuple(self.findings.errors)


@dataclass(frozen=True, slots=True)
class GateOffer:
    """One proposed gate, as `gates` takes it."""

    gate: ProposedGate
    data: Mapping[str, object]

    @property
    def key(self) -> str:
        return self.gate.key

    @property
    def sentence(self) -> str:
        """As it will read, without a number that is still open."""
        gate = self.gate
        name = BY_CODE[gate.measure].name if gate.measure else gate.test
        if gate.comparator is None or gate.unit is None or gate.is_open:
            return f"{name}, {gate.comparator.label} ..." if gate.comparator else name
        test = Criterion(CriterionKind.TEST, name, gate.comparator, Decimal(gate.value), gate.unit)
        return wording.criterion_sentence(test)


@dataclass(frozen=True, slots=True)
class Offer:
    """All a template offers for one episode."""

    template: Template
    limits: tuple[LimitOffer, ...]
    gates: tuple[GateOffer, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What was ticked, and what was filled in beside it: key -> entry -> what was typed."""

    template: str
    limits: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    gates: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def fitting_first(region: str) -> tuple[tuple[Template, bool], ...]:
    """All templates, those for this body region first; and whether each is for it."""
    marked = [(each, region in each.regions) for each in TEMPLATES]
    return tuple(sorted(marked, key=lambda entry: not entry[1]))


def chosen(key: object) -> Template | None:
    """The template of that key, if there is one."""
    return next((each for each in TEMPLATES if each.key == key), None)


def offer(
    template: Template,
    *,
    laterality: str,
    surgery_on: date | None,
    today: date,
    filled: Wish | None = None,
) -> Offer:
    """What a template proposes for an episode of this side, with what was filled in so far.

    The side is that of the episode where the limit's region has it. The review is proposed a few
    weeks ahead. A day before which nothing is lifted is named only where the day of the operation
    is known and the wait is not over.
    """
    limits = filled.limits if filled else {}
    gates = filled.gates if filled else {}
    return Offer(
        template,
        tuple(
            _limit(each, laterality, surgery_on, today, limits.get(each.key, NOTHING))
            for each in template.limits
        ),
        tuple(_gate(each, laterality, gates.get(each.key, NOTHING)) for each in template.gates),
    )


def _limit(
    limit: ProposedLimit,
    laterality: str,
    surgery_on: date | None,
    today: date,
    typed: Mapping[str, object],
) -> LimitOffer:
    data: dict[str, object] = {**limit.entries, "review_on": today + limit.review_in}
    side = _side(BodyRegion(str(limit.entries["body_region"])), laterality)
    if side is not None:
        data["laterality"] = side
    if limit.wait is not None and surgery_on is not None:
        earliest = limit.wait.after(surgery_on)
        if earliest > today:
            data["earliest_lift_on"] = earliest
    asked = tuple(
        name
        for name in ASKED
        if name == "review_on" or name in limit.open or (name == "laterality" and side is None)
    )
    data |= {name: typed[name] for name in asked if name in typed}
    wanted, findings = restriction_input.look(data, today=today)
    return LimitOffer(limit, data, wanted.spec if wanted else None, findings, asked)


def _side(region: BodyRegion, laterality: str) -> str | None:
    """The episode's side, where this region has such a side; None is for the therapist to say."""
    sides = sides_of(region)
    if laterality in {each.value for each in sides}:
        return laterality
    return Laterality.NOT_APPLICABLE.value if Laterality.NOT_APPLICABLE in sides else None


def _gate(gate: ProposedGate, laterality: str, typed: Mapping[str, object]) -> GateOffer:
    value = typed.get("value", "") if gate.is_open else gate.value
    side = laterality if gate.is_sided and laterality in {each.value for each in _ONE_SIDE} else ""
    return GateOffer(
        gate,
        {
            "measure": gate.measure,
            "test": gate.test,
            "comparator": gate.comparator.value if gate.comparator else "",
            "value": value,
            "unit": gate.unit.value if gate.unit else "",
            "side": side,
            # A number the therapist chose has no source but them.
            "source": "" if gate.is_open else gate.source,
        },
    )
