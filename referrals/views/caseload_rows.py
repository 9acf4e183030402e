"""Where each client of a caseload is and what comes next: names, stages and dates, nothing else.

`standing` decides from the facts of one client and is pure; `rows_of` reads those facts for the
whole caseload in a fixed number of statements, however many clients there are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final
from uuid import UUID

from django.db.models import Exists, Min, OuterRef, Q
from django.urls import reverse
from django.utils import timezone

from handoff.core.actors import Actor
from handoff.web.dates import local_day
from referrals import access
from referrals.models import DischargeNote, Episode, Referral, RestrictionVersion
from referrals.states import OPEN, State


class Step(StrEnum):
    """What comes next for a client."""

    ANSWER = "answer"
    REVIEW = "review"
    CHECK = "check"
    NOTE = "note"
    PLAN = "plan"
    BEGIN = "begin"
    SEND = "send"
    CHOOSE = "choose"
    CHOOSE_AGAIN = "choose_again"
    CONSENT = "consent"
    TRAINER = "trainer"
    BOOKING = "booking"
    SESSION = "session"
    CALLED_OFF = "called_off"
    INVITED = "invited"
    PAUSED = "paused"
    THERAPY = "therapy"
    TRAINING = "training"
    LIMITS = "limits"
    DONE = "done"


class Turn(IntEnum):
    """Whose move it is; also the order of the list."""

    YOURS = 0
    OTHERS = 1
    NOBODYS = 2


_YOURS: Final = frozenset(
    {
        *(Step.ANSWER, Step.REVIEW, Step.CHECK, Step.NOTE, Step.PLAN, Step.BEGIN, Step.SEND),
        *(Step.CHOOSE, Step.CHOOSE_AGAIN),
    }
)
_OTHERS: Final = frozenset(
    {Step.CONSENT, Step.TRAINER, Step.BOOKING, Step.SESSION, Step.CALLED_OFF, Step.INVITED}
)
# The client or the trainer takes longer than most do: shown so, nothing follows from it here.
LONG: Final[Mapping[Step, timedelta]] = {
    Step.CONSENT: timedelta(days=7),
    Step.TRAINER: timedelta(days=4),
    Step.BOOKING: timedelta(days=5),
    Step.CALLED_OFF: timedelta(days=2),
    Step.INVITED: timedelta(days=7),
}
_OF_STATE: Final[Mapping[State, Step]] = {
    State.DRAFT: Step.SEND,
    State.AWAITING_CONSENT: Step.CONSENT,
    State.SENT: Step.TRAINER,
    State.VIEWED: Step.TRAINER,
    State.INFO_REQUESTED: Step.ANSWER,
    State.ACCEPTED: Step.BOOKING,
    State.NO_SHOW: Step.BOOKING,
    State.APPT_CANCELLED: Step.BOOKING,
    State.SCHEDULED: Step.SESSION,
    State.IN_PROGRESS: Step.TRAINING,
    State.ON_HOLD: Step.PAUSED,
    State.CANCEL_REQUESTED: Step.CALLED_OFF,
    State.DECLINED: Step.CHOOSE_AGAIN,
    State.EXPIRED: Step.CHOOSE_AGAIN,
    State.FAILED: Step.CHOOSE_AGAIN,
}


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """The episode that counts: the running one, else the newest."""

    id: UUID
    status: str
    created_at: datetime
    planned_on: date | None = None
    last_visit_on: date | None = None
    ended_on: date | None = None
    note_begun: bool = False
    signed_at: datetime | None = None
    wants_trainer: bool = False

    @property
    def is_running(self) -> bool:
        return self.status in (Episode.Status.ACTIVE, Episode.Status.REVIEW)


@dataclass(frozen=True, slots=True)
class ReferralFacts:
    """The handoff that counts: an open one, else the newest of that episode."""

    id: UUID
    state: State
    state_at: datetime
    recipient: str
    session_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Facts:
    """One client, as far as a list needs to know."""

    client_id: UUID
    name: str
    has_account: bool
    since: datetime
    episode: EpisodeFacts | None = None
    referral: ReferralFacts | None = None
    review_on: date | None = None
    """The earliest review of a limit in force; None without any."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the caseload."""

    client_id: UUID
    name: str
    phase: str
    step: Step
    text: str
    on: date | None
    """Since when somebody waits, or when it is due."""
    is_ahead: bool
    """Whether `on` lies ahead: a plan, not a wait."""
    url: str
    """Where the step is taken."""
    action: str
    page: str
    """The page of this client that the therapist works on."""
    turn: Turn
    is_overdue: bool
    is_long: bool

    @property
    def sort_key(self) -> tuple[int, date, str, str]:
        return (self.turn, self.on or date.max, self.name.casefold(), str(self.client_id))

    @property
    def tone(self) -> str:
        if self.is_overdue:
            return "avoid"
        if self.is_long or self.turn is Turn.YOURS:
            return "caution"
        return "info" if self.turn is Turn.OTHERS else ""

    @property
    def icon(self) -> str:
        return _WORDS[self.step].icon


