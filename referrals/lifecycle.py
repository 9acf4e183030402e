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
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from clients import consent as consents
from clients import directory, licensing
from clients.access import require_kept
from clients.consent import ConsentState, Standing
from clients.models import Consent, Professional, User
from clients.scopes import SUGGESTED, Scope, notice
from handoff.core import audit, journal, subjects
from handoff.core.actors import SYSTEM, Actor, Channel, Role
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import access, readings, reminders, states, whose
from referrals.models import (
    DischargeNote,
    Holiday,
    LoopReport,
    Referral,
    ReferralEvent,
    ReferralMessage,
)
from referrals.states import REASONS, Edge, Kind, Party, State, Verb
from referrals.waits import Timeout, Wait, waits_of

log = structlog.get_logger(__name__)

LONGEST_AHEAD = timedelta(days=366)
MINIMUM_SHARED = Scope.CLEARANCE
"""Without it a handoff cannot go out: the trainer would not know that training may begin."""

_SEEN = states.RECIPIENT_MAY_READ | states.RECIPIENT_SEES_ENVELOPE

Guard = Callable[[Referral, Edge, datetime], None]


def draft(
    *,
    actor: Actor,
    client_id: UUID,
    recipient_id: UUID,
    episode_id: UUID,
    kind: str = Kind.DISCHARGE_HANDOFF,
    goal: str = "",
    start_from: date | None = None,
    start_until: date | None = None,
    priority: str = Referral.Priority.ROUTINE,
    at: datetime | None = None,
) -> Referral:
    """Begin a handoff to a trainer; nobody but the sender knows of it yet.

    The episode decides the client and the sender: `client_id` must agree with it. Raises Invalid
    naming the field for a recipient who is no current trainer, an open referral to the same
    trainer, or dates out of order.
    """
    at = at or timezone.now()
    if kind != Kind.DISCHARGE_HANDOFF:
        raise Invalid({"kind": ["Only a handoff after discharge can be started here."]})
    with transaction.atomic():
        episode = access.episode_for(actor, episode_id, lock=True)
        if episode.client_id != client_id:
            raise NotVisible
        require_kept(episode.client)
        recipient = _recipient(recipient_id)
        _check_window(start_from, start_until)
        if priority not in Referral.Priority.values:
            raise Invalid({"priority": ["Choose routine or urgent."]})
        if len(goal) > 300:
            raise Invalid({"goal": ["Keep the goal under 300 characters."]})
        referral = _create(
            Referral(
                kind=kind,
                client=episode.client,
                episode=episode,
                sender=episode.pt,
                recipient=recipient,
                goal=goal.strip(),
                start_from=start_from,
                start_until=start_until,
                priority=priority,
                created_at=at,
                state_at=at,
            )
        )
        reminders.referral_drafted(referral, at=at)
        audit.record(actor, "referral.drafted", referral, at=at)
    return referral


def send(
    *,
    actor: Actor,
    referral_id: UUID,
    classes: Iterable[Scope] = SUGGESTED,
    purpose: str = "",
    at: datetime | None = None,
) -> Referral:
    """Send the handoff, or ask the client first when they have not agreed yet.

    Needs a signed note and a recipient whose certificates are current. With an active consent
    that covers at least `clearance` it goes out; otherwise it waits, and the client is asked for
    `classes`. Open referrals of the same episode that nobody accepted yet are superseded.
    """
    at = at or timezone.now()
    with transaction.atomic():
        referral = access.referral_for(actor, referral_id, lock=True, at=at)
        parties = access.parties(actor, referral, at)
        states.edge(source=State(referral.state), party=parties, verb=Verb.SEND)
        _require_ready(referral, at)
        _supersede_others(referral, at)
        live = _live(referral, at)
        if live is not None:
            referral.consent_id = live.consent_id
            return _walk(actor, referral, Verb.SEND, at)
        if referral.state == State.AWAITING_CONSENT:
            raise NotAllowed("The client has not agreed yet.")
        question = consents.ask(
            actor=actor,
            client=referral.client,
            discloser=referral.sender,
            recipient=referral.recipient,
            purpose=purpose or notice().purpose,
            classes=classes,
            at=at,
        )
        referral.consent = question
        urgent = referral.priority == Referral.Priority.URGENT
        reminders.consent_asked(question, urgent=urgent, at=at)
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
    """The recipient takes the client on; needs current certificates (R6).

    Uses one of the places they said they have. Whoever has none left and takes one more does so.
    """

    def guard(referral: Referral, edge: Edge, now: datetime) -> None:
        licensing.require_acceptor(referral.recipient, at=now)
        Professional.objects.filter(pk=referral.recipient_id, open_places__gt=0).update(
            open_places=F("open_places") - 1
        )

    return _step(actor, referral_id, Verb.ACCEPT, at, guard=guard)


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
        recipient = _recipient(recipient_id)
        if recipient.pk == ended.recipient_id:
            raise Invalid({"recipient": ["Choose somebody else this time."]})
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
        reminders.referral_drafted(referral, at=at)
        audit.record(actor, "referral.rerouted", referral, at=at)
    return referral


def consent_given(*, referral: Referral, at: datetime) -> Referral:
    """The client agreed: send what waited for it. Called with the row locked.

    Raises Invalid on `classes` when they share less than a handoff needs.
    """
    live = _live(referral, at)
    if live is None:
        least = notice().scopes[MINIMUM_SHARED].title
        raise Invalid(
            {
                "classes": [
                    f"For the handoff, at least “{least}” must be shared. "
                    "You can also say no; that costs you nothing."
                ]
            }
        )
    return _walk(SYSTEM, referral, Verb.CONSENT_GRANTED, at)


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
    note = DischargeNote.objects.filter(episode=referral.episode, signed_at__isnull=False).first()
    if note is None:
        raise NotAllowed("Sign the discharge note first.")
    referral.note = note
    licensing.require_acceptor(referral.recipient, at=at)
    no_room = directory.against_room(referral.recipient)
    if no_room:
        raise NotAllowed(no_room)


def _supersede_others(referral: Referral, at: datetime) -> None:
    """A new ask closes the earlier ones of the same episode that nobody has accepted."""
    others = Referral.objects.select_for_update(of=("self",), no_key=True).filter(
        episode=referral.episode,
        kind=referral.kind,
        state__in=[State.AWAITING_CONSENT, *states.RECIPIENT_SEES_ENVELOPE],
    )
    rows = others.select_related("client", "sender__practice", "recipient__practice", "consent")
    for other in rows.exclude(pk=referral.pk).order_by("id"):
        if other.consent is not None:
            consents.withdraw_question(actor=SYSTEM, consent_id=other.consent.pk, at=at)
            reminders.consent_changed(other.consent, at=at)
        _walk(SYSTEM, other, Verb.SUPERSEDE, at)


def _live(referral: Referral, at: datetime) -> Standing | None:
    """The active consent this handoff can go out under, or None."""
    rows = Consent.objects.filter(
        client_id=referral.client_id,
        discloser_id=referral.sender_id,
        recipient_id=referral.recipient_id,
    )
    for standing in consents.standings(rows, at).values():
        if standing.state is ConsentState.ACTIVE and MINIMUM_SHARED in standing.classes:
            return standing
    return None


def _recipient(pk: UUID) -> Professional:
    recipient = (
        Professional.objects.select_related("user", "practice")
        .filter(pk=pk, role=Professional.Role.TRAINER)
        .first()
    )
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
            {"recipient": ["A handoff to this trainer is already open for this client."]}
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
