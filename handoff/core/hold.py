"""Hold: nothing is shown, nothing is sent and nobody but admins comes in.

A restored database brings back consents that were withdrawn since its backup, and reminders that
were sent since. Until the revocation journal has been replayed and an operator has released it,
the house stands still. Why it does is asked of the database each time, never remembered: a trigger
under the access ledger asks the same function, so that no look can be entered either.
"""

from typing import Any, Final

import structlog
from django.db import connection, transaction

from handoff.core import anchors, journal
from handoff.core.custody import Custody
from handoff.core.ledger import LedgerHead, database_now
from handoff.core.lines import Damaged, Unwritable

log = structlog.get_logger(__name__)

Hold = Custody.Hold
MESSAGE: Final = (
    "This site is being restored from a backup. Nothing is shown and nothing is sent until that is"
    " done."
)


class OnHold(Exception):
    """What was asked for has to wait until the hold is released."""

    def __init__(self) -> None:
        super().__init__(MESSAGE)


def reason() -> str:
    """Why the house is held, by the database's own word; empty when it is not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT handoff_hold()")
        row = cursor.fetchone()
    found: str = row[0]
    return found


def is_held() -> bool:
    return reason() != Hold.NONE


def fingerprint() -> str:
    """Which database this is: a dump that is put back anywhere has another one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT handoff_fingerprint()")
        row = cursor.fetchone()
    found: str = row[0]
    return found


def take_custody() -> None:
    """Make the row of a database that has none: a new one, or one whose row was removed.

    Where there are ledgers already, the missing row is a reason to hold.
    """
    if Custody.objects.exists():
        return
    known = LedgerHead.objects.filter(number__gt=0).exists()
    Custody.objects.create(
        fingerprint=fingerprint(),
        hold=Hold.MISSING if known else Hold.NONE,
        held_since=database_now() if known else None,
    )


def take_custody_after_migrate(**_: Any) -> None:
    """For every new database, and for one whose tables a test has emptied."""
    if Custody._meta.db_table in connection.introspection.table_names():
        take_custody()


def put(why: Custody.Hold) -> None:
    """Hold the house from now on; a hold that stands already keeps its beginning."""
    with transaction.atomic():
        custody = Custody.objects.select_for_update().first()
        if custody is None:
            custody = Custody(fingerprint=fingerprint())
        if custody.hold == why:
            return
        custody.hold = why
        custody.held_since = database_now()
        custody.backed_up_heads = {
            chain: number for chain, (number, _) in anchors.current_heads().items()
        }
        custody.replayed_at = custody.replayed_line = None
        custody.journal_was_lost = False
        custody.save()
    log.error("hold.put", reason=str(why))


def look() -> str:
    """Compare the database with the files outside it; answers why the house is held, or "".

    For start-up and each tick. A hold that the database shows by itself is written down, with the
    heads as they are now; one that only the files can show is put here.
    """
    found = reason()
    if found:
        custody = Custody.objects.first()
        if custody is None or custody.hold == Hold.NONE:
            put(Hold.MISSING if found == Hold.MISSING else Hold.RESTORED)
        return found
    try:
        behind = anchors.is_behind() or any(each.done for each in journal.unknown())
    except (Damaged, Unwritable) as error:
        # Damage alone proves no restore. Whoever verifies is told, and so is the log.
        log.error("custody.damaged", reason=type(error).__name__)
        return ""
    if behind:
        put(Hold.BEHIND)
        return Hold.BEHIND
    return ""
