"""Two windows, two guardians, one question. Real threads on a real PostgreSQL."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from clients import consent as consents
from clients.consent import ConsentState
from clients.guardians import majority_instant
from clients.models import AccessEntry, Client, Consent, ConsentEvent, Professional
from clients.scopes import Scope
from handoff.core import ledger
from handoff.core.errors import Stale
from handoff.core.ledger import verify
from referrals import sharing
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    GuardianshipFactory,
    acting,
    asked_consent,
    certified_trainer,
    granted_consent,
)
from tests.races.rounds import rounds
from tests.races.test_referral_races import together

pytestmark = pytest.mark.django_db(transaction=True)
Kind = ConsentEvent.Kind
WIDE = frozenset({Scope.CLEARANCE, Scope.RESTRICTIONS, Scope.NOTE})
SMALL = frozenset({Scope.CLEARANCE})
LAST_DAY = date(2027, 7, 1)


class Trio:
    """A client, the therapist who treats them, and a trainer."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or ClientFactory.create()
        self.pt: Professional = EpisodeFactory.create(client=self.client).pt
        self.trainer = certified_trainer()
        self.sides: dict[str, Any] = {
            "client": self.client,
            "discloser": self.pt,
            "recipient": self.trainer,
        }

    def asked(self) -> Consent:
        return asked_consent(**self.sides, classes=WIDE)

    def granted(self) -> Consent:
        return granted_consent(**self.sides, classes=WIDE)

    def act(self, verb: Callable[..., Any], consent: Consent, **named: Any) -> Callable[[], Any]:
        return partial(verb, actor=acting(self.client), consent_id=consent.pk, at=NOON, **named)

    def shared(self, at: datetime = NOON) -> frozenset[Scope]:
        live = consents.live(client_id=self.client.pk, at=at)
        return frozenset[Scope]().union(*(each.classes for each in live))


def kinds(consent: Consent) -> list[str]:
    return [each.kind for each in consent.events.order_by("number")]


def kept(results: list[Any]) -> int:
    """How many succeeded; every other one must have been told that it came too late."""
    assert all(isinstance(each, Consent | Stale) for each in results), results
    return sum(isinstance(each, Consent) for each in results)


class TestTheHarnessCanShowTheRace:
    """Positive controls: the same steps, checked before anything is locked, go wrong."""

    def naive(self, consent: Consent, barrier: threading.Barrier, **event: Any) -> bool:
        with transaction.atomic():
            before = consents.standing(consent, NOON).state
            barrier.wait(timeout=10)
            fields = {
                "authority": ConsentEvent.Authority.SELF,
                "by_id": consent.client.user_id,
                "valid_from": NOON,
                "expires_at": NOON + timedelta(days=9),
                "notice_version": consent.notice_version,
                "notice_hash": "",
                "channel": "page",
            }
            if event["kind"] == Kind.NARROWED:
                # However slow the other one is: the newest event rules.
                self.stopped.wait(timeout=10)
            ConsentEvent(consent=consent, **event, **fields).append(at=NOON)
        if event["kind"] == Kind.REVOKED:
            self.stopped.set()
        return before is ConsentState.ACTIVE

    def test_what_was_stopped_is_shared_again_by_narrowing(self) -> None:
        trio = Trio()
        consent = trio.granted()
        self.stopped, barrier = threading.Event(), threading.Barrier(2)
        results = together(
            partial(self.naive, consent, barrier, kind=Kind.REVOKED, classes=[]),
            partial(self.naive, consent, barrier, kind=Kind.NARROWED, classes=["clearance"]),
        )
        assert results == [True, True]
        assert trio.shared() == SMALL

    def test_one_question_is_agreed_to_twice(self) -> None:
        consent = Trio().asked()
        barrier = threading.Barrier(2)
        grant = partial(self.naive, consent, barrier, kind=Kind.GRANTED, classes=["clearance"])
        assert together(grant, grant) == [False, False]
        assert kinds(consent) == [Kind.REQUESTED, Kind.GRANTED, Kind.GRANTED]


@pytest.mark.parametrize(
    ("verb", "waits"), [("revoke", True), ("narrow", True), ("grant", True), ("ask", False)]
)
def test_a_change_of_what_is_shared_waits_for_looks_when_it_commits(verb: str, waits: bool) -> None:
    """Somebody is entering a look; a question shares nothing and waits for nobody."""
    trio = Trio()
    old = trio.granted()
    acts: dict[str, Callable[[], Any]] = {
        "revoke": trio.act(consents.revoke, old),
        "narrow": trio.act(consents.narrow, old, classes=SMALL),
        "grant": trio.act(consents.grant, trio.asked(), classes=SMALL, expires_on=LAST_DAY),
        "ask": trio.asked,
    }
    said = consents.standing(old, NOON).event_number
    done = threading.Event()

    def change() -> None:
        go_on.wait(timeout=10)
        acts[verb]()
        done.set()

    def look() -> tuple[bool, int]:
        with transaction.atomic():
            ledger.lock(AccessEntry.CHAIN)
            go_on.set()
            passed = done.wait(timeout=1 if waits else 20)
            return passed, consents.standing(old, NOON).event_number

    go_on = threading.Event()
    seen, changed = together(look, change)
    assert changed is None
    assert seen == (not waits, said)
    assert done.is_set()


