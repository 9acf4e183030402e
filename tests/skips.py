"""Pytest plugin: in CI a test that did not run is a failure, unless it is named here.

Otherwise a missing browser or server quietly takes its tests away, and green means nothing.
"""

from __future__ import annotations

import os

import pytest

# Beginning of the test's id -> why it may be skipped in CI.
ALLOWED: dict[str, str] = {
    "tests/referrals/test_fhir_bundle.py::test_synthea": "the bundles are not in this repository",
    "tests/referrals/test_fhir_import.py::test_the_command_imports_bundles_made_by_synthea": (
        "the bundles are not in this repository"
    ),
}

_skipped: dict[str, str] = {}


def unexpected(skipped: dict[str, str]) -> dict[str, str]:
    """The skipped tests that nobody allowed, with the reason they gave."""
    return {
        name: reason
        for name, reason in skipped.items()
        if not any(name.startswith(allowed) for allowed in ALLOWED)
    }


def _note(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        told = report.longrepr
        _skipped[report.nodeid] = told[2] if isinstance(told, tuple) else str(told)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    _note(report)


def _counts(config: pytest.Config) -> bool:
    return bool(os.environ.get("CI")) and not hasattr(config, "workerinput")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _counts(session.config) and unexpected(_skipped) and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    found = unexpected(_skipped) if _counts(config) else {}
    if found:
        terminalreporter.section("skipped although this is CI: a failure", red=True)
        for name, reason in sorted(found.items()):
            terminalreporter.line(f"{name}: {reason}")
