"""`clients/`: the people somebody treats, trains, is or acts for; and inviting them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from rest_framework import serializers

from clients import invitations, profile
from clients.access import own_clients
from clients.api.base import Endpoint
from clients.models import Client, Guardianship, Invitation
from clients.models.user import DEFAULT_ZONE
from clients.us_states import US_STATES
from handoff.api.operations import acts, lists, reads
from handoff.api.shapes import Body, ListQuery, Shape
from handoff.core.actors import Actor
from handoff.core.errors import NotAllowed, NotVisible
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals import access
from referrals.permits import Standpoint

STANDPOINTS = [(each.value, each.value) for each in Standpoint if each is not Standpoint.NONE]
STATES = [(state, state) for state in US_STATES]


class ClientQuery(ListQuery):
    q = serializers.CharField(
        required=False, max_length=80, help_text="Words in the name; all must occur."
    )
    standpoint = serializers.ChoiceField(
        choices=STANDPOINTS,
        required=False,
        help_text="Only those I treat (`pt`), took on (`trainer`), am or act for.",
    )


class InviteBody(Body):
    """The new client gets a link by mail. The answer never says whether the address is known."""

    first_name = serializers.CharField(max_length=80)
    last_name = serializers.CharField(max_length=80)
    birth_date = serializers.DateField()
    email = serializers.CharField(max_length=254)
    state = serializers.ChoiceField(choices=STATES, help_text="Where they live.")
    time_zone = serializers.CharField(max_length=64, required=False, default=DEFAULT_ZONE)
    phone = serializers.CharField(max_length=30, required=False, allow_blank=True, default="")
    therapist_id = serializers.UUIDField(
        required=False, help_text="For an assistant: who treats them."
    )


class OwnDataBody(Body):
    """My own details; or, before the client has come, the therapist's correction of them."""

    first_name = serializers.CharField(max_length=80, required=False)
    last_name = serializers.CharField(max_length=80, required=False)
    time_zone = serializers.CharField(
        max_length=64, required=False, help_text="The client themself only."
    )
    phone = serializers.CharField(
        max_length=30, required=False, allow_blank=True, help_text="The client themself only."
    )
    birth_date = serializers.DateField(
        required=False, help_text="The therapist only, before the client has come."
    )


class InvitationBody(Body):
    kind = serializers.ChoiceField(choices=Invitation.Kind.choices)
    email = serializers.CharField(max_length=254)
    relationship = serializers.ChoiceField(
        choices=Guardianship.Relationship.choices, required=False, help_text="For a guardian."
    )


class DetailsShape(Shape):
    """What is written down about the person. Not for recipients."""

    email = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    birth_date = serializers.DateField()
    state = serializers.CharField()
    time_zone = serializers.CharField()
    has_account = serializers.BooleanField()


class ClientShape(Shape):
    """A client I may know of. Nothing about their health: that is `record/`."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    standpoint = serializers.ChoiceField(choices=STANDPOINTS)
    details = DetailsShape(
        allow_null=True, help_text="For the client's side and the treating side; null for others."
    )


class InvitationShape(Shape):
    """A link that was sent. Its secret is in the mail only."""

    id = serializers.UUIDField()
    client = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Invitation.Kind.choices)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    used_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)


@dataclass(frozen=True, slots=True)
class Grounds:
    """Which clients of a page the actor is, acts for or treats."""

    user_id: UUID | None
    own: frozenset[UUID]
    treated: frozenset[UUID]

    def standpoint(self, client: Client) -> Standpoint:
        if client.pk in self.own:
            own = client.user_id is not None and client.user_id == self.user_id
            return Standpoint.SELF if own else Standpoint.GUARDIAN
        return Standpoint.TREATING if client.pk in self.treated else Standpoint.RECIPIENT


def grounds(actor: Actor, ids: Collection[UUID]) -> Grounds:
    own = frozenset(client.pk for client in own_clients(actor))
    treated = access.clients_of(actor).filter(pk__in=ids).values_list("pk", flat=True)
    return Grounds(actor.user_id, own, frozenset(treated))


class ClientEndpoint(Endpoint):
    def show(self, pk: str) -> dict[str, Any]:
        client = access.client_for(self.actor, UUID(pk))
        return answer(client, grounds(self.actor, [client.pk]))


class Clients(ClientEndpoint):
    policy = Policy.SIGNED_IN

    @lists(ClientShape, query=ClientQuery)
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """The clients I may know of, by name.

        For a therapist the caseload, for a trainer those taken on, for everybody their own.
        """
        at = timezone.now()
        rows = access.clients_visible_to(self.actor, at)
        match query.get("standpoint"):
            case Standpoint.SELF:
                rows = rows.filter(user_id=self.account)
            case Standpoint.GUARDIAN:
                own = [client.pk for client in own_clients(self.actor, at)]
                rows = rows.filter(pk__in=own).exclude(user_id=self.account)
            case Standpoint.TREATING:
                rows = rows.filter(pk__in=access.clients_of(self.actor).values("pk"))
            case Standpoint.RECIPIENT:
                own = [client.pk for client in own_clients(self.actor, at)]
                rows = rows.exclude(pk__in=access.clients_of(self.actor).values("pk"))
                rows = rows.exclude(pk__in=own)
        for word in query.get("q", "").split()[:6]:
            rows = rows.filter(Q(first_name__icontains=word) | Q(last_name__icontains=word))
        page = self.rows(rows, query, order=("last_name", "first_name", "id"))
        seen = grounds(self.actor, [client.pk for client in page.items])
        return Page([answer(client, seen) for client in page.items], page.next, page.previous)

    @acts(ClientShape, body=InviteBody, status=201, policy=Policy.PT, limit="invitation")
    def post(self, body: dict[str, Any]) -> UUID:
        """Add a client to the caseload and invite them by mail."""
        client, _ = invitations.invite_client(actor=self.actor, **body)
        return client.pk


class OneClient(ClientEndpoint):
    policy = Policy.SIGNED_IN

    @reads(ClientShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """A client I may know of."""
        return self.show(str(id))

    @acts(ClientShape, body=OwnDataBody, repeatable=False)
    def patch(self, body: dict[str, Any], id: UUID) -> UUID:
        """Change my own details.

        E-mail address, state and date of birth are proved elsewhere and cannot be changed here.
        Before the client has come, the therapist who invited them corrects name and date of birth.
        """
        client = access.client_for(self.actor, id)
        if client.user_id == self.account:
            profile.change(actor=self.actor, changes=body)
        elif client.pk in grounds(self.actor, [client.pk]).treated:
            _correct(self.actor, client, body)
        else:
            raise NotAllowed("These details are the client's own.")
        return client.pk


class InvitationEndpoint(Endpoint):
    """Links for one client's record."""

    def show(self, pk: str) -> dict[str, Any]:
        return _invitation(Invitation.objects.get(pk=pk, client_id=self.kwargs["id"]))


