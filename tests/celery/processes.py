"""A real Celery worker and a real beat, as processes of their own, on the test's servers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from django.db import connection

from handoff.core import roles

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90  # a busy machine is slow to import
CELERY = [sys.executable, "-m", "celery", "-A", "handoff.celery:app"]


def environment(**more: str) -> dict[str, str]:
    """The test's own servers and database, for a process that is not the test."""
    # The server of the tests may be somebody's own: then the rights are taken on, not logged in to.
    url = urlsplit(os.environ["DATABASE_URL"])
    query = "&".join(part for part in (url.query, f"options=-c%20role%3D{roles.WORKER}") if part)
    database = quote(str(connection.settings_dict["NAME"]))
    return {
        **os.environ,
        "DATABASE_URL": url._replace(path=f"/{database}", query=query).geturl(),
        # Whoever runs the suite as root knows it.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        **more,
    }


@dataclass
class Running:
    """One process of ours and what it wrote."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def words(self) -> str:
        return self.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """Pids of the processes it has forked."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        found: set[int] = set()
        for task in tasks.iterdir():
            found.update(int(pid) for pid in (task / "children").read_text().split())
        return sorted(found)

    def kill_all(self) -> None:
        """kill -9, it and its children: no goodbye, no clean-up."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)


@contextlib.contextmanager
def running(
    name: str, words: list[str], folder: Path, environ: dict[str, str]
) -> Iterator[Running]:
    log = folder / f"{name}-{time.monotonic_ns()}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*CELERY, *words],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    started = Running(process, log)
    try:
        yield started
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
        started.kill_all()


@contextlib.contextmanager
def worker(folder: Path, processes: int = 1, **more: str) -> Iterator[Running]:
    """A worker on both queues, once it is ready to take tasks."""
    words = ["worker", "-Q", "default,mail", "-c", str(processes), "-l", "INFO"]
    words += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    with running("worker", words, folder, environment(HANDOFF_PROCESS="worker", **more)) as started:
        until(lambda: " ready." in started.words, seconds=START_SECONDS, else_show=started)
        yield started


@contextlib.contextmanager
def beat(folder: Path, **more: str) -> Iterator[Running]:
    words = ["beat", "-l", "INFO", "--pidfile="]
    with running("beat", words, folder, environment(HANDOFF_PROCESS="command", **more)) as started:
        yield started


def until(
    true: Callable[[], object], *, seconds: float = 30, else_show: Running | None = None
) -> None:
    """Wait for something that other processes bring about."""
    ends = time.monotonic() + seconds
    while not true():
        if else_show is not None and else_show.process.poll() is not None:
            raise AssertionError(f"it has ended: {else_show.words[-3000:]}")
        if time.monotonic() > ends:
            shown = else_show.words[-3000:] if else_show else ""
            raise AssertionError(f"not within {seconds} s. {shown}")
        time.sleep(0.1)
