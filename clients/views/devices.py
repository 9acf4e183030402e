"""Where somebody is signed in, by browser and by token; and ending it."""

from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clients import session_limits, sessions
from clients.models import User
from handoff.core import audit, tokens
from handoff.core.errors import NotVisible
from handoff.core.policy import Policy
from handoff.core.tokens import ApiToken
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest


@page(Policy.SIGNED_IN, methods=("GET", "POST"))
def devices(request: PageRequest) -> HttpResponse:
    """The list; a POST signs out everywhere else, tokens included."""
    user = _user(request)
    key = request.session.session_key
    if request.method == "POST":
        with transaction.atomic():
            sessions.end_all(user, but=key)
            audit.record(request.actor, "session.ended_others", user)
        messages.success(request, "You are signed out everywhere else.")
        return redirect_or_swap(request, "devices")
    at = timezone.now()
    context = {
        "sessions": _sessions(user, key),
        "tokens": [
            each
            for each in ApiToken.objects.filter(user=user, revoked_at=None, expires_at__gt=at)[:100]
        ],
        "limits": session_limits.limits_for(request.actor.roles),
    }
    return render(request, "usersessions/usersession_list.html", context)


@page(Policy.SIGNED_IN, methods=("POST",))
def session_end(request: PageRequest, pk: int) -> HttpResponse:
    """Sign out on one other device."""
    user = _user(request)
    with transaction.atomic():
        if not sessions.end(user, session_id=pk):
            raise NotVisible
        audit.record(request.actor, "session.ended", user)
    messages.success(request, "That device is signed out.")
    return redirect_or_swap(request, "devices")


@page(Policy.SIGNED_IN, methods=("POST",))
def token_end(request: PageRequest, pk: UUID) -> HttpResponse:
    """End one access token at once."""
    token = ApiToken.objects.filter(pk=pk, user=_user(request)).first()
    if token is None:
        raise NotVisible
    with transaction.atomic():
        if tokens.revoke(user_id=token.user_id, token_id=token.pk):
            audit.record(request.actor, "token.revoked", token)
    messages.success(request, "That token works no more.")
    return redirect_or_swap(request, "devices")


def _sessions(user: User, key: str | None) -> list[dict[str, Any]]:
    """Sessions that still open something, this one first, then the latest used."""
    rows = list(UserSession.objects.filter(user=user))
    live = set(
        Session.objects.filter(
            session_key__in=[row.session_key for row in rows], expire_date__gt=timezone.now()
        ).values_list("session_key", flat=True)
    )
    shown = [
        {
            "pk": row.pk,
            "user_agent": row.user_agent,
            "ip": row.ip,
            "created_at": row.created_at,
            "last_seen_at": row.last_seen_at,
            "is_current": row.session_key == key,
        }
        for row in rows
        if row.session_key in live
    ]
    return sorted(shown, key=lambda row: (row["is_current"], row["last_seen_at"]), reverse=True)


def _user(request: PageRequest) -> User:
    if not isinstance(request.user, User):
        raise NotVisible
    return request.user
