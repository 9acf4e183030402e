"""Answers to somebody whose sign-in is over, or not enough for what they asked for."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget

from handoff.web.requests import is_fragment
from handoff.web.typed import Typed, typed

ENTRANCES: Final = frozenset(
    {
        *("account_login", "account_signup", "account_logout", "account_confirm_email"),
        *("account_reset_password", "account_reset_password_done"),
        *("account_reset_password_from_key", "account_reset_password_from_key_done"),
        *("account_email_verification_sent", "account_inactive", "mfa_login_webauthn"),
    }
)
"""Pages for people who are not signed in."""


def tell(request: HttpRequest, why: str) -> HttpResponse:
    """Say that the sign-in is over, and give back what was typed. Nothing of it was done.

    A fragment leaves the page as it is: what was typed is still in its form.
    """
    back = request.get_full_path() if request.method in ("GET", "HEAD") else "/home/"
    written = [each for each in typed(request) if _is_text(each)]
    context = {
        "why": why,
        "sign_in_url": f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back})}",
        "typed": written,
        "status": 401,
    }
    if is_fragment(request):
        context["sign_in_url"] = f"{resolve_url(settings.LOGIN_URL)}"
        answer = render(request, "account/_signed_out.html", context, status=401)
        return reswap(retarget(answer, "#notices"), "innerHTML")
    return render(request, "account/signed_out.html", context, status=401)


def lead(request: HttpRequest, address: str) -> HttpResponse:
    """Lead somewhere else first, by the browser or by htmx."""
    if is_fragment(request):
        return HttpResponseClientRedirect(address)
    if request.method in ("GET", "HEAD"):
        return HttpResponseRedirect(address)
    return HttpResponse(status=303, headers={"Location": address})


def _is_text(field: Typed) -> bool:
    """Words that somebody would miss, rather than a switch, a choice or a number of ours."""
    return len(field.value.strip()) > 20 or " " in field.value.strip()
