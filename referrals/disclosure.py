"""The one door through which clinical content leaves, for pages, API and print alike.

A reader gets a frozen packet built from what a permit covers at this moment, and the access
ledger gets its entry, in that order: content is gathered, then under the lock of the access chain
the permit is worked out once more, the entry is written and committed, and only then does the
caller hold something to send (`_looked`). Withdrawing consent takes the same lock, so no disclosure
can get a number after the withdrawal that forbids it. Whoever holds the lock keeps everybody else
waiting: under it stand one statement that reads and one entry, and nothing is gathered. When the
ledger cannot be written, nothing is shown.

Never call these inside an open transaction: the entry would vanish with it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from clients import access as people
from clients import guardians
from clients.models import AccessEntry, Client, Consent
from clients.scopes import Scope
from handoff.core import ledger, subjects
from handoff.core.actors import Actor, Role
from handoff.core.errors import NotAllowed, NotVisible
from referrals import access, grounds, readings, whose
from referrals.capacity import capacity
from referrals.grounds import Reading
from referrals.models import DischargeNote, Episode, ReferOutFacts, Referral, ReferralMessage
from referrals.packets import (
    Envelope,
    FactsView,
    GatesView,
    MessageView,
    Packet,
    StepView,
    Withheld,
    Workspace,
)
from referrals.permits import Grant, Grounds, Permit, Standpoint, permit
from referrals.readings import Sources
from referrals.states import (
    RECIPIENT_MAY_READ,
    RECIPIENT_SEES_ENVELOPE,
    Kind,
    Party,
    State,
    Verb,
    reason_label,
)

Action = AccessEntry.Action
STEP_WORDS = {Verb.REPORT.value: "Interim note sent", Verb.ANSWER.value: "Question answered"}
"""Steps that are told by what was done, not by the state they lead to."""
WORKED_ON: Final = tuple(scope for scope in Scope if scope is not Scope.TRAINING_FEEDBACK)
"""What the treating side works with: its own content."""
TRIES: Final = 3
"""How often content is gathered anew before the lock is kept meanwhile."""
TOO_OFTEN: Final = "This was downloaded five times within a day. Wait until tomorrow."
Part = TypeVar("Part")
Verdict = TypeVar("Verdict")


def disclose(
    *,
    actor: Actor,
    client_id: UUID,
    purpose: str,
    action: AccessEntry.Action = Action.READ,
    only: Scope | None = None,
    at: datetime | None = None,
) -> Packet:
    """The record of a client as `actor` may read it now; writes one access entry.

    With `only`, that class is read and entered and the others stay Withheld. Raises NotVisible
    where nothing connects the two; that attempt is entered as refused, and the error is the same
    as for a client who does not exist.
    """
    asked = tuple(Scope) if only is None else (only,)
    client = Client.objects.filter(pk=client_id, merged_into__isnull=True).first()
    if client is None:
        raise NotVisible

    def judge(found: Reading) -> Permit | None:
        allowed = permit(found.grounds)
        return None if allowed.is_empty else allowed

    def gather(allowed: Permit, moment: datetime) -> Packet:
        return _packet(actor, client, allowed, moment, asked=asked)

    def entry(allowed: Permit, packet: Packet) -> AccessEntry:
        withheld = tuple(scope for scope in packet.withheld if scope in asked)
        return _entry(actor, client, allowed, action, purpose, packet.shown, withheld)

    look = _looked(actor, client, at, judge=judge, gather=gather, entry=entry)
    if look is None:
        _refuse(actor, client, purpose, asked, at)
        raise NotVisible
    return look.shown


def disclose_one(
    *,
    actor: Actor,
    client: Client,
    scope: Scope,
    source_id: UUID | None,
    purpose: str,
    read: Callable[[Permit, datetime], Part],
    action: AccessEntry.Action = Action.READ,
    only_if: Callable[[Grounds], bool] = lambda _grounds: True,
    at: datetime | None = None,
) -> Part:
    """One thing of one class, held by one therapist: what `read` builds, by the same steps as
    `disclose` and with one entry for that class.

    Without a `source_id`, what any therapist holds that the permit covers. `only_if` narrows
    further, by what connects the two; it is asked before, and once more under the lock. Raises
    NotVisible where the class is not shared from that source. The attempt is entered as refused.
    """

    def judge(found: Reading) -> Permit | None:
        allowed = permit(found.grounds)
        covered = _covers(allowed, scope, source_id) and only_if(found.grounds)
        return allowed if covered else None

    def entry(allowed: Permit, _part: Part) -> AccessEntry:
        return _entry(actor, client, allowed, action, purpose, (scope,), ())

    look = _looked(actor, client, at, judge=judge, gather=read, entry=entry)
    if look is None:
        _refuse(actor, client, purpose, (scope,), at)
        raise NotVisible
    return look.shown


def disclose_whole(
    *,
    actor: Actor,
    client_id: UUID,
    most_a_day: int,
    read: Callable[[Client, Permit, datetime], Part],
    at: datetime | None = None,
) -> Part:
    """All of one's own record as a file: what `read` builds, by the same steps as `disclose`.

    For those who may read everything: the client and who acts for them. Raises NotVisible for
    everybody else (entered as refused), and NotAllowed once the actor took this record
    `most_a_day` times within a day, counted by the entries themselves, under the lock as well.
    """
    client = Client.objects.filter(pk=client_id, merged_into__isnull=True).first()
    if client is None:
        raise NotVisible

    def judge(found: Reading) -> Permit | None:
        allowed = permit(found.grounds)
        if not allowed.everything:
            return None
        _require_fewer(actor, client, most_a_day, found.at)
        return allowed

    def gather(allowed: Permit, moment: datetime) -> Part:
        return read(client, allowed, moment)

    def entry(allowed: Permit, _whole: Part) -> AccessEntry:
        return _entry(actor, client, allowed, Action.EXPORTED, "export", tuple(Scope), ())

    look = _looked(actor, client, at, judge=judge, gather=gather, entry=entry)
    if look is None:
        _refuse(actor, client, "export", tuple(Scope), at)
        raise NotVisible
    return look.shown


def preview(
    *, actor: Actor, consent_id: UUID, classes: Iterable[Scope], at: datetime | None = None
) -> Packet:
    """Exactly what the recipient of a consent would read if `classes` were agreed.

    For those who may decide about it (and a minor client, who may look). Raises NotVisible for
    everybody else. Entered as the deciding person's own reading.
    """
    moment = at or timezone.now()
    consent = _consent_of(actor, consent_id, moment)
    pair = (consent.discloser_id, consent.recipient_id)
    supposed = permit(
        Grounds(
            own_ids=frozenset({consent.recipient_id}),
            accepted_from=frozenset({pair}),
            grants=(
                Grant(
                    consent.pk,
                    *pair,
                    frozenset(Scope(each) for each in classes),
                    reported_by_discloser=consent.discloser.role == Role.TRAINER,
                ),
            ),
        )
    )
    with subjects.of(consent.client_id), transaction.atomic():
        packet = _packet(
            actor,
            consent.client,
            supposed,
            moment,
            readers=frozenset({consent.recipient_id}),
            asked_for=consent.recipient_id,
        )
    own = access.permit_for(actor, consent.client, moment)
    with transaction.atomic(durable=True):
        _entry(actor, consent.client, own, Action.READ, "preview", packet.shown, ()).append(at=at)
    return packet


def envelope(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> Envelope:
    """What the recipient sees of a referral that waits for their answer; one access entry.

    Raises NotVisible unless `actor` is that recipient and the referral waits for them.
    """
    moment = at or timezone.now()
    referral = handoff(actor=actor, referral_id=referral_id, at=moment)
    client, ends = referral.client, (referral.sender_id, referral.recipient_id)

    def judge(found: Reading) -> tuple[frozenset[Scope], Permit] | None:
        waits = found.states.get(referral.pk) in RECIPIENT_SEES_ENVELOPE
        if not waits or referral.recipient_id not in actor.professional_ids:
            return None
        return found.granted(*ends), permit(found.grounds)

    def gather(verdict: tuple[frozenset[Scope], Permit], moment: datetime) -> Envelope:
        granted, _ = verdict
        hands_over = referral.kind != Kind.REFER_OUT
        return Envelope(
            referral_id=referral.pk,
            client_display_name=display_name(referral),
            sender_name=referral.sender.name,
            sender_practice=referral.sender.practice.name,
            goal=referral.goal if granted else None,
            start_from=referral.start_from,
            start_until=referral.start_until,
            priority=referral.priority,
            kind=referral.kind,
            # From a trainer they would be the words of others; facts come after accepting.
            clearance_level=_clearance_of(referral, granted) if hands_over else None,
            has_restrictions=_has_restrictions(referral, granted, moment) if hands_over else None,
        )

    def entry(verdict: tuple[frozenset[Scope], Permit], _seen: Envelope) -> AccessEntry:
        granted, own = verdict
        told = () if referral.kind == Kind.REFER_OUT else (Scope.CLEARANCE, Scope.RESTRICTIONS)
        shown = tuple(scope for scope in told if scope in granted)
        named = referral.recipient_id
        return _entry(actor, client, own, Action.ENVELOPE, "referral", shown, (), as_=named)

    look = _looked(actor, client, at, judge=judge, gather=gather, entry=entry)
    if look is None:
        raise NotVisible
    return look.shown


def display_name(referral: Referral) -> str:
    """The client's name as the recipient may know it: shortened until they accept."""
    client = referral.client
    if referral.answered_at is not None and referral.state not in (State.DECLINED, State.EXPIRED):
        return client.name
    return f"{client.first_name} {client.last_name[:1]}.".strip()


