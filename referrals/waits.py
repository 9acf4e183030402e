"""How long each wait may take: nudges, and what happens when nobody moves.

Pure data, the default rows of an editable table. None of the standards gives such figures; these
are our own guesses, to be tuned. Business days are those of whoever is waited for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from referrals.calendars import Delay, DelayUnit
from referrals.states import Kind, Party, State, Verb


class Wait(TextChoices):
    CONSENT = "consent", _("Consent asked, no decision")
    ANSWER = "answer", _("Sent, no answer")
    INFORMATION = "information", _("Question asked, no reply")
    BOOKING = "booking", _("Accepted, nothing booked")
    APPOINTMENT = "appointment", _("First session ahead")
    NO_SHOW = "no_show", _("Session missed")
    REPORT = "report", _("In progress, no report")
    PT_VISIT = "pt_visit", _("Sent back, not seen by the PT")
    CANCELLATION = "cancellation", _("Asked to cancel, not confirmed")


class Anchor(StrEnum):
    """From which instant the spans count."""

    ENTERED = "entered"  # the wait's first state was entered
    APPOINTMENT = "appointment"  # the booked time; negative spans come before it


@dataclass(frozen=True, slots=True)
class Limit:
    """When the wait is over, routinely and when urgent (red pain, red flag). An urgent end of
    None means the same span as the routine one."""

    routine: Delay
    urgent: Delay | None = None

    def span(self, *, urgent: bool) -> Delay:
        return self.urgent if urgent and self.urgent is not None else self.routine


@dataclass(frozen=True, slots=True)
class Timeout:
    """One wait. `verb` is walked by the system at `limit`; None leaves the state and only tells
    `tell`, who then have to act. `after_times` ends the wait on the nth time instead of by
    the clock. `kinds` empty means every kind."""

    wait: Wait
    states: frozenset[State]
    routine: tuple[Delay, ...]
    urgent: tuple[Delay, ...]
    tell: frozenset[Party]
    then: str
    limit: Limit | None = None
    verb: Verb | None = None
    after_times: int | None = None
    anchor: Anchor = Anchor.ENTERED
    kinds: frozenset[Kind] = frozenset()

    def nudges(self, *, urgent: bool) -> tuple[Delay, ...]:
        return self.urgent if urgent else self.routine

    def covers(self, state: State, kind: Kind) -> bool:
        """Whether a referral of this kind in this state is in this wait."""
        return state in self.states and (not self.kinds or kind in self.kinds)


def _h(*hours: int) -> tuple[Delay, ...]:
    return tuple(Delay(amount, DelayUnit.HOURS) for amount in hours)


def _d(*days: int) -> tuple[Delay, ...]:
    return tuple(Delay(amount, DelayUnit.DAYS) for amount in days)


def _bd(*days: int) -> tuple[Delay, ...]:
    return tuple(Delay(amount, DelayUnit.BUSINESS_DAYS) for amount in days)


TIMEOUTS: Final[Mapping[Wait, Timeout]] = MappingProxyType(
    {
        row.wait: row
        for row in (
            Timeout(
                Wait.CONSENT,
                frozenset({State.AWAITING_CONSENT}),
                routine=_d(2, 7, 14),
                urgent=_d(1),
                limit=Limit(*_d(21)),
                verb=Verb.EXPIRE,
                tell=frozenset({Party.SENDER}),
                then="Cancelled; the sender is told that nothing is shared",
            ),
            Timeout(
                Wait.ANSWER,
                frozenset({State.SENT, State.VIEWED}),
                routine=_bd(2, 4),
                urgent=_h(4, 24),
                limit=Limit(*_bd(7), *_h(48)),
                verb=Verb.EXPIRE,
                tell=frozenset({Party.SENDER, Party.CLIENT}),
                then="Expired; the sender picks somebody else",
            ),
            Timeout(
                Wait.INFORMATION,
                frozenset({State.INFO_REQUESTED}),
                routine=_bd(2, 5),
                urgent=_d(1),
                limit=Limit(*_bd(10)),
                verb=Verb.EXPIRE,
                tell=frozenset({Party.SENDER}),
                then="Expired, and so back with the sender, who picks somebody else",
            ),
            Timeout(
                Wait.BOOKING,
                frozenset({State.ACCEPTED}),
                routine=_bd(3, 7),
                urgent=_bd(1),
                limit=Limit(*_d(14)),
                tell=frozenset({Party.ADMIN}),
                then="An admin looks into it",
            ),
            Timeout(
                Wait.APPOINTMENT,
                frozenset({State.SCHEDULED}),
                routine=_h(-24, -2),
                urgent=_h(-24, -2),
                limit=Limit(*_bd(1)),
                anchor=Anchor.APPOINTMENT,
                tell=frozenset({Party.RECIPIENT}),
                then="The recipient records whether the client came",
            ),
            Timeout(
                Wait.NO_SHOW,
                frozenset({State.NO_SHOW}),
                routine=_bd(1),
                urgent=_bd(1),
                after_times=2,
                tell=frozenset({Party.SENDER}),
                then="After the second missed session the sender is told",
            ),
            Timeout(
                Wait.REPORT,
                frozenset({State.IN_PROGRESS}),
                routine=_d(30, 60),
                urgent=_d(7),
                limit=Limit(*_d(90)),
                tell=frozenset({Party.RECIPIENT}),
                then="The recipient is asked: completed, or ended without result?",
            ),
            Timeout(
                Wait.PT_VISIT,
                frozenset(
                    {
                        State.SENT,
                        State.VIEWED,
                        State.INFO_REQUESTED,
                        State.ACCEPTED,
                        State.SCHEDULED,
                        State.NO_SHOW,
                        State.APPT_CANCELLED,
                    }
                ),
                routine=_d(3, 7),
                urgent=_d(1),
                limit=Limit(*_d(14)),
                kinds=frozenset({Kind.REFER_OUT}),
                tell=frozenset({Party.SENDER, Party.CLIENT, Party.ADMIN}),
                then="The trainer, the client and an admin are told",
            ),
            Timeout(
                Wait.CANCELLATION,
                frozenset({State.CANCEL_REQUESTED}),
                routine=_bd(1),
                urgent=_bd(1),
                limit=Limit(*_bd(2)),
                verb=Verb.CONFIRM_CANCEL,
                tell=frozenset({Party.SENDER, Party.CLIENT}),
                then="Cancelled without the recipient's word",
            ),
        )
    }
)


def waits_of(state: State, kind: Kind) -> tuple[Timeout, ...]:
    """Every wait that a referral of this kind is in while in this state."""
    return tuple(row for row in TIMEOUTS.values() if row.covers(state, kind))
