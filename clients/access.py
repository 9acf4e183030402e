"""Who a signed-in person is, and which clients they are or act for."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from clients import guardians
from clients.models import Client, Guardianship, Professional, User
from handoff.core.actors import ANONYMOUS, Actor, Channel, Role
from handoff.core.errors import NotVisible, Stale


def actor_for(
    user: User | None,
    *,
    channel: Channel = Channel.PAGE,
    request_id: str = "",
    at: datetime | None = None,
) -> Actor:
    """The actor behind an account, with the roles it holds now; ANONYMOUS without an account.

    An account that is switched off holds no role at all.
    """
    if user is None or not user.is_active:
        return ANONYMOUS.through(channel)
    at = at or timezone.now()
    rows = Professional.objects.filter(user=user, left_at__isnull=True).values_list("role", "pk")
    professionals = tuple(sorted((Role(role), pk) for role, pk in rows))
    roles = {role for role, _ in professionals}
    if Client.objects.filter(user=user, merged_into__isnull=True).exists():
        roles.add(Role.CLIENT)
    if any(
        guardians.authority_stands(row, row.client, at)
        for row in Guardianship.objects.select_related("client", "user").filter(user=user)
    ):
        roles.add(Role.GUARDIAN)
    if user.is_staff:
        roles.add(Role.ADMIN)
    return Actor(
        user_id=user.pk,
        roles=frozenset(roles),
        professionals=professionals,
        name=user.name,
        channel=channel,
        request_id=request_id,
    )


def own_clients(actor: Actor, at: datetime | None = None) -> list[Client]:
    """The client this person is, then those they act for as a guardian, by name."""
    if actor.user_id is None:
        return []
    at = at or timezone.now()
    own = list(Client.objects.filter(user_id=actor.user_id, merged_into__isnull=True))
    rows = (
        Guardianship.objects.select_related("client", "user")
        .filter(user_id=actor.user_id, client__merged_into__isnull=True)
        .order_by("client__first_name", "client__id")
    )
    return own + [row.client for row in rows if guardians.authority_stands(row, row.client, at)]


def is_own(actor: Actor, client: Client, at: datetime | None = None) -> bool:
    """Whether this person is `client`, or acts for them with authority."""
    if actor.user_id is None or client.merged_into_id is not None:
        return False
    if client.user_id == actor.user_id:
        return True
    return guardians.guardianship_of(actor.user_id, client, at or timezone.now()) is not None


def own_client(actor: Actor, pk: UUID, at: datetime | None = None) -> Client:
    """The client `pk` this person is or acts for. Raises NotVisible for any other."""
    client = Client.objects.filter(pk=pk).first()
    if client is None or not is_own(actor, client, at):
        raise NotVisible
    return client


def require_kept(client: Client) -> None:
    """Raises Stale when the client's data was erased: nothing new is written about them."""
    if client.erased_at is not None:
        raise Stale("Their data was erased. The record is only kept as the law asks.")


def pending_authorities(actor: Actor) -> int:
    """For how many minors this person has asked to act and nobody has verified it yet."""
    if actor.user_id is None:
        return 0
    return Guardianship.objects.filter(
        user=actor.user_id, verified_at__isnull=True, ended_at__isnull=True
    ).count()


def brought_in_by(professional_ids: Collection[UUID]) -> Q:
    """Clients whose record these professionals made, also when it was joined with an older one."""
    joined = Client.objects.filter(
        created_by__in=professional_ids, merged_into__isnull=False
    ).values("merged_into")
    return Q(created_by__in=professional_ids) | Q(pk__in=joined)


def professional_of(actor: Actor, *roles: str) -> Professional:
    """This person's current professional row in the first of `roles` they hold.

    Raises NotVisible when they hold none of them.
    """
    ids = [pk for role, pk in actor.professionals if role in roles]
    professional = (
        Professional.objects.select_related("user", "practice")
        .filter(Q(pk__in=ids), left_at__isnull=True)
        .order_by("role")
        .first()
    )
    if professional is None:
        raise NotVisible
    return professional
