"""After a restore: ends once more what the journal tells was ended."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from handoff.core.lines import Damaged, Unwritable
from referrals import restoring


class Command(BaseCommand):
    help = "Bring about again what was withdrawn after the backup. Safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--journal-is-lost",
            action="store_true",
            help="there is no journal any more: end whatever is shared, and begin a new one",
        )

    def handle(self, *args: Any, journal_is_lost: bool, **options: Any) -> None:
        try:
            did = restoring.replay(journal_is_lost=journal_is_lost)
        except (restoring.Refused, Damaged, Unwritable) as error:
            raise CommandError(f"Not replayed, and the hold stands. {error}") from None
        for ending, done in did.endings:
            self.stdout.write(f"journal #{ending.number} {ending.kind} {ending.subject}: {done}")
        if did.lost:
            self.stdout.write(f"{did.lost} agreements ended, because the journal is lost.")
        self.stdout.write(
            f"{len(did.endings)} endings replayed. {did.reminders} reminders that were due are not"
            f" mailed. {did.sessions} sessions and {did.tokens} API tokens ended."
        )
        self.stdout.write("Next: python manage.py release_hold")
