"""Append-only, hash-chained entries: the mechanism under the consent, access and audit ledgers.

The tables refuse UPDATE, DELETE and TRUNCATE by trigger, and take an INSERT only where it follows
the head, which nothing but that trigger moves (`handoff.core.immutable`). An entry is numbered and
chained while its chain's head row is locked, so numbers have no gaps and two writers never share
one. Its hash is keyed with `settings.LEDGER_KEY`, which the database does not hold: whoever can
write rows still cannot forge a chain that verifies.

The head lock is also the meeting point of disclosure and withdrawal: both take the head of the
access chain, so every disclosure has a number either before or after a withdrawal, never beside it.
A withdrawal takes it by a trigger, while it commits (`clients/migrations/0004_wait_for_looks.py`).
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import connection, models, transaction
from django.db.transaction import TransactionManagementError

from handoff.core.sensitivity import classify

GENESIS = "0" * 64
BATCH = 2000


class LedgerHead(models.Model):
    """The newest number and hash of each chain. Locked while an entry is written."""

    chain = models.CharField(max_length=20, primary_key=True)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)

    class Meta:
        app_label = "core"

    def __str__(self) -> str:
        return f"{self.chain} #{self.number}"


classify(LedgerHead, public=("chain", "number", "hash"))


class ChainedEntry(models.Model):
    """Base of every ledger row. Rows are written by `append` and by nothing else."""

    CHAIN: ClassVar[str]
    """Name of the chain the concrete class belongs to."""
    ADDED: ClassVar[frozenset[str]] = frozenset()
    """Columns that came once entries existed. While such a column is empty or false the hash
    leaves it out, so that entries from before it go on verifying; setting or emptying it later
    changes the hash all the same."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        abstract = True

    def append(self, *, at: datetime | None = None, head: LedgerHead | None = None) -> Self:
        """Number, chain and insert this entry; must run inside a transaction.

        `at` defaults to the database's clock, which is the same for all workers. `head` is the
        head of the chain for who holds its lock already. Raises django.db.DatabaseError when the
        row cannot be written; callers let that pass, because what is not recorded must not happen.
        """
        head = head or lock(self.CHAIN)
        self.number = head.number + 1
        self.at = at or database_now()
        self.prev_hash = head.hash
        self.hash = self.digest()
        self.save(force_insert=True)
        return self

    def digest(self) -> str:
        """The keyed hash over every stored field of this entry but the hash itself."""
        content = {
            field.attname: _canonical(getattr(self, field.attname))
            for field in self._meta.concrete_fields
            if field.attname != "hash"
            and (field.attname not in self.ADDED or getattr(self, field.attname))
        }
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        key: str = settings.LEDGER_KEY
        return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def lock(chain: str) -> LedgerHead:
    """Lock the head of `chain` until the transaction ends; creates it when the chain is new.

    By a function of the database's: the product's roles may not write to heads, and so cannot
    lock them by themselves. Order when several are needed: consent, audit, access; the last
    because a change of consent takes it while it commits. Raises TransactionManagementError
    outside a transaction.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("a head is locked inside a transaction")
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, hash FROM handoff_lock_head(%s)", [chain])
        number, digest = cursor.fetchone()
    return LedgerHead(chain=chain, number=number, hash=digest)


def database_now() -> datetime:
    """The database's clock at this very moment (not the start of the transaction)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    moment: datetime = row[0]
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first entry of a chain that does not verify, and in which way."""

    chain: str
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.chain} #{self.number}: {self.what}"


def verify(model: type[ChainedEntry]) -> Flaw | None:
    """Walk one chain from its start; answers its first flaw, or None when all of it verifies.

    Reads with a repeatable snapshot of head and entries, so that writers do not disturb it.
    """
    with transaction.atomic():
        head = LedgerHead.objects.filter(chain=model.CHAIN).first()
        end = head.number if head else 0
        expected, previous = 1, GENESIS
        for entry in _entries(model):
            if head is not None and entry.number > end:
                break  # written while we were reading
            if entry.number != expected:
                return Flaw(model.CHAIN, expected, "entry is missing")
            if entry.prev_hash != previous:
                return Flaw(model.CHAIN, entry.number, "does not follow the entry before it")
            if not hmac.compare_digest(entry.hash, entry.digest()):
                return Flaw(model.CHAIN, entry.number, "content does not match its hash")
            expected, previous = entry.number + 1, entry.hash
        if expected - 1 != end:
            return Flaw(model.CHAIN, expected, "entries at the end are missing")
        if head is not None and previous != head.hash:
            return Flaw(model.CHAIN, end, "the head does not match the last entry")
    return None


def _entries(model: type[ChainedEntry]) -> Iterator[Any]:
    return model._default_manager.order_by("number").iterator(chunk_size=BATCH)


def _canonical(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _canonical(item) for key, item in value.items()}
    return str(value)
