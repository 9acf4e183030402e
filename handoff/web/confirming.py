"""Is it still you? Asked before what cannot be undone, or lets somebody else see more.

A form that comes without a fresh proof is answered with that question, and with everything that
was typed as hidden fields: the answer sends the form again, so that nothing is lost and nothing of
it is kept anywhere in between.
"""

from datetime import timedelta
from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django_htmx.http import reswap, retarget

from handoff.web import demo
from handoff.web.requests import is_fragment
from handoff.web.typed import typed

FRESH: Final = timedelta(seconds=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)
PASSWORD: Final = "confirm_password"  # noqa: S105 (the name of a field)
_WRONG: Final = "That is not your password."


class Unconfirmed(Exception):
    """Whoever holds this session has to prove first that it is theirs."""

    def __init__(self, complaint: str = "") -> None:
        super().__init__(complaint)
        self.complaint = complaint


def is_fresh(request: HttpRequest) -> bool:
    """Whether somebody proved in the last minutes, in this session, that it is them."""
    proved: Any = getattr(request, "proved_at", None)
    return proved is not None and timedelta() <= timezone.now() - proved < FRESH


def require(request: HttpRequest) -> None:
    """Go on only with a fresh proof, or with the password sent along. Raises Unconfirmed.

    A wrong password counts against the limits of the sign-in.
    """
    if is_fresh(request):
        return
    password = request.POST.get(PASSWORD)
    user = request.user
    if password is None or not isinstance(user, AbstractBaseUser):
        raise Unconfirmed
    try:
        right = get_adapter().reauthenticate(user, password)
    except ValidationError as error:
        raise Unconfirmed(error.messages[0]) from None
    if not right:
        raise Unconfirmed(_WRONG)
    reauthenticate_by_password(request)
    request.proved_at = timezone.now()  # type: ignore[attr-defined]  # ours


def ask(request: HttpRequest, unconfirmed: Unconfirmed) -> HttpResponse:
    """The question. For a page that is only looked at, the usual one, which leads back."""
    if request.method != "POST":
        address = f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}"
        return HttpResponse(status=303, headers={"Location": address})
    context = {
        "typed": typed(request),
        "address": request.get_full_path(),
        "complaint": unconfirmed.complaint,
        "demo_password": demo.PASSWORD if settings.DEMO else "",
        "fragment": is_fragment(request),
    }
    # 403: nothing was done yet.
    if is_fragment(request):
        answer = render(request, "account/_confirm.html", context, status=403)
        return reswap(retarget(answer, "#main"), "innerHTML")
    return render(request, "account/confirm.html", context, status=403)
