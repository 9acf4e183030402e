"""After a restore and a replay: opens the house again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from handoff.core.lines import Damaged, Unwritable
from handoff.management.commands.verify_ledger import CHAINS
from referrals import restoring


class Command(BaseCommand):
    help = "End the hold, if the journal was replayed and the ledgers are as they were anchored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anchors-are-lost",
            action="store_true",
            help="there is no anchor file any more: begin a new one",
        )

    def handle(self, *args: Any, anchors_are_lost: bool, **options: Any) -> None:
        try:
            released = restoring.release(CHAINS, anchors_are_lost=anchors_are_lost)
        except (restoring.Refused, Damaged, Unwritable) as error:
            raise CommandError(f"The hold stands. {error}") from None
        for chain, (first, last) in released.lost.items():
            self.stdout.write(f"{chain}: entries #{first} to #{last} did not come back")
        self.stdout.write("Released: the house is open again.")
