"""Who should I see first: the questions, the answer, and that nothing stays behind unless kept."""

import re
from datetime import date
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from clients.models import AccessEntry, Client
from handoff.core.idempotency import IdempotentRequest
from referrals.models import Screening
from referrals.triage import ASKED, WAYS, Action, Level, Question
from referrals.views import triage as views
from tests.factories import NOON, ClientFactory, GuardianshipFactory
from tests.pages.reading import as_, get, post
from tests.referrals.scenes import Therapy

pytestmark = pytest.mark.django_db
WELL: dict[str, Any] = {
    "warning": ["none"],
    "health": ["none"],
    "body": ["none"],
    "injury": "none",
    "goal": "stronger",
    "active": "yes",
    "effort": "easy",
}


@pytest.fixture(autouse=True)
def noon(time_machine: Any) -> None:
    time_machine.move_to(NOON, tick=False)


def result(browser: Browser, **changes: Any) -> str:
    return post(browser, "/triage/", {**WELL, **changes}, status=200)


def heading(text: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, Level.TRAINER),
        ({"injury": "discharged"}, Level.HANDOFF),
        ({"body": ["pain", "flares"]}, Level.PT),
        ({"body": ["unsure"]}, Level.PT),
        ({"body": ["daily", "unsure"]}, Level.PT),
        ({"health": ["disease"], "effort": "hard"}, Level.PHYSICIAN),
        ({"health": ["unsure"]}, Level.PHYSICIAN),
        ({"warning": ["fever"], "body": ["pain"]}, Level.MEDICAL),
        ({"warning": ["unsure"]}, Level.MEDICAL),
    ],
)
def test_anybody_is_told_whom_to_see_first_and_why(changes: dict[str, Any], level: Level) -> None:
    text = result(Browser(), **changes)
    assert heading(text) == WAYS[level].title
    assert WAYS[level].outcome in text
    assert "Why this result" in text
    assert "13 Jan 2027" in text
    assert ("13 Jan 2028" in text) == (level is not Level.MEDICAL)
    assert ("No warning sign" in text) == (level is not Level.MEDICAL)
    assert text.count("btn--primary") <= 1


def test_who_needs_medical_help_is_told_to_call_first_and_offered_nobody_else() -> None:
    text = result(Browser(), warning=["chest"], body=["pain"])
    main = text[text.index("<main") : text.index("</main>")]
    assert main.index("local emergency number") < main.index("What to do")
    assert 'href="tel:911"' in main
    for words in ("Find a", "trainer", "cost", "/directory/"):
        assert words not in main


def test_what_was_answered_is_read_again_and_can_be_changed() -> None:
    text = result(Browser(), body=["pain", "flares"])
    assert "Something hurts, at rest or when I move. An old problem keeps coming back" in text
    again = post(Browser(), "/triage/", {**WELL, "body": ["pain"], "change": "1"}, status=200)
    assert heading(again) == "Who should I see first?"
    assert re.search(r'name="body" value="pain"[^>]* checked', again)
    assert "needs another look" not in again


def test_what_is_missing_is_said_where_it_is_missing_and_the_rest_stays() -> None:
    sent = {**WELL, "warning": [], "goal": ""}
    text = post(Browser(), "/triage/", sent, status=422)
    assert "2 things need another look" in text
    warning = text[text.index('id="step-1"') : text.index('id="step-2"')]
    assert "Tick what applies, or \u201cNone of these\u201d." in warning
    assert 'aria-describedby="id_warning_error"' in warning
    assert "Choose one" in text[text.index('id="step-4"') :]
    for name in ("health", "body"):
        assert re.search(rf'name="{name}" value="none"[^>]* checked', text)
    assert re.search(r'name="effort" value="easy"[^>]* checked', text)
    assert "field__error" not in text[text.index('id="step-2"') : text.index('id="step-4"')]


def test_none_of_these_goes_with_nothing_else() -> None:
    text = post(Browser(), "/triage/", {**WELL, "warning": ["none", "chest"]}, status=422)
    assert "does not go together with another tick" in text
    for value in ("none", "chest"):
        assert re.search(rf'name="warning" value="{value}"[^>]* checked', text)


@pytest.mark.parametrize("name", WELL)
def test_what_is_not_in_the_list_is_not_said_back(name: str) -> None:
    text = post(Browser(), "/triage/", {**WELL, name: "&lt;zzz"}, status=422)
    assert "Choose from the list." in text
    assert "zzz" not in text


def test_nothing_is_left_behind(settings: Any) -> None:
    """No row but the count of tries, no session, nothing a browser or a proxy may keep."""
    browser = Browser()
    with CaptureQueriesContext(connection) as queries:
        answer = browser.post("/triage/", {**WELL, "warning": ["cancer"], "body": ["pain"]})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    written = [
        each["sql"] for each in queries if re.match(r"INSERT|UPDATE|DELETE", each["sql"].strip())
    ]
    assert written
    assert all("core_attempts" in sql for sql in written)
    assert not any("cancer" in sql or "pain" in sql for sql in written)
    assert not Screening.objects.exists()
    assert not Session.objects.exists()
    assert not IdempotentRequest.objects.exists()
    assert settings.SESSION_COOKIE_NAME not in browser.cookies
    # Nor does the page send its answers anywhere but back to us, and never in an address.
    text = answer.content.decode()
    assert set(re.findall(r'<form method="(\w+)" action="([^"]+)"', text)) == {
        ("post", "/triage/"),
    }
    assert not re.search(r'(href|action)="[^"]*(cancer|pain|warning)', text)


