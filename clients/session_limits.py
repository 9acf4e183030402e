"""How long a sign-in lasts, and how many somebody may have. Decides on plain values.

Whoever sees others' records is signed out after half an hour without use and after twelve hours
in any case; clients, on a phone of their own, after a day and a month.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from clients import assurance
from handoff.core.actors import Role


class Ended(StrEnum):
    """Why a session is over."""

    IDLE = "idle"
    OLD = "old"
    GONE = "gone"
    """Somebody ended it, or its account."""


@dataclass(frozen=True, slots=True)
class Limits:
    idle: timedelta
    absolute: timedelta
    at_once: int | None
    """Sessions at the same time; None is any number."""


STRICT: Final = Limits(timedelta(minutes=30), timedelta(hours=12), at_once=3)
OWN_RECORD: Final = Limits(timedelta(hours=24), timedelta(days=30), at_once=None)


def limits_for(roles: Collection[Role]) -> Limits:
    """The limits of somebody with these roles: the strictest that any of them brings."""
    return STRICT if assurance.is_demanded(roles) else OWN_RECORD


def ended(limits: Limits, *, began: datetime, used: datetime, at: datetime) -> Ended | None:
    """Why a session is over at `at`, or None while it lasts. The limit itself is too late."""
    if at - began >= limits.absolute:
        return Ended.OLD
    if at - used >= limits.idle:
        return Ended.IDLE
    return None
