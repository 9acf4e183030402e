"""One sweep over what is due, without beat or worker: for operators and tests."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from handoff.core import hold
from referrals import lifecycle, reminders
from referrals.reminders.delivery import Outcome


class Command(BaseCommand):
    help = "Says how many reminders are due; with --now, delivers them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", action="store_true", help="deliver what is due")
        parser.add_argument(
            "--at",
            metavar="TIME",
            help="as if it were this moment (ISO 8601 with zone); demo and development only",
        )

    def handle(self, *args: Any, now: bool, at: str | None, **options: Any) -> None:
        moment = _moment(at)
        if not now:
            due = reminders.backlog(at=moment).due
            self.stdout.write(f"{due} due. Deliver them with --now.")
            return
        if hold.is_held():
            raise CommandError("Nothing is sent: the house is held. See docs/operations.md.")
        walked = lifecycle.time_out(at=moment)
        taken, letters = 0, {outcome: 0 for outcome in Outcome}
        while True:
            tally = reminders.sweep(at=moment)
            taken += tally.taken
            for outcome, count in tally.letters.items():
                letters[outcome] += count
            stopped = tally.letters[Outcome.UNREACHABLE] or tally.letters[Outcome.REFUSED]
            if not tally.taken or stopped:
                break
        failed = sum(letters.values()) - letters[Outcome.SENT]
        self.stdout.write(
            f"{walked} referrals timed out. {taken} reminders looked at:"
            f" {letters[Outcome.SENT]} mailed, {failed} not, {taken - sum(letters.values())}"
            " settled without mail."
        )
        if letters[Outcome.UNREACHABLE] or letters[Outcome.REFUSED]:
            raise CommandError("The mail server takes nothing. What is due will be tried again.")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    if settings.PRODUCTION:
        raise CommandError("--at is for demo and development: times are real in production.")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError("--at wants a time like 2027-01-12T09:00+00:00") from None
    if timezone.is_naive(moment):
        raise CommandError("--at wants a time with its zone, like 2027-01-12T09:00+00:00")
    return moment
