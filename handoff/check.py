"""`make check`: everything that can be judged without running the product.

Every step runs, also after a failure, and the last lines say which ones failed.
"""

from __future__ import annotations

import difflib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handoff import embedded, env
from handoff.embedded import BASE_DIR

CODE = ["handoff", "clients", "referrals", "tests", "manage.py"]
OPENAPI = BASE_DIR / "docs" / "openapi.yaml"
# What a production start needs; nothing here is a secret of anybody.
PRODUCTION = {
    "HANDOFF_ENV_FILE": "",
    "HANDOFF_PROCESS": "web",
    "DEMO": "",
    "DEBUG": "",
    "SECRET_KEY": secrets.token_urlsafe(60),
    "LEDGER_KEY": secrets.token_urlsafe(60),
    "FILES_KEY": secrets.token_urlsafe(60),
    "SITE_URL": "https://handoff.example",
    "DATABASE_URL": "postgresql://handoff:unused@database.invalid/handoff",
    "REDIS_URL": "redis://redis.invalid:6379/0",
    "EMAIL_URL": "smtp://mail.invalid:25",
    "MAIL_FROM": "Handoff <no-reply@handoff.example>",
    "ANCHOR_FILE": "/nowhere/anchors",
    "REVOCATION_JOURNAL": "/nowhere/journal",
}


def run(*command: str, environ: dict[str, str] | None = None) -> bool:
    words = (
        [sys.executable, "-m", *command]
        if command[0] != "manage.py"
        else [sys.executable, *command]
    )
    return subprocess.run(words, cwd=BASE_DIR, env=environ, check=False).returncode == 0


def deploy() -> bool:
    """Django's own list for production, under settings as production has them."""
    return run(
        "manage.py", "check", "--deploy", "--fail-level", "WARNING", environ=os.environ | PRODUCTION
    )


def openapi() -> bool:
    """The committed description says what the code does."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "openapi.yaml"
        command = ["spectacular", "--validate", "--fail-on-warn", "--file", str(fresh)]
        if not run("manage.py", *command):
            return False
        old = OPENAPI.read_text().splitlines() if OPENAPI.exists() else []
        new = fresh.read_text().splitlines()
    difference = list(difflib.unified_diff(old, new, "docs/openapi.yaml", "the code", lineterm=""))
    if difference:
        print(*difference[:40], "run `make openapi` and look at the difference", sep="\n")
    return not difference


def contracts() -> bool:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run([sys.executable, "-c", code], cwd=BASE_DIR, check=False).returncode == 0


def audit() -> bool:
    """Known holes in what we install. Without an answer from the registry: skipped, and said so."""
    command = ["-m", "pip_audit", "--disable-pip", "--progress-spinner", "off", "-f", "json"]
    result = subprocess.run(
        [sys.executable, *command, "-r", str(BASE_DIR / "requirements-dev.txt")],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found = json.loads(result.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = result.stderr.strip().splitlines()
        print(f"SKIPPED: no registry answered ({reason[-1][:200] if reason else 'no word'})")
        return True
    holes = [
        f"{package['name']} {package['version']}: {hole['id']}, fixed in {hole['fix_versions']}"
        for package in found
        for hole in package.get("vulns", [])
    ]
    print(*holes or [f"{len(found)} packages, no known holes"], sep="\n")
    return not holes


def risks() -> bool:
    """What bandit finds in the product, against what pyproject.toml accepts with a reason."""
    command = [
        "-m",
        "bandit",
        "-q",
        "-f",
        "json",
        "-r",
        *(each for each in CODE if each != "tests"),
    ]
    result = subprocess.run(
        [sys.executable, *command], cwd=BASE_DIR, capture_output=True, text=True, check=False
    )
    report = json.loads(result.stdout)
    findings: dict[tuple[str, str], list[str]] = {}
    for each in report["results"]:
        place = str(Path(each["filename"]))
        findings.setdefault((place, each["test_id"]), []).append(
            f"{place}:{each['line_number']}: {each['test_id']} {each['issue_text']}"
        )
    settings = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["tool"]["handoff"]
    complaints = unaccepted(findings, settings["accepted"])
    complaints += [f"{each['filename']}: {each['reason']}" for each in report["errors"]]
    print(
        *complaints or [f"{sum(map(len, findings.values()))} findings, each with a reason"],
        sep="\n",
    )
    return not complaints


def unaccepted(
    findings: dict[tuple[str, str], list[str]], accepted: list[dict[str, Any]]
) -> list[str]:
    """Findings beyond what is accepted, acceptances that nothing needs, and those without a why."""
    allowed = {
        (place, each["test"]): count for each in accepted for place, count in each["files"].items()
    }
    complaints = [f"{each['test']} has no reason" for each in accepted if not each["why"].strip()]
    for key in sorted({*findings, *allowed}):
        found, known = findings.get(key, []), allowed.get(key, 0)
        if len(found) > known:
            complaints += [f"{line} ({known} accepted)" for line in found]
        elif len(found) < known:
            complaints.append(f"{key[0]}: {known} {key[1]} accepted, {len(found)} found")
    return complaints


STEPS: list[tuple[str, Callable[[], bool]]] = [
    ("lint", lambda: run("ruff", "check", ".")),
    ("format", lambda: run("ruff", "format", "--check", ".")),
    ("types", lambda: run("mypy", *CODE, environ=os.environ | PRODUCTION)),
    ("import contracts", contracts),
    ("missing migrations", lambda: run("manage.py", "makemigrations", "--check", "--dry-run")),
    ("production settings", deploy),
    ("risky calls", risks),
    ("OpenAPI drift", openapi),
    ("documents", lambda: run("manage.py", "check_docs")),
    ("dependencies", audit),
]


ASK_THE_DATABASE = {"missing migrations", "OpenAPI drift"}


def main() -> None:
    env.read_file(BASE_DIR / ".env")
    wanted = sys.argv[1:] or [name for name, _ in STEPS]
    if unknown := set(wanted) - {name for name, _ in STEPS}:
        sys.exit(f"make check: no step {sorted(unknown)[0]!r}")
    failed: list[str] = []
    needed = embedded.wanted(os.environ) if ASK_THE_DATABASE & set(wanted) else []
    with embedded.shared(needed) as servers:
        os.environ.update(servers.addresses)
        for name, step in STEPS:
            if name not in wanted:
                continue
            print(f"--- {name}", flush=True)
            began = time.monotonic()
            fine = step()
            failed += [] if fine else [name]
            print(
                f"    {'ok' if fine else 'FAILED'} ({time.monotonic() - began:.0f} s)", flush=True
            )
    if failed:
        sys.exit(f"make check failed: {', '.join(failed)}")
    print("make check: all clean")


if __name__ == "__main__":
    try:
        main()
    except embedded.EmbeddedError as error:
        sys.exit(f"make check: {error}")
