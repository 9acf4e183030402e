"""The answer when a view fails: 500 for a mistake of ours, 503 when the database is away.

Built without the request and without a query: whatever failed may fail again.
"""

import sys

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

RETRY_SECONDS = 5


def failed(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`, called while the exception is being handled."""
    if _is_away(sys.exc_info()[1]):
        # Away, overloaded, or not able to write what must be written first (a ledger): nothing
        # was shown, and asking again is safe. The API says the same (`handoff.api.problems`).
        answer = HttpResponse(render_to_string("503.html"), status=503)
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
        return answer
    return HttpResponse(render_to_string("500.html"), status=500)


def _is_away(error: BaseException | None) -> bool:
    return isinstance(error, DatabaseError | InterfaceError) and not isinstance(
        error, IntegrityError | DataError
    )
