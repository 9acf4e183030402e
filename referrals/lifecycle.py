"""What people do to a referral. Each verb: lock, guard against the table, write, record.

The table of states and edges is `referrals.states`; what the table cannot know (a signed note, an
active consent, a current certificate) is guarded here. Locks are taken in one order everywhere:
referral, consent, ledger heads.

Every verb raises NotVisible when the actor may not know of the referral, NotAllowed when the step
is not theirs, Stale when the referral moved on, Invalid for input that cannot be taken.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache, partial
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from clients import consent as consents
from clients import directory, licensing
from clients.access import professional_of, require_kept
from clients.consent import ConsentState, Standing
from clients.models import Consent, Professional, User
from clients.scopes import SUGGESTED, Scope
from handoff.core import audit, journal, subjects
from handoff.core.actors import SYSTEM, Actor, Channel, Role
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import access, readings, reminders, states, whose
from referrals import facts as facts_of_training
from referrals.models import (
    DischargeNote,
    Holiday,
    LoopReport,
    Referral,
    ReferralEvent,
    ReferralMessage,
)
from referrals.reasons import HoldReason
from referrals.states import REASONS, Edge, Kind, Party, State, Verb
from referrals.waits import Timeout, Wait, waits_of

log = structlog.get_logger(__name__)

LONGEST_AHEAD = timedelta(days=366)
MINIMUM_SHARED: Final[Mapping[Kind, Scope]] = MappingProxyType(
    {
        Kind.DISCHARGE_HANDOFF: Scope.CLEARANCE,
        Kind.REFER_OUT: Scope.TRAINING_FEEDBACK,
        Kind.RETURN_TO_TRAINING: Scope.CLEARANCE,
    }
)
"""Without it a referral cannot go out: a trainer would not know that training may begin, a
therapist not why the client comes."""
TO_TRAINING: Final = (Kind.DISCHARGE_HANDOFF, Kind.RETURN_TO_TRAINING)

_WITH_ENDS: Final = (
    *("client", "consent", "sender__user", "sender__practice"),
    *("recipient__user", "recipient__practice"),
)
_NAMED: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.DISCHARGE_HANDOFF: "the handoff",
        Kind.REFER_OUT: "the way back to therapy",
        Kind.RETURN_TO_TRAINING: "the return to training",
    }
)
_OPEN: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.DISCHARGE_HANDOFF: "A handoff to this trainer",
        Kind.REFER_OUT: "A referral to this therapist",
        Kind.RETURN_TO_TRAINING: "A return to this trainer",
    }
)
_SEEN = states.RECIPIENT_MAY_READ | states.RECIPIENT_SEES_ENVELOPE

Guard = Callable[[Referral, Edge, datetime], None]


def draft(
    *,
    actor: Actor,
    client_id: UUID,
    recipient_id: UUID | None = None,
    episode_id: UUID | None = None,
    kind: str = Kind.DISCHARGE_HANDOFF,
    goal: str = "",
    start_from: date | None = None,
    start_until: date | None = None,
    priority: str = Referral.Priority.ROUTINE,
    previous_id: UUID | None = None,
    facts: Mapping[str, object] | None = None,
    at: datetime | None = None,
) -> Referral:
    """Begin a referral; nobody but the sender knows of it yet.

    A handoff and a return to training go from the therapist of an episode to a trainer, and the
    episode decides client and sender: `client_id` must agree with it. Back to a therapist it goes
    from a trainer who took the client on, with `facts`; without a `recipient_id` to whoever
    handed the client over. Raises Invalid naming the field for a recipient who cannot be asked, an
    open referral of this kind to the same recipient, or dates out of order.
    """
    at = at or timezone.now()
    _check_window(start_from, start_until)
    if priority not in Referral.Priority.values:
        raise Invalid({"priority": ["Choose routine or urgent."]})
    if len(goal) > 300:
        raise Invalid({"goal": ["Keep the goal under 300 characters."]})
    wanted = Referral(
        kind=kind,
        goal=goal.strip(),
        start_from=start_from,
        start_until=start_until,
        priority=priority,
        created_at=at,
        state_at=at,
    )
    if kind != Kind.REFER_OUT and facts is not None:
        raise Invalid({"facts": ["Facts go from a trainer to a physical therapist."]})
    if kind != Kind.RETURN_TO_TRAINING and previous_id is not None:
        raise Invalid({"previous": ["Only a return to training answers another referral."]})
    with transaction.atomic():
        match kind:
            case Kind.DISCHARGE_HANDOFF | Kind.RETURN_TO_TRAINING:
                _from_therapist(actor, wanted, client_id, episode_id, recipient_id)
                if kind == Kind.RETURN_TO_TRAINING:
                    _require_return(actor, wanted, previous_id, at)
                referral = _create(wanted)
            case Kind.REFER_OUT:
                _from_trainer(actor, wanted, client_id, episode_id, recipient_id, at)
                seen = facts_of_training.read(
                    facts or {}, client=wanted.client, author=wanted.sender, at=at
                )
                if seen.is_red:
                    wanted.priority = Referral.Priority.URGENT
                referral = _create(wanted)
                facts_of_training.keep(referral, seen, at=at)
            case _:
                raise Invalid({"kind": ["A referral of this kind cannot be started here."]})
        reminders.referral_drafted(referral, at=at)
        audit.record(actor, "referral.drafted", referral, at=at)
    return referral


def write_facts(
    *,
    actor: Actor,
    referral_id: UUID,
    facts: Mapping[str, object],
    priority: str = "",
    start_from: date | None = None,
    start_until: date | None = None,
    at: datetime | None = None,
) -> Referral:
    """Write the facts of a draft anew. What is red makes it urgent; `priority` may as well, and
    without one it stays as it is.

    Raises NotVisible, NotAllowed for anybody but the sender, Stale once the client was asked or
    it went out, Invalid with the fields named.
    """
    at = at or timezone.now()
    _check_window(start_from, start_until)
    if priority and priority not in Referral.Priority.values:
        raise Invalid({"priority": ["Choose routine or urgent."]})
    with transaction.atomic():
        referral = access.referral_for(actor, referral_id, lock=True, at=at)
        if Party.SENDER not in access.parties(actor, referral, at):
            raise NotAllowed("Only the sender writes these facts.")
        if referral.kind != Kind.REFER_OUT or referral.state != State.DRAFT:
            raise Stale("This has been asked or sent already, and stays as it is.")
        seen = facts_of_training.read(facts, client=referral.client, author=referral.sender, at=at)
        referral.priority = (
            Referral.Priority.URGENT.value if seen.is_red else priority or referral.priority
        )
        referral.start_from, referral.start_until = start_from, start_until
        referral.save(update_fields=["priority", "start_from", "start_until"])
        facts_of_training.keep(referral, seen, at=at)
        audit.record(actor, "referral.facts_written", referral, at=at)
    return referral


def send(
    *,
    actor: Actor,
    referral_id: UUID,
    classes: Iterable[Scope] | None = None,
    purpose: str = "",
    at: datetime | None = None,
) -> Referral:
    """Send the referral, or ask the client first when they have not agreed yet.

    To a trainer it needs a signed note, and a recipient whose certificates are current; to a
    therapist, one who has a licence where the client lives. With an active consent that covers at
    least what its kind demands (`MINIMUM_SHARED`) it goes out; otherwise it waits, and the client
    is asked for `classes` (without any: what is usual). Open referrals in its place that nobody
    accepted yet are superseded.
    """
    at = at or timezone.now()
    with transaction.atomic():
        referral = access.referral_for(actor, referral_id, lock=True, at=at)
        parties = access.parties(actor, referral, at)
        states.edge(source=State(referral.state), party=parties, verb=Verb.SEND)
        _require_ready(referral, at)
        pausing = training_to_pause([referral])
        # All that concerns consent comes before the steps: an entry of the audit ledger is never
        # written ahead of one of the consent ledger.
        others = _taken_back(_others_asked(referral), at)
        live = _live(referral, at)
        if live is not None:
            referral.consent_id = live.consent_id
            _supersede(others, at)
            return _go_out(actor, referral, Verb.SEND, pausing, at)
        if referral.state == State.AWAITING_CONSENT:
            raise NotAllowed("The client has not agreed yet.")
        usual = SUGGESTED if referral.kind != Kind.REFER_OUT else {Scope.TRAINING_FEEDBACK}
        question = consents.ask(
            actor=actor,
            client=referral.client,
            discloser=referral.sender,
            recipient=referral.recipient,
            purpose=purpose or consents.notice_for(referral.sender).purpose,
            classes=usual if classes is None else classes,
            at=at,
        )
        referral.consent = question
        urgent = referral.priority == Referral.Priority.URGENT
        reminders.consent_asked(question, urgent=urgent, at=at)
        _supersede(others, at)
        return _walk(actor, referral, Verb.AWAIT_CONSENT, at)


def view(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> Referral:
    """The recipient has opened it. Does nothing when they had already."""
    at = at or timezone.now()
    with transaction.atomic():
        referral = access.referral_for(actor, referral_id, lock=True, at=at)
        if referral.state != State.SENT or Party.RECIPIENT not in access.parties(
            actor, referral, at
        ):
            return referral
        return _walk(actor, referral, Verb.VIEW, at)


def ask(*, actor: Actor, referral_id: UUID, text: str, at: datetime | None = None) -> Referral:
    """The recipient asks the sender something before they answer."""
    return _step(actor, referral_id, Verb.ASK, at, after=partial(_post, actor, text))


def answer(*, actor: Actor, referral_id: UUID, text: str, at: datetime | None = None) -> Referral:
    """The sender answers; it waits for the recipient again."""
    return _step(actor, referral_id, Verb.ANSWER, at, after=partial(_post, actor, text))


def accept(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> Referral:
    """The recipient takes the client on; needs current certificates (R6), a therapist a licence
    where the client lives (R2).

    Uses one of the places they said they have. Whoever has none left and takes one more does so;
    whom they had before takes none. With a return to training, what was open between the same
    three before closes itself.
    """

    def guard(referral: Referral, edge: Edge, now: datetime) -> None:
        licensing.require_acceptor(referral.recipient, at=now, state=licence_place(referral))
        if referral.kind != Kind.RETURN_TO_TRAINING:
            Professional.objects.filter(pk=referral.recipient_id, open_places__gt=0).update(
                open_places=F("open_places") - 1
            )

    return _step(actor, referral_id, Verb.ACCEPT, at, guard=guard, after=_replace_training)


def decline(
    *,
    actor: Actor,
    referral_id: UUID,
    reason_code: str,
    reason_text: str = "",
    at: datetime | None = None,
) -> Referral:
    """The recipient says no, with a reason for the sender."""
    return _step(actor, referral_id, Verb.DECLINE, at, reason=(reason_code, reason_text))


def schedule(
    *, actor: Actor, referral_id: UUID, first_session_at: datetime, at: datetime | None = None
) -> Referral:
    """Book the first session."""
    at = at or timezone.now()
    if first_session_at <= at:
        raise Invalid({"first_session_at": ["Choose a time that lies ahead."]})
    if first_session_at > at + LONGEST_AHEAD:
        raise Invalid({"first_session_at": ["Choose a time within a year."]})

    def guard(referral: Referral, edge: Edge, now: datetime) -> None:
        referral.first_session_at = first_session_at

    return _step(actor, referral_id, Verb.SCHEDULE, at, guard=guard)


def no_show(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> Referral:
    """The client did not come; only once the booked time has passed."""

    def guard(referral: Referral, edge: Edge, now: datetime) -> None:
        if referral.first_session_at is not None and now < referral.first_session_at:
            raise NotAllowed("The session has not begun yet.")

    return _step(actor, referral_id, Verb.NO_SHOW, at, guard=guard)


def cancel_appointment(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> Referral:
    """Call the booked session off; the referral goes on."""

    def guard(referral: Referral, edge: Edge, now: datetime) -> None:
        referral.first_session_at = None

    return _step(actor, referral_id, Verb.CANCEL_APPOINTMENT, at, guard=guard)


def begin(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> Referral:
    """The first session took place. Shared limits must have been acknowledged before."""

    def guard(referral: Referral, edge: Edge, now: datetime) -> None:
        shared = consents.live(
            client_id=referral.client_id,
            at=now,
            recipient_ids=[referral.recipient_id],
            discloser_ids=[referral.sender_id],
        )
        if not any(Scope.RESTRICTIONS in each.classes for each in shared):
            return
        view = readings.restrictions(
            referral.client, [referral.sender_id], reader_ids=[referral.recipient_id], at=now
        )
        if view.unacknowledged:
            raise NotAllowed("Confirm first that you have read the current limits.")

    return _step(actor, referral_id, Verb.BEGIN, at, guard=guard)


def hold(
    *,
    actor: Actor,
    referral_id: UUID,
    reason_code: str,
    reason_text: str = "",
    at: datetime | None = None,
) -> Referral:
    """Pause it, with a reason."""
    return _step(actor, referral_id, Verb.HOLD, at, reason=(reason_code, reason_text))


def resume(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> Referral:
    """Go on after a pause."""
    return _step(actor, referral_id, Verb.RESUME, at)


def report(
    *,
    actor: Actor,
    referral_id: UUID,
    observations: str,
    sessions_held: int | None = None,
    at: datetime | None = None,
) -> Referral:
    """Send an interim note to the sender; it reaches them if `training_feedback` is shared."""
    write = partial(_write_report, actor, LoopReport.Kind.INTERIM, observations, sessions_held)
    return _step(actor, referral_id, Verb.REPORT, at, after=write)


def complete(
    *,
    actor: Actor,
    referral_id: UUID,
    observations: str,
    sessions_held: int | None = None,
    at: datetime | None = None,
) -> Referral:
    """Close the loop with a final report. The sender always learns that it was completed."""
    write = partial(_write_report, actor, LoopReport.Kind.FINAL, observations, sessions_held)
    return _step(actor, referral_id, Verb.COMPLETE, at, after=write)


def fail(
    *,
    actor: Actor,
    referral_id: UUID,
    reason_code: str,
    reason_text: str = "",
    at: datetime | None = None,
) -> Referral:
    """It came to nothing; the sender may re-route."""
    return _step(actor, referral_id, Verb.FAIL, at, reason=(reason_code, reason_text))


def cancel(
    *,
    actor: Actor,
    referral_id: UUID,
    reason_code: str = "",
    reason_text: str = "",
    at: datetime | None = None,
) -> Referral:
    """Call it off: at once before acceptance, by asking the recipient to confirm after it."""

    def after(referral: Referral, now: datetime) -> None:
        if referral.state == State.CANCELLED and referral.consent is not None:
            consents.withdraw_question(actor=SYSTEM, consent_id=referral.consent.pk, at=now)
            reminders.consent_changed(referral.consent, at=now)

    return _step(
        actor, referral_id, Verb.CANCEL, at, reason=(reason_code, reason_text), after=after
    )


def confirm_cancel(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> Referral:
    """The recipient confirms that it is called off."""
    return _step(actor, referral_id, Verb.CONFIRM_CANCEL, at)


def discard(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> Referral:
    """Throw a draft away."""
    return _step(actor, referral_id, Verb.DISCARD, at)


def enter_in_error(
    *,
    actor: Actor,
    referral_id: UUID,
    reason_code: str,
    reason_text: str = "",
    at: datetime | None = None,
) -> Referral:
    """It should never have existed: the recipient and the client no longer see it."""
    return _step(actor, referral_id, Verb.ENTER_IN_ERROR, at, reason=(reason_code, reason_text))


def reroute(
    *, actor: Actor, referral_id: UUID, recipient_id: UUID, at: datetime | None = None
) -> Referral:
    """A new draft to somebody else in place of one that ended without the client taken on.

    The ended one stays as it is; the new one names it as `previous`, for the sender only.
    """
    at = at or timezone.now()
    with transaction.atomic():
        ended = access.referral_for(actor, referral_id, lock=True, at=at)
        parties = access.parties(actor, ended, at)
        if Party.SENDER not in parties:
            raise NotAllowed("Only the sender can ask somebody else.")
        if not states.may_reroute(State(ended.state), parties):
            raise Stale
        if recipient_id == ended.recipient_id:
            raise Invalid({"recipient": ["Choose somebody else this time."]})
        to_pt = ended.kind == Kind.REFER_OUT
        recipient = _therapist(recipient_id) if to_pt else _recipient(recipient_id)
        _check_two_people(ended.sender, recipient)
        if ended.kind == Kind.RETURN_TO_TRAINING:
            _require_known(ended.client_id, recipient)
        referral = _create(
            Referral(
                kind=ended.kind,
                client=ended.client,
                episode=ended.episode,
                sender=ended.sender,
                recipient=recipient,
                previous=ended,
                goal=ended.goal,
                start_from=ended.start_from,
                start_until=ended.start_until,
                priority=ended.priority,
                created_at=at,
                state_at=at,
            )
        )
        if to_pt and (seen := facts_of_training.of(ended)) is not None:
            facts_of_training.keep(referral, seen, at=at)
        reminders.referral_drafted(referral, at=at)
        audit.record(actor, "referral.rerouted", referral, at=at)
    return referral


def consent_given(*, referral: Referral, at: datetime) -> Referral:
    """The client agreed: send what waited for it. Called with the row locked.

    Raises Invalid on `classes` when they share less than it needs. The training that a referral
    back to therapy pauses was locked with it (`training_to_pause`).
    """
    live = _live(referral, at)
    if live is None:
        words = consents.notice_for(referral.sender)
        least = words.text_for(
            MINIMUM_SHARED[Kind(referral.kind)],
            recipient=referral.recipient.user.get_short_name(),
            discloser=referral.sender.user.get_short_name(),
        )
        raise Invalid(
            {
                "classes": [
                    f"For {_NAMED[Kind(referral.kind)]}, at least “{least.title}” must be shared. "
                    "You can also say no; that costs you nothing."
                ]
            }
        )
    pausing = training_to_pause([referral])
    return _go_out(SYSTEM, referral, Verb.CONSENT_GRANTED, pausing, at)


def training_to_pause(referrals: Iterable[Referral]) -> list[Referral]:
    """The running training that goes on hold when these referrals back to therapy go out, locked.

    To be called before anything locks a ledger's head, and again: the lock is ours already then.
    """
    out = [each for each in referrals if each.kind == Kind.REFER_OUT]
    rows = Referral.objects.select_for_update(of=("self",), no_key=True).filter(
        client_id__in={each.client_id for each in out},
        recipient_id__in={each.sender_id for each in out},
        kind__in=TO_TRAINING,
        state=State.IN_PROGRESS,
    )
    return list(rows.select_related(*_WITH_ENDS).order_by("id")) if out else []


def licence_place(referral: Referral) -> str:
    """Where the recipient needs a licence to take this on; "" where any paper of theirs will do."""
    return referral.client.state if referral.kind == Kind.REFER_OUT else ""


def consent_refused(*, referral: Referral, at: datetime) -> Referral:
    """The client said no: close what waited for it. Called with the row locked."""
    return _walk(SYSTEM, referral, Verb.CONSENT_DECLINED, at)


TIMED = (
    State.AWAITING_CONSENT,
    State.SENT,
    State.VIEWED,
    State.INFO_REQUESTED,
    State.CANCEL_REQUESTED,
)
"""The states that end by themselves when nobody does anything."""


def time_out(*, at: datetime | None = None, limit: int = 200) -> int:
    """Walk the edges that time walks (no answer, no consent, no confirmation); how many.

    Each referral in its own short transaction, so one that fails holds up no other. Safe to run
    from any number of processes.
    """
    at = at or timezone.now()
    waiting = Referral.objects.filter(state__in=TIMED).select_related(
        "client", "sender__practice", "recipient__practice", "consent"
    )
    days_off = cache(Holiday.objects.days_in)
    # All are looked at before any is locked: the oldest are not those whose time is up first.
    early = at - timedelta(hours=24)
    candidates = waiting.filter(state_at__lte=early).order_by("state_at", "id")
    with subjects.among(whose.clients_waiting(TIMED, since_before=early)):
        over_time = [one for one in candidates if _looks_over(one, at, days_off)][:limit]
    walked = 0
    for pk, client_id in [(one.pk, one.client_id) for one in over_time]:
        try:
            with subjects.of(client_id), transaction.atomic():
                locked = waiting.select_for_update(of=("self",), no_key=True, skip_locked=True)
                referral = locked.filter(pk=pk).first()
                over = _time_is_up(referral, at, days_off) if referral else None
                if referral is None or over is None or over.verb is None:
                    continue
                if over.wait is Wait.CONSENT and referral.consent is not None:
                    consents.lapse(actor=SYSTEM, consent_id=referral.consent.pk, at=at)
                    reminders.consent_changed(referral.consent, at=at)
                _walk(SYSTEM, referral, over.verb, at)
                walked += 1
        except Exception:
            log.exception("referral.time_out_failed", referral=pk)
    return walked


def end_again(facts: Mapping[str, Any], *, at: datetime) -> str:
    """Bring about once more what the journal tells of a referral; answers what was done.

    For a database that does not know of it: the referral takes the state it had. Its reason is
    not in the journal. Must run inside a transaction.
    """
    rows = Referral.objects.select_for_update(no_key=True)
    referral = rows.filter(pk=facts["referral"]).first()
    if referral is None:
        return "unknown here"
    source, target = State(referral.state), State(facts["state"])
    if source is target or (source in states.TERMINAL and source not in _SEEN):
        return "ended already"
    referral.state, referral.state_at = target, at
    if target in states.TERMINAL:
        referral.closed_at = at
    referral.save(update_fields=["state", "state_at", "closed_at"])
    ReferralEvent.objects.create(
        referral=referral,
        verb=facts["verb"],
        source=source,
        target=target,
        party=facts["party"],
        by=User.objects.filter(pk=facts["by"]).first(),
        at=at,
    )
    audit.record(
        SYSTEM.through(Channel.COMMAND),
        "referral.ended_again",
        referral,
        at=at,
        facts={"from": str(source), "to": str(target)},
    )
    return "ended"


DaysOff = Callable[[str], Container[date]]


def _looks_over(referral: Referral, at: datetime, days_off: DaysOff) -> bool:
    """Whether it is worth a lock; one that cannot be told is tried, and reported, on its own."""
    try:
        return _time_is_up(referral, at, days_off) is not None
    except Exception:
        return True


def _time_is_up(referral: Referral, at: datetime, days_off: DaysOff) -> Timeout | None:
    urgent = referral.priority == Referral.Priority.URGENT
    for wait in waits_of(State(referral.state), Kind(referral.kind)):
        if wait.limit is None or wait.verb is None:
            continue
        zone, place = _waited_for(wait.wait, referral)
        ends = wait.limit.span(urgent=urgent).after(referral.state_at, zone, days_off(place))
        if ends <= at:
            return wait
    return None


def _waited_for(wait: Wait, referral: Referral) -> tuple[str, str]:
    """Zone and state of whoever is waited for."""
    if wait is Wait.CONSENT:
        return referral.client.time_zone, referral.client.state
    side = referral.sender if wait is Wait.INFORMATION else referral.recipient
    return side.practice.time_zone, side.practice.state


def _step(
    actor: Actor,
    referral_id: UUID,
    verb: Verb,
    at: datetime | None,
    *,
    reason: tuple[str, str] = ("", ""),
    guard: Guard | None = None,
    after: Callable[[Referral, datetime], None] | None = None,
) -> Referral:
    """One verb from lock to record."""
    at = at or timezone.now()
    with (
        subjects.among(whose.clients_behind(referrals=[referral_id])),
        transaction.atomic(),
    ):
        if verb is Verb.ENTER_IN_ERROR and Role.ADMIN in actor.roles:
            referral = access.referral_for(SYSTEM, referral_id, lock=True, at=at)
        else:
            referral = access.referral_for(actor, referral_id, lock=True, at=at)
        return _walk(actor, referral, verb, at, reason=reason, guard=guard, after=after)


def _walk(
    actor: Actor,
    referral: Referral,
    verb: Verb,
    at: datetime,
    *,
    reason: tuple[str, str] = ("", ""),
    guard: Guard | None = None,
    after: Callable[[Referral, datetime], None] | None = None,
) -> Referral:
    """Take one edge of the table with a locked row. The only writer of `Referral.state`."""
    parties = access.parties(actor, referral, at)
    if verb is Verb.ENTER_IN_ERROR and Role.ADMIN in actor.roles:
        parties |= {Party.ADMIN}
    source = State(referral.state)
    edge = states.edge(source=source, party=parties, verb=verb)
    code, text = _reason(edge, *reason)
    if guard is not None:
        guard(referral, edge, at)
    referral.state = edge.target
    if verb is not Verb.VIEW:  # opening it does not restart the wait for an answer
        referral.state_at = at
    if edge.target is State.SENT:
        referral.sent_at = at
    if source in states.RECIPIENT_SEES_ENVELOPE and verb in (Verb.ACCEPT, Verb.DECLINE):
        referral.answered_at = at
    if edge.target in states.TERMINAL:
        referral.closed_at = at
    if source in _SEEN and edge.target not in _SEEN and not actor.is_system:
        # Time ends by itself again what it ended before; what people end is noted outside too.
        facts = {"referral": str(referral.pk), "verb": str(verb), "state": str(edge.target)}
        by = {"by": str(actor.user_id), "party": str(min(edge.parties & parties))}
        journal.write("referral.ended", facts | by, at=at)
    referral.save()
    ReferralEvent.objects.create(
        referral=referral,
        verb=verb,
        source=source,
        target=edge.target,
        party=min(edge.parties & parties),
        by_id=actor.user_id,
        at=at,
        reason_code=code,
        reason_text=text,
    )
    if edge.target in states.TERMINAL and source is not State.DRAFT:
        _end_sharing(referral, at)
    if after is not None:
        after(referral, at)
    reminders.referral_walked(referral, edge, at=at)
    audit.record(
        actor,
        f"referral.{verb}",
        referral,
        at=at,
        facts={"from": str(source), "to": str(edge.target)},
    )
    return referral


def _end_sharing(referral: Referral, at: datetime) -> None:
    """What the client shares "until training ends" ends with the last handoff between the same
    three, in the same transaction."""
    others = Referral.objects.filter(
        client_id=referral.client_id,
        sender_id=referral.sender_id,
        recipient_id=referral.recipient_id,
    ).exclude(state__in=[*states.TERMINAL, State.DRAFT])
    if others.exclude(pk=referral.pk).exists():
        return
    ended = consents.end_with_training(
        client_id=referral.client_id,
        discloser_id=referral.sender_id,
        recipient_id=referral.recipient_id,
        at=at,
    )
    for consent in Consent.objects.filter(pk__in=ended):
        reminders.consent_changed(consent, at=at)
        audit.record(SYSTEM, "consent.ended", consent, at=at)


def _reason(edge: Edge, code: str, text: str) -> tuple[str, str]:
    """The reason to store with an edge: the step's own, or one picked from its list."""
    if edge.fixed_reason:
        return edge.fixed_reason, ""
    if not edge.needs_reason:
        return "", ""
    choices = REASONS[edge.target]
    if code not in choices.values:
        raise Invalid({"reason_code": ["Choose a reason."]})
    if len(text) > 500:
        raise Invalid({"reason_text": ["Keep it under 500 characters."]})
    return code, text.strip()


