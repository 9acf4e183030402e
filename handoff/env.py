"""The environment, read strictly: a missing or bad value stops the start and is named."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def read_file(path: Path) -> None:
    """Add the variables of a `.env` file to the process; what is already set wins.

    `HANDOFF_ENV_FILE` names another file, and empty means none (tests, production images).
    """
    named = os.environ.get("HANDOFF_ENV_FILE")
    if named is not None:
        if not named:
            return
        path = Path(named)
    if not path.exists():
        return
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ImproperlyConfigured(f"{path.name}, line {number}: not of the form NAME=value")
        name, value = match.groups()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        os.environ.setdefault(name, value)


class Env:
    """Typed access to one mapping of variables. Without a default a variable is required."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = os.environ if values is None else values

    def text(self, name: str, default: str | None = None) -> str:
        value = self._values.get(name, "")
        if value:
            return value
        if default is None:
            raise ImproperlyConfigured(f"{name} is missing")
        return default

    def secret(self, name: str, default: str | None = None) -> str:
        """A value from NAME, or from the file that NAME_FILE names (docker and k8s secrets)."""
        path = self._values.get(f"{name}_FILE", "")
        if not path:
            return self.text(name, default)
        if self._values.get(name):
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: keep one")
        try:
            value = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(
                f"{name}_FILE cannot be read: {type(error).__name__}"
            ) from None
        if not value:
            raise ImproperlyConfigured(f"{name}_FILE is empty")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._values.get(name, "").strip().lower()
        if not value:
            return default
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise ImproperlyConfigured(f"{name} must be 1 or 0")

    def number(
        self,
        name: str,
        default: int | None = None,
        *,
        least: int | None = None,
        most: int | None = None,
    ) -> int:
        value = self._values.get(name, "").strip()
        if not value:
            if default is None:
                raise ImproperlyConfigured(f"{name} is missing")
            return default
        if not re.fullmatch(r"-?[0-9]{1,12}", value):
            raise ImproperlyConfigured(f"{name} must be a whole number")
        found = int(value)
        if least is not None and found < least:
            raise ImproperlyConfigured(f"{name} must be at least {least}")
        if most is not None and found > most:
            raise ImproperlyConfigured(f"{name} must be at most {most}")
        return found

    def listing(self, name: str, default: list[str] | None = None) -> list[str]:
        """A comma-separated list."""
        value = self._values.get(name, "")
        if not value.strip():
            if default is None:
                raise ImproperlyConfigured(f"{name} is missing")
            return list(default)
        return [part.strip() for part in value.split(",") if part.strip()]


# --- addresses ---------------------------------------------------------------------------------


def database(url: str) -> dict[str, Any]:
    """A Django database from `postgresql://user:password@host:port/name?host=/socket/folder`.

    There is no fall-back to a default socket or to the account's own name: a half-filled
    address would knock on somebody else's server.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql://")
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", "") or unquote(parts.hostname or "")
    name = unquote(parts.path.lstrip("/"))
    for what, value in (("host", host), ("database name", name), ("user", parts.username)):
        if not value:
            raise ImproperlyConfigured(f"DATABASE_URL has no {what}")
    allowed = {"sslmode", "sslrootcert", "sslcert", "sslkey", "application_name", "options"}
    if unknown := sorted(set(query) - allowed):
        raise ImproperlyConfigured(f"DATABASE_URL: unknown option {unknown[0]}")
    return {
        "ENGINE": "handoff.core.postgres",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(_port(parts, "DATABASE_URL") or ""),
        "OPTIONS": query,
    }


def broker(url: str) -> str:
    """The broker's address as Celery wants it: unix sockets are `redis+socket://`."""
    parts = urlsplit(url)
    if parts.scheme in ("unix", "redis+socket"):
        if not parts.path.startswith("/"):
            raise ImproperlyConfigured("REDIS_URL has no socket path")
        query = dict(parse_qsl(parts.query))
        number = query.pop("db", "") or query.pop("virtual_host", "") or "0"
        password = f":{parts.password}@" if parts.password else ""
        return f"redis+socket://{password}{parts.path}?virtual_host={number}"
    if parts.scheme not in ("redis", "rediss"):
        raise ImproperlyConfigured("REDIS_URL must begin with redis://, rediss:// or unix://")
    if not parts.hostname:
        raise ImproperlyConfigured("REDIS_URL has no host")
    _port(parts, "REDIS_URL")
    return url


def redis_client(broker_url: str) -> str:
    """The same address as the redis client wants it: unix sockets are `unix://`."""
    parts = urlsplit(broker_url)
    if parts.scheme != "redis+socket":
        return broker_url
    number = dict(parse_qsl(parts.query)).get("virtual_host", "0")
    password = f":{parts.password}@" if parts.password else ""
    return f"unix://{password}{parts.path}?db={number}"


def email(url: str) -> dict[str, Any]:
    """Django's EMAIL_ settings from one address: smtp://, smtps://, file:///folder, console:."""
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise ImproperlyConfigured("EMAIL_URL: file:// wants an absolute folder")
        return {
            "EMAIL_BACKEND": "handoff.core.mail_files.EmailBackend",
            "EMAIL_FILE_PATH": unquote(parts.path),
        }
    if parts.scheme not in ("smtp", "smtps"):
        raise ImproperlyConfigured(
            "EMAIL_URL must begin with smtp://, smtps://, file:// or console:"
        )
    if not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL has no host")
    query = dict(parse_qsl(parts.query))
    starttls = query.pop("starttls", "0")
    if query or starttls not in ("0", "1"):
        raise ImproperlyConfigured("EMAIL_URL: the only option is starttls=1 (or 0)")
    if parts.scheme == "smtps" and starttls == "1":
        raise ImproperlyConfigured("EMAIL_URL: smtps:// and starttls=1 exclude each other")
    ssl = parts.scheme == "smtps"
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": _port(parts, "EMAIL_URL") or (465 if ssl else 587 if starttls == "1" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": ssl,
        "EMAIL_USE_TLS": starttls == "1",
    }


def _port(parts: SplitResult, name: str) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name} has a bad port") from None
