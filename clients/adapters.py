"""How allauth works here: where people land, whose name mail comes from, what sign-up asks."""

from email.utils import formataddr, parseaddr
from typing import Final
from uuid import UUID

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from clients.models import User
from handoff.core import tokens
from handoff.core.mail import SENDER_NAME

OPENED: Final = "invitation"
"""Session key of the invitation whose link this browser opened. The id, not the secret."""


def opened_invitation(request: HttpRequest) -> UUID | None:
    """The invitation whose link was opened in this session, or None."""
    held = request.session.get(OPENED)
    try:
        return UUID(str(held)) if held else None
    except ValueError:
        return None


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth declares no types
    """Ours, where allauth's defaults do not fit."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """To the invitation somebody came with, else to their first page."""
        if opened_invitation(request) is not None:
            return reverse("invitation_open")
        return str(settings.LOGIN_REDIRECT_URL)

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)

    def set_password(self, user: User, password: str) -> None:
        """Whoever changes or resets it may fear for the old one: tokens end with it."""
        super().set_password(user, password)
        tokens.revoke_all(user_id=user.pk)

    def get_from_email(self) -> str:
        """The product's name, whatever a site has configured: a clinic's would say too much."""
        _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
        return formataddr((SENDER_NAME, address))
