"""Checks the consent, access and audit chains, what was signed, and the files outside."""

import sys
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from clients.models import AccessEntry, ConsentEvent
from handoff.core import anchors, hold, subjects
from handoff.core.audit import AuditEntry
from handoff.core.ledger import ChainedEntry, Flaw, LedgerHead, verify
from handoff.core.lines import Damaged, Unwritable
from referrals import sealing, whose

CHAINS: tuple[type[ChainedEntry], ...] = (ConsentEvent, AccessEntry, AuditEntry)


class Command(BaseCommand):
    help = (
        "Walk the three ledgers, the signed notes, the anchors and the revocation journal; exit 1"
        " names the first number of each that does not verify."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.broken = False
        heads = dict(LedgerHead.objects.values_list("chain", "number"))
        record = self._anchors()
        for model in CHAINS:
            flaw = verify(model)
            anchored = record.of(model.CHAIN) if record else None
            if flaw is None and anchored is not None:
                flaw = anchors.flaw_of_chain(model, anchored)
            told = f"{model.CHAIN}: {heads.get(model.CHAIN, 0)} entries verify"
            if anchored is not None:
                told += f", {len(anchored.hashes)} anchored numbers stand, up to #{anchored.newest}"
            self._say(flaw, told)
        with subjects.among(whose.clients_between(UUID(int=0), UUID(int=2**128 - 1))):
            flaw = sealing.broken_seal()
        self._say(flaw, "signed notes: each is as it was signed")
        if record is not None:
            self._journal(record)
        if why := hold.reason():
            self.stdout.write(f"The house is held: {why}.")
        if self.broken:
            sys.exit(1)

    def _anchors(self) -> anchors.Record | None:
        try:
            record = anchors.read()
        except (Damaged, Unwritable) as error:
            self._say(str(error), "")
            return None
        when = record.last_at.isoformat(timespec="seconds") if record.last_at else "never"
        flaw = anchors.flaw_of_file(record)
        self._say(flaw, f"anchors: {record.lines} lines verify, the newest of {when}")
        return record

    def _journal(self, record: anchors.Record) -> None:
        try:
            flaw = anchors.flaw_of_journal(record)
        except (Damaged, Unwritable) as error:
            self._say(str(error), "")
            return
        self._say(flaw, "journal: every line verifies")

    def _say(self, flaw: Flaw | str | None, fine: str) -> None:
        if flaw is None:
            self.stdout.write(fine)
            return
        self.broken = True
        self.stderr.write(str(flaw))
