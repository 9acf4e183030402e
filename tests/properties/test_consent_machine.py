"""Consent as a machine: any order of asking, agreeing, narrowing, stopping and time passing.

After every step, what each reader gets is compared with a model kept in plain Python sets, and the
ledgers are read as witnesses.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from clients import consent as consents
from clients.models import AccessEntry, Consent, ConsentEvent, Professional
from clients.scopes import Scope
from handoff.core.errors import DomainError, NotVisible
from handoff.core.ledger import verify
from referrals import disclosure, lifecycle, sharing
from referrals.models import Referral
from referrals.states import State
from tests.factories import NOON, acting, certified_trainer
from tests.referrals.test_lifecycle import Story

some_classes = st.sets(st.sampled_from(list(Scope)), min_size=1)
days = st.integers(min_value=1, max_value=60)


class ConsentMachine(RuleBasedStateMachine):
    """Two trainers are asked for in any order; one client answers as they please."""

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        # Rolled back after each example, so disclosures may be "durable" inside it.
        self.outer._from_testcase = True  # type: ignore[attr-defined]  # as TestCase does
        self.outer.__enter__()
        self.story = Story()
        self.trainers: list[Professional] = [self.story.trainer, certified_trainer()]
        self.now: datetime = NOON
        # The model: recipient -> (classes, end), and the question that is open.
        self.agreed: dict[Any, tuple[frozenset[Scope], datetime]] = {}
        self.open: dict[Any, Any] = {}
        self.accepted: set[Any] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    def live(self, trainer: Professional) -> frozenset[Scope]:
        classes, end = self.agreed.get(trainer.pk, (frozenset(), self.now))
        return classes if self.now < end else frozenset()

    def consent_of(self, trainer: Professional) -> Consent | None:
        rows = consents.live(
            client_id=self.story.client.pk, at=self.now, recipient_ids=[trainer.pk]
        )
        return Consent.objects.get(pk=rows[0].consent_id) if rows else None

    @rule(which=st.integers(0, 1), classes=some_classes)
    def ask(self, which: int, classes: set[Scope]) -> None:
        trainer = self.trainers[which]
        question = sharing.ask(
            actor=self.story.as_pt,
            client_id=self.story.client.pk,
            discloser_id=self.story.pt.pk,
            recipient_id=trainer.pk,
            purpose="To train safely",
            classes=classes,
            at=self.now,
        )
        self.open[trainer.pk] = question.pk

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 1), classes=some_classes, length=days)
    def grant(self, which: int, classes: set[Scope], length: int) -> None:
        trainer = self.trainers[which]
        if trainer.pk not in self.open:
            return
        last = (self.now + timedelta(days=length)).date()
        sharing.grant(
            actor=self.story.as_client,
            consent_id=self.open.pop(trainer.pk),
            classes=classes,
            expires_on=last,
            at=self.now,
        )
        end = datetime.combine(last, datetime.min.time(), tzinfo=NOON.tzinfo)
        # The machine moves in whole days at noon, so the exact midnight does not matter here.
        self.agreed[trainer.pk] = (frozenset(classes), end + timedelta(days=1))

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 1))
    def decline(self, which: int) -> None:
        trainer = self.trainers[which]
        if trainer.pk in self.open:
            sharing.decline(
                actor=self.story.as_client,
                consent_id=self.open.pop(trainer.pk),
                at=self.now,
            )

    @rule(which=st.integers(0, 1), classes=some_classes)
    def narrow(self, which: int, classes: set[Scope]) -> None:
        trainer = self.trainers[which]
        consent = self.consent_of(trainer)
        if consent is None:
            return
        try:
            sharing.narrow(
                actor=self.story.as_client, consent_id=consent.pk, classes=classes, at=self.now
            )
        except DomainError:
            assert not frozenset(classes) < self.live(trainer)
        else:
            assert frozenset(classes) < self.live(trainer)
            self.agreed[trainer.pk] = (frozenset(classes), self.agreed[trainer.pk][1])

    @rule(which=st.integers(0, 1))
    def revoke(self, which: int) -> None:
        trainer = self.trainers[which]
        consent = self.consent_of(trainer)
        if consent is not None:
            sharing.revoke(actor=self.story.as_client, consent_id=consent.pk, at=self.now)
            del self.agreed[trainer.pk]

    @rule(which=st.integers(0, 1))
    def accept(self, which: int) -> None:
        """The trainer has taken the client on, if the handoff can go out at all."""
        trainer = self.trainers[which]
        if trainer.pk in self.accepted or Scope.CLEARANCE not in self.live(trainer):
            return
        referral = Referral.objects.filter(
            client=self.story.client, recipient=trainer, state=State.DRAFT
        ).first() or lifecycle.draft(
            actor=self.story.as_pt,
            client_id=self.story.client.pk,
            recipient_id=trainer.pk,
            episode_id=self.story.episode.pk,
            at=self.now,
        )
        lifecycle.send(actor=self.story.as_pt, referral_id=referral.pk, at=self.now)
        lifecycle.accept(actor=acting(trainer), referral_id=referral.pk, at=self.now)
        self.accepted.add(trainer.pk)

    @rule(length=days)
    def time_passes(self, length: int) -> None:
        self.now += timedelta(days=length)

    @invariant()
    def each_trainer_reads_what_the_model_says(self) -> None:
        for trainer in self.trainers:
            expected = self.live(trainer) if trainer.pk in self.accepted else frozenset()
            try:
                packet = disclosure.disclose(
                    actor=acting(trainer, self.now),
                    client_id=self.story.client.pk,
                    purpose="test",
                    at=self.now,
                )
            except NotVisible:
                assert trainer.pk not in self.accepted
            else:
                assert trainer.pk in self.accepted
                assert frozenset(packet.shown) == expected
            entry = AccessEntry.objects.order_by("-number")[0]
            assert frozenset(Scope(each) for each in entry.shown) == expected
            assert entry.actor_id == trainer.user_id

    @invariant()
    def the_ledgers_verify(self) -> None:
        assert verify(ConsentEvent) is None
        assert verify(AccessEntry) is None


class ConsentMachineTest(TestCase):
    @pytest.mark.django_db
    def test_any_order_of_events_shows_what_was_agreed_and_nothing_else(self) -> None:
        run_state_machine_as_test(
            ConsentMachine,
            settings=hypothesis_settings(
                max_examples=min(60, hypothesis_settings().max_examples // 5),
                stateful_step_count=20,
                deadline=None,
            ),
        )
