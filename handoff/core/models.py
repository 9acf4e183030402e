"""Registers the kernel's tables with Django."""

from handoff.core.attempts import Attempts
from handoff.core.audit import AuditEntry
from handoff.core.custody import Custody, JournalLine
from handoff.core.files.storing import StoredFile
from handoff.core.idempotency import IdempotentRequest
from handoff.core.ledger import LedgerHead
from handoff.core.tokens import ApiToken

__all__ = [
    "ApiToken",
    "Attempts",
    "AuditEntry",
    "Custody",
    "IdempotentRequest",
    "JournalLine",
    "LedgerHead",
    "StoredFile",
]
