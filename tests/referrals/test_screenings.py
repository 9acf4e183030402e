"""Kept results of who comes first: whose they are, who reads them, and when they say nothing."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction

from clients.models import AccessEntry, Client
from clients.scopes import Scope
from handoff.core import subjects
from handoff.core.actors import ANONYMOUS
from handoff.core.audit import AuditEntry
from handoff.core.errors import NotVisible, Stale
from referrals import screenings
from referrals.models import Screening
from referrals.triage import Level
from tests.factories import NOON, ClientFactory, GuardianshipFactory, acting
from tests.referrals.scenes import Therapy, verbs_on

pytestmark = pytest.mark.django_db
WELL = {
    **dict.fromkeys(
        (
            *("chest", "saddle", "bladder_bowel", "weakness", "trauma", "fever", "cancer"),
            *("symptoms", "disease", "supervised", "pregnant", "over_69"),
            *("pain", "flares", "limited", "daily", "complex"),
        ),
        "no",
    ),
    "injury": "none",
    "goal": "stronger",
    "active": "yes",
    "effort": "easy",
}
HURTS = {**WELL, "pain": "yes", "goal": "open"}


@pytest.fixture
def scene(time_machine: Any) -> Therapy:
    time_machine.move_to(NOON, tick=False)
    return Therapy()


def save(scene: Therapy, actor: Any = None, **changes: Any) -> Screening:
    return screenings.save(
        actor=actor or scene.as_client,
        client_id=scene.client.pk,
        answers={**HURTS, **changes},
    )


def seen(scene: Therapy, actor: Any = None) -> tuple[screenings.ScreeningView, ...]:
    return screenings.screenings(actor=actor or scene.as_client, client_id=scene.client.pk)


def last() -> AccessEntry:
    return AccessEntry.objects.order_by("-number")[0]


def test_the_result_is_kept_and_the_answers_are_not(scene: Therapy) -> None:
    row = save(scene)
    assert (row.level, row.reasons, row.rules_version) == ("pt", ["pain"], 1)
    assert (row.taken_on, row.valid_until) == (date(2027, 1, 13), date(2028, 1, 13))
    assert verbs_on(row) == ["screening.saved"]
    assert {field.name for field in Screening._meta.concrete_fields} == {
        *("id", "client", "level", "reasons", "rules_version"),
        *("taken_at", "taken_on", "valid_until", "voided_at", "saved_by"),
    }
    (view,) = seen(scene)
    assert (view.level, view.title) == (Level.PT, "See a physical therapist first")
    assert [reason.title for reason in view.reasons] == ["Pain now"]
    assert view.is_valid
    assert (last().action, last().shown, last().purpose) == ("read", ["history"], "screenings")


def test_the_audit_ledger_does_not_say_what_came_out(scene: Therapy) -> None:
    row = save(scene, chest="yes")
    entry = AuditEntry.objects.get(object_id=str(row.pk))
    assert "medical" not in str(entry.facts)
    assert "chest" not in str(entry.facts)


def test_no_professional_reads_one_whatever_is_shared(scene: Therapy) -> None:
    row = save(scene)
    scene.signed()
    scene.share(*Scope)
    for actor in (scene.as_pt, scene.as_pta, scene.as_trainer):
        with pytest.raises(NotVisible):
            seen(scene, actor)
        assert (last().action, last().withheld) == ("refused", ["history"])
        assert last().actor_id == actor.user_id
        for act in (
            lambda actor=actor: screenings.void(actor=actor, screening_id=row.pk),
            lambda actor=actor: screenings.remove(actor=actor, screening_id=row.pk),
            lambda actor=actor: save(scene, actor),
        ):
            with pytest.raises(NotVisible):
                act()
    assert Screening.objects.get().voided_at is None


def test_nobody_and_somebody_else_save_nothing(scene: Therapy) -> None:
    other = ClientFactory.create()
    for actor in (acting(other), ANONYMOUS):
        with pytest.raises(NotVisible):
            save(scene, actor)
        with pytest.raises(NotVisible):
            seen(scene, actor)
    assert not Screening.objects.exists()
    with pytest.raises(NotVisible):
        screenings.screenings(actor=scene.as_client, client_id=NOBODY)
    with pytest.raises(NotVisible):
        screenings.save(actor=scene.as_client, client_id=NOBODY, answers=WELL)
    for act in (screenings.void, screenings.remove):
        with pytest.raises(NotVisible):
            act(actor=scene.as_client, screening_id=NOBODY)


NOBODY: Any = "00000000-0000-4000-8000-000000000000"


def test_a_guardian_keeps_one_for_a_minor_and_loses_it_with_the_authority(scene: Therapy) -> None:
    Client.objects.filter(pk=scene.client.pk).update(birth_date=date(2010, 5, 5))
    guardianship = GuardianshipFactory.create(client=scene.client)
    guardian = acting(guardianship.user)
    row = save(scene, guardian)
    own = save(scene)
    assert row.saved_by_id == guardian.user_id
    assert {each.id for each in seen(scene, guardian)} == {row.pk, own.pk}
    assert {each.id for each in seen(scene)} == {row.pk, own.pk}
    guardianship.ended_at = NOON
    guardianship.save()
    with pytest.raises(NotVisible):
        seen(scene, guardian)
    with pytest.raises(NotVisible):
        save(scene, guardian)
    for act in (screenings.void, screenings.remove):
        with pytest.raises(NotVisible):
            act(actor=guardian, screening_id=row.pk)


def test_health_that_has_changed_ends_it_and_it_stays_in_the_list(scene: Therapy) -> None:
    row = save(scene)
    screenings.void(actor=scene.as_client, screening_id=row.pk)
    (view,) = seen(scene)
    assert (view.is_valid, view.voided_at) == (False, NOON)
    assert verbs_on(row) == ["screening.saved", "screening.voided"]
    with pytest.raises(Stale):
        screenings.void(actor=scene.as_client, screening_id=row.pk)


def test_it_is_over_after_its_last_day_where_the_client_lives(
    scene: Therapy, time_machine: Any
) -> None:
    save(scene)
    Client.objects.filter(pk=scene.client.pk).update(time_zone="America/New_York")
    last_moment = datetime(2028, 1, 13, 23, 59, tzinfo=ZoneInfo("America/New_York"))
    time_machine.move_to(last_moment, tick=False)
    assert seen(scene)[0].is_valid
    time_machine.move_to(last_moment + timedelta(minutes=1), tick=False)
    assert not seen(scene)[0].is_valid


def test_medical_help_is_about_that_day_alone(scene: Therapy, time_machine: Any) -> None:
    row = save(scene, chest="yes")
    assert row.valid_until == row.taken_on
    time_machine.move_to(NOON + timedelta(days=1), tick=False)
    assert not seen(scene)[0].is_valid


def test_the_newest_stands_first_and_one_that_is_removed_is_gone(scene: Therapy) -> None:
    first = save(scene)
    second = screenings.save(
        actor=scene.as_client,
        client_id=scene.client.pk,
        answers=WELL,
        at=NOON + timedelta(minutes=1),
    )
    assert [each.id for each in seen(scene)] == [second.pk, first.pk]
    assert screenings.remove(actor=scene.as_client, screening_id=second.pk) == scene.client.pk
    assert [each.id for each in seen(scene)] == [first.pk]
    with pytest.raises(NotVisible):
        screenings.remove(actor=scene.as_client, screening_id=second.pk)
    assert AuditEntry.objects.filter(verb="screening.removed").count() == 1


def test_nothing_new_is_kept_about_somebody_who_was_erased(scene: Therapy) -> None:
    Client.objects.filter(pk=scene.client.pk).update(erased_at=NOON)
    with pytest.raises(Stale):
        save(scene)


def test_a_code_that_is_gone_is_left_out(scene: Therapy) -> None:
    row = save(scene)
    Screening.objects.filter(pk=row.pk).update(reasons=["pain", "of_old"])
    assert [reason.code for reason in seen(scene)[0].reasons] == ["pain"]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"valid_until": date(2028, 1, 15)}, "screening_valid_a_year_at_most"),
        ({"valid_until": date(2027, 1, 12)}, "screening_valid_a_year_at_most"),
        ({"reasons": []}, "screening_says_why"),
    ],
)
def test_the_database_holds_its_bounds(scene: Therapy, changes: dict[str, Any], name: str) -> None:
    row = save(scene)
    Screening.objects.filter(pk=row.pk).update(valid_until=date(2028, 1, 14))
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Screening.objects.filter(pk=row.pk).update(**changes)


def test_the_rows_are_under_row_level_security() -> None:
    assert "referrals_screening" in subjects.guarded_tables()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class"
            " WHERE oid = 'referrals_screening'::regclass"
        )
        assert cursor.fetchone() == (True, True)
