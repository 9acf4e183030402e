"""Inbox, the page of a handoff and the page of a client, through the address bar."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from clients.models import AccessEntry, Consent, Professional, User
from clients.scopes import Scope
from handoff.core.actors import Role
from referrals import lifecycle, sharing
from referrals.models import LoopReport, Referral, ReferralMessage
from referrals.states import State
from tests.factories import (
    NOON,
    ClientFactory,
    ReferralFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    UserFactory,
    certified_trainer,
    licensed_pt,
)
from tests.referrals.test_lifecycle import Story

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_noon(time_machine: Any) -> None:
    """The factories live around NOON; so do these pages."""
    time_machine.move_to(NOON)


@pytest.fixture
def story() -> Story:
    return Story()


def as_(user: User | Professional | None) -> Browser:
    browser = Browser()
    if user is not None:
        browser.force_login(user if isinstance(user, User) else user.user)
    return browser


def get(browser: Browser, path: str, status: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return answer.content.decode()


def post(browser: Browser, path: str, status: int = 303, data: dict[str, str] | None = None) -> str:
    answer = browser.post(path, data or {})
    assert answer.status_code == status, (path, answer.status_code)
    return answer.content.decode()


CLINICAL = (
    "Rotator cuff tear, repaired",
    "No pressing overhead.",
    "Band rows, twice a week.",
    "Rest for two days",
)


def test_before_accepting_a_trainer_sees_the_envelope_and_nothing_else(story: Story) -> None:
    referral = story.sent()
    trainer = as_(story.trainer)
    text = get(trainer, f"/referrals/{referral.pk}/")
    assert "Swim 1 km" in text
    assert "Cleared, with limits" in text
    assert f"{story.client.first_name} {story.client.last_name[0]}." in text
    assert story.client.last_name not in text
    assert not [word for word in CLINICAL if word in text]
    get(trainer, f"/clients/{story.client.pk}/", 404)
    referral.refresh_from_db()
    assert referral.state == State.VIEWED


def test_after_accepting_the_page_shows_what_is_shared_and_says_what_is_not(
    story: Story,
) -> None:
    referral = story.sent()
    sharing.narrow(
        actor=story.as_client,
        consent_id=Consent.objects.get().pk,
        classes=[Scope.CLEARANCE, Scope.RESTRICTIONS, Scope.CONTACT],
        at=NOON,
    )
    trainer = as_(story.trainer)
    post(trainer, f"/referrals/{referral.pk}/accept/")
    text = get(trainer, f"/clients/{story.client.pk}/")
    assert "No pressing overhead." in text
    assert "Rest for two days" in text
    assert story.pt.name in text
    assert "Rotator cuff tear, repaired" not in text
    assert "Band rows" not in text
    assert text.count("Not shared") == 4


def test_after_the_client_stops_the_very_next_request_shows_nothing(story: Story) -> None:
    story.accepted()
    trainer = as_(story.trainer)
    path = f"/clients/{story.client.pk}/"
    assert "No pressing overhead." in get(trainer, path)
    sharing.revoke(actor=story.as_client, consent_id=Consent.objects.get().pk, at=NOON)
    for page in (path, f"{path}card/", f"/referrals/{Referral.objects.get().pk}/"):
        text = get(trainer, page)
        assert not [word for word in CLINICAL if word in text], page
    assert "Sharing ended on" in get(trainer, path)
    assert get(trainer, path).count("Not shared") == 7


def test_nobody_else_finds_anything(story: Story) -> None:
    referral = story.accepted()
    pages = (
        f"/clients/{story.client.pk}/",
        f"/clients/{story.client.pk}/card/",
        f"/referrals/{referral.pk}/",
    )
    for user in (licensed_pt(), certified_trainer(), ClientFactory.create().user):
        for page in pages:
            there = get(as_(user), page, 404)
            nowhere = get(as_(user), page.replace(str(story.client.pk), str(uuid4())), 404)
            assert len(there) == len(nowhere) or "referrals" in page
    for page in pages:
        assert as_(None).get(page).status_code == 302


def test_every_look_at_a_client_is_entered(story: Story) -> None:
    story.accepted()
    before = AccessEntry.objects.count()
    get(as_(story.trainer), f"/clients/{story.client.pk}/")
    get(as_(story.trainer), f"/clients/{story.client.pk}/card/")
    entries = list(AccessEntry.objects.order_by("number")[before:])
    assert [each.action for each in entries] == ["read", "printed"]
    assert [each.channel for each in entries] == ["page", "print"]


def test_reading_is_confirmed_by_the_trainer(story: Story) -> None:
    story.accepted()
    trainer = as_(story.trainer)
    path = f"/clients/{story.client.pk}/"
    assert "I have read" in get(trainer, path)
    shown = f"{story.version.restriction_id}:1"
    assert f'value="{shown}"' in get(trainer, path)
    for unread in ("", f"{story.version.restriction_id}:2", "nonsense:1", "1:x"):
        assert trainer.post(f"{path}read/", {"read": unread}).status_code == 409
    assert "I have read" in get(trainer, path)
    post(trainer, f"{path}read/", data={"read": shown})
    assert "I have read" not in get(trainer, path)
    assert as_(story.pt).post(f"{path}read/").status_code == 404


def test_declining_keeps_what_was_typed_when_the_reason_is_missing(story: Story) -> None:
    referral = story.sent()
    text = post(
        as_(story.trainer),
        f"/referrals/{referral.pk}/decline/",
        422,
        data={"decline-reason_text": "Full until March"},
    )
    assert "Full until March" in text
    referral.refresh_from_db()
    assert referral.state in (State.SENT, State.VIEWED)
    post(
        as_(story.trainer),
        f"/referrals/{referral.pk}/decline/",
        data={"decline-reason_code": "no_capacity", "decline-reason_text": "Full until March"},
    )
    referral.refresh_from_db()
    assert referral.state == State.DECLINED


def test_a_session_is_booked_in_the_time_of_the_gym(story: Story) -> None:
    referral = story.accepted()
    text = post(
        as_(story.trainer),
        f"/referrals/{referral.pk}/schedule/",
        422,
        data={"schedule-day": "2027-01-01", "schedule-time": "10:00"},
    )
    assert "Choose a time that lies ahead" in text
    assert 'value="2027-01-01"' in text
    post(
        as_(story.trainer),
        f"/referrals/{referral.pk}/schedule/",
        data={"schedule-day": "2027-01-20", "schedule-time": "10:00"},
    )
    referral.refresh_from_db()
    assert referral.first_session_at is not None
    assert referral.first_session_at.isoformat() == "2027-01-20T15:00:00+00:00"


def test_questions_go_back_and_forth_and_are_escaped(story: Story) -> None:
    referral = story.sent()
    nasty = "<script>alert(1)</script> Mornings?"
    post(as_(story.trainer), f"/referrals/{referral.pk}/ask/", data={"ask-text": nasty})
    text = get(as_(story.pt), f"/referrals/{referral.pk}/")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Mornings?" in text
    assert "<script>alert" not in text
    post(as_(story.pt), f"/referrals/{referral.pk}/answer/", data={"answer-text": "Yes."})
    assert ReferralMessage.objects.count() == 2
    assert "Yes." not in get(as_(story.client.user), f"/referrals/{referral.pk}/")


def test_the_client_reads_whom_it_goes_to_and_who_has_the_next_word(story: Story) -> None:
    referral = story.sent()
    text = get(as_(story.client.user), f"/referrals/{referral.pk}/")
    assert f"<h1>Handoff to {story.trainer.name}</h1>" in text
    assert f"hands you over to {story.trainer.name}" in text
    assert f"Now it waits for {story.trainer.name}." in text


def test_a_step_that_is_not_ones_own_is_refused(story: Story) -> None:
    referral = story.sent()
    assert as_(story.pt).post(f"/referrals/{referral.pk}/accept/").status_code == 403
    assert as_(story.pt).post(f"/referrals/{referral.pk}/nonsense/").status_code == 404
    post(as_(story.trainer), f"/referrals/{referral.pk}/accept/")
    assert as_(story.trainer).post(f"/referrals/{referral.pk}/accept/").status_code == 409


def test_a_step_opens_on_a_page_of_its_own_without_a_script(story: Story) -> None:
    referral = story.sent()
    text = get(as_(story.trainer), f"/referrals/{referral.pk}/decline/")
    assert 'id="more-decline" open' in text


def test_the_loop_closes_on_the_pages(story: Story) -> None:
    referral = story.running()
    post(
        as_(story.trainer),
        f"/referrals/{referral.pk}/complete/",
        data={"complete-observations": "Twelve good sessions.", "complete-sessions_held": "12"},
    )
    referral.refresh_from_db()
    assert referral.state == State.COMPLETED
    assert LoopReport.objects.get().sessions_held == 12
    assert "Twelve good sessions." in get(as_(story.pt), f"/clients/{story.client.pk}/")


def test_somebody_else_is_asked_from_the_list_of_those_who_can(story: Story) -> None:
    referral = story.sent()
    lifecycle.decline(
        actor=story.as_trainer, referral_id=referral.pk, reason_code="no_capacity", at=NOON
    )
    able, lapsed = certified_trainer(), certified_trainer()
    lapsed.user.credentials.all().update(verified_at=None, verified_by=None)
    text = get(as_(story.pt), f"/referrals/{referral.pk}/")
    assert str(able.pk) in text
    assert str(lapsed.pk) not in text
    assert str(story.trainer.pk) not in text
    post(
        as_(story.pt),
        f"/referrals/{referral.pk}/reroute/",
        data={"reroute-recipient": str(able.pk)},
    )
    assert Referral.objects.filter(previous=referral, state=State.DRAFT).exists()


@pytest.mark.parametrize("box", ["waiting", "open", "closed", "nonsense"])
def test_lists_load_and_cost_the_same_for_one_and_for_many(story: Story, box: str) -> None:
    state = State.DECLINED if box == "closed" else State.SENT

    def fill(count: int) -> None:
        for _ in range(count):
            ReferralFactory.create(
                sender=story.pt, recipient=story.trainer, state=state, sent_at=NOON
            )

    def cost() -> int:
        browser = as_(story.trainer)
        browser.get(f"/referrals/?box={box}")
        with CaptureQueriesContext(connection) as captured:
            get(browser, f"/referrals/?box={box}")
        return len(captured)

    fill(1)
    one = cost()
    fill(24)
    assert cost() == one
    fill(5)
    text = get(as_(story.trainer), f"/referrals/?box={box}")
    assert "cursor=" in text
    assert story.episode.condition not in text


def test_one_persons_list_is_not_anothers(story: Story) -> None:
    referral = story.sent()
    assert str(referral.pk) in get(as_(story.trainer), "/referrals/?box=open")
    assert str(referral.pk) not in get(as_(certified_trainer()), "/referrals/?box=open")
    assert as_(UserFactory.create()).get("/referrals/").status_code == 404
    assert as_(story.client.user).get("/referrals/").status_code == 404


def test_the_clients_page_costs_the_same_for_one_limit_and_for_ten(story: Story) -> None:
    story.accepted()
    browser = as_(story.trainer)
    path = f"/clients/{story.client.pk}/"
    get(browser, path)
    with CaptureQueriesContext(connection) as one:
        get(browser, path)
    for _ in range(9):
        RestrictionVersionFactory.create(
            restriction=RestrictionFactory.create(episode=story.episode)
        )
    with CaptureQueriesContext(connection) as ten:
        get(browser, path)
    assert len(ten) == len(one)


def test_a_therapist_who_also_trains_is_both(story: Story) -> None:
    """One account, two roles: sends as the one, receives as the other."""
    both = certified_trainer(user=story.pt.user)
    other = Story()
    other.trainer = both
    referral = other.sent()
    browser = as_(story.pt)
    assert "accept" in get(browser, f"/referrals/{referral.pk}/")
    post(browser, f"/referrals/{referral.pk}/accept/")
    assert "No pressing overhead." in get(browser, f"/clients/{other.client.pk}/")
    assert {role for role, _ in story.as_pt.professionals} == {Role.PT, Role.TRAINER}


def test_the_goal_leaves_through_the_door_on_every_page_that_shows_it(story: Story) -> None:
    referral = story.sent()
    before = AccessEntry.objects.count()
    assert "Swim 1 km" in get(as_(story.pt), f"/referrals/{referral.pk}/")
    (entry,) = AccessEntry.objects.order_by("number")[before:]
    assert (entry.actor_id, entry.purpose) == (story.pt.user_id, "referral")


def test_after_the_client_stops_the_envelope_says_no_goal(story: Story) -> None:
    referral = story.sent()
    address = f"/referrals/{referral.pk}/"
    assert "Swim 1 km" in get(as_(story.trainer), address)
    sharing.revoke(actor=story.as_client, consent_id=Consent.objects.get().pk, at=NOON)
    text = get(as_(story.trainer), address)
    assert "Swim 1 km" not in text
    assert "shares nothing with you" in text


@pytest.mark.django_db(transaction=True)
def test_when_a_look_cannot_be_entered_no_page_shows_it() -> None:
    """Fail closed on every page that holds content: 503, and nothing of it."""
    story = Story()
    referral = story.accepted()
    looks = (
        (story.trainer, f"/clients/{story.client.pk}/"),
        (story.trainer, f"/clients/{story.client.pk}/card/"),
        (story.pt, f"/referrals/{referral.pk}/"),
        (story.pt, f"/episodes/{story.episode.pk}/"),
        (story.client.user, "/home/"),
        (story.client.user, f"/consents/{Consent.objects.get().pk}/"),
    )
    browsers = [(as_(who), path) for who, path in looks]
    for browser, path in browsers:
        get(browser, path)
        browser.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE clients_accessentry RENAME TO clients_accessentry_away")
    try:
        answers = [browser.get(path) for browser, path in browsers]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE clients_accessentry_away RENAME TO clients_accessentry")
    for (_, path), answer in zip(browsers, answers, strict=True):
        assert answer.status_code == 503, path
        assert not [word for word in CLINICAL if word in answer.content.decode()], path
