"""Other databases of the test server, and the product at work on one of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import psycopg
from django.db import connection
from psycopg import sql


def url_of(name: str) -> str:
    """The address of a database of the server under test."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    return parts._replace(path=f"/{quote(name)}").geturl()


def here() -> str:
    """The name of the database that this test works on."""
    return str(connection.settings_dict["NAME"])


@contextmanager
def empty_database(name: str) -> Iterator[str]:
    """A new database with nothing in it; its address."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield url_of(name)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def at_work_on(name: str) -> Iterator[None]:
    """Everything in this process talks to another database, as after a move."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
