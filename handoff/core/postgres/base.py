"""The engine: before a statement that names a guarded table, the transaction declares its subjects.

Set with the semantics of SET LOCAL only: what a pooled connection carried to the next request would
be somebody else's right to see. Outside a transaction each such statement gets one of its own.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.backends.postgresql import base

from handoff.core import subjects
from handoff.core.subjects import NOBODY, Declared

_DECLARE = "SELECT set_config('handoff.clients', %s, true), set_config('handoff.account', %s, true)"


class DatabaseWrapper(base.DatabaseWrapper):
    """Knows what its transaction has declared, and forgets it when the transaction ends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._declared: Declared | None = NOBODY  # None: not known, after a rollback to a savepoint
        self.execute_wrappers.append(self._with_subjects)

    def _with_subjects(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        wanted = subjects.declared()
        if not subjects.names_guarded(sql if isinstance(sql, str) else repr(sql)):
            return execute(sql, params, many, context)
        if self.in_atomic_block:
            self.declare_subjects()
            return execute(sql, params, many, context)
        if wanted == NOBODY:
            return execute(sql, params, many, context)
        with transaction.atomic(using=self.alias):
            self._declare(wanted)
            return execute(sql, params, many, context)

    def declare_subjects(self) -> None:
        """Set what is declared on the open transaction, unless it is."""
        wanted = subjects.declared()
        if self._declared != wanted:
            self._declare(wanted)

    def _declare(self, wanted: Declared) -> None:
        """Past Django's own cursor: this belongs to the transaction, like its BEGIN."""
        with self.wrap_database_errors:
            self.connection.execute(_DECLARE, wanted.settings())
        self._declared = wanted

    # --- where a setting with SET LOCAL semantics ends ------------------------------------------

    def _commit(self) -> None:
        self._declared = NOBODY
        super()._commit()  # type: ignore[misc]  # not in the stubs

    def _rollback(self) -> None:
        self._declared = NOBODY
        super()._rollback()  # type: ignore[misc]  # not in the stubs

    def _close(self) -> None:
        self._declared = NOBODY
        super()._close()  # type: ignore[misc]  # not in the stubs

    def _savepoint_rollback(self, sid: str) -> None:
        self._declared = None
        super()._savepoint_rollback(sid)  # type: ignore[misc]  # not in the stubs
