"""Readers in processes of their own, and one who stops and starts sharing meanwhile.

Threads would share one interpreter lock and measure that; workers of a server are processes.

The database is the witness. A deferred trigger of the test's own notes, in the commit of every
change of consent and after the product's trigger, which number the newest look has. So it sees the
order that was, takes no lock, and keeps nobody from slipping in.
"""

import multiprocessing
import os
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing.connection import Connection
from statistics import mean, quantiles
from typing import Any
from uuid import UUID

import django
from django.apps import apps

if not apps.ready:  # in the process that readers are forked from
    django.setup()

from django.db import connection, transaction

from clients.models import AccessEntry, ConsentEvent, User
from clients.scopes import Scope
from handoff.core import ledger
from handoff.core.actors import Actor
from handoff.core.errors import NotVisible
from referrals import disclosure, grounds, particulars
from referrals.packets import Withheld
from referrals.permits import permit
from tests.factories import NOON, acting

READERS = 8
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload([__name__])


@dataclass(frozen=True, slots=True)
class Target:
    """What there is to read, by id: readers live in other processes."""

    reader_id: UUID
    client_id: UUID
    pt_id: UUID
    note_id: UUID
    episode_id: UUID
    restriction_id: UUID
    referral_id: UUID


Door = Callable[[Actor, Target], bool]
"""One look through one door; answers whether it came back with content."""


def record(actor: Actor, target: Target) -> bool:
    packet = disclosure.disclose(actor=actor, client_id=target.client_id, purpose="record", at=NOON)
    return bool(packet.shown)


def limits(actor: Actor, target: Target) -> bool:
    packet = disclosure.disclose(
        actor=actor,
        client_id=target.client_id,
        purpose="restrictions",
        only=Scope.RESTRICTIONS,
        at=NOON,
    )
    return not isinstance(packet.restrictions, Withheld)


def note(actor: Actor, target: Target) -> bool:
    return _found(lambda: particulars.note(actor=actor, note_id=target.note_id, at=NOON))


def episode(actor: Actor, target: Target) -> bool:
    return _found(lambda: particulars.episode(actor=actor, episode_id=target.episode_id, at=NOON))


def restriction(actor: Actor, target: Target) -> bool:
    pk = target.restriction_id
    return _found(lambda: particulars.restriction(actor=actor, restriction_id=pk, at=NOON))


def thread(actor: Actor, target: Target) -> bool:
    return bool(disclosure.thread(actor=actor, referral_id=target.referral_id, at=NOON))


def goal(actor: Actor, target: Target) -> bool:
    return bool(disclosure.goal_of(actor=actor, referral_id=target.referral_id, at=NOON))


def unlocked(actor: Actor, target: Target) -> bool:
    """Naive: check, then read, then write it down. Right for one person at a time."""
    allowed = permit(grounds.read(actor, target.client_id, NOON).grounds)
    if not allowed.covers(Scope.RESTRICTIONS):
        return False
    with transaction.atomic():
        AccessEntry(
            client_id=target.client_id,
            actor_id=actor.user_id,
            actor_role="trainer",
            action=AccessEntry.Action.READ,
            shown=[Scope.RESTRICTIONS],
            purpose="naive",
            channel=actor.channel,
        ).append(at=NOON)
    return True


DOORS: tuple[Door, ...] = (record, limits, note, episode, restriction, thread, goal)


def _found(read: Callable[[], object]) -> bool:
    try:
        return bool(read())
    except NotVisible:
        return False


# --- readers ------------------------------------------------------------------------------------


class Shared:
    """What all processes see."""

    def __init__(self) -> None:
        self.over = FORK.Event()
        self.stopped_at = FORK.Value("d", 0.0)
        """When the last withdrawal had returned; 0 while something may be shared."""
        self.full, self.empty = FORK.Value("q", 0), FORK.Value("q", 0)
        """Looks that came back with content, and without."""


def _read(database: str, doors: tuple[Door, ...], target: Target, shared: Shared) -> list[str]:
    """Look until it is over; the names of doors that opened though nothing was shared."""
    connection.settings_dict["NAME"] = database
    actor = acting(User.objects.get(pk=target.reader_id))
    late: list[str] = []
    for door in cycle(doors):
        if shared.over.is_set():
            return late
        stopped = shared.stopped_at.value
        found = door(actor, target)
        if found and stopped and stopped == shared.stopped_at.value:
            late.append(door.__name__)
        count = shared.full if found else shared.empty
        with count.get_lock():
            count.value += 1
    return late


def _process(
    answer: Connection, database: str, doors: tuple[Door, ...], target: Target, shared: Shared
) -> None:
    try:
        answer.send(_read(database, doors, target, shared))
    except BaseException as error:
        answer.send(repr(error))
        shared.over.set()
    finally:
        connection.close()


# --- the one who changes their mind -------------------------------------------------------------


