"""How much anybody may send us at once. Asked before a byte of the body is read."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from handoff.api.problems import MEDIA_TYPE, problem

LARGEST: Final = 1_000_000


class BodyLimitMiddleware:
    """Refuses what says that it is larger than the view takes: `most_bytes`, or one megabyte.

    A body without a length is none: the server hands on no more than was announced.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        # A page says it itself, a view of the API by its class.
        most: int = getattr(getattr(view, "cls", view), "most_bytes", LARGEST)
        if _announced(request) <= most:
            return None
        if request.path.startswith("/api/"):
            told = problem(413, "too-large", f"A body may have {most:,} bytes here at most.")
            return JsonResponse(told.data, status=413, content_type=MEDIA_TYPE)
        page = render_to_string("413.html", {"takes_file": most > LARGEST})
        return HttpResponse(page, status=413)


def _announced(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