def _require_ready(referral: Referral, at: datetime) -> None:
    licensing.require_acceptor(referral.recipient, at=at, state=licence_place(referral))
    if referral.kind == Kind.REFER_OUT:
        known = referral.client.episodes.filter(pt=referral.recipient_id).exists()
        if not (known or referral.recipient.accepts_referrals):
            raise NotAllowed("This therapist takes no new clients at the moment.")
        return
    note = DischargeNote.objects.filter(episode=referral.episode, signed_at__isnull=False).first()
    if note is None:
        raise NotAllowed("Sign the discharge note first.")
    referral.note = note
    no_room = directory.against_room(referral.recipient)
    if no_room and referral.kind == Kind.DISCHARGE_HANDOFF:
        raise NotAllowed(no_room)


def _go_out(
    actor: Actor, referral: Referral, verb: Verb, pausing: Iterable[Referral], at: datetime
) -> Referral:
    """It goes out; the training a referral back to therapy comes from waits for the therapist."""
    sent = _walk(actor, referral, verb, at)
    for each in pausing:
        by = actor if each.recipient_id in actor.professional_ids else SYSTEM
        _walk(by, each, Verb.HOLD, at, reason=(HoldReason.WAITING_FOR_PT, ""))
    return sent


def _others_asked(referral: Referral) -> QuerySet[Referral]:
    """What a new ask closes: the earlier ones that nobody has accepted, of the same episode, or by
    the same trainer for the same client."""
    others = Referral.objects.select_for_update(of=("self",), no_key=True).filter(
        client=referral.client_id,
        sender=referral.sender_id,
        episode=referral.episode_id,
        kind=referral.kind,
        state__in=[State.AWAITING_CONSENT, *states.RECIPIENT_SEES_ENVELOPE],
    )
    return others.exclude(pk=referral.pk)


