"""A try at one single thing of somebody else's record: told nothing, and told to the client."""

from uuid import UUID, uuid4

import pytest

from clients.models import AccessEntry
from clients.scopes import Scope
from referrals import lifecycle
from referrals.models import Episode
from tests.api.client import Api
from tests.api.conftest import World
from tests.factories import NOON, RestrictionVersionFactory, granted_consent, signed_note

# As whoever asks is signed in by token: a clinician without a connection, another client.
HISTORY, OUTCOMES, NOTE = [Scope.HISTORY], [Scope.OUTCOMES], [Scope.NOTE]
LIMITS = [Scope.RESTRICTIONS]
SIGNED = {
    "episodes/{episode}/": ("episode", HISTORY),
    "episodes/{episode}/measurements/": ("scores", OUTCOMES),
    "measurements/?episode={episode}": ("scores", OUTCOMES),
    "restrictions/?episode={episode}": ("restrictions", LIMITS),
    "discharge-notes/{note}/": ("discharge note", NOTE),
    "restrictions/{limit}/": ("restriction", LIMITS),
    "restrictions/{limit}/history/": ("restriction history", LIMITS),
    "referrals/{referral}/": ("referral", []),
}


def things(world: World) -> dict[str, UUID]:
    note = signed_note(episode=world.episode)
    limit = RestrictionVersionFactory.create(restriction=world.limit)
    granted_consent(client=world.client, discloser=world.pt, recipient=world.trainer)
    referral = lifecycle.draft(
        actor=world.as_pt,
        client_id=world.client.pk,
        recipient_id=world.trainer.pk,
        episode_id=world.episode.pk,
        goal="Swim 1 km",
        at=NOON,
    )
    return {
        "episode": world.episode.pk,
        "note": note.pk,
        "limit": limit.restriction_id,
        "referral": referral.pk,
    }


def entered(world: World, api: Api) -> list[tuple[str, str, list[str], list[str]]]:
    rows = AccessEntry.objects.filter(client=world.client, actor_id=api.account.pk)
    return [(row.action, row.purpose, row.withheld, row.shown) for row in rows.order_by("number")]


@pytest.mark.parametrize("address", SIGNED)
def test_a_strangers_try_at_one_thing_is_entered_and_answered_as_nothing(
    world: World, address: str
) -> None:
    found = things(world)
    purpose, asked = SIGNED[address]
    for api in world.others():
        nothing = api.get(f"{address.format_map(dict.fromkeys(found, uuid4()))}")
        assert entered(world, api) == []
        told = api.get(f"{address.format_map(found)}")
        assert (told.status_code, told.content) == (404, nothing.content)
        assert nothing.status_code == 404
        assert entered(world, api) == [("refused", purpose, asked, [])]
    # Whoever may see it is shown it, and nothing is refused.
    assert world.pt_api.get(f"{address.format_map(found)}").status_code == 200
    assert {action for action, *_ in entered(world, world.pt_api)} <= {"read", "envelope"}


def test_a_try_at_what_nobody_signed_is_entered_but_not_the_clients_own(world: World) -> None:
    draft = world.note()
    listed = world.limit.pk
    RestrictionVersionFactory.create(restriction=world.limit, draft=True)
    granted_consent(client=world.client, discloser=world.pt, recipient=world.trainer)
    for address in (
        f"discharge-notes/{draft.pk}/",
        f"restrictions/{listed}/",
        f"restrictions/{listed}/history/",
    ):
        before = AccessEntry.objects.count()
        for api in (world.other_pt_api, world.trainer_api, world.stranger_api):
            assert api.get(address).status_code == 404
        assert [row.action for row in AccessEntry.objects.order_by("number")[before:]] == [
            "refused"
        ] * 3
        # A line about it in the client's own list would say that there is a draft.
        assert world.client_api.get(address).status_code == 404
        assert AccessEntry.objects.count() == before + 3
        assert world.pt_api.get(address).status_code == 200


def test_what_should_never_have_existed_is_nobody_elses_to_find(world: World) -> None:
    Episode.objects.filter(pk=world.episode.pk).update(status=Episode.Status.ENTERED_IN_ERROR)
    address = f"episodes/{world.episode.pk}/"
    assert world.other_pt_api.get(address).status_code == 404
    assert entered(world, world.other_pt_api) == [("refused", "episode", HISTORY, [])]
    assert world.client_api.get(address).status_code == 404
    assert entered(world, world.client_api) == []
    assert world.pt_api.get(address).status_code == 200


def test_nobody_without_a_name_is_entered(world: World) -> None:
    found = things(world)
    for address in SIGNED:
        assert world.nobody_api.get(f"{address.format_map(found)}").status_code == 401
    assert not AccessEntry.objects.filter(action="refused").exists()


def test_a_step_that_ends_ones_own_sight_is_no_try(world: World) -> None:
    """The answer to it is empty because there is nothing left to show, and nobody was refused."""
    found = things(world)
    lifecycle.send(actor=world.as_pt, referral_id=found["referral"], at=NOON)
    admin = world.stranger_api.account
    admin.is_staff = True
    admin.save()
    answer = world.stranger_api.post(
        f"referrals/{found['referral']}/enter-in-error/", {"reason_code": "wrong_client"}
    )
    assert answer.status_code == 204, answer.content
    assert not AccessEntry.objects.filter(action="refused").exists()
    assert world.stranger_api.get(f"referrals/{found['referral']}/").status_code == 404
    assert entered(world, world.stranger_api) == [("refused", "referral", [], [])]
