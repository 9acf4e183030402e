"""What a template is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from referrals.recurrence import months_after
from referrals.vocabulary import BodyRegion, Comparator, Unit

REVIEW_IN: Final = timedelta(weeks=6)
"""When a review is proposed, unless a limit says otherwise. A reminder to look again that the
therapist confirms or moves, no statement about healing."""
NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before so long after the operation, and who says so."""

    source: str
    weeks: int = 0
    months: int = 0

    def after(self, day: date) -> date:
        return months_after(day, self.months) + timedelta(weeks=self.weeks)


@dataclass(frozen=True, slots=True)
class ProposedLimit:
    """A limit in the words of a restriction, without side and dates.

    `entries` is what `restriction_input` reads. `open` names the entries that are left to the
    therapist because no source was found for them.
    """

    key: str
    entries: Mapping[str, object]
    source: str = ""
    """Of its numbers; empty where it has none."""
    open: tuple[str, ...] = ()
    wait: Wait | None = None
    review_in: timedelta = REVIEW_IN

    @property
    def criteria(self) -> tuple[Mapping[str, str], ...]:
        """What lifts it, as it stands in the entries."""
        rows = self.entries.get("criteria", ())
        return tuple(rows) if isinstance(rows, list | tuple) else ()


@dataclass(frozen=True, slots=True)
class ProposedGate:
    """Something to reach: on a measure, by its code, or in words. `value` None is left open."""

    key: str
    measure: str = ""
    test: str = ""
    comparator: Comparator | None = None
    value: str = ""
    unit: Unit | None = None
    source: str = ""
    is_sided: bool = False
    """One side is meant: that of the episode."""

    @property
    def is_open(self) -> bool:
        """A number is asked for, and which one is the therapist's to say."""
        return self.comparator is not None and not self.value


@dataclass(frozen=True, slots=True)
class Template:
    """One condition. Its name says what was treated, so it is for the treating side only."""

    key: str
    name: str
    regions: tuple[BodyRegion, ...]
    limits: tuple[ProposedLimit, ...]
    gates: tuple[ProposedGate, ...]
    note: str = field(default="")
    """What a therapist should know about its numbers."""
