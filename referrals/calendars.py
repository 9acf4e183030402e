"""Wall clocks, business days and birthdays. Pure: time zones and holidays come in as data.

Instants are aware and in UTC; a person's "today" and "nine o'clock" are in their IANA zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DelayUnit(StrEnum):
    HOURS = "h"
    DAYS = "d"
    BUSINESS_DAYS = "bd"


@dataclass(frozen=True, slots=True)
class Delay:
    """A span as an admin writes it: "4 h", "7 d", "2 bd". Negative counts back (T-24 h)."""

    amount: int
    unit: DelayUnit
