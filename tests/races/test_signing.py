"""Two tabs, two people, one signature. Real threads on a real PostgreSQL."""

import threading
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from handoff.core.audit import AuditEntry
from handoff.core.errors import Stale
from handoff.core.ledger import verify
from referrals import care, discharge, restrictions, sealing
from referrals.models import (
    Acknowledgement,
    DischargeNote,
    Goal,
    Measurement,
    RestrictionVersion,
)
from tests.factories import NOON
from tests.races.rounds import rounds
from tests.races.test_referral_races import together
from tests.referrals.scenes import LIGHT_LOADS, Therapy

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = rounds(8, 500)


def won(results: list[Any], kind: type) -> list[Any]:
    """The results that are of `kind`; every other one must be Stale."""
    good = [each for each in results if isinstance(each, kind)]
    rest = [each for each in results if not isinstance(each, kind)]
    assert all(isinstance(each, Stale) for each in rest), rest
    return good


class TestTheHarnessCanShowTheRace:
    """Positive controls: the same steps without a lock go wrong."""

    def test_two_tabs_save_and_one_text_is_lost(self) -> None:
        note = Therapy().note()
        both_have_read = threading.Barrier(2)

        def save_unlocked(text: str) -> bool:
            with transaction.atomic():
                row = DischargeNote.objects.get(pk=note.pk)
                current = row.revision == note.revision
                both_have_read.wait(timeout=10)
                row.course, row.revision = text, row.revision + 1
                row.save()
                return current

        assert together(lambda: save_unlocked("one"), lambda: save_unlocked("two")) == [True, True]
        assert DischargeNote.objects.get(pk=note.pk).revision == note.revision + 1

    def test_two_signatures_pass_the_guard_and_only_the_trigger_is_left(self) -> None:
        therapy = Therapy()
        note = therapy.ready()
        both_have_read = threading.Barrier(2)
        passed = []

        def sign_unlocked() -> None:
            with transaction.atomic():
                row = DischargeNote.objects.get(pk=note.pk)
                passed.append(not row.is_signed)
                both_have_read.wait(timeout=10)
                row.signed_at, row.signed_by = NOON, therapy.pt.user
                row.signer_name = row.licence_number = row.content_hash = "x"
                row.save()

        results = together(sign_unlocked, sign_unlocked)
        assert passed == [True, True]
        assert [type(each) for each in results if each is not None] == [IntegrityError]


def test_signing_in_two_tabs_signs_once() -> None:
    for _ in ROUNDS:
        therapy = Therapy()
        note, actor = therapy.ready(), therapy.as_pt
        sign = partial(therapy.sign, note, actor=actor)
        assert len(won(together(sign, sign, sign), DischargeNote)) == 1
        assert AuditEntry.objects.filter(verb="note.signed", object_id=str(note.pk)).count() == 1
        assert RestrictionVersion.objects.newest_signed([therapy.episode.pk]).count() == 2
    assert verify(AuditEntry) is None


def test_saving_in_two_tabs_loses_no_text() -> None:
    for _ in ROUNDS:
        therapy = Therapy()
        note, actor = therapy.note(), therapy.as_pt
        save = partial(
            discharge.save_draft, actor=actor, note_id=note.pk, revision=note.revision, at=NOON
        )
        results = together(*(partial(save, changes={"course": text}) for text in ("one", "two")))
        (saved,) = won(results, DischargeNote)
        assert DischargeNote.objects.get(pk=note.pk).course == saved.course


def test_saving_against_signing_signs_what_was_seen_or_nothing() -> None:
    for _ in ROUNDS:
        therapy = Therapy()
        note, by_pt, by_pta = therapy.ready(), therapy.as_pt, therapy.as_pta
        save = partial(
            discharge.save_draft,
            actor=by_pta,
            note_id=note.pk,
            revision=note.revision,
            changes={"course": "New"},
            at=NOON,
        )
        results = together(partial(therapy.sign, note, actor=by_pt), save)
        assert len(won(results, DischargeNote)) == 1
        fresh = DischargeNote.objects.select_related("episode").get(pk=note.pk)
        assert fresh.is_signed == (fresh.course != "New")
        assert fresh.is_signed == sealing.is_as_signed(fresh)


