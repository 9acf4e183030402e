"""Servers for one test session."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from handoff.embedded.places import Account, EmbeddedError, Place
from handoff.embedded.server import Server
from handoff.embedded.sharing import address, alone, every_server, stop_all

FOLDER = "/tmp"  # noqa: S108 (short enough for sockets; mkdtemp makes a folder of our own)


class ThrowAway:
    """Servers for one test session, in a folder of their own that goes with them."""

    PREFIX = f"handoff-test-{os.geteuid()}-"

    def __init__(self, kinds: list[type[Server]]) -> None:
        self.sweep()
        self.root = Path(tempfile.mkdtemp(prefix=self.PREFIX, dir=FOLDER))
        self.lock = (self.root / "lock.new").open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        (self.root / "lock.new").rename(self.root / "lock")  # visible only once held: see sweep
        place = Place.throw_away(self.root)
        self.servers = [kind(place, throwaway=True) for kind in kinds]
        self.environ: dict[str, str] = {}

    def start(self) -> dict[str, str]:
        try:
            for server in self.servers:
                server.start()
                self.environ |= address(server)
        except BaseException:
            self.stop()
            raise
        return self.environ

    def stop(self) -> None:
        stop_all(self.servers)
        self.lock.close()
        shutil.rmtree(self.root, ignore_errors=True)

    @classmethod
    def sweep(cls) -> None:
        """Stop and remove what killed sessions of ours left behind."""
        for lock in Path(FOLDER).glob(f"{cls.PREFIX}*/lock"):
            with contextlib.suppress(OSError, EmbeddedError):
                if lock.parent.lstat().st_uid != os.geteuid() or lock.parent.is_symlink():
                    continue
                with lock.open("a") as file:
                    if alone(file):
                        root = lock.parent
                        place = Place(Account.current(), root, root, root, root / "log")
                        stop_all(every_server(place, throwaway=True))
                        shutil.rmtree(root, ignore_errors=True)
