"""Reference data that a new database starts with: measures, reminder rules, holidays, periods.

`load` adds what is missing and changes nothing that is there: admins edit these tables. It runs
after every migration.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Model

from clients import record_periods
from clients.models import RecordRetention
from referrals import measures
from referrals.calendars import holidays_in
from referrals.models import Holiday, ImportantChange, Measure, ReminderRule
from referrals.reminders.rules import CATALOGUE

YEARS_BACK: Final = 1
YEARS_AHEAD: Final = 5
_TABLES: Final[tuple[type[Model], ...]] = (
    *(Measure, ImportantChange, ReminderRule, Holiday, RecordRetention),
)


def load(*, today: date | None = None) -> None:
    """Add the rows that are missing. Safe to run at any time, by several processes at once."""
    year = (today or datetime.now(UTC).date()).year
    with transaction.atomic():
        _load_measures()
        _load_rules()
        _load_holidays(range(year - YEARS_BACK, year + YEARS_AHEAD + 1))
        _load_periods()


def load_after_migrate(**kwargs: Any) -> None:
    """`load`, once the tables have their present shape; a halfway migration is left alone."""
    if _are_complete(_TABLES):
        load()


def _are_complete(models: Iterable[type[Model]]) -> bool:
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        for model in models:
            table = model._meta.db_table
            if table not in there:
                return False
            columns = connection.introspection.get_table_description(cursor, table)
            if not {field.column for field in model._meta.local_concrete_fields} <= {
                column.name for column in columns
            }:
                return False
    return True


def _load_periods() -> None:
    """For the owner of the tables only; migrations run as it."""
    known = set(RecordRetention.objects.values_list("state", flat=True))
    RecordRetention.objects.bulk_create(
        RecordRetention(**period._asdict())
        for period in record_periods.SEED
        if period.state not in known
    )


def _load_measures() -> None:
    known = set(Measure.objects.values_list("code", flat=True))
    new = [seed for seed in measures.SEED if seed.code not in known]
    Measure.objects.bulk_create(
        [
            Measure(
                code=seed.code,
                name=seed.name,
                low=seed.low,
                high=seed.high,
                unit=seed.unit.value,
                higher_is_better=seed.higher_is_better,
                whole_numbers=seed.integer_only,
                loinc=seed.loinc,
                note=seed.notes,
                position=10 * (measures.SEED.index(seed) + 1),
            )
            for seed in new
        ],
        ignore_conflicts=True,
    )
    # Only with a new measure: one that an admin has removed from an old measure stays removed.
    ImportantChange.objects.bulk_create(
        [_important(seed, change) for seed in new for change in seed.changes]
    )


def _important(seed: measures.Measure, change: measures.ImportantChange) -> ImportantChange:
    population = f"{change.population} ({change.size})" if change.size else change.population
    return ImportantChange(
        measure_id=seed.code,
        amount=change.amount,
        amount_high=change.high if change.high != change.amount else None,
        population=population,
        source=change.source,
        usual=change.usual,
    )


def _load_rules() -> None:
    ReminderRule.objects.bulk_create(
        [
            ReminderRule(
                number=row.rule.value,
                key=row.key,
                title=row.title,
                routine_offsets=list(row.routine),
                urgent_offsets=list(row.urgent),
                escalate_after=row.escalate_after,
                urgent_escalate_after=row.urgent_escalate_after,
                useful_for_hours=row.useful_for_hours,
                keeps_quiet_hours=row.keeps_quiet_hours,
                by_mail=row.by_mail,
            )
            for row in CATALOGUE.values()
        ],
        ignore_conflicts=True,
    )


def _load_holidays(years: Iterable[int]) -> None:
    """The federal holidays of years that have none yet; a day an admin removed stays removed."""
    filled = {day.year for day in Holiday.objects.filter(state="").values_list("day", flat=True)}
    Holiday.objects.bulk_create(
        [
            Holiday(day=day, name=name)
            for year in years
            if year not in filled
            for day, name in holidays_in(year).items()
        ],
        ignore_conflicts=True,
    )
