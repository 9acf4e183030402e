"""What follows when somebody changes how they sign in. Connected when the app is ready."""

from typing import Any

from allauth.account import signals as account
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.http import HttpRequest  # noqa: TID251 (signals of allauth carry one)

from clients import proofs, sessions
from clients.models import User


def factor_added(
    *, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any
) -> None:
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        proofs.shown(request, authenticator)


def factor_removed(*, request: HttpRequest, user: User, **_: Any) -> None:
    """Without its last factor, nothing that was signed in with one stays signed in."""
    if not proofs.has_factor(user):
        proofs.forget_factors(request)
        sessions.end_all(user, but=request.session.session_key)


def password_changed(*, request: HttpRequest, user: User, **_: Any) -> None:
    """Whoever changes it may fear for the old one: only the browser that did it goes on."""
    sessions.end_all(user, but=request.session.session_key)


def password_reset(*, user: User, **_: Any) -> None:
    """The old one was forgotten or stolen: everybody signs in anew."""
    sessions.end_all(user)


def email_changed(
    *, request: HttpRequest, user: User, to_email_address: EmailAddress, **more: Any
) -> None:
    """allauth tells the old address; the new one is told too."""
    old = more.get("from_email_address")
    words = {"from_email": old.email if old else "", "to_email": to_email_address.email}
    get_adapter().send_notification_mail(
        "account/email/email_changed", user, context=words, email=to_email_address.email
    )


def connect() -> None:
    mfa.authenticator_added.connect(factor_added, dispatch_uid="clients.factor_added")
    mfa.authenticator_removed.connect(factor_removed, dispatch_uid="clients.factor_removed")
    account.password_changed.connect(password_changed, dispatch_uid="clients.password_changed")
    account.password_set.connect(password_changed, dispatch_uid="clients.password_set")
    account.password_reset.connect(password_reset, dispatch_uid="clients.password_reset")
    account.email_changed.connect(email_changed, dispatch_uid="clients.email_changed")
