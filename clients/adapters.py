"""How allauth works here: where people land, whose name mail comes from, what sign-up asks."""

from email.utils import formataddr, parseaddr
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from clients import sessions
from clients.models import User
from handoff.core import attempts, ciphers, hold, mail, tokens
from handoff.core.attempts import Attempt
from handoff.core.mail import SENDER_NAME

log = structlog.get_logger(__name__)
OPENED: Final = "invitation"
"""Session key of the invitation whose link this browser opened. The id, not the secret."""


def opened_invitation(request: HttpRequest) -> UUID | None:
    """The invitation whose link was opened in this session, or None."""
    held = request.session.get(OPENED)
    try:
        return UUID(str(held)) if held else None
    except ValueError:
        return None


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # as below
    """The secrets behind codes are encrypted at rest."""

    def encrypt(self, text: str) -> str:
        return ciphers.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return ciphers.decrypt(encrypted_text)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth declares no types
    """Ours, where allauth's defaults do not fit."""

    _tries: tuple[Attempt, ...] = ()

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """To the invitation somebody came with, else to their first page."""
        if opened_invitation(request) is not None:
            return reverse("invitation_open")
        return str(settings.LOGIN_REDIRECT_URL)

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)

    # --- signing in ---------------------------------------------------------------------------

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the try before the password is looked at; allauth counts as well, less strictly.

        Where it cannot be counted, nobody signs in.
        """
        account = str(credentials.get("email", "")).strip().lower()
        address = attempts.network(self.get_client_ip(request))
        taken = []
        for name, who in (("login_address", address), ("login_account", account)):
            attempt = attempts.take(name, who)
            if attempt is None:
                raise self.validation_error("too_many_login_attempts")
            taken.append(attempt)
        self._tries = tuple(taken)
        super().pre_authenticate(request, **credentials)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            for each in self._tries:
                attempts.give_back(each)
        return user

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """The last step of every way in: the oldest sessions end, a new browser is told of."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        sessions.keep_newest(user)
        mark, is_new = sessions.recognise(user, request.COOKIES.get(settings.BROWSER_COOKIE_NAME))
        response.set_cookie(
            settings.BROWSER_COOKIE_NAME,
            mark,
            max_age=sessions.REMEMBERED,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        if is_new:
            self.send_notification_mail("account/email/new_browser", user)
        return response

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """While the house is held only admins come in, whatever they sign in with."""
        if hold.is_held() and not user.is_staff:
            return HttpResponse(render_to_string("held.html"), status=503)
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return answer

    def set_password(self, user: User, password: str) -> None:
        """Whoever changes or resets it may fear for the old one: tokens end with it."""
        super().set_password(user, password)
        tokens.revoke_all(user_id=user.pk)

    # --- mail ---------------------------------------------------------------------------------

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Through the one door of mail, with links to our own address.

        A link never follows the `Host` of a request: whoever asks for a reset could choose it.
        Nothing is sent while the house is held.
        """
        if hold.is_held():
            return
        words = {
            "request": self.request,
            "email": email,
            **{name: _at_our_address(name, value) for name, value in context.items()},
        }
        message = self.render_mail(template_prefix, email, words)
        with mail.Post() as post:
            post.send(mail.notice(to=email, subject=message.subject, text=str(message.body)))

    def send_notification_mail(self, template_prefix: str, user: User, **kwargs: Any) -> None:
        """Tell somebody of a change to their account. What was done stands, told or not."""
        try:
            super().send_notification_mail(template_prefix, user, **kwargs)
        except mail.NotSent as error:
            log.warning("account.notice_not_sent", user_id=str(user.pk), code=error.code)

    def get_from_email(self) -> str:
        """The product's name, whatever a site has configured: a clinic's would say too much."""
        _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
        return formataddr((SENDER_NAME, address))


def _at_our_address(name: str, value: Any) -> Any:
    if not name.endswith("_url") or not isinstance(value, str):
        return value
    parts = urlsplit(value)
    return f"{settings.SITE_URL}{parts.path}" + (f"?{parts.query}" if parts.query else "")
