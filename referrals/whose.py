"""Whose rows: the clients behind ids, for work that begins with ids and not with a person.

Answered by functions of the database that may look past row-level security and tell ids of clients,
nothing else. What they answer goes straight into `handoff.core.subjects`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

Ids = Iterable[UUID]


def clients_behind(
    *, referrals: Ids = (), consents: Ids = (), episodes: Ids = (), restrictions: Ids = ()
) -> frozenset[UUID]:
    """The clients that these rows are about."""
    ids = [list(each) for each in (referrals, consents, episodes, restrictions)]
    if not any(ids):
        return frozenset()
    return _answer("SELECT handoff_clients_behind(%s, %s, %s, %s)", ids)


def clients_between(low: UUID, high: UUID) -> frozenset[UUID]:
    """The clients of all referrals, episodes and restrictions with ids from `low` up to `high`."""
    return _answer("SELECT handoff_clients_between(%s, %s)", [low, high])


def all_clients() -> frozenset[UUID]:
    """The clients of all referrals, episodes and restrictions: for the administration's queues."""
    return clients_between(UUID(int=0), UUID(int=2**128 - 1))


def clients_of_letter(letter_id: UUID) -> frozenset[UUID]:
    """The client of one letter; nobody where there is no such letter."""
    return _answer("SELECT handoff_clients_of_letter(%s)", [letter_id])


def clients_of_note(note_id: UUID) -> frozenset[UUID]:
    """The client of one discharge note; nobody where there is no such note."""
    return _answer("SELECT handoff_clients_of_note(%s)", [note_id])


def clients_waiting(states: Iterable[str], *, since_before: datetime) -> frozenset[UUID]:
    """The clients of referrals that have been in one of these states since before a moment."""
    return _answer("SELECT handoff_clients_waiting(%s, %s)", [list(states), since_before])


def _answer(sql: str, params: list[Any]) -> frozenset[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        (found,) = cursor.fetchone()
    return frozenset(found or ())