def _replace_training(referral: Referral, at: datetime) -> None:
    """An accepted return takes the place of what was open between the same three before it. What
    is shared goes on: the return is open."""
    if referral.kind != Kind.RETURN_TO_TRAINING:
        return
    others = Referral.objects.select_for_update(of=("self",), no_key=True).filter(
        client=referral.client_id,
        sender=referral.sender_id,
        recipient=referral.recipient_id,
        kind__in=TO_TRAINING,
        state__in=sorted(states.OPEN - {State.DRAFT}),
        created_at__lte=referral.created_at,
    )
    _supersede(_taken_back(others.exclude(pk=referral.pk), at), at)


def _taken_back(others: QuerySet[Referral], at: datetime) -> list[Referral]:
    """These referrals, locked, with their open questions to the client taken back."""
    found = list(others.select_related(*_WITH_ENDS).order_by("id"))
    for other in found:
        if other.consent is not None:
            consents.withdraw_question(actor=SYSTEM, consent_id=other.consent.pk, at=at)
            reminders.consent_changed(other.consent, at=at)
    return found


def _supersede(others: Iterable[Referral], at: datetime) -> None:
    for other in others:
        _walk(SYSTEM, other, Verb.SUPERSEDE, at)


def _live(referral: Referral, at: datetime) -> Standing | None:
    """The active consent this referral can go out under, or None.

    What a trainer tells a therapist may flow back under what that therapist shares with them,
    where they took the client on from just that therapist.
    """
    ends = referral.sender_id, referral.recipient_id
    ways = [ends]
    if referral.kind == Kind.REFER_OUT and took_on(
        referral.client_id, referral.sender_id, referral.recipient_id
    ):
        ways.append((ends[1], ends[0]))
    for discloser, recipient in ways:
        rows = Consent.objects.filter(
            client_id=referral.client_id, discloser_id=discloser, recipient_id=recipient
        )
        for standing in consents.standings(rows, at).values():
            least = MINIMUM_SHARED[Kind(referral.kind)]
            if standing.state is ConsentState.ACTIVE and least in standing.classes:
                return standing
    return None


