"""Two people at once: one wins, the other is told. Real threads on a real PostgreSQL."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from clients import consent as consents
from clients.models import AccessEntry, ConsentEvent
from clients.scopes import Scope
from handoff.core.errors import DomainError, Invalid, NotVisible, Stale
from handoff.core.ledger import verify
from referrals import disclosure, lifecycle, sharing
from referrals.models import Referral, ReferralEvent
from referrals.packets import Withheld
from referrals.states import State
from tests.factories import NOON, acting, certified_trainer, granted_consent
from tests.races.rounds import rounds
from tests.referrals.test_lifecycle import LAST_DAY, Story

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = rounds(15, 500)


def bound(verb: Callable[..., Any], **arguments: Any) -> Callable[[], Any]:
    """`verb` with its arguments, at NOON."""
    return partial(verb, at=NOON, **arguments)


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Run `acts` at the same moment on connections of their own; their results or errors."""
    gate = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            gate.wait(timeout=10)
            results[place] = act()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def test_the_harness_can_show_the_race() -> None:
    """Positive control: without a lock, both sides find the row free and both win."""
    story = Story()
    referral = story.sent()
    both_have_read = threading.Barrier(2)

    def accept_unlocked() -> bool:
        with transaction.atomic():
            row = Referral.objects.get(pk=referral.pk)
            free = row.state == State.SENT
            both_have_read.wait(timeout=10)
            if free:
                row.state = State.ACCEPTED
                row.save()
            return free

    assert together(accept_unlocked, accept_unlocked) == [True, True]


def test_accepting_twice_at_once_happens_once() -> None:
    for _ in ROUNDS:
        story = Story()
        referral = story.sent()
        actor = acting(story.trainer)

        def accept(pk: Any = referral.pk, by: Any = actor) -> Referral:
            return lifecycle.accept(actor=by, referral_id=pk, at=NOON)

        results = together(accept, accept)
        assert sum(isinstance(each, Referral) for each in results) == 1
        assert sum(isinstance(each, Stale) for each in results) == 1
        assert ReferralEvent.objects.filter(referral=referral, verb="accept").count() == 1


def test_two_trainers_asked_in_turn_never_both_have_the_client() -> None:
    """The first accepts while the sender asks a second one: superseded or accepted, not both."""
    for _ in ROUNDS:
        story = Story()
        first = story.sent()
        second_trainer = certified_trainer()
        granted_consent(client=story.client, discloser=story.pt, recipient=second_trainer)
        second = story.draft(second_trainer)
        results = together(
            bound(lifecycle.accept, actor=story.as_trainer, referral_id=first.pk),
            bound(lifecycle.send, actor=story.as_pt, referral_id=second.pk),
        )
        first.refresh_from_db()
        accepted = isinstance(results[0], Referral)
        assert first.state == (State.ACCEPTED if accepted else State.CANCELLED)
        if not accepted:
            assert isinstance(results[0], Stale)


def test_accept_against_cancel_has_one_winner() -> None:
    outcomes = set()
    for _ in ROUNDS:
        story = Story()
        referral = story.sent()
        results = together(
            bound(lifecycle.accept, actor=story.as_trainer, referral_id=referral.pk),
            bound(
                lifecycle.cancel, actor=story.as_pt, referral_id=referral.pk, reason_code="other"
            ),
        )
        referral.refresh_from_db()
        path = list(
            ReferralEvent.objects.filter(referral=referral)
            .exclude(verb="send")
            .order_by("id")
            .values_list("target", flat=True)
        )
        if path[0] == State.ACCEPTED:
            # Accepted first; calling it off afterwards needs the trainer's word.
            assert path == [State.ACCEPTED, State.CANCEL_REQUESTED]
            assert all(isinstance(each, Referral) for each in results)
        else:
            assert path == [State.CANCELLED]
            assert isinstance(results[0], Stale)
        outcomes.add(path[0])
        assert not any(
            isinstance(each, Exception) and not isinstance(each, DomainError) for each in results
        )
    assert outcomes


