"""The one place where an error becomes an answer of the API: `application/problem+json`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from handoff.core.errors import DomainError, Invalid, NotAllowed, NotVisible, Stale

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2

TITLES: dict[str, str] = {
    "invalid": "Some entries need another look",
    "malformed": "The request cannot be read",
    "unauthenticated": "Sign in first",
    "second-factor": "A second factor is needed",
    "reauthenticate": "Prove again that it is you",
    "not-allowed": "This is not yours to do",
    "not-shared": "Not shared with you",
    "not-found": "Nothing here, or nothing that is shared with you",
    "method": "This address does not take that method",
    "not-acceptable": "Only JSON is served here",
    "stale": "This has moved on in the meantime",
    "conflict": "This clashes with an earlier request",
    "too-large": "The body is too large",
    "media-type": "Only JSON is taken here",
    "throttled": "Too many requests",
    "unavailable": "Not available right now",
    "internal": "Something went wrong on our side",
}
"""Every kind of problem. A problem's `type` is the address of its entry in the docs."""

_IN_A_LIST = re.compile(r"^(\w+)-(\d+)-(\w+)$", re.ASCII)
_BY_STATUS = {
    400: "malformed",
    401: "unauthenticated",
    403: "not-allowed",
    404: "not-found",
    405: "method",
    406: "not-acceptable",
    409: "conflict",
    413: "too-large",
    415: "media-type",
    429: "throttled",
}


class Conflict(exceptions.APIException):
    """Two requests that cannot both be meant."""

    status_code = 409
    default_detail = "This clashes with an earlier request."
    default_code = "conflict"


class NotShared(NotAllowed):
    """The client does not share this class with the actor. Shown as such, never as empty."""

    def __init__(self, withheld: str) -> None:
        super().__init__("The client does not share this with you.")
        self.withheld = withheld


def problem(
    status: int,
    kind: str,
    detail: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
    withheld: str | None = None,
) -> Response:
    """An answer by RFC 9457."""
    body: dict[str, Any] = {
        "type": f"{settings.SITE_URL}/api/v1/docs/#{kind}",
        "title": TITLES[kind],
        "status": status,
    }
    body["detail"] = _sayable(detail) or TITLES[kind] + "."
    if errors is not None:
        body["errors"] = {
            _sayable(field): [_sayable(text) for text in texts] for field, texts in errors.items()
        }
    if withheld is not None:
        body["withheld"] = withheld
    return Response(body, status=status, headers=headers, content_type=MEDIA_TYPE)


def _sayable(text: str) -> str:
    """Complaints quote what was sent, and that can hold what no answer can."""
    return text.encode("utf-8", "replace").decode()


def answer_to(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: every error of a view ends here."""
    match error:
        case DomainError():
            return _domain(error)
        case Http404():
            return _domain(NotVisible())
        case PermissionDenied():
            return problem(403, "not-allowed")
        case exceptions.APIException():
            return _framework(error)
        case IntegrityError() | DataError():
            return _internal(error, context)
        case DatabaseError() | InterfaceError():
            # The database is away, overloaded, or refuses to write what must be written
            # (a ledger): nothing leaves, and trying again is safe.
            log.error("api.unavailable", exc_info=error)
            return problem(
                503,
                "unavailable",
                "Nothing was changed. Try again in a moment.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        case _:
            return _internal(error, context)


def _domain(error: DomainError) -> Response:
    match error:
        case NotVisible():
            return problem(404, "not-found", str(error))
        case NotShared():
            return problem(403, "not-shared", str(error), withheld=error.withheld)
        case NotAllowed():
            return problem(403, "not-allowed", str(error))
        case Stale():
            return problem(409, "stale", str(error))
        case Invalid():
            return problem(400, "invalid", str(error), errors=dotted(error.errors))
        case _:
            raise error


def _framework(error: exceptions.APIException) -> Response:
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if isinstance(error, exceptions.Throttled):
        # A limit does not say when it ends to those who probe it; a minute is never too short.
        wait = getattr(error, "wait", None)
        headers["Retry-After"] = str(int(wait) + 1 if wait else 60)
        return problem(429, "throttled", "Wait a while, then try again.", headers=headers)
    if isinstance(error, exceptions.ValidationError):
        errors = by_field(error.detail)
        first = next((text for texts in errors.values() for text in texts), "")
        return problem(400, "invalid", first, errors=errors)
    kind = _BY_STATUS.get(error.status_code, "internal")
    code = error.get_codes()
    if isinstance(code, str) and code in TITLES:
        kind = code
    return problem(error.status_code, kind, str(error.detail), headers=headers)


def _internal(error: Exception, context: Mapping[str, Any]) -> Response:
    view, request = context.get("view"), context.get("request")
    log.error("api.failed", exc_info=error, method=getattr(request, "method", None))
    # What Django does for a view that raises; the test client listens and raises it again.
    got_request_exception.send(sender=type(view), request=request)
    return problem(500, "internal", "It has been noted. Nothing you sent was kept in the note.")


def dotted(errors: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Places in lists as the API names them: forms say `goals-0-text`, bodies `goals.0.text`."""
    return {_IN_A_LIST.sub(r"\1.\2.\3", field): texts for field, texts in errors.items()}


def by_field(detail: Any) -> dict[str, list[str]]:
    """Nested complaints as one level: `goals.0.text`. "" holds what concerns the whole body."""
    found: dict[str, list[str]] = {}
    _collect(detail, "", found)
    return found


def _collect(detail: Any, path: str, found: dict[str, list[str]]) -> None:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else str(name)
            _collect(inner, ".".join(part for part in (path, step) if part), found)
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        for number, inner in enumerate(detail):
            deeper = isinstance(inner, Mapping) or (
                isinstance(inner, Sequence) and not isinstance(inner, str)
            )
            _collect(inner, f"{path}.{number}".lstrip(".") if deeper else path, found)
    else:
        found.setdefault(path, []).append(str(detail))
