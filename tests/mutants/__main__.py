"""`make mutants`: apply each change of `changes.py` to a copy, and see a test fail.

A change that no test notices has survived, and the command fails and names it. `make mutants
ONLY=permits` looks at the modules whose path holds that word. Nothing is changed in this checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

from handoff import embedded
from handoff.embedded import BASE_DIR
from tests.mutants.changes import MODULES, Change, Module

FAILED = 1
"""pytest's exit code when tests ran and some failed; any other says nothing about the change."""
SECONDS = 300


class Copy:
    """A copy of the tracked files, with servers of its own; one change at a time is made in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=BASE_DIR,
            capture_output=True,
            check=True,
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (BASE_DIR / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(BASE_DIR / name, folder / name)
        self.servers = embedded.ThrowAway(embedded.wanted({}))
        self.environ = {**os.environ, **self.servers.start(), "HYPOTHESIS_PROFILE": "dev", "CI": ""}

    def test(self, module: Module) -> int:
        """Run the module's tests until one fails; pytest's exit code."""
        options = ["-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", "--reuse-db"]
        return subprocess.run(
            [sys.executable, "-m", "pytest", *options, *module.tests],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        ).returncode

    @contextmanager
    def changed(self, module: Module, change: Change) -> Iterator[None]:
        """The module with the change, and afterwards as it was."""
        path = self.folder / module.path
        as_it_was = path.read_text()
        path.write_text(as_it_was.replace(change.before, change.after, 1))
        try:
            yield
        finally:
            path.write_text(as_it_was)


def judge(copies: Queue[Copy], module: Module, change: Change | None) -> str:
    """What became of one change; without one, whether the module's tests pass as they are."""
    copy = copies.get()
    try:
        if change is None:
            return "" if copy.test(module) == 0 else f"{module.path}: its tests fail unchanged"
        with copy.changed(module, change):
            code = copy.test(module)
    finally:
        copies.put(copy)
    if code == FAILED:
        print(f"killed    {module.path}: {change.wrong}", flush=True)
        return ""
    word = "survived" if code == 0 else f"broken ({code})"
    return f"{word}: {module.path}: {change.wrong}"


def main() -> int:
    only = os.environ.get("ONLY", "")
    modules = [module for module in MODULES if only in module.path]
    work: list[tuple[Module, Change | None]] = [(module, None) for module in modules]
    work += [(module, change) for module in modules for change in module.changes]
    cores = os.cpu_count() or 1
    copies: Queue[Copy] = Queue()
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(cores) as pool:
        for number in range(cores):
            copies.put(Copy(Path(place) / str(number)))
        try:
            results = pool.map(lambda item: judge(copies, *item), work)
            bad = [result for result in results if result]
        finally:
            for copy in list(copies.queue):
                copy.servers.stop()
    print(*bad, sep="\n")
    changes = len(work) - len(modules)
    print(f"{changes} changes to {len(modules)} modules, {len(bad)} not noticed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
