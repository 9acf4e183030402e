"""The list of reminders: what waits, done, later; for every role."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from clients.models import Client, Professional
from referrals import lifecycle, reminders
from referrals.models import Reminder
from tests.factories import NOON, ClientFactory, UserFactory
from tests.pages.reading import as_, get, post, queries_of
from tests.referrals.test_lifecycle import Story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(time_machine: Any) -> Story:
    """Two days after the client was asked: the first reminder stands in their list."""
    story = Story()
    lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    later = NOON + timedelta(days=2, minutes=10)
    time_machine.move_to(later, tick=False)
    reminders.sweep(at=later)
    return story


def test_what_waits_stands_there_with_a_way_to_it(story: Story) -> None:
    text = get(as_(story.client), "/reminders/")
    assert f"{story.pt.name} asks what you want to share with {story.trainer.name}." in text
    assert 'href="/consents/"' in text
    assert "Reminders, 1 open" in text


def test_done_takes_it_off(story: Story) -> None:
    client = as_(story.client)
    row = Reminder.objects.get(recipient=story.client.user, shown_at__isnull=False)
    post(client, f"/reminders/{row.pk}/done/")
    row.refresh_from_db()
    assert row.done_at is not None
    text = get(client, "/reminders/")
    assert "Nothing waits for you" in text
    assert "Reminders, none open" in text


def test_later_brings_it_back_in_the_morning(story: Story, time_machine: Any) -> None:
    client = as_(story.client)
    row = Reminder.objects.get(recipient=story.client.user, shown_at__isnull=False)
    post(client, f"/reminders/{row.pk}/snooze/", {"days": "3"})
    row.refresh_from_db()
    assert row.snoozed_until is not None
    assert row.snoozed_until.isoformat() == "2027-01-18T13:00:00+00:00"  # 08:00 in New York
    assert "Nothing waits for you" in get(client, "/reminders/")
    time_machine.move_to(row.snoozed_until, tick=False)
    assert "asks what you want to share" in get(as_(story.client), "/reminders/")


@pytest.mark.parametrize("days", ["", "0", "2", "-1", "400", "x"])
def test_only_the_offered_times(story: Story, days: str) -> None:
    row = Reminder.objects.get(recipient=story.client.user, shown_at__isnull=False)
    post(as_(story.client), f"/reminders/{row.pk}/snooze/", {"days": days}, status=422)
    row.refresh_from_db()
    assert row.snoozed_until is None


def test_htmx_gets_the_list_anew(story: Story) -> None:
    row = Reminder.objects.get(recipient=story.client.user, shown_at__isnull=False)
    answer = as_(story.client).post(f"/reminders/{row.pk}/done/", headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert text.lstrip().startswith('<section class="card" id="reminders"')
    assert "Nothing waits for you" in text


def test_nobody_touches_the_reminders_of_others(story: Story) -> None:
    row = Reminder.objects.get(recipient=story.client.user, shown_at__isnull=False)
    strangers: list[Professional | Client] = [story.pt, story.trainer, ClientFactory.create()]
    for somebody in strangers:
        browser = as_(somebody)
        assert "asks what you want to share" not in get(browser, "/reminders/")
        post(browser, f"/reminders/{row.pk}/done/", status=404)
        post(browser, f"/reminders/{row.pk}/snooze/", {"days": "1"}, status=404)
        post(browser, f"/reminders/{uuid4()}/done/", status=404)
    row.refresh_from_db()
    assert (row.done_at, row.snoozed_until) == (None, None)


def test_every_role_has_a_list_and_nobody_else(story: Story) -> None:
    for somebody in (story.pt, story.trainer, UserFactory.create(is_staff=True)):
        assert "Reminders" in get(as_(somebody), "/reminders/")
    assert as_(None).get("/reminders/").status_code == 302


def test_reading_a_list_does_not_tick_it_off_and_get_is_no_act(story: Story) -> None:
    client = as_(story.client)
    row = Reminder.objects.get(recipient=story.client.user, shown_at__isnull=False)
    assert client.get(f"/reminders/{row.pk}/done/").status_code == 405
    assert client.get(f"/reminders/{row.pk}/snooze/").status_code == 405
    get(client, "/reminders/")
    row.refresh_from_db()
    assert row.done_at is None


def test_names_are_text_and_the_bell_costs_one_query(story: Story) -> None:
    evil = "<script>alert(1)</script>"
    story.trainer.user.last_name = evil
    story.trainer.user.save()
    client = as_(story.client)
    text = get(client, "/reminders/")
    assert evil not in text
    assert "&lt;script&gt;" in text
    assert queries_of(client, "/reminders/") < 40
