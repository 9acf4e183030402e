"""Production refuses to start on what is missing or weak, and says which value it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from handoff.check import PRODUCTION
from handoff.embedded import BASE_DIR
from tests.ground.checkout import bare_environment

SHOW = """
import json, sys
from handoff import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""


def load(*names: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Import the settings in a process of their own, under the given environment."""
    environ = {k: v for k, v in changes.items() if v is not None}
    return subprocess.run(
        [sys.executable, "-c", SHOW, *names],
        cwd=BASE_DIR,
        env=bare_environment(HANDOFF_ENV_FILE="") | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def production(*names: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    return load(*names, **(PRODUCTION | changes))


def last_line(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode != 0, result.stdout
    return result.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "name",
    [
        *("SECRET_KEY", "LEDGER_KEY", "FILES_KEY", "SITE_URL", "DATABASE_URL", "REDIS_URL"),
        *("EMAIL_URL", "MAIL_FROM", "ANCHOR_FILE", "REVOCATION_JOURNAL"),
    ],
)
def test_a_missing_value_is_named(name: str) -> None:
    assert last_line(production(**{name: None})).endswith(
        f"ImproperlyConfigured: {name} is missing"
    )


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY is too weak"),
        ("SECRET_KEY", "ab" * 40, "SECRET_KEY is too weak"),
        ("SECRET_KEY", "django-insecure-0123456789abcdefghijklmnopqrstuvwxyzABCDEF", "too weak"),
        ("SECRET_KEY_FALLBACKS", "short", "SECRET_KEY_FALLBACKS is too weak"),
        ("LEDGER_KEY", "x" * 60, "LEDGER_KEY is too weak"),
        ("FILES_KEY", "x" * 60, "FILES_KEY is too weak"),
        ("FILES_KEY_FALLBACKS", "short", "FILES_KEY_FALLBACKS is too weak"),
        pytest.param(
            *("FILES_KEY", PRODUCTION["LEDGER_KEY"], "FILES_KEY must not be the SECRET_KEY or"),
            id="FILES_KEY-is-the-LEDGER_KEY",
        ),
        pytest.param(  # named: the key is random, and xdist's workers must agree on names
            *("LEDGER_KEY", PRODUCTION["SECRET_KEY"], "LEDGER_KEY must not be the SECRET_KEY"),
            id="LEDGER_KEY-is-the-SECRET_KEY",
        ),
        ("SITE_URL", "http://handoff.example", "SITE_URL must begin with https://"),
        ("SITE_URL", "handoff.example", "SITE_URL must look like"),
        ("SITE_URL", "https://handoff.example/app", "without a path"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS"),
        ("ALLOWED_HOSTS", ".example.org", "ALLOWED_HOSTS"),
        ("DEBUG", "1", "DEBUG is for localhost"),
        ("DEMO", "1", "DEMO is for localhost"),
        ("DEMO", "maybe", "DEMO must be 1 or 0"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL"),
        ("HANDOFF_PROCESS", "cron", "HANDOFF_PROCESS"),
        ("TRUSTED_PROXIES", "99", "TRUSTED_PROXIES"),
        ("DATABASE_POOL_SIZE", "0", "DATABASE_POOL_SIZE"),
    ],
)
def test_a_weak_or_bad_value_is_named(name: str, value: str, complaint: str) -> None:
    assert complaint in last_line(production(**{name: value}))


def test_no_complaint_repeats_the_value() -> None:
    result = production(SECRET_KEY="hunter2hunter2")
    assert "hunter2" not in result.stderr


def test_production_is_the_default_and_strict() -> None:
    result = production(
        "PRODUCTION",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SESSION_COOKIE_NAME",
        "CSRF_COOKIE_NAME",
        "SECURE_SSL_REDIRECT",
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        "EMAIL_TIMEOUT",
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "PRODUCTION": True,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_NAME": "__Host-session",
        "CSRF_COOKIE_NAME": "__Host-csrf",
        "SECURE_SSL_REDIRECT": True,
        "ALLOWED_HOSTS": ["handoff.example"],
        "CSRF_TRUSTED_ORIGINS": ["https://handoff.example"],
        "EMAIL_TIMEOUT": 10,
    }


@pytest.mark.parametrize(
    ("process", "pooled", "timeout"),
    [("web", True, "5000"), ("worker", False, "30000"), ("command", False, None)],
)
def test_only_the_web_process_pools_and_each_has_its_patience(
    process: str, pooled: bool, timeout: str | None
) -> None:
    result = production("DATABASES", HANDOFF_PROCESS=process)
    options = json.loads(result.stdout)["DATABASES"]["default"]["OPTIONS"]
    assert ("pool" in options) is pooled
    assert (f"statement_timeout={timeout}" in options.get("options", "")) is (timeout is not None)


def test_demo_lets_nobody_in_from_a_public_name() -> None:
    key = PRODUCTION["SECRET_KEY"]
    more = {"DATABASE_URL": PRODUCTION["DATABASE_URL"], "REDIS_URL": PRODUCTION["REDIS_URL"]}
    assert load(DEMO="1", SECRET_KEY=key, **more).returncode == 0
    assert (
        load(DEMO="1", SECRET_KEY=key, SITE_URL="http://192.168.1.7:8000", **more).returncode == 0
    )
    refused = load(DEMO="1", SECRET_KEY=key, SITE_URL="https://demo.example.org", **more)
    assert "DEMO is for localhost" in last_line(refused)


def test_a_task_ends_before_its_message_is_handed_out_again() -> None:
    result = production(
        "EMAIL_TIMEOUT",
        "CELERY_TASK_SOFT_TIME_LIMIT",
        "CELERY_TASK_TIME_LIMIT",
        "CELERY_BROKER_TRANSPORT_OPTIONS",
    )
    found = json.loads(result.stdout)
    visible_again = found["CELERY_BROKER_TRANSPORT_OPTIONS"]["visibility_timeout"]
    patience = [
        found["EMAIL_TIMEOUT"],
        found["CELERY_TASK_SOFT_TIME_LIMIT"],
        found["CELERY_TASK_TIME_LIMIT"],
        visible_again,
    ]
    assert patience == sorted(set(patience))


def test_deploy_check_has_nothing_to_say() -> None:
    deployed = dict(os.environ) | PRODUCTION
    deployed.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # set while this process drives a browser
    result = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=BASE_DIR,
        env=deployed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "no issues (0 silenced)" in result.stdout + result.stderr


def test_a_command_in_production_starts_no_server_of_its_own() -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=BASE_DIR,
        env=bare_environment() | PRODUCTION | {"DATABASE_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert last_line(result).endswith("DATABASE_URL is missing")