def _from_therapist(
    actor: Actor,
    wanted: Referral,
    client_id: UUID,
    episode_id: UUID | None,
    recipient_id: UUID | None,
) -> None:
    """Both ends of a referral from an episode of care to a trainer."""
    if episode_id is None:
        raise Invalid({"episode": ["Say which therapy it comes from."]})
    episode = access.episode_for(actor, episode_id, lock=True)
    if episode.client_id != client_id:
        raise NotVisible
    require_kept(episode.client)
    wanted.client, wanted.episode, wanted.sender = episode.client, episode, episode.pt
    wanted.recipient = _recipient(recipient_id)


def _from_trainer(
    actor: Actor,
    wanted: Referral,
    client_id: UUID,
    episode_id: UUID | None,
    recipient_id: UUID | None,
    at: datetime,
) -> None:
    """Both ends of a referral from a trainer, who took the client on, back to a therapist."""
    wanted.client = access.client_for(actor, client_id, at=at)
    require_kept(wanted.client)
    if Role.TRAINER not in actor.roles:
        raise NotAllowed("Only a trainer refers a client back to therapy.")
    wanted.sender = professional_of(actor, Role.TRAINER)
    taken = Referral.objects.filter(
        client=wanted.client, recipient=wanted.sender, state__in=list(states.RECIPIENT_MAY_READ)
    )
    newest = taken.select_related("sender__user", "sender__practice").order_by("-sent_at", "-id")
    if not newest:
        raise NotAllowed("Take the client on first.")
    if episode_id is not None:
        raise Invalid({"episode": ["A trainer knows of no therapy: leave it out."]})
    if wanted.goal:
        raise Invalid({"goal": ["Write what you saw among the facts."]})
    wanted.recipient = _therapist(recipient_id or newest[0].sender_id)
    _check_two_people(wanted.sender, wanted.recipient)
    against = licensing.ability(wanted.recipient, at, state=wanted.client.state).against_accepting
    if against:
        raise Invalid({"recipient": list(against)})


