"""Which rows a person may know of. The only way to fetch one for somebody; raises NotVisible.

Rows, not content: what may be read of a client is `referrals.disclosure`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from clients import access, consent
from clients.models import Client, Professional
from clients.scopes import Scope
from handoff.core.actors import Actor, Role
from handoff.core.errors import NotVisible
from referrals.models import DischargeNote, Episode, Referral, Restriction
from referrals.permits import Grant, Grounds, Permit, permit
from referrals.states import (
    RECIPIENT_MAY_READ,
    RECIPIENT_SEES_ENVELOPE,
    WAITING_ON,
    Party,
    State,
)

Row = TypeVar("Row", bound=Model)

HIDDEN_FROM_RECIPIENT = (
    State.DRAFT,
    State.AWAITING_CONSENT,
    State.DISCARDED,
    State.ENTERED_IN_ERROR,
)
HIDDEN_FROM_CLIENT = (State.DRAFT, State.DISCARDED, State.ENTERED_IN_ERROR)


def treating_ids(actor: Actor) -> frozenset[UUID]:
    """The therapists on whose side of the treatment the actor stands.

    A therapist: themselves. An assistant: the therapists of the same practice.
    """
    ids = {pk for role, pk in actor.professionals if role == Role.PT}
    assistants = [pk for role, pk in actor.professionals if role == Role.PTA]
    if assistants:
        practices = Professional.objects.filter(pk__in=assistants).values("practice_id")
        ids.update(
            Professional.objects.filter(
                practice_id__in=practices, role=Professional.Role.PT, left_at__isnull=True
            ).values_list("pk", flat=True)
        )
    return frozenset(ids)


def episodes_visible_to(actor: Actor) -> QuerySet[Episode]:
    """Episodes the actor treats, or helps to treat."""
    return Episode.objects.filter(pt_id__in=treating_ids(actor))


def episode_for(actor: Actor, pk: UUID, *, lock: bool = False) -> Episode:
    """An episode on the treating side. Raises NotVisible for everybody else."""
    rows = episodes_visible_to(actor).select_related("client", "pt__user", "pt__practice")
    return _one(rows, pk, lock=lock)


def episode_with(actor: Actor, restriction_id: UUID) -> Episode:
    """The episode of a restriction on the treating side. Raises NotVisible for everybody else."""
    rows = episodes_visible_to(actor).select_related("client", "pt__user", "pt__practice")
    row = rows.filter(restrictions__pk=restriction_id).first()
    if row is None:
        raise NotVisible
    return row


def note_for(actor: Actor, pk: UUID, *, lock: bool = False) -> DischargeNote:
    """A discharge note on the treating side. Raises NotVisible for everybody else."""
    rows = DischargeNote.objects.filter(episode__pt_id__in=treating_ids(actor)).select_related(
        "episode__client", "episode__pt__user", "episode__pt__practice"
    )
    return _one(rows, pk, lock=lock)


def clients_of(actor: Actor) -> QuerySet[Client]:
    """The caseload: clients the actor treats, helps to treat, or invited."""
    ids = treating_ids(actor)
    return Client.objects.filter(
        access.brought_in_by(ids) & Q(erased_at=None)
        | Q(pk__in=Episode.objects.filter(pt_id__in=ids).values("client"))
    ).filter(merged_into__isnull=True)


def clients_visible_to(actor: Actor, at: datetime | None = None) -> QuerySet[Client]:
    """Clients `client_for` would find: own, on the caseload, or taken on as a recipient."""
    own = [client.pk for client in access.own_clients(actor, at)]
    taken_on = Referral.objects.filter(
        recipient_id__in=actor.professional_ids,
        state__in=list(RECIPIENT_MAY_READ),
        client__erased_at=None,
    )
    return Client.objects.filter(
        Q(pk__in=own)
        | Q(pk__in=taken_on.values("client"))
        | Q(pk__in=clients_of(actor).values("pk"))
    ).filter(merged_into__isnull=True)


def grounds_for(actor: Actor, client: Client, at: datetime) -> Grounds:
    """What connects the actor with the client at this moment, read from the database.

    Of an erased client the record is kept for those who treated them, as the law asks, and for
    nobody else.
    """
    own = {each.pk for each in access.own_clients(actor, at)}
    is_self = actor.user_id is not None and client.user_id == actor.user_id
    own_ids = frozenset(actor.professional_ids)
    treating = treating_ids(actor)
    treats_as = frozenset(
        Episode.objects.filter(client=client, pt_id__in=treating).values_list("pt_id", flat=True)
    )
    if client.erased_at is not None:
        return Grounds(treats_as=treats_as)
    # Whoever brought the client in, also with a draft that turned out to be this client's.
    treats_as |= treating & set(
        Client.objects.filter(Q(pk=client.pk) | Q(merged_into=client)).values_list(
            "created_by_id", flat=True
        )
    )
    sides = own_ids | treats_as
    accepted = frozenset(
        Referral.objects.filter(client=client, state__in=list(RECIPIENT_MAY_READ))
        .filter(Q(recipient_id__in=sides) | Q(sender_id__in=sides))
        .values_list("sender_id", "recipient_id")
    )
    live = consent.live(client_id=client.pk, at=at)
    grants = tuple(
        Grant(
            each.consent_id,
            each.discloser_id,
            each.recipient_id,
            each.classes,
            reported_by_discloser=each.by_trainer,
        )
        for each in live
        if each.recipient_id in sides or each.discloser_id in sides
    )
    return Grounds(
        is_self=is_self,
        is_guardian=not is_self and client.pk in own,
        own_ids=own_ids,
        treats_as=treats_as,
        accepted_from=accepted,
        grants=grants,
    )


def permit_for(actor: Actor, client: Client, at: datetime) -> Permit:
    """What the actor may read of the client at this moment."""
    return permit(grounds_for(actor, client, at))


def client_for(actor: Actor, pk: UUID, *, at: datetime | None = None) -> Client:
    """A client the actor is, acts for, treats or took on. Raises NotVisible for any other."""
    client = Client.objects.filter(pk=pk, merged_into__isnull=True).first()
    if client is None or permit_for(actor, client, at or timezone.now()).is_empty:
        raise NotVisible
    return client


def referrals_visible_to(actor: Actor, at: datetime | None = None) -> QuerySet[Referral]:
    """Referrals the actor sent, received, or that concern a client they are or act for."""
    if actor.user_id is None:
        return Referral.objects.none()
    own = [client.pk for client in access.own_clients(actor, at)]
    sends = treating_ids(actor) | frozenset(actor.professional_ids)
    kept = Q(client__erased_at=None) | Q(sender_id__in=treating_ids(actor))
    return Referral.objects.filter(kept).filter(
        Q(sender_id__in=sends)
        | Q(recipient_id__in=actor.professional_ids, sent_at__isnull=False)
        & ~Q(state__in=HIDDEN_FROM_RECIPIENT)
        | Q(client_id__in=own) & ~Q(state__in=HIDDEN_FROM_CLIENT)
    )


def waiting_for(actor: Actor, rows: QuerySet[Referral]) -> QuerySet[Referral]:
    """Those of `rows` in which it is the actor's turn."""
    turn = {
        party: [state for state, waits_for in WAITING_ON.items() if waits_for is party]
        for party in (Party.SENDER, Party.RECIPIENT)
    }
    ids = actor.professional_ids
    return rows.filter(
        Q(sender_id__in=ids, state__in=turn[Party.SENDER])
        | Q(recipient_id__in=ids, state__in=turn[Party.RECIPIENT])
    )


