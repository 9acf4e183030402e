"""The trainer's first page, inbox and list of clients: what waits, in which order, for whom."""

import re
from datetime import timedelta
from typing import Any

import pytest

from clients.models import Credential, Professional
from referrals import reminders
from referrals.models import Referral
from referrals.states import State
from referrals.views.trainer import AT_ONCE
from tests.factories import NOON, ClientFactory, ReferralFactory, UserFactory, certified_trainer
from tests.pages.reading import as_, get, queries_of
from tests.referrals.test_lifecycle import Story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
DAY = timedelta(days=1)
INBOX = "/referrals/"


@pytest.fixture
def story() -> Story:
    return Story()


def received(story: Story, state: State = State.SENT, *, ago: int = 0, **fields: Any) -> Referral:
    """Something this trainer received from a client of their own."""
    since = NOON - ago * DAY
    if state is State.SCHEDULED:
        fields["first_session_at"] = NOON + DAY
    accepted = state not in (State.SENT, State.VIEWED, State.INFO_REQUESTED)
    return ReferralFactory.create(
        sender=story.pt,
        recipient=story.trainer,
        state=state,
        sent_at=since,
        answered_at=since if accepted else None,
        state_at=since,
        **fields,
    )


def shown(text: str) -> list[str]:
    """The ids of the handoffs a page lists, in its order."""
    return re.findall(r'<strong><a href="/referrals/([0-9a-f-]{36})/"', text)


def section(text: str, heading: str) -> str:
    """One card of a page, by the id of its heading."""
    found = re.search(rf'<section[^>]*aria-labelledby="{heading}".*?</section>', text, re.S)
    assert found is not None, heading
    return found.group(0)


class TestTheFirstPage:
    def test_it_tells_requests_from_clients(self, story: Story) -> None:
        asked = received(story)
        running = received(story, State.IN_PROGRESS)
        text = get(as_(story.trainer), "/home/")
        requests, clients = section(text, "asked-h"), section(text, "running-h")
        assert shown(requests) == [str(asked.pk)]
        assert f"/clients/{running.client_id}/" in clients
        assert str(asked.client_id) not in text
        assert asked.client.last_name not in text
        assert running.client.name in clients

    def test_without_anything_it_says_what_will_stand_there(self, story: Story) -> None:
        text = get(as_(story.trainer), "/home/")
        assert "No requests right now" in text
        assert "Clients you accept stand here" in text

    def test_more_than_fit_are_counted_and_linked(self, story: Story) -> None:
        for _ in range(AT_ONCE + 1):
            received(story)
            received(story, State.ACCEPTED)
        text = get(as_(story.trainer), "/home/")
        requests, clients = section(text, "asked-h"), section(text, "running-h")
        assert len(shown(requests)) == AT_ONCE
        for part, address in ((requests, "/referrals/?box=waiting"), (clients, "/clients/")):
            assert f">{AT_ONCE + 1}<" in part
            assert f'href="{address}"' in part

    def test_its_reminders_stand_there(self, story: Story, at_noon: Any) -> None:
        story.sent()
        at_noon.move_to(NOON + 3 * DAY, tick=False)
        reminders.sweep(at=NOON + 3 * DAY)
        text = get(as_(story.trainer), "/home/")
        line = reminders.mine(story.as_trainer, NOON + 3 * DAY).items[0]
        assert line.title in section(text, "bell-h")

    def test_a_trainer_whose_papers_ran_out_is_told_what_is_missing(self, story: Story) -> None:
        assert "You cannot take new clients" not in get(as_(story.trainer), "/home/")
        Credential.objects.filter(user=story.trainer.user, kind=Credential.Kind.CPR_AED).update(
            expires_on=NOON.date() - DAY
        )
        running = received(story, State.IN_PROGRESS)
        text = get(as_(story.trainer), "/home/")
        assert "You cannot take new clients at the moment" in text
        assert "A verified CPR/AED certificate, valid today, is missing." in text
        assert "certification, valid today, is missing" not in text
        assert running.client.name in text


