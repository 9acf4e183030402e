"""`manage.py backup FOLDER [--from VARIABLE]`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from handoff import backups
from handoff.core.lines import Damaged, Unwritable


class Command(BaseCommand):
    help = "Dump the database into a new folder, with a manifest of what is in it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="FOLDER", type=Path, help="a folder to be made")
        parser.add_argument(
            "--from",
            dest="variable",
            metavar="VARIABLE",
            default="DATABASE_URL",
            help="the environment variable that holds the database's address",
        )

    def handle(self, *args: Any, folder: Path, variable: str, **options: Any) -> None:
        try:
            made = backups.backup(folder, variable=variable)
        except (backups.Refused, Damaged, Unwritable) as error:
            raise CommandError(f"No backup. {error}") from None
        rows = sum(made.counts.values())
        self.stdout.write(
            f"{folder}: {made.dump_bytes} bytes, {len(made.counts)} tables, {rows}"
            f" rows, sha256 {made.dump_sha256[:16]}"
        )
        for chain, (number, digest) in sorted(made.heads.items()):
            self.stdout.write(f"  {chain} #{number} {digest[:16]}")
        self.stdout.write(f"  journal #{made.journal}, anchors #{made.anchor}")
