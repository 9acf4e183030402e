"""Nonsense in every key of every body and every parameter: refused or taken, never a failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from clients.scopes import Scope
from handoff.core import attempts
from tests.api.client import Api, description
from tests.api.conftest import World

NONSENSE: dict[str, Any] = {
    "null": None,
    "true": True,
    "zero": 0,
    "negative": -1,
    "huge": 10**30,
    "fraction": 1.005,
    "empty": "",
    "space": " ",
    "nul": "a\x00b",
    "surrogate": "\ud800",
    "long": "x" * 9000,
    "markup": "<script>alert(1)</script>",
    "right to left": "\u202e\u200f\ufeff",
    "first day": "0001-01-01",
    "last day": "9999-12-31",
    "first instant": "0001-01-01T00:00:00+14:00",
    "last instant": "9999-12-31T23:59:59-12:00",
    "list": [],
    "list of nonsense": [None, {}, [], "x", 1],
    "object": {"a": {"b": []}},
}


def operations(*methods: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, found in description()["paths"].items():
        for method, operation in found.items():
            if method in methods:
                yield method, path, operation


def speaker(world: World, operation: dict[str, Any]) -> Api:
    """Somebody the operation is for."""
    who = operation["description"].rsplit("For ", 1)[1]
    if who.startswith("clients"):
        return world.client_api
    return world.trainer_api if who.startswith("trainers") else world.pt_api


def keys(operation: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return []
    name = content["schema"]["$ref"].rsplit("/", 1)[1]
    return list(description()["components"]["schemas"][name]["properties"])


@pytest.fixture
def full(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Something real for each kind of address, so that nonsense gets past the first door."""
    world.ready()
    world.share(*Scope)
    many = attempts.Rate(100_000, timedelta(minutes=1))
    monkeypatch.setattr(attempts, "RATES", dict.fromkeys(attempts.RATES, many))
    note = world.episode.notes.get()
    return {
        "world": world,
        "clients": world.client.pk,
        "consents": world.consent.pk,
        "discharge-notes": note.pk,
        "episodes": world.episode.pk,
        "measurements": world.episode.measurements.order_by("id")[0].pk,
        "referrals": world.referral.pk,
        "restrictions": world.restriction().pk,
    }


def concrete(path: str, full: dict[str, Any]) -> str:
    area = path.split("/")[3]
    real = str(full.get(area, "00000000-0000-4000-8000-000000000000"))
    return path.replace("{id}", real).replace("{invitation}", real)


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_in_a_body_is_no_failure(full: dict[str, Any], name: str) -> None:
    sent = 0
    for method, path, operation in operations("post", "patch"):
        body = json.dumps(dict.fromkeys(keys(operation), NONSENSE[name]))
        api = speaker(full["world"], operation)
        answer = api.generic(
            method.upper(), concrete(path, full), body, content_type="application/json"
        )
        assert answer.status_code < 500, (method, path, answer.content)
        sent += 1
    assert sent > 40


@pytest.mark.parametrize("name", [each for each in NONSENSE if each != "surrogate"])
def test_nonsense_in_an_address_is_no_failure(full: dict[str, Any], name: str) -> None:
    value = quote(str(NONSENSE[name])[:500])
    for method, path, operation in operations("get"):
        address = concrete(path, full)
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query":
                api = speaker(full["world"], operation)
                answer = api.generic(method.upper(), f"{address}?{parameter['name']}={value}")
                assert answer.status_code < 500, (path, parameter["name"], answer.content)


@pytest.mark.parametrize("name", NONSENSE)
def test_one_nonsense_among_good_keys_is_no_failure(full: dict[str, Any], name: str) -> None:
    """What passes the shape reaches the verbs: here everything else is as it should be."""
    world: World = full["world"]
    good: dict[str, tuple[Api, dict[str, Any]]] = {
        f"episodes/{world.episode.pk}/": (
            world.pt_api,
            {"condition": "x", "onset_on": "2026-08-01", "started_on": "2026-09-01"},
        ),
        f"discharge-notes/{full['discharge-notes']}/": (
            world.pt_api,
            {"revision": 1, "discharge_on": "2027-01-12", "goals": [{"text": "x"}]},
        ),
        f"referrals/{world.referral.pk}/schedule/": (
            world.trainer_api,
            {"first_session_at": "2027-02-01T10:00:00Z"},
        ),
        f"consents/{world.consent.pk}/grant/": (
            world.client_api,
            {"classes": ["contact"], "expires_on": "2027-07-01"},
        ),
        "referrals/": (
            world.pt_api,
            {
                "client": str(world.client.pk),
                "episode": str(world.episode.pk),
                "recipient": str(world.trainer.pk),
                "start_from": "2027-02-01",
                "start_until": "2027-03-01",
            },
        ),
        "clients/": (
            world.pt_api,
            {
                "first_name": "A",
                "last_name": "B",
                "birth_date": "1990-01-01",
                "email": "a@example.org",
                "state": "NY",
                "time_zone": "America/New_York",
            },
        ),
        "measurements/": (
            world.pt_api,
            {
                "episode": str(world.episode.pk),
                "measure": "probe",
                "moment": "interim",
                "value": 3,
                "taken_on": "2027-01-01",
            },
        ),
        "restrictions/": (
            world.pt_api,
            {
                "episode": str(world.episode.pk),
                "kind": "limit_load",
                "severity": "limit",
                "body_region": "shoulder",
                "laterality": "right",
                "patterns": ["carry"],
                "comparator": "le",
                "value": 10,
                "unit": "kg",
                "criteria": [{"measure": "x", "comparator": "ge", "value": 1, "unit": "kg"}],
                "review_on": "2027-03-01",
            },
        ),
    }
    for address, (api, body) in good.items():
        method = "PATCH" if address.startswith(("episodes/", "discharge-notes/")) else "POST"
        for key in body:
            changed = json.dumps({**body, key: NONSENSE[name]})
            answer = api.generic(method, address, changed, content_type="application/json")
            assert answer.status_code < 500, (address, key, answer.content)
