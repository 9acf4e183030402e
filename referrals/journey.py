"""Where a client stands between therapy and training: who leads now, what was, what comes. Pure.

Worked out from what the viewer may read anyway (a packet, referrals); decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from clients.models import Professional
from clients.scopes import Scope
from referrals.models import Episode, Referral
from referrals.packets import ClearanceView, HistoryView, Packet, RestrictionsView, Withheld
from referrals.states import OPEN, Kind, State
from referrals.vocabulary import ClearanceLevel
from referrals.wording import day_text

View = TypeVar("View")


class Phase(StrEnum):
    REHAB = "rehab"
    HANDOFF = "handoff"
    TRAINING = "training"
    RETURNED = "returned"


TRAINING_STATES: Final = frozenset({State.IN_PROGRESS, State.ON_HOLD})


_HANDOFF: Final = {
    State.AWAITING_CONSENT: "Waits for a yes",
    State.SENT: "Asked",
    State.VIEWED: "Asked",
    State.INFO_REQUESTED: "Asked",
    State.ACCEPTED: "Accepted",
    State.SCHEDULED: "First session booked",
    State.NO_SHOW: "Session missed",
    State.APPT_CANCELLED: "Session called off",
    State.CANCEL_REQUESTED: "Being called off",
}
"""A few words for the rail, for the client's side."""


TOLD: Final = (Scope.HISTORY, Scope.CLEARANCE, Scope.RESTRICTIONS)
"""The parts of a record that the way is told from."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One event of the way, as the timeline component shows it."""

    title: str
    at: date
    text: str
    phase: Phase
    when: str
    """`done` or `next`."""


@dataclass(frozen=True, slots=True)
class Journey:
    """Who leads now, and one line for each step of the rail."""

    phase: Phase
    rehab: str
    handoff: str
    training: str
    returned: str
    stops: tuple[Stop, ...]


def current(referrals: Sequence[Referral]) -> Referral | None:
    """The referral that matters now: the open one, else the newest. Newest first in."""
    running = (each for each in referrals if each.state in OPEN)
    return next(running, referrals[0] if referrals else None)


def trainer_of(referral: Referral) -> Professional:
    """The end of a referral at which the training is."""
    return referral.sender if referral.kind == Kind.REFER_OUT else referral.recipient


def journey(packet: Packet, referrals: Sequence[Referral], *, zone: str) -> Journey:
    """The way so far. `referrals` newest first, as the client's side may know of them."""
    episodes = _known(packet.history)
    cleared = _known(packet.clearance)
    limits = 0 if isinstance(packet.restrictions, Withheld) else len(packet.restrictions.items)
    referral = current(referrals)
    phase = phase_of(episodes, cleared, referral, limits=limits)
    therapist = episodes[0].pt_name if episodes else ""
    return Journey(
        phase=phase,
        rehab=f"With {therapist}" if therapist else "",
        handoff=_handoff(referral, phase, zone),
        training=f"With {trainer_of(referral).name}"
        if referral and phase in (Phase.TRAINING, Phase.HANDOFF)
        else "",
        returned="No limits left" if phase is Phase.RETURNED else "When all limits lift",
        stops=_stops(packet, referrals, zone),
    )


def phase_of(
    episodes: Sequence[HistoryView],
    cleared: Sequence[ClearanceView],
    referral: Referral | None,
    *,
    limits: int,
) -> Phase:
    """Which end of the baton leads. Newest episode, newest clearance first."""
    treated = next((each for each in episodes if each.status == Episode.Status.ACTIVE), None)
    if referral is not None and referral.state in OPEN:
        begun = referral.created_at.date()
        if treated is not None and treated.started_on > begun:
            return Phase.REHAB  # back in therapy since
        if referral.state not in TRAINING_STATES:
            return Phase.HANDOFF
        return Phase.REHAB if referral.kind == Kind.REFER_OUT else Phase.TRAINING
    if treated is not None or not any(each.status == Episode.Status.FINISHED for each in episodes):
        return Phase.REHAB
    fully = bool(cleared) and cleared[0].level == ClearanceLevel.CLEARED_FULL
    done = (
        referral is not None
        and referral.state == State.COMPLETED
        and referral.kind != Kind.REFER_OUT
    )
    if not limits and (fully or done):
        return Phase.RETURNED
    return Phase.TRAINING if done else Phase.HANDOFF


