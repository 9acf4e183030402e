"""Signed is for good, for the ORM, for SQL and for whoever owns the tables."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from referrals import discharge, restrictions, sealing
from referrals.models import (
    Acknowledgement,
    Addendum,
    DischargeNote,
    Goal,
    Measurement,
    Restriction,
    RestrictionVersion,
)
from tests.factories import NOON
from tests.referrals.scenes import Therapy

pytestmark = pytest.mark.django_db


class Signed(Therapy):
    """A signed note with goals, scores, restrictions, an addendum and an acknowledgement."""

    def __init__(self) -> None:
        super().__init__()
        self.the_note = self.signed()
        discharge.add_addendum(
            actor=self.as_pt, note_id=self.the_note.pk, text="A correction.", at=NOON
        )
        self.share()
        restrictions.acknowledge_all(actor=self.as_trainer, client_id=self.client.pk, at=NOON)


@pytest.fixture
def signed() -> Signed:
    return Signed()


def rows(table: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608 (names in this file)
        return list(cursor.fetchall())


def refused(act: Callable[[], object], table: str) -> None:
    """`act` fails, and by the trigger rather than by anything else; the rows are as before."""
    before = rows(table)
    assert before
    with pytest.raises(IntegrityError, match="is refused") as caught, transaction.atomic():
        act()
    assert table in str(caught.value)
    assert rows(table) == before


def sql(statement: str) -> Callable[[], object]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return run


SEALED = {
    "referrals_dischargenote": "pain_now = 0",
    "referrals_goal": "outcome = 'met'",
    "referrals_measurement": "value = 80",
    "referrals_restrictionversion": "status = 'lifted', change_reason = 'x'",
    "referrals_addendum": "text = 'other'",
    "referrals_acknowledgement": "acknowledged_at = now()",
}


@pytest.mark.parametrize(("table", "change"), SEALED.items())
@pytest.mark.usefixtures("signed")
class TestSql:
    def test_update(self, table: str, change: str) -> None:
        refused(sql(f"UPDATE {table} SET {change}"), table)  # noqa: S608 (names in this file)

    def test_delete(self, table: str, change: str) -> None:
        refused(sql(f"DELETE FROM {table}"), table)  # noqa: S608 (names in this file)

    def test_truncate(self, table: str, change: str) -> None:
        # Rows of this same transaction would stop it for another reason.
        sql("SET CONSTRAINTS ALL IMMEDIATE")()
        refused(sql(f"TRUNCATE {table} CASCADE"), table)


class TestOrm:
    def test_saving_or_updating_the_note(self, signed: Signed) -> None:
        note = DischargeNote.objects.get(pk=signed.the_note.pk)
        note.diagnosis = "Something else"
        refused(note.save, "referrals_dischargenote")
        notes = DischargeNote.objects.all()
        refused(lambda: notes.update(clearance="cleared_full"), "referrals_dischargenote")
        refused(lambda: notes.update(signed_at=None, signed_by=None), "referrals_dischargenote")

    def test_a_goal_under_a_signed_note(self, signed: Signed) -> None:
        goal = Goal.objects.filter(note=signed.the_note).first()
        assert goal is not None
        goal.text = "Another"
        refused(goal.save, "referrals_goal")
        refused(goal.delete, "referrals_goal")
        refused(
            lambda: Goal.objects.create(note=signed.the_note, position=9, text="Late"),
            "referrals_goal",
        )

    def test_a_goal_of_a_draft_cannot_move_under_a_signed_note(self, signed: Signed) -> None:
        draft = Therapy.note(self.with_another_episode(signed))
        refused(
            lambda: Goal.objects.filter(note=draft, position=1).update(
                note=signed.the_note, position=9
            ),
            "referrals_goal",
        )
        refused(
            lambda: Goal.objects.filter(note=signed.the_note).update(note=draft, position=9),
            "referrals_goal",
        )

    def with_another_episode(self, signed: Signed) -> Signed:
        signed.episode.pk = None
        signed.episode._state.adding = True
        signed.episode.status, signed.episode.ended_on = "active", None
        signed.episode.save()
        return signed

    def test_a_score_of_an_ended_episode(self, signed: Signed) -> None:
        score = Measurement.objects.first()
        assert score is not None
        refused(score.delete, "referrals_measurement")
        score.pk = None
        score._state.adding = True
        refused(score.save, "referrals_measurement")

    def test_a_signed_version(self, signed: Signed) -> None:
        version = RestrictionVersion.objects.first()
        assert version is not None
        version.review_on = NOON.date()
        refused(version.save, "referrals_restrictionversion")
        refused(
            lambda: RestrictionVersion.objects.update(signed_at=None),
            "referrals_restrictionversion",
        )

    def test_a_restriction_cannot_take_its_versions_along(self, signed: Signed) -> None:
        sql("SET CONSTRAINTS ALL IMMEDIATE")()
        with pytest.raises(IntegrityError), transaction.atomic():
            sql("DELETE FROM referrals_restriction")()
        assert Restriction.objects.count() == 2

    def test_addenda_and_acknowledgements(self, signed: Signed) -> None:
        refused(Addendum.objects.all().delete, "referrals_addendum")
        refused(Acknowledgement.objects.all().delete, "referrals_acknowledgement")


def test_the_note_stays_byte_for_byte_through_all_that_follows(signed: Signed) -> None:
    sealed = ("referrals_dischargenote", "referrals_goal", "referrals_measurement")
    before = {table: rows(table) for table in sealed}
    for reason, data in (("Firmer.", {"value": "8"}), ("Firmer still.", {"value": "6"})):
        restrictions.revise(
            actor=signed.as_pt,
            restriction_id=signed.restriction("limit_load").pk,
            data=data,
            reason=reason,
            at=NOON,
        )
    restrictions.lift(
        actor=signed.as_pt, restriction_id=signed.restriction().pk, reason="Better.", at=NOON
    )
    discharge.add_addendum(actor=signed.as_pt, note_id=signed.the_note.pk, text="More.", at=NOON)
    assert {table: rows(table) for table in sealed} == before
    note = DischargeNote.objects.select_related("episode").get(pk=signed.the_note.pk)
    assert sealing.is_as_signed(note)


def test_a_draft_is_free_to_change() -> None:
    therapy = Therapy()
    note = therapy.ready()
    DischargeNote.objects.filter(pk=note.pk).update(course="Edited")
    Goal.objects.filter(note=note).delete()
    RestrictionVersion.objects.all().delete()
    Measurement.objects.all().delete()
    assert not Goal.objects.exists()
