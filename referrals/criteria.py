"""Criteria to lift a restriction, as they stand in the JSON column. Pure.

Numbers are kept as text, so that 2.5 comes back as 2.5.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from referrals.vocabulary import Comparator, Criterion, CriterionKind, Laterality, Unit


def to_json(criteria: Iterable[Criterion]) -> list[dict[str, str]]:
    """Plain rows for the column; what a criterion does not have is an empty text."""
    return [
        {
            "kind": each.kind.value,
            "measure": each.measure,
            "comparator": each.comparator.value if each.comparator else "",
            "value": "" if each.value is None else f"{each.value:f}",
            "unit": each.unit.value if each.unit else "",
            "side": each.side.value if each.side else "",
        }
        for each in criteria
    ]


def from_json(rows: Iterable[Mapping[str, str]]) -> tuple[Criterion, ...]:
    """The criteria that `to_json` wrote. Raises ValueError or KeyError for anything else."""
    return tuple(
        Criterion(
            kind=CriterionKind(row["kind"]),
            measure=row["measure"],
            comparator=Comparator(row["comparator"]) if row["comparator"] else None,
            value=Decimal(row["value"]) if row["value"] else None,
            unit=Unit(row["unit"]) if row["unit"] else None,
            side=Laterality(row["side"]) if row["side"] else None,
        )
        for row in rows
    )