def _require_return(actor: Actor, wanted: Referral, previous_id: UUID | None, at: datetime) -> None:
    """What a return to training needs beyond a handoff: a trainer who knows the client, and the
    referral it answers to be one of theirs that the therapist took on."""
    _require_known(wanted.client_id, wanted.recipient)
    _check_two_people(wanted.sender, wanted.recipient)
    if previous_id is None:
        return
    answered = access.referrals_visible_to(actor, at).filter(
        pk=previous_id,
        kind=Kind.REFER_OUT,
        client=wanted.client_id,
        sender=wanted.recipient_id,
        recipient=wanted.sender_id,
        state__in=[*states.RECIPIENT_MAY_READ, State.FAILED],
    )
    wanted.previous = answered.first()
    if wanted.previous is None:
        raise Invalid({"previous": ["Choose a referral of this trainer that you accepted."]})


def _require_known(client_id: UUID, trainer: Professional) -> None:
    if not took_on(client_id, trainer.pk):
        raise Invalid({"recipient": ["Choose a trainer who had taken this client on before."]})


def took_on(client_id: UUID, trainer_id: UUID, sender_id: UUID | None = None) -> bool:
    """Whether a trainer took the client on, from that sender where one is given."""
    rows = Referral.objects.filter(
        client_id=client_id, recipient_id=trainer_id, state__in=list(states.RECIPIENT_MAY_READ)
    )
    return (rows if sender_id is None else rows.filter(sender_id=sender_id)).exists()


