"""Checks the consent, access and audit chains."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from clients.models import AccessEntry, ConsentEvent
from handoff.core.audit import AuditEntry
from handoff.core.ledger import ChainedEntry, LedgerHead, verify

CHAINS: tuple[type[ChainedEntry], ...] = (ConsentEvent, AccessEntry, AuditEntry)


class Command(BaseCommand):
    help = "Walk the three ledgers; exit 1 names the first entry of each that does not verify."

    def handle(self, *args: Any, **options: Any) -> None:
        heads = dict(LedgerHead.objects.values_list("chain", "number"))
        broken = False
        for model in CHAINS:
            flaw = verify(model)
            if flaw is not None:
                broken = True
                self.stderr.write(str(flaw))
            else:
                self.stdout.write(f"{model.CHAIN}: {heads.get(model.CHAIN, 0)} entries verify")
        if broken:
            sys.exit(1)
