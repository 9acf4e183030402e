"""How something that came back relates to what was treated before: proposed from dates. Pure.

After the consensus on injury definitions (Fuller and others, Br J Sports Med 2006;40:193, and
Clin J Sport Med 2007;17:177 and 197): the same injury at the same place after full return is a
recurrence, early within two months of it, late within twelve, delayed after that. Getting worse
before full recovery is an exacerbation. The therapist says which it is; this only proposes.
"""

import calendar
from datetime import date
from typing import Final

from referrals.vocabulary import RecurrenceKind

EARLY_MONTHS: Final = 2
LATE_MONTHS: Final = 12
SOURCE: Final = "Fuller and others, Br J Sports Med 2006;40:193 and Clin J Sport Med 2007;17:197"


def proposed(*, returned_on: date | None, again_on: date) -> RecurrenceKind:
    """Without a full return, or before it: it got worse before it was over."""
    if returned_on is None or again_on < returned_on:
        return RecurrenceKind.EXACERBATION
    if again_on <= months_after(returned_on, EARLY_MONTHS):
        return RecurrenceKind.EARLY
    if again_on <= months_after(returned_on, LATE_MONTHS):
        return RecurrenceKind.LATE
    return RecurrenceKind.DELAYED


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
