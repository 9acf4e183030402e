"""Puts the acting person, and their time zone, on the request."""

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from clients.access import actor_for
from clients.models import User
from handoff.core import subjects
from handoff.core.actors import Actor, Channel


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
