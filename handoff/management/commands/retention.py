"""`manage.py retention [--dry-run]`: lets go what is past its time."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from referrals.rights import erasure, retention


class Command(BaseCommand):
    help = "Do what the nightly task does: let go what is past its time, and erase what is due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="print how much would go; write nothing"
        )

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        tidied = retention.report() if dry_run else retention.run(seconds=3600)
        counts = {each.key: each.count for each in tidied}
        for each in retention.CATEGORIES:
            kept = "for good" if each.days is None else f"{each.days} days"
            count = counts.get(each.key)
            gone = "stays" if count is None else f"{count:>6} {'to go' if dry_run else 'gone'}"
            self.stdout.write(f"{each.key:<12} {kept:<9} {gone}")
        if dry_run:
            self.stdout.write("Nothing was written.")
            return
        self.stdout.write(f"{erasure.erase_due()} requests to erase went a step further.")
