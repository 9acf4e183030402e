"""One client stops and starts sharing while eight readers hammer on every door.

`make hammer` runs the same for longer and with the figures.
"""

import os
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.db import connection

from clients import consent as consents
from clients.models import AccessEntry, ConsentEvent
from clients.scopes import Scope
from handoff.core.ledger import verify
from referrals import lifecycle, sharing
from tests.factories import NOON
from tests.races import hammer
from tests.races.hammer import READERS, Door, Hammer, Target
from tests.referrals.test_lifecycle import LAST_DAY, Story

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = float(os.environ.get("HAMMER_SECONDS", "3"))
WITHDRAWALS = int(os.environ.get("HAMMER_WITHDRAWALS", "0"))
LONGEST = float(os.environ.get("HAMMER_LONGEST", "60"))
CLASSES = frozenset({Scope.CLEARANCE, Scope.RESTRICTIONS, Scope.NOTE, Scope.HISTORY})


@pytest.fixture(autouse=True)
def _witness(transactional_db: None) -> Iterator[None]:
    with hammer.witness():
        yield


def hammered(*doors: Door) -> Hammer:
    """A referral with messages in it, taken on; the consent behind it changes all the time."""
    story = Story()
    referral = story.sent()
    lifecycle.ask(actor=story.as_trainer, referral_id=referral.pk, text="Which knee?", at=NOON)
    lifecycle.answer(actor=story.as_pt, referral_id=referral.pk, text="The left one.", at=NOON)
    lifecycle.accept(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    target = Target(
        reader_id=story.trainer.user_id,
        client_id=story.client.pk,
        pt_id=story.pt.pk,
        note_id=story.note.pk,
        episode_id=story.episode.pk,
        restriction_id=story.version.restriction_id,
        referral_id=referral.pk,
    )
    as_pt, as_client = story.as_pt, story.as_client

    def agree() -> UUID:
        asked = consents.ask(
            actor=as_pt,
            client=story.client,
            discloser=story.pt,
            recipient=story.trainer,
            purpose="So that your trainer can begin safely.",
            classes=CLASSES,
            at=NOON,
        )
        consents.grant(
            actor=as_client, consent_id=asked.pk, classes=CLASSES, expires_on=LAST_DAY, at=NOON
        )
        return asked.pk

    def stop(consent_id: UUID) -> None:
        sharing.revoke(actor=as_client, consent_id=consent_id, at=NOON)

    return Hammer(target, doors, agree, stop)


def is_enough(so_far: Hammer) -> bool:
    """The time is over, and there were as many withdrawals as wanted."""
    done = so_far.seconds >= SECONDS and len(so_far.waits) >= WITHDRAWALS
    return done or so_far.seconds >= max(LONGEST, SECONDS)


def has_leaked(so_far: Hammer) -> bool:
    """Enough to see that it can go wrong; all the time, where figures are wanted."""
    return is_enough(so_far) and (bool(so_far.looks_after_stopping()) or so_far.seconds > LONGEST)


def test_the_hammer_can_show_the_race() -> None:
    """Positive control: readers who check first and write later look after the withdrawal."""
    naive = hammered(hammer.unlocked)
    naive.run(until=has_leaked)
    print(naive.figures("naive"))
    assert naive.looks_after_stopping()


def test_reading_again_under_the_lock_is_not_enough() -> None:
    """Positive control: the look goes by all the steps, and the withdrawal waits for nobody."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE clients_consentevent DISABLE TRIGGER wait_for_looks")
    try:
        alone = hammered(hammer.limits)
        alone.run(until=has_leaked)
        print(alone.figures("without waiting"))
        assert alone.looks_after_stopping()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE clients_consentevent ENABLE TRIGGER wait_for_looks")


@pytest.mark.parametrize("doors", [hammer.DOORS, (hammer.limits,)], ids=["every door", "one door"])
def test_no_look_gets_a_number_after_the_withdrawal_that_forbids_it(
    doors: tuple[Door, ...],
) -> None:
    run = hammered(*doors)
    run.run(until=is_enough)
    print(run.figures(f"{len(doors)} doors"))
    assert run.shared.full.value
    assert run.shared.empty.value
    assert run.waits
    assert run.looks_after_stopping() == []
    assert run.came_late == []
    assert verify(AccessEntry) is None
    assert verify(ConsentEvent) is None
    # Readers must not starve whoever wants to stop, as they do with a shared lock on the grant.
    # Counted in looks, not seconds: the same on a fast machine and on a busy one.
    assert max(run.overtaken) <= 4 * READERS, run.overtaken
