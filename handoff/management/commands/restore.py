"""`manage.py restore FOLDER --into VARIABLE`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from handoff import backups


class Command(BaseCommand):
    help = "Put a backup into an empty database, and hold it until its journal was replayed."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="FOLDER", type=Path, help="what `backup` made")
        parser.add_argument(
            "--into",
            dest="variable",
            metavar="VARIABLE",
            required=True,
            help="the environment variable that holds the address of the empty database",
        )

    def handle(self, *args: Any, folder: Path, variable: str, **options: Any) -> None:
        if "://" in variable:
            raise CommandError(
                "--into takes the name of a variable, like DATABASE_URL: a password on a command"
                " line can be read by everybody on the machine."
            )
        try:
            made = backups.restore(folder, variable=variable)
        except backups.Refused as error:
            raise CommandError(f"Not restored. {error}") from None
        self.stdout.write(
            f"Restored the backup of {made.at}: {len(made.counts)} tables,"
            f" {sum(made.counts.values())} rows, as the manifest says."
        )
        self.stdout.write("The house is held. With DATABASE_URL naming this database, next:")
        for command in ("migrate", "replay_journal", "release_hold", "verify_ledger"):
            self.stdout.write(f"  python manage.py {command}")
