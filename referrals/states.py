"""The life of a referral as one table: states, edges, who may walk each, and the waits.

Pure. Verbs in `referrals.lifecycle` ask `edge()` before they write; pages ask `edges_from()` for
the buttons; `referrals.statechart` draws `docs/states.md` from it. Guards that need rows (a signed
note, an active consent, a current credential) are not in the table: they belong to the verb.

Names follow the closed loop of HL7 FHIR `Task` and of BSeR/360X; both mappings are below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from handoff.core.actors import Role
from handoff.core.errors import NotAllowed, Stale
from referrals.reasons import (
    CancelReason,
    DeclineReason,
    ErrorReason,
    FailReason,
    HoldReason,
    SystemReason,
)


class Kind(TextChoices):
    DISCHARGE_HANDOFF = "discharge_handoff", _("Handoff after discharge")
    REFER_OUT = "refer_out", _("Back to physical therapy")
    RETURN_TO_TRAINING = "return_to_training", _("Return to training")
    SELF_START = "self_start", _("Started by the client")


class State(TextChoices):
    DRAFT = "draft", _("Draft")
    AWAITING_CONSENT = "awaiting_consent", _("Waiting for the client's yes")
    SENT = "sent", _("Sent")
    VIEWED = "viewed", _("Seen")
    INFO_REQUESTED = "info_requested", _("Question asked")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    SCHEDULED = "scheduled", _("First session booked")
    NO_SHOW = "no_show", _("Missed the session")
    APPT_CANCELLED = "appt_cancelled", _("Session called off")
    IN_PROGRESS = "in_progress", _("In progress")
    ON_HOLD = "on_hold", _("On hold")
    CANCEL_REQUESTED = "cancel_requested", _("Asked to cancel")
    CANCELLED = "cancelled", _("Cancelled")
    COMPLETED = "completed", _("Completed")
    FAILED = "failed", _("Ended without result")
    EXPIRED = "expired", _("No answer in time")
    ENTERED_IN_ERROR = "entered_in_error", _("Entered in error")
    DISCARDED = "discarded", _("Draft thrown away")


class Party(StrEnum):
    """Where somebody stands towards one referral. One person can be more than one party: the
    client of a `self_start` is its sender as well."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    CLIENT = "client"
    ADMIN = "admin"
    SYSTEM = "system"


class Verb(StrEnum):
    """What can be done to a referral. Values are the API's path segments where it has one."""

    SEND = "send"
    AWAIT_CONSENT = "await-consent"
    CONSENT_GRANTED = "consent-granted"
    CONSENT_DECLINED = "consent-declined"
    VIEW = "view"
    ASK = "ask"
    ANSWER = "answer"
    ACCEPT = "accept"
    DECLINE = "decline"
    SCHEDULE = "schedule"
    NO_SHOW = "no-show"
    CANCEL_APPOINTMENT = "cancel-appointment"
    BEGIN = "begin"
    HOLD = "hold"
    RESUME = "resume"
    REPORT = "report"
    COMPLETE = "complete"
    FAIL = "fail"
    CANCEL = "cancel"
    CONFIRM_CANCEL = "confirm-cancel"
    SUPERSEDE = "supersede"
    DISCARD = "discard"
    EXPIRE = "expire"
    ENTER_IN_ERROR = "enter-in-error"
    # Walks no edge: an ended referral stays ended, re-routing makes a new one.
    REROUTE = "reroute"


# --- who stands at which end ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ends:
    """Which roles may send a kind of referral, and which may receive it."""

    sender: frozenset[Role]
    recipient: frozenset[Role]


ENDS: Final[Mapping[Kind, Ends]] = MappingProxyType(
    {
        Kind.DISCHARGE_HANDOFF: Ends(frozenset({Role.PT}), frozenset({Role.TRAINER})),
        Kind.REFER_OUT: Ends(frozenset({Role.TRAINER}), frozenset({Role.PT})),
        Kind.RETURN_TO_TRAINING: Ends(frozenset({Role.PT}), frozenset({Role.TRAINER})),
        Kind.SELF_START: Ends(
            frozenset({Role.CLIENT, Role.GUARDIAN}), frozenset({Role.PT, Role.TRAINER})
        ),
    }
)


# States a referral cannot enter without a reason, and the words to choose from.
REASONS: Final[Mapping[State, type[TextChoices]]] = MappingProxyType(
    {
        State.DECLINED: DeclineReason,
        State.ON_HOLD: HoldReason,
        State.CANCEL_REQUESTED: CancelReason,
        State.CANCELLED: CancelReason,
        State.FAILED: FailReason,
        State.ENTERED_IN_ERROR: ErrorReason,
    }
)


