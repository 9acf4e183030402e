"""After a restore: what was withdrawn stays withdrawn, what was sent is not sent again.

The database that came back knows nothing of what happened since its backup. The revocation journal
does; `replay` brings its endings about once more and takes everything that was due out of the post.
`tend` is the same care in small, at each tick.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import DatabaseError, transaction
from django.utils import timezone

from clients import consent as consents
from clients import endings
from clients.models import Consent
from handoff.core import anchors, audit, hold, journal, subjects
from handoff.core.actors import SYSTEM, Channel
from handoff.core.custody import Custody, JournalLine
from handoff.core.errors import DomainError
from handoff.core.journal import IN_DOUBT, Ending
from handoff.core.ledger import ChainedEntry, Flaw, database_now, verify
from handoff.core.lines import Damaged, Unwritable
from handoff.core.tokens import ApiToken
from referrals import lifecycle, reminders, whose
from referrals.rights import erasure

log = structlog.get_logger(__name__)

Facts = Mapping[str, Any]
Again = Callable[[Facts, str, datetime], str]


class Refused(Exception):
    """The house stays as it is; the message says why, for whoever runs the command."""


def _consent(facts: Facts, kind: str, at: datetime) -> str:
    with subjects.among(whose.clients_behind(consents=[UUID(facts["consent"])])):
        done = consents.end_again(facts, kind, at=at)
        consent = Consent.objects.filter(pk=facts["consent"]).first()
        if consent is not None:
            reminders.consent_changed(consent, at=at)
    return done


def _referral(facts: Facts, _kind: str, at: datetime) -> str:
    with subjects.among(whose.clients_behind(referrals=[UUID(facts["referral"])])):
        return lifecycle.end_again(facts, at=at)


def _person(facts: Facts, kind: str, at: datetime) -> str:
    return endings.end_again(facts, kind, at=at)


def _erasure(facts: Facts, kind: str, at: datetime) -> str:
    try:
        return erasure.again(facts, kind, at=at)
    except (DomainError, DatabaseError) as error:
        reason = f"{kind} of client {facts['client']} cannot be done: {type(error).__name__}"
        raise Refused(reason) from error


AGAIN: Final[dict[str, Again]] = {
    "consent.revoked": _consent,
    "consent.narrowed": _consent,
    "consent.superseded": _consent,
    "consent.ended": _consent,
    "referral.ended": _referral,
    **dict.fromkeys(endings.BY_KIND, _person),
    **dict.fromkeys(erasure.KINDS, _erasure),
}
"""How each kind of line is brought about once more. A kind without an entry keeps the hold."""


def bring_about(ending: Ending, *, at: datetime) -> str:
    """One ending, in this database, once; what was done. Raises Refused for an unknown kind."""
    again = AGAIN.get(ending.kind)
    if again is None:
        raise Refused(f"journal #{ending.number}: nobody knows how to do {ending.kind!r} again")
    with transaction.atomic():
        if JournalLine.objects.filter(pk=ending.id).exists():
            return "known"
        done = again(ending.facts, ending.kind, at)
        journal.settle(ending)
    return done


# --- at each tick ---------------------------------------------------------------------------------


def tend() -> str:
    """Look after the files outside the database; answers why the house is held, or "".

    A line that was never committed, in a database that is where it should be, belongs to a request
    that failed on its way: the client has said so, and so it is done now.
    """
    held = hold.look()
    if held:
        return held
    try:
        if paid := journal.pay():
            log.info("journal.paid", count=paid)
        now = database_now()
        for ending in journal.unknown():
            if timezone.now() - ending.at > IN_DOUBT and not ending.done:
                _complete(ending, at=now)
        anchors.anchor_when_due()
    except (Damaged, Unwritable) as error:
        log.error("custody.failed", reason=type(error).__name__)
    return ""


def _complete(ending: Ending, *, at: datetime) -> None:
    """One that cannot be done is tried again at each tick, and keeps no other from being done."""
    try:
        done = bring_about(ending, at=at)
    except Refused as error:
        log.error(
            "journal.incomplete",
            kind=ending.kind,
            number=ending.number,
            reason=type(error.__cause__ or error).__name__,
        )
    else:
        log.warning("journal.completed", kind=ending.kind, number=ending.number, state=done)


# --- replay ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the replay did."""

    endings: tuple[tuple[Ending, str], ...]
    reminders: int
    sessions: int
    tokens: int
    lost: int = 0


