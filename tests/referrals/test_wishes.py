"""Whom a client would like: who says it, who learns of it, and that it decides nothing."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

from clients.models import Client, Professional
from handoff.core.actors import ANONYMOUS
from handoff.core.audit import AuditEntry
from handoff.core.errors import NotAllowed, NotVisible, Stale
from referrals import lifecycle, wishes
from referrals.models import Referral, Wish
from referrals.states import State
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    GuardianshipFactory,
    acting,
    certified_trainer,
    granted_consent,
    licensed_pt,
)
from tests.referrals.test_lifecycle import Story

pytestmark = pytest.mark.django_db


@pytest.fixture
def story() -> Story:
    return Story()


def wish(client: Client, professional: Professional) -> Wish:
    return wishes.wish(
        actor=acting(client), client_id=client.pk, professional_id=professional.pk, at=NOON
    )


def seen(by: Professional | Client, client: Client) -> list[Professional]:
    found = wishes.open_wishes(actor=acting(by), client_id=client.pk, at=NOON)
    return [each.professional for each in found]


# --- saying it ----------------------------------------------------------------------------------


def test_a_later_wish_takes_the_place_of_the_earlier_one_of_its_trade(story: Story) -> None:
    other, pt = certified_trainer(), licensed_pt()
    first = wish(story.client, story.trainer)
    wish(story.client, pt)
    wish(story.client, other)
    assert seen(story.client, story.client) == [pt, other]
    first.refresh_from_db()
    assert first.taken_back_at == NOON
    assert AuditEntry.objects.filter(verb="wish.made").count() == 3


def test_the_same_again_is_the_one_that_stands(story: Story) -> None:
    assert wish(story.client, story.trainer).pk == wish(story.client, story.trainer).pk
    assert Wish.objects.count() == 1


def test_it_is_taken_back_once_and_can_be_said_anew(story: Story) -> None:
    row = wish(story.client, story.trainer)
    wishes.take_back(actor=story.as_client, wish_id=row.pk, at=NOON)
    assert seen(story.client, story.client) == []
    with pytest.raises(Stale):
        wishes.take_back(actor=story.as_client, wish_id=row.pk, at=NOON)
    assert wish(story.client, story.trainer).pk != row.pk


def test_a_guardian_says_it_for_a_minor_and_so_does_the_minor() -> None:
    child = ClientFactory.create(minor=True)
    guardian = GuardianshipFactory.create(client=child).user
    trainer, other = certified_trainer(), certified_trainer()
    row = wishes.wish(
        actor=acting(guardian), client_id=child.pk, professional_id=trainer.pk, at=NOON
    )
    assert row.wished_by == guardian
    assert seen(child, child) == [trainer]
    assert wish(child, other).wished_by == child.user


def test_only_who_is_in_the_directory_can_be_wished_for(story: Story) -> None:
    for nobody in (
        certified_trainer(in_directory=False).pk,
        ClientFactory.create().pk,
    ):
        with pytest.raises(NotVisible):
            wishes.wish(
                actor=story.as_client, client_id=story.client.pk, professional_id=nobody, at=NOON
            )
    full = certified_trainer(open_places=0)
    assert wish(story.client, full).professional == full


@pytest.mark.parametrize("who", ["pt", "trainer", "stranger", "nobody", "unverified guardian"])
def test_nobody_says_it_for_somebody_else(story: Story, who: str) -> None:
    actors = {
        "pt": story.as_pt,
        "trainer": story.as_trainer,
        "stranger": acting(ClientFactory.create()),
        "nobody": ANONYMOUS,
    }
    child = ClientFactory.create(minor=True)
    if who == "unverified guardian":
        actor = acting(GuardianshipFactory.create(client=child, unverified=True).user)
    else:
        actor = actors[who]
    row = wish(story.client, story.trainer)
    client = child if who == "unverified guardian" else story.client
    with pytest.raises(NotVisible):
        wishes.wish(actor=actor, client_id=client.pk, professional_id=story.trainer.pk, at=NOON)
    with pytest.raises(NotVisible):
        wishes.take_back(actor=actor, wish_id=row.pk, at=NOON)
    row.refresh_from_db()
    assert row.taken_back_at is None


def test_nobody_wishes_for_themselves() -> None:
    trainer = certified_trainer()
    client = ClientFactory.create(user=trainer.user)
    with pytest.raises(NotAllowed):
        wish(client, trainer)


def test_nothing_is_wished_for_an_erased_client(story: Story) -> None:
    Client.objects.filter(pk=story.client.pk).update(erased_at=NOON)
    with pytest.raises(Stale):
        wish(story.client, story.trainer)


def test_two_open_wishes_of_one_trade_are_no_rows(story: Story) -> None:
    row = wish(story.client, story.trainer)
    with pytest.raises(IntegrityError, match="wish_one_open_per_role"), transaction.atomic():
        Wish.objects.create(
            client=story.client,
            professional=certified_trainer(),
            role="trainer",
            wished_by=row.wished_by,
        )


# --- learning of it -----------------------------------------------------------------------------


def test_who_treats_the_client_learns_of_it_and_nobody_else(story: Story) -> None:
    wish(story.client, story.trainer)
    assert seen(story.pt, story.client) == [story.trainer]
    for other in (licensed_pt(), certified_trainer(), ClientFactory.create()):
        with pytest.raises(NotVisible):
            seen(other, story.client)


@pytest.mark.parametrize("reach", ["nothing", "a consent", "the client"])
def test_whoever_it_names_does_not_learn_of_it(story: Story, reach: str) -> None:
    wish(story.client, story.trainer)
    steps: dict[str, Callable[[], object]] = {
        "nothing": lambda: None,
        "a consent": lambda: granted_consent(
            client=story.client, discloser=story.pt, recipient=story.trainer
        ),
        "the client": story.accepted,
    }
    steps[reach]()
    with pytest.raises(NotVisible):
        seen(story.trainer, story.client)


def test_a_therapist_who_treats_the_client_too_does_not_learn_that_it_is_them(
    story: Story,
) -> None:
    second = licensed_pt()
    EpisodeFactory.create(client=story.client, pt=second)
    wish(story.client, second)
    wish(story.client, story.trainer)
    assert seen(second, story.client) == [story.trainer]
    assert seen(story.pt, story.client) == [second, story.trainer]


def test_it_decides_nothing(story: Story) -> None:
    wish(story.client, story.trainer)
    assert not Referral.objects.exists()
    other = certified_trainer()
    sent = lifecycle.send(actor=story.as_pt, referral_id=story.draft(other).pk, at=NOON)
    assert (sent.state, sent.recipient) == (State.AWAITING_CONSENT, other)
