"""Headers every answer carries, and the number every request has."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from structlog.contextvars import bound_contextvars

Answer = Callable[[HttpRequest], HttpResponseBase]

# We use none of these; a page that was tricked into asking is refused by the browser.
_PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "autoplay",
        "camera",
        "display-capture",
        "encrypted-media",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
        "xr-spatial-tracking",
    )
)


class RequestIdMiddleware:
    """Give each request a number of our own making, for the log, the ledgers and support.

    A number sent from outside is ignored: it would let somebody write into our log.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        number = uuid4().hex
        setattr(request, "request_id", number)  # noqa: B010 HttpRequest declares no such field
        with bound_contextvars(request_id=number):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = number
        return response


class PrivateAnswerMiddleware:
    """Nothing we answer may be kept by a browser, a proxy, or the page before it.

    Static files are the exception: they hold no data of anybody and are served as immutable.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        headers = response.headers
        headers.setdefault("Permissions-Policy", _PERMISSIONS)
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if request.path.startswith(settings.STATIC_URL):
            return response
        patch_cache_control(response, no_store=True, private=True)
        # One address answers htmx with a part and the browser with a page: never mix them up.
        patch_vary_headers(response, ("Cookie", "HX-Request"))
        if getattr(request, _SIGNED_OUT, False):
            headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


_SIGNED_OUT = "just_signed_out"


def note_sign_out(*, request: HttpRequest | None, **_: Any) -> None:
    """Remember that this request ended a session, so that its answer empties the browser."""
    if request is not None:
        setattr(request, _SIGNED_OUT, True)


user_logged_out.connect(note_sign_out, dispatch_uid="handoff.web.note_sign_out")
