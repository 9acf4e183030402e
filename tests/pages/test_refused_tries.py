"""A page about one thing of another's record is not there, and the client can see who tried."""

import pytest
from django.urls import reverse

from clients.looks import looks
from clients.models import AccessEntry
from clients.scopes import Scope
from referrals import lifecycle
from tests.factories import NOON, RestrictionFactory, RestrictionVersionFactory, signed_note
from tests.pages.reading import as_
from tests.referrals.scenes import Therapy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
WORKED_ON = [scope for scope in Scope if scope is not Scope.TRAINING_FEEDBACK]
EPISODE = ("episode", WORKED_ON)
LIMIT = ("restriction", [Scope.RESTRICTIONS])
PAGES = {
    "episode": EPISODE,
    "episode_edit": EPISODE,
    "measurements": EPISODE,
    "coverage": EPISODE,
    "discharge": EPISODE,
    "discharge_sign": EPISODE,
    "discharge_handoff": EPISODE,
    "limits": EPISODE,
    "limit_new": EPISODE,
    "limit_history": LIMIT,
    "limit_revise": LIMIT,
    "limit_lift": LIMIT,
    "referral": ("referral", []),
}


@pytest.fixture
def scene() -> Therapy:
    return Therapy()


@pytest.mark.parametrize("name", PAGES)
def test_a_stranger_finds_nothing_and_the_client_finds_them(scene: Therapy, name: str) -> None:
    signed_note(episode=scene.episode)
    limit = RestrictionFactory.create(episode=scene.episode)
    RestrictionVersionFactory.create(restriction=limit)
    draft = lifecycle.draft(
        actor=scene.as_pt,
        client_id=scene.client.pk,
        recipient_id=scene.trainer.pk,
        episode_id=scene.episode.pk,
        goal="Swim 1 km",
        at=NOON,
    )
    purpose, asked = PAGES[name]
    thing = {"referral": draft.pk, "restriction": limit.pk}.get(purpose, scene.episode.pk)
    there = as_(scene.other_pt).get(reverse(name, args=[thing]))
    not_there = as_(scene.other_pt).get(reverse(name, args=[scene.client.pk]))
    assert there.status_code == not_there.status_code == 404
    (entry,) = AccessEntry.objects.filter(actor_id=scene.other_pt.user_id)
    assert (entry.client_id, entry.action) == (scene.client.pk, AccessEntry.Action.REFUSED)
    assert (entry.purpose, entry.withheld, entry.shown) == (purpose, asked, [])
    (look,) = looks([entry], scene.as_client)
    assert look.refused
    assert look.who == scene.other_pt.user.name
    assert look.parts == ()
    # Whoever treats the client is let in, and is refused nothing.
    assert as_(scene.pt).get(reverse(name, args=[thing])).status_code in (200, 303)
    assert not AccessEntry.objects.filter(
        actor_id=scene.pt.user_id, action=AccessEntry.Action.REFUSED
    ).exists()