@dataclass(frozen=True, slots=True)
class _Words:
    text: str
    action: str
    icon: str


_WORDS: Final[Mapping[Step, _Words]] = {
    Step.ANSWER: _Words("{trainer} asked you something", "Answer", "message"),
    Step.REVIEW: _Words("Limits to review; they stay in force", "Review limits", "calendar"),
    Step.CHECK: _Words("Imported record to check", "Check", "eye"),
    Step.NOTE: _Words("Discharge note to sign", "Finish note", "edit"),
    Step.PLAN: _Words("Plan the discharge, or sign the note", "Plan or sign", "edit"),
    Step.BEGIN: _Words("No episode of care yet", "Open an episode", "plus"),
    Step.SEND: _Words("Handoff to {trainer} drafted, not sent", "Send", "send"),
    Step.CHOOSE: _Words("Discharged; choose a trainer", "Choose a trainer", "swap"),
    Step.CHOOSE_AGAIN: _Words("{trainer} did not take it on", "Choose another", "swap"),
    Step.CONSENT: _Words("Waiting for the client to decide", "Open handoff", "lock"),
    Step.TRAINER: _Words("Waiting for {trainer} to answer", "Open handoff", "clock"),
    Step.BOOKING: _Words("{trainer} accepted; no session booked", "Open handoff", "clock"),
    Step.SESSION: _Words("First session with {trainer}", "Open handoff", "calendar"),
    Step.CALLED_OFF: _Words("{trainer} has to confirm the end", "Open handoff", "clock"),
    Step.INVITED: _Words("Has not come in yet", "Invite again", "mail"),
    Step.PAUSED: _Words("Training with {trainer} is paused", "Open handoff", "clock"),
    Step.THERAPY: _Words("In therapy with you", "Open", "person"),
    Step.TRAINING: _Words("Trains with {trainer}", "Open", "dumbbell"),
    Step.LIMITS: _Words("Limits in force, next review", "Open", "calendar"),
    Step.DONE: _Words("No limits left", "Open", "check"),
}


def standing(facts: Facts, today: date) -> Row:
    """Where one client is on `today`, and what comes next."""
    step, on = _step(facts, today)
    url_name, pk = _goes_to(step, facts)
    trainer = facts.referral.recipient if facts.referral else ""
    ahead = on is not None and on > today
    waited = today - on if on is not None and not ahead else timedelta(0)
    turn = _turn(step)
    return Row(
        client_id=facts.client_id,
        name=facts.name,
        phase=_phase(facts),
        step=step,
        text=_WORDS[step].text.format(trainer=trainer),
        on=on,
        is_ahead=ahead,
        url=reverse(url_name, args=[pk]),
        action=_WORDS[step].action,
        page=_page_of(facts),
        turn=turn,
        is_overdue=turn is Turn.YOURS and waited > timedelta(0),
        is_long=step in LONG and waited >= LONG[step],
    )


def _page_of(facts: Facts) -> str:
    if facts.episode is None:
        return reverse("client", args=[facts.client_id])
    return reverse("episode", args=[facts.episode.id])


def _turn(step: Step) -> Turn:
    if step in _YOURS:
        return Turn.YOURS
    return Turn.OTHERS if step in _OTHERS else Turn.NOBODYS