def workspace(*, actor: Actor, episode_id: UUID, at: datetime | None = None) -> Workspace:
    """All of one episode for the treating side, drafts included; one access entry.

    Raises NotVisible for everybody who does not treat it.
    """
    moment = at or timezone.now()
    episode = treated(actor=actor, episode_id=episode_id, at=at)
    with subjects.of(episode.client_id), transaction.atomic():
        work = _work_on(episode, moment)
    own = access.permit_for(actor, episode.client, moment)
    with transaction.atomic(durable=True):
        _entry(actor, episode.client, own, Action.READ, "episode", WORKED_ON, ()).append(at=at)
    return work


def treated(*, actor: Actor, episode_id: UUID, at: datetime | None = None) -> Episode:
    """An episode on the treating side, for a page that works on it.

    Raises NotVisible for everybody else, whose try is entered as refused.
    """
    try:
        return access.episode_for(actor, episode_id)
    except NotVisible:
        _refuse_all(actor, whose.clients_behind(episodes=[episode_id]), "episode", WORKED_ON, at)
        raise


def treated_with(*, actor: Actor, restriction_id: UUID, at: datetime | None = None) -> Episode:
    """The episode of a restriction, as `treated`."""
    try:
        return access.episode_with(actor, restriction_id)
    except NotVisible:
        found = whose.clients_behind(restrictions=[restriction_id])
        _refuse_all(actor, found, "restriction", (Scope.RESTRICTIONS,), at)
        raise


