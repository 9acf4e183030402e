"""Letters: whose they are, who reads them, what is entered, what is left of a removed one."""

import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from PIL import Image

from clients.models import AccessEntry, Client
from clients.scopes import Scope
from handoff.core import audit
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from handoff.core.files import sealing, storing
from handoff.core.files.accepting import Accepted, accept
from handoff.core.files.kinds import Kind
from handoff.core.files.storing import StoredFile
from referrals import letters
from referrals.models import Letter
from tests.core.uploaded import SECRET, paper, photo
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    GuardianshipFactory,
    UserFactory,
    acting,
    certified_trainer,
)
from tests.referrals.scenes import Therapy, verbs_on

pytestmark = pytest.mark.django_db
SHEET = Accepted(Kind.PDF, b"%PDF- a letter\n%%EOF")


@pytest.fixture
def scene(time_machine: Any) -> Therapy:
    time_machine.move_to(NOON, tick=False)
    return Therapy()


def values(scene: Therapy, **changes: Any) -> dict[str, Any]:
    return {
        "pt": str(scene.pt.pk),
        "kind": "clearance",
        "author": "  Dr. Imani  Vale ",
        "dated_on": date(2027, 1, 4),
        **changes,
    }


def hand_in(scene: Therapy, actor: Any = None, **changes: Any) -> Letter:
    return letters.hand_in(
        actor=actor or scene.as_client,
        client_id=scene.client.pk,
        values=values(scene, **changes),
        letter=SHEET,
    )


def last() -> AccessEntry:
    return AccessEntry.objects.order_by("-number")[0]


def test_the_client_hands_one_in_and_the_therapist_reads_it(scene: Therapy) -> None:
    row = hand_in(scene)
    assert (row.author, row.added_as) == ("Dr. Imani Vale", "client")
    assert verbs_on(row) == ["letter.handed_in"]
    for actor, role in ((scene.as_pt, "pt"), (scene.as_pta, "pt"), (scene.as_client, "client")):
        (seen,) = letters.letters(actor=actor, client_id=scene.client.pk)
        assert seen.kind_label == "Clearance to train"
        assert (last().action, last().shown, last().purpose) == ("read", ["history"], "letters")
        got = letters.letter_file(actor=actor, letter_id=row.pk)
        assert (got.kind, got.data) == (Kind.PDF, SHEET.data)
        assert (last().action, last().shown, last().purpose) == ("exported", ["history"], "letter")
        assert (last().actor_id, last().actor_role) == (actor.user_id, role)


def test_the_treating_side_hands_one_in_and_the_client_reads_it(scene: Therapy) -> None:
    row = hand_in(scene, scene.as_pta)
    assert row.added_as == "pt"
    assert letters.letter_file(actor=scene.as_client, letter_id=row.pk).data == SHEET.data


def test_a_guardian_hands_in_for_a_minor_and_loses_it_with_the_authority(scene: Therapy) -> None:
    Client.objects.filter(pk=scene.client.pk).update(birth_date=date(2010, 5, 5))
    scene.client.refresh_from_db()
    guardianship = GuardianshipFactory.create(client=scene.client)
    guardian = acting(guardianship.user)
    row = hand_in(scene, guardian)
    assert row.added_as == "guardian"
    assert letters.letter_file(actor=guardian, letter_id=row.pk)
    guardianship.ended_at = NOON
    guardianship.save()
    with pytest.raises(NotVisible):
        letters.letter_file(actor=guardian, letter_id=row.pk)
    with pytest.raises(NotVisible):
        letters.remove(actor=guardian, letter_id=row.pk)


def test_a_trainer_reads_none_even_when_everything_is_shared(scene: Therapy) -> None:
    """No notice names letters: nobody agreed to that."""
    row = hand_in(scene)
    scene.signed()
    scene.share(*Scope)
    for read in (
        lambda: letters.letters(actor=scene.as_trainer, client_id=scene.client.pk),
        lambda: letters.letter_file(actor=scene.as_trainer, letter_id=row.pk),
    ):
        with pytest.raises(NotVisible):
            read()
        assert (last().action, last().withheld) == ("refused", ["history"])
        assert last().actor_id == scene.trainer.user_id
    with pytest.raises(NotVisible):
        hand_in(scene, scene.as_trainer)


