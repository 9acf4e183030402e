"""Whose clinical rows this request, task or command may touch: said before it touches any.

The second wall, below consent. Clinical tables are under row-level security (`docs/adr/`): without
a declaration every one of them is empty, whatever a query asks for. A declaration names clients, or
an account, which stands for all clients that account has anything to do with. It decides no
question of consent; it turns a forgotten filter into an empty page.

It is kept in a context variable, and the database engine (`handoff.core.postgres`) sets it on the
transaction, with the semantics of SET LOCAL, before the first statement that names a guarded table.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection


@dataclass(frozen=True, slots=True)
class Declared:
    """Clients by id; or the account whose clients are meant. Neither: nobody's rows."""

    clients: frozenset[UUID] = frozenset()
    account: UUID | None = None

    def settings(self) -> tuple[str, str]:
        """The values of `handoff.clients` and `handoff.account` that say this."""
        named = ",".join(sorted(str(pk) for pk in self.clients))
        return f"{{{named}}}" if named else "", str(self.account or "")


NOBODY = Declared()
_current: ContextVar[Declared] = ContextVar("declared_subjects", default=NOBODY)
_guarded: set[str] = set()
_pattern = re.compile(r"(?!)")


def guard(*tables: str) -> None:
    """Have a declaration set before statements that name one of these tables."""
    global _pattern
    _guarded.update(tables)
    _pattern = re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, _guarded)))})\b")


def guarded_tables() -> frozenset[str]:
    """The tables under row-level security."""
    return frozenset(_guarded)


def names_guarded(sql: str) -> bool:
    """Whether a statement names a guarded table."""
    return _pattern.search(sql) is not None


def declared() -> Declared:
    """What is declared here and now."""
    return _current.get()


@contextmanager
def of(*client_ids: UUID | None) -> Iterator[None]:
    """Only the rows of these clients, for the block; None is nobody, and so is no client at all."""
    token = _current.set(Declared(clients=frozenset(pk for pk in client_ids if pk is not None)))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def among(client_ids: Iterable[UUID]) -> Iterator[None]:
    """`of`, for a collection."""
    with of(*client_ids):
        yield


@contextmanager
def of_account(user_id: UUID | None) -> Iterator[None]:
    """The rows of every client this account has to do with, for the block."""
    token = enter(user_id)
    try:
        yield
    finally:
        leave(token)


def enter(user_id: UUID | None) -> "Token[Declared]":
    """`of_account` without a block, for a request whose account is found on the way."""
    return _current.set(Declared(account=user_id))


def set_now() -> None:
    """Set what is declared on the open transaction now, and not with its first guarded statement.

    For who is about to take a lock: what comes before it keeps nobody waiting.
    """
    engine: Any = connection
    engine.declare_subjects()


def leave(token: "Token[Declared]") -> None:
    """Back to what was declared before `enter`."""
    _current.reset(token)