# --- the table --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Edge:
    """One step a referral can take.

    `needs_reason`: whoever walks it picks from `REASONS[target]`. `fixed_reason`: the step itself
    is the reason and is recorded as this `SystemReason`. `keeps_reason`: the reason given on the
    way into `source` stays (a confirmed cancellation).
    """

    verb: Verb
    source: State
    target: State
    parties: frozenset[Party]
    meaning: str
    needs_reason: bool = False
    fixed_reason: str = ""
    keeps_reason: bool = False


def _edges() -> tuple[Edge, ...]:
    s, v = State, Verb
    sender, recipient = frozenset({Party.SENDER}), frozenset({Party.RECIPIENT})
    system, client = frozenset({Party.SYSTEM}), frozenset({Party.CLIENT})
    asked_off = sender | client
    books = recipient | client
    superseded, timeout = SystemReason.SUPERSEDED.value, SystemReason.TIMEOUT.value
    not_shared = SystemReason.NOT_SHARED.value
    table: list[Edge] = []

    def add(
        verb: Verb,
        source: State,
        target: State,
        parties: frozenset[Party],
        meaning: str,
        *,
        reason: bool = False,
        fixed: str = "",
        keeps: bool = False,
    ) -> None:
        table.append(Edge(verb, source, target, parties, meaning, reason, fixed, keeps))

    # Draft. `await-consent` is what `send` becomes when the consent is still missing.
    add(v.SEND, s.DRAFT, s.SENT, sender, "Everything is in place and it goes out")
    add(v.AWAIT_CONSENT, s.DRAFT, s.AWAITING_CONSENT, sender, "The client is asked first")
    add(v.DISCARD, s.DRAFT, s.DISCARDED, sender, "The sender throws the draft away")
    # Beyond the table: the API has `cancel/` and no path for discarding, so cancelling what was
    # never sent throws the draft away; nobody has to confirm it and no reason is owed.
    add(v.CANCEL, s.DRAFT, s.DISCARDED, sender, "Cancelling a draft throws it away")
    # Beyond the table, here and in every open state below: a new referral closes the one it
    # replaces (one open referral per client, recipient and kind).
    add(v.SUPERSEDE, s.DRAFT, s.DISCARDED, system, "A newer one takes its place", fixed=superseded)

    # Waiting for the client's yes.
    add(
        v.CONSENT_GRANTED,
        s.AWAITING_CONSENT,
        s.SENT,
        system | client,
        "The client agrees and it goes out",
    )
    # Beyond the table: `send/` again finds the consent given although the step above was lost.
    add(v.SEND, s.AWAITING_CONSENT, s.SENT, sender, "The sender sends it once consent is there")
    add(
        v.CONSENT_DECLINED,
        s.AWAITING_CONSENT,
        s.CANCELLED,
        system | client,
        "The client shares nothing",
        fixed=not_shared,
    )
    add(
        v.EXPIRE,
        s.AWAITING_CONSENT,
        s.CANCELLED,
        system,
        "The client did not decide in time",
        fixed=not_shared,
    )

    # With the recipient, not yet accepted.
    add(v.VIEW, s.SENT, s.VIEWED, recipient, "The recipient opens it")
    for waiting in (s.SENT, s.VIEWED):
        # Beyond the "Leaves to" column, which names no way into info_requested: `ask/` needs one.
        add(v.ASK, waiting, s.INFO_REQUESTED, recipient, "The recipient asks a question")
        add(v.ACCEPT, waiting, s.ACCEPTED, recipient, "The recipient takes it on")
    add(v.ANSWER, s.INFO_REQUESTED, s.VIEWED, sender, "The sender answers")
    for waiting in (s.SENT, s.VIEWED, s.INFO_REQUESTED):
        add(v.DECLINE, waiting, s.DECLINED, recipient, "The recipient says no", reason=True)
        add(v.EXPIRE, waiting, s.EXPIRED, system, "Nobody answered in time", fixed=timeout)
    for before in (s.AWAITING_CONSENT, s.SENT, s.VIEWED, s.INFO_REQUESTED):
        # awaiting_consent is beyond the table's "(declined/21 d)": `cancel/` must work there too.
        add(v.CANCEL, before, s.CANCELLED, asked_off, "Called off before acceptance", reason=True)

    # Accepted and booked.
    add(v.DECLINE, s.ACCEPTED, s.DECLINED, recipient, "The recipient steps back", reason=True)
    for open_ in (s.ACCEPTED, s.NO_SHOW, s.APPT_CANCELLED):
        add(v.SCHEDULE, open_, s.SCHEDULED, books, "A first session is booked")
    for ready in (s.ACCEPTED, s.SCHEDULED):
        add(v.BEGIN, ready, s.IN_PROGRESS, recipient, "The first session took place")
    add(v.NO_SHOW, s.SCHEDULED, s.NO_SHOW, recipient, "The client did not come")
    # The table has the recipient record it; the client may call off their own session as well.
    add(v.CANCEL_APPOINTMENT, s.SCHEDULED, s.APPT_CANCELLED, books, "The session is called off")
    for missed in (s.NO_SHOW, s.APPT_CANCELLED):
        add(v.FAIL, missed, s.FAILED, recipient, "It came to nothing", reason=True)

    # Under way.
    add(v.REPORT, s.IN_PROGRESS, s.IN_PROGRESS, recipient, "An interim report goes to the sender")
    # The system walks it when the client is referred back to therapy and agrees to that later.
    paused = sender | recipient | system
    add(v.HOLD, s.IN_PROGRESS, s.ON_HOLD, paused, "Either side pauses it", reason=True)
    add(v.RESUME, s.ON_HOLD, s.IN_PROGRESS, sender | recipient, "It goes on")
    add(v.COMPLETE, s.IN_PROGRESS, s.COMPLETED, recipient, "Done, with a report to the sender")
    for started in (s.IN_PROGRESS, s.ON_HOLD):
        add(v.FAIL, started, s.FAILED, recipient, "It came to nothing", reason=True)

    # Calling off what was accepted takes two: one asks, the recipient confirms (or time does).
    for taken in (
        s.ACCEPTED,
        s.SCHEDULED,
        s.NO_SHOW,
        s.APPT_CANCELLED,
        s.IN_PROGRESS,
        s.ON_HOLD,
    ):
        add(v.CANCEL, taken, s.CANCEL_REQUESTED, asked_off, "Asked to call it off", reason=True)
    add(
        v.CONFIRM_CANCEL,
        s.CANCEL_REQUESTED,
        s.CANCELLED,
        recipient | system,
        "The recipient confirms, or two business days pass",
        keeps=True,
    )
    add(v.COMPLETE, s.CANCEL_REQUESTED, s.COMPLETED, recipient, "It was done already; report sent")

    # Beyond the "Leaves to" column, which names no way into entered_in_error: from every state
    # that somebody else may have seen. A draft is discarded; what has ended stays as it ended.
    for seen in (
        s.AWAITING_CONSENT,
        s.SENT,
        s.VIEWED,
        s.INFO_REQUESTED,
        s.ACCEPTED,
        s.SCHEDULED,
        s.NO_SHOW,
        s.APPT_CANCELLED,
        s.IN_PROGRESS,
        s.ON_HOLD,
        s.CANCEL_REQUESTED,
    ):
        add(v.SUPERSEDE, seen, s.CANCELLED, system, "A newer one takes its place", fixed=superseded)
        add(
            v.ENTER_IN_ERROR,
            seen,
            s.ENTERED_IN_ERROR,
            sender | frozenset({Party.ADMIN}),
            "It should never have existed",
            reason=True,
        )
    order = list(State)
    return tuple(sorted(table, key=lambda step: order.index(step.source)))


