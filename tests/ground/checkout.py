"""A folder that looks like another checkout, and processes in it that are always ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from handoff.embedded import BASE_DIR

# What the suite itself runs under must not reach the processes under test.
OURS = (
    "DATABASE_URL",
    "WEB_DATABASE_URL",
    "WORKER_DATABASE_URL",
    "REDIS_URL",
    "ANCHOR_FILE",
    "REVOCATION_JOURNAL",
    "HANDOFF_PROCESS",
    "HANDOFF_ENV_FILE",
    "SECRET_KEY",
    "SITE_URL",
    "DEMO",
    "PORT",
    "MAKELEVEL",
    "MAKEFLAGS",
    "DJANGO_SETTINGS_MODULE",
)


def bare_environment(**more: str) -> dict[str, str]:
    """The environment of somebody who has set nothing."""
    left_out = (*OURS, "PYTEST_", "COV_CORE_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    return kept | more


def copy_of_launcher(folder: Path) -> Path:
    """Only what starts the servers: enough of a checkout for their tests."""
    shutil.copytree(
        BASE_DIR / "handoff" / "embedded",
        folder / "handoff" / "embedded",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (folder / "handoff" / "__init__.py").touch()
    return folder


def copy_of_project(folder: Path) -> Path:
    """All the code as it stands, without data, without `.env`."""
    for name in ("handoff", "clients", "referrals", "templates", "docs"):
        if (BASE_DIR / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "screens")
            shutil.copytree(BASE_DIR / name, folder / name, ignore=ignore)
    shutil.copy(BASE_DIR / "manage.py", folder)
    return folder


@contextmanager
def python(folder: Path, *arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """Run Python in the folder; whatever the test does, the process is gone afterwards."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=bare_environment(PYTHONPATH=str(folder), **environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def processes_of(*marks: str | Path) -> list[str]:
    """The live processes whose command line holds one of the marks."""
    listed = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [
        line
        for line in listed
        if any(str(mark) in line for mark in marks) and line.split()[1][0] != "Z"
    ]


def none_left(*marks: str | Path, seconds: float = 10) -> bool:
    """Whether no such process is left, now or within a moment."""
    end = time.monotonic() + seconds
    while processes_of(*marks):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
