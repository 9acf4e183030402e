"""Return gates of an episode: named by the treating therapist, until the note is signed.

A gate is compared with what is measured whenever somebody looks (`referrals.readings`). No verb
here, and nothing else, makes a clearance of gates: that is a signature of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from handoff.core import audit
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotVisible, Stale
from referrals import access
from referrals.care import account_of, require_running, require_treating, value_problems
from referrals.intake import Intake
from referrals.measures import MeasureUnit
from referrals.models import Episode, Gate, Measure
from referrals.vocabulary import (
    Comparator,
    Criterion,
    CriterionKind,
    Laterality,
    Unit,
    criterion_problems,
)

MOST_PER_EPISODE: Final = 50
FIELDS: Final = ("measure", "test", "comparator", "value", "unit", "side", "source")
MOST_TEST: Final = 120
MOST_SOURCE: Final = 200
COMPARATORS: Final = tuple(each for each in Comparator if each is not Comparator.BETWEEN)


def add_gate(
    *, actor: Actor, episode_id: UUID, data: Mapping[str, object], at: datetime | None = None
) -> Gate:
    """Name one more thing to reach: on a measure in use, or in words.

    Only the treating therapist. Raises NotVisible, NotAllowed, Stale once the episode has ended,
    Invalid with every field named.
    """
    at = at or timezone.now()
    with transaction.atomic():
        episode = _open(actor, episode_id)
        _require_room(episode, 1)
        gate = _read(data).on(episode, account_of(actor), at)
        gate.save(force_insert=True)
        _record(actor, "gate.added", gate, at)
    return gate


def add_gates(
    *,
    actor: Actor,
    episode_id: UUID,
    items: Sequence[Mapping[str, object]],
    at: datetime | None = None,
) -> list[Gate]:
    """Several at once, in this order, or none when one cannot be kept.

    Raises as `add_gate`; complaints are at "gates-0-value" and so on.
    """
    at = at or timezone.now()
    with transaction.atomic():
        episode = _open(actor, episode_id)
        _require_room(episode, len(items))
        wanted, errors = [], {}
        for place, data in enumerate(items):
            try:
                wanted.append(_read(data))
            except Invalid as wrong:
                for name, texts in wrong.errors.items():
                    errors[f"gates-{place}-{name}"] = texts
        if errors:
            raise Invalid(errors)
        # A microsecond apart: their order is the order of the list.
        gates = Gate.objects.bulk_create(
            each.on(episode, account_of(actor), at + timedelta(microseconds=place))
            for place, each in enumerate(wanted)
        )
        for gate in gates:
            _record(actor, "gate.added", gate, at)
    return gates


def remove_gate(*, actor: Actor, gate_id: UUID, at: datetime | None = None) -> None:
    """Take one off again, while nothing is signed. Raises as `add_gate`."""
    at = at or timezone.now()
    with transaction.atomic():
        episode_id = Gate.objects.filter(pk=gate_id).values_list("episode_id", flat=True).first()
        if episode_id is None:
            raise NotVisible
        _open(actor, episode_id)
        # Again under the lock: somebody else may just have removed it.
        gate = Gate.objects.filter(pk=gate_id).first()
        if gate is None:
            raise Stale
        removed = Gate(pk=gate.pk, episode_id=episode_id)
        gate.delete()
        _record(actor, "gate.removed", removed, at)


# --- parts --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A gate that makes sense."""

    measure: Measure | None
    test: str
    comparator: Comparator | None
    value: Decimal | None
    unit: Unit | None
    side: Laterality | None
    source: str

    def on(self, episode: Episode, author: UUID, at: datetime) -> Gate:
        return Gate(
            client_id=episode.client_id,
            episode=episode,
            measure=self.measure,
            test=self.test,
            comparator=self.comparator or "",
            value=self.value,
            unit=self.unit or "",
            side=self.side or "",
            source=self.source,
            added_by_id=author,
            added_at=at,
        )


def _open(actor: Actor, episode_id: UUID) -> Episode:
    """The episode, locked, for its therapist while it runs."""
    episode = access.episode_for(actor, episode_id, lock=True)
    require_treating(actor, episode)
    return require_running(episode)


def _require_room(episode: Episode, more: int) -> None:
    if Gate.objects.filter(episode=episode).count() + more > MOST_PER_EPISODE:
        raise Invalid(f"An episode holds at most {MOST_PER_EPISODE} gates.")


def _read(data: Mapping[str, object]) -> _Wanted:
    """What was typed, held to the rules of what lifts a limit. Raises Invalid."""
    intake = Intake(data, FIELDS)
    code = intake.text("measure", most=40).strip()
    measure = Measure.objects.filter(pk=code, in_use=True).first() if code else None
    wanted = _Wanted(
        measure=measure,
        test=intake.text("test", most=MOST_TEST).strip(),
        comparator=intake.choice("comparator", Comparator),
        value=intake.decimal("value"),
        unit=unit_of(measure) if measure else intake.choice("unit", Unit),
        side=intake.choice("side", Laterality),
        source=intake.text("source", most=MOST_SOURCE).strip(),
    )
    if code and measure is None:
        intake.refuse_all({"measure": ["Choose a measure from the list."]})
    elif measure is not None and wanted.test:
        intake.refuse_all({"test": ["Choose a measure, or write a test; not both."]})
    if wanted.side not in (None, Laterality.LEFT, Laterality.RIGHT):
        intake.refuse_all({"side": ["Choose left or right, or leave it out."]})
    intake.raise_if_wrong()
    _check(wanted, intake)
    intake.raise_if_wrong()
    return wanted


def _check(wanted: _Wanted, intake: Intake) -> None:
    measure = wanted.measure
    kind = CriterionKind.MEASURE if measure else CriterionKind.TEST
    if measure is None and wanted.value is None:
        kind = CriterionKind.OBSERVATION
    criterion = Criterion(
        kind=kind,
        measure=measure.name if measure else wanted.test,
        comparator=wanted.comparator,
        value=wanted.value,
        unit=wanted.unit if wanted.value is not None or measure is None else None,
        side=wanted.side,
    )
    field = "value" if measure or wanted.test else "test"
    intake.refuse_all(
        {field: criterion_problems(criterion)} if criterion_problems(criterion) else {}
    )
    if measure is not None and wanted.value is not None:
        problems = value_problems(measure, wanted.value)
        intake.refuse_all({"value": problems} if problems else {})


def unit_of(measure: Measure) -> Unit:
    """The unit in which a measure counts: an index in percent, every other score in points."""
    return Unit.PCT if measure.unit == MeasureUnit.PERCENT else Unit.POINTS


def _record(actor: Actor, action: str, gate: Gate, at: datetime) -> None:
    audit.record(actor, action, gate, at=at, facts={"episode": str(gate.episode_id)})
