"""The only door to mail. What goes out says that there is something to see, never what.

A letter is a constant subject and a template that gets a first name and a link to the sign-in. The
post tells apart what is worth another try, what is not, and what is wrong with the post itself.
"""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from email.utils import formataddr, parseaddr
from enum import StrEnum
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string

from handoff.core import hold

SENDER_NAME: Final = "Handoff"
SUBJECT: Final = "You have an update"
INVITED: Final = "You are invited to Handoff"
PERMANENT: Final = 500  # SMTP answers from here up will not change by trying again


class Fate(StrEnum):
    """What a failure says about the next try."""

    LATER = "later"
    NEVER = "never"
    BROKEN = "broken"  # nothing can be sent at all until an operator acts


class NotSent(Exception):
    """The letter was not accepted. `code` is fit for logs and tables: no address, no text."""

    def __init__(self, fate: Fate, code: str) -> None:
        super().__init__(code)
        self.fate = fate
        self.code = code


@dataclass(frozen=True, slots=True)
class Letter:
    """A finished letter. The same `message_id` marks a repetition as one."""

    to: str
    text: str
    html: str
    message_id: str
    subject: str = SUBJECT


def update_waiting(*, to: str, first_name: str, path: str, reference: UUID) -> Letter:
    """The one letter about reminders: no content, no names but the reader's own first name."""
    name = " ".join(first_name.split())[:80]
    return _letter("reminder", SUBJECT, to, path, reference, first_name=name)


def invitation(*, to: str, path: str, reference: UUID) -> Letter:
    """A link to come in by. Names nobody: the address may be somebody else's."""
    return _letter("invitation", INVITED, to, path, reference)


def notice(*, to: str, subject: str, text: str) -> Letter:
    """A letter about an account: to confirm something, or to tell of a change. Plain words."""
    return Letter(
        to=to,
        text=text.strip() + "\n",
        html="",
        message_id=f"<{uuid4().hex}@{urlsplit(settings.SITE_URL).hostname}>",
        subject=" ".join(subject.split()),
    )


def _letter(
    name: str, subject: str, to: str, path: str, reference: UUID, first_name: str = ""
) -> Letter:
    words = {"url": f"{settings.SITE_URL}{path}", "first_name": first_name}
    return Letter(
        to=to,
        text=render_to_string(f"emails/{name}.txt", words).strip() + "\n",
        html=render_to_string(f"emails/{name}.html", words),
        message_id=f"<{reference.hex}@{urlsplit(settings.SITE_URL).hostname}>",
        subject=subject,
    )


class Post:
    """One connection to the mail server, opened when it is needed first."""

    def __init__(self) -> None:
        self._backend = get_connection(fail_silently=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> None:
        """Connect, unless connected. Raises NotSent: then nothing has left this machine.

        Nothing is sent while the house is held.
        """
        if hold.is_held():
            raise NotSent(Fate.BROKEN, "on_hold")
        try:
            self._backend.open()
        except Exception as error:
            self.close()
            raise _not_sent(error) from None

    def send(self, letter: Letter) -> None:
        """Hand a letter over; returns once the server has taken it. Raises NotSent."""
        if hold.is_held():
            raise NotSent(Fate.BROKEN, "on_hold")
        try:
            taken = self._backend.send_messages([_message(letter)])
        except Exception as error:
            self.close()
            raise _not_sent(error) from None
        if taken != 1:
            raise NotSent(Fate.NEVER, "no_recipient")

    def close(self) -> None:
        try:
            self._backend.close()
        except (OSError, smtplib.SMTPException):
            self._backend = get_connection(fail_silently=False)


def _message(letter: Letter) -> EmailMultiAlternatives:
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        # The product's name, whatever a site has configured: a clinic's would say too much.
        from_email=formataddr((SENDER_NAME, address)),
        to=[letter.to],
        headers={"Message-ID": letter.message_id, "Auto-Submitted": "auto-generated"},
    )
    if letter.html:
        message.attach_alternative(letter.html, "text/html")
    return message


def _not_sent(error: Exception) -> NotSent:
    match error:
        case smtplib.SMTPRecipientsRefused():
            code = min((answer[0] for answer in error.recipients.values()), default=PERMANENT)
            return _by_code(code, Fate.NEVER)
        case smtplib.SMTPAuthenticationError() | smtplib.SMTPSenderRefused():
            return _by_code(error.smtp_code, Fate.BROKEN)
        case smtplib.SMTPDataError():
            return _by_code(error.smtp_code, Fate.NEVER)
        case smtplib.SMTPNotSupportedError():
            return NotSent(Fate.BROKEN, "not_supported")
        case smtplib.SMTPResponseException():
            return NotSent(Fate.LATER, f"smtp_{error.smtp_code}")
        case smtplib.SMTPServerDisconnected():
            return NotSent(Fate.LATER, "disconnected")
        case TimeoutError():
            return NotSent(Fate.LATER, "timeout")
        case OSError():
            return NotSent(Fate.LATER, "unreachable")
        case _:
            return NotSent(Fate.LATER, "unexpected")


def _by_code(code: int, permanent: Fate) -> NotSent:
    fate = permanent if code >= PERMANENT else Fate.LATER
    return NotSent(fate, f"smtp_{code}")