def _step(facts: Facts, today: date) -> tuple[Step, date | None]:
    """The next step, and the day it hangs on. The first that applies, most urgent first."""
    episode, referral, review_on = facts.episode, facts.referral, facts.review_on
    if referral and referral.state is State.INFO_REQUESTED:
        return Step.ANSWER, local_day(referral.state_at)
    if review_on is not None and review_on <= today:
        return Step.REVIEW, review_on
    if episode is None:
        step = Step.BEGIN if facts.has_account else Step.INVITED
        return step, local_day(facts.since)
    if episode.is_running:
        return _step_of_therapy(episode, today)
    if referral and referral.state in _OF_STATE:
        step = _OF_STATE[referral.state]
        if step is Step.SESSION and referral.session_at:
            return step, local_day(referral.session_at)
        return step, local_day(referral.state_at)
    if referral is None and episode.wants_trainer and episode.signed_at:
        return Step.CHOOSE, local_day(episode.signed_at)
    if review_on is not None:
        return Step.LIMITS, review_on
    return Step.DONE, episode.ended_on


def _step_of_therapy(episode: EpisodeFacts, today: date) -> tuple[Step, date | None]:
    if episode.status == Episode.Status.REVIEW:
        return Step.CHECK, local_day(episode.created_at)
    planned, last = episode.planned_on, episode.last_visit_on
    if planned is not None:
        return (Step.NOTE, planned) if planned <= today else (Step.THERAPY, planned)
    if last is not None and last < today:
        return Step.PLAN, last
    return Step.THERAPY, last


def _phase(facts: Facts) -> str:
    episode, referral = facts.episode, facts.referral
    if episode is None or episode.is_running:
        return "rehab"
    if referral and referral.is_open:
        trains = referral.state in (State.IN_PROGRESS, State.ON_HOLD)
        return "training" if trains else "handoff"
    if referral is None and episode.wants_trainer:
        return "handoff"
    if referral and _OF_STATE.get(referral.state) is Step.CHOOSE_AGAIN:
        return "handoff"
    if facts.review_on is None:
        return "returned"
    completed = referral is not None and referral.state is State.COMPLETED
    return "training" if completed else "rehab"


_REFERRAL_STEPS: Final = frozenset({*_OF_STATE.values()} - {Step.TRAINING})


def _goes_to(step: Step, facts: Facts) -> tuple[str, UUID]:
    """The page on which the step is taken."""
    if step in _REFERRAL_STEPS and facts.referral:
        return "referral", facts.referral.id
    if step is Step.BEGIN:
        return "episode_new", facts.client_id
    if step is Step.INVITED:
        return "client_invite", facts.client_id
    if facts.episode is not None:
        match step:
            case Step.CHECK:
                return "episode_edit", facts.episode.id
            case Step.NOTE:
                return "discharge", facts.episode.id
            case Step.CHOOSE:
                return "discharge_handoff", facts.episode.id
            case Step.REVIEW | Step.PLAN | Step.THERAPY | Step.LIMITS:
                return "episode", facts.episode.id
            case _:
                pass
    return "client", facts.client_id


# --- reading ------------------------------------------------------------------------------------


def rows_of(actor: Actor, at: datetime | None = None, *, words: str = "") -> list[Row]:
    """Every client of the caseload, whoever needs the actor first on top.

    `words` must all occur in the name. The order comes out of the facts, so the whole caseload of
    one therapist is read: names, states and dates, in as many statements for one as for all.
    """
    today = local_day(at or timezone.now())
    clients = access.clients_of(actor)
    for word in words.split()[:6]:
        clients = clients.filter(Q(first_name__icontains=word) | Q(last_name__icontains=word))
    people = list(
        clients.order_by().values_list("pk", "first_name", "last_name", "user_id", "created_at")
    )
    if not people:
        return []
    sides = access.treating_ids(actor)
    episodes = _episodes(actor)
    referrals = _referrals(sides, episodes)
    reviews = _reviews(sides)
    found = [
        standing(
            Facts(
                client_id=pk,
                name=f"{first} {last}".strip(),
                has_account=user_id is not None,
                since=since,
                episode=episodes.get(pk),
                referral=referrals.get(pk),
                review_on=reviews.get(pk),
            ),
            today,
        )
        for pk, first, last, user_id, since in people
    ]
    return sorted(found, key=lambda row: row.sort_key)


