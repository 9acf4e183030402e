"""Whom a client would like: said by their side from the directory, read by who treats them.

A wish decides nothing: the therapist proposes, and the client is asked in the question of consent.
Nobody else learns of it, least of all the professional wished for.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from clients import directory
from clients.access import is_own, own_client, require_kept
from clients.models import Client
from handoff.core import audit
from handoff.core.actors import Actor
from handoff.core.errors import NotAllowed, NotVisible, Stale
from referrals import access
from referrals.models import Wish


def wish(
    *, actor: Actor, client_id: UUID, professional_id: UUID, at: datetime | None = None
) -> Wish:
    """For the client, or who acts for them: this one, in the place of an earlier one of the trade.

    The same wish again is the one that stands. Raises NotVisible for anybody else, and for a
    professional who is not in the directory now.
    """
    at = at or timezone.now()
    if actor.user_id is None:
        raise NotVisible
    own_client(actor, client_id, at)
    chosen = directory.listed(at).filter(pk=professional_id).first()
    if chosen is None:
        raise NotVisible
    with transaction.atomic():
        # One at a time for each client, so that of two wishes at once the later one stands.
        client = Client.objects.select_for_update(no_key=True).get(pk=client_id)
        require_kept(client)
        if chosen.user_id in (client.user_id, actor.user_id):
            raise NotAllowed("This is you.")
        before = Wish.objects.filter(client=client, role=chosen.role, taken_back_at=None).first()
        if before is not None and before.professional_id == chosen.pk:
            return before
        if before is not None:
            before.taken_back_at = at
            before.save(update_fields=["taken_back_at"])
        row = Wish.objects.create(
            client=client,
            professional=chosen,
            role=chosen.role,
            wished_by_id=actor.user_id,
            wished_at=at,
        )
        audit.record(actor, "wish.made", row, at=at)
    return row


def take_back(*, actor: Actor, wish_id: UUID, at: datetime | None = None) -> Wish:
    """The client's side wishes it no longer. Raises NotVisible for anybody else, Stale when it
    was taken back already."""
    at = at or timezone.now()
    with transaction.atomic():
        row = (
            Wish.objects.select_for_update(of=("self",), no_key=True)
            .select_related("client")
            .filter(pk=wish_id)
            .first()
        )
        if row is None or not is_own(actor, row.client, at):
            raise NotVisible
        if row.taken_back_at is not None:
            raise Stale
        row.taken_back_at = at
        row.save(update_fields=["taken_back_at"])
        audit.record(actor, "wish.taken_back", row, at=at)
    return row


def open_wishes(*, actor: Actor, client_id: UUID, at: datetime | None = None) -> list[Wish]:
    """What this client wishes now, as far as the actor may know: all for the client's side; for
    who treats them all but wishes for themselves. Raises NotVisible for everybody else."""
    at = at or timezone.now()
    client = access.client_for(actor, client_id, at=at)
    rows = _open().filter(client=client)
    if not is_own(actor, client, at):
        if not access.grounds_for(actor, client, at).treats_as:
            raise NotVisible
        rows = rows.exclude(professional__in=actor.professional_ids)
    return list(rows.order_by("role"))


def own_wishes(*, actor: Actor, clients: list[Client]) -> list[Wish]:
    """The open wishes of clients whom `actor` is or acts for, as `own_clients` found them."""
    return list(_open().filter(client__in=clients).order_by("role", "client_id"))


def _open() -> QuerySet[Wish]:
    return Wish.objects.filter(taken_back_at=None).select_related(
        "client", "professional__user", "professional__practice"
    )
