"""From the mail to the record: the pages of an invitation, and what they keep to themselves."""

import re
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client as Browser
from django.utils import timezone

from clients import invitations
from clients.models import Client, Guardianship, Invitation, User
from referrals.models import Episode
from tests.factories import (
    ClientFactory,
    EpisodeFactory,
    UserFactory,
    acting,
    licensed_pt,
)
from tests.pages.reading import as_, get, post

BORN = date(1991, 4, 2)
PASSWORD = "a-long-enough-pass-phrase"
pytestmark = pytest.mark.django_db


class Invited:
    """A link that has just gone out to ana@example.org."""

    def __init__(self, capture: Any, *, guardian: bool = False) -> None:
        self.pt = licensed_pt()
        with capture(execute=True):
            if guardian:
                self.client = ClientFactory.create(
                    created_by=self.pt, birth_date=date(timezone.now().year - 12, 1, 1)
                )
                self.invitation = invitations.invite_guardian(
                    actor=acting(self.pt),
                    client_id=self.client.pk,
                    email="ana@example.org",
                    relationship=Guardianship.Relationship.PARENT,
                )
            else:
                self.client, self.invitation = invitations.invite_client(
                    actor=acting(self.pt),
                    first_name="Ana",
                    last_name="Duarte",
                    birth_date=BORN,
                    email="ana@example.org",
                    state="NY",
                    time_zone="America/Denver",
                )
        found = re.search(r"(/invitations/[\w-]+/)", str(mail.outbox[-1].body))
        assert found
        self.link = found.group(1)


@pytest.fixture
def invited(django_capture_on_commit_callbacks: Any) -> Invited:
    return Invited(django_capture_on_commit_callbacks)


def open_link(browser: Browser, link: str) -> str:
    answer = browser.get(link)
    assert (answer.status_code, answer["Location"]) == (302, "/invitations/open/")
    return get(browser, "/invitations/open/")


def test_a_new_person_signs_up_and_is_connected(invited: Invited) -> None:
    browser = Browser()
    text = open_link(browser, invited.link)
    assert "You are invited to Handoff" in text
    sign_up = get(browser, "/accounts/signup/?next=/invitations/open/")
    assert 'value="ana@example.org"' in sign_up
    answer = browser.post(
        "/accounts/signup/",
        {
            "first_name": "Ana",
            "last_name": "Duarte",
            "email": "ana@example.org",
            "password1": PASSWORD,
            "password2": PASSWORD,
            "next": "/invitations/open/",
        },
    )
    assert (answer.status_code, answer["Location"]) == (302, "/invitations/open/")
    user = User.objects.get(email="ana@example.org")
    assert EmailAddress.objects.get(user=user).verified
    assert "One question before you connect" in get(browser, "/invitations/open/")
    text = post(browser, "/invitations/open/", {"birth_date": "1991-04-03"}, status=422)
    assert "not the date that was written down" in text
    assert "1991-04-03" in text
    post(browser, "/invitations/open/", {"birth_date": "1991-04-02"})
    user.refresh_from_db()
    assert (user.client, user.time_zone) == (invited.client, "America/Denver")
    assert "Good" in get(browser, "/home/")


def test_before_signing_in_it_says_nothing(invited: Invited) -> None:
    text = open_link(Browser(), invited.link)
    for words in (
        *("Ana", "Duarte", "1991", "ana@example.org"),
        *(invited.pt.user.first_name, invited.pt.user.last_name, invited.pt.practice.name),
        *("herap", "rehab", "rainer", "clinic"),
    ):
        main = text[text.index('<main id="main"') : text.index("</main>")]
        assert words not in main, words


def test_known_or_not_the_page_is_the_same(django_capture_on_commit_callbacks: Any) -> None:
    new = Invited(django_capture_on_commit_callbacks)
    before = open_link(Browser(), new.link)
    UserFactory.create(email="ana@example.org")
    after = open_link(Browser(), new.link)

    def bare(text: str) -> str:
        return re.sub(r'csrf\w*" value="[^"]+"|"X-CSRFToken": "[^"]+"', "", text)

    assert bare(before) == bare(after)


def test_the_secret_leaves_the_address_and_stays_out_of_the_session(invited: Invited) -> None:
    browser = Browser()
    open_link(browser, invited.link)
    secret = invited.link.split("/")[2]
    assert secret not in str(dict(browser.session.items()))
    assert secret not in get(browser, "/invitations/open/")


def test_opening_uses_nothing_up(invited: Invited) -> None:
    for _ in range(3):
        assert "You are invited" in open_link(Browser(), invited.link)
    browser = Browser()
    assert browser.head(invited.link).status_code == 302
    assert Invitation.objects.get().used_at is None


def test_an_account_that_exists_signs_in_and_connects(invited: Invited) -> None:
    user = UserFactory.create(email="ana@example.org")
    browser = Browser()
    open_link(browser, invited.link)
    answer = browser.post(
        "/accounts/login/", {"login": "ana@example.org", "password": "handoff-demo"}
    )
    assert answer["Location"] == "/invitations/open/"
    post(browser, "/invitations/open/", {"birth_date": "1991-04-02"})
    assert Client.objects.get(user=user) == invited.client
    assert "You are connected" in open_link(browser, invited.link)


