"""What a page can count on finding on its request."""

from typing import Any

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from handoff.core.actors import ANONYMOUS, Actor


class PageRequest(HttpRequest):
    """A request after our middleware: who acts, under which number, and whether htmx asked."""

    actor: Actor
    htmx: HtmxDetails
    request_id: str


def actor_of(request: HttpRequest) -> Actor:
    """Who acts; ANONYMOUS when an error page is built before the actor was worked out."""
    found: Any = getattr(request, "actor", None)
    return found if isinstance(found, Actor) else ANONYMOUS


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asked for a part of a page, rather than the browser for a whole one.

    A history restore wants the whole page even though htmx asks for it.
    """
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request