def handoff(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> Referral:
    """A referral for somebody who may know of it, before anything of it is read.

    Raises NotVisible for everybody else, whose try is entered as refused.
    """
    try:
        return access.referral_for(actor, referral_id, at=at)
    except NotVisible:
        _refuse_all(actor, whose.clients_behind(referrals=[referral_id]), "referral", (), at)
        raise


def _work_on(episode: Episode, at: datetime) -> Workspace:
    today = at.astimezone(ZoneInfo(episode.pt.practice.time_zone)).date()
    note = (
        DischargeNote.objects.filter(episode=episode).prefetch_related("goals", "addenda").first()
    )
    return Workspace(
        client_id=episode.client_id,
        client_name=episode.client.name,
        client_state=episode.client.state,
        episode=readings.history_of(episode),
        episode_values=readings.stored_values(episode),
        note_id=note.pk if note else None,
        note_values=readings.stored_values(note) if note else (),
        note_revision=note.revision if note else 0,
        note_signed=readings.signed_note_of(episode) if note and note.is_signed else None,
        goals=readings.goals_of(note) if note else (),
        draft_restrictions=readings.draft_restrictions(episode, today),
        restrictions=readings.all_restrictions(episode, reader_ids=(), at=at),
        outcomes=readings.outcomes_of([episode.pk]),
        gates=next(iter(readings.gates_of([episode.pk])), None),
    )


def thread(
    *, actor: Actor, referral_id: UUID, at: datetime | None = None
) -> tuple[MessageView, ...] | None:
    """Questions and answers of a referral, oldest first; None where they are not shared.

    The two professionals of the referral read it: the sender always, the recipient while the
    referral waits for them or runs and the client shares something with them. Raises NotVisible
    for those who may not know of the referral.
    """
    referral = handoff(actor=actor, referral_id=referral_id, at=at)

    def judge(found: Reading) -> Permit | None:
        return permit(found.grounds) if _may_read_thread(actor, referral, found) else None

    def gather(_own: Permit, _moment: datetime) -> tuple[MessageView, ...]:
        rows = ReferralMessage.objects.filter(referral=referral).select_related("author__user")
        return tuple(
            MessageView(
                id=row.pk,
                author=row.author.name,
                is_mine=row.author_id in actor.professional_ids,
                text=row.text,
                sent_at=row.sent_at,
            )
            for row in rows.order_by("sent_at", "id")
        )

    def entry(own: Permit, rows: tuple[MessageView, ...]) -> AccessEntry | None:
        return _entry_at_end(actor, referral, own, "messages") if rows else None

    look = _looked(actor, referral.client, at, judge=judge, gather=gather, entry=entry)
    return look.shown if look else None


def goal_of(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> str | None:
    """What the client wants to train for, as a referral says; None where it is not shared.

    The sender and the client's side read it always, the recipient once they accepted and while
    the client shares something with them (before, it stands on the envelope). Raises NotVisible
    for those who may not know of the referral.
    """
    referral = handoff(actor=actor, referral_id=referral_id, at=at)

    def judge(found: Reading) -> Permit | None:
        return permit(found.grounds) if _may_read_goal(actor, referral, found) else None

    def gather(_own: Permit, _moment: datetime) -> str:
        return referral.goal

    def entry(own: Permit, goal: str) -> AccessEntry | None:
        return _entry_at_end(actor, referral, own, "referral") if goal else None

    look = _looked(actor, referral.client, at, judge=judge, gather=gather, entry=entry)
    return look.shown if look else None


def facts_of(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> FactsView | None:
    """What a trainer saw, as the referral to a therapist says it; None where it is not shared.

    The sender and the client's side read it always, the recipient once they accepted and while
    the client shares it with them. Raises NotVisible for those who may not know of the referral.
    """
    referral = handoff(actor=actor, referral_id=referral_id, at=at)

    def judge(found: Reading) -> Permit | None:
        allowed = permit(found.grounds)
        return allowed if _may_read_facts(actor, referral, found, allowed) else None

    def gather(_own: Permit, _moment: datetime) -> FactsView | None:
        rows = ReferOutFacts.objects.filter(referral=referral).select_related("author__user")
        row = rows.first()
        return None if row is None else readings.facts_view(row)

    def entry(own: Permit, seen: FactsView | None) -> AccessEntry | None:
        if seen is None:
            return None
        return _entry_at_end(actor, referral, own, "referral", Scope.TRAINING_FEEDBACK)

    look = _looked(actor, referral.client, at, judge=judge, gather=gather, entry=entry)
    return look.shown if look else None


def steps(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> tuple[StepView, ...]:
    """The path of a referral, oldest step first. States and reason codes only, no free text.

    A recipient's path begins when it was sent; the reason for "not shared" is nobody's to know.
    """
    referral = handoff(actor=actor, referral_id=referral_id, at=at)
    hidden: frozenset[str] = frozenset()
    if Party.SENDER not in access.parties(actor, referral, at):
        hidden = frozenset({State.DRAFT, State.AWAITING_CONSENT})
    rows = referral.events.select_related("by").order_by("id")
    return tuple(
        StepView(
            verb=row.verb,
            target=row.target,
            target_label=STEP_WORDS.get(row.verb) or str(State(row.target).label),
            at=row.at,
            by=row.by.name if row.by else "",
            reason=reason_label(row.reason_code, State(row.target)),
        )
        for row in rows
        if row.target not in hidden
    )


@dataclass(frozen=True, slots=True)
class _Look(Generic[Part]):
    """What somebody was shown, once it is entered."""

    shown: Part


def _looked(
    actor: Actor,
    client: Client,
    at: datetime | None,
    *,
    judge: Callable[[Reading], Verdict | None],
    gather: Callable[[Verdict, datetime], Part],
    entry: Callable[[Verdict, Part], AccessEntry | None],
) -> _Look[Part] | None:
    """The steps of every look; None where `judge` finds that nothing may be seen.

    `judge` says what the grounds allow, as something that can be compared; `gather` reads it;
    `entry` is what the ledger is to hold, and None where there was nothing to see. Under the lock
    the grounds are read again. When they allow something else by then, the lock is given up and
    all is gathered anew. After some tries it is gathered under the lock, so that it ends.
    """
    with subjects.of(client.pk):
        return _looked_at_one(actor, client, at, judge=judge, gather=gather, entry=entry)


def _looked_at_one(
    actor: Actor,
    client: Client,
    at: datetime | None,
    *,
    judge: Callable[[Reading], Verdict | None],
    gather: Callable[[Verdict, datetime], Part],
    entry: Callable[[Verdict, Part], AccessEntry | None],
) -> _Look[Part] | None:
    found = grounds.read(actor, client.pk, at)
    for _ in range(TRIES):
        if (verdict := judge(found)) is None:
            return None
        with transaction.atomic():  # declares the client once for all that is read
            shown = gather(verdict, found.at)
        if (row := entry(verdict, shown)) is None:
            return _Look(shown)
        with transaction.atomic(durable=True):
            subjects.set_now()
            head = ledger.lock(AccessEntry.CHAIN)
            found = grounds.read(actor, client.pk, at)
            if judge(found) == verdict:
                row.append(at=found.entered_at, head=head)
                return _Look(shown)
    with transaction.atomic(durable=True):
        subjects.set_now()
        head = ledger.lock(AccessEntry.CHAIN)
        found = grounds.read(actor, client.pk, at)
        if (verdict := judge(found)) is None:
            return None
        shown = gather(verdict, found.at)
        if (row := entry(verdict, shown)) is not None:
            row.append(at=found.entered_at, head=head)
        return _Look(shown)


def _packet(
    actor: Actor,
    client: Client,
    allowed: Permit,
    at: datetime,
    *,
    readers: frozenset[UUID] | None = None,
    asked: Iterable[Scope] = tuple(Scope),
    asked_for: UUID | None = None,
) -> Packet:
    """Gather what the permit covers, class by class; everything else is withheld. `asked_for`:
    the recipient of the question that is tried out, who has not received anything yet."""
    if readers is None:
        recipient = allowed.standpoint is Standpoint.RECIPIENT
        readers = frozenset(actor.professional_ids) if recipient else frozenset()

    def sources(scope: Scope) -> Sources:
        return None if allowed.everything else allowed.sources.get(scope, frozenset())

    def part(scope: Scope, read: Callable[[Sources], Part]) -> Part | Withheld:
        shown = scope in asked and allowed.covers(scope)
        return read(sources(scope)) if shown else Withheld(scope)

    return Packet(
        client_id=client.pk,
        client_name=client.name,
        standpoint=allowed.standpoint,
        as_of=at,
        contact=part(
            Scope.CONTACT,
            lambda ids: readings.contacts(readings.therapists_of(client, ids), at),
        ),
        clearance=part(Scope.CLEARANCE, lambda ids: readings.clearances(client, ids)),
        restrictions=part(
            Scope.RESTRICTIONS,
            lambda ids: readings.restrictions(client, ids, reader_ids=readers, at=at),
        ),
        history=part(Scope.HISTORY, lambda ids: readings.history(client, ids)),
        outcomes=part(Scope.OUTCOMES, lambda ids: readings.outcomes(client, ids)),
        gates=_gates(actor, client, allowed) if Scope.OUTCOMES in asked else _NO_GATES,
        note=part(Scope.NOTE, lambda ids: readings.notes(client, ids)),
        training_feedback=part(
            Scope.TRAINING_FEEDBACK,
            lambda ids: readings.feedback(client, ids, asked_for=asked_for),
        ),
    )


_NO_GATES: Final = Withheld(Scope.OUTCOMES)


def _gates(actor: Actor, client: Client, allowed: Permit) -> tuple[GatesView, ...] | Withheld:
    """For the client's own side and for who treats them, of their own therapies. No notice that a
    client has agreed to names gates, so no consent covers them: not for a recipient, and not for
    a therapist who receives from another one as a trainer."""
    if allowed.everything:
        return readings.gates(client, None)
    own = allowed.sources.get(Scope.OUTCOMES, frozenset()) & access.treating_ids(actor)
    return readings.gates(client, own) if own else _NO_GATES


def _consent_of(actor: Actor, consent_id: UUID, at: datetime) -> Consent:
    """A consent question as the client's side may see it. Raises NotVisible."""
    consent = Consent.objects.select_related("client", "discloser").filter(pk=consent_id).first()
    if consent is None or actor.user_id is None:
        raise NotVisible
    if consent.client.user_id != actor.user_id:
        guardians.signer_for(actor, consent.client, at)
    return consent


def _clearance_of(referral: Referral, granted: frozenset[Scope]) -> str | Withheld:
    if Scope.CLEARANCE not in granted:
        return Withheld(Scope.CLEARANCE)
    found = readings.clearances(referral.client, [referral.sender_id])
    return found[0].level_label if found else ""


def _has_restrictions(
    referral: Referral, granted: frozenset[Scope], at: datetime
) -> bool | Withheld:
    if Scope.RESTRICTIONS not in granted:
        return Withheld(Scope.RESTRICTIONS)
    view = readings.restrictions(
        referral.client, [referral.sender_id], reader_ids=(referral.recipient_id,), at=at
    )
    return bool(view.items)


def _may_read_thread(actor: Actor, referral: Referral, found: Reading) -> bool:
    if referral.sender_id in actor.professional_ids:
        return True
    if referral.recipient_id not in actor.professional_ids:
        return False
    runs = found.states.get(referral.pk) in RECIPIENT_MAY_READ | RECIPIENT_SEES_ENVELOPE
    return runs and _is_shared(referral, found)


def _require_fewer(actor: Actor, client: Client, most: int, at: datetime) -> None:
    """Raises NotAllowed when the actor took this record `most` times in the last 24 hours."""
    taken = AccessEntry.objects.filter(
        client=client,
        actor_id=actor.user_id,
        action=Action.EXPORTED,
        at__gt=at - timedelta(days=1),
    )
    if taken.count() >= most:
        raise NotAllowed(TOO_OFTEN)


def _covers(allowed: Permit, scope: Scope, source_id: UUID | None) -> bool:
    if source_id is None:
        return allowed.covers(scope)
    return allowed.everything or source_id in access.sources(allowed, scope)


def _may_read_goal(actor: Actor, referral: Referral, found: Reading) -> bool:
    sends = found.treating | frozenset(actor.professional_ids)
    if found.is_own or referral.sender_id in sends:
        return True
    return found.states.get(referral.pk) in RECIPIENT_MAY_READ and _is_shared(referral, found)


def _is_shared(referral: Referral, found: Reading) -> bool:
    """Whether the client shares anything, now, with the recipient from the sender. What a trainer
    tells may also flow back under what the therapist shares with them."""
    ends = (referral.sender_id, referral.recipient_id)
    if found.granted(*ends):
        return True
    if referral.kind != Kind.REFER_OUT:
        return False
    return Scope.TRAINING_FEEDBACK in found.granted(ends[1], ends[0])


def _may_read_facts(actor: Actor, referral: Referral, found: Reading, allowed: Permit) -> bool:
    if found.is_own or referral.sender_id in actor.professional_ids:
        return True
    if referral.recipient_id not in actor.professional_ids:
        return False
    accepted = found.states.get(referral.pk) in RECIPIENT_MAY_READ
    return accepted and referral.sender_id in access.sources(allowed, Scope.TRAINING_FEEDBACK)


def _refuse(
    actor: Actor, client: Client, purpose: str, asked: Iterable[Scope], at: datetime | None
) -> None:
    """Enter a refused attempt of somebody signed in.

    Not that of the client's own side: they read all there is for them, and an entry would tell
    them of what is not, such as a note that nobody has signed.
    """
    if actor.user_id is None or people.is_own(actor, client, at):
        return
    nothing = permit(Grounds())
    with transaction.atomic(durable=True):
        _entry(actor, client, nothing, Action.REFUSED, purpose, (), asked).append(at=at)


def _refuse_all(
    actor: Actor,
    client_ids: Iterable[UUID],
    purpose: str,
    asked: Iterable[Scope],
    at: datetime | None,
) -> None:
    """The same for whoever asked for a thing by its id; nothing where there is no such thing."""
    for client in Client.objects.filter(pk__in=client_ids):
        _refuse(actor, client, purpose, asked, at)


def _entry(
    actor: Actor,
    client: Client,
    allowed: Permit,
    action: AccessEntry.Action,
    purpose: str,
    shown: Iterable[Scope],
    withheld: Iterable[Scope],
    *,
    as_: UUID | None = None,
) -> AccessEntry:
    """`as_`: the professional row under which the actor looks, where the thing itself says it."""
    role, professional = capacity(actor, allowed, as_)
    return AccessEntry(
        client=client,
        actor_id=actor.user_id,
        actor_role=role,
        professional_id=professional,
        action=action,
        shown=list(shown),
        withheld=list(withheld),
        consent_ids=sorted(allowed.consent_ids),
        purpose=purpose,
        channel=actor.channel,
        request_id=actor.request_id,
    )


def _entry_at_end(
    actor: Actor, referral: Referral, own: Permit, purpose: str, *shown: Scope
) -> AccessEntry:
    """For what belongs to a referral: entered for the end of it at which the actor stands."""
    ends = (referral.sender_id, referral.recipient_id)
    end = next((pk for pk in ends if pk in actor.professional_ids), None)
    return _entry(actor, referral.client, own, Action.READ, purpose, shown, (), as_=end)
