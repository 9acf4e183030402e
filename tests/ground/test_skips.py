"""A test that did not run is a failure in CI, and only there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from handoff.embedded import BASE_DIR
from tests import skips

SUITE = """
import pytest

def test_runs():
    pass

@pytest.mark.skipif(True, reason="no browser here")
def test_skipped():
    pass

@pytest.mark.xfail(reason="known")
def test_expected():
    assert False
"""


def run_suite(folder: Path, *arguments: str, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_some.py").write_text(SUITE)
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.skips", "-p", "no:django", "-q", *arguments],
        cwd=folder,
        env=environ | {"CI": ci, "PYTHONPATH": str(BASE_DIR)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_skip_fails_ci_and_is_named(tmp_path: Path, workers: tuple[str, ...]) -> None:
    result = run_suite(tmp_path, *workers, ci="true")
    assert result.returncode == 1, result.stdout
    assert "test_some.py::test_skipped: Skipped: no browser here" in result.stdout
    assert "1 passed, 1 skipped, 1 xfailed" in result.stdout.splitlines()[-1]


def test_elsewhere_it_is_only_listed(tmp_path: Path) -> None:
    assert run_suite(tmp_path, ci="").returncode == 0


def test_the_list_names_tests_that_exist() -> None:
    for name in skips.ALLOWED:
        path, _, test = name.partition("::")
        assert test.split("[")[0] in (BASE_DIR / path).read_text(), name