def _handoff(referral: Referral | None, phase: Phase, zone: str) -> str:
    """What the rail says under the handoff: where it stands, or when it was taken up."""
    if referral is None:
        return ""
    if phase is Phase.HANDOFF:
        return _HANDOFF.get(State(referral.state), "")
    if referral.answered_at is None or phase is Phase.REHAB:
        return ""
    return day_text(referral.answered_at.astimezone(ZoneInfo(zone)).date())


def next_review(packet: Packet, today: date) -> date | None:
    """The next day on which a limit is looked at again, today included."""
    if not isinstance(packet.restrictions, RestrictionsView):
        return None
    days = [item.review_on for item in packet.restrictions.items if item.review_on >= today]
    return min(days, default=None)


def course(packet: Packet, *, zone: str) -> tuple[Stop, ...]:
    """What a packet tells of the way itself: operation, therapy, discharge. Only what it shows."""
    found: list[Stop] = []

    def add(title: str, at: date | None, phase: Phase, text: str = "") -> None:
        if at is not None:
            found.append(_stop(title, at, phase, packet.as_of, zone, text))

    for episode in _known(packet.history):
        add("Operation", episode.surgery_on, Phase.REHAB, episode.surgery)
        add(
            f"Physical therapy with {episode.pt_name}",
            episode.started_on,
            Phase.REHAB,
            episode.condition,
        )
    for clearance in _known(packet.clearance):
        add(
            f"{clearance.set_by} ended the therapy",
            clearance.discharged_on,
            Phase.HANDOFF,
            clearance.level_label,
        )
    return tuple(found)


def details(packet: Packet, *, zone: str) -> tuple[Stop, ...]:
    """What the whole way tells beyond that: how it began, when each limit got the version in
    force, and when it is looked at again."""
    found = [
        _stop("It began", each.onset_on, Phase.REHAB, packet.as_of, zone, each.mechanism)
        for each in _known(packet.history)
        if each.onset_on is not None
    ]
    if not isinstance(packet.restrictions, RestrictionsView):
        return tuple(found)
    for item in packet.restrictions.items:
        title = "Limit set" if item.version == 1 else "Limit changed"
        found.append(_stop(title, item.set_on, Phase.REHAB, packet.as_of, zone, item.headline))
        review = _stop(
            "Looked at again", item.review_on, Phase.REHAB, packet.as_of, zone, item.headline
        )
        if review.when == "next":
            found.append(review)
    return tuple(found)


def _stop(
    title: str, at: date | datetime, phase: Phase, as_of: datetime, zone: str, text: str = ""
) -> Stop:
    day = at.astimezone(ZoneInfo(zone)).date() if isinstance(at, datetime) else at
    today = as_of.astimezone(ZoneInfo(zone)).date()
    return Stop(title, day, text, phase, "next" if day > today else "done")


def _stops(packet: Packet, referrals: Sequence[Referral], zone: str) -> tuple[Stop, ...]:
    today = packet.as_of.astimezone(ZoneInfo(zone)).date()
    found = list(course(packet, zone=zone))

    def add(title: str, at: datetime | None, phase: Phase) -> None:
        if at is not None:
            found.append(_stop(title, at, phase, packet.as_of, zone))

    for referral in referrals:
        sender, recipient = referral.sender.name, referral.recipient.name
        if referral.kind == Kind.REFER_OUT:
            add(f"{sender} sent you back to {recipient}", referral.sent_at, Phase.HANDOFF)
            if referral.state in OPEN or referral.state == State.COMPLETED:
                add(f"{recipient} accepted", referral.answered_at, Phase.REHAB)
                add(f"First visit with {recipient}", referral.first_session_at, Phase.REHAB)
            continue
        back = referral.kind == Kind.RETURN_TO_TRAINING
        asked = f"{sender} sent you back to {recipient}" if back else ""
        add(asked or f"{sender} asked {recipient} to take over", referral.sent_at, Phase.HANDOFF)
        if referral.state in OPEN or referral.state == State.COMPLETED:
            add(f"{recipient} accepted", referral.answered_at, Phase.TRAINING)
            add(f"First session with {recipient}", referral.first_session_at, Phase.TRAINING)
        if referral.state == State.COMPLETED:
            add(f"{recipient} closed the training", referral.closed_at, Phase.RETURNED)
    review = next_review(packet, today)
    if review is not None:
        found.append(_stop("A limit is looked at again", review, Phase.REHAB, packet.as_of, zone))
    return tuple(sorted(found, key=lambda stop: stop.at))


def _known(part: tuple[View, ...] | Withheld) -> tuple[View, ...]:
    return () if isinstance(part, Withheld) else part