def _check_two_people(sender: Professional, recipient: Professional) -> None:
    if sender.user_id == recipient.user_id:
        raise Invalid({"recipient": ["Choose somebody else: this is yourself."]})


def _therapist(pk: UUID) -> Professional:
    therapist = (
        Professional.objects.select_related("user", "practice")
        .filter(pk=pk, role=Professional.Role.PT)
        .first()
    )
    if therapist is None or not therapist.is_current:
        raise Invalid({"recipient": ["Choose a physical therapist from the list."]})
    return therapist


def _recipient(pk: UUID | None) -> Professional:
    trainers = Professional.objects.select_related("user", "practice").filter(
        role=Professional.Role.TRAINER
    )
    recipient = None if pk is None else trainers.filter(pk=pk).first()
    if recipient is None or not recipient.is_current:
        raise Invalid({"recipient": ["Choose a trainer from the list."]})
    return recipient


def _check_window(start_from: date | None, start_until: date | None) -> None:
    if start_from and start_until and start_until < start_from:
        raise Invalid({"start_until": ["The last day cannot be before the first."]})


def _create(referral: Referral) -> Referral:
    try:
        with transaction.atomic():
            referral.save(force_insert=True)
    except IntegrityError:
        raise Invalid(
            {"recipient": [f"{_OPEN[Kind(referral.kind)]} is already open for this client."]}
        ) from None
    return referral


