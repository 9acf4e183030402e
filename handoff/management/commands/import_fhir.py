"""`manage.py import_fhir FILE --for PT_EMAIL [--shift-to DATE]`."""

import stat
from argparse import ArgumentParser
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from handoff.core.actors import SYSTEM, Channel
from handoff.core.errors import DomainError
from referrals.fhir_bundle import BundleReading, Outcome, read_bundle
from referrals.fhir_bundle.strict_json import MAX_BYTES
from referrals.fhir_import import import_bundle


class Command(BaseCommand):
    help = (
        "Make a draft client and episode out of a FHIR R4 Bundle, for a physical therapist to "
        "review. Prints what became of every entry; no names and nothing clinical."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="FHIR R4 Bundle as JSON, one patient")
        parser.add_argument(
            "--for",
            dest="pt_email",
            metavar="PT_EMAIL",
            required=True,
            help="address under which the physical therapist signs in",
        )
        parser.add_argument(
            "--shift-to",
            metavar="DATE",
            help="demonstrations only: move all dates so that the newest one taken is DATE",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """One line on stderr and exit code 1 for whatever keeps the file from being imported."""
        try:
            reading = read_bundle(_content(options["file"]), shift_to=_day(options["shift_to"]))
            if reading.episode is None:
                self._report(reading)  # shows why there is nothing to import
            result = import_bundle(
                actor=SYSTEM.through(Channel.COMMAND),
                reading=reading,
                pt_email=options["pt_email"],
            )
        except DomainError as error:
            raise CommandError(f"Nothing was imported. {error}") from None
        except DatabaseError:
            # The database's own message quotes the row.
            raise CommandError("Nothing was imported. The database refused the rows.") from None
        if not result.created:
            self.stdout.write(
                f"This patient was imported for this therapist before (client {result.client_id})."
                " Nothing was written."
            )
            return
        self._report(reading)
        self.stdout.write(
            f"Made draft client {result.client_id} and episode {result.episode_id}, "
            "waiting for review."
        )
        for remark in result.remarks:
            self.stdout.write(f"  To check: {remark}")
        self.stdout.write(
            f"Next: the physical therapist signs in, opens /clients/{result.client_id}/, checks "
            "the draft and confirms it."
        )

    def _report(self, reading: BundleReading) -> None:
        width = max(len(entry.resource_type) for entry in reading.entries)
        for entry in reading.entries:
            self.stdout.write(
                f"entry[{entry.index}]".ljust(13)
                + f"{entry.resource_type:<{width}}  {entry.outcome:<7}  {entry.reason}"
            )
        counts = Counter(entry.outcome for entry in reading.entries)
        self.stdout.write(", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome))
        if reading.shifted_days:
            self.stdout.write(
                f"All dates were moved by {reading.shifted_days} days; for demonstrations only."
            )


def _day(written: str | None) -> date | None:
    try:
        return None if written is None else date.fromisoformat(written)
    except ValueError:
        raise CommandError("--shift-to takes a date like 2027-01-31.") from None


def _content(name: str) -> bytes:
    """The file's bytes; at most one more than may be, so that no device can fill the memory."""
    path = Path(name)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise CommandError("Nothing was imported. That is not a file.")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError):
        raise CommandError("Nothing was imported. The file cannot be read.") from None
