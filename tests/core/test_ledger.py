"""The chains: numbered without gaps, kept as written, and a change is found and named."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.transaction import TransactionManagementError

from handoff.core import audit, ledger
from handoff.core.actors import SYSTEM
from handoff.core.audit import AuditEntry
from handoff.core.ledger import LedgerHead, verify
from tests.factories import PracticeFactory

pytestmark = pytest.mark.django_db


def write(count: int) -> None:
    practice = PracticeFactory.create()
    for number in range(count):
        audit.record(SYSTEM, f"practice.step_{number}", practice, facts={"step": number})


def tamper(sql: str) -> None:
    """As a superuser with the triggers off: what somebody with the whole database could do."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def test_append_numbers_without_gaps_and_verifies() -> None:
    write(5)
    assert list(AuditEntry.objects.order_by("number").values_list("number", flat=True)) == [
        *range(1, 6)
    ]
    assert verify(AuditEntry) is None
    assert LedgerHead.objects.get(chain="audit").number == 5


def test_an_empty_chain_verifies() -> None:
    assert verify(AuditEntry) is None


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE core_auditentry SET verb = 'x'",
        "DELETE FROM core_auditentry",
        "TRUNCATE core_auditentry",
    ],
)
def test_the_database_refuses_to_change_an_entry(sql: str) -> None:
    write(1)
    with (
        pytest.raises(DatabaseError, match="refused"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert AuditEntry.objects.get().verb == "practice.step_0"


@pytest.mark.parametrize(
    ("sql", "number", "what"),
    [
        ("UPDATE core_auditentry SET verb = 'other' WHERE number = 3", 3, "content"),
        ("UPDATE core_auditentry SET at = at - interval '1 day' WHERE number = 2", 2, "content"),
        ("UPDATE core_auditentry SET facts = '{}' WHERE number = 4", 4, "content"),
        ("DELETE FROM core_auditentry WHERE number = 3", 3, "missing"),
        ("DELETE FROM core_auditentry WHERE number = 5", 5, "missing"),
        (
            "UPDATE core_auditentry SET prev_hash = repeat('a', 64) WHERE number = 2",
            2,
            "does not follow",
        ),
        ("UPDATE core_ledgerhead SET hash = repeat('a', 64)", 5, "head"),
        ("UPDATE core_ledgerhead SET number = 9", 6, "missing"),
    ],
)
def test_verify_names_the_first_bad_entry(sql: str, number: int, what: str) -> None:
    write(5)
    tamper(sql)
    flaw = verify(AuditEntry)
    assert flaw is not None
    assert flaw.number == number
    assert what in flaw.what


def test_entries_do_not_verify_under_another_key(settings: Any) -> None:
    write(1)
    settings.LEDGER_KEY = "another key that is long enough to be taken for one, is it not"
    flaw = verify(AuditEntry)
    assert flaw is not None
    assert flaw.number == 1


def test_command_says_what_it_saw(capsys: pytest.CaptureFixture[str]) -> None:
    write(2)
    call_command("verify_ledger")
    assert "audit: 2 entries verify" in capsys.readouterr().out


def test_command_fails_and_names_the_entry(capsys: pytest.CaptureFixture[str]) -> None:
    write(3)
    tamper("UPDATE core_auditentry SET verb = 'other' WHERE number = 2")
    with pytest.raises(SystemExit) as stopped:
        call_command("verify_ledger")
    assert stopped.value.code == 1
    assert "audit #2" in capsys.readouterr().err


@pytest.mark.django_db(transaction=True)
def test_locking_a_head_needs_a_transaction() -> None:
    with pytest.raises(TransactionManagementError):
        ledger.lock("audit")
