"""What a session shows about whoever holds it: allauth's records of it, read as plain values."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import (
    AUTHENTICATION_METHODS_SESSION_KEY,
    get_authentication_records,
)
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest  # noqa: TID251 (a session is known by its request only)

from clients import assurance
from clients.models import User
from handoff.core import attempts
from handoff.core.actors import Actor

# Setting a new password by mail is no proof: it is what somebody does who has the mailbox.
_PROVES = frozenset({"password", "mfa"})


def _counted(form: Any, clean: Callable[[], str]) -> str:
    """The code, if it fits and there were not too many tries; counted one at a time."""
    attempt = attempts.take("second_factor", str(form.user.pk))
    if attempt is None:
        raise get_adapter().validation_error("too_many_login_attempts")
    code = clean()
    attempts.give_back(attempt)
    return code


class CodeForm(AuthenticateForm):  # type: ignore[misc]  # allauth declares no types
    """The second step of signing in."""

    def clean_code(self) -> str:
        return _counted(self, super().clean_code)


class CodeAgainForm(ReauthenticateForm):  # type: ignore[misc]  # as above
    """The second step once more, of somebody who is signed in."""

    def clean_code(self) -> str:
        return _counted(self, super().clean_code)


def factors_of(request: HttpRequest) -> frozenset[str]:
    """The second factors that were shown in this session."""
    return frozenset(
        str(record.get("type"))
        for record in get_authentication_records(request, _user(request))
        if record.get("method") == "mfa"
    )


def proved_at(request: HttpRequest) -> datetime | None:
    """When somebody last proved in this session that it is them, or None."""
    moments = [
        float(record["at"])
        for record in get_authentication_records(request, _user(request))
        if record.get("method") in _PROVES
    ]
    return datetime.fromtimestamp(max(moments), UTC) if moments else None


def is_assured(request: HttpRequest, actor: Actor) -> bool:
    """Whether this session may pass as `actor`."""
    return assurance.is_assured(
        roles=actor.roles,
        factors=factors_of(request),
        demo=not settings.SECOND_FACTOR_DEMANDED,
    )


def is_token_assured(actor: Actor, *, second_factor: bool) -> bool:
    """Whether a token, made with a second factor or without, may pass as `actor`."""
    return assurance.is_assured(
        roles=actor.roles,
        factors=assurance.SECOND_FACTORS if second_factor else (),
        demo=not settings.SECOND_FACTOR_DEMANDED,
    )


def has_factor(user: User) -> bool:
    """Whether the account has a second factor set up; recovery codes alone are none."""
    kinds = Authenticator.objects.filter(user=user).values_list("type", flat=True)
    return bool(set(kinds) - {Authenticator.Type.RECOVERY_CODES})


def shown(request: HttpRequest, authenticator: Authenticator) -> None:
    """Setting a factor up shows it: the code or the key was just used in this session."""
    record_authentication(
        request, authenticator.user, "mfa", id=authenticator.pk, type=authenticator.type
    )


def forget_factors(request: HttpRequest) -> None:
    """Take back what this session showed: the account has no second factor any more."""
    records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
    request.session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        record for record in records if record.get("method") != "mfa"
    ]


def confirm(request: HttpRequest, user: User, *, second_factor: bool) -> None:
    """Note in this session that its owner has just proved it with the password, and a code."""
    record_authentication(request, user, "password", reauthenticated=True)
    if second_factor:
        record_authentication(request, user, "mfa", type="totp", reauthenticated=True)


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
