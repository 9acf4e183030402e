"""Pure: the reminder catalogue, and what waits for whom in one subject at one moment.

The catalogue is data: its rows become `ReminderRule` rows that an admin may tune (when), while
this table keeps who is reminded and who hears of it when nothing happens. Numbers up to 22 are
those of the product's catalogue; the ones above are ours, for waits that the catalogue leaves out.

`waits_of_*` is the one place that knows when a reason holds. Planning asks it which rows to write,
delivery asks it again right before a mail goes out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final

from clients.consent import ConsentState
from referrals.calendars import Delay, DelayUnit
from referrals.models import Reminder
from referrals.states import Kind, State
from referrals.waits import TIMEOUTS
from referrals.waits import Wait as Timed

Audience = Reminder.Audience


class Rule(IntEnum):
    DISCHARGE_PLANNED = 1
    VISITS_LOW = 2
    NOTE_UNSIGNED = 3
    CONSENT_ASKED = 4
    REFERRAL_WAITING = 5
    REFERRAL_ENDED = 6
    NOT_BOOKED = 7
    FIRST_SESSION = 8
    NOT_ACKNOWLEDGED = 9
    RESTRICTION_REVIEW = 12
    NOT_SEEN = 15
    CONSENT_ENDING = 17
    CREDENTIAL_EXPIRING = 19
    REPORT_DUE = 21
    QUESTION_WAITING = 23
    CANCELLATION_ASKED = 24
    SHARING_ENDED = 25
    SESSION_TO_RECORD = 26


class Subject(StrEnum):
    """What a reminder is about. Values are the names of the foreign keys of `Reminder`."""

    REFERRAL = "referral"
    CONSENT = "consent"
    EPISODE = "episode"
    RESTRICTION = "restriction"
    CREDENTIAL = "credential"


# --- offsets ------------------------------------------------------------------------------------

_OFFSET: Final = re.compile(r"(-?[0-9]{1,3})(h|d)|([0-9]{1,2})(bd)")


def parse(text: str) -> Delay:
    """An offset as admins write it: `4h`, `-7d`, `2bd`, `0d`. Raises ValueError for others."""
    found = _OFFSET.fullmatch(text)
    if found is None:
        raise ValueError(f"not an offset: {text!r}")
    amount, unit = (part for part in found.groups() if part is not None)
    return Delay(int(amount), DelayUnit(unit))


def written(delay: Delay) -> str:
    """The offset of a delay: `parse` backwards."""
    return f"{delay.amount}{delay.unit.value}"


def _nudges(wait: Timed, *, urgent: bool = False) -> tuple[str, ...]:
    return tuple(written(delay) for delay in TIMEOUTS[wait].nudges(urgent=urgent))


# --- the catalogue ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One rule: the defaults an admin may tune, and who is concerned.

    `notice`: it tells of something that has happened; ticking it off ends it. All others ask for
    an act, and only the act ends them.
    """

    rule: Rule
    key: str
    title: str
    audiences: tuple[Audience, ...]
    routine: tuple[str, ...]
    urgent: tuple[str, ...] = ()
    escalates_to: Audience | None = None
    escalate_after: str = ""
    urgent_escalate_after: str = ""
    useful_for_hours: int = 72
    keeps_quiet_hours: bool = True
    by_mail: bool = True
    notice: bool = False


