"""`manage.py record_period [STATE --years N [--until-age N] --source TEXT]`: how long by law."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, ProgrammingError

from clients.models import RecordRetention
from clients.record_periods import EVERYWHERE_ELSE
from clients.us_states import US_STATES


class Command(BaseCommand):
    help = (
        "How long records of treatment are kept, by state. Without arguments prints the periods."
        " Setting one takes the role that owns the tables, as migrating does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "state", nargs="?", metavar="STATE", help="two letters, or * for others"
        )
        parser.add_argument("--years", type=int, help="after the last entry")
        parser.add_argument(
            "--until-age", type=int, help="a minor's record at least until this age"
        )
        parser.add_argument("--source", default="", help="where the law says so")

    def handle(self, *args: Any, **options: Any) -> None:
        state, years, source = options["state"], options["years"], options["source"].strip()
        if state is not None:
            if state != EVERYWHERE_ELSE and state not in US_STATES:
                raise CommandError("STATE is two capital letters, or * for every other one.")
            if years is None or not source:
                raise CommandError("A period takes --years and --source: where the law says so.")
            try:
                RecordRetention.objects.update_or_create(
                    state=state,
                    defaults={
                        "years": years,
                        "until_age": options["until_age"],
                        "source": source[:200],
                    },
                )
            except IntegrityError:
                raise CommandError("--years is from 1 to 100.") from None
            except ProgrammingError:
                raise CommandError("Only the role that owns the tables may set a period.") from None
        for row in RecordRetention.objects.all():
            age = f", a minor's until {row.until_age}" if row.until_age else ""
            self.stdout.write(f"{row.state:<2}  {row.years} years{age}  {row.source}")
