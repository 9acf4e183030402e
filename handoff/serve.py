"""`make run`: everything the product needs, on one machine, until Ctrl-C.

    python -m handoff.serve          start, watch, stop
    python -m handoff.serve reset    stop, and throw the embedded data away

Children write to var/log/ and not to the terminal, so that the address stays in sight. Each child
leads a process group of its own, which ends as a whole; on Linux children also end when this
process is killed outright.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from handoff import embedded, env
from handoff.embedded import BASE_DIR, EmbeddedError

HOST = "127.0.0.1"  # the demo's passwords are known: never on other interfaces
ANSWER_SECONDS = 90
STOP_SECONDS = 8
RESTARTS = 5  # of one child within RESTART_SECONDS; after that something is really wrong
RESTART_SECONDS = 60
LOG_BYTES = 5_000_000
HEARTBEAT_SECONDS = 150  # without a sign of life from the worker: it is alive, but deaf
LOGINS = (
    ("physical therapist", "pt@example.org"),
    ("trainer", "trainer@example.org"),
    ("client", "client@example.org"),
    ("guardian of a minor", "guardian@example.org"),
    ("administrator", "admin@example.org"),
)


class Refused(RuntimeError):
    """Cannot start or go on; the message is one line for a person."""


class Stop(BaseException):
    """Somebody wants us to end."""


@dataclass
class Child:
    """One program that is kept running."""

    name: str
    command: list[str]
    environ: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: list[float] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return BASE_DIR / "var" / "log" / f"{self.name}.log"

    def start(self) -> None:
        now = time.monotonic()
        self.started = [at for at in self.started if now - at < RESTART_SECONDS]
        if len(self.started) >= RESTARTS:
            raise Refused(f"{self.name} keeps stopping: {last_line(self.log)} (see {self.log})")
        self.started.append(now)
        # With servers of somebody's own, nothing else has made this folder.
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_BYTES:
                self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=BASE_DIR,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=embedded.dying_with_parent(signal.SIGTERM),
            )

    def signal(self, number: signal.Signals) -> None:
        """To the leader, who tells its own children; force goes to the whole group."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)

    def ended(self) -> int | None:
        return None if self.process is None else self.process.poll()