def _post(actor: Actor, text: str, referral: Referral, at: datetime) -> None:
    if not text.strip():
        raise Invalid({"text": ["Write your message."]})
    if len(text) > 2000:
        raise Invalid({"text": ["Keep the message under 2,000 characters."]})
    ReferralMessage.objects.create(
        referral=referral, author=_side(actor, referral), text=text.strip(), sent_at=at
    )


def _write_report(
    actor: Actor,
    kind: LoopReport.Kind,
    observations: str,
    sessions_held: int | None,
    referral: Referral,
    at: datetime,
) -> None:
    if not observations.strip():
        raise Invalid({"observations": ["Write what you saw; the sender waits for it."]})
    if len(observations) > 4000:
        raise Invalid({"observations": ["Keep the report under 4,000 characters."]})
    if sessions_held is not None and not 0 <= sessions_held <= 500:
        raise Invalid({"sessions_held": ["Enter how many sessions took place, 0 to 500."]})
    LoopReport.objects.create(
        referral=referral,
        kind=kind,
        author=_side(actor, referral),
        observations=observations.strip(),
        sessions_held=sessions_held,
        sent_at=at,
    )


def _side(actor: Actor, referral: Referral) -> Professional:
    """The professional row with which the actor stands in this referral."""
    if referral.recipient_id in actor.professional_ids:
        return referral.recipient
    return referral.sender
