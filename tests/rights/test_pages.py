"""`/my-data/` and its API: what stands there, what a press does, and nothing for others."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clients.models import AccessEntry, Client, Erasure, Professional, User
from clients.record_periods import SEED
from clients.scopes import Scope
from referrals.models import ReferralMessage
from referrals.rights import erasure
from tests.api.client import Api
from tests.factories import ClientFactory, GuardianshipFactory, UserFactory
from tests.guards.test_docs import DOCS, rows, section
from tests.referrals.scenes import Therapy
from tests.rights.accounts import account_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Therapy:
    scene = Therapy()
    scene.signed()
    scene.share(Scope.RESTRICTIONS)
    ReferralMessage.objects.create(referral=scene.referral, author=scene.pt, text="Between us")
    return scene


def signed_in(who: Client | Professional | User) -> Browser:
    browser = Browser()
    if isinstance(who, Client):
        who = account_of(who)
    browser.force_login(who if isinstance(who, User) else who.user)
    return browser


def path(name: str, *args: Any) -> str:
    return reverse(name, args=args)


def test_a_client_takes_both_files(scene: Therapy) -> None:
    browser = signed_in(scene.client)
    text = browser.get("/my-data/").content.decode()
    assert "Everything about me" in text
    assert path("my_data_file", scene.client.pk, "pdf") in text
    for kind, start in (("pdf", b"%PDF-"), ("json", b"{")):
        answer = browser.post(path("my_data_file", scene.client.pk, kind))
        assert answer.status_code == 200
        assert answer.content.startswith(start)
        assert answer["Content-Disposition"] == f'attachment; filename="everything.{kind}"'
        assert "no-store" in answer["Cache-Control"]
    assert AccessEntry.objects.filter(action="exported").count() == 2
    assert "Everything as a file" in browser.get("/access/?own=1").content.decode()


def test_a_file_is_never_made_by_opening_an_address(scene: Therapy) -> None:
    browser = signed_in(scene.client)
    for name, args in (
        ("my_data_file", (scene.client.pk, "json")),
        ("my_data_account", ()),
        ("my_data_keep", (scene.client.pk,)),
    ):
        assert browser.get(path(name, *args)).status_code == 405
    assert browser.post(path("my_data_file", scene.client.pk, "exe")).status_code == 404
    assert not AccessEntry.objects.filter(action="exported").exists()


def test_the_sixth_time_is_refused_in_words(scene: Therapy) -> None:
    browser = signed_in(scene.client)
    address = path("my_data_file", scene.client.pk, "json")
    for _ in range(5):
        assert browser.post(address).status_code == 200
    answer = browser.post(address)
    assert answer.status_code == 403
    assert "Wait until tomorrow" in answer.content.decode()


def test_a_professional_finds_their_account_only(scene: Therapy) -> None:
    browser = signed_in(scene.pt)
    text = browser.get("/my-data/").content.decode()
    assert "licences and certificates" in text
    assert "Everything about" not in text
    held = json.loads(browser.post(path("my_data_account")).content)
    assert held["taken_by"] == "account"
    assert browser.post(path("my_data_file", scene.client.pk, "json")).status_code == 404


@pytest.mark.parametrize("name", ["my_data_erase", "my_data_keep", "my_data_file"])
def test_another_client_finds_nothing(scene: Therapy, name: str) -> None:
    browser = signed_in(ClientFactory.create())
    args = (scene.client.pk, "json") if name == "my_data_file" else (scene.client.pk,)
    assert browser.post(path(name, *args)).status_code == 404
    assert not Erasure.objects.exists()


def test_erasing_is_said_asked_and_called_off(scene: Therapy) -> None:
    browser = signed_in(scene.client)
    text = browser.get(path("my_data_erase", scene.client.pk)).content.decode()
    until = erasure.held_until(scene.client)
    assert until is not None
    for words in (
        *("Questions and answers (1)", "Your account", scene.pt.practice.name, str(until.year)),
        *("Signed closing notes (1)", "Erase after 7 days"),
    ):
        assert words in text
    assert not Erasure.objects.exists()
    assert browser.post(path("my_data_erase", scene.client.pk)).status_code == 303
    assert "Call it off" in browser.get("/my-data/").content.decode()
    again = browser.get(path("my_data_erase", scene.client.pk)).content.decode()
    assert "It is asked for already" in again
    assert "Erase after" not in again
    assert browser.post(path("my_data_erase", scene.client.pk)).status_code == 409
    assert browser.post(path("my_data_keep", scene.client.pk)).status_code == 303
    assert Erasure.objects.get().cancelled_at is not None
    assert browser.post(path("my_data_keep", scene.client.pk)).status_code == 409


def test_after_erasing_nobody_signs_in(scene: Therapy) -> None:
    browser = signed_in(scene.client)
    assert browser.get("/my-data/").status_code == 200
    erasure.ask_on_paper(client_id=scene.client.pk, at=datetime.now(UTC) - timedelta(days=8))
    erasure.erase(client_id=scene.client.pk)
    assert browser.get("/my-data/").status_code == 302


def test_a_minor_looks_and_the_guardian_asks() -> None:
    minor = ClientFactory.create(birth_date=date.today() - timedelta(days=365 * 15))  # noqa: DTZ011
    guardian = GuardianshipFactory.create(client=minor).user
    own = signed_in(minor)
    assert "your guardian asks" in own.get("/my-data/").content.decode()
    assert own.post(path("my_data_erase", minor.pk)).status_code == 403
    browser = signed_in(guardian)
    assert f"Everything about {minor.name}" in browser.get("/my-data/").content.decode()
    assert browser.post(path("my_data_erase", minor.pk)).status_code == 303
    assert own.post(path("my_data_keep", minor.pk)).status_code == 303


def test_queries_of_the_page_do_not_grow_with_what_is_asked() -> None:
    guardian = UserFactory.create()
    born = date.today() - timedelta(days=365 * 15)  # noqa: DTZ011

    def another() -> None:
        minor = ClientFactory.create(birth_date=born)
        GuardianshipFactory.create(client=minor, user=guardian)
        erasure.ask_on_paper(client_id=minor.pk)

    another()
    browser = signed_in(guardian)
    browser.get("/my-data/")
    with CaptureQueriesContext(connection) as few:
        browser.get("/my-data/")
    another()
    with CaptureQueriesContext(connection) as more:
        assert browser.get("/my-data/").content.decode().count("Call it off") >= 2
    assert len(more) == len(few)


# --- the API ------------------------------------------------------------------------------------


def test_the_api_gives_the_same_file(scene: Therapy) -> None:
    answer = Api(scene.client).post(f"clients/{scene.client.pk}/export/", {})
    assert answer.status_code == 200
    found = {each["section"]: each["rows"] for each in answer.json()["sections"]}
    assert len(found["notes"]) == 1
    assert AccessEntry.objects.filter(action="exported", channel="api").count() == 1
    for _ in range(4):
        Api(scene.client).post(f"clients/{scene.client.pk}/export/", {})
    assert Api(scene.client).post(f"clients/{scene.client.pk}/export/", {}).status_code == 403
    # A professional is not admitted, another client finds nothing.
    assert Api(scene.pt).post(f"clients/{scene.client.pk}/export/", {}).status_code == 403
    stranger = Api(ClientFactory.create())
    assert stranger.post(f"clients/{scene.client.pk}/export/", {}).status_code == 404
    assert stranger.post("me/export/", {}).json()["taken_by"] == "account"


def test_the_api_erases_as_the_page_does(scene: Therapy) -> None:
    api, address = Api(scene.client), f"clients/{scene.client.pk}/erasure/"
    before = api.get(address).json()
    assert before["asked_at"] is None
    assert before["holders"] == [scene.pt.practice.name]
    assert {"what": "questions and answers", "count": 1, "fate": "goes"} in before["lines"]
    asked = api.post(address, {}).json()
    assert asked["due_at"] > asked["asked_at"]
    assert api.post(address, {}).status_code == 409
    assert api.post(f"{address}cancel/", {}).json()["asked_at"] is None
    assert Api(scene.trainer).get(address).status_code == 403
    assert Api(ClientFactory.create()).get(address).status_code == 404


def test_the_document_has_the_periods() -> None:
    text = section((DOCS / "rights.md").read_text(), "## Erasure")
    told = {row[0]: row[1:] for row in rows(text) if row[0] in ("all others", "CA", "NY")}
    for period in SEED:
        row = told["all others" if period.state == "*" else period.state]
        age = period.until_age or 18 + period.years
        assert row[:2] == [str(period.years), str(age)]
        assert period.state == "*" or row[2] == period.source
    assert len(told) == len(SEED)