def test_a_disclosure_never_gets_a_number_after_the_withdrawal() -> None:
    """Readers hammer while the client withdraws; then the ledger is the witness."""
    story = Story()
    story.accepted()
    consent_id = consents.live(client_id=story.client.pk, at=NOON)[0].consent_id
    stop = threading.Event()
    shown: list[bool] = []

    def read() -> None:
        actor = acting(story.trainer)
        while not stop.is_set():
            packet = disclosure.disclose(
                actor=actor, client_id=story.client.pk, purpose="test", at=NOON
            )
            shown.append(not isinstance(packet.restrictions, Withheld))

    def withdraw() -> None:
        try:
            while len(shown) < 20:
                stop.wait(0.01)
            sharing.revoke(actor=story.as_client, consent_id=consent_id, at=NOON)
            seen = len(shown)
            while len(shown) < seen + 20:
                stop.wait(0.01)
        finally:
            stop.set()

    results = together(read, read, read, withdraw)
    assert results == [None] * 4
    assert shown[0]
    assert not shown[-1]
    entries = list(AccessEntry.objects.order_by("number"))
    with_content = [each.number for each in entries if "restrictions" in each.shown]
    without = [each.number for each in entries if "restrictions" in each.withheld]
    assert max(with_content) < min(without)
    assert verify(AccessEntry) is None
    assert verify(ConsentEvent) is None


def test_granting_and_taking_the_question_back_at_once() -> None:
    for _ in ROUNDS:
        story = Story()
        referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
        assert referral.consent_id is not None
        results = together(
            bound(
                sharing.grant,
                actor=story.as_client,
                consent_id=referral.consent_id,
                classes=[Scope.CLEARANCE],
                expires_on=LAST_DAY,
            ),
            bound(
                lifecycle.cancel, actor=story.as_pt, referral_id=referral.pk, reason_code="other"
            ),
        )
        referral.refresh_from_db()
        assert referral.state == State.CANCELLED
        live = consents.live(client_id=story.client.pk, at=NOON + timedelta(seconds=1))
        granted = not isinstance(results[0], DomainError)
        assert bool(live) is granted
        assert not any(
            isinstance(each, Exception) and not isinstance(each, (Stale, NotVisible))
            for each in results
        )


def test_time_passes_over_a_referral_that_somebody_is_at_work_on() -> None:
    """Whoever holds the row decides; the sweep neither waits nor expires it under their hands."""
    story = Story()
    referral = story.sent()
    late = NOON + timedelta(days=30)

    def sweep() -> int:
        return lifecycle.time_out(at=late)

    with transaction.atomic():
        Referral.objects.select_for_update().get(pk=referral.pk)
        assert together(sweep) == [0]
    assert together(sweep) == [1]


def test_a_handoff_never_waits_for_a_question_that_was_replaced() -> None:
    """Asked again while the handoff is being sent, or while the client says yes."""
    for place in range(2 * len(ROUNDS)):
        story = Story()
        draft = story.draft()
        again = bound(
            sharing.ask,
            actor=story.as_pt,
            client_id=story.client.pk,
            discloser_id=story.pt.pk,
            recipient_id=story.trainer.pk,
            purpose="In other words.",
            classes=[Scope.CLEARANCE],
        )
        send = bound(lifecycle.send, actor=story.as_pt, referral_id=draft.pk)
        if place % 2:
            results = together(again, send)
        else:
            asked = send().consent
            answer = {"classes": [Scope.CLEARANCE], "expires_on": LAST_DAY}
            results = together(
                again,
                bound(sharing.grant, actor=story.as_client, consent_id=asked.pk, **answer),
            )
        # Who asks for what has just been agreed to is told so; nothing is left open by it.
        told = isinstance(results[0], Invalid) and not isinstance(results[1], Exception)
        assert told or not isinstance(results[0], Exception), results
        assert not isinstance(results[1], Exception) or isinstance(results[1], Stale)
        draft.refresh_from_db()
        assert draft.consent is not None
        state = consents.standing(draft.consent, NOON + timedelta(seconds=1)).state
        assert (draft.state, state) in (
            (State.AWAITING_CONSENT, "requested"),
            (State.SENT, "active"),
        )