_ROWS: Final = (
    CatalogueRow(
        Rule.DISCHARGE_PLANNED,
        "discharge-planned",
        "Planned discharge coming up",
        (Audience.PT,),
        ("-7d", "-1d"),
        escalates_to=Audience.ADMIN,
        escalate_after="3d",
    ),
    CatalogueRow(
        Rule.VISITS_LOW,
        "visits-low",
        "Visits or authorisation running out",
        (Audience.PT,),
        ("0d", "-14d"),
    ),
    CatalogueRow(
        Rule.NOTE_UNSIGNED,
        "note-unsigned",
        "Note unsigned after the last visit",
        (Audience.PT,),
        ("1d", "3d", "7d"),
        escalates_to=Audience.ADMIN,
        escalate_after="10d",
    ),
    CatalogueRow(
        Rule.CONSENT_ASKED,
        "consent-asked",
        "Consent asked, no decision",
        (Audience.DECIDER,),
        ("0d", *_nudges(Timed.CONSENT)),
        ("0d", *_nudges(Timed.CONSENT, urgent=True)),
        escalates_to=Audience.ASKER,
        escalate_after="14d",
        urgent_escalate_after="2d",
    ),
    CatalogueRow(
        Rule.REFERRAL_WAITING,
        "referral-waiting",
        "Referral waiting for an answer",
        (Audience.RECIPIENT,),
        ("0d", *_nudges(Timed.ANSWER)),
        ("0d", *_nudges(Timed.ANSWER, urgent=True)),
        escalates_to=Audience.SENDER,
        escalate_after="4bd",
        urgent_escalate_after="24h",
    ),
    CatalogueRow(
        Rule.REFERRAL_ENDED,
        "referral-ended",
        "Referral declined or expired",
        (Audience.SENDER, Audience.CLIENT),
        ("0d", "2bd"),
        escalates_to=Audience.ADMIN,
        escalate_after="4bd",
        notice=True,
    ),
    CatalogueRow(
        Rule.NOT_BOOKED,
        "not-booked",
        "Accepted, nothing booked",
        (Audience.CLIENT, Audience.RECIPIENT),
        _nudges(Timed.BOOKING),
        _nudges(Timed.BOOKING, urgent=True),
        escalates_to=Audience.ADMIN,
        escalate_after="14d",
    ),
    CatalogueRow(
        Rule.FIRST_SESSION,
        "first-session",
        "First session ahead",
        (Audience.CLIENT, Audience.RECIPIENT),
        _nudges(Timed.APPOINTMENT),
        useful_for_hours=20,
    ),
    CatalogueRow(
        Rule.NOT_ACKNOWLEDGED,
        "not-acknowledged",
        "Restrictions not acknowledged",
        (Audience.RECIPIENT,),
        ("0d", "-24h"),
        escalates_to=Audience.SENDER,
        escalate_after="3d",
    ),
    CatalogueRow(
        Rule.RESTRICTION_REVIEW,
        "restriction-review",
        "Restriction review",
        (Audience.PT, Audience.READER),
        ("-14d", "0d", "7d"),
        escalates_to=Audience.ADMIN,
        escalate_after="14d",
    ),
    CatalogueRow(
        Rule.NOT_SEEN,
        "not-seen",
        "Sent back to therapy, not seen yet",
        (Audience.CLIENT, Audience.RECIPIENT, Audience.SENDER),
        _nudges(Timed.PT_VISIT),
        _nudges(Timed.PT_VISIT, urgent=True),
        escalates_to=Audience.ADMIN,
        escalate_after="14d",
    ),
    CatalogueRow(
        Rule.CONSENT_ENDING,
        "consent-ending",
        "Consent ending",
        (Audience.DECIDER,),
        ("-30d", "-7d", "-1d"),
    ),
    CatalogueRow(
        Rule.CREDENTIAL_EXPIRING,
        "credential-expiring",
        "Credential expiring",
        (Audience.OWNER,),
        ("-60d", "-30d", "-7d", "0d"),
        escalates_to=Audience.ADMIN,
        escalate_after="0d",
    ),
    CatalogueRow(
        Rule.REPORT_DUE,
        "report-due",
        "In progress, no report",
        (Audience.RECIPIENT,),
        _nudges(Timed.REPORT),
        _nudges(Timed.REPORT, urgent=True),
        escalates_to=Audience.SENDER,
        escalate_after="90d",
    ),
    CatalogueRow(
        Rule.QUESTION_WAITING,
        "question-waiting",
        "Question asked, no reply",
        (Audience.SENDER,),
        ("0d", *_nudges(Timed.INFORMATION)),
        ("0d", *_nudges(Timed.INFORMATION, urgent=True)),
    ),
    CatalogueRow(
        Rule.CANCELLATION_ASKED,
        "cancellation-asked",
        "Asked to call off, not confirmed",
        (Audience.RECIPIENT,),
        ("0d", *_nudges(Timed.CANCELLATION)),
    ),
    CatalogueRow(
        Rule.SHARING_ENDED,
        "sharing-ended",
        "Sharing has ended",
        (Audience.READER, Audience.DISCLOSER),
        ("0d",),
        notice=True,
    ),
    CatalogueRow(
        Rule.SESSION_TO_RECORD,
        "session-to-record",
        "Session time passed, nothing recorded",
        (Audience.RECIPIENT,),
        ("1bd",),
    ),
)
CATALOGUE: Final[Mapping[Rule, CatalogueRow]] = MappingProxyType({row.rule: row for row in _ROWS})