def referral_for(
    actor: Actor, pk: UUID, *, lock: bool = False, at: datetime | None = None
) -> Referral:
    """A referral the actor may know of, locked when a verb asks for it. Raises NotVisible."""
    rows = Referral.objects.all() if actor.is_system else referrals_visible_to(actor, at)
    rows = rows.select_related(
        "client", "sender__user", "sender__practice", "recipient__user", "recipient__practice"
    )
    return _one(rows, pk, lock=lock)


def parties(actor: Actor, referral: Referral, at: datetime | None = None) -> frozenset[Party]:
    """In which capacities the actor stands towards a referral; empty for none."""
    if actor.is_system:
        return frozenset({Party.SYSTEM})
    found = set()
    if referral.sender_id in actor.professional_ids:
        found.add(Party.SENDER)
    if referral.recipient_id in actor.professional_ids:
        found.add(Party.RECIPIENT)
    if any(client.pk == referral.client_id for client in access.own_clients(actor, at)):
        found.add(Party.CLIENT)
    return frozenset(found)


def recipient_may_see_envelope(actor: Actor, referral: Referral) -> bool:
    """Whether the actor is the recipient of a referral that waits for their answer."""
    return (
        referral.recipient_id in actor.professional_ids
        and referral.state in RECIPIENT_SEES_ENVELOPE
    )


def restriction_for(
    actor: Actor, pk: UUID, *, lock: bool = False, at: datetime | None = None
) -> Restriction:
    """A restriction the actor set, or may read now as a recipient. Raises NotVisible."""
    rows = Restriction.objects.select_related(
        "episode__client", "episode__pt__user", "episode__pt__practice"
    )
    restriction = _one(rows, pk, lock=lock)
    allowed = permit_for(actor, restriction.episode.client, at or timezone.now())
    if allowed.everything or restriction.episode.pt_id in sources(allowed, Scope.RESTRICTIONS):
        return restriction
    raise NotVisible


def sources(allowed: Permit, scope: Scope) -> Iterable[UUID]:
    """The professionals whose content of `scope` is covered by a permit."""
    return allowed.sources.get(scope, frozenset())


def _one(rows: QuerySet[Row], pk: UUID, *, lock: bool) -> Row:
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    row = rows.filter(pk=pk).first()
    if row is None:
        raise NotVisible
    return row
