"""The revocation journal: whatever makes less visible, written outside the database first.

`write` is called by the verb that ends something, inside its transaction, after its guards and
before it locks a ledger: the line is on the disk before the transaction can commit. So the journal
may know of an ending that was never committed, and never the other way round. Once it is committed
a `done` line says so, without waiting for the disk.

When the file cannot be written the ending goes through all the same: whoever stops sharing has
stopped, full disk or not. The line is then owed: it stands in the database, in the log, on
`/readyz`, and each tick tries again. docs/adr/0028 says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from handoff.core.custody import JournalLine
from handoff.core.lines import Damaged, File, Line, Unwritable

log = structlog.get_logger(__name__)

DONE: Final = "done"
SUBJECTS: Final = ("consent", "referral", "client", "id")
"""Under one of these the facts of a line name what it is about."""
IN_DOUBT: Final = timedelta(minutes=2)
"""Longer than any transaction of ours may take: later, it was committed or it never will be."""


def file() -> File:
    return File("journal", Path(settings.REVOCATION_JOURNAL))


def write(kind: str, facts: Mapping[str, Any], *, at: datetime | None = None) -> JournalLine:
    """Note outside that `kind` is about to happen, then here that it did.

    `facts` holds ids, dates and words of fixed lists only: enough to do it again. Must run inside
    the transaction that does it.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("the journal is written inside the verb's transaction")
    row = JournalLine(id=uuid4(), kind=kind, facts=dict(facts), at=at or timezone.now())
    try:
        row.number = file().append(_body(row)).number
        transaction.on_commit(partial(_done, row.pk))
    except (Unwritable, Damaged) as error:
        log.error("journal.owed", kind=kind, entry=row.pk, reason=type(error).__name__)
    row.save(force_insert=True)
    return row


def owed() -> int:
    """How many lines the file does not have yet."""
    return JournalLine.objects.filter(number=None).count()


def pay() -> int:
    """Write what is owed; how many were. Raises Unwritable or Damaged while it cannot be done."""
    paid = 0
    while True:
        with transaction.atomic():
            row = (
                JournalLine.objects.select_for_update(skip_locked=True)
                .filter(number=None)
                .order_by("at", "id")
                .first()
            )
            if row is None:
                return paid
            row.number = file().append(_body(row)).number
            row.save(update_fields=["number"])
            transaction.on_commit(partial(_done, row.pk))
        paid += 1


@dataclass(frozen=True, slots=True)
class Ending:
    """One thing that was ended, as the file tells it."""

    id: UUID
    number: int
    kind: str
    facts: Mapping[str, Any]
    at: datetime
    done: bool

    @property
    def subject(self) -> str:
        """The id of what was ended."""
        return str(next(self.facts[key] for key in SUBJECTS if key in self.facts))

    @classmethod
    def of(cls, line: Line, *, done: bool) -> "Ending":
        body = line.body
        return cls(
            id=UUID(body["id"]),
            number=line.number,
            kind=body["kind"],
            facts=body["facts"],
            at=datetime.fromisoformat(body["at"]),
            done=done,
        )


def unknown() -> list[Ending]:
    """What the file tells and this database does not know of, oldest first. Raises Damaged."""
    lines = list(file().lines())
    done = {line.body[DONE] for line in lines if DONE in line.body}
    told = [line for line in lines if DONE not in line.body]
    here = {
        str(pk)
        for pk in JournalLine.objects.filter(pk__in=[line.body["id"] for line in told]).values_list(
            "pk", flat=True
        )
    }
    found: dict[str, Ending] = {}
    for line in told:
        name = line.body["id"]
        if name not in here:  # a line that was owed may stand there twice
            found.setdefault(name, Ending.of(line, done=name in done))
    return list(found.values())


def missing_from_file() -> int | None:
    """The first line this database saw written that the file does not have; None when all are.

    Raises Damaged.
    """
    end = 0
    for line in file().lines():
        end = line.number
    return (
        JournalLine.objects.filter(number__gt=end)
        .order_by("number")
        .values_list("number", flat=True)
        .first()
    )


def settle(ending: Ending) -> None:
    """Note that an ending has taken effect in this database."""
    JournalLine(
        id=ending.id,
        number=ending.number,
        kind=ending.kind,
        facts=dict(ending.facts),
        at=ending.at,
    ).save(force_insert=True)


def _body(row: JournalLine) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "kind": row.kind,
        "facts": row.facts,
        "at": row.at.isoformat(timespec="microseconds"),
    }


def _done(pk: UUID) -> None:
    try:
        file().append({DONE: str(pk)}, sync=False)
    except (Unwritable, Damaged) as error:
        log.warning("journal.unmarked", entry=pk, reason=type(error).__name__)