class Invitations(InvitationEndpoint):
    policy = Policy.PT

    @lists(InvitationShape)
    def get(self, query: dict[str, Any], id: UUID) -> Page[dict[str, Any]]:
        """The links that were sent for a client I brought in, newest first."""
        if not access.clients_of(self.actor).filter(pk=id).exists():
            raise NotVisible
        rows = Invitation.objects.filter(client_id=id)
        page = self.rows(rows, query, order=("-created_at", "-id"))
        return Page([_invitation(row) for row in page.items], page.next, page.previous)

    @acts(InvitationShape, body=InvitationBody, status=201, limit="invitation")
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Send a new link: to a client who has not come yet, or to a minor's guardian.

        Older unused links of the kind stop working.
        """
        if body["kind"] == Invitation.Kind.CLIENT:
            made = invitations.invite_existing_record(
                actor=self.actor, client_id=id, email=body["email"]
            )
        else:
            made = invitations.invite_guardian(
                actor=self.actor,
                client_id=id,
                email=body["email"],
                relationship=body.get("relationship", ""),
            )
        return made.pk


class CancelInvitation(InvitationEndpoint):
    policy = Policy.PT

    @acts(InvitationShape)
    def post(self, body: dict[str, Any], id: UUID, invitation: UUID) -> UUID:
        """Make an unused link stop working."""
        found = Invitation.objects.filter(pk=invitation, client_id=id).first()
        if found is None:
            raise NotVisible
        invitations.cancel(actor=self.actor, invitation_id=found.pk)
        return found.pk


def _correct(actor: Actor, client: Client, body: dict[str, Any]) -> None:
    unknown = sorted(set(body) & {"phone", "time_zone"})
    if unknown:
        raise NotAllowed("These details are the client's own.")
    born: date = body.get("birth_date", client.birth_date)
    invitations.correct_details(
        actor=actor,
        client_id=client.pk,
        first_name=body.get("first_name", client.first_name),
        last_name=body.get("last_name", client.last_name),
        birth_date=born,
    )


def answer(client: Client, seen: Grounds) -> dict[str, Any]:
    standpoint = seen.standpoint(client)
    return {
        "id": client.pk,
        "name": client.name,
        "first_name": client.first_name,
        "last_name": client.last_name,
        "standpoint": standpoint.value,
        "details": None if standpoint is Standpoint.RECIPIENT else _details(client),
    }


def _details(client: Client) -> dict[str, Any]:
    return {
        "email": client.email,
        "phone": client.phone,
        "birth_date": client.birth_date,
        "state": client.state,
        "time_zone": client.time_zone,
        "has_account": client.user_id is not None,
    }


def _invitation(row: Invitation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "client": row.client_id,
        "kind": row.kind,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "used_at": row.used_at,
        "cancelled_at": row.cancelled_at,
    }
