"""Anchors: the heads of the ledgers, written outside the database every quarter of an hour.

A chain proves that nothing between its first and its last entry was changed. It cannot prove that
the last entry is the last one: whoever owns the database may cut off the end and move the head
back, or put an older database in its place. An anchor remembers which number had which hash.

A line says what the heads were, or (`fork`) that a restored database goes on from certain numbers:
what was anchored beyond those, before that line, was lost with the old database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from handoff.core import journal
from handoff.core.custody import Custody
from handoff.core.ledger import BATCH, ChainedEntry, Flaw, LedgerHead, database_now
from handoff.core.lines import File, Line

EVERY: Final = timedelta(minutes=15)
HEADS: Final = "heads"
FORK: Final = "fork"


def file() -> File:
    return File("anchors", Path(settings.ANCHOR_FILE))


def current_heads() -> dict[str, tuple[int, str]]:
    """The newest committed number and hash of each chain that has one."""
    rows = LedgerHead.objects.filter(number__gt=0).values_list("chain", "number", "hash")
    return {chain: (number, digest) for chain, number, digest in rows}


def anchor(*, fork: Mapping[str, int] | None = None) -> Line:
    """Write one line with the heads as they are now, and remember here that it was written.

    `fork`: the numbers from which a restored database goes on. Raises Unwritable or Damaged.
    """
    with transaction.atomic():
        custody = Custody.objects.select_for_update().get()
        return _write(custody, fork)


def anchor_when_due() -> bool:
    """Anchor if the last time was a quarter of an hour ago; False when it was not, or when
    somebody else is at it. Raises as `anchor`."""
    with transaction.atomic():
        custody = Custody.objects.select_for_update(skip_locked=True).first()
        if custody is None or (
            custody.anchored_at is not None and database_now() < custody.anchored_at + EVERY
        ):
            return False
        _write(custody, None)
    return True


def _write(custody: Custody, fork: Mapping[str, int] | None) -> Line:
    now = database_now()
    told = journal.file().newest()
    body: dict[str, Any] = {
        "at": now.isoformat(timespec="seconds"),
        HEADS: current_heads(),
        "journal": [told.number, told.mac] if told else [0, ""],
    }
    if fork is not None:
        body[FORK] = dict(fork)
    line = file().append(body)
    custody.anchor_number, custody.anchor_mac, custody.anchored_at = line.number, line.mac, now
    custody.save(update_fields=["anchor_number", "anchor_mac", "anchored_at"])
    return line


@dataclass(frozen=True, slots=True)
class Anchored:
    """What the anchors say of one chain: which number had which hash, and when that was noted."""

    hashes: Mapping[int, str]
    noted: Mapping[int, str]

    @property
    def newest(self) -> int:
        return max(self.hashes, default=0)


@dataclass(frozen=True, slots=True)
class Record:
    """The anchor file, read and verified."""

    chains: Mapping[str, Anchored]
    lines: int
    last_at: datetime | None
    journal_head: tuple[int, str]
    macs: tuple[str, ...]

    def of(self, chain: str) -> Anchored:
        return self.chains.get(chain, Anchored({}, {}))


def read() -> Record:
    """Everything that was anchored and still counts. Raises Damaged."""
    hashes: dict[str, dict[int, str]] = {}
    noted: dict[str, dict[int, str]] = {}
    last_at, told, macs = None, (0, ""), []
    for line in file().lines():
        body = line.body
        for chain, end in (body.get(FORK) or {}).items():
            for number in [each for each in hashes.get(chain, {}) if each > end]:
                del hashes[chain][number], noted[chain][number]
        for chain, (number, digest) in body[HEADS].items():
            hashes.setdefault(chain, {}).setdefault(number, digest)
            noted.setdefault(chain, {}).setdefault(number, body["at"])
        last_at = datetime.fromisoformat(body["at"]).astimezone(UTC)
        told = (int(body["journal"][0]), str(body["journal"][1]))
        macs.append(line.mac)
    chains = {chain: Anchored(found, noted[chain]) for chain, found in hashes.items()}
    return Record(chains, len(macs), last_at, told, tuple(macs))


def flaw_of_file(record: Record) -> Flaw | None:
    """Whether the file still has the newest line this database saw written."""
    custody = Custody.objects.first()
    if custody is None or custody.anchor_number == 0:
        return None
    if record.lines < custody.anchor_number:
        what = "line is missing: the file was cut, exchanged or removed"
        return Flaw("anchors", record.lines + 1, what)
    if record.macs[custody.anchor_number - 1] != custody.anchor_mac:
        what = "is not the line that was written: the file was exchanged"
        return Flaw("anchors", custody.anchor_number, what)
    return None


def flaw_of_journal(record: Record) -> Flaw | None:
    """Whether the journal still has the lines that the anchors and this database know of."""
    number, mac = record.journal_head
    last, at_number = 0, ""
    for line in journal.file().lines():
        last = line.number
        at_number = line.mac if line.number == number else at_number
    if last < number:
        what = "line is missing: the file was cut, exchanged or removed"
        return Flaw("journal", last + 1, what)
    if number and at_number != mac:
        return Flaw("journal", number, "is not the line that was anchored: the file was exchanged")
    beyond = journal.missing_from_file()
    if beyond is not None:
        what = "line is missing: the file was cut, exchanged or removed"
        return Flaw("journal", last + 1, what)
    return None


def flaw_of_chain(
    model: type[ChainedEntry], anchored: Anchored, *, until: int | None = None
) -> Flaw | None:
    """The first anchored entry that is not there, or not as it was anchored.

    `until`: the last number a restored backup had; what was anchored beyond it is not asked for.
    """
    wanted = sorted(each for each in anchored.hashes if until is None or each <= until)
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        found = dict(model._default_manager.filter(number__in=part).values_list("number", "hash"))
        for number in part:
            when = anchored.noted[number]
            if number not in found:
                first = _first_missing(model)
                what = f"entry is missing; the anchor of {when} knows entries up to #{number}"
                return Flaw(model.CHAIN, min(first, number), what)
            if found[number] != anchored.hashes[number]:
                what = f"is another entry than the one anchored on {when}"
                return Flaw(model.CHAIN, number, what)
    return None


def _first_missing(model: type[ChainedEntry]) -> int:
    """The number after the last entry; what lies before has been walked by `verify`."""
    last = model._default_manager.order_by("-number").values_list("number", flat=True).first()
    return (last or 0) + 1


def is_behind() -> bool:
    """Whether the newest anchor tells of entries this database does not have. A quick look."""
    newest = file().newest()
    if newest is None:
        return False
    here = current_heads()
    return any(
        here.get(chain, (0, ""))[0] < number
        or (here[chain][0] == number and here[chain][1] != digest)
        for chain, (number, digest) in newest.body[HEADS].items()
    )
