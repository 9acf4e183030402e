"""A client that holds every answer of the API to the committed description."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from clients.models import Client, Professional, User
from handoff.core import tokens
from handoff.embedded import BASE_DIR

DESCRIPTION = BASE_DIR / "docs" / "openapi.yaml"
PREFIX = "/api/v1/"


@cache
def description() -> dict[str, Any]:
    """The committed description; no shape in it may have a key that is not described."""
    found: dict[str, Any] = yaml.load(
        DESCRIPTION.read_text(),
        Loader=yaml.CSafeLoader,
    )
    for shape in found["components"]["schemas"].values():
        if "properties" in shape:
            shape.setdefault("additionalProperties", False)
    return found


@cache
def routes() -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), path) for path in description()["paths"]
    ]


def check(method: str, path: str, response: Any) -> None:
    """Raises AssertionError for an answer that is not described."""
    template = next((known for pattern, known in routes() if pattern.fullmatch(path)), None)
    operation = description()["paths"].get(template, {}).get(method.lower())
    if operation is None:
        assert response.status_code in (404, 405, 401), f"{method} {path} is not described"
        return
    described = operation["responses"].get(str(response.status_code))
    if response.status_code in (405, 406):
        return
    assert described, f"{method} {template}: {response.status_code} is not described"
    content = described.get("content", {})
    if not content:
        assert not response.content
        return
    media = response["Content-Type"].split(";")[0]
    assert media in content, f"{method} {template}: {media} is not described"
    schema = {**content[media]["schema"], "components": description()["components"]}
    errors = [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(response.json())
    ]
    assert not errors, f"{method} {template} {response.status_code}: {errors}"


class Api(APIClient):
    """Speaks for one person, by token; paths are relative to `/api/v1/`."""

    def __init__(self, person: User | Professional | Client | None = None) -> None:
        super().__init__()
        self.user = user = person if isinstance(person, User | None) else person.user
        if user is not None:
            _, secret = tokens.issue(user_id=user.pk, name="test", second_factor=True)
            self.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")

    @property
    def account(self) -> User:
        """Whoever this client speaks for."""
        assert self.user is not None
        return self.user

    def generic(self, method: str, path: Any, *args: Any, **extra: Any) -> Any:
        full = path if path.startswith("/") else PREFIX + path
        response = super().generic(method, full, *args, **extra)
        if full.startswith(PREFIX):
            check(method, full.split("?")[0], response)
        return response
