"""The lasting servers of a checkout, shared by all its processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from handoff.embedded.places import EmbeddedError, Place
from handoff.embedded.postgres import Postgres
from handoff.embedded.server import Server
from handoff.embedded.valkey import Valkey


def wanted(environ: Mapping[str, str]) -> list[type[Server]]:
    """The servers the environment does not name."""
    missing: list[type[Server]] = []
    if not environ.get("DATABASE_URL") and not environ.get("DATABASE_URL_FILE"):
        missing.append(Postgres)
    if not environ.get("REDIS_URL") and not environ.get("REDIS_URL_FILE"):
        missing.append(Valkey)
    return missing


def address(server: Server) -> dict[str, str]:
    if isinstance(server, Postgres):
        return server.ensure_database()
    return {"REDIS_URL": server.url()}


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def alone(file: IO[str]) -> bool:
    """Try to hold the users' lock exclusively."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Attached:
    """The servers a process uses, and the addresses it did not have before."""

    servers: list[Server]
    addresses: dict[str, str]
    gate: Path

    def revive(self) -> list[str]:
        """Start again what has died under us; the names of those."""
        dead = [server for server in self.servers if not server.ready()]
        if not dead:
            return []
        with locked(self.gate):
            dead = [server for server in dead if not server.ready()]
            for server in dead:
                server.start()
        return [server.name for server in dead]


@contextlib.contextmanager
def shared(kinds: list[type[Server]]) -> Iterator[Attached]:
    """This checkout's lasting servers, started by the first user and stopped by the last."""
    if not kinds:
        yield Attached([], {}, Path())
        return
    place = Place.for_run()
    servers = [kind(place, throwaway=False) for kind in kinds]
    gate = place.home / "gate.lock"  # held while deciding to start or to stop
    with (place.home / "users.lock").open("a") as users:
        with locked(gate):
            if alone(users):
                stop_all(every_server(place))  # of somebody who was killed
            try:
                for server in servers:
                    if not server.ready():
                        server.start()
                addresses = {k: v for server in servers for k, v in address(server).items()}
            except BaseException:
                if alone(users):
                    stop_all(every_server(place))
                raise
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield Attached(servers, addresses, gate)
        finally:
            with locked(gate):
                if alone(users):
                    stop_all(every_server(place))


def every_server(place: Place, *, throwaway: bool = False) -> list[Server]:
    return [kind(place, throwaway=throwaway) for kind in (Postgres, Valkey)]


def throw_away_data() -> None:
    """Remove this checkout's lasting data; refused while somebody uses it."""
    place = Place.for_run()
    with locked(place.home / "gate.lock"), (place.home / "users.lock").open("a") as users:
        if not alone(users):
            raise EmbeddedError("a command still uses the embedded servers: end it first")
        stop_all(every_server(place))
        (place.home / "postgres.password").unlink(missing_ok=True)
        for folder in {place.data / "postgres", place.data / "postgres.new", place.sockets}:
            shutil.rmtree(folder, ignore_errors=True)


def stop_all(servers: list[Server]) -> None:
    for server in reversed(servers):
        server.stop()


def on_termination(act: Callable[[int], None]) -> None:
    """Run `act` for the signals that would otherwise end us without any clean-up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: act(received))


@contextlib.contextmanager
def for_command() -> Iterator[None]:
    """Servers for one management command: those of `make run`, or started for its duration."""
    kinds = wanted(os.environ)
    if kinds:
        on_termination(lambda number: sys.exit(128 + number))
    with shared(kinds) as attached:
        os.environ.update(attached.addresses)
        yield
