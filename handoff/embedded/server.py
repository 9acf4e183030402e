"""One server process: find a live one, start it, stop it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from handoff.embedded.places import EmbeddedError, Place

START_SECONDS = 60
STOP_SECONDS = 15


def command_of(pid: int) -> str | None:
    """The command line of a live process; None when it is gone or a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        return None if state in "ZX" else line
    except OSError:
        if Path("/proc/self").exists():
            return None
    shown = subprocess.run(
        ["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return None if not shown or shown.startswith("Z") else shown


def dying_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """For `preexec_fn`, on Linux: the child gets the signal when its starter dies, even by
    kill -9. Everything is loaded here: after the fork the child may not be allowed to."""
    if sys.platform != "linux":
        return None
    libc, set_parent_death_signal = ctypes.CDLL(None), 1
    return lambda: libc.prctl(set_parent_death_signal, int(number))


class Server:
    """One server process: find a live one, start, stop. Subclasses say how."""

    name = ""
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGKILL)

    def __init__(self, place: Place, *, throwaway: bool) -> None:
        self.place = place
        self.account = place.account
        self.throwaway = throwaway
        self.process: subprocess.Popen[bytes] | None = None
        self.log = place.logs / f"{self.name}.log"

    def pid(self) -> int | None:
        """The process id of a live server of exactly this place."""
        try:
            pid = int(self.pid_file().read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        if self.process is not None:
            self.process.poll()  # reaps our own dead child
        command = command_of(pid)
        return pid if command and self.mark() in command else None

    def start(self) -> None:
        clean = self.stop()
        self.prepare()
        # What a killed server left running (PostgreSQL's own children) ends by itself, but needs a
        # moment; until then a new server refuses to start.
        patience = time.monotonic() + (0 if clean else 10)
        while not self.started():
            self.stop()
            if time.monotonic() > patience:
                raise EmbeddedError(f"{self.name} did not start: {self.last_words()}")
            time.sleep(0.3)

    def started(self) -> bool:
        with self.log.open("ab") as log:
            self.process = self.spawn(self.command(), log)
        end = time.monotonic() + START_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def stop(self) -> bool:
        """End a live server and clear away a dead one; whether there was nothing to clear."""
        for number in self.stop_signals:
            pid = self.pid()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            end = time.monotonic() + STOP_SECONDS
            while self.pid() is not None and time.monotonic() < end:
                time.sleep(0.01)
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
            self.process = None
        left_behind = self.pid_file().exists()
        self.pid_file().unlink(missing_ok=True)  # a dead server's; else it blocks the next start
        return not left_behind

    def spawn(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd="/",
            env={"PATH": os.defpath, "HOME": "/", "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=dying_with_parent(signal.SIGINT) if self.throwaway else None,
            **self.account.drop,
        )

    def last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()[-20:]
            fatal = [line for line in lines if "FATAL" in line or "error" in line.lower()]
            if lines:
                return f"{(fatal or lines)[-1]} (see {self.log})"
        return f"see {self.log}"

    def pid_file(self) -> Path:
        raise NotImplementedError

    def mark(self) -> str:
        """What only this server's command line contains."""
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def prepare(self) -> None:
        raise NotImplementedError

    def ready(self) -> bool:
        raise NotImplementedError

    def url(self) -> str:
        raise NotImplementedError
