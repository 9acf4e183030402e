"""`me/`: who am I here, and what may I do now?"""

from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers

from clients import licensing, profile, proofs
from clients.access import own_clients
from clients.api import signing_in
from clients.api.base import Endpoint
from clients.api.people import ROLES, ClientBriefShape, PracticeShape, client_brief, practice
from clients.licensing import LICENCE_KINDS
from clients.models import Credential, Professional, User
from handoff.api.operations import acts, reads
from handoff.api.shapes import Body, Shape
from handoff.core import tokens
from handoff.core.policy import Policy
from handoff.core.tokens import ApiToken


class CredentialShape(Shape):
    """One document, verified and valid today."""

    kind = serializers.ChoiceField(choices=Credential.Kind.choices)
    title = serializers.CharField(allow_blank=True)
    state = serializers.CharField(allow_blank=True, help_text="Where it is valid; empty: anywhere.")
    expires_on = serializers.DateField(allow_null=True)


class MyWorkShape(Shape):
    """Me as one kind of professional."""

    id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=Professional.Role.choices)
    practice = PracticeShape()
    accepts_referrals = serializers.BooleanField()
    may_accept = serializers.BooleanField()
    against_accepting = serializers.ListField(
        child=serializers.CharField(), help_text="Why not, in words; empty when nothing is."
    )
    may_sign_in = serializers.ListField(
        child=serializers.CharField(), help_text="States in which a signature is good today."
    )
    credentials = CredentialShape(many=True)


class MeShape(Shape):
    """The account behind the request, with what it may do at this moment."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    time_zone = serializers.CharField()
    roles = serializers.ListField(child=serializers.ChoiceField(choices=ROLES))
    professionals = MyWorkShape(many=True)
    client = ClientBriefShape(allow_null=True, help_text="My own record, when I am a client.")
    acts_for = ClientBriefShape(many=True, help_text="Clients I am a guardian of.")


class MeBody(Body):
    """My own details."""

    first_name = serializers.CharField(max_length=80, required=False)
    last_name = serializers.CharField(max_length=80, required=False)
    time_zone = serializers.CharField(max_length=64, required=False)
    phone = serializers.CharField(
        max_length=30, required=False, allow_blank=True, help_text="Clients only."
    )


class Me(Endpoint):
    policy = Policy.SIGNED_IN
    own_account = True

    @reads(MeShape)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Who I am, my roles, and what I may do now.

        What a professional may do is worked out from credentials valid today.
        """
        return self.show(str(self.account))

    @acts(MeShape, body=MeBody, repeatable=False)
    def patch(self, body: dict[str, Any]) -> UUID:
        """Change my own name, time zone or phone.

        A client's own record changes with it.
        """
        return profile.change(actor=self.actor, changes=body).pk

    def show(self, pk: str) -> dict[str, Any]:
        at = timezone.now()
        user = User.objects.get(pk=pk)
        rows = list(
            Professional.objects.select_related("user", "practice")
            .filter(pk__in=self.actor.professional_ids)
            .order_by("role")
        )
        able = licensing.abilities(rows, at)
        clients = own_clients(self.actor, at)
        return {
            "id": user.pk,
            "email": user.email,
            "name": user.name,
            "time_zone": user.time_zone,
            "roles": sorted(self.actor.roles),
            "professionals": [_work(row, able[row.pk]) for row in rows],
            "client": next(
                (client_brief(each) for each in clients if each.user_id == user.pk), None
            ),
            "acts_for": [client_brief(each) for each in clients if each.user_id != user.pk],
        }


def _work(row: Professional, able: licensing.Ability) -> dict[str, Any]:
    signs = row.role == Professional.Role.PT
    licences = [held for held in able.valid if held.kind in LICENCE_KINDS] if signs else []
    return {
        "id": row.pk,
        "role": row.role,
        "practice": practice(row.practice),
        "accepts_referrals": row.accepts_referrals,
        "may_accept": able.may_accept,
        "against_accepting": list(able.against_accepting),
        "may_sign_in": sorted({held.state for held in licences}),
        "credentials": [
            {
                "kind": held.kind,
                "title": held.title,
                "state": held.state,
                "expires_on": held.expires_on,
            }
            for held in able.valid
        ],
    }


class ConfirmBody(Body):
    """What proves that it is you."""

    password = serializers.CharField(max_length=1000, trim_whitespace=False)
    code = serializers.CharField(
        max_length=20,
        required=False,
        allow_blank=True,
        help_text="Where the account has a second factor: of the app, or a recovery code.",
    )


class Confirm(Endpoint):
    policy = Policy.SIGNED_IN
    way_out = True

    @acts(None, body=ConfirmBody, repeatable=False, limit="token")
    def post(self, body: dict[str, Any]) -> None:
        """Prove again that it is me.

        For five minutes this token or session may then do what needs a fresh proof: agree to
        share, sign, lift a restriction. Making a token is such a proof as well. A token made
        without a second factor gets its mark by a `code`.
        """
        user = User.objects.get(pk=self.account)
        second_factor = signing_in.check_again(
            self.request._request,
            user=user,
            password=body["password"],
            code=body.get("code", ""),
        )
        if isinstance(self.request.auth, ApiToken):
            tokens.prove(token_id=self.request.auth.pk, second_factor=second_factor)
        else:
            proofs.confirm(self.request._request, user, second_factor=second_factor)
