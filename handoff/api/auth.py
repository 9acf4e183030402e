"""`Authorization: Bearer <token>`: personal tokens, looked up at every request."""

from typing import Any

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from handoff.core import tokens
from handoff.core.tokens import ApiToken

SCHEME = b"bearer"
LONGEST = 200


class BearerTokenAuthentication(BaseAuthentication):
    """The account behind a live token; its rights are read anew at every use.

    A bad token is refused even where a session would do: whoever sends one means to use it.
    """

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != SCHEME:
            return None
        found = None
        if len(words) == 2 and len(words[1]) <= LONGEST:
            found = tokens.find(words[1].decode("latin-1"))
        if found is None:
            raise exceptions.AuthenticationFailed("This token is unknown, ended or expired.")
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="handoff"'
