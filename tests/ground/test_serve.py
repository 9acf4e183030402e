"""`make run` as a whole, in a folder of its own: it starts, is killed in parts, and stops."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from handoff import embedded, serve
from tests.ground.checkout import (
    bare_environment,
    copy_of_project,
    none_left,
    processes_of,
    python,
)

MARKS = ("handoff.wsgi", "handoff.celery:app", "handoff.serve", "handoff/gunicorn.py")
DEMO = {"SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="handoff-serve-", dir="/tmp"))
    folder.chmod(0o755)
    yield copy_of_project(folder)
    for pid in processes_in(folder):
        os.kill(pid, signal.SIGKILL)
    code = "from handoff.embedded import places; print(places.Place.for_run().sockets)"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    shutil.rmtree(shown.stdout.strip(), ignore_errors=True)
    shutil.rmtree(folder)


def processes_in(folder: Path) -> list[int]:
    """Everything that works in this folder or serves its data."""
    found = [int(line.split()[0]) for line in processes_of(f"{folder}/")]
    for line in processes_of(*MARKS):
        pid = int(line.split()[0])
        try:
            if Path(os.readlink(f"/proc/{pid}/cwd")) == folder:
                found.append(pid)
        except OSError:
            continue
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status(port: int, path: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return int(answer.status)


def until_greeted(process: subprocess.Popen[str]) -> str:
    """Read what the terminal shows up to the address and the logins."""
    assert process.stdout is not None
    shown = ""
    for line in process.stdout:
        shown += str(line)
        if "Ctrl-C stops everything" in line:
            return shown
    raise AssertionError(f"ended without an address:\n{shown}")


def test_it_starts_is_repaired_and_stops(checkout: Path) -> None:
    port = free_port()
    with python(checkout, "-m", "handoff.serve", PORT=str(port), **DEMO) as running:
        shown = until_greeted(running)
        assert f"http://localhost:{port}/" in shown
        assert "pt@example.org" in shown
        assert status(port, "/readyz") == 200
        assert status(port, "/accounts/login/") == 200
        # A second one in the same folder, and one on the same port, say so in one line.
        assert refusal(checkout, free_port()) == (
            f"make run: make run is already running in this folder: "
            f"process {running.pid} on port {port}"
        )
        # Parts that die come back.
        victims = [line for line in processes_of("handoff/gunicorn.py") if str(port) in line]
        for line in victims:
            os.kill(int(line.split()[0]), signal.SIGKILL)
        assert victims
        assert_answers_again(port)
        # Killed outright: its children do not go on without it.
        running.kill()
        running.wait()
    assert none_left(f"127.0.0.1:{port}", seconds=20)

    # The next start finds the orphaned servers and the data, and a signal ends everything.
    with python(checkout, "-m", "handoff.serve", PORT=str(port), **DEMO) as running:
        assert "Loading the demo cast" not in until_greeted(running)
        assert status(port, "/readyz") == 200
        running.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert running.wait(30) == 0
        assert time.monotonic() - began < 20
    assert not processes_in(checkout)


def test_with_servers_from_the_environment_it_starts_in_a_fresh_checkout(tmp_path: Path) -> None:
    checkout, port = copy_of_project(tmp_path), free_port()
    servers = embedded.ThrowAway(embedded.wanted({}))
    try:
        with python(
            checkout, "-m", "handoff.serve", PORT=str(port), **DEMO, **servers.start()
        ) as running:
            until_greeted(running)
            assert status(port, "/readyz") == 200
            running.send_signal(signal.SIGINT)
            assert running.wait(30) == 0
    finally:
        servers.stop()
    assert not (checkout / "var" / "embedded").exists()
    assert not processes_in(checkout)


def assert_answers_again(port: int) -> None:
    end = time.monotonic() + 45
    while True:
        try:
            assert status(port, "/healthz") == 200
            return
        except OSError:
            assert time.monotonic() < end, "the web server did not come back"
            time.sleep(0.2)


def refusal(checkout: Path, port: int, **environ: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "handoff.serve"],
        cwd=checkout,
        env=bare_environment(PYTHONPATH=str(checkout), PORT=str(port), **DEMO, **environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.strip().count("\n") == 0
    return result.stderr.strip()


def test_a_taken_port_is_told_in_one_line(checkout: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert refusal(checkout, port).startswith(f"make run: port {port} is taken")
    assert not processes_in(checkout)


@pytest.mark.parametrize("port", ["0", "65536"])
def test_a_senseless_port_is_told_in_one_line(checkout: Path, port: str) -> None:
    assert "PORT must be a number" in refusal(checkout, int(port))


@pytest.mark.parametrize("database", ["", "postgresql://elsewhere/handoff"])
def test_reset_throws_away_what_was_witnessed_of_the_embedded_database_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    """To a new database the old witness would say that entries are missing."""
    monkeypatch.setattr(serve, "BASE_DIR", tmp_path)
    monkeypatch.setattr(embedded, "throw_away_data", lambda: None)
    monkeypatch.setenv("DATABASE_URL", database)
    for name in ("mail", "witness"):
        (tmp_path / "var" / name).mkdir(parents=True)
    serve.reset()
    left = {each.name for each in (tmp_path / "var").iterdir()}
    assert left == ({"witness"} if database else set())