def test_answers_in_the_address_are_not_read() -> None:
    text = get(Browser(), "/triage/?warning=chest&body=pain")
    assert " checked" not in text


def test_too_many_from_one_address_wait_and_others_do_not() -> None:
    for _ in range(60):
        result(Browser())
    assert Browser().post("/triage/", WELL).status_code == 429
    assert Browser(REMOTE_ADDR="203.0.113.9").post("/triage/", WELL).status_code == 200
    assert as_(ClientFactory.create()).post("/triage/", WELL).status_code == 200
    assert Browser().get("/triage/").status_code == 200


class TestNextStep:
    """A page of ours is offered where there is one, by the name of its address."""

    def test_without_such_a_page_nothing_is_offered(self) -> None:
        assert views.address_of(None) == ""
        gone = Action("Find", "search", page="no_such_page")
        assert views.address_of(gone) == ""

    def test_with_one_it_is_the_first_thing_to_press(self) -> None:
        text = result(Browser(), body=["pain"])
        assert 'btn--primary" href="/directory/?role=pt"' in text
        assert "Find a physical therapist" in text
        text = result(Browser(), injury="cleared")
        assert 'btn--primary" href="/directory/?role=trainer"' in text
        for changes in ({"health": ["symptoms"]}, {"warning": ["chest"]}):
            assert "/directory/?" not in result(Browser(), **changes)


def save(browser: Browser, client: Client, status: int = 303, **changes: Any) -> str:
    sent = {**WELL, "client": str(client.pk), **changes}
    return post(browser, "/triage/save/", sent, status=status)


class TestKeeping:
    def test_a_client_keeps_the_result_by_a_second_act_and_finds_it_again(self) -> None:
        scene = Therapy()
        browser = as_(scene.client)
        offered = result(browser, body=["pain"])
        assert "Save to my record" in offered
        assert not Screening.objects.exists()
        save(browser, scene.client, body=["pain"])
        row = Screening.objects.get()
        assert (row.client_id, row.level, row.saved_by) == (
            *(scene.client.pk, "pt"),
            scene.client.user,
        )
        text = get(browser, f"/clients/{scene.client.pk}/screenings/")
        assert "See a physical therapist first" in text
        assert "Holds until" in text
        entry = AccessEntry.objects.order_by("-number")[0]
        assert (entry.purpose, entry.actor_id) == ("screenings", scene.client.user_id)

        post(browser, f"/screenings/{row.pk}/void/")
        text = get(browser, f"/clients/{scene.client.pk}/screenings/")
        assert "Health changed" in text
        assert "My health has changed" not in text
        post(browser, f"/screenings/{row.pk}/void/", status=409)
        post(browser, f"/screenings/{row.pk}/remove/")
        assert "Nothing saved yet" in get(browser, f"/clients/{scene.client.pk}/screenings/")

    def test_a_result_that_is_over_says_so(self, time_machine: Any) -> None:
        scene = Therapy()
        save(as_(scene.client), scene.client)
        time_machine.move_to(NOON.replace(year=2029), tick=False)
        text = get(as_(scene.client), f"/clients/{scene.client.pk}/screenings/")
        assert "Held until" in text
        assert "Holds until" not in text

    def test_a_guardian_chooses_for_whom(self) -> None:
        scene = Therapy()
        Client.objects.update(birth_date=date(2010, 5, 5))
        guardianship = GuardianshipFactory.create(client=scene.client)
        browser = as_(guardianship.user)
        text = result(browser)
        assert f"Save for {scene.client.first_name}" in text
        assert "Save to my record" not in text
        save(browser, scene.client)
        assert Screening.objects.get().saved_by == guardianship.user
        address = f"/clients/{scene.client.pk}/screenings/"
        assert f"Saved results of {scene.client.first_name}" in get(browser, address)

    def test_whoever_cannot_keep_one_is_told_why(self) -> None:
        scene = Therapy()
        assert "Sign in to save" in result(Browser())
        text = result(as_(scene.trainer))
        assert "Only a client or a guardian can save a result" in text
        assert "/triage/save/" not in text

    def test_nothing_is_kept_for_anybody_else(self) -> None:
        scene = Therapy()
        stranger = ClientFactory.create()
        save(as_(stranger), scene.client, status=404)
        save(as_(scene.pt), scene.client, status=404)
        save(as_(scene.trainer), scene.client, status=404)
        save(Browser(), scene.client, status=302)
        post(as_(scene.client), "/triage/save/", {**WELL, "client": "me"}, status=404)
        save(as_(scene.client), scene.client, status=422, goal="")
        assert not Screening.objects.exists()
        save(as_(scene.client), scene.client)
        row = Screening.objects.get()
        for somebody in (stranger, scene.pt, scene.trainer):
            get(as_(somebody), f"/clients/{scene.client.pk}/screenings/", status=404)
            post(as_(somebody), f"/screenings/{row.pk}/void/", status=404)
            post(as_(somebody), f"/screenings/{row.pk}/remove/", status=404)
        assert Screening.objects.get().voided_at is None


def test_the_way_there_is_on_the_start_page_and_on_the_first_page_of_a_client() -> None:
    text = get(Browser(), "/")
    assert text.count('href="/triage/"') >= 2  # in the page, and at its foot
    scene = Therapy()
    text = get(as_(scene.client), "/home/")
    assert 'href="/triage/"' in text
    assert f'href="/clients/{scene.client.pk}/screenings/"' in text


def test_the_page_asks_every_question() -> None:
    text = get(Browser(), "/triage/")
    for question in Question:
        assert ASKED[question].words in text
