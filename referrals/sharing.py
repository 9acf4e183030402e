"""What follows when somebody asks for, gives, narrows or ends consent.

Each verb is the ledger's own (`clients.consent`) plus its consequences for referrals that wait
and for reminders, in one transaction. Pages and API call these.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from clients import access as people
from clients import consent as consents
from clients.consent import ConsentState, Standing
from clients.models import Client, Consent, Professional, User
from clients.scopes import Scope
from handoff.core import audit
from handoff.core.actors import SYSTEM, Actor
from handoff.core.errors import Invalid, NotVisible
from referrals import access, asking, lifecycle, reminders
from referrals.models import Referral
from referrals.states import RECIPIENT_MAY_READ, TERMINAL, Kind, State

log = structlog.get_logger(__name__)


def ask(
    *,
    actor: Actor,
    client_id: UUID,
    discloser_id: UUID,
    recipient_id: UUID,
    purpose: str,
    classes: Iterable[Scope],
    at: datetime | None = None,
) -> Consent:
    """Put a question to the client; the client may also put it to themselves, to share more.

    It takes the place of an open question between the same three, and a handoff that waited for
    that one waits for this. What is shared between them already is asked for as well when a
    professional asks: the answer replaces it. Raises NotVisible where the actor does not know the
    client or one side is unknown, NotAllowed beyond what one professional may ask
    (`referrals.asking`).
    """
    at = at or timezone.now()
    wanted = frozenset(classes)
    client = access.client_for(actor, client_id, at=at)
    people.require_kept(client)
    sides = {
        each.pk: each
        for each in Professional.objects.select_related("user", "practice").filter(
            pk__in=[discloser_id, recipient_id], left_at__isnull=True
        )
    }
    if discloser_id not in sides or recipient_id not in sides or discloser_id == recipient_id:
        raise NotVisible
    if not readable_pair(client_id, sides[discloser_id], sides[recipient_id]):
        raise NotVisible
    own = people.is_own(actor, client, at)
    if not own and actor.user_id not in {each.user_id for each in sides.values()}:
        # Before anything is said about what these two share already.
        raise NotVisible
    with transaction.atomic():
        between = Q(client=client_id, sender=discloser_id, recipient=recipient_id)
        waiting = _waiting(between)
        if not own:
            shared = _require_may_ask(actor, client_id, discloser_id, recipient_id, wanted, at)
            wanted |= shared
        consent = consents.ask(
            actor=actor,
            client=client,
            discloser=sides[discloser_id],
            recipient=sides[recipient_id],
            purpose=purpose,
            classes=wanted,
            at=at,
        )
        for referral in waiting:
            referral.consent = consent
            referral.save(update_fields=["consent"])
        if waiting or actor.user_id != client.user_id:
            reminders.consent_changed(consent, at=at)
        audit.record(actor, "consent.asked", consent, at=at)
    return consent


def grant(
    *,
    actor: Actor,
    consent_id: UUID,
    classes: Iterable[Scope],
    expires_on: date,
    until_training_ends: bool = False,
    knows_objection: bool = False,
    at: datetime | None = None,
) -> Consent:
    """Agree; a handoff that waited for this goes out at once.

    Raises Invalid on `until_training_ends` when no handoff between the same three is under way,
    and on `knows_objection` when a guardian agrees and the client has objected: they must say that
    they know.
    """
    at = at or timezone.now()
    with transaction.atomic():
        known = consent_for(actor, consent_id, at=at)
        if until_training_ends and not _training_goes_on(known):
            raise Invalid({"until_training_ends": ["No training is under way. Choose a day."]})
        waiting = _waiting(Q(consent=consent_id))
        consent = consents.grant(
            actor=actor,
            consent_id=consent_id,
            classes=classes,
            expires_on=expires_on,
            until_training_ends=until_training_ends,
            at=at,
        )
        if (
            not knows_objection
            and consent.client.user_id != actor.user_id
            and consents.objections(consent)
        ):
            raise Invalid({"knows_objection": ["Tick that you know of the objection."]})
        for referral in waiting:
            lifecycle.consent_given(referral=referral, at=at)
        reminders.consent_changed(consent, at=at)
        audit.record(actor, "consent.granted", consent, at=at)
    return consent


def decline(*, actor: Actor, consent_id: UUID, at: datetime | None = None) -> Consent:
    """Say no; a handoff that waited for this is closed, and nobody is told why."""
    at = at or timezone.now()
    with transaction.atomic():
        consent_for(actor, consent_id, at=at)
        waiting = _waiting(Q(consent=consent_id))
        consent = consents.decline(actor=actor, consent_id=consent_id, at=at)
        for referral in waiting:
            lifecycle.consent_refused(referral=referral, at=at)
        reminders.consent_changed(consent, at=at)
        audit.record(actor, "consent.declined", consent, at=at)
    return consent


def narrow(
    *, actor: Actor, consent_id: UUID, classes: Iterable[Scope], at: datetime | None = None
) -> Consent:
    """Share less from the next read on."""
    verb = partial(consents.narrow, classes=classes)
    return _said(verb, "consent.narrowed", actor, consent_id, at)


def revoke(*, actor: Actor, consent_id: UUID, at: datetime | None = None) -> Consent:
    """Share nothing from the next read on."""
    return _said(consents.revoke, "consent.revoked", actor, consent_id, at)


def renew(
    *, actor: Actor, consent_id: UUID, expires_on: date, at: datetime | None = None
) -> Consent:
    """Share the same until a later day; readers notice nothing."""
    verb = partial(consents.renew, expires_on=expires_on)
    return _said(verb, "consent.renewed", actor, consent_id, at)


def object_to(*, actor: Actor, consent_id: UUID, at: datetime | None = None) -> Consent:
    """A minor objects: the guardian and both sides see it; what is shared stops."""
    return _said(consents.object_to, "consent.objected", actor, consent_id, at)


def _said(
    verb: Callable[..., Consent],
    recorded: str,
    actor: Actor,
    consent_id: UUID,
    at: datetime | None,
) -> Consent:
    """A verb of the ledger that no handoff waits for: known of, said, reminded of, recorded."""
    at = at or timezone.now()
    with transaction.atomic():
        consent_for(actor, consent_id, at=at)
        consent = verb(actor=actor, consent_id=consent_id, at=at)
        reminders.consent_changed(consent, at=at)
        audit.record(actor, recorded, consent, at=at)
    return consent


def ask_anew_of_age(*, at: datetime | None = None, client: Client | None = None) -> int:
    """Ask those who came of age about what their guardians were asked or agreed; how many.

    Each in its own short transaction, so one that fails holds up no other. Safe to run from any
    number of processes, and as often as one likes.
    """
    at = at or timezone.now()
    asked = 0
    for old in consents.outgrown(at, None if client is None else [client.pk]):
        try:
            with transaction.atomic():
                waiting = _waiting(Q(consent=old.pk))
                anew = consents.ask_anew(consent=old, at=at)
                for referral in waiting if anew else ():
                    referral.consent = anew
                    referral.save(update_fields=["consent"])
                reminders.consent_changed(old, at=at)
                audit.record(SYSTEM, "consent.outgrown", old, at=at)
                if anew is not None:
                    audit.record(SYSTEM, "consent.asked", anew, at=at)
                    asked += 1
        except Exception:
            log.exception("consent.ask_anew_failed", consent=old.pk)
    return asked


def consent_for(actor: Actor, pk: UUID, *, at: datetime | None = None) -> Consent:
    """A consent question the actor may know of: the client's side, or one of its two sides; the
    recipient once they took the client on.

    Raises NotVisible for everybody else.
    """
    consent = (
        Consent.objects.select_related(
            "client",
            "discloser__user",
            "discloser__practice",
            "recipient__user",
            "recipient__practice",
        )
        .filter(pk=pk)
        .first()
    )
    if consent is None:
        raise NotVisible
    if consent.discloser_id in actor.professional_ids:
        return consent
    if consent.recipient_id in actor.professional_ids and _recipient_knows_client(consent):
        return consent
    if not people.is_own(actor, consent.client, at):
        raise NotVisible
    return consent


def consents_visible_to(actor: Actor, at: datetime | None = None) -> QuerySet[Consent]:
    """The questions `consent_for` would find, with both sides."""
    own = [client.pk for client in people.own_clients(actor, at)]
    known = Referral.objects.filter(
        client_id=OuterRef("client_id"),
        recipient_id=OuterRef("recipient_id"),
        state__in=list(RECIPIENT_MAY_READ),
        client__erased_at=None,
    )
    ids = actor.professional_ids
    return Consent.objects.filter(
        Q(client_id__in=own) | Q(discloser_id__in=ids) | Q(recipient_id__in=ids) & Exists(known)
    ).select_related(
        "client",
        "discloser__user",
        "discloser__practice",
        "recipient__user",
        "recipient__practice",
    )


def standing_of(referral: Referral, at: datetime) -> Standing | None:
    """How that stands what the client shares from the sender of a referral with its recipient.

    The consent that is active now, whichever question it answered: a client who shares again
    answers a new one. Without any, how the newest agreement ended, or how the question stands
    that went out with this referral. None when nobody was asked for this one and nothing is
    shared.
    """
    rows = Consent.objects.filter(
        client_id=referral.client_id,
        discloser_id=referral.sender_id,
        recipient_id=referral.recipient_id,
    )
    told = _telling(consents.standings(rows, at).values(), frozenset({referral.consent_id}))
    if told is None or not told.is_active:
        told = _flowing_back(referral, at) or told
    if referral.consent_id is None and told is not None and not told.is_active:
        return None
    return told


def _flowing_back(referral: Referral, at: datetime) -> Standing | None:
    """What a trainer may tell the therapist under what that therapist shares with them, where the
    referral goes from the trainer to that therapist."""
    if referral.kind != Kind.REFER_OUT:
        return None
    rows = Consent.objects.filter(
        client_id=referral.client_id,
        discloser_id=referral.recipient_id,
        recipient_id=referral.sender_id,
    )
    back = frozenset({Scope.TRAINING_FEEDBACK})
    found = (each for each in consents.standings(rows, at).values() if back <= each.classes)
    newest = max(found, key=lambda each: each.event_number, default=None)
    return None if newest is None else replace(newest, classes=back)


def standings_of(referrals: Iterable[Referral], at: datetime) -> list[tuple[Referral, Standing]]:
    """The same for several referrals of one client: one for each pair, the newest first."""
    given = list(referrals)
    own = frozenset(each.consent_id for each in given)
    by_pair = {(each.sender_id, each.recipient_id): each for each in given}
    rows = Consent.objects.filter(
        client_id__in={each.client_id for each in given},
        discloser_id__in={sender for sender, _ in by_pair},
        recipient_id__in={recipient for _, recipient in by_pair},
    )
    found: dict[tuple[UUID, UUID], list[Standing]] = {pair: [] for pair in by_pair}
    for each in consents.standings(rows, at).values():
        found.get((each.discloser_id, each.recipient_id), []).append(each)
    told = []
    for pair, referral in by_pair.items():
        standing = _telling(found[pair], own)
        if standing is None or not standing.is_active:
            standing = _flowing_back(referral, at) or standing
        if standing is not None:
            told.append((referral, standing))
    return sorted(told, key=lambda each: -each[1].event_number)


_AGREED_TO: Final = frozenset(
    {
        *(ConsentState.ACTIVE, ConsentState.NOT_YET, ConsentState.SUSPENDED),
        *(ConsentState.REVOKED, ConsentState.EXPIRED, ConsentState.SUPERSEDED),
        ConsentState.ENDED,
    }
)


def _telling(found: Iterable[Standing], own: frozenset[UUID | None]) -> Standing | None:
    """The standing that says how it is. Questions of other occasions are the client's own affair
    until they agree."""
    told = [each for each in found if each.state in _AGREED_TO or each.consent_id in own]
    return max(told, key=lambda each: (each.is_active, each.event_number), default=None)


def readable_pair(client_id: UUID, discloser: Professional, recipient: Professional) -> bool:
    """Whether the discloser holds anything of the client that this recipient could be shown: a
    therapist what they wrote, a trainer who took the client on what they tell a therapist."""
    match discloser.role:
        case Professional.Role.PT:
            return discloser.episodes.filter(client_id=client_id).exists()
        case Professional.Role.TRAINER if recipient.role == Professional.Role.PT:
            took_on = discloser.received_referrals.filter(client_id=client_id)
            return took_on.filter(state__in=list(RECIPIENT_MAY_READ)).exists()
        case _:
            return False


def _recipient_knows_client(consent: Consent) -> bool:
    """A recipient learns of a question once they took the client on: it names the client and says
    why, and before that they see the envelope only."""
    return Referral.objects.filter(
        client_id=consent.client_id,
        recipient_id=consent.recipient_id,
        state__in=list(RECIPIENT_MAY_READ),
        client__erased_at=None,
    ).exists()


def training_is_under_way(*, client_id: UUID, discloser_id: UUID, recipient_id: UUID) -> bool:
    """Whether a handoff between the three of a question is open, so that its end can be an end.
    A referral back to therapy is no training."""
    return _trainings(client_id, discloser_id, recipient_id).exists()


def _training_goes_on(consent: Consent) -> bool:
    """The same, with the handoffs locked: one that is being closed right now has ended by the
    time the lock is ours."""
    rows = _trainings(consent.client_id, consent.discloser_id, consent.recipient_id)
    locked = rows.select_for_update(of=("self",), no_key=True).order_by("id")
    return bool(list(locked))


def _trainings(client_id: UUID, discloser_id: UUID, recipient_id: UUID) -> QuerySet[Referral]:
    return Referral.objects.filter(
        client_id=client_id,
        sender_id=discloser_id,
        recipient_id=recipient_id,
        kind__in=lifecycle.TO_TRAINING,
    ).exclude(state__in=[*TERMINAL, State.DRAFT])


def _require_may_ask(
    actor: Actor,
    client_id: UUID,
    discloser_id: UUID,
    recipient_id: UUID,
    wanted: frozenset[Scope],
    at: datetime,
) -> frozenset[Scope]:
    """What is shared between the three already. Raises NotAllowed for a professional who may not
    ask for `wanted` now. Their account stays locked, so that two requests at once count as two."""
    # Clients' sides have been told apart; whoever else gets here is signed in.
    User.objects.select_for_update(no_key=True).get(pk=str(actor.user_id))
    rows = Consent.objects.filter(
        client_id=client_id, discloser_id=discloser_id, recipient_id=recipient_id
    )
    found = consents.standings(rows, at).values()
    shared = frozenset[Scope]().union(*(each.classes for each in found))
    mine = Consent.objects.filter(asked_by_id=actor.user_id)
    asking.require(
        asking.Asked(
            wanted=wanted,
            shared=shared,
            is_recipient=recipient_id in actor.professional_ids,
            question_is_open=any(each.state is ConsentState.REQUESTED for each in found),
            of_this_client=mine.filter(
                client_id=client_id, asked_at__gt=at - asking.SAME_CLIENT
            ).count(),
            of_anybody=mine.filter(asked_at__gt=at - asking.ANYBODY).count(),
        )
    )
    return shared


def _waiting(which: Q) -> list[Referral]:
    """Those of these referrals that wait for consent, locked before the ledgers are.

    Drafts are locked too: one that is being sent right now waits by the time the lock is ours. So
    is what goes on hold when one of them goes out.
    """
    rows = (
        Referral.objects.select_for_update(of=("self",), no_key=True)
        .select_related(
            "client", "sender__user", "sender__practice", "recipient__user", "recipient__practice"
        )
        .filter(which, state__in=[State.DRAFT, State.AWAITING_CONSENT])
        .order_by("id")
    )
    waiting = [row for row in rows if row.state == State.AWAITING_CONSENT]
    lifecycle.training_to_pause(waiting)
    return waiting
