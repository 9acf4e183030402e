"""Whoever was erased since the backup is erased again; whoever called it off stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from clients import consent as consents
from clients.consent import ConsentState
from clients.models import Client, Consent, Erasure, User
from handoff.core import hold, journal, subjects
from handoff.core.audit import AuditEntry
from handoff.core.custody import Custody
from handoff.core.errors import Stale
from handoff.core.journal import IN_DOUBT
from referrals import restoring
from referrals.models import DischargeNote, Episode, Reminder
from referrals.rights import erasure
from referrals.rights.erasure import GRACE
from tests.factories import ClientFactory, acting, granted_consent
from tests.referrals.test_lifecycle import Story
from tests.rights.test_erasure import treated_long_ago

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def since_the_backup() -> Iterator[None]:
    """What the files outside know of afterwards, and the database does not."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ask(client: Client, *, by_themselves: bool = False) -> Erasure:
    """A request whose days of grace are over."""
    long_ago = timezone.now() - GRACE - timedelta(hours=1)
    if by_themselves:
        return erasure.ask(actor=acting(client), client_id=client.pk, at=long_ago)
    return erasure.ask_on_paper(client_id=client.pk, at=long_ago)


def told() -> list[tuple[str, dict[str, Any]]]:
    return [
        (line.body["kind"], line.body["facts"])
        for line in journal.file().lines()
        if line.body.get("kind", "").startswith("erasure.")
    ]


def restored() -> dict[str, str]:
    """Replays and ends the hold; what became of each line about an erasure."""
    hold.put(Custody.Hold.RESTORED)
    assert erasure.erase_due() == 0, "nothing is erased before it is known what was called off"
    did = restoring.replay()
    restoring.release(())
    assert not hold.is_held()
    return {each.kind: done for each, done in did.endings if each.kind in erasure.KINDS}


def of(client: Client, rows: Callable[[], int]) -> int:
    with subjects.of(client.pk):
        return rows()


@pytest.fixture
def story() -> Story:
    return Story()


def test_what_is_told_outside_are_ids_and_moments(story: Story) -> None:
    request = ask(story.client, by_themselves=True)
    erasure.erase(client_id=story.client.pk)
    ((kind, facts),) = told()
    assert (kind, facts["client"], facts["erasure"]) == (
        "erasure.done",
        str(story.client.pk),
        str(request.pk),
    )
    for name in ("client", "erasure", "asked_by"):
        UUID(facts.pop(name))
    for name in ("asked_at", "due_at"):
        assert datetime.fromisoformat(facts.pop(name)).tzinfo == UTC
    assert facts == {"joined": []}
    assert not journal.unknown()


def test_nothing_is_told_of_what_is_refused_or_done_already(story: Story) -> None:
    erasure.ask_on_paper(client_id=story.client.pk)
    for _ in range(2):
        with pytest.raises(Stale):
            erasure.erase(client_id=story.client.pk)
        with pytest.raises(Stale):
            erasure.finish(client_id=story.client.pk)
    assert told() == []


def test_whoever_was_erased_since_the_backup_is_erased_again(story: Story) -> None:
    client, account = story.client, story.client.user
    assert account is not None
    story.accepted()
    consent = Consent.objects.get()
    ask(client)
    with since_the_backup():
        erasure.erase(client_id=client.pk)
    assert Client.objects.get(pk=client.pk).erased_at is None
    assert consents.standing(consent, consent.asked_at).state is ConsentState.ACTIVE
    assert restored() == {"erasure.done": "erased"}
    now = Client.objects.get(pk=client.pk)
    assert now.erased_at is not None
    assert (now.user, now.email, now.phone) == (None, "", "")
    assert not consents.standing(consent, timezone.now()).is_active
    assert not User.objects.get(pk=account.pk).is_active
    assert not Reminder.objects.filter(state=Reminder.State.PENDING).exists()
    request = erasure.asked(client)
    assert request is not None
    assert request.done_at is not None
    assert request.finished_at is None, "the record is held, as the law asks"
    assert len(told()) == 1, "doing it again is no new erasure"


def test_a_request_that_is_younger_than_the_backup_stands_as_it_was_made(story: Story) -> None:
    with since_the_backup():
        made = ask(story.client, by_themselves=True)
        erasure.erase(client_id=story.client.pk)
    assert erasure.asked(story.client) is None
    assert restored() == {"erasure.done": "erased"}
    request = erasure.asked(story.client)
    assert request is not None
    assert (request.pk, request.asked_by_id) == (made.pk, made.asked_by_id)
    assert (request.asked_at, request.due_at) == (made.asked_at, made.due_at)
    assert request.done_at is not None


def test_what_was_held_and_went_goes_again() -> None:
    client = treated_long_ago()
    ask(client)
    with since_the_backup():
        request = erasure.erase(client_id=client.pk)
        assert request.held_until is not None
        assert erasure.finish(client_id=client.pk).finished_at is not None
    assert of(client, Episode.objects.filter(client=client).count) == 1
    assert restored() == {"erasure.done": "erased", "erasure.finished": "erased"}
    assert of(client, Episode.objects.filter(client=client).count) == 0
    assert of(client, DischargeNote.objects.filter(episode__client=client).count) == 0
    assert Client.objects.get(pk=client.pk).first_name == erasure.ERASED


