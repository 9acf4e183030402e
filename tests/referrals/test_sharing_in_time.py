"""What follows from time, objections and requests: handoffs, reminders, who is told."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from clients import consent as consents
from clients.consent import ConsentState
from clients.models import Client, Consent, ConsentEvent, Guardianship
from clients.scopes import SUGGESTED, Scope
from handoff.core.audit import AuditEntry
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import asking, disclosure, lifecycle, reminders, restrictions, sharing
from referrals.models import Referral, Reminder
from referrals.reminders.rules import Rule
from referrals.states import State
from tests.factories import (
    NOON,
    EpisodeFactory,
    GuardianshipFactory,
    UserFactory,
    acting,
    asked_consent,
    certified_trainer,
    granted_consent,
)
from tests.referrals.test_lifecycle import Story

pytestmark = pytest.mark.django_db
MAJORITY = datetime(2027, 2, 1, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LAST_DAY = date(2027, 7, 1)


@pytest.fixture
def story() -> Story:
    return Story()


class Growing(Story):
    """The same story about somebody who comes of age at `MAJORITY`."""

    def __init__(self) -> None:
        super().__init__()
        Client.objects.filter(pk=self.client.pk).update(birth_date=date(2009, 2, 1))
        self.client.refresh_from_db()
        self.guardian: Guardianship = GuardianshipFactory.create(client=self.client)


@pytest.fixture
def growing() -> Growing:
    return Growing()


def grant(story: Story, consent: Consent, *, signer: Any = None, **over: Any) -> Consent:
    usual: dict[str, Any] = {"classes": SUGGESTED, "expires_on": LAST_DAY, "at": NOON}
    return sharing.grant(
        actor=acting(signer) if signer else story.as_client,
        consent_id=consent.pk,
        **{**usual, **over},
    )


def waiting_reminders(consent: Consent, rule: Rule) -> list[Any]:
    rows = Reminder.objects.filter(
        consent=consent, rule=rule.value, state__in=Reminder.WAITING
    ).exclude(audience=Reminder.Audience.ASKER)
    return list(rows.order_by("due_at").values_list("recipient_id", "due_at"))


# --- coming of age ------------------------------


def test_the_guardian_loses_old_and_new_at_that_second(growing: Growing) -> None:
    guardian = growing.guardian.user
    agreed = granted_consent(
        client=growing.client, discloser=growing.pt, recipient=growing.trainer, signer=guardian
    )
    before = acting(guardian, MAJORITY - SECOND)
    assert sharing.consent_for(before, agreed.pk, at=MAJORITY - SECOND) == agreed
    disclosure.disclose(
        actor=before, client_id=growing.client.pk, purpose="test", at=MAJORITY - SECOND
    )
    after = acting(guardian, MAJORITY)
    sharing.ask_anew_of_age(at=MAJORITY)
    anew = Consent.objects.exclude(pk=agreed.pk).get()
    for consent in (agreed, anew):
        with pytest.raises(NotVisible):
            sharing.consent_for(after, consent.pk, at=MAJORITY)
        for verb in (sharing.decline, sharing.revoke, sharing.object_to):
            with pytest.raises(NotVisible):
                verb(actor=after, consent_id=consent.pk, at=MAJORITY)
        with pytest.raises(NotVisible):
            disclosure.preview(
                actor=after, consent_id=consent.pk, classes=[Scope.NOTE], at=MAJORITY
            )
    with pytest.raises(NotVisible):
        disclosure.disclose(actor=after, client_id=growing.client.pk, purpose="test", at=MAJORITY)
    assert not sharing.consents_visible_to(after, MAJORITY).exists()


def test_the_young_adult_is_reminded_and_the_guardian_is_not(growing: Growing) -> None:
    question = asked_consent(client=growing.client, discloser=growing.pt, recipient=growing.trainer)
    reminders.consent_changed(question, at=NOON)
    guardian, young = growing.guardian.user_id, growing.client.user_id
    assert {who for who, _ in waiting_reminders(question, Rule.CONSENT_ASKED)} == {guardian}
    assert sharing.ask_anew_of_age(at=MAJORITY - SECOND) == 0
    assert sharing.ask_anew_of_age(at=MAJORITY) == 1
    assert sharing.ask_anew_of_age(at=MAJORITY) == 0
    anew = Consent.objects.exclude(pk=question.pk).get()
    assert waiting_reminders(question, Rule.CONSENT_ASKED) == []
    found = waiting_reminders(anew, Rule.CONSENT_ASKED)
    assert {who for who, _ in found} == {young}
    assert found[0][1] == MAJORITY + timedelta(hours=8)  # planned at once, out of quiet hours
    verbs = AuditEntry.objects.filter(actor_id=None).values_list("verb", flat=True)
    assert {"consent.outgrown", "consent.asked"} <= set(verbs)


def test_a_handoff_that_waited_for_the_guardian_waits_for_the_young_adult(
    growing: Growing,
) -> None:
    referral = growing.draft()
    near = MAJORITY - timedelta(days=2)
    lifecycle.send(actor=growing.as_pt, referral_id=referral.pk, at=near)
    sharing.ask_anew_of_age(at=MAJORITY)
    referral.refresh_from_db()
    assert referral.state == State.AWAITING_CONSENT
    assert referral.consent is not None
    sharing.grant(
        actor=acting(growing.client, MAJORITY),
        consent_id=referral.consent.pk,
        classes=SUGGESTED,
        expires_on=LAST_DAY,
        at=MAJORITY,
    )
    referral.refresh_from_db()
    assert referral.state == State.SENT


def test_both_sides_are_told_that_sharing_has_ended(growing: Growing) -> None:
    referral = growing.draft()
    agreed = granted_consent(
        client=growing.client,
        discloser=growing.pt,
        recipient=growing.trainer,
        signer=growing.guardian.user,
    )
    lifecycle.send(actor=growing.as_pt, referral_id=referral.pk, at=NOON)
    sharing.ask_anew_of_age(at=MAJORITY)
    told = {who for who, _ in waiting_reminders(agreed, Rule.SHARING_ENDED)}
    assert told == {growing.pt.user_id, growing.trainer.user_id}


def test_one_that_fails_holds_up_no_other(
    growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = asked_consent(client=growing.client, discloser=growing.pt, recipient=growing.trainer)
    asked_consent(client=growing.client, discloser=growing.pt, recipient=certified_trainer())
    whole = consents.ask_anew

    def fails(*, consent: Consent, at: datetime) -> Consent | None:
        if consent.pk == first.pk:
            raise RuntimeError
        return whole(consent=consent, at=at)

    monkeypatch.setattr(consents, "ask_anew", fails)
    assert sharing.ask_anew_of_age(at=MAJORITY) == 1
    monkeypatch.undo()
    assert sharing.ask_anew_of_age(at=MAJORITY) == 1


def test_one_client_at_a_time_and_nobody_whose_sides_have_left(growing: Growing) -> None:
    asked_consent(client=growing.client, discloser=growing.pt, recipient=growing.trainer)
    assert sharing.ask_anew_of_age(at=MAJORITY, client=Story().client) == 0
    growing.trainer.left_at = NOON
    growing.trainer.save()
    assert sharing.ask_anew_of_age(at=MAJORITY, client=growing.client) == 0
    assert sharing.ask_anew_of_age(at=MAJORITY) == 0


# --- a minor's objection ------------------------------


def test_a_guardian_agrees_over_an_objection_only_knowingly(growing: Growing) -> None:
    question = asked_consent(client=growing.client, discloser=growing.pt, recipient=growing.trainer)
    sharing.object_to(actor=growing.as_client, consent_id=question.pk, at=NOON)
    with pytest.raises(Invalid) as refused:
        grant(growing, question, signer=growing.guardian.user)
    assert list(refused.value.errors) == ["knows_objection"]
    assert consents.standing(question, NOON).state is ConsentState.REQUESTED
    grant(growing, question, signer=growing.guardian.user, knows_objection=True)
    assert consents.standing(question, NOON).is_active


def test_an_objection_to_an_earlier_sharing_is_known_with_the_next_question(
    growing: Growing,
) -> None:
    agreed = granted_consent(
        client=growing.client,
        discloser=growing.pt,
        recipient=growing.trainer,
        signer=growing.guardian.user,
    )
    sharing.object_to(actor=growing.as_client, consent_id=agreed.pk, at=NOON)
    question = asked_consent(client=growing.client, discloser=growing.pt, recipient=growing.trainer)
    with pytest.raises(Invalid):
        grant(growing, question, signer=growing.guardian.user)


def test_a_young_adult_agrees_whatever_they_said_as_a_minor(growing: Growing) -> None:
    question = asked_consent(client=growing.client, discloser=growing.pt, recipient=growing.trainer)
    sharing.object_to(actor=growing.as_client, consent_id=question.pk, at=NOON)
    sharing.ask_anew_of_age(at=MAJORITY)
    anew = Consent.objects.exclude(pk=question.pk).get()
    grant(growing, anew, at=MAJORITY)
    assert consents.standing(anew, MAJORITY).is_active


# --- renewal ------------------------------


def test_renewal_moves_the_reminders_and_reads_begin_nothing_anew(story: Story) -> None:
    referral = story.running()
    consent = Consent.objects.get()
    reminders.consent_changed(consent, at=NOON)
    before = waiting_reminders(consent, Rule.CONSENT_ENDING)
    sharing.renew(
        actor=story.as_client, consent_id=consent.pk, expires_on=date(2028, 1, 13), at=NOON
    )
    after = waiting_reminders(consent, Rule.CONSENT_ENDING)
    assert len(before) == len(after) == 3
    assert all(old[1] < new[1] for old, new in zip(before, after, strict=True))
    assert not waiting_reminders_of(referral, Rule.NOT_ACKNOWLEDGED)
    assert AuditEntry.objects.filter(verb="consent.renewed").count() == 1


def waiting_reminders_of(referral: Referral, rule: Rule) -> bool:
    return Reminder.objects.filter(
        referral=referral, rule=rule.value, state__in=Reminder.WAITING
    ).exists()


def test_renewal_is_the_clients_side_alone(story: Story) -> None:
    story.running()
    consent = Consent.objects.get()
    for actor, error in [
        (story.as_pt, NotAllowed),
        (story.as_trainer, NotAllowed),
        (acting(UserFactory.create()), NotVisible),
    ]:
        with pytest.raises(error):
            sharing.renew(actor=actor, consent_id=consent.pk, expires_on=date(2028, 1, 13), at=NOON)


# --- until training ends ------------------------------


def until_training_ends(story: Story) -> tuple[Referral, Consent]:
    """A running handoff that rests on a yes "until training ends"."""
    referral = story.draft()
    lifecycle.send(actor=story.as_pt, referral_id=referral.pk, at=NOON)
    consent = Consent.objects.get(client=story.client)
    grant(story, consent, until_training_ends=True)
    lifecycle.accept(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    return referral, consent


def complete(story: Story, referral: Referral) -> None:
    restrictions.acknowledge_all(actor=story.as_trainer, client_id=story.client.pk, at=NOON)
    lifecycle.begin(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    lifecycle.complete(
        actor=story.as_trainer, referral_id=referral.pk, observations="Done.", at=NOON
    )


def late_decline(story: Story, referral: Referral) -> None:
    lifecycle.decline(
        actor=story.as_trainer, referral_id=referral.pk, reason_code="no_capacity", at=NOON
    )


def call_off(story: Story, referral: Referral) -> None:
    lifecycle.cancel(
        actor=story.as_pt, referral_id=referral.pk, reason_code="client_choice", at=NOON
    )
    lifecycle.confirm_cancel(actor=story.as_trainer, referral_id=referral.pk, at=NOON)


def mistaken(story: Story, referral: Referral) -> None:
    lifecycle.enter_in_error(
        actor=story.as_pt, referral_id=referral.pk, reason_code="wrong_client", at=NOON
    )


@pytest.mark.parametrize("ends", [complete, late_decline, call_off, mistaken])
def test_sharing_ends_in_the_transaction_in_which_training_does(story: Story, ends: Any) -> None:
    referral, consent = until_training_ends(story)
    assert consents.standing(consent, NOON).is_active
    ends(story, referral)
    assert consents.standing(consent, NOON).state is ConsentState.ENDED
    if ends is complete:
        packet = disclosure.disclose(
            actor=story.as_trainer, client_id=story.client.pk, purpose="test", at=NOON
        )
        assert packet.shown == ()
    told = {who for who, _ in waiting_reminders(consent, Rule.SHARING_ENDED)}
    assert told == {story.pt.user_id, story.trainer.user_id}
    assert AuditEntry.objects.filter(verb="consent.ended").count() == 1


def test_a_step_that_fails_ends_nothing(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    referral, consent = until_training_ends(story)
    with pytest.raises(Invalid):
        late_decline_without_reason(story, referral)
    assert consents.standing(consent, NOON).is_active
    monkeypatch.setattr(reminders, "referral_walked", _breaks)
    with pytest.raises(RuntimeError):
        late_decline(story, referral)
    assert consents.standing(consent, NOON).is_active


def late_decline_without_reason(story: Story, referral: Referral) -> None:
    lifecycle.decline(actor=story.as_trainer, referral_id=referral.pk, reason_code="", at=NOON)


def _breaks(*args: Any, **kwargs: Any) -> None:
    raise RuntimeError


def test_it_goes_on_while_another_handoff_of_the_same_three_is_open(story: Story) -> None:
    referral, consent = until_training_ends(story)
    second = EpisodeFactory.create(client=story.client, pt=story.pt)
    Referral.objects.create(
        kind="return_to_training",
        client=story.client,
        episode=second,
        sender=story.pt,
        recipient=story.trainer,
        state=State.IN_PROGRESS,
        state_at=NOON,
    )
    late_decline(story, referral)
    assert consents.standing(consent, NOON).is_active


def test_a_yes_until_a_day_outlives_the_training(story: Story) -> None:
    referral = story.accepted()
    late_decline(story, referral)
    assert consents.standing(Consent.objects.get(), NOON).is_active


@pytest.mark.parametrize("state", [None, State.DRAFT, State.COMPLETED])
def test_there_must_be_a_training_that_can_end(story: Story, state: State | None) -> None:
    if state is not None:
        referral = story.draft()
        Referral.objects.filter(pk=referral.pk).update(state=state)
    question = asked_consent(client=story.client, discloser=story.pt, recipient=story.trainer)
    assert not sharing.training_is_under_way(
        client_id=story.client.pk, discloser_id=story.pt.pk, recipient_id=story.trainer.pk
    )
    with pytest.raises(Invalid) as refused:
        grant(story, question, until_training_ends=True)
    assert list(refused.value.errors) == ["until_training_ends"]


# --- requests of professionals ------------------------------


def request(story: Story, actor: Any, classes: set[Scope], at: datetime = NOON) -> Consent:
    return sharing.ask(
        actor=actor,
        client_id=story.client.pk,
        discloser_id=story.pt.pk,
        recipient_id=story.trainer.pk,
        purpose="To plan the next weeks",
        classes=classes,
        at=at,
    )


def test_a_trainer_asks_for_more_and_what_is_shared_is_asked_for_with_it(story: Story) -> None:
    story.accepted()
    question = request(story, story.as_trainer, {Scope.OUTCOMES})
    assert question.asked_by == story.trainer.user
    assert frozenset(question.classes_asked) == SUGGESTED | {Scope.OUTCOMES}
    assert {who for who, _ in waiting_reminders(question, Rule.CONSENT_ASKED)} == {
        story.client.user_id
    }
    live = consents.live(client_id=story.client.pk, at=NOON)
    assert [each.classes for each in live] == [SUGGESTED]  # asking changes nothing


def test_no_more_than_three_times_in_thirty_days(story: Story) -> None:
    story.accepted()
    for number in range(asking.MOST_OF_ONE_CLIENT):
        at = NOON + timedelta(days=number)
        question = request(story, story.as_trainer, {Scope.OUTCOMES}, at)
        sharing.decline(actor=story.as_client, consent_id=question.pk, at=at)
    late = NOON + asking.SAME_CLIENT
    with pytest.raises(NotAllowed):
        request(story, story.as_trainer, {Scope.NOTE}, late - SECOND)
    request(story, story.as_pt, {Scope.NOTE}, late - SECOND)  # the other has asked less
    again = request(story, story.as_client, {Scope.NOTE}, late - SECOND)  # and clients may always
    sharing.decline(actor=story.as_client, consent_id=again.pk, at=late - SECOND)
    request(story, story.as_trainer, {Scope.NOTE}, late)


def test_a_trainer_does_not_replace_an_open_question(story: Story) -> None:
    story.accepted()
    first = request(story, story.as_pt, {Scope.NOTE})
    with pytest.raises(NotAllowed):
        request(story, story.as_trainer, {Scope.OUTCOMES})
    assert consents.standing(first, NOON).state is ConsentState.REQUESTED


def test_a_trainer_who_was_never_handed_the_client_cannot_ask(story: Story) -> None:
    story.sent()
    with pytest.raises(NotVisible):
        request(story, story.as_trainer, {Scope.OUTCOMES})
    assert ConsentEvent.objects.filter(kind="requested").count() == 1


def test_who_is_neither_of_the_two_cannot_ask_for_them(story: Story) -> None:
    """Another therapist of the same client, who treats them for something else."""
    story.accepted()
    other = EpisodeFactory.create(client=story.client).pt
    with pytest.raises(NotVisible):
        sharing.ask(
            actor=acting(other),
            client_id=story.client.pk,
            discloser_id=story.pt.pk,
            recipient_id=story.trainer.pk,
            purpose="Anything",
            classes=[Scope.CLEARANCE],
            at=NOON,
        )


def test_what_is_shared_need_not_be_asked_for(story: Story) -> None:
    story.accepted()
    with pytest.raises(Invalid):
        request(story, story.as_trainer, {Scope.CLEARANCE})


def test_an_answer_cannot_be_given_twice(story: Story) -> None:
    story.accepted()
    question = request(story, story.as_trainer, {Scope.OUTCOMES})
    sharing.decline(actor=story.as_client, consent_id=question.pk, at=NOON)
    with pytest.raises(Stale):
        grant(story, question)
