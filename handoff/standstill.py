"""While the house is held everybody is told so, but for admins, who are there to end it.

This is the polite half: a page, or a problem of the API, instead of an error. The other half is in
the database, where no look can be entered (`handoff.core.hold`).
"""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from handoff.api import problems
from handoff.core import hold

ALWAYS: Final = frozenset({"/healthz", "/readyz"})
WAY_IN: Final = ("/admin/", "/accounts/")
"""For admins. Whoever else signs in here is stopped by the account adapter."""
RETRY_SECONDS: Final = 120


class HoldMiddleware:
    """Answers 503 for all but health checks, static files, and admins in the administration."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path not in ALWAYS and _held() and not _may_pass(request):
            return held_answer(request)
        return self.get_response(request)


def _held() -> bool:
    try:
        return hold.is_held()
    except (DatabaseError, InterfaceError):
        return False  # the view says better that the database is away, and shows nothing either


def _may_pass(request: HttpRequest) -> bool:
    user = request.user
    return request.path.startswith(WAY_IN) and (user.is_anonymous or user.is_staff)


def held_answer(request: HttpRequest) -> HttpResponse:
    """The same words as a page, or as a problem of the API."""
    answer: HttpResponse
    if request.path.startswith("/api/"):
        body = {
            "type": f"{settings.SITE_URL}/api/v1/docs/#unavailable",
            "title": problems.TITLES["unavailable"],
            "status": 503,
            "detail": hold.MESSAGE,
        }
        answer = JsonResponse(body, status=503, content_type=problems.MEDIA_TYPE)
    else:
        answer = HttpResponse(render_to_string("held.html"), status=503)
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    # No failure: Django would write a line for each, and bury what an operator has to see.
    setattr(answer, "_has_been_logged", True)  # noqa: B010 HttpResponse declares no such field
    return answer