def replay(*, journal_is_lost: bool = False) -> Replayed:
    """Everything the journal tells that this database does not know of; safe to repeat.

    `journal_is_lost`: there is no journal any more, so nobody knows what was withdrawn: whatever is
    shared ends, and a new journal begins with what the database knows. Raises Refused, Damaged or
    Unwritable; the hold stands then.
    """
    if not hold.look():
        raise Refused("nothing is held: there is nothing to replay")
    ended = 0
    if journal_is_lost:
        if journal.file().newest() is not None:
            raise Refused("there is a journal: replay that one, or move it out of the way first")
        with transaction.atomic():
            JournalLine.objects.update(number=None)
            ended = consents.end_all(at=database_now())
        journal.pay()
    else:
        _require_whole_journal()
    done = tuple(
        (ending, bring_about(ending, at=database_now())) for ending in list(journal.unknown())
    )
    with transaction.atomic():
        custody = Custody.objects.select_for_update().get()
        now = database_now()
        stopped = reminders.stop_due(at=now)
        sessions, _ = Session.objects.all().delete()
        UserSession.objects.all().delete()
        tokens = ApiToken.objects.filter(revoked_at=None).update(revoked_at=now)
        custody.replayed_at = now
        custody.replayed_line = _end_of_journal()
        custody.journal_was_lost = journal_is_lost
        custody.save(update_fields=["replayed_at", "replayed_line", "journal_was_lost"])
        facts = {"endings": len(done), "reminders": stopped, "lost": ended}
        audit.record(SYSTEM.through(Channel.COMMAND), "journal.replayed", custody, facts=facts)
    return Replayed(done, stopped, sessions, tokens, ended)


def _require_whole_journal() -> None:
    record = anchors.read()
    flaw = anchors.flaw_of_journal(record)
    if flaw is not None:
        raise Refused(str(flaw))


def _end_of_journal() -> int:
    newest = journal.file().newest()
    return newest.number if newest else 0


# --- release --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Released:
    """Which entries of each chain were anchored and did not come back: (first, last)."""

    lost: Mapping[str, tuple[int, int]]


def release(chains: tuple[type[ChainedEntry], ...], *, anchors_are_lost: bool = False) -> Released:
    """End the hold. Raises Refused, Damaged or Unwritable, and then the hold stands.

    Only after a replay, with nothing new in the journal since, with ledgers that verify and that
    begin as the anchors say. What was anchored beyond the backup is lost, and said to be.
    """
    if not hold.look():
        raise Refused("nothing is held")
    custody = Custody.objects.get()
    if custody.replayed_at is None:
        raise Refused("the journal was not replayed yet: python manage.py replay_journal")
    if not custody.journal_was_lost:  # then it is new, and the anchors knew the old one
        _require_whole_journal()
    if journal.unknown():
        raise Refused("the journal tells of more: python manage.py replay_journal")
    if anchors_are_lost:
        if anchors.file().newest() is not None:
            raise Refused("there are anchors: move the file out of the way first")
        with transaction.atomic():
            Custody.objects.update(anchor_number=0, anchor_mac="")
    record = anchors.read()
    problem: Flaw | None = anchors.flaw_of_file(record)
    lost: dict[str, tuple[int, int]] = {}
    for model in chains:
        end = int(custody.backed_up_heads.get(model.CHAIN, 0))
        anchored = record.of(model.CHAIN)
        problem = problem or verify(model)
        problem = problem or anchors.flaw_of_chain(model, anchored, until=end)
        if anchored.newest > end:
            lost[model.CHAIN] = (end + 1, anchored.newest)
    if problem is not None:
        raise Refused(str(problem))
    with transaction.atomic():
        custody = Custody.objects.select_for_update().get()
        facts = {chain: f"{first}-{last}" for chain, (first, last) in lost.items()}
        audit.record(SYSTEM.through(Channel.COMMAND), "hold.released", custody, facts=facts)
        custody.hold, custody.held_since = Custody.Hold.NONE, None
        custody.journal_was_lost = False
        custody.fingerprint = hold.fingerprint()
        custody.save(update_fields=["hold", "held_since", "journal_was_lost", "fingerprint"])
    anchors.anchor(
        fork={model.CHAIN: int(custody.backed_up_heads.get(model.CHAIN, 0)) for model in chains}
    )
    return Released(lost)
