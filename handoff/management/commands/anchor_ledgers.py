"""Writes the heads of the ledgers into the file outside the database, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from handoff.core import anchors, hold
from handoff.core.lines import Damaged, Unwritable


class Command(BaseCommand):
    help = "Note number and hash of each ledger's head outside the database. Ticks do it too."

    def handle(self, *args: Any, **options: Any) -> None:
        if hold.look():
            raise CommandError("Nothing is anchored while the house is held.")
        try:
            line = anchors.anchor()
        except (Damaged, Unwritable) as error:
            raise CommandError(f"Nothing was anchored. {error}") from None
        heads = line.body[anchors.HEADS]
        told = ", ".join(f"{chain} #{number}" for chain, (number, _) in sorted(heads.items()))
        self.stdout.write(f"anchor #{line.number}: {told or 'no entries yet'}")
