"""The only place that sends our own mail. Every message is neutral by construction.

A caller chooses one of a few fixed letters and gives an opaque address to open; nothing else can
get in but the recipient's first name. So no mail can hold a condition, a score, a care word, a
practice or anybody else's name.
"""

from collections.abc import Mapping
from enum import StrEnum
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string


class Letter(StrEnum):
    """A fixed text: `templates/emails/<value>.txt` and `.html`."""

    UPDATE = "update"
    INVITATION = "invitation"


SUBJECTS: Final[Mapping[Letter, str]] = {
    Letter.UPDATE: "You have an update waiting",
    Letter.INVITATION: "You are invited to Handoff",
}


class MailNotSent(Exception):
    """The message was not taken. `code` says what kind of failure it was, never with whom."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def site_address(path: str) -> str:
    """The full address of a path of ours, for links in mail."""
    return f"{settings.SITE_URL}{path}"


def send_neutral(
    *,
    to: str,
    letter: Letter,
    path: str,
    first_name: str = "",
    reminders_path: str = "",
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send one fixed letter with a link to `path`. Raises MailNotSent when it is not taken.

    Talks to the mail server: never call it inside a transaction.
    """
    context = {
        "first_name": first_name,
        "url": site_address(path),
        "reminders_url": site_address(reminders_path) if reminders_path else "",
    }
    message = EmailMultiAlternatives(
        subject=SUBJECTS[letter],
        body=render_to_string(f"emails/{letter}.txt", context).strip() + "\n",
        to=[to],
        headers=dict(headers or {}),
    )
    message.attach_alternative(render_to_string(f"emails/{letter}.html", context), "text/html")
    try:
        taken = message.send()
    except SMTPException as error:
        raise MailNotSent(f"smtp_{getattr(error, 'smtp_code', 'error')}") from error
    except OSError as error:
        raise MailNotSent("timeout" if isinstance(error, TimeoutError) else "connection") from error
    if not taken:
        raise MailNotSent("nobody")
