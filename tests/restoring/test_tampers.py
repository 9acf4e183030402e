"""What somebody with the whole database can do to the ledgers, and with the files beside it.

Each is done with the triggers off, as a superuser can, to entries that verified a moment before;
and each is found and named: the chain, and the first number that is not as it was written.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django import Settings

from handoff.core import anchors, audit, journal
from handoff.core.actors import SYSTEM
from handoff.core.audit import AuditEntry
from handoff.core.ledger import GENESIS
from referrals import sealing
from referrals.models import DischargeNote
from tests.referrals.scenes import Therapy

pytestmark = pytest.mark.django_db
OLD, ALL = 5, 8
"""Entries at the first anchor, and at the second."""


def run(sql: str, *, replica: bool = True) -> None:
    with connection.cursor() as cursor:
        if replica:
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        if replica:
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def write(count: int) -> None:
    first = AuditEntry.objects.count()
    for number in range(first, first + count):
        with transaction.atomic():
            audit.record(SYSTEM, f"ground.step_{number}", AuditEntry(number=number))


def anchored() -> None:
    anchors.anchor()


def verify(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code of the command, and what it complains of."""
    capsys.readouterr()
    code = 0
    try:
        call_command("verify_ledger")
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return code, capsys.readouterr().err


@pytest.fixture(autouse=True)
def eight_entries(settings: Settings, tmp_path: Path) -> None:
    settings.ANCHOR_FILE = str(tmp_path / "anchors")
    settings.REVOCATION_JOURNAL = str(tmp_path / "journal")
    write(OLD)
    anchored()
    write(ALL - OLD)
    with transaction.atomic():
        journal.write("user.ended", {"id": "0"})
        journal.write("user.ended", {"id": "1"})
    anchored()


def rows() -> list[AuditEntry]:
    return list(AuditEntry.objects.order_by("number"))


