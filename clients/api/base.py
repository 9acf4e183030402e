"""The base of the API views of both apps: accounts become actors here."""

from rest_framework.request import Request

from clients.access import actor_for
from clients.models import User
from handoff.api.views import ApiView
from handoff.core.actors import Actor, Channel


class Endpoint(ApiView):
    """A view that knows who acts, by token or session, with the roles held at this moment."""

    def find_actor(self, request: Request) -> Actor:
        user = request.user if isinstance(request.user, User) else None
        number = str(getattr(request, "request_id", ""))
        return actor_for(user, channel=Channel.API, request_id=number)