def test_another_address_is_refused_without_naming_the_right_one(invited: Invited) -> None:
    browser = as_(UserFactory.create(email="other@example.org"))
    text = open_link(browser, invited.link)
    assert "for another address" in text
    assert "other@example.org" in text
    assert "ana@example.org" not in text
    post(browser, "/invitations/open/", {"birth_date": "1991-04-02"}, status=200)
    assert Client.objects.get().user is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("expired", "has run out"),
        ("cancelled", "no longer valid"),
        ("used", "was used already"),
    ],
)
def test_links_that_no_longer_work_say_what_to_do(
    invited: Invited, change: str, words: str, time_machine: Any
) -> None:
    now = invited.invitation.created_at
    match change:
        case "expired":
            time_machine.move_to(now + timedelta(days=7), tick=False)
        case "cancelled":
            Invitation.objects.update(cancelled_at=now)
        case "used":
            Invitation.objects.update(used_at=now, used_by=UserFactory.create())
    browser = Browser()
    text = open_link(browser, invited.link)
    assert words in text
    assert "whoever invited you" in text
    assert "account_verified_email" not in browser.session
    user = UserFactory.create(email="ana@example.org")
    signed_in = as_(user)
    open_link(signed_in, invited.link)
    signed_in.post("/invitations/open/", {"birth_date": "1991-04-02"})
    assert not Client.objects.filter(user=user).exists()


def test_a_wrong_link_and_none_at_all() -> None:
    assert "This link is not complete" in open_link(Browser(), "/invitations/made-up/")
    assert "This link is not complete" in get(Browser(), "/invitations/open/")
    post(Browser(), "/invitations/open/", {"birth_date": "1991-04-02"}, status=200)


def test_somebody_with_a_record_connects_the_draft(invited: Invited) -> None:
    own = ClientFactory.create(
        first_name="Ana",
        last_name="Duarte",
        birth_date=BORN,
        user=UserFactory.create(email="ana@example.org"),
    )
    episode = EpisodeFactory.create(client=invited.client, pt=invited.pt)
    browser = as_(own)
    text = open_link(browser, invited.link)
    assert "You already have a record here. Is this you?" in text
    post(browser, "/invitations/open/")
    episode.refresh_from_db()
    assert episode.client == own


def test_records_that_differ_are_not_connected(invited: Invited) -> None:
    own = ClientFactory.create(user=UserFactory.create(email="ana@example.org"))
    EpisodeFactory.create(client=invited.client, pt=invited.pt)
    browser = as_(own)
    open_link(browser, invited.link)
    text = post(browser, "/invitations/open/", status=422)
    assert "do not fit the record you have" in text
    assert "Duarte" not in text
    assert invited.pt.name not in text
    assert Episode.objects.get().client == invited.client


def test_a_guardian_waits_for_somebody_to_check(django_capture_on_commit_callbacks: Any) -> None:
    invited = Invited(django_capture_on_commit_callbacks, guardian=True)
    minor = invited.client
    browser = as_(UserFactory.create(email="ana@example.org"))
    text = open_link(browser, invited.link)
    assert "Act for a minor" in text
    assert minor.first_name not in text
    post(browser, "/invitations/open/")
    text = get(browser, "/invitations/open/")
    assert "Now we check" in text
    assert minor.first_name not in text
    held = Guardianship.objects.get()
    assert held.verified_at is None
    text = get(browser, "/home/")
    assert "Your authority is not verified yet" in text
    for words in (minor.first_name, minor.last_name, str(minor.pk)):
        assert words not in text
    get(browser, f"/clients/{minor.pk}/", 404)
    get(browser, "/consents/", 404)


class TestProfile:
    def test_a_client_changes_their_own_details(self) -> None:
        client = ClientFactory.create(birth_date=BORN)
        browser = as_(client)
        assert "2 Apr 1991" in get(browser, "/profile/")
        post(
            browser,
            "/profile/",
            {
                "first_name": " Anna ",
                "last_name": "Duarte",
                "time_zone": "America/Chicago",
                "phone": "555-0199",
            },
        )
        client.refresh_from_db()
        assert client.user
        client.user.refresh_from_db()
        assert (client.first_name, client.user.first_name) == ("Anna", "Anna")
        assert (client.time_zone, client.user.time_zone) == ("America/Chicago",) * 2
        assert client.phone == "555-0199"

    def test_a_professional_has_no_phone_here(self) -> None:
        pt = licensed_pt()
        browser = as_(pt)
        assert 'name="phone"' not in get(browser, "/profile/")
        data = {"first_name": "A", "last_name": "B", "time_zone": "America/Denver", "phone": "1"}
        post(browser, "/profile/", data)
        pt.refresh_from_db()
        assert pt.phone == "555-0101"
        pt.user.refresh_from_db()
        assert pt.user.name == "A B"

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"first_name": ""}, "Fill this in"),
            ({"time_zone": "Mars/Base"}, "Select a valid choice"),
            ({"phone": "5" * 31}, "at most 30"),
            ({"last_name": "x" * 81}, "at most 80"),
        ],
    )
    def test_what_is_wrong_is_said_and_typing_stays(
        self, change: dict[str, str], words: str
    ) -> None:
        client = ClientFactory.create()
        data = {
            "first_name": "Anna",
            "last_name": "Kept",
            "time_zone": "America/Denver",
            "phone": "1",
            **change,
        }
        text = post(as_(client), "/profile/", data, status=422)
        assert words in text
        kept = "Anna" if "last_name" in change else "Kept"
        assert f'value="{kept}"' in text
        client.refresh_from_db()
        assert client.last_name != "Kept"

    def test_times_are_shown_in_ones_own_zone(self) -> None:
        client = ClientFactory.create(time_zone="Pacific/Honolulu")
        browser = as_(client)
        assert 'value="Pacific/Honolulu" selected' in get(browser, "/profile/")
        get(browser, "/home/")
        entered = get(browser, "/access/?own=1")
        local = timezone.now().astimezone(ZoneInfo("Pacific/Honolulu"))
        assert f"Today, {local:%H:}" in entered