class TestTheInbox:
    def test_what_a_reminder_fell_due_for_comes_first(self, story: Story, at_noon: Any) -> None:
        """Not merely the oldest: a client trained for weeks does not wait, a request does."""
        training = received(story, State.IN_PROGRESS, ago=20)
        due = story.sent()
        later = NOON + 3 * DAY
        at_noon.move_to(later, tick=False)
        reminders.sweep(at=later)
        fresh = received(story, ago=-2)
        urgent = received(story, ago=-3, priority=Referral.Priority.URGENT)
        text = get(as_(story.trainer), INBOX)
        assert shown(text) == [str(each.pk) for each in (due, urgent, training, fresh)]
        assert text.count("Due now") == 1
        home = get(as_(story.trainer), "/home/")
        assert shown(section(home, "asked-h")) == [str(each.pk) for each in (due, urgent, fresh)]

    def test_the_order_holds_over_pages(self, story: Story, at_noon: Any) -> None:
        due = story.sent()
        later = NOON + 3 * DAY
        at_noon.move_to(later, tick=False)
        reminders.sweep(at=later)
        older = [received(story, ago=90 - n) for n in range(30)]
        first = get(as_(story.trainer), INBOX)
        assert shown(first) == [str(each.pk) for each in (due, *older[:24])]
        onward = re.search(r'href="(\?[^"]*cursor=[^"]+)"', first)
        assert onward is not None
        second = get(as_(story.trainer), INBOX + onward.group(1).replace("&amp;", "&"))
        assert shown(second) == [str(each.pk) for each in older[24:]]
        back = re.search(r'href="(\?[^"]*cursor=[^"]+)"', second)
        assert back is not None
        again = get(as_(story.trainer), INBOX + back.group(1).replace("&amp;", "&"))
        assert shown(again) == shown(first)

    @pytest.mark.parametrize(
        ("box", "states"),
        [
            ("waiting", {State.SENT, State.ACCEPTED, State.SCHEDULED, State.CANCEL_REQUESTED}),
            (
                "open",
                {
                    *(State.SENT, State.INFO_REQUESTED, State.ACCEPTED, State.SCHEDULED),
                    State.CANCEL_REQUESTED,
                },
            ),
            ("closed", {State.DECLINED, State.COMPLETED, State.EXPIRED}),
        ],
    )
    def test_each_box_holds_its_own(self, story: Story, box: str, states: set[State]) -> None:
        rows = {
            str(received(story, state).pk): state
            for state in (
                *(State.SENT, State.INFO_REQUESTED, State.ACCEPTED, State.SCHEDULED),
                *(State.CANCEL_REQUESTED, State.DECLINED, State.COMPLETED, State.EXPIRED),
            )
        }
        for hidden in (State.DRAFT, State.AWAITING_CONSENT, State.ENTERED_IN_ERROR):
            received(story, hidden)
        text = get(as_(story.trainer), f"{INBOX}?box={box}")
        assert {rows[each] for each in shown(text)} == states

    def test_a_name_is_short_until_the_trainer_accepted(self, story: Story) -> None:
        asked, taken = received(story), received(story, State.ACCEPTED)
        text = get(as_(story.trainer), f"{INBOX}?box=open")
        assert asked.client.last_name not in text
        assert f"{asked.client.first_name} {asked.client.last_name[0]}." in text
        assert taken.client.name in text

    @pytest.mark.parametrize("cursor", ["x", "%00", "gAAAAA"])
    def test_a_page_that_is_not_there_is_refused(self, story: Story, cursor: str) -> None:
        get(as_(story.trainer), f"{INBOX}?cursor={cursor}", 422)


class TestTheClients:
    def test_they_stand_there_while_taken_on_and_no_longer(self, story: Story) -> None:
        there = received(story, State.COMPLETED)
        gone = received(story, State.FAILED)
        asked = received(story)
        text = get(as_(story.trainer), "/clients/")
        assert there.client.name in text
        for other in (gone, asked):
            assert str(other.client_id) not in text
            assert other.client.first_name not in text

    def test_they_come_in_pages_at_the_same_cost(self, story: Story) -> None:
        received(story, State.ACCEPTED)
        browser = as_(story.trainer)
        get(browser, "/clients/")
        one = queries_of(browser, "/clients/")
        rows = [received(story, State.IN_PROGRESS, ago=n) for n in range(25)]
        assert queries_of(browser, "/clients/") == one
        text = get(browser, "/clients/")
        onward = re.search(r'href="(\?[^"]*cursor=[^"]+)"', text)
        assert onward is not None
        second = get(browser, "/clients/" + onward.group(1).replace("&amp;", "&"))
        assert rows[-1].client.name in second
        assert rows[-1].client.name not in text

    @pytest.mark.parametrize("path", ["/home/", "/clients/", INBOX, f"{INBOX}?box=open"])
    def test_they_are_nobody_elses(self, story: Story, path: str) -> None:
        row = received(story, State.ACCEPTED)
        other: Professional = certified_trainer()
        text = get(as_(other), path)
        assert row.client.first_name not in text
        assert str(row.pk) not in text
        if path != "/home/":
            for nobody in (UserFactory.create(), ClientFactory.create().user):
                get(as_(nobody), path, 404)
