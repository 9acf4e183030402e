"""`tokens/`: personal, revocable, expiring. A token has no rights of its own."""

from functools import partial
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.db import transaction
from django.utils import timezone
from rest_framework import serializers

from clients import proofs
from clients.access import actor_for
from clients.api import signing_in
from clients.api.base import Endpoint, SecondFactorMissing, to_do
from handoff.api.operations import acts, lists, reads, removes
from handoff.api.shapes import Body, Shape
from handoff.api.views import mapped
from handoff.core import audit, tokens
from handoff.core.actors import Channel
from handoff.core.errors import NotVisible
from handoff.core.paging import Page
from handoff.core.policy import Policy
from handoff.core.tokens import ApiToken


class TokenBody(Body):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)
    code = serializers.CharField(
        max_length=20,
        required=False,
        allow_blank=True,
        help_text="Where the account has a second factor: of the app, or a recovery code.",
    )
    name = serializers.CharField(
        max_length=80, required=False, allow_blank=True, help_text="To know it again by."
    )


class TokenShape(Shape):
    """A token without its secret."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    second_factor = serializers.BooleanField(help_text="Whether it was made with one.")
    live = serializers.BooleanField()


class NewTokenShape(TokenShape):
    """A new token. The secret is shown this once."""

    token = serializers.CharField()


def answer(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.pk,
        "name": token.name,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "second_factor": token.second_factor,
        "live": token.is_live(timezone.now()),
    }


class TokenEndpoint(Endpoint):
    own_account = True

    def mine(self, pk: UUID | str) -> ApiToken:
        token = ApiToken.objects.filter(pk=pk, user_id=self.account).first()
        if token is None:
            raise NotVisible
        return token

    def show(self, pk: str) -> dict[str, Any]:
        return answer(self.mine(pk))

    def revoke(self, pk: UUID) -> UUID:
        token = self.mine(pk)
        with transaction.atomic():
            if tokens.revoke(user_id=token.user_id, token_id=token.pk):
                audit.record(self.actor, "token.revoked", token)
        return token.pk


class Tokens(TokenEndpoint):
    # Nobody has a token before they asked for one.
    policy = Policy.PUBLIC
    secret = ""

    @lists(TokenShape, policy=Policy.SIGNED_IN)
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """My tokens, newest first."""
        rows = ApiToken.objects.filter(user_id=self.account)
        return mapped(self.rows(rows, query, order=("-created_at", "-id")), answer)

    @acts(NewTokenShape, body=TokenBody, status=201, repeatable=False, limit="token")
    def post(self, body: dict[str, Any]) -> UUID:
        """Sign in and get a token.

        Wrong address, wrong password and wrong code answer alike. With a second factor and no
        `code`, the problem's type is `second-factor`. So it is, as a 403, for a professional or
        administrator whose account has no second factor yet: set one up in the browser first.
        Tries count per account and per address.
        """
        user, second_factor = signing_in.check(
            self.request._request,
            email=body["email"],
            password=body["password"],
            code=body.get("code", ""),
        )
        number = str(getattr(self.request, "request_id", ""))
        self.actor = actor_for(user, channel=Channel.API, request_id=number)
        if not proofs.is_token_assured(self.actor, second_factor=second_factor):
            raise SecondFactorMissing(to_do(has_factor=False))
        with transaction.atomic():
            token, self.secret = tokens.issue(
                user_id=user.pk, name=body.get("name", ""), second_factor=second_factor
            )
            audit.record(self.actor, "token.issued", token)
            tell = get_adapter().send_notification_mail
            transaction.on_commit(partial(tell, "account/email/new_token", user))
        return token.pk

    def show(self, pk: str) -> dict[str, Any]:
        return {**super().show(pk), "token": self.secret}


class OneToken(TokenEndpoint):
    policy = Policy.SIGNED_IN

    @reads(TokenShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """One of my tokens."""
        return answer(self.mine(id))

    @removes()
    def delete(self, id: UUID) -> None:
        """End one of my tokens at once."""
        self.revoke(id)


class RevokeToken(TokenEndpoint):
    policy = Policy.SIGNED_IN

    @acts(TokenShape)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """End one of my tokens at once."""
        return self.revoke(id)
