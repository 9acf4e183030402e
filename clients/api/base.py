"""The base of the API views of both apps: accounts become actors here."""

from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.conf import settings
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.request import Request

from clients import assurance, proofs
from clients.access import actor_for
from clients.assurance import Place, Way
from clients.models import User
from handoff.api.permissions import policies_of
from handoff.api.views import ApiView, operation_of
from handoff.core.actors import Actor, Channel
from handoff.core.policy import Policy
from handoff.core.tokens import ApiToken

FRESH: Final = timedelta(seconds=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


class SecondFactorMissing(exceptions.PermissionDenied):
    """The session or token shows no second factor, and the actor's role demands one."""

    default_code = "second-factor"


class NotConfirmed(exceptions.PermissionDenied):
    """The last proof that it is them is too old for this."""

    default_code = "reauthenticate"
    default_detail = "Send your password, and your code if you have one, to me/confirm/ first."


class Endpoint(ApiView):
    """A view that knows who acts, by token or session, with the roles held at this moment."""

    own_account: ClassVar[bool] = False
    """Shows nothing but one's own account: open to professionals without a second factor."""

    way_out: ClassVar[bool] = False
    """Proves a factor that the account has."""

    def find_actor(self, request: Request) -> Actor:
        user = request.user if isinstance(request.user, User) else None
        number = str(getattr(request, "request_id", ""))
        return actor_for(user, channel=Channel.API, request_id=number)

    def check_permissions(self, request: Request) -> None:
        """After the policy: was the sign-in strong enough, and recent enough for this?"""
        super().check_permissions(request)
        user = request.user
        if not isinstance(user, User) or self._place(request) is Place.PUBLIC:
            return
        self.require_assurance(user, self._place(request))
        operation = operation_of(self, request.method or "")
        if operation is not None and operation.confirmed:
            self.require_proof()

    def require_assurance(self, user: User, place: Place) -> None:
        """Raises SecondFactorMissing where this sign-in is too weak for such a place."""
        assured = self._is_assured(self.request)
        has_factor = not assured and proofs.has_factor(user)
        way = assurance.way(place=place, assured=assured, account_has_factor=has_factor)
        if way is not Way.OPEN:
            raise SecondFactorMissing(to_do(has_factor=has_factor))

    def require_proof(self) -> None:
        """Raises NotConfirmed unless it was proved a short while ago who this is."""
        proved = self._proved(self.request)
        if proved is None or timezone.now() - proved >= FRESH:
            raise NotConfirmed

    def _is_assured(self, request: Request) -> bool:
        if isinstance(request.auth, ApiToken):
            return proofs.is_token_assured(self.actor, second_factor=request.auth.second_factor)
        return proofs.is_assured(request._request, self.actor)

    def _proved(self, request: Request) -> datetime | None:
        if isinstance(request.auth, ApiToken):
            return request.auth.proved_at
        return proofs.proved_at(request._request)

    def _place(self, request: Request) -> Place:
        if policies_of(self, request.method or "")[-1] is Policy.PUBLIC:
            return Place.PUBLIC
        if self.way_out:
            return Place.WAY_OUT
        return Place.OWN_ACCOUNT if self.own_account else Place.REST


def to_do(*, has_factor: bool) -> str:
    """What somebody without a second factor in this session or token can do about it."""
    if has_factor:
        return "Your role needs a second factor here. Send your code to me/confirm/."
    return (
        "Your role needs a second factor. Set one up at "
        f"{settings.SITE_URL}/accounts/2fa/, then sign in with it."
    )
