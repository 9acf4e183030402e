"""Is it still you? Asked before what cannot be undone, and nothing that was typed is lost."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client as Browser
from django.urls import path

from clients import consent as consents
from clients.models import Consent
from handoff.core.policy import Policy
from handoff.web.pages import page
from referrals import lifecycle
from referrals.models import Restriction
from tests.api.client import Api
from tests.factories import NOON, PASSWORD
from tests.pages.reading import as_, kept
from tests.referrals.scenes import Therapy
from tests.referrals.test_lifecycle import Story
from tests.signing_in import long_ago

pytestmark = pytest.mark.django_db
AGAIN = {"password": PASSWORD}


@pytest.fixture(autouse=True)
def at_noon() -> Any:
    cache.clear()
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False) as clock:
        yield clock


@pytest.fixture
def scene() -> Therapy:
    scene = Therapy()
    scene.signed()
    return scene


def hidden(text: str) -> list[tuple[str, str]]:
    """The fields that the question sends along."""
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)
    return [(unescape(n), unescape(v)) for n, v in fields if n != "csrfmiddlewaretoken"]


def as_posted(fields: list[tuple[str, str]], **more: str) -> dict[str, list[str] | str]:
    found: dict[str, list[str] | str] = {}
    for name, value in fields:
        found.setdefault(name, [])
        found[name].append(value)  # type: ignore[union-attr]  # a list until `more`
    return {**found, **more}


@page(Policy.SIGNED_IN, confirmed=("GET",))
def export(request: Any) -> HttpResponse:
    return HttpResponse("everything about you")


urlpatterns = [path("export/", export, name="export")]


def test_the_form_comes_back_filled_and_goes_through(scene: Therapy) -> None:
    limit: Restriction = scene.restriction("avoid")
    browser, address = long_ago(as_(scene.pt)), f"/limits/{limit.pk}/lift/"
    typed = {"reason": 'Strong <b>enough</b> & "ready".', "version": "1"}
    asked = browser.post(address, typed)
    text = asked.content.decode()
    assert asked.status_code == 403
    assert "Is it still you?" in text
    assert hidden(text) == list(typed.items())
    assert scene.restriction("avoid").versions.count() == 1
    assert "Strong" not in kept(browser)  # not in the session, not in a cookie

    wrong = browser.post(address, {**as_posted(hidden(text)), "confirm_password": "a wrong one"})
    assert wrong.status_code == 403
    assert "That is not your password." in wrong.content.decode()
    assert hidden(wrong.content.decode()) == list(typed.items())
    assert "a wrong one" not in wrong.content.decode()

    sent = {**as_posted(hidden(text)), "confirm_password": PASSWORD}
    done = browser.post(address, sent)
    assert done.status_code == 303, done.content
    assert scene.restriction("avoid").versions.count() == 2
    newest = scene.restriction("avoid").versions.order_by("-number")[0]
    assert newest.change_reason == 'Strong <b>enough</b> & "ready".'


def test_within_five_minutes_nobody_is_asked_again(scene: Therapy) -> None:
    address = f"/limits/{scene.restriction('avoid').pk}/lift/"
    late = long_ago(as_(scene.pt), 300)
    assert late.post(address, {"reason": "Strong.", "version": "1"}).status_code == 403
    early = long_ago(as_(scene.pt), 299)
    assert early.post(address, {"reason": "Strong.", "version": "1"}).status_code == 303


def test_a_proof_from_the_future_is_none(scene: Therapy) -> None:
    browser = long_ago(as_(scene.pt), -60)
    address = f"/limits/{scene.restriction('avoid').pk}/lift/"
    assert browser.post(address, {"reason": "Strong.", "version": "1"}).status_code == 403


def test_htmx_gets_the_question_in_the_place_of_the_page(scene: Therapy) -> None:
    browser = long_ago(as_(scene.pt))
    address = f"/limits/{scene.restriction('avoid').pk}/lift/"
    answer = browser.post(address, {"reason": "Strong."}, headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert answer["HX-Retarget"] == "#main"
    assert "<html" not in answer.content.decode()
    assert ("reason", "Strong.") in hidden(answer.content.decode())


def test_too_many_wrong_passwords_are_stopped(scene: Therapy) -> None:
    browser = long_ago(as_(scene.pt))
    address = f"/limits/{scene.restriction('avoid').pk}/lift/"
    for _ in range(5):
        browser.post(address, {"reason": "x", "confirm_password": "wrong"})
    answer = browser.post(address, {"reason": "x", "confirm_password": PASSWORD})
    assert "Too many" in answer.content.decode()
    assert answer.status_code == 403


@pytest.mark.parametrize("verb", ["lift", "revise"])
def test_each_signature_under_a_limit_asks(scene: Therapy, verb: str) -> None:
    browser = long_ago(as_(scene.pt))
    answer = browser.post(f"/limits/{scene.restriction('avoid').pk}/{verb}/", {"reason": "x"})
    assert answer.status_code == 403
    looked = browser.post(
        f"/limits/{scene.restriction('avoid').pk}/revise/", {"then": "look", "reason": "x"}
    )
    assert looked.status_code == 200  # looking signs nothing


def test_a_new_signed_limit_asks_and_a_draft_does_not(scene: Therapy) -> None:
    browser = long_ago(as_(scene.pt))
    new = f"/episodes/{scene.episode.pk}/limits/new/"
    assert browser.post(new, {"reason": "x"}).status_code == 403
    other = Therapy()
    drafting = long_ago(as_(other.pt))
    new = f"/episodes/{other.episode.pk}/limits/new/"
    assert drafting.post(new, {"wording": "x"}).status_code == 422


def test_signing_a_note_asks() -> None:
    therapy = Therapy()
    therapy.ready()
    browser = long_ago(as_(therapy.pt))
    address = f"/discharge/{therapy.episode.pk}/sign/"
    assert browser.get(address).status_code == 200
    assert browser.post(address, {"revision": "1", "seen": "x"}).status_code == 403
    assert not therapy.episode.notes.get().is_signed


def test_an_addendum_asks(scene: Therapy) -> None:
    answer = long_ago(as_(scene.pt)).post(
        f"/episodes/{scene.episode.pk}/addenda/", {"text": "One more thing."}
    )
    assert answer.status_code == 403
    assert ("text", "One more thing.") in hidden(answer.content.decode())


def test_agreeing_to_share_asks_and_saying_no_or_stopping_does_not() -> None:
    story = Story()
    lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    question = Consent.objects.get()
    browser = long_ago(as_(story.client))
    data: dict[str, Any] = {
        "classes": ["clearance", "restrictions"],
        "until": "6",
        "confirmed": "on",
    }
    asked = browser.post(f"/consents/{question.pk}/grant/", data)
    assert asked.status_code == 403
    assert consents.standing(question, NOON + timedelta(minutes=6)).classes == frozenset()
    fields = hidden(asked.content.decode())
    assert [value for name, value in fields if name == "classes"] == data["classes"]
    sent = as_posted(fields, confirm_password=PASSWORD)
    assert browser.post(f"/consents/{question.pk}/grant/", sent).status_code == 303
    stopping = long_ago(as_(story.client))
    narrow = {"classes": ["clearance"]}
    assert stopping.post(f"/consents/{question.pk}/narrow/", narrow).status_code == 303
    assert stopping.post(f"/consents/{question.pk}/revoke/").status_code == 303


@pytest.mark.urls("tests.pages.test_confirming")
def test_a_download_leads_to_the_question_and_back() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("handoff.web.confirming.reverse", lambda name: f"/{name}/")
        browser = long_ago(as_(Therapy().client))
        answer = browser.get("/export/")
        assert answer.status_code == 303
        assert answer["Location"] == "/account_reauthenticate/?next=%2Fexport%2F"
        assert as_(Therapy().client).get("/export/").content == b"everything about you"


@pytest.mark.parametrize(
    "address", ["/accounts/email/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/"]
)
def test_the_account_itself_asks(address: str) -> None:
    browser = long_ago(as_(Therapy().client))
    body = {"email": "new@example.org", "action_add": ""}
    answer = browser.post(address, body) if "email" in address else browser.get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_a_new_password_asks_for_the_old_one() -> None:
    browser, new = long_ago(as_(user := Therapy().client)), "another rather long sentence"
    body = {"oldpassword": "a wrong one", "password1": new, "password2": new}
    assert browser.post("/accounts/password/change/", body).status_code == 200
    assert user.user is not None
    user.user.refresh_from_db()
    assert user.user.check_password(PASSWORD)


# --- the API ----------------------------------------------------------------------------------


def late(api: Api, clock: Any, minutes: int = 6) -> Api:
    clock.shift(timedelta(minutes=minutes))
    return api


def test_the_api_asks_for_the_same(scene: Therapy, at_noon: Any) -> None:
    limit = scene.restriction("avoid")
    api = late(Api(scene.pt), at_noon)
    address, body = f"restrictions/{limit.pk}/lift/", {"reason": "Strong.", "version": 1}
    refused = api.post(address, body)
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("#reauthenticate")
    assert "me/confirm/" in refused.json()["detail"]
    assert api.post("me/confirm/", {"password": "a wrong one"}).status_code == 401
    assert api.post(address, body).status_code == 403
    assert api.post("me/confirm/", AGAIN).status_code == 204
    assert api.post(address, body).status_code == 200


def test_a_new_token_is_a_fresh_proof(scene: Therapy, at_noon: Any) -> None:
    api = late(Api(scene.pt), at_noon, 4)
    body = {"reason": "Strong.", "version": 1}
    assert api.post(f"restrictions/{scene.restriction('avoid').pk}/lift/", body).status_code == 200


def test_each_signature_asks_in_the_api(scene: Therapy, at_noon: Any) -> None:
    limit, note = scene.restriction("avoid"), scene.episode.notes.get()
    api = late(Api(scene.pt), at_noon)
    for address in (
        f"restrictions/{limit.pk}/lift/",
        f"restrictions/{limit.pk}/revise/",
        f"discharge-notes/{note.pk}/addenda/",
        f"discharge-notes/{note.pk}/sign/",
    ):
        answer = api.post(address, {})
        assert answer.json()["type"].endswith("#reauthenticate"), (address, answer.json())


def test_a_repeated_request_asks_as_well(scene: Therapy, at_noon: Any) -> None:
    api, body = Api(scene.pt), {"reason": "Strong.", "version": 1}
    address = f"restrictions/{scene.restriction('avoid').pk}/lift/"
    headers = {"Idempotency-Key": "one-and-the-same-key"}
    assert api.post(address, body, headers=headers).status_code == 200
    assert late(api, at_noon).post(address, body, headers=headers).status_code == 403


def test_agreeing_through_the_api_asks(at_noon: Any) -> None:
    story = Story()
    lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    question = Consent.objects.get()
    api = late(Api(story.client), at_noon)
    body = {"classes": ["clearance"], "expires_on": "2027-06-01"}
    assert api.post(f"consents/{question.pk}/grant/", body).status_code == 403
    assert api.post(f"consents/{question.pk}/decline/").status_code == 200


def test_a_session_proves_itself_through_the_api(scene: Therapy) -> None:
    browser: Browser = long_ago(as_(scene.pt))
    address = f"/api/v1/restrictions/{scene.restriction('avoid').pk}/lift/"
    body = {"reason": "Strong.", "version": 1}
    post = browser.post
    assert post(address, body, content_type="application/json").status_code == 403
    done = post("/api/v1/me/confirm/", AGAIN, content_type="application/json")
    assert done.status_code == 204
    assert post(address, body, content_type="application/json").status_code == 200
