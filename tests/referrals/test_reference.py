"""What a new database starts with, and that what admins changed stays as they left it."""

from datetime import date
from decimal import Decimal

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from referrals import measures, reference
from referrals.models import Holiday, ImportantChange, Measure, ReminderRule
from referrals.reminders.rules import CATALOGUE, parse

pytestmark = pytest.mark.django_db


def test_every_database_starts_with_measures_rules_and_holidays() -> None:
    assert set(Measure.objects.values_list("code", flat=True)) == set(measures.BY_CODE)
    assert set(ReminderRule.objects.values_list("number", flat=True)) == {
        rule.value for rule in CATALOGUE
    }
    assert Holiday.objects.filter(state="").count() >= 11 * reference.YEARS_AHEAD


def test_measures_are_stored_as_they_are_in_the_table() -> None:
    for seed in measures.SEED:
        row = Measure.objects.get(pk=seed.code)
        assert (row.name, row.low, row.high, row.unit, row.loinc, row.note) == (
            seed.name,
            seed.low,
            seed.high,
            seed.unit.value,
            seed.loinc,
            seed.notes,
        )
        assert (row.higher_is_better, row.whole_numbers) == (
            seed.higher_is_better,
            seed.integer_only,
        )
        row.full_clean()
        assert row.important_changes.count() == len(seed.changes)
        for change in row.important_changes.all():
            change.full_clean()


def test_measures_keep_their_order() -> None:
    assert list(Measure.objects.values_list("code", flat=True)) == [
        seed.code for seed in measures.SEED
    ]


def test_each_measure_has_at_most_one_usual_change_and_it_is_the_tables() -> None:
    for seed in measures.SEED:
        usual = ImportantChange.objects.filter(measure=seed.code, usual=True)
        expected = [seed.usual_change.amount] if seed.usual_change else []
        assert list(usual.values_list("amount", flat=True)) == expected


def test_a_size_stands_with_its_population_and_a_range_keeps_its_upper_end() -> None:
    small = ImportantChange.objects.get(measure="psfs", amount=Decimal("1.3"))
    assert small.population == "musculoskeletal conditions (small)"
    leg = ImportantChange.objects.get(measure="lefs")
    assert (leg.amount, leg.amount_high) == (Decimal(9), Decimal(16))
    arm = ImportantChange.objects.get(measure="uefi")
    assert (arm.amount, arm.amount_high) == (Decimal(11), None)


def test_rules_are_stored_as_they_are_in_the_catalogue_and_pass_the_form() -> None:
    for rule, row in CATALOGUE.items():
        stored = ReminderRule.objects.get(pk=rule.value)
        stored.full_clean()
        assert tuple(stored.routine_offsets) == row.routine
        assert tuple(stored.urgent_offsets) == row.urgent
        assert (stored.escalate_after, stored.urgent_escalate_after) == (
            row.escalate_after,
            row.urgent_escalate_after,
        )
        assert all(parse(text) for text in stored.routine_offsets)
        assert stored.in_use


def test_loading_again_adds_nothing() -> None:
    before = [model.objects.count() for model in (Measure, ImportantChange, ReminderRule, Holiday)]
    reference.load()
    after = [model.objects.count() for model in (Measure, ImportantChange, ReminderRule, Holiday)]
    assert after == before


def test_what_admins_changed_stays_and_what_is_missing_comes_back() -> None:
    Measure.objects.filter(pk="lefs").update(name="Our own name", in_use=False)
    ImportantChange.objects.filter(measure="odi").delete()
    ReminderRule.objects.filter(pk=5).update(routine_offsets=["1bd"])
    ReminderRule.objects.filter(pk=6).delete()
    Measure.objects.filter(pk="groc").delete()
    reference.load()
    lefs = Measure.objects.get(pk="lefs")
    assert (lefs.name, lefs.in_use) == ("Our own name", False)
    assert not ImportantChange.objects.filter(measure="odi").exists()
    assert ReminderRule.objects.get(pk=5).routine_offsets == ["1bd"]
    assert ReminderRule.objects.filter(pk=6).exists()
    assert Measure.objects.filter(pk="groc").exists()


def test_holidays_of_a_new_year_come_and_a_removed_one_stays_away() -> None:
    Holiday.objects.all().delete()
    reference.load(today=date(2026, 11, 23))
    years = set(Holiday.objects.values_list("day__year", flat=True))
    assert years == {2025, 2026, 2027, 2028, 2029, 2030, 2031}
    assert Holiday.objects.get(day=date(2027, 1, 18)).name == (
        "Birthday of Martin Luther King, Jr."
    )
    Holiday.objects.filter(day=date(2027, 10, 11)).delete()
    Holiday.objects.create(day=date(2027, 4, 19), state="MA", name="Patriots' Day")
    reference.load(today=date(2027, 1, 2))
    assert not Holiday.objects.filter(day=date(2027, 10, 11)).exists()
    # In 2033 New Year's Day is a Saturday and kept on the Friday before.
    assert Holiday.objects.filter(day__year=2032).count() == 12
    assert date(2027, 4, 19) in Holiday.objects.days_in("MA")
    assert date(2027, 4, 19) not in Holiday.objects.days_in("NY")


def test_migrating_loads_and_a_halfway_schema_is_left_alone() -> None:
    ReminderRule.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE referrals_reminderrule RENAME COLUMN in_use TO elsewhere")
        _migrated()
        cursor.execute("ALTER TABLE referrals_reminderrule RENAME COLUMN elsewhere TO in_use")
        assert not ReminderRule.objects.exists()
        cursor.execute("ALTER TABLE referrals_holiday RENAME TO elsewhere")
        _migrated()
        cursor.execute("ALTER TABLE elsewhere RENAME TO referrals_holiday")
    assert not ReminderRule.objects.exists()
    _migrated()
    assert ReminderRule.objects.count() == len(CATALOGUE)


def _migrated() -> None:
    reference.load_after_migrate(sender=apps.get_app_config("referrals"), using="default")


@pytest.mark.django_db(transaction=True)
def test_it_is_there_again_after_the_tables_were_emptied() -> None:
    ReminderRule.objects.all().delete()
    call_command("migrate", "referrals", verbosity=0)
    assert ReminderRule.objects.count() == len(CATALOGUE)