EDGES: Final = _edges()
INITIAL: Final = State.DRAFT

TERMINAL: Final = frozenset(
    {
        State.DECLINED,
        State.CANCELLED,
        State.COMPLETED,
        State.FAILED,
        State.EXPIRED,
        State.ENTERED_IN_ERROR,
        State.DISCARDED,
    }
)
OPEN: Final = frozenset(State) - TERMINAL

# Before acceptance the recipient sees the envelope only; after a no, a cancellation, a failure or
# an error nothing. Consent is asked for on top of this, always.
RECIPIENT_MAY_READ: Final = frozenset(
    {
        State.ACCEPTED,
        State.SCHEDULED,
        State.NO_SHOW,
        State.APPT_CANCELLED,
        State.IN_PROGRESS,
        State.ON_HOLD,
        State.CANCEL_REQUESTED,
        State.COMPLETED,
    }
)
# Where the recipient may see that something waits for them, without clinical content.
RECIPIENT_SEES_ENVELOPE: Final = frozenset({State.SENT, State.VIEWED, State.INFO_REQUESTED})

# Ended without the client being taken on: the sender may make a new referral to somebody else.
REROUTABLE: Final = frozenset({State.DECLINED, State.FAILED, State.EXPIRED})


@dataclass(frozen=True, slots=True)
class Standing:
    """What a state means to the outside: whose turn it is, and its names in the standards.

    `task` and `service_request` are FHIR R4 status codes; `business` is the BSeR business status,
    "" where the standard has none (before sending, and for ends it does not know).
    """

    waiting_on: Party | None
    task: str
    business: str
    service_request: str


