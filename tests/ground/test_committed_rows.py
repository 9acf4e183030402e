"""After a test that commits, the tables are empty again: append-only ones and the cache too."""

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.utils import DatabaseError

from handoff.core import audit
from handoff.core.actors import SYSTEM
from handoff.core.audit import AuditEntry
from handoff.core.ledger import LedgerHead

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("turn", [1, 2])
def test_each_turn_starts_empty_and_leaves_rows_behind(turn: int) -> None:
    assert not AuditEntry.objects.exists()
    assert cache.get("counter") is None
    cache.set("counter", turn)
    with transaction.atomic():
        audit.record(SYSTEM, "ground.tested", LedgerHead(chain="audit"))
    assert AuditEntry.objects.count() == 1


def test_the_tables_do_refuse_otherwise() -> None:
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_auditentry CASCADE")