def test_agreeing_in_two_windows_happens_once() -> None:
    for _ in rounds(8, 500):
        trio = Trio()
        consent = trio.asked()
        answers = ({"classes": classes, "expires_on": LAST_DAY} for classes in (WIDE, SMALL))
        results = together(*(trio.act(sharing.grant, consent, **each) for each in answers))
        assert kept(results) == 1
        assert kinds(consent) == [Kind.REQUESTED, Kind.GRANTED]
        assert trio.shared() == (WIDE if isinstance(results[0], Consent) else SMALL)
    assert verify(ConsentEvent) is None


def test_agreeing_against_saying_no_has_one_winner() -> None:
    for _ in rounds(8, 500):
        trio = Trio()
        consent = trio.asked()
        results = together(
            trio.act(sharing.grant, consent, classes=WIDE, expires_on=LAST_DAY),
            trio.act(sharing.decline, consent),
        )
        assert kept(results) == 1
        assert trio.shared() == (WIDE if isinstance(results[0], Consent) else frozenset())


def test_stopping_wins_over_sharing_less() -> None:
    """Whichever comes first: what is narrowed is stopped, what is stopped stays so."""
    for _ in rounds(8, 500):
        trio = Trio()
        consent = trio.granted()
        stopped, narrowed = together(
            trio.act(sharing.revoke, consent), trio.act(sharing.narrow, consent, classes=SMALL)
        )
        assert isinstance(stopped, Consent)
        came_first = kept([narrowed])
        assert kinds(consent)[2:] == [*[Kind.NARROWED] * came_first, Kind.REVOKED]
        assert trio.shared() == frozenset()


def test_agreeing_to_a_new_question_against_stopping_the_old_one() -> None:
    """Stopping the old one never stops the new one, and the old one is never left open."""
    for _ in rounds(8, 500):
        trio = Trio()
        old = trio.granted()
        new = trio.asked()
        results = together(
            trio.act(sharing.grant, new, classes=SMALL, expires_on=LAST_DAY),
            trio.act(sharing.revoke, old),
        )
        assert isinstance(results[0], Consent)
        replaced = Kind.REVOKED if kept(results[1:]) else Kind.SUPERSEDED
        assert kinds(old)[-1] == replaced
        assert trio.shared() == SMALL


def test_asking_twice_at_once_leaves_one_open_question() -> None:
    for _ in rounds(8, 500):
        trio = Trio()
        ask = partial(
            consents.ask,
            **trio.sides,
            actor=acting(trio.pt),
            purpose="To begin.",
            classes=WIDE,
            at=NOON,
        )
        assert kept(together(ask, ask)) == 2
        rows = Consent.objects.filter(client=trio.client)
        states = sorted(each.state for each in consents.standings(rows, NOON).values())
        assert states == [ConsentState.REQUESTED, ConsentState.WITHDRAWN]


def test_on_the_day_of_majority_a_guardian_and_the_young_adult_answer_at_once() -> None:
    """One answer is kept, and from that midnight on a guardian's shares nothing."""
    for _ in rounds(8, 500):
        authority = GuardianshipFactory.create()
        client = authority.client
        trio = Trio(client)
        consent = trio.asked()
        of_age = majority_instant(
            birth_date=client.birth_date, state=client.state, zone=client.time_zone
        )
        answer = partial(
            sharing.grant,
            consent_id=consent.pk,
            classes=WIDE,
            expires_on=(of_age + timedelta(days=30)).astimezone(UTC).date(),
        )
        just_before = of_age - timedelta(microseconds=1)
        results = together(
            partial(answer, actor=acting(authority.user, just_before), at=just_before),
            partial(answer, actor=acting(client, of_age), at=of_age),
        )
        assert kept(results) == 1
        assert kinds(consent) == [Kind.REQUESTED, Kind.GRANTED]
        own_answer = isinstance(results[1], Consent)
        assert trio.shared(just_before) == (frozenset() if own_answer else WIDE)
        assert trio.shared(of_age) == (WIDE if own_answer else frozenset())


def test_whoever_does_not_look_at_authority_again_goes_on_sharing() -> None:
    """Positive control: by its kind and its dates alone, what a guardian agreed still holds."""
    authority = GuardianshipFactory.create()
    trio = Trio(authority.client)
    granted_consent(**trio.sides, classes=WIDE, days=365, signer=authority.user)
    grown_up = NOON + timedelta(days=300)
    Client.objects.filter(pk=trio.client.pk).update(
        birth_date=grown_up.date().replace(year=grown_up.year - 18)
    )
    in_force = ConsentEvent.objects.filter(
        kind__in=consents.GIVING, valid_from__lte=grown_up, expires_at__gt=grown_up
    )
    assert in_force.exists()
    assert trio.shared(grown_up) == frozenset()
    assert trio.shared(NOON) == WIDE
