"""`manage.py erase_client ID [--dry-run] [--on-paper]`: what a client asked for, or would."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from clients.models import Client
from handoff.core.errors import DomainError
from referrals.rights import erasure


class Command(BaseCommand):
    help = (
        "Erase a client's data as far as it may go, once they asked and the days of grace are over."
        " Prints tables and numbers, no names."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("client", metavar="ID", type=UUID, help="id of the client")
        parser.add_argument(
            "--dry-run", action="store_true", help="print what would become of what; write nothing"
        )
        parser.add_argument(
            "--on-paper",
            action="store_true",
            help="enter a request that was made outside; it can be done after the days of grace",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        client = Client.objects.filter(pk=options["client"], merged_into=None).first()
        if client is None:
            raise CommandError("There is no such client.")
        if options["dry_run"]:
            self._tell(client)
            return
        try:
            if options["on_paper"]:
                row = erasure.ask_on_paper(client_id=client.pk)
                self.stdout.write(f"Entered. It can be done from {row.due_at:%Y-%m-%d %H:%M} UTC.")
                return
            row = erasure.erase(client_id=client.pk)
        except DomainError as error:
            raise CommandError(f"Nothing was erased. {error}") from None
        if row.finished_at is not None:
            self.stdout.write("Erased. Nothing had to be kept.")
        else:
            self.stdout.write(f"Erased. The record of treatment is kept until {row.held_until}.")

    def _tell(self, client: Client) -> None:
        found = erasure.outlook(client)
        width = max(len(line.table) for line in found.lines)
        for line in found.lines:
            self.stdout.write(f"{line.table:<{width}}  {line.count:>6}  {line.fate:<9} {line.what}")
        if found.held_until is None:
            self.stdout.write("There is no record of treatment: what is held goes at once.")
        else:
            self.stdout.write(f"What is held is kept until {found.held_until}.")
        if not found.account_goes:
            self.stdout.write(
                "No account goes: there is none, or its person is more than a client."
            )
        row = erasure.asked(client)
        self.stdout.write(
            "Nobody asked for it."
            if row is None
            else f"Asked on {row.asked_at:%Y-%m-%d}; can be done from {row.due_at:%Y-%m-%d %H:%M}."
        )
        self.stdout.write("Nothing was written.")
