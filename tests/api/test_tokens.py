"""Tokens: how one gets, uses, loses and ends them."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core.cache import cache
from rest_framework.test import APIClient

from clients.models import User
from handoff.core import tokens
from handoff.core.audit import AuditEntry
from handoff.core.tokens import LIFETIME, ApiToken
from tests.api.client import Api
from tests.factories import NOON, PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counters() -> None:
    """Limits are counted in the cache; each test begins at zero."""
    cache.clear()


def sign_in(user: User, **body: Any) -> Any:
    return Api().post("tokens/", {"email": user.email, "password": PASSWORD, **body})


def totp_code(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def test_a_token_opens_the_api_for_its_person_and_is_stored_as_a_hash() -> None:
    user = UserFactory.create()
    made = sign_in(user, name="laptop")
    assert made.status_code == 201
    secret = made.json()["token"]
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    assert client.get("/api/v1/me/").json()["email"] == user.email
    stored = ApiToken.objects.get()
    assert secret not in str(vars(stored))
    assert AuditEntry.objects.filter(verb="token.issued", actor_id=user.pk).count() == 1
    listed = client.get("/api/v1/tokens/").json()["results"]
    assert [each["name"] for each in listed] == ["laptop"]
    assert secret not in str(listed)


def test_an_address_in_capitals_is_the_same_address() -> None:
    user = UserFactory.create()
    assert sign_in(user, email=user.email.upper()).status_code == 201


@pytest.mark.parametrize(
    "change",
    [{"password": "wrong-password"}, {"email": "nobody@example.org"}],
    ids=["wrong password", "unknown address"],
)
def test_wrong_and_unknown_answer_alike(change: dict[str, str]) -> None:
    refused = sign_in(UserFactory.create(), **change)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    body = refused.json()
    assert body["detail"] == "E-mail address, password or code is wrong."
    assert not ApiToken.objects.exists()


def test_accounts_that_may_not_sign_in_get_none() -> None:
    inactive = UserFactory.create(is_active=False)
    assert sign_in(inactive).json()["detail"] == "E-mail address, password or code is wrong."
    unverified = UserFactory.create()
    EmailAddress.objects.filter(user=unverified).update(verified=False)
    assert sign_in(unverified).status_code == 401
    assert not ApiToken.objects.exists()


def test_too_many_tries_are_refused_even_with_the_right_password() -> None:
    user = UserFactory.create()
    for _ in range(5):
        assert sign_in(user, password="wrong-password").status_code == 401
    refused = sign_in(user)
    assert refused.status_code == 429
    assert refused.json()["type"].endswith("#throttled")
    assert int(refused.headers["Retry-After"]) > 0
    # The limit is per account: somebody else from the same place still gets in.
    assert sign_in(UserFactory.create()).status_code == 201


def test_an_address_has_a_limit_too() -> None:
    statuses = [
        sign_in(UserFactory.create(), password="wrong-password").status_code for _ in range(21)
    ]
    assert statuses == [401] * 20 + [429]


def test_a_second_factor_is_asked_where_the_account_has_one() -> None:
    user = UserFactory.create()
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    needed = sign_in(user)
    assert needed.status_code == 401
    assert needed.json()["type"].endswith("#second-factor")
    assert sign_in(user, code="000000").json()["type"].endswith("#unauthenticated")
    code = totp_code(secret)
    assert sign_in(user, code=code).status_code == 201
    # The same code works once.
    assert sign_in(user, code=code).status_code == 401


def test_a_wrong_password_does_not_tell_that_there_is_a_second_factor() -> None:
    user = UserFactory.create()
    TOTP.activate(user, generate_totp_secret())
    refused = sign_in(user, password="wrong-password")
    assert refused.json()["type"].endswith("#unauthenticated")


def test_a_recovery_code_works_once() -> None:
    user = UserFactory.create()
    TOTP.activate(user, generate_totp_secret())
    codes = RecoveryCodes.activate(user).get_unused_codes()
    assert sign_in(user, code=codes[0]).status_code == 201
    assert sign_in(user, code=codes[0]).status_code == 401
    used = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES)
    assert len(used.wrap().get_unused_codes()) == len(codes) - 1


def test_codes_cannot_be_tried_without_end() -> None:
    user = UserFactory.create()
    TOTP.activate(user, generate_totp_secret())
    statuses = [sign_in(user, code="000000").status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]


def test_signing_in_begins_no_session() -> None:
    user = UserFactory.create()
    TOTP.activate(user, secret := generate_totp_secret())
    browser = APIClient()
    body = {"email": user.email, "password": PASSWORD, "code": totp_code(secret)}
    assert browser.post("/api/v1/tokens/", body).status_code == 201
    assert not browser.cookies
    assert browser.get("/api/v1/me/").status_code == 401


def test_a_token_ends_after_its_time(noon: time_machine.Traveller) -> None:
    api = Api(UserFactory.create())
    noon.move_to(NOON + LIFETIME - timedelta(minutes=1))
    assert api.get("me/").status_code == 200
    noon.move_to(NOON + LIFETIME + timedelta(minutes=1))
    assert api.get("me/").status_code == 401


@pytest.mark.parametrize("how", ["delete", "revoke"])
def test_a_revoked_token_opens_nothing_at_once(how: str) -> None:
    api = Api(UserFactory.create())
    mine = api.get("tokens/").json()["results"][0]["id"]
    ended = api.delete(f"tokens/{mine}/") if how == "delete" else api.post(f"tokens/{mine}/revoke/")
    assert ended.status_code == (204 if how == "delete" else 200)
    assert api.get("me/").status_code == 401
    assert AuditEntry.objects.filter(verb="token.revoked").count() == 1


def test_somebody_elses_token_does_not_exist() -> None:
    user = UserFactory.create()
    token, secret = tokens.issue(user_id=user.pk)
    other = Api(UserFactory.create())
    assert other.get(f"tokens/{token.pk}/").status_code == 404
    assert other.delete(f"tokens/{token.pk}/").status_code == 404
    assert other.post(f"tokens/{token.pk}/revoke/").status_code == 404
    assert tokens.find(secret) is not None


def test_an_account_that_is_switched_off_loses_its_tokens_at_once() -> None:
    user = UserFactory.create()
    api = Api(user)
    assert api.get("me/").status_code == 200
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert api.get("me/").status_code == 401


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer a b", "Bearer hf_unknown", "Bearer " + "x" * 5000, "Bearer \xff"]
)
def test_a_bad_token_is_refused_even_beside_a_session(header: str) -> None:
    browser = APIClient()
    browser.force_login(UserFactory.create())
    assert browser.get("/api/v1/me/").status_code == 200
    refused = browser.get("/api/v1/me/", headers={"Authorization": header})
    assert refused.status_code == 401
    assert refused["Content-Type"] == "application/problem+json"


def test_a_session_needs_the_csrf_token_for_changes() -> None:
    browser = APIClient(enforce_csrf_checks=True)
    user = UserFactory.create()
    token, _ = tokens.issue(user_id=user.pk)
    browser.force_login(user)
    assert browser.get("/api/v1/me/").status_code == 200
    address = f"/api/v1/tokens/{token.pk}/revoke/"
    refused = browser.post(address)
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"
    csrf = browser.get("/accounts/password/change/").context["csrf_token"]
    assert browser.post(address, headers={"X-CSRFToken": str(csrf)}).status_code == 200


def test_a_token_needs_no_csrf_token() -> None:
    user = UserFactory.create()
    token, secret = tokens.issue(user_id=user.pk)
    client = APIClient(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret}"})
    assert client.post(f"/api/v1/tokens/{token.pk}/revoke/").status_code == 200


def test_tokens_end_with_the_password() -> None:
    user = UserFactory.create()
    api, browser = Api(user), APIClient()
    browser.force_login(user)
    assert api.get("me/").status_code == 200
    new = "a-new-long-passphrase"
    body = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    changed = browser.post("/accounts/password/change/", body, format="multipart")
    assert changed.status_code == 302
    assert api.get("me/").status_code == 401
    assert sign_in(user, password=new).status_code == 201