def test_a_second_therapist_reads_only_what_was_handed_in_for_them(scene: Therapy) -> None:
    """Also when the first shares everything with them."""
    row = hand_in(scene)
    scene.trainer = scene.other_pt
    scene.signed()
    scene.share(*Scope)
    EpisodeFactory.create(client=scene.client, pt=scene.other_pt)
    assert letters.letters(actor=scene.as_other_pt, client_id=scene.client.pk) == ()
    with pytest.raises(NotVisible):
        letters.letter_file(actor=scene.as_other_pt, letter_id=row.pk)
    theirs = hand_in(scene, pt=str(scene.other_pt.pk))
    (seen,) = letters.letters(actor=scene.as_other_pt, client_id=scene.client.pk)
    assert seen.id == theirs.pk
    assert [each.id for each in letters.letters(actor=scene.as_pt, client_id=scene.client.pk)] == [
        row.pk
    ]


def test_everybody_else_finds_nothing_and_the_try_is_entered(scene: Therapy) -> None:
    row = hand_in(scene)
    other = ClientFactory.create(user=UserFactory.create())
    strangers = (scene.other_pt, certified_trainer(), other, UserFactory.create(is_staff=True))
    for who in strangers:
        for read in (
            lambda actor: letters.letters(actor=actor, client_id=scene.client.pk),
            lambda actor: letters.letter_file(actor=actor, letter_id=row.pk),
        ):
            with pytest.raises(NotVisible):
                read(acting(who))
            assert last().action == "refused"
        with pytest.raises(NotVisible):
            letters.remove(actor=acting(who), letter_id=row.pk)
        with pytest.raises(NotVisible):
            hand_in(scene, acting(who))
    assert Letter.objects.count() == 1


def test_without_an_entry_there_is_no_letter(
    scene: Therapy, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = hand_in(scene)

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(AccessEntry, "append", full)
    with pytest.raises(OSError, match="disk full"):
        letters.letter_file(actor=scene.as_client, letter_id=row.pk)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pt", ""),
        ("pt", "11111111-1111-4111-8111-111111111111"),
        ("kind", "diary"),
        ("author", " "),
        ("author", "x" * 121),
        ("dated_on", None),
        ("dated_on", date(2027, 1, 14)),
        ("dated_on", date(1899, 12, 31)),
    ],
)
def test_what_is_wrong_is_said_at_its_field(scene: Therapy, field: str, value: object) -> None:
    with pytest.raises(Invalid) as refused:
        hand_in(scene, **{field: value})
    assert list(refused.value.errors) == [field]
    assert not StoredFile.objects.exists()


def test_whoever_added_one_removes_it_and_its_bytes_are_gone(scene: Therapy) -> None:
    row = hand_in(scene)
    with pytest.raises(NotAllowed):
        letters.remove(actor=scene.as_pt, letter_id=row.pk)
    letters.remove(actor=scene.as_client, letter_id=row.pk, at=NOON + timedelta(hours=1))
    row.refresh_from_db()
    file = StoredFile.objects.get(pk=row.file_id)
    assert (row.key, file.content) == (None, None)
    assert file.erased_at == row.removed_at == NOON + timedelta(hours=1)
    assert verbs_on(row) == ["letter.handed_in", "letter.removed"]
    for read in (
        lambda: letters.letter_file(actor=scene.as_client, letter_id=row.pk),
        lambda: letters.remove(actor=scene.as_client, letter_id=row.pk),
        lambda: storing.content_of(row.file_id, b"x" * 60),
    ):
        with pytest.raises(NotVisible):
            read()
    assert letters.letters(actor=scene.as_client, client_id=scene.client.pk) == ()


