"""A small SMTP server for tests that behaves as badly as it is told to."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, NoReturn

from django.core.mail.backends.base import BaseEmailBackend


@dataclass
class Manners:
    """How the server answers. It can hang at a verb, or at the final dot ("DOT")."""

    greeting: str = "220 test"
    recipient: str = "250 ok"
    recipients: dict[str, str] = field(default_factory=dict)
    sender: str = "250 ok"
    content: str = "250 taken"
    silent: bool = False
    hang_at: str = ""
    pause_seconds: float = 0
    drop_after_data: bool = False
    login: str = ""
    """With a text, log-in is offered and answered so."""


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        manners = self.server.manners
        self.server.connections += 1
        if manners.silent:
            self.server.released.wait(30)
            return
        self._say(manners.greeting)
        if not manners.greeting.startswith("220"):
            return
        to: list[str] = []
        while line := self.rfile.readline():
            words = line.decode("ascii", "replace").strip()
            verb = words[:4].upper()
            if manners.hang_at == verb:
                self.server.hanging.set()
                self.server.released.wait(30)
                return
            match verb:
                case "EHLO" | "HELO":
                    offer = "250-test\r\n250-AUTH PLAIN\r\n250 8BITMIME"
                    self._say(offer if manners.login else "250-test\r\n250 8BITMIME")
                case "AUTH":
                    self._say(manners.login)
                case "MAIL":
                    self._say(manners.sender)
                case "RCPT":
                    address = words.partition("<")[2].partition(">")[0]
                    answer = manners.recipients.get(address, manners.recipient)
                    if answer.startswith("250"):
                        to.append(address)
                    self._say(answer)
                case "DATA":
                    self._say("354 go on")
                    self.server.take(to, self._content())
                    if manners.hang_at == "DOT":
                        self.server.hanging.set()
                        self.server.released.wait(30)
                        return
                    if manners.drop_after_data:
                        return
                    self.server.released.wait(manners.pause_seconds)
                    self._say(manners.content)
                    to = []
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 ok")

    def _content(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on a free port of this machine; what it was handed is in `letters`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, manners: Manners | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.manners = manners or Manners()
        self.letters: list[tuple[list[str], EmailMessage]] = []
        self.connections = 0
        self.released = threading.Event()
        self.hanging = threading.Event()
        self._taking = threading.Lock()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def take(self, to: list[str], content: bytes) -> None:
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        with self._taking:
            self.letters.append((list(to), message))

    @property
    def message_ids(self) -> list[str]:
        return [str(message["Message-ID"]) for _, message in self.letters]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the test."""


class BackendThatTimesOut(BaseEmailBackend):
    """A way to the server on which nothing ever arrives, not even the goodbye."""

    def open(self) -> NoReturn:
        raise TimeoutError

    def close(self) -> NoReturn:
        raise ConnectionResetError


class BackendWithABug(BaseEmailBackend):
    def send_messages(self, email_messages: Any) -> NoReturn:
        raise ZeroDivisionError


def text_of(message: EmailMessage) -> str:
    """Everything of a message that a person or a search can read: headers and all parts."""
    headers = "\n".join(f"{name}: {value}" for name, value in message.items())
    parts = [part.get_content() for part in message.walk() if not part.is_multipart()]
    return "\n".join([headers, *parts])


@contextmanager
def mail_server(manners: Manners | None = None) -> Iterator[MailServer]:
    server = MailServer(manners)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of this machine on which nobody listens, kept from others while it is needed."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
