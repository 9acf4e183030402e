"""The fingerprint of a signed note: what it stands for, and that it tells on any change."""

import hashlib
from datetime import timedelta

import pytest
from django.db import connection

from referrals import restrictions, sealing
from referrals.models import (
    DischargeNote,
    Goal,
    Measurement,
    RestrictionVersion,
)
from tests.factories import NOON
from tests.referrals.scenes import Therapy

pytestmark = pytest.mark.django_db


@pytest.fixture
def therapy() -> Therapy:
    return Therapy()


def test_it_stands_for_every_column_or_leaves_it_out_on_purpose() -> None:
    left_out = {
        DischargeNote: {"author_id", "created_at", "saved_at", "revision", "content_hash"},
        Goal: {"id", "note_id"},
        Measurement: {"episode_id", "recorded_by_id", "recorded_at"},
        RestrictionVersion: {"status", "change_reason", "set_at", "set_by_id", "signed_at"},
    }
    covered = {
        DischargeNote: sealing.NOTE,
        Goal: sealing.GOAL,
        Measurement: sealing.MEASUREMENT,
        RestrictionVersion: sealing.VERSION,
    }
    for model, names in covered.items():
        columns = {field.attname for field in model._meta.concrete_fields}
        assert set(names) == columns - left_out[model], model.__name__


def test_it_can_be_worked_out_again_from_the_rows(therapy: Therapy) -> None:
    note = therapy.signed()
    fresh = DischargeNote.objects.select_related("episode").get(pk=note.pk)
    assert sealing.is_as_signed(fresh)
    assert fresh.content_hash == note.content_hash
    assert len(note.content_hash) == len(hashlib.sha256().hexdigest())


def test_a_later_version_does_not_touch_what_was_signed(therapy: Therapy) -> None:
    note = therapy.signed()
    restrictions.lift(
        actor=therapy.as_pt,
        restriction_id=therapy.restriction().pk,
        reason="Strong enough.",
        at=NOON + timedelta(days=7),
    )
    assert sealing.is_as_signed(DischargeNote.objects.select_related("episode").get(pk=note.pk))


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("referrals_dischargenote", "pain_now = 2"),
        ("referrals_dischargenote", "signer_name = 'Somebody Else'"),
        ("referrals_goal", "text = text || '.'"),
        ("referrals_restrictionversion", "value = 12 WHERE kind = 'limit_load'"),
        ("referrals_measurement", "value = 63 WHERE moment = 'discharge'"),
        ("referrals_episode", "condition = 'Other'"),
    ],
)
def test_whoever_gets_past_the_triggers_is_still_found_out(
    therapy: Therapy, table: str, change: str
) -> None:
    note = therapy.signed()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"UPDATE {table} SET {change}")  # noqa: S608 (words of this test)
        assert cursor.rowcount >= 1
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    fresh = DischargeNote.objects.select_related("episode").get(pk=note.pk)
    assert not sealing.is_as_signed(fresh)


def test_a_draft_is_not_as_signed(therapy: Therapy) -> None:
    note = therapy.ready()
    assert not sealing.is_as_signed(note)


def test_only_plain_values_have_a_canonical_text(therapy: Therapy) -> None:
    note = therapy.ready()
    note.course = object()  # type: ignore[assignment]  # on purpose
    with pytest.raises(TypeError):
        sealing.fingerprint(sealing.covered(note))


def test_the_text_does_not_depend_on_how_numbers_are_written(therapy: Therapy) -> None:
    note = therapy.ready()
    content = sealing.covered(note)
    before = sealing.fingerprint(content)
    content.versions[1].value = content.versions[1].value.normalize()  # type: ignore[union-attr]  # a load has one
    assert sealing.fingerprint(content) == before
