"""The page from injury to training: what each side may read, in order; each look is entered."""

import pytest

from clients.models import AccessEntry, ConsentEvent
from clients.scopes import Scope
from referrals import sharing
from referrals.models import Episode
from tests.factories import NOON, certified_trainer
from tests.pages.reading import as_, get
from tests.referrals.test_lifecycle import Story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


@pytest.fixture
def story() -> Story:
    made = Story()
    Episode.objects.filter(pk=made.episode.pk).update(
        condition="Rotator cuff, right", mechanism="A fall from a ladder", onset_on="2026-08-20"
    )
    made.running()
    return made


def path(story: Story) -> str:
    return f"/clients/{story.client.pk}/timeline/"


def test_the_client_reads_the_whole_way_newest_first(story: Story) -> None:
    seen = get(as_(story.client), path(story))
    began, accepted, runs = (
        seen.index(words) for words in ("A fall from a ladder", "Accepted", "In progress")
    )
    assert runs < accepted < began


def test_the_trainer_reads_what_is_shared_and_is_told_what_is_not(story: Story) -> None:
    seen = get(as_(story.trainer), path(story))
    assert "Accepted" in seen
    assert "ladder" not in seen
    assert "Rotator cuff" not in seen
    assert "What happened" in seen  # as a part that is not shared
    entry = AccessEntry.objects.order_by("-number").first()
    assert entry is not None
    assert (entry.purpose, Scope.HISTORY in entry.withheld) == ("timeline", True)


def test_nothing_of_the_record_is_left_once_sharing_ends(story: Story) -> None:
    consent = ConsentEvent.objects.filter(kind=ConsentEvent.Kind.GRANTED).get().consent
    sharing.revoke(actor=story.as_client, consent_id=consent.pk, at=NOON)
    seen = get(as_(story.trainer), path(story))
    assert "ended the therapy" not in seen
    assert "Limit set" not in seen
    assert "Sharing ended" in seen


def test_whoever_has_nothing_to_do_with_the_client_finds_nothing(story: Story) -> None:
    get(as_(certified_trainer()), path(story), 404)
