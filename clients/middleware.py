"""Puts the acting person, and their time zone, on the request; and asks how they signed in."""

import uuid
from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode

from clients import assurance, proofs, sessions
from clients.access import actor_for
from clients.assurance import Place, Way
from clients.models import User
from clients.session_limits import Ended
from handoff.core import subjects
from handoff.core.actors import ANONYMOUS, Actor, Channel
from handoff.core.policy import Policy
from handoff.web import signed_out
from handoff.web.requests import actor_of

BACKGROUND: Final = "Handoff-Background"
"""Header of a request that the page makes by itself, every so often: nobody used anything."""

_API: Final = "/api/"
_WAY_OUT: Final = frozenset({"account_logout", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"})
_OWN_ACCOUNT: Final = ("account_", "mfa_", "usersessions_")
_OWN_PAGES: Final = frozenset({"profile", "devices", "token_end", "session_end"})


class ActorMiddleware:
    """`request.actor`, worked out on first use from the session's account.

    Token requests get theirs from the API's authentication instead.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = getattr(request, "request_id", "") or uuid.uuid4().hex

        def find() -> Actor:
            user = request.user if isinstance(request.user, User) else None
            return actor_for(user, channel=Channel.PAGE, request_id=request_id)

        request.actor = SimpleLazyObject(find)  # type: ignore[attr-defined]  # ours, lazily
        user = request.user if isinstance(request.user, User) else None
        # Whatever is shown or typed on this request is in the person's own time, and only rows of
        # clients they have to do with are there at all.
        with (
            timezone.override(user.time_zone if user else None),
            subjects.of_account(user.pk if user else None),
        ):
            return self.get_response(request)


class SignInMiddleware:
    """Ends sessions that have lasted long enough, and keeps weak ones to their own account.

    Every address that is not named here is closed to a professional or administrator whose session
    shows no second factor. The API asks the same for itself, because it knows tokens too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if isinstance(request.user, User):
            why = sessions.look(
                key=request.session.session_key,
                user_id=request.user.pk,
                roles=actor_of(request).roles,
                is_use=BACKGROUND not in request.headers,
                at=timezone.now(),
            )
            if why is not None:
                _end(request, why)
                # Nor are there any rows of clients any more.
                with subjects.of_account(None):
                    return self._answer(request)
        return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        request.proved_at = proofs.proved_at(request)  # type: ignore[attr-defined]  # ours
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_: Any
    ) -> HttpResponseBase | None:
        if request.path.startswith(_API):
            return None
        place = place_of(request, view)
        why = getattr(request, "sign_in_ended", None)
        if why is not None and place is not Place.PUBLIC and not _is_entrance(request):
            return signed_out.tell(request, why.value)
        user = request.user
        if not isinstance(user, User) or place is Place.PUBLIC:
            return None
        assured = proofs.is_assured(request, actor_of(request))
        match assurance.way(
            place=place,
            assured=assured,
            account_has_factor=not assured and proofs.has_factor(user),
        ):
            case Way.OPEN:
                # The pages on which a factor is set up say so.
                request.must_enrol = not assured  # type: ignore[attr-defined]  # ours
                return None
            case Way.ENROL:
                return signed_out.lead(request, reverse("mfa_index"))
            case Way.PROVE:
                back = request.get_full_path() if request.method == "GET" else "/home/"
                address = f"{reverse('mfa_reauthenticate')}?{urlencode({'next': back})}"
                return signed_out.lead(request, address)


def place_of(request: HttpRequest, view: Callable[..., Any]) -> Place:
    """What kind of page this is. What nobody thought of is the rest."""
    match = request.resolver_match
    name = match.view_name if match else ""
    if getattr(view, "policy", None) is Policy.PUBLIC:
        return Place.PUBLIC
    if name in _WAY_OUT:
        return Place.WAY_OUT
    if name in _OWN_PAGES or name.startswith(_OWN_ACCOUNT):
        return Place.OWN_ACCOUNT
    return Place.REST


def _is_entrance(request: HttpRequest) -> bool:
    """Pages for those who are not signed in, which is what they are now."""
    match = request.resolver_match
    return match is not None and match.view_name in signed_out.ENTRANCES


def _end(request: HttpRequest, why: Ended) -> None:
    """Nobody is signed in any more, from this request on."""
    request.session.flush()
    request.user = AnonymousUser()
    request.actor = ANONYMOUS.through(Channel.PAGE)  # type: ignore[attr-defined]  # ours
    request.sign_in_ended = why  # type: ignore[attr-defined]  # ours