def store(entries: list[AuditEntry]) -> None:
    """Put these in place of what is there, head included."""
    run("DELETE FROM core_auditentry")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        AuditEntry.objects.bulk_create(entries)
        cursor.execute(
            "UPDATE core_ledgerhead SET number = %s, hash = %s WHERE chain = 'audit'",
            [entries[-1].number, entries[-1].hash] if entries else [0, GENESIS],
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def chained_anew(entries: list[AuditEntry], digest: Callable[[AuditEntry], str]) -> None:
    previous = GENESIS
    for number, entry in enumerate(entries, start=1):
        entry.number, entry.prev_hash = number, previous
        entry.hash = previous = digest(entry)
    store(entries)


# --- the twenty -----------------------------------------------------------------------------------


def edit_content() -> None:
    run("UPDATE core_auditentry SET verb = 'other' WHERE number = 3")


def edit_hash() -> None:
    run("UPDATE core_auditentry SET hash = repeat('a', 64) WHERE number = 4")


def delete_middle() -> None:
    run("DELETE FROM core_auditentry WHERE number = 4")


def delete_tail() -> None:
    run("DELETE FROM core_auditentry WHERE number > 6")


def reorder() -> None:
    run("UPDATE core_auditentry SET number = 99 WHERE number = 2")
    run("UPDATE core_auditentry SET number = 2 WHERE number = 3")
    run("UPDATE core_auditentry SET number = 3 WHERE number = 99")


def insert() -> None:
    run("UPDATE core_auditentry SET number = number + 100 WHERE number > 4")
    run("UPDATE core_auditentry SET number = number - 99 WHERE number > 100")
    run(
        "INSERT INTO core_auditentry SELECT 5, at, hash, repeat('b', 64), actor_id, actor_roles,"
        " 'slipped.in', object_type, object_id, channel, request_id, facts"
        " FROM (SELECT * FROM core_auditentry WHERE number = 4) four",
    )
    run("UPDATE core_ledgerhead SET number = 9 WHERE chain = 'audit'")


def backdate() -> None:
    run("UPDATE core_auditentry SET at = at - interval '1 day' WHERE number = 2")


def truncate() -> None:
    run("ALTER TABLE core_auditentry DISABLE TRIGGER no_truncate", replica=False)
    run("TRUNCATE core_auditentry")


def truncate_with_head() -> None:
    truncate()
    run("DELETE FROM core_ledgerhead WHERE chain = 'audit'")


def rewind_head() -> None:
    run("DELETE FROM core_auditentry WHERE number > 6")
    run(
        "UPDATE core_ledgerhead SET number = 6, hash ="
        " (SELECT hash FROM core_auditentry WHERE number = 6) WHERE chain = 'audit'"
    )


def disable_trigger_then_edit() -> None:
    run("ALTER TABLE core_auditentry DISABLE TRIGGER ALL", replica=False)
    run("UPDATE core_auditentry SET verb = 'other' WHERE number = 7", replica=False)
    run("ALTER TABLE core_auditentry ENABLE TRIGGER ALL", replica=False)


def swap_payloads() -> None:
    run(
        "UPDATE core_auditentry a SET verb = b.verb FROM core_auditentry b"
        " WHERE (a.number, b.number) IN ((2, 6), (6, 2))"
    )


def drop_and_recreate() -> None:
    run("CREATE TABLE copied (LIKE core_auditentry INCLUDING ALL)", replica=False)
    run("INSERT INTO copied SELECT * FROM core_auditentry WHERE number <> 5", replica=False)
    run("DROP TABLE core_auditentry", replica=False)
    run("ALTER TABLE copied RENAME TO core_auditentry", replica=False)


def change_algorithm() -> None:
    """A hash that needs no key: anybody could have made it."""
    chained_anew(rows(), lambda entry: hashlib.sha256(entry.verb.encode()).hexdigest())


def rechain_with_wrong_key(settings: Settings) -> None:
    right = settings.LEDGER_KEY
    entries = rows()
    entries[2].verb = "other"
    settings.LEDGER_KEY = "another key that is long enough to be taken for one, is it not"
    chained_anew(entries, lambda entry: entry.digest())
    settings.LEDGER_KEY = right


def replace_chain_with_right_key() -> None:
    """The key was stolen too. The anchors still know what stood there."""
    entries = rows()
    entries[2].verb = "other"
    chained_anew(entries, lambda entry: entry.digest())


def edit_anchor_file() -> None:
    path = anchors.file().path
    first, second = path.read_text().splitlines()
    body = json.loads(first)
    body["heads"]["audit"][0] = 4
    path.write_text(f"{json.dumps(body)}\n{second}\n")


def forge_anchor_file() -> None:
    """Edited, and keyed anew with a key of one's own."""
    path = anchors.file().path
    first, second = path.read_text().splitlines()
    body = json.loads(second)
    body["heads"]["audit"][0] = 4
    del body["mac"]
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    body["mac"] = hmac.new(b"mine", text.encode(), hashlib.sha256).hexdigest()
    path.write_text(f"{first}\n{json.dumps(body)}\n")


def cut_anchor_file() -> None:
    path = anchors.file().path
    path.write_text(path.read_text().splitlines()[0] + "\n")


def delete_anchor_file() -> None:
    anchors.file().path.unlink()


def cut_journal() -> None:
    path = journal.file().path
    path.write_text(path.read_text().splitlines()[0] + "\n")


def edit_journal() -> None:
    path = journal.file().path
    path.write_text(path.read_text().replace('"id":"1"', '"id":"2"'))


def delete_journal() -> None:
    journal.file().path.unlink()


TAMPERS: list[tuple[Callable[..., None], str, int]] = [
    (edit_content, "audit", 3),
    (edit_hash, "audit", 4),
    (delete_middle, "audit", 4),
    (delete_tail, "audit", 7),
    (reorder, "audit", 2),
    (insert, "audit", 5),
    (backdate, "audit", 2),
    (truncate, "audit", 1),
    (truncate_with_head, "audit", 1),
    (rewind_head, "audit", 7),
    (disable_trigger_then_edit, "audit", 7),
    (swap_payloads, "audit", 2),
    (drop_and_recreate, "audit", 5),
    (change_algorithm, "audit", 1),
    (rechain_with_wrong_key, "audit", 1),
    (replace_chain_with_right_key, "audit", OLD),
    (edit_anchor_file, "anchors", 1),
    (forge_anchor_file, "anchors", 2),
    (cut_anchor_file, "anchors", 2),
    (delete_anchor_file, "anchors", 1),
    (cut_journal, "journal", 2),
    (edit_journal, "journal", 2),
    (delete_journal, "journal", 1),
]


@pytest.mark.parametrize(
    ("tamper", "chain", "number"), TAMPERS, ids=lambda each: getattr(each, "__name__", str(each))
)
def test_each_is_found_and_named(
    tamper: Callable[..., None],
    chain: str,
    number: int,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert verify(capsys) == (0, ""), "the control: untouched, everything verifies"
    with transaction.atomic():
        if "settings" in tamper.__annotations__:
            tamper(settings)
        else:
            tamper()
        code, complaint = verify(capsys)
    assert code == 1
    assert complaint.startswith(f"{chain} #{number}: ")
    assert len(complaint.splitlines()) == 1, "nothing else is accused"


def test_an_older_database_in_its_place_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    point = transaction.savepoint()
    write(3)
    anchored()
    assert verify(capsys) == (0, "")
    transaction.savepoint_rollback(point)  # as a copy of the disk from before would have it
    code, complaint = verify(capsys)
    assert code == 1
    assert f"audit #{ALL + 1}: entry is missing" in complaint
    assert anchors.is_behind()


@pytest.mark.parametrize("with_hash", [False, True])
def test_a_signed_note_changed_past_its_ledger_is_found(
    with_hash: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when its fingerprint, which needs no key, is worked out anew."""
    note = Therapy().signed()
    number = AuditEntry.objects.get(verb="note.signed").number
    assert verify(capsys) == (0, "")
    run(f"UPDATE referrals_dischargenote SET course = 'other' WHERE id = '{note.pk}'")  # noqa: S608
    if with_hash:
        changed = DischargeNote.objects.select_related("episode").get(pk=note.pk)
        digest = sealing.fingerprint(sealing.covered(changed))
        run(f"UPDATE referrals_dischargenote SET content_hash = '{digest}' WHERE id = '{note.pk}'")  # noqa: S608
    code, complaint = verify(capsys)
    assert code == 1
    assert complaint == f"audit #{number}: note {note.pk} is not as it was signed\n"