def _episodes(actor: Actor) -> dict[UUID, EpisodeFacts]:
    """Client -> the running episode, else the newest."""
    rows = (
        access.episodes_visible_to(actor)
        .exclude(status=Episode.Status.ENTERED_IN_ERROR)
        .order_by("created_at", "id")
        .values_list(
            *("client_id", "id", "status", "created_at", "planned_discharge_on", "last_visit_on"),
            *("ended_on", "notes__id", "notes__signed_at", "notes__trainer_referral"),
        )
    )
    found: dict[UUID, EpisodeFacts] = {}
    for client_id, pk, status, created, planned, last, ended, note, signed, wants in rows:
        facts = EpisodeFacts(
            id=pk,
            status=status,
            created_at=created,
            planned_on=planned,
            last_visit_on=last,
            ended_on=ended,
            note_begun=note is not None,
            signed_at=signed,
            wants_trainer=wants == DischargeNote.TrainerReferral.YES,
        )
        held = found.get(client_id)
        if held is None or facts.is_running or not held.is_running:
            found[client_id] = facts
    return found


def _referrals(
    sides: Iterable[UUID], episodes: Mapping[UUID, EpisodeFacts]
) -> dict[UUID, ReferralFacts]:
    """Client -> the open handoff, else the newest of the episode that counts."""
    rows = (
        Referral.objects.filter(sender_id__in=list(sides))
        .exclude(state__in=[State.DISCARDED, State.ENTERED_IN_ERROR])
        .order_by("created_at", "id")
        .values_list(
            *("client_id", "episode_id", "id", "state", "state_at", "first_session_at"),
            *("recipient__user__first_name", "recipient__user__last_name"),
            "recipient__user__email",
        )
    )
    found: dict[UUID, ReferralFacts] = {}
    for client_id, episode_id, pk, state, state_at, session, first, last, email in rows:
        facts = ReferralFacts(
            id=pk,
            state=State(state),
            state_at=state_at,
            recipient=f"{first} {last}".strip() or email,
            session_at=session,
        )
        held, episode = found.get(client_id), episodes.get(client_id)
        belongs = episode is not None and episode.id == episode_id
        if facts.is_open or (belongs and (held is None or not held.is_open)):
            found[client_id] = facts
    return found


def _reviews(sides: Iterable[UUID]) -> dict[UUID, date]:
    """Client -> the earliest review of a limit in force."""
    newer = RestrictionVersion.objects.filter(
        restriction=OuterRef("restriction"),
        signed_at__isnull=False,
        number__gt=OuterRef("number"),
    )
    rows = (
        RestrictionVersion.objects.filter(
            ~Exists(newer),
            restriction__episode__pt_id__in=list(sides),
            signed_at__isnull=False,
            status=RestrictionVersion.Status.ACTIVE,
        )
        .exclude(restriction__episode__status=Episode.Status.ENTERED_IN_ERROR)
        .order_by()
        .values_list("restriction__episode__client_id")
        .annotate(first=Min("review_on"))
    )
    return dict(rows)


# --- choosing from the rows ---------------------------------------------------------------------


class Tab(StrEnum):
    ALL = "all"
    YOURS = "yours"
    OVERDUE = "overdue"
    OTHERS = "others"


def chosen(rows: Sequence[Row], tab: Tab, phase: str = "") -> list[Row]:
    """The rows of one tab, and of one phase if one is named."""
    return [row for row in rows if _belongs(row, tab) and phase in ("", row.phase)]


def _belongs(row: Row, tab: Tab) -> bool:
    match tab:
        case Tab.ALL:
            return True
        case Tab.YOURS:
            return row.turn is Turn.YOURS
        case Tab.OVERDUE:
            return row.is_overdue
        case Tab.OTHERS:
            return row.turn is Turn.OTHERS