def children(environ: dict[str, str], port: int) -> list[Child]:
    python = sys.executable
    web = [python, "-m", "gunicorn", "-c", "handoff/gunicorn.py", "--bind", f"{HOST}:{port}"]
    web += ["--graceful-timeout", str(STOP_SECONDS - 2)]
    celery = [python, "-m", "celery", "-A", "handoff.celery:app"]
    worker = [*celery, "worker", "-Q", "default,mail", "-c", "2", "-l", "INFO"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    beat = [*celery, "beat", "-l", "WARNING", "--pidfile="]
    quiet = with_role(environ, "WORKER_DATABASE_URL")
    if os.geteuid() == 0:
        # Who runs this as root knows it. Dropping rights here would lock the worker out of a
        # checkout in root's home; production's image runs as a user of its own.
        quiet["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser privileges"
    return [
        Child("web", web, with_role(environ, "WEB_DATABASE_URL") | {"HANDOFF_PROCESS": "web"}),
        Child("worker", worker, quiet | {"HANDOFF_PROCESS": "worker"}),
        Child("beat", beat, quiet | {"HANDOFF_PROCESS": "command"}),
    ]


def with_role(environ: dict[str, str], name: str) -> dict[str, str]:
    """The environment of a child that has the database rights of its own role.

    With a database of somebody's own, `name` may be set as well; else all use the one address.
    """
    address = environ.get(name)
    return environ | {"DATABASE_URL": address} if address else dict(environ)


# --- start, watch, stop ------------------------------------------------------------------------


def serve() -> None:
    port = wanted_port()
    os.environ.setdefault("DEMO", "1")
    os.environ["PORT"] = str(port)
    with the_only_one(port):
        taken = socket.socket()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((HOST, port))
        except OSError:
            raise Refused(f"port {port} is taken: try PORT={port + 1} make run") from None
        finally:
            taken.close()
        say("Starting ...")
        with embedded.shared(embedded.wanted(os.environ)) as servers:
            environ = os.environ | servers.addresses
            running = children(environ, port)
            try:
                web, *others = running
                web.start()  # loads while the database is prepared; nobody knows the address yet
                prepare(environ)
                wait_for_answer(web, port)
                greet(port)
                for child in others:  # only now, so that the first page does not wait for them
                    child.start()
                watch(running, servers, port)
            finally:
                stop(running)


def prepare(environ: dict[str, str]) -> None:
    """Migrate; load the demo cast into an empty database."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "prepare"],
        cwd=BASE_DIR,
        env=environ,
        preexec_fn=embedded.dying_with_parent(signal.SIGTERM),
    )
    try:
        if process.wait() != 0:
            raise Refused("the database could not be prepared: see the lines above")
    finally:
        process.kill()
        process.wait()


def wait_for_answer(web: Child, port: int) -> None:
    end = time.monotonic() + ANSWER_SECONDS
    while not answers(port, "/readyz"):
        if web.ended() is not None:
            raise Refused(f"{web.name} did not start: {last_line(web.log)}")
        if time.monotonic() > end:
            raise Refused(f"no answer after {ANSWER_SECONDS} s: see {web.log}")
        time.sleep(0.2)


def watch(running: list[Child], servers: embedded.Attached, port: int) -> None:
    """Keep everything running until a signal, a vanished `make`, or one failure too many."""
    make = os.getppid() if os.environ.get("MAKELEVEL") else None
    listens = make is not None and catches_interrupts(make)  # not when it runs in the background
    turn = 0
    while True:
        time.sleep(1)
        turn += 1
        if make is not None and os.getppid() != make:
            raise Stop
        if make is not None and listens and not catches_interrupts(make):
            raise Stop
        for server in servers.revive():
            say(f"{server} had stopped and was started again")
        for child in running:
            code = child.ended()
            if code is not None:
                say(f"{child.name} stopped ({code}) and is started again; see {child.log}")
                child.signal(signal.SIGKILL)  # what is left of its group
                child.start()
        if turn % 30 == 0 and worker_is_deaf(port):
            worker = next(child for child in running if child.name == "worker")
            if worker.process is not None and time.monotonic() - worker.started[-1] > 180:
                say("the worker no longer hears its queue and is started again")
                worker.signal(signal.SIGKILL)


def catches_interrupts(make: int) -> bool:
    """Whether `make` still waits for a Ctrl-C. Once it got one, its handler is gone.

    A terminal signals the whole group, and we hear it ourselves; `kill -INT` on make, as scripts
    do, reaches make alone, which then only waits for us.
    """
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path(f"/proc/{make}/status").read_text().splitlines()
        name = next(line for line in lines if line.startswith("Name:")).split()[1]
        caught = next(line for line in lines if line.startswith("SigCgt:")).split()[1]
        return "make" in name and bool(int(caught, 16) & (1 << (signal.SIGINT - 1)))
    return False


def worker_is_deaf(port: int) -> bool:
    with contextlib.suppress(OSError, ValueError, urllib.error.URLError):
        with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=10) as answer:
            age = json.load(answer).get("worker_seconds")
        return age is not None and age > HEARTBEAT_SECONDS
    return False


def stop(running: list[Child]) -> None:
    """Ask, wait, force. A second signal while waiting forces at once."""
    with contextlib.suppress(Stop):
        for child in reversed(running):
            child.signal(signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        while any(c.process and c.ended() is None for c in running) and time.monotonic() < end:
            time.sleep(0.05)
    for child in running:
        child.signal(signal.SIGKILL)
        if child.process is not None:
            child.process.wait()


# --- small things ------------------------------------------------------------------------------


def wanted_port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Refused("PORT must be a number from 1 to 65535")
    return int(text)


@contextlib.contextmanager
def the_only_one(port: int) -> Iterator[None]:
    """Hold this checkout's `make run` lock; the file tells others who we are."""
    path = BASE_DIR / "var" / "serve.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("a+") as file:
        if not embedded.alone(file):
            raise Refused(f"make run is already running in this folder: {path.read_text().strip()}")
        file.truncate(0)
        file.write(f"process {os.getpid()} on port {port}\n")
        file.flush()
        yield


def greet(port: int) -> None:
    say("")
    say(f"  Handoff answers at  http://localhost:{port}/")
    if os.environ.get("DEMO") == "1":
        say("  Demo logins (password of all: handoff-demo):")
        for who, address in LOGINS:
            say(f"    {address:<24}{who}")
        say("  Mail goes to var/mail/, logs to var/log/.")
    say("  Ctrl-C stops everything; the data is kept.")
    say("")


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def last_line(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()
        if lines:
            return lines[-1][:300]
    return "no word in its log"


def say(line: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone already
        print(line, flush=True)


def reset() -> None:
    """Stop this checkout's `make run` and remove its embedded data and its mail."""
    lock = BASE_DIR / "var" / "serve.lock"
    if lock.exists():
        with lock.open("a+") as file:
            if not embedded.alone(file):
                words = lock.read_text().split()
                if len(words) > 1 and words[1].isdigit():
                    say("Stopping make run ...")
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(words[1]), signal.SIGTERM)
                end = time.monotonic() + 2 * STOP_SECONDS + 15
                while not embedded.alone(file):
                    if time.monotonic() > end:
                        raise Refused("make run does not stop: end it first")
                    time.sleep(0.1)
            fcntl.flock(file, fcntl.LOCK_UN)
    embedded.throw_away_data()
    shutil.rmtree(BASE_DIR / "var" / "mail", ignore_errors=True)
    if not os.environ.get("DATABASE_URL"):
        # What was witnessed of the embedded database goes with it: to a new one it would say that
        # entries are missing, and the house would be held.
        shutil.rmtree(BASE_DIR / "var" / "witness", ignore_errors=True)
    say("The embedded data and the demo mail are gone; make run starts afresh.")


def main() -> None:
    def ask(_number: int, _frame: object) -> None:
        raise Stop

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)
    try:
        env.read_file(BASE_DIR / ".env")
        if sys.argv[1:] == ["reset"]:
            reset()
        elif not sys.argv[1:]:
            serve()
        else:
            sys.exit("usage: python -m handoff.serve [reset]")
    except Stop:
        say("Stopped.")
    except (Refused, EmbeddedError, ImproperlyConfigured) as error:
        sys.exit(f"make run: {error}")


if __name__ == "__main__":
    main()
