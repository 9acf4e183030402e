"""Consent as a machine: any order of asking, agreeing, narrowing, stopping and time passing.

After every step, what each reader gets is compared with a model kept in plain Python sets, and the
ledgers are read as witnesses.
"""

from datetime import date, datetime, timedelta
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
from clients.consent import ConsentState
from clients.models import AccessEntry, Client, Consent, ConsentEvent, Professional
from clients.scopes import Scope
from handoff.core.actors import Actor
from handoff.core.errors import DomainError, NotAllowed, NotVisible
from handoff.core.ledger import verify
from referrals import asking, disclosure, lifecycle, sharing
from referrals.models import Referral
from referrals.states import State
from tests.factories import NOON, GuardianshipFactory, acting, certified_trainer
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
        # Whose agreement ends with the training, and the handoffs that run.
        self.until_training_ends: set[Any] = set()
        self.running: dict[Any, Referral] = {}
        # Three questions in 30 days are a professional's limit: the model counts them.
        self.asked: list[datetime] = []

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
        lately = [each for each in self.asked if each > self.now - asking.SAME_CLIENT]
        may = len(lately) < asking.MOST_OF_ONE_CLIENT and not classes <= self.live(trainer)
        try:
            question = self.question(self.story.as_pt, trainer, classes)
        except DomainError:
            assert not may
        else:
            assert may
            assert frozenset(question.classes_asked) == classes | self.live(trainer)
            self.asked.append(self.now)
            self.open[trainer.pk] = question.pk

    @rule(which=st.integers(0, 1), classes=some_classes)
    def ask_themself(self, which: int, classes: set[Scope]) -> None:
        """The client wants to decide anew: as often as they like."""
        trainer = self.trainers[which]
        self.open[trainer.pk] = self.question(self.story.as_client, trainer, classes).pk

    def question(self, actor: Actor, trainer: Professional, classes: set[Scope]) -> Consent:
        return sharing.ask(
            actor=actor,
            client_id=self.story.client.pk,
            discloser_id=self.story.pt.pk,
            recipient_id=trainer.pk,
            purpose="To train safely",
            classes=classes,
            at=self.now,
        )

    @precondition(lambda self: self.open)
    @rule(which=st.integers(0, 1), classes=some_classes, length=days, training=st.booleans())
    def grant(self, which: int, classes: set[Scope], length: int, training: bool) -> None:
        trainer = self.trainers[which]
        if trainer.pk not in self.open:
            return
        last = (self.now + timedelta(days=length)).date()
        try:
            sharing.grant(
                actor=self.story.as_client,
                consent_id=self.open[trainer.pk],
                classes=classes,
                expires_on=last,
                until_training_ends=training,
                at=self.now,
            )
        except DomainError:
            assert training
            assert trainer.pk not in self.running
            return
        assert not training or trainer.pk in self.running
        del self.open[trainer.pk]
        self.agreed[trainer.pk] = (frozenset(classes), self.after(last))
        self.until_training_ends.discard(trainer.pk)
        if training:
            self.until_training_ends.add(trainer.pk)

    def after(self, last: date) -> datetime:
        # The machine moves in whole days at noon, so the exact midnight does not matter here.
        end = datetime.combine(last, datetime.min.time(), tzinfo=NOON.tzinfo)
        return end + timedelta(days=1)

    @rule(which=st.integers(0, 1), length=days)
    def renew(self, which: int, length: int) -> None:
        trainer = self.trainers[which]
        consent = self.consent_of(trainer)
        if consent is None:
            return
        classes, end = self.agreed[trainer.pk]
        last = (self.now + timedelta(days=length)).date()
        try:
            sharing.renew(
                actor=self.story.as_client, consent_id=consent.pk, expires_on=last, at=self.now
            )
        except DomainError:
            assert self.after(last) <= end
        else:
            assert self.after(last) > end
            self.agreed[trainer.pk] = (classes, self.after(last))

    @rule(which=st.integers(0, 1))
    def object_to(self, which: int) -> None:
        """An adult decides; there is nothing for them to object to."""
        trainer = self.trainers[which]
        for pk in Consent.objects.filter(recipient=trainer).values_list("pk", flat=True):
            with pytest.raises(NotAllowed):
                sharing.object_to(actor=self.story.as_client, consent_id=pk, at=self.now)

    @rule(which=st.integers(0, 1))
    def training_ends(self, which: int) -> None:
        trainer = self.trainers[which]
        referral = self.running.pop(trainer.pk, None)
        if referral is None:
            return
        lifecycle.enter_in_error(
            actor=self.story.as_pt,
            referral_id=referral.pk,
            reason_code="duplicate",
            at=self.now,
        )
        self.accepted.discard(trainer.pk)
        if trainer.pk in self.until_training_ends:
            self.until_training_ends.discard(trainer.pk)
            self.agreed.pop(trainer.pk, None)

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
            self.until_training_ends.discard(trainer.pk)

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
        self.running[trainer.pk] = referral
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


