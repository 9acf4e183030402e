"""Letters through the API: the same rules, the file inside the JSON."""

import base64
from typing import Any

import pytest

from clients.models import AccessEntry
from clients.scopes import Scope
from handoff.core.files.storing import StoredFile
from referrals.models import Letter
from tests.api.conftest import World
from tests.core.uploaded import SECRET, locked_paper, paper

pytestmark = pytest.mark.django_db


def body(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "therapist_id": str(world.pt.pk),
        "kind": "clearance",
        "author": "Dr. Imani Vale",
        "dated_on": "2027-01-04",
        "file_name": "letter.pdf",
        "media_type": "application/pdf",
        "content": base64.b64encode(paper()).decode(),
        **changes,
    }


def test_a_letter_comes_in_is_listed_kept_and_removed(world: World) -> None:
    address = f"clients/{world.client.pk}/letters/"
    key = {"Idempotency-Key": "letter-1"}
    sent = body(world)
    made = world.client_api.post(address, sent, headers=key)
    assert made.status_code == 201
    again = world.client_api.post(address, sent, headers=key)
    assert (again.status_code, again.json()["id"]) == (201, made.json()["id"])
    assert Letter.objects.count() == 1
    assert made.json()["mine"] is True
    (listed,) = world.pt_api.get(address).json()["results"]
    assert (listed["author"], listed["mine"], listed["added_as"]) == (
        *("Dr. Imani Vale", False, "client"),
    )
    file = world.pt_api.get(f"letters/{listed['id']}/file/")
    content = base64.b64decode(file.json()["content"])
    assert content.startswith(b"%PDF-")
    assert SECRET.encode() not in content
    entry = AccessEntry.objects.order_by("-number")[0]
    assert (entry.action, entry.shown, entry.channel) == ("exported", ["history"], "api")
    assert world.pt_api.post(f"letters/{listed['id']}/remove/", {}).status_code == 403
    assert world.client_api.post(f"letters/{listed['id']}/remove/", {}).status_code == 204
    assert world.pt_api.get(f"letters/{listed['id']}/file/").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"content": "no base64!"}, "content", "base64"),
        ({"content": base64.b64encode(locked_paper()).decode()}, "content", "password"),
        ({"file_name": "letter.svg"}, "content", "PDF"),
        ({"file_name": "letter.png"}, "content", "not what its name says"),
        ({"media_type": "image/svg+xml"}, "media_type", ""),
        ({"therapist_id": "00000000-0000-4000-8000-000000000000"}, "therapist_id", "treats"),
        ({"dated_on": "2099-01-01"}, "dated_on", "past"),
        ({"client": "x"}, "client", ""),
    ],
)
def test_what_is_wrong_is_said_at_its_key(
    world: World, changes: dict[str, Any], field: str, words: str
) -> None:
    answer = world.client_api.post(f"clients/{world.client.pk}/letters/", body(world, **changes))
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert words in str(answer.json()["errors"][field])
    assert not StoredFile.objects.exists()


def test_whoever_may_not_know_of_letters_is_told_nothing(world: World) -> None:
    made = world.client_api.post(f"clients/{world.client.pk}/letters/", body(world)).json()
    world.share(*Scope)
    for api in (world.trainer_api, world.other_pt_api):
        for address in (f"clients/{world.client.pk}/letters/", f"letters/{made['id']}/file/"):
            assert api.get(address).status_code == 404
        answer = api.post(f"clients/{world.client.pk}/letters/", body(world))
        assert answer.status_code == 404
        assert api.post(f"letters/{made['id']}/remove/", {}).status_code == 404
    assert Letter.objects.count() == 1


def test_a_body_with_a_file_may_be_larger_and_others_not(world: World) -> None:
    large = "x" * 1_100_000
    address = f"clients/{world.client.pk}/letters/"
    assert world.client_api.post(address, body(world, content=large)).status_code == 400
    assert world.client_api.patch("me/", {"first_name": large}).status_code == 413
    huge = world.client_api.post(address, body(world, content="x" * 13_600_001))
    assert huge.status_code == 413
    assert huge["Content-Type"] == "application/problem+json"
    assert huge.json()["type"].endswith("#too-large")