def test_no_draft_is_left_under_an_ended_episode() -> None:
    for _ in ROUNDS:
        therapy = Therapy()
        note, by_pt, by_pta = therapy.ready(), therapy.as_pt, therapy.as_pta
        signed, added, measured = together(
            partial(therapy.sign, note, actor=by_pt),
            partial(
                restrictions.add_draft,
                actor=by_pta,
                episode_id=therapy.episode.pk,
                data=LIGHT_LOADS,
                at=NOON,
            ),
            partial(
                care.record_measurement,
                actor=by_pta,
                episode_id=therapy.episode.pk,
                measure="probe",
                moment="interim",
                value=40,
                taken_on="2026-10-01",
                at=NOON,
            ),
        )
        assert isinstance(signed, DischargeNote)
        won([added], RestrictionVersion)
        won([measured], Measurement)
        versions = RestrictionVersion.objects.filter(restriction__episode=therapy.episode)
        assert not versions.filter(signed_at__isnull=True).exists()
        fresh = DischargeNote.objects.select_related("episode").get(pk=note.pk)
        assert sealing.is_as_signed(fresh)


def test_a_goal_written_past_the_verbs_waits_for_the_signature_and_is_refused() -> None:
    """The trigger locks the note it looks at; otherwise it would still find an unsigned one."""
    therapy = Therapy()
    note, actor = therapy.ready(), therapy.as_pt
    is_signed, is_inserting = threading.Event(), threading.Event()

    def sign_slowly() -> None:
        with transaction.atomic():
            therapy.sign(note, actor=actor)
            is_signed.set()
            is_inserting.wait(timeout=10)
            # Long enough for the insert to reach the lock.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.5)")

    def insert() -> None:
        is_signed.wait(timeout=10)
        is_inserting.set()
        Goal.objects.create(note=note, position=9, text="Slipped in")

    signed, inserted = together(sign_slowly, insert)
    assert signed is None
    assert isinstance(inserted, DatabaseError)
    assert not Goal.objects.filter(text="Slipped in").exists()


def test_two_revisions_at_once_make_one_new_version() -> None:
    for _ in ROUNDS:
        therapy = Therapy()
        therapy.signed()
        pk = therapy.restriction("limit_load").pk
        revise = partial(
            restrictions.revise,
            actor=therapy.as_pt,
            restriction_id=pk,
            reason="Stronger.",
            version=1,
            at=NOON + timedelta(days=1),
        )
        results = together(*(partial(revise, data={"value": value}) for value in ("12", "15")))
        (kept,) = won(results, RestrictionVersion)
        versions = RestrictionVersion.objects.filter(restriction_id=pk).order_by("number")
        assert [each.number for each in versions] == [1, 2]
        assert versions[1] == kept


def test_an_acknowledgement_is_never_of_a_version_that_was_gone() -> None:
    for _ in ROUNDS:
        therapy = Therapy()
        therapy.signed()
        therapy.share()
        pk, later = therapy.restriction().pk, NOON + timedelta(days=1)
        lifted, acknowledged = together(
            partial(
                restrictions.lift,
                actor=therapy.as_pt,
                restriction_id=pk,
                reason="Strong.",
                at=later,
            ),
            partial(
                restrictions.acknowledge,
                actor=therapy.as_trainer,
                restriction_id=pk,
                version=1,
                at=later,
            ),
        )
        assert isinstance(lifted, RestrictionVersion)
        kept = won([acknowledged], Acknowledgement)
        assert Acknowledgement.objects.filter(version__restriction_id=pk).count() == len(kept)


def test_two_people_start_the_same_note() -> None:
    for _ in ROUNDS:
        therapy = Therapy()
        start = partial(discharge.start_note, episode_id=therapy.episode.pk, at=NOON)
        actors = (therapy.as_pt, therapy.as_pta)
        first, second = together(*(partial(start, actor=actor) for actor in actors))
        assert isinstance(first, DischargeNote)
        assert first == second


def test_a_score_removed_meanwhile_is_not_removed_twice() -> None:
    therapy = Therapy()
    therapy.measured()
    row, actor = Measurement.objects.first(), therapy.as_pt
    assert row is not None
    remove = partial(care.remove_measurement, actor=actor, measurement_id=row.pk, at=NOON)
    is_removed, is_waiting = threading.Event(), threading.Event()

    def remove_slowly() -> None:
        with transaction.atomic():
            remove()
            is_removed.set()
            is_waiting.wait(timeout=10)
            # Long enough for the other one to find the row still there and reach the lock.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.5)")

    def remove_beside() -> None:
        is_removed.wait(timeout=10)
        is_waiting.set()
        remove()

    first, second = together(remove_slowly, remove_beside)
    assert first is None
    assert isinstance(second, Stale)
    assert AuditEntry.objects.filter(verb="measurement.removed").count() == 1
