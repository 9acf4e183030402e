"""Is a gate reached? By the newest fitting value, or not measured. Pure.

Nothing here adds gates up to a clearance: a summary counts, and says whose decision it is.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from referrals.vocabulary import Comparator


class Standing(TextChoices):
    MET = "met", _("Met")
    UNMET = "unmet", _("Not met")
    NOT_MEASURED = "not_measured", _("Not measured")


@dataclass(frozen=True, slots=True)
class Taken:
    """One recorded value of the measure a gate is about."""

    value: Decimal
    side: str
    taken_on: date


@dataclass(frozen=True, slots=True)
class Compared:
    """Where a gate stands, and the value that says so."""

    standing: Standing
    by: Taken | None = None


NOT_MEASURED: Final = Compared(Standing.NOT_MEASURED)


def compare(
    comparator: Comparator, wanted: Decimal, side: str, values: Iterable[Taken]
) -> Compared:
    """A gate against the values of its measure, oldest first. The newest that fits decides.

    A gate of one side is about values of that side only; a value without a side does not say
    which it is of. A gate without a side takes the newest value, whichever side it is of.
    """
    fitting = [each for each in values if not side or each.side == side]
    if not fitting:
        return NOT_MEASURED
    # Of two on one day the later recorded one: the order they come in.
    newest = max(enumerate(fitting), key=lambda entry: (entry[1].taken_on, entry[0]))[1]
    is_met = reaches(comparator, newest.value, wanted)
    return Compared(Standing.MET if is_met else Standing.UNMET, newest)


def reaches(comparator: Comparator, value: Decimal, wanted: Decimal) -> bool:
    """Whether `value` is what was asked for. A gate is compared with one number."""
    match comparator:
        case Comparator.GE:
            return value >= wanted
        case Comparator.GT:
            return value > wanted
        case Comparator.LE:
            return value <= wanted
        case Comparator.LT:
            return value < wanted
        case Comparator.EQ:
            return value == wanted
        case _:
            return False  # no gate has any other: the database refuses it


def summary(standings: Collection[Standing]) -> str:
    """ "2 of 5 gates met, 1 not measured". Counts, and concludes nothing."""
    met = sum(each is Standing.MET for each in standings)
    unknown = sum(each is Standing.NOT_MEASURED for each in standings)
    many = len(standings)
    text = f"{met} of {many} {'gate' if many == 1 else 'gates'} met"
    return f"{text}, {unknown} not measured" if unknown else text