# --- what waits ---------------------------------------------------------------------------------

Moment = datetime | date
"""An instant, or a day: on a day people are reminded in the morning of their own zone."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Something in one subject that waits for people, or that they should know.

    Offsets from zero up count from `since`, offsets below zero back from `until`; a missing anchor
    means that such offsets do not apply now. The reason holds from `starts_at` to before `ends_at`.
    `first_only` are told once and not reminded again.
    """

    rule: Rule
    name: str
    since: Moment | None
    until: Moment | None
    audiences: tuple[Audience, ...]
    escalates_to: Audience | None
    first_only: frozenset[Audience] = frozenset()
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def holds_at(self, at: datetime) -> bool:
        begun = self.starts_at is None or self.starts_at <= at
        return begun and (self.ends_at is None or at < self.ends_at)


def _wait(
    rule: Rule,
    name: str,
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    audiences: tuple[Audience, ...] | None = None,
    first_only: frozenset[Audience] = frozenset(),
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Wait:
    row = CATALOGUE[rule]
    return Wait(
        rule,
        name,
        since,
        until,
        row.audiences if audiences is None else audiences,
        row.escalates_to,
        first_only,
        starts_at,
        ends_at,
    )


@dataclass(frozen=True, slots=True)
class ReferralFacts:
    state: State
    state_at: datetime
    first_session_at: datetime | None = None
    not_shared: bool = False
    """Cancelled because nothing is shared, whatever the client said or did not say."""
    followed_up: bool = False
    """The sender has begun another referral in its place."""
    unread_since: datetime | None = None
    """Since when the recipient may read a restriction they have not acknowledged."""
    kind: Kind = Kind.DISCHARGE_HANDOFF
    sent_at: datetime | None = None


_TO_BOOK: Final = frozenset({State.ACCEPTED, State.NO_SHOW, State.APPT_CANCELLED})
_MUST_READ: Final = _TO_BOOK | {State.SCHEDULED, State.IN_PROGRESS, State.ON_HOLD}
_ONCE_TO_CLIENT: Final = frozenset({Audience.CLIENT})


def waits_of_referral(facts: ReferralFacts) -> tuple[Wait, ...]:
    """What a referral waits for."""
    found = []
    since, session = facts.state_at, facts.first_session_at
    match facts.state:
        case State.SENT | State.VIEWED:
            found.append(_wait(Rule.REFERRAL_WAITING, "sent", since=since))
        case State.INFO_REQUESTED:
            found.append(_wait(Rule.QUESTION_WAITING, "question", since=since))
        case State.ACCEPTED | State.NO_SHOW | State.APPT_CANCELLED:
            found.append(_wait(Rule.NOT_BOOKED, "booking", since=since))
        case State.SCHEDULED:
            found.append(
                _wait(
                    Rule.FIRST_SESSION,
                    "first-session",
                    since=since,
                    until=session,
                    ends_at=session,
                )
            )
            found.append(_wait(Rule.SESSION_TO_RECORD, "record", since=session, starts_at=session))
        case State.IN_PROGRESS:
            found.append(_wait(Rule.REPORT_DUE, "report", since=since))
        case State.CANCEL_REQUESTED:
            found.append(_wait(Rule.CANCELLATION_ASKED, "cancellation", since=since))
        case State.DECLINED | State.EXPIRED | State.FAILED if not facts.followed_up:
            found.append(_ended(facts))
        case State.CANCELLED if facts.not_shared and not facts.followed_up:
            found.append(_ended(facts))
    if TIMEOUTS[Timed.PT_VISIT].covers(facts.state, facts.kind):
        found.append(_wait(Rule.NOT_SEEN, "seen", since=facts.sent_at))
    if facts.state in _MUST_READ and facts.unread_since is not None:
        until = session if facts.state is State.SCHEDULED else None
        found.append(
            _wait(Rule.NOT_ACKNOWLEDGED, "acknowledge", since=facts.unread_since, until=until)
        )
    return tuple(found)


def _ended(facts: ReferralFacts) -> Wait:
    # The client knows that they shared nothing, and whether their own training came to an end.
    both = facts.state in (State.DECLINED, State.EXPIRED)
    return _wait(
        Rule.REFERRAL_ENDED,
        "ended",
        since=facts.state_at,
        audiences=(Audience.SENDER, Audience.CLIENT) if both else (Audience.SENDER,),
        first_only=_ONCE_TO_CLIENT,
    )


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    state: ConsentState
    asked_at: datetime
    changed_at: datetime
    expires_at: datetime | None = None
    last_day: date | None = None
    """The last day on which it is shared, where the client lives."""


def waits_of_consent(facts: ConsentFacts) -> tuple[Wait, ...]:
    """What a consent question, or a consent given, waits for."""
    match facts.state:
        case ConsentState.REQUESTED:
            return (_wait(Rule.CONSENT_ASKED, "asked", since=facts.asked_at),)
        case ConsentState.ACTIVE | ConsentState.EXPIRED:
            end = facts.expires_at
            return (
                _wait(
                    Rule.CONSENT_ENDING,
                    "ending",
                    since=facts.last_day,
                    until=facts.last_day,
                    ends_at=end,
                ),
                _wait(Rule.SHARING_ENDED, "ended", since=end, starts_at=end),
            )
        case ConsentState.REVOKED | ConsentState.ENDED:
            return (_wait(Rule.SHARING_ENDED, "ended", since=facts.changed_at),)
        case _:
            return ()


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    active: bool
    signed: bool
    planned_on: date | None = None
    last_visit_on: date | None = None
    visits_low_since: datetime | None = None
    """Since when few authorised visits are left."""
    authorized_until: date | None = None


def waits_of_episode(facts: EpisodeFacts) -> tuple[Wait, ...]:
    """What an episode of care waits for before its note is signed."""
    if facts.signed or not facts.active:
        return ()
    found = []
    planned, last = facts.planned_on, facts.last_visit_on
    if planned is not None:
        found.append(_wait(Rule.DISCHARGE_PLANNED, "discharge", since=planned, until=planned))
    if last is not None:
        # While a discharge is planned for later, the newest visit is not taken for the last one.
        since = last if planned is None else max(last, planned)
        found.append(_wait(Rule.NOTE_UNSIGNED, "note", since=since))
    if facts.visits_low_since is not None:
        found.append(_wait(Rule.VISITS_LOW, "visits", since=facts.visits_low_since))
    if facts.authorized_until is not None:
        found.append(_wait(Rule.VISITS_LOW, "authorization", until=facts.authorized_until))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class RestrictionFacts:
    in_force: bool
    review_on: date


def waits_of_restriction(facts: RestrictionFacts) -> tuple[Wait, ...]:
    """The review of a restriction in force; its review date never lifts it."""
    if not facts.in_force:
        return ()
    day = facts.review_on
    return (_wait(Rule.RESTRICTION_REVIEW, "review", since=day, until=day),)


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    counts: bool
    """Verified and not withdrawn."""
    renewed: bool
    expires_on: date | None


def waits_of_credential(facts: CredentialFacts) -> tuple[Wait, ...]:
    """The end of a credential that nothing newer replaces."""
    day = facts.expires_on
    if day is None or facts.renewed or not facts.counts:
        return ()
    return (_wait(Rule.CREDENTIAL_EXPIRING, "expiry", since=day, until=day),)