def test_a_letter_removed_by_two_at_once_is_removed_once(
    scene: Therapy, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = hand_in(scene)
    seen = letters._letter(row.pk)
    letters.remove(actor=scene.as_client, letter_id=row.pk)
    monkeypatch.setattr(letters, "_letter", lambda pk: seen)
    with pytest.raises(Stale):
        letters.remove(actor=scene.as_client, letter_id=row.pk)
    with pytest.raises(NotVisible):
        letters.letter_file(actor=scene.as_client, letter_id=row.pk)


def test_nobody_keeps_more_than_twenty(scene: Therapy) -> None:
    rows = [hand_in(scene) for _ in range(storing.MOST_PER_PERSON)]
    with pytest.raises(Invalid) as refused:
        hand_in(scene)
    assert list(refused.value.errors) == ["file"]
    assert "20 files" in str(refused.value)
    hand_in(scene, scene.as_pt)  # everybody has their own
    letters.remove(actor=scene.as_client, letter_id=rows[0].pk)
    assert hand_in(scene)


def test_the_tables_hold_nothing_that_can_be_read(scene: Therapy) -> None:
    made = accept(name="a.jpg", declared="image/jpeg", data=photo())
    row = letters.hand_in(
        actor=scene.as_client, client_id=scene.client.pk, values=values(scene), letter=made
    )
    stored = bytes(StoredFile.objects.get(pk=row.file_id).content or b"")
    assert made.data[:20] not in stored
    assert b"JFIF" not in stored
    got = letters.letter_file(actor=scene.as_client, letter_id=row.pk)
    assert Image.open(io.BytesIO(got.data)).size == (40, 60)


def test_bytes_and_keys_of_two_files_cannot_be_swapped(scene: Therapy) -> None:
    one, two = hand_in(scene), hand_in(scene)
    assert one.key is not None
    assert two.key is not None
    content = {
        row.pk: bytes(StoredFile.objects.get(pk=row.file_id).content or b"") for row in (one, two)
    }
    for file, sealed, key in (
        (one.file_id, content[two.pk], two.key),
        (one.file_id, content[one.pk], two.key),
        (one.file_id, content[two.pk], one.key),
        (one.file_id, content[one.pk][:-1] + b"x", one.key),
    ):
        with pytest.raises(sealing.Unreadable):
            sealing.unseal(file, sealed, bytes(key))


def test_a_key_can_be_rotated(scene: Therapy, settings: Any) -> None:
    row = hand_in(scene)
    old = settings.FILES_KEY
    settings.FILES_KEY = "another key of fifty characters at least, 0123456789"
    with pytest.raises(sealing.Unreadable):
        letters.letter_file(actor=scene.as_client, letter_id=row.pk)
    settings.FILES_KEY_FALLBACKS = [old]
    assert letters.letter_file(actor=scene.as_client, letter_id=row.pk).data == SHEET.data


def test_a_file_keeps_its_content_until_it_is_erased(scene: Therapy) -> None:
    row = hand_in(scene)
    for statement in (
        "UPDATE core_storedfile SET content = NULL",
        "UPDATE core_storedfile SET erased_at = now()",
        "UPDATE referrals_letter SET key = NULL",
        "UPDATE referrals_letter SET removed_at = now()",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert Letter.objects.get(pk=row.pk).key


def test_a_failed_entry_keeps_no_file(scene: Therapy, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise OSError("no ledger")

    monkeypatch.setattr(audit, "record", away)
    with pytest.raises(OSError, match="no ledger"):
        hand_in(scene)
    assert not StoredFile.objects.exists()
    assert not Letter.objects.exists()


def test_a_paper_is_the_same_after_it_lay_in_the_database(scene: Therapy) -> None:
    made = accept(name="a.pdf", declared="application/pdf", data=paper())
    row = letters.hand_in(
        actor=scene.as_pt, client_id=scene.client.pk, values=values(scene), letter=made
    )
    got = letters.letter_file(actor=scene.as_pt, letter_id=row.pk)
    assert got.data == made.data
    assert SECRET.encode() not in got.data
