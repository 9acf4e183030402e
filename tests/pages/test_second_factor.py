"""A professional without a second factor in this session: what is open, walked over every route."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from django.test import Client as Browser

from clients.models import User
from handoff.core import tokens
from tests.api.test_tokens import totp_code
from tests.factories import PASSWORD, ClientFactory, ProfessionalFactory, UserFactory
from tests.guards.test_routes import concrete, declared, routes
from tests.pages.reading import as_
from tests.signing_in import with_password_only

pytestmark = pytest.mark.django_db
ENROL = "/accounts/2fa/"
PROVE = "/accounts/2fa/reauthenticate/"

# Written down here and not taken from the code: what is open to somebody who has not shown one.
PUBLIC = {
    *("healthz", "readyz", "landing", "design", "api-docs", "invitation", "invitation_open"),
    *("directory", "directory_entry", "triage"),
}
OWN_ACCOUNT = {"profile", "devices", "session_end", "token_end", "usersessions_list"}
OWN_ACCOUNT_PREFIXES = ("account_", "mfa_")
WAYS_OUT = {"account_logout", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"}
# Of the API, by address and method.
OPEN_API = {
    *(("/api/v1/tokens/", "GET"), ("/api/v1/tokens/", "POST"), ("/api/v1/me/", "GET")),
    *(("/api/v1/me/", "PATCH"), ("/api/v1/me/confirm/", "POST")),
    *(("/api/v1/tokens/<uuid:id>/", method) for method in ("GET", "DELETE")),
    ("/api/v1/tokens/<uuid:id>/revoke/", "POST"),
    ("/api/v1/triage/", "POST"),  # for anybody; keeping the result is not
}


@pytest.fixture(autouse=True)
def _no_counters_left() -> None:
    cache.clear()


def people() -> list[User]:
    return [
        ProfessionalFactory.create().user,
        ProfessionalFactory.create(trainer=True).user,
        UserFactory.create(is_staff=True, is_superuser=True),
    ]


def pages() -> Iterator[tuple[str, str]]:
    """Every page, allauth's and the administration's included: address and name."""
    for route in routes():
        if getattr(route.view, "cls", None) is None and (address := concrete(route.address)):
            yield address, route.name


def is_open(name: str) -> bool:
    return name in PUBLIC | OWN_ACCOUNT or name.startswith(OWN_ACCOUNT_PREFIXES)


def where(browser: Browser, address: str, method: str, **headers: str) -> str:
    answer = getattr(browser, method)(address, headers=headers)
    if "HX-Redirect" in answer:
        return str(answer["HX-Redirect"])
    return str(answer.headers.get("Location", ""))


@pytest.mark.parametrize("method", ["get", "post"])
def test_without_one_only_the_own_account_is_open(method: str) -> None:
    walked = 0
    for user in people():
        browser = with_password_only(Browser(raise_request_exception=False), user)
        for address, name in pages():
            if name == "account_logout":
                continue  # it ends what we walk with, and is looked at below
            to = where(browser, address, method)
            if is_open(name):
                assert to.split("?")[0] not in (ENROL, PROVE) or name.startswith("mfa_"), address
            else:
                assert to == ENROL, (address, name, to)
            walked += 1
    assert walked > 300


def test_a_part_of_a_page_leads_there_as_well() -> None:
    browser = with_password_only(Browser(), ProfessionalFactory.create().user)
    assert where(browser, "/clients/", "get", **{"HX-Request": "true"}) == ENROL
    assert where(browser, "/clients/", "post", **{"HX-Request": "true"}) == ENROL


def test_where_the_account_has_one_not_even_the_own_account_is_open() -> None:
    """Else whoever holds the password, in an older session, could add a factor of their own."""
    user = ProfessionalFactory.create().user
    TOTP.activate(user, generate_totp_secret())
    browser = with_password_only(Browser(raise_request_exception=False), user)
    for address, name in pages():
        if name in PUBLIC | WAYS_OUT:
            continue
        assert where(browser, address, "get").split("?")[0] == PROVE, (address, name)


def test_the_ways_out_are_open() -> None:
    user = ProfessionalFactory.create().user
    TOTP.activate(user, secret := generate_totp_secret())
    browser = with_password_only(Browser(), user)
    assert browser.get("/accounts/logout/").status_code == 200
    answer = browser.get("/clients/", follow=True)
    assert "Type the code" in answer.content.decode()
    proved = browser.post(PROVE, {"code": totp_code(secret), "next": "/clients/"})
    assert proved["Location"] == "/clients/"
    assert browser.get("/clients/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_one_set_up_now_counts_for_this_session_and_no_other() -> None:
    user = ProfessionalFactory.create().user
    here, elsewhere = (with_password_only(Browser(), user) for _ in range(2))
    here.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = here.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    here.post("/accounts/2fa/totp/activate/", {"code": totp_code(secret)})
    assert here.get("/clients/").status_code == 200
    assert elsewhere.get("/clients/")["Location"].startswith(PROVE)


def test_without_its_last_factor_nothing_stays_signed_in() -> None:
    user = ProfessionalFactory.create().user
    TOTP.activate(user, generate_totp_secret())
    here, elsewhere = as_(user), as_(user)
    _, secret = tokens.issue(user_id=user.pk, second_factor=True)
    here.post("/accounts/reauthenticate/", {"password": PASSWORD})
    here.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=user).exists()
    assert here.get("/clients/")["Location"] == ENROL
    assert elsewhere.get("/clients/")["Location"].startswith("/accounts/login/")
    assert tokens.find(secret) is None


def test_a_recovery_code_is_a_second_factor() -> None:
    user = ProfessionalFactory.create().user
    TOTP.activate(user, generate_totp_secret())
    code = RecoveryCodes.activate(user).get_unused_codes()[0]
    browser = Browser()
    browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    browser.post("/accounts/2fa/authenticate/", {"code": code})
    assert browser.get("/clients/").status_code == 200


def test_the_record_of_somebody_else_in_the_session_is_none() -> None:
    browser = as_(ProfessionalFactory.create().user)
    session = browser.session
    session["account_authentication_methods_user"] = str(UserFactory.create().pk)
    session.save()
    assert browser.get("/clients/")["Location"] == ENROL


def test_becoming_a_professional_asks_at_once() -> None:
    user = ClientFactory.create().user
    assert user is not None
    browser = with_password_only(Browser(), user)
    assert browser.get("/home/").status_code == 200
    ProfessionalFactory.create(user=user)
    assert browser.get("/home/")["Location"] == ENROL


def test_clients_are_not_asked() -> None:
    user = ClientFactory.create().user
    assert user is not None
    browser = with_password_only(Browser(), user)
    for address in ("/home/", "/consents/", "/access/", "/profile/"):
        assert browser.get(address).status_code == 200


def test_a_demo_asks_nobody_and_says_so(settings: Any) -> None:
    settings.SECOND_FACTOR_DEMANDED = False
    for user in people():
        browser = with_password_only(Browser(), user)
        assert ENROL not in where(browser, "/clients/", "get")
        assert browser.get("/admin/").status_code == (200 if user.is_staff else 302)
    assert "A second factor is not asked in demo mode" in Browser().get("/").content.decode()


def test_the_page_that_sets_one_up_says_why() -> None:
    browser = with_password_only(Browser(), ProfessionalFactory.create().user)
    assert "One more thing before you begin" in browser.get(ENROL).content.decode()
    assert (
        "One more thing" not in as_(ProfessionalFactory.create().user).get(ENROL).content.decode()
    )


# --- the administration -----------------------------------------------------------------------


def test_staff_without_one_see_nothing_of_the_administration() -> None:
    staff = UserFactory.create(is_staff=True, is_superuser=True)
    seen = 0
    browser = with_password_only(Browser(), staff)
    for address, name in pages():
        if name.startswith("admin:"):
            for method in ("get", "post"):
                assert where(browser, address, method) == ENROL, address
            seen += 1
    assert seen > 40
    assert as_(staff).get("/admin/").status_code == 200


def test_the_administration_has_no_log_in_of_its_own() -> None:
    for method in ("get", "post"):
        to = where(Browser(), "/admin/login/", method)
        assert to.startswith("/accounts/login/"), to


# --- the API ----------------------------------------------------------------------------------


def operations() -> Iterator[tuple[str, str, str]]:
    for route in routes():
        view = getattr(route.view, "cls", None)
        if view is None or not declared(route):
            continue
        for method in ("get", "post", "patch", "delete"):
            if hasattr(view, method) and (address := concrete(route.address)):
                yield route.address, address, method


def test_the_api_says_what_is_missing_by_session_and_by_token() -> None:
    user = ProfessionalFactory.create().user
    browser = with_password_only(Browser(), user)
    _, weak = tokens.issue(user_id=user.pk)
    _, strong = tokens.issue(user_id=user.pk, second_factor=True)
    walked = 0
    for route, address, method in operations():
        if "nothing" in route or address in ("/api/v1/", "/api/v1/schema/", "/api/v1/docs/"):
            continue
        by_session = getattr(browser, method)(address)
        by_token, by_strong = (
            getattr(Browser(), method)(address, headers={"Authorization": f"Bearer {secret}"})
            for secret in (weak, strong)
        )
        kinds = [_kind(each) for each in (by_session, by_token, by_strong)]
        assert kinds[2] != "second-factor", (route, method)
        if (route, method.upper()) in OPEN_API or _is_public(by_strong, address):
            assert "second-factor" not in kinds, (route, method)
        elif kinds[0] in ("not-allowed", "method"):
            assert by_strong.status_code in (403, 405), (route, method)  # not for this role at all
        else:
            assert kinds[:2] == ["second-factor"] * 2, (route, method, kinds)
            assert by_session.status_code == by_token.status_code == 403
            assert "/accounts/2fa/" in by_token.json()["detail"]
            walked += 1
    assert walked > 40


def _kind(answer: Any) -> str:
    if answer["Content-Type"] != "application/problem+json":
        return str(answer.status_code)
    return str(answer.json()["type"].rpartition("#")[2])


def _is_public(strong: Any, address: str) -> bool:
    """What anybody at all may ask for."""
    return bool(Browser().get(address).status_code == strong.status_code == 200)


def test_a_session_proves_its_factor_through_the_api_too() -> None:
    user = ProfessionalFactory.create().user
    TOTP.activate(user, secret := generate_totp_secret())
    browser = with_password_only(Browser(), user)
    assert browser.get("/api/v1/clients/").status_code == 403
    body = {"password": PASSWORD, "code": totp_code(secret)}
    done = browser.post("/api/v1/me/confirm/", body, content_type="application/json")
    assert done.status_code == 204, done.content
    assert browser.get("/api/v1/clients/").status_code == 200


def test_a_weak_token_gets_its_mark_by_a_code() -> None:
    user = ProfessionalFactory.create().user
    TOTP.activate(user, secret := generate_totp_secret())
    _, weak = tokens.issue(user_id=user.pk)
    bearer = {"Authorization": f"Bearer {weak}"}
    refused = Browser().get("/api/v1/clients/", headers=bearer)
    assert "me/confirm/" in refused.json()["detail"]
    wrong = {"password": PASSWORD, "code": "000000"}
    right = {"password": PASSWORD, "code": totp_code(secret)}
    statuses = [
        Browser()
        .post("/api/v1/me/confirm/", body, content_type="application/json", headers=bearer)
        .status_code
        for body in (wrong, {"password": PASSWORD}, right)
    ]
    assert statuses == [401, 401, 204]
    assert Browser().get("/api/v1/clients/", headers=bearer).status_code == 200


def test_a_professional_without_one_gets_no_token_and_is_told_where_to_set_one_up() -> None:
    user = ProfessionalFactory.create().user
    body = {"email": user.email, "password": PASSWORD}
    refused = Browser().post("/api/v1/tokens/", body, content_type="application/json")
    assert refused.status_code == 403
    assert _kind(refused) == "second-factor"
    assert "http://localhost:8000/accounts/2fa/" in refused.json()["detail"]
    assert not tokens.ApiToken.objects.exists()


def test_a_token_made_with_one_carries_its_mark() -> None:
    user = ProfessionalFactory.create().user
    TOTP.activate(user, secret := generate_totp_secret())
    body = {"email": user.email, "password": PASSWORD, "code": totp_code(secret)}
    made = Browser().post("/api/v1/tokens/", body, content_type="application/json").json()
    assert made["second_factor"] is True
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert Browser().get("/api/v1/clients/", headers=bearer).status_code == 200