_WITH_SENDER, _WITH_RECIPIENT = Party.SENDER, Party.RECIPIENT
STANDINGS: Final[Mapping[State, Standing]] = MappingProxyType(
    {
        State.DRAFT: Standing(_WITH_SENDER, "draft", "", "draft"),
        State.AWAITING_CONSENT: Standing(Party.CLIENT, "draft", "", "draft"),
        State.SENT: Standing(_WITH_RECIPIENT, "requested", "2.0", "active"),
        State.VIEWED: Standing(_WITH_RECIPIENT, "received", "2.0", "active"),
        State.INFO_REQUESTED: Standing(_WITH_SENDER, "received", "2.0", "active"),
        State.ACCEPTED: Standing(_WITH_RECIPIENT, "accepted", "3.0", "active"),
        State.DECLINED: Standing(None, "rejected", "4.0", "active"),
        State.SCHEDULED: Standing(_WITH_RECIPIENT, "in-progress", "5.1.1", "active"),
        State.NO_SHOW: Standing(_WITH_RECIPIENT, "in-progress", "5.1.2", "active"),
        State.APPT_CANCELLED: Standing(_WITH_RECIPIENT, "in-progress", "5.1.3", "active"),
        State.IN_PROGRESS: Standing(_WITH_RECIPIENT, "in-progress", "5.1", "active"),
        # Either side may resume; the recipient is the one who owes an end.
        State.ON_HOLD: Standing(_WITH_RECIPIENT, "on-hold", "5.1", "on-hold"),
        State.CANCEL_REQUESTED: Standing(_WITH_RECIPIENT, "in-progress", "5.2", "active"),
        State.CANCELLED: Standing(None, "cancelled", "6.0", "revoked"),
        State.COMPLETED: Standing(None, "completed", "7.0", "completed"),
        State.FAILED: Standing(None, "failed", "", "active"),
        State.EXPIRED: Standing(None, "cancelled", "", "active"),
        State.ENTERED_IN_ERROR: Standing(None, "entered-in-error", "", "entered-in-error"),
        # Never left the house; mapped so that no state can be without a name outside.
        State.DISCARDED: Standing(None, "cancelled", "", "revoked"),
    }
)
WAITING_ON: Final[Mapping[State, Party | None]] = MappingProxyType(
    {state: standing.waiting_on for state, standing in STANDINGS.items()}
)
TASK_STATUS: Final[Mapping[State, str]] = MappingProxyType(
    {state: standing.task for state, standing in STANDINGS.items()}
)
SERVICE_REQUEST_STATUS: Final[Mapping[State, str]] = MappingProxyType(
    {state: standing.service_request for state, standing in STANDINGS.items()}
)
BUSINESS_STATUS: Final[Mapping[State, str]] = MappingProxyType(
    {state: standing.business for state, standing in STANDINGS.items()}
)
BUSINESS_STATUS_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "2.0": "Referral Created",
        "3.0": "Accepted",
        "4.0": "Declined",
        "5.1": "In Progress",
        "5.1.1": "Appointment Scheduled",
        "5.1.2": "No Show",
        "5.1.3": "Appointment Cancelled",
        "5.1.4": "Interim Note",
        "5.2": "Cancellation Requested",
        "6.0": "Cancelled",
        "7.0": "Completed",
    }
)
# Sent along with an interim report, which leaves the referral in progress.
INTERIM_BUSINESS_STATUS: Final = "5.1.4"


# --- lookups ------------------------------------------------------------------------------------


def edge(
    *,
    source: State,
    party: Party | frozenset[Party],
    verb: Verb | None = None,
    target: State | None = None,
) -> Edge:
    """The edge that `party` walks from `source` by `verb` or to `target` (or both).

    Raises `Stale` when no such edge leaves `source`: the referral moved on, or was never there.
    Raises `NotAllowed` when the edge exists but not for this party. Asking by `target` alone can
    match several verbs; the first in the table that this party may walk is meant.
    """
    if verb is None and target is None:
        raise TypeError("edge() needs a verb or a target")
    parties = frozenset({party}) if isinstance(party, Party) else party
    found = [
        step
        for step in EDGES
        if step.source == source
        and (verb is None or step.verb == verb)
        and (target is None or step.target == target)
    ]
    if not found:
        raise Stale()
    for step in found:
        if step.parties & parties:
            return step
    raise NotAllowed("This step belongs to somebody else in this referral.")


def edges_from(state: State, party: Party | frozenset[Party]) -> tuple[Edge, ...]:
    """What this party can do next, in the table's order. Empty for an ended referral."""
    parties = frozenset({party}) if isinstance(party, Party) else party
    return tuple(step for step in EDGES if step.source == state and step.parties & parties)


def may_reroute(state: State, party: Party | frozenset[Party]) -> bool:
    """Whether this party may send a new referral in place of one that ended in `state`."""
    parties = frozenset({party}) if isinstance(party, Party) else party
    return state in REROUTABLE and Party.SENDER in parties


def reason_label(code: str, target: State) -> str:
    """Plain words for a stored reason code of a referral in `target`; "" for none."""
    for choices in (REASONS.get(target), SystemReason):
        if choices is not None and code in choices.values:
            return str(choices(code).label)
    return ""
