"""Ways for a test's browser to be signed in, strong and weak, as the product would see them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.utils import timezone

if TYPE_CHECKING:
    from django.test import Client

    from clients.models import User

METHODS = "account_authentication_methods"
OWNER = "account_authentication_methods_user"


def record(browser: Client, method: str, **more: Any) -> None:
    """Write into the session that its owner has just shown this."""
    session = browser.session
    session[METHODS] = [*session.get(METHODS, []), {"method": method, "at": time.time(), **more}]
    session[OWNER] = str(session["_auth_user_id"])
    session.save()


def begin(browser: Client, user: User) -> None:
    """The session's row, as signing in makes it."""
    from allauth.usersessions.models import UserSession  # noqa: PLC0415 (needs Django's apps)

    now = timezone.now()
    UserSession.objects.update_or_create(
        session_key=browser.session.session_key,
        defaults={
            "user": user,
            "ip": "127.0.0.1",
            "user_agent": "tests",
            "created_at": now,
            "last_seen_at": now,
        },
    )


def with_password_only(browser: Client, user: User) -> Client:
    """Signed in, and no second factor shown."""
    browser.force_login(user)
    forget_second_factor(browser)
    return browser


def forget_second_factor(browser: Client) -> None:
    session = browser.session
    session[METHODS] = [each for each in session[METHODS] if each["method"] != "mfa"]
    session.save()


def long_ago(browser: Client, seconds: float = 301) -> Client:
    """The last proof lies some time back; the session itself is as good as ever."""
    session = browser.session
    session[METHODS] = [{**each, "at": each["at"] - seconds} for each in session[METHODS]]
    session.save()
    return browser
