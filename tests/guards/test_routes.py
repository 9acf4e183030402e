"""Every address says whom it is for. One without a policy fails, and so does a stale exception."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver, path
from django.urls.converters import SlugConverter, StringConverter, UUIDConverter

from clients.api.base import Endpoint
from handoff.api.permissions import DeclaredPolicy, policies_of
from handoff.core.policy import Policy
from tests.factories import UserFactory

# Routes of libraries, by the whole name or by `namespace:`; they guard themselves, as said here.
EXCEPTIONS: Mapping[str, str] = {
    "admin:": "AdminSite.admin_view lets staff in only; its login page is for everybody.",
    "account_login": "Signing in is for those who are not.",
    "account_confirm_login_code": "allauth: only in the middle of signing in by a mailed code.",
    "account_logout": "allauth asks before it ends a session.",
    "account_inactive": "Tells that an account is switched off; holds nothing.",
    "account_signup": "Signing up is for those who have no account.",
    "account_reauthenticate": "allauth: login_required.",
    "account_email": "allauth: login_required.",
    "account_email_verification_sent": "Tells to look into the mail; holds nothing.",
    "account_confirm_email": "Opened from a mail by somebody who may not be signed in.",
    "account_change_password": "allauth: login_required.",
    "account_set_password": "allauth: login_required.",
    "account_reset_password": "For those who cannot sign in.",
    "account_reset_password_done": "For those who cannot sign in; holds nothing.",
    "account_reset_password_from_key": "Opened from a mail, with a secret in its address.",
    "account_reset_password_from_key_done": "For those who cannot sign in; holds nothing.",
    "mfa_": "allauth: login_required, or in the middle of signing in.",
    "usersessions_list": "allauth: login_required.",
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What stands in for the arguments of an address: opaque ids of nothing.
VALUES: Mapping[type[Any], str] = {
    UUIDConverter: "00000000-0000-4000-8000-000000000000",
    SlugConverter: "x",
    StringConverter: "x",
}


@dataclass(frozen=True, slots=True)
class Route:
    address: str
    name: str
    view: Any

    @property
    def exception(self) -> str | None:
        """The key in EXCEPTIONS that covers this route, if one does."""
        return next(
            (
                key
                for key in EXCEPTIONS
                if self.name == key or (key.endswith((":", "_")) and self.name.startswith(key))
            ),
            None,
        )


def routes(resolver: URLResolver | None = None) -> Iterator[Route]:
    """Every route there is, with namespaces in its name."""
    return _walk((resolver or get_resolver()).url_patterns, "/", "")


def _walk(patterns: Any, prefix: str, namespace: str) -> Iterator[Route]:
    for pattern in patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, address, inner)
        elif isinstance(pattern, URLPattern):
            yield Route(address, namespace + (pattern.name or ""), pattern.callback)


def declared(route: Route) -> list[Policy]:
    """The policies that guard a route: one for a page, one per method for an API view."""
    view = getattr(route.view, "cls", None)
    if view is None:
        policy = getattr(route.view, "policy", None)
        return [policy] if isinstance(policy, Policy) else []
    found = []
    for method in METHODS:
        if hasattr(view, method.lower()):
            policies = policies_of(view, method)
            if None in policies:
                return []
            found.append(policies[-1])
    return [policy for policy in found if policy is not None]


def complaints(found: list[Route], exceptions: Mapping[str, str]) -> list[str]:
    """What is wrong with these routes: no policy and no exception, or an exception for nothing."""
    wrong = [
        f"{route.address} ({route.name or 'no name'}) declares no policy"
        for route in found
        if not declared(route) and route.exception not in exceptions
    ]
    used = {route.exception for route in found}
    return wrong + [f"nothing needs the exception {key}" for key in exceptions if key not in used]


def test_every_route_declares_whom_it_is_for() -> None:
    assert complaints(list(routes()), EXCEPTIONS) == []


def test_every_api_view_checks_its_policy() -> None:
    for route in routes():
        view = getattr(route.view, "cls", None)
        if view is not None:
            assert view.permission_classes == [DeclaredPolicy], route.address


def test_the_guard_can_fail() -> None:
    def bare(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    def open_(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    open_.policy = Policy.PUBLIC  # type: ignore[attr-defined]  # as pages do
    fake = [path("bare/", bare, name="bare"), path("open/", open_, name="open")]
    found = list(_walk(fake, "/", ""))
    assert complaints(found, {}) == ["/bare/ (bare) declares no policy"]
    assert complaints(found, {"gone": "x"})[-1] == "nothing needs the exception gone"


def test_a_view_without_a_policy_is_open_to_nobody(rf: Any) -> None:
    """Should the guard ever be switched off, the door stays shut."""

    class Forgotten(Endpoint):
        def get(self, request: Any) -> HttpResponse:
            raise AssertionError("reached")

    answer = Forgotten.as_view()(rf.get("/"))
    assert answer.status_code in (401, 403)


def concrete(address: str) -> str | None:
    """The address with something in the place of its arguments; None for one we cannot fill."""
    filled = re.sub(r"<(uuid):\w+>", VALUES[UUIDConverter], address)
    filled = re.sub(r"<(?:slug|str|path):\w+>|<\w+>", "x", filled)
    filled = re.sub(r"<int:\w+>", "1", filled)
    return filled if re.fullmatch(r"[\w/.@-]+", filled) else None


@pytest.mark.django_db
def test_nobody_gets_in_where_somebody_must_be_signed_in() -> None:
    browser = Browser()
    walked = 0
    for route in routes():
        if not declared(route) or Policy.PUBLIC in declared(route):
            continue
        address = concrete(route.address)
        assert address is not None, route.address
        walked += 1
        answer = browser.get(address)
        if answer.status_code == 405:
            answer = browser.post(address)
        assert answer.status_code in (302, 401), (address, answer.status_code)
        if answer.status_code == 302:
            assert answer["Location"].startswith("/accounts/login/"), address
    assert walked > 60


@pytest.mark.django_db
def test_the_admin_is_for_staff_only() -> None:
    browser = Browser()
    addresses = [
        address
        for route in routes()
        if route.name.startswith("admin:") and (address := concrete(route.address))
    ]
    assert len(addresses) > 20
    open_to_all = {"/admin/login/", "/admin/logout/", "/admin/jsi18n/"}
    for signed_in in (False, True):
        if signed_in:
            browser.force_login(UserFactory.create())
        for address in addresses:
            if address in open_to_all:
                continue
            answer = browser.get(address)
            assert answer.status_code in (302, 403, 404), (address, answer.status_code)
            if answer.status_code == 302:
                assert "login" in answer["Location"], address