@dataclass
class Hammer:
    """What happened, and what the ledgers say to it."""

    target: Target
    doors: tuple[Door, ...]
    agree: Callable[[], UUID]
    """Share again, under a new consent; answers its id."""
    stop: Callable[[UUID], object]
    shared: Shared = field(default_factory=Shared)
    waits: list[float] = field(default_factory=list)
    """How long each withdrawal took, in seconds."""
    commits: list[float] = field(default_factory=list)
    """How much of it was the commit, which waits for the looks that are being entered."""
    overtaken: list[int] = field(default_factory=list)
    """How many looks got a number during that wait."""
    came_late: list[str] = field(default_factory=list)
    """Doors that were tried after a withdrawal had returned, and opened."""
    seconds: float = 0.0

    def run(self, *, until: Callable[["Hammer"], bool]) -> None:
        """Let the readers loose; stop and start sharing until `until` says that it is enough."""
        name = connection.settings_dict["NAME"]
        ends, readers = [], []
        consent_id = self.agree()
        for place in range(READERS):
            here, there = FORK.Pipe(duplex=False)
            turned = self.doors[place % len(self.doors) :] + self.doors[: place % len(self.doors)]
            reader = FORK.Process(
                target=_process, args=(there, name, turned, self.target, self.shared), daemon=True
            )
            reader.start()
            there.close()
            ends.append(here)
            readers.append(reader)
        try:
            self._let(self.shared.full, READERS * 2, patience=120)
            began = time.monotonic()
            while not self.shared.over.is_set():
                self._stop(consent_id)
                self._let(self.shared.empty, READERS // 2)
                self.seconds = time.monotonic() - began
                if until(self):
                    break
                self.shared.stopped_at.value = 0.0
                consent_id = self.agree()
                self._let(self.shared.full, READERS // 2)
        finally:
            self.shared.over.set()
            answers = [end.recv() if end.poll(30) else "no answer" for end in ends]
            for reader in readers:
                reader.join(timeout=10)
        errors = [each for each in answers if isinstance(each, str)]
        assert not errors, errors
        self.came_late = [name for late in answers for name in late]

    def _let(self, looks: Any, enough: int, *, patience: float = 2) -> None:
        """Let some looks of a kind happen before the next change; not for ever."""
        wanted, end = looks.value + enough, time.monotonic() + patience
        while looks.value < wanted and time.monotonic() < end and not self.shared.over.is_set():
            time.sleep(0.001)

    def _stop(self, consent_id: UUID) -> None:
        began = time.monotonic()
        with transaction.atomic():
            self.stop(consent_id)
            before, committing = _newest_look(), time.monotonic()
        self.shared.stopped_at.value = time.monotonic()
        self.waits.append(self.shared.stopped_at.value - began)
        self.commits.append(self.shared.stopped_at.value - committing)
        self.overtaken.append(_edges()[-1][0] - before)

    def looks_after_stopping(self) -> list[int]:
        """Numbers of looks with content that the ledger has where nothing was shared."""
        edges = _edges()
        numbers = [number for number, _ in edges]
        rows = AccessEntry.objects.filter(
            actor_id=self.target.reader_id, number__gt=numbers[0]
        ).values_list("number", "shown", "purpose", "action")
        found = []
        for number, shown, purpose, action in rows.order_by("number"):
            _, shared = edges[bisect_left(numbers, number) - 1]
            has_content = bool(shown) or (
                purpose in ("messages", "referral") and action == AccessEntry.Action.READ
            )
            if has_content and not shared:
                found.append(number)
        return found

    def figures(self, name: str) -> str:
        """Some lines to read. How fast a machine is, is no test's matter."""
        load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
        return (
            f"\n{name}: {self.seconds:.1f} s, {self.shared.full.value} looks with content and"
            f" {self.shared.empty.value} without, {len(self.waits)} withdrawals, load {load}\n"
            f"  {len(self.looks_after_stopping())} looks numbered after their withdrawal,"
            f" {len(self.came_late)} begun after it and full\n"
            f"  a withdrawal, in ms:         {_spread(self.waits)}\n"
            f"  its wait for looks, in ms:   {_spread(self.commits)},"
            f" overtaken by {max(self.overtaken)} at most\n"
        )


def _spread(seconds: list[float]) -> str:
    ms = sorted(each * 1000 for each in seconds)
    cut = quantiles(ms, n=100, method="inclusive") if len(ms) > 1 else ms * 99
    return f"mean {mean(ms):.1f}, p50 {cut[49]:.1f}, p99 {cut[98]:.1f}, max {ms[-1]:.1f}"


@contextmanager
def witness() -> Iterator[None]:
    """Note in each commit that changes a consent which number the newest look has."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE TABLE hammer_witness (
                event bigint PRIMARY KEY, kind text NOT NULL, looks bigint NOT NULL
            );
            CREATE FUNCTION hammer_witness() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO hammer_witness SELECT NEW.number, NEW.kind, coalesce(
                    (SELECT number FROM core_ledgerhead WHERE chain = 'access'), 0);
                RETURN NULL;
            END $$;
            -- The last by its name, so that the product's has waited by then.
            CREATE CONSTRAINT TRIGGER zz_witness AFTER INSERT ON clients_consentevent
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hammer_witness();
            """
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                DROP TRIGGER zz_witness ON clients_consentevent;
                DROP FUNCTION hammer_witness();
                DROP TABLE hammer_witness;
                """
            )


def _edges() -> list[tuple[int, bool]]:
    """(number of the newest look, whether from here on something is shared), in order."""
    kinds = ConsentEvent.Kind
    with connection.cursor() as cursor:
        cursor.execute("SELECT looks, kind FROM hammer_witness ORDER BY event")
        return [
            (looks, kind in (kinds.GRANTED, kinds.NARROWED))
            for looks, kind in cursor.fetchall()
            if kind != kinds.REQUESTED
        ]


def _newest_look() -> int:
    head = ledger.LedgerHead.objects.filter(chain=AccessEntry.CHAIN).first()
    return head.number if head else 0