class GrowingMachine(RuleBasedStateMachine):
    """A minor, a guardian who decides, and midnight: whose word counts, and what becomes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer._from_testcase = True  # type: ignore[attr-defined]  # as TestCase does
        self.outer.__enter__()
        self.story = Story()
        born = date(NOON.year - 18, 2, 1)
        Client.objects.filter(pk=self.story.client.pk).update(birth_date=born)
        self.story.client.refresh_from_db()
        self.guardian = GuardianshipFactory.create(client=self.story.client).user
        self.majority = datetime(NOON.year, 2, 1, 5, tzinfo=NOON.tzinfo)
        self.now: datetime = NOON
        self.agreed: frozenset[Scope] = frozenset()
        self.open: Any = None
        self.objected = False
        """To what is open now, or to anything earlier between the same three."""
        self.said_about_open = False

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.outer.__exit__(None, None, None)

    @property
    def of_age(self) -> bool:
        return self.now >= self.majority

    @property
    def decider(self) -> Actor:
        return acting(self.story.client if self.of_age else self.guardian, self.now)

    @rule(classes=some_classes)
    def ask(self, classes: set[Scope]) -> None:
        self.open = sharing.ask(
            actor=self.decider,
            client_id=self.story.client.pk,
            discloser_id=self.story.pt.pk,
            recipient_id=self.story.trainer.pk,
            purpose="To train safely",
            classes=classes,
            at=self.now,
        ).pk
        self.said_about_open = False

    @precondition(lambda self: self.open)
    @rule(classes=some_classes, knows=st.booleans(), by_other=st.booleans())
    def grant(self, classes: set[Scope], knows: bool, by_other: bool) -> None:
        other = acting(self.guardian if self.of_age else self.story.client, self.now)
        may = not by_other and (knows or self.of_age or not self.objected)
        try:
            sharing.grant(
                actor=other if by_other else self.decider,
                consent_id=self.open,
                classes=classes,
                expires_on=(self.now + timedelta(days=90)).date(),
                knows_objection=knows,
                at=self.now,
            )
        except DomainError:
            assert not may
        else:
            assert may
            self.agreed, self.open = frozenset(classes), None

    @rule()
    def object_to(self) -> None:
        """To the open question if there is one, else to what is shared."""
        row = consents.live(client_id=self.story.client.pk, at=self.now)
        pk = self.open or (row[0].consent_id if row else None)
        if pk is None:
            return
        try:
            sharing.object_to(actor=acting(self.story.client, self.now), consent_id=pk, at=self.now)
        except DomainError:
            assert self.of_age or self.said_about_open
        else:
            assert not self.of_age
            self.objected = True
            if self.open:
                self.said_about_open = True
            else:
                self.agreed = frozenset()

    @precondition(lambda self: not self.of_age)
    @rule()
    def the_last_second(self) -> None:
        self.now = self.majority - timedelta(seconds=1)

    @precondition(lambda self: not self.of_age)
    @rule()
    def midnight(self) -> None:
        self.now = self.majority
        asked = sharing.ask_anew_of_age(at=self.now)
        assert asked == bool(self.agreed or self.open)
        self.agreed, self.said_about_open = frozenset(), False
        if asked:
            rows = consents.standings(Consent.objects.all(), self.now).values()
            [self.open] = [each.consent_id for each in rows if each.state is ConsentState.REQUESTED]

    @invariant()
    def what_is_shared_is_what_the_model_says(self) -> None:
        rows = consents.live(client_id=self.story.client.pk, at=self.now)
        assert frozenset[Scope]().union(*(each.classes for each in rows)) == self.agreed
        assert consents.outgrown(self.now) == []

    @invariant()
    def the_guardian_knows_of_it_until_that_second(self) -> None:
        actor = acting(self.guardian, self.now)
        known = sharing.consents_visible_to(actor, self.now).count()
        assert known == (0 if self.of_age else Consent.objects.count())

    @invariant()
    def the_ledger_verifies(self) -> None:
        assert verify(ConsentEvent) is None


class GrowingMachineTest(TestCase):
    @pytest.mark.django_db
    def test_authority_ends_at_midnight_whatever_came_before(self) -> None:
        run_state_machine_as_test(
            GrowingMachine,
            settings=hypothesis_settings(
                max_examples=min(60, hypothesis_settings().max_examples // 5),
                stateful_step_count=15,
                deadline=None,
            ),
        )