def test_where_nothing_is_held_one_replay_takes_all() -> None:
    client = ClientFactory.create()
    ask(client)
    with since_the_backup():
        assert erasure.erase(client_id=client.pk).finished_at is not None
    assert restored() == {"erasure.done": "erased", "erasure.finished": "erased already"}
    assert Client.objects.get(pk=client.pk).first_name == erasure.ERASED


def test_what_this_database_holds_longer_waits_for_its_night(story: Story) -> None:
    """A longer period, or a longer record: the law of what is here decides."""
    request = ask(story.client)
    erasure.erase(client_id=story.client.pk)
    with since_the_backup():
        journal.write("erasure.finished", told()[0][1])
    assert restored() == {"erasure.finished": "still held"}
    request.refresh_from_db()
    assert request.finished_at is None
    assert of(story.client, Episode.objects.filter(client=story.client).count) == 1


def test_who_called_it_off_since_the_backup_stays(story: Story) -> None:
    request = ask(story.client)
    with since_the_backup():
        erasure.cancel(actor=story.as_client, client_id=story.client.pk)
    assert restored() == {"erasure.cancelled": "called off"}
    request.refresh_from_db()
    assert request.cancelled_at is not None
    assert erasure.erase_due() == 0
    assert Client.objects.get(pk=story.client.pk).erased_at is None
    assert AuditEntry.objects.filter(verb="erasure.cancelled").count() == 1


def test_who_called_it_off_and_asked_again_is_erased(story: Story) -> None:
    first = ask(story.client)
    with since_the_backup():
        erasure.cancel(actor=story.as_client, client_id=story.client.pk)
        second = ask(story.client)
        erasure.erase(client_id=story.client.pk)
    assert restored() == {"erasure.cancelled": "called off", "erasure.done": "erased"}
    first.refresh_from_db()
    assert first.done_at is None
    assert Erasure.objects.get(pk=second.pk).done_at is not None


def test_a_night_that_failed_does_not_outlive_what_the_client_said_next(story: Story) -> None:
    """The line was written, the erasure was not done, and then they called it off."""
    ask(story.client)
    with since_the_backup():
        erasure.erase(client_id=story.client.pk)
    erasure.cancel(actor=story.as_client, client_id=story.client.pk)
    assert restored() == {"erasure.done": "called off"}
    assert Client.objects.get(pk=story.client.pk).erased_at is None


def test_even_when_the_request_itself_is_not_here(story: Story) -> None:
    with since_the_backup():
        ask(story.client)
        with since_the_backup():
            erasure.erase(client_id=story.client.pk)
        erasure.cancel(actor=story.as_client, client_id=story.client.pk)
    assert restored() == {"erasure.done": "called off", "erasure.cancelled": "unknown here"}
    assert Client.objects.get(pk=story.client.pk).erased_at is None


def test_a_record_joined_since_the_backup_is_erased_with_the_other(story: Story) -> None:
    draft = ClientFactory.create(user=None, created_by=story.pt)
    ask(story.client)
    with since_the_backup():
        Client.objects.filter(pk=draft.pk).update(merged_into=story.client)
        erasure.erase(client_id=story.client.pk)
    assert told()[0][1]["joined"] == [str(draft.pk)]
    assert restored() == {"erasure.done": "erased"}
    now = Client.objects.get(pk=draft.pk)
    assert now.erased_at is not None
    assert (now.first_name, now.email) == (erasure.ERASED, "")


def test_a_client_who_is_younger_than_the_backup_is_not_here() -> None:
    with since_the_backup():
        client = ClientFactory.create()
        ask(client)
        erasure.erase(client_id=client.pk)
    assert restored() == {"erasure.done": "unknown here", "erasure.finished": "unknown here"}


def test_doing_it_once_more_says_so(story: Story) -> None:
    request = ask(story.client)
    erasure.erase(client_id=story.client.pk)
    with since_the_backup():
        journal.write("erasure.done", told()[0][1])
        journal.write("erasure.cancelled", told()[0][1] | {"erasure": str(request.pk)})
    (done, called_off) = journal.unknown()
    # A request that is done cannot be called off, whatever a line says.
    assert restoring.bring_about(called_off, at=timezone.now()) == "erased already"
    journal.file().path.unlink()
    assert restoring.bring_about(done, at=timezone.now()) == "erased already"


def test_one_that_cannot_be_done_keeps_the_hold_and_no_other_from_being_done(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent = granted_consent(client=story.client, discloser=story.pt, recipient=story.trainer)
    other = ClientFactory.create()
    ask(other)
    long_ago = timezone.now() - 2 * IN_DOUBT
    with since_the_backup():
        erasure.erase(client_id=other.pk, at=long_ago)
        consents.revoke(actor=story.as_client, consent_id=consent.pk, at=long_ago)

    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("full")

    with monkeypatch.context() as broken:
        broken.setattr(erasure, "_delete", fail)
        assert restoring.tend() == ""
        assert consents.standing(consent, timezone.now()).state is ConsentState.REVOKED
        assert Client.objects.get(pk=other.pk).erased_at is None
        hold.put(Custody.Hold.RESTORED)
        with pytest.raises(restoring.Refused, match=f"erasure.done of client {other.pk}"):
            restoring.replay()
        with pytest.raises(restoring.Refused, match="not replayed"):
            restoring.release(())
    restoring.replay()
    restoring.release(())
    assert Client.objects.get(pk=other.pk).erased_at is not None
