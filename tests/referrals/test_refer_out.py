"""The way back: a trainer refers a client to a therapist, with facts and nothing else."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction

from clients.models import AccessEntry, Consent, Credential, Professional
from clients.scopes import REPORTS_NOTICE_VERSION, SUGGESTED, Scope
from handoff.core.actors import Actor
from handoff.core.errors import DomainError, Invalid, NotAllowed, NotVisible, Stale
from referrals import access, care, disclosure, facts, lifecycle, questions, sharing
from referrals.models import LoopReport, ReferOutFacts, Referral, ReferralEvent
from referrals.packets import Withheld
from referrals.reasons import HoldReason
from referrals.states import Kind, Party, State, Verb
from tests.factories import (
    NOON,
    ClientFactory,
    CredentialFactory,
    ProfessionalFactory,
    acting,
    certified_trainer,
    granted_consent,
    licensed_pt,
)
from tests.referrals.test_lifecycle import LAST_DAY, Story

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FACTS: Mapping[str, Any] = MappingProxyType(
    {
        "observations": "Said it hurts at the front when going down the stairs since Monday.",
        "body_region": "knee",
        "laterality": "left",
        "pain_now": 3,
        "pain_worst": 5,
        "signs": [],
        "since": "2027-01-11",
        "stopped": "Deep squats",
    }
)
FEEDBACK = frozenset({Scope.TRAINING_FEEDBACK})


class Back(Story):
    """A client in training whose knee hurts, the therapist who sent them, and another one."""

    def __init__(self, classes: frozenset[Scope] = SUGGESTED) -> None:
        super().__init__()
        self.other_pt = licensed_pt()
        self.stranger = certified_trainer()
        self.classes = classes
        self.handoff = self.under_way()

    def under_way(self) -> Referral:
        granted_consent(
            client=self.client, discloser=self.pt, recipient=self.trainer, classes=self.classes
        )
        referral = self.draft()
        lifecycle.send(actor=self.as_pt, referral_id=referral.pk, at=NOON)
        lifecycle.accept(actor=self.as_trainer, referral_id=referral.pk, at=NOON)
        Referral.objects.filter(pk=referral.pk).update(
            state=State.IN_PROGRESS, created_at=NOON - DAY
        )
        return Referral.objects.get(pk=referral.pk)

    @property
    def as_other_pt(self) -> Actor:
        return acting(self.other_pt)

    def refer(self, actor: Actor | None = None, **fields: Any) -> Referral:
        return lifecycle.draft(
            actor=actor or self.as_trainer,
            client_id=fields.pop("client_id", self.client.pk),
            kind=fields.pop("kind", Kind.REFER_OUT),
            facts={**FACTS, **fields.pop("facts", {})},
            at=NOON,
            **fields,
        )

    def send(self, referral: Referral) -> Referral:
        return lifecycle.send(actor=self.as_trainer, referral_id=referral.pk, at=NOON)

    def sent(self, **fields: Any) -> Referral:
        return self.send(self.refer(**fields))

    def agree(self, referral: Referral) -> Referral:
        sharing.grant(
            actor=self.as_client,
            consent_id=question_of(referral),
            classes=FEEDBACK,
            expires_on=LAST_DAY,
            at=NOON,
        )
        referral.refresh_from_db()
        return referral

    def accept(self, referral: Referral) -> Referral:
        return lifecycle.accept(
            actor=acting(Professional.objects.get(pk=referral.recipient_id)),
            referral_id=referral.pk,
            at=NOON,
        )

    def elsewhere(self) -> Referral:
        """Sent to the other therapist and agreed to."""
        return self.agree(self.sent(recipient_id=self.other_pt.pk))


def question_of(referral: Referral) -> UUID:
    """The consent a referral went out with, or waits for."""
    assert referral.consent_id is not None
    return referral.consent_id


@pytest.fixture
def back() -> Back:
    return Back()


# --- drafting ------------------------------------------------------------------------------------


def test_a_trainer_who_took_the_client_on_refers_back_to_whoever_sent_them(back: Back) -> None:
    referral = back.refer()
    assert (referral.kind, referral.state) == (Kind.REFER_OUT, State.DRAFT)
    assert (referral.sender, referral.recipient) == (back.trainer, back.pt)
    assert (referral.episode, referral.note, referral.goal) == (None, None, "")
    facts = ReferOutFacts.objects.get()
    assert (facts.client, facts.author, facts.referral) == (back.client, back.trainer, referral)
    assert (facts.pain_now, facts.pain_worst, facts.since) == (3, 5, date(2027, 1, 11))
    assert referral.priority == Referral.Priority.ROUTINE
    for actor in (back.as_pt, back.as_client, back.as_other_pt):
        with pytest.raises(NotVisible):
            access.referral_for(actor, referral.pk, at=NOON)


def test_another_listed_therapist_can_be_asked(back: Back) -> None:
    assert back.refer(recipient_id=back.other_pt.pk).recipient == back.other_pt


@pytest.mark.parametrize(
    "facts",
    [{"signs": ["numbness"]}, {"pain_worst": 6}, {"pain_now": 6, "pain_worst": None}],
)
def test_what_is_red_is_urgent(back: Back, facts: dict[str, Any]) -> None:
    referral = back.refer(facts=facts)
    assert referral.priority == Referral.Priority.URGENT
    calm = lifecycle.write_facts(
        actor=back.as_trainer, referral_id=referral.pk, facts=FACTS, priority="routine", at=NOON
    )
    assert calm.priority == Referral.Priority.ROUTINE
    red = lifecycle.write_facts(
        actor=back.as_trainer,
        referral_id=referral.pk,
        facts={**FACTS, **facts},
        priority="routine",
        at=NOON,
    )
    assert red.priority == Referral.Priority.URGENT


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"observations": " "}, "observations"),
        ({"observations": "x" * 2001}, "observations"),
        ({"body_region": ""}, "body_region"),
        ({"laterality": ""}, "laterality"),
        ({"body_region": "cardiorespiratory", "laterality": "left"}, "laterality"),
        ({"pain_now": 11}, "pain_now"),
        ({"pain_now": 4, "pain_worst": 2}, "pain_worst"),
        ({"signs": ["a feeling"]}, "signs"),
        ({"since": "2027-01-14"}, "since"),
        ({"since": "1900-01-01"}, "since"),
        ({"diagnosis": "Torn"}, "diagnosis"),
    ],
)
def test_facts_are_checked_where_they_stand(back: Back, facts: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        back.refer(facts=facts)
    assert list(refused.value.errors) == [field]
    assert not ReferOutFacts.objects.exists()


def test_a_region_without_sides_needs_none(back: Back) -> None:
    back.refer(facts={"body_region": "lumbar", "laterality": ""})
    assert ReferOutFacts.objects.get().laterality == "not_applicable"


Guard = Callable[[Back], Any]
NOT_DRAFTED: list[tuple[Guard, type[DomainError]]] = [
    (lambda b: b.refer(actor=b.as_pt), NotAllowed),
    (lambda b: b.refer(actor=b.as_client), NotAllowed),
    (lambda b: b.refer(actor=b.as_other_pt), NotVisible),
    (lambda b: b.refer(actor=acting(certified_trainer())), NotVisible),
    (lambda b: b.refer(client_id=ClientFactory.create().pk), NotVisible),
    (lambda b: b.refer(recipient_id=certified_trainer().pk), Invalid),
    (lambda b: b.refer(recipient_id=uuid4()), Invalid),
    (lambda b: b.refer(recipient_id=ProfessionalFactory.create().pk), Invalid),
    (lambda b: b.refer(recipient_id=licensed_pt(left_at=NOON).pk), Invalid),
    (lambda b: b.refer(recipient_id=licensed_pt(user=b.trainer.user).pk), Invalid),
    (lambda b: b.refer(episode_id=b.episode.pk), Invalid),
    (lambda b: b.refer(goal="Squat"), Invalid),
    (lambda b: b.refer(previous_id=b.handoff.pk), Invalid),
    (lambda b: b.refer(kind=Kind.SELF_START), Invalid),
    (lambda b: (b.refer(), b.refer()), Invalid),
]


@pytest.mark.parametrize(("try_it", "error"), NOT_DRAFTED)
def test_nobody_else_refers_and_not_to_anybody(
    back: Back, try_it: Guard, error: type[DomainError]
) -> None:
    with pytest.raises(error):
        try_it(back)


@pytest.mark.parametrize("state", [State.DECLINED, State.FAILED, State.CANCELLED, State.SENT])
def test_a_trainer_who_has_not_got_the_client_cannot_refer(back: Back, state: State) -> None:
    Referral.objects.filter(pk=back.handoff.pk).update(state=state)
    with pytest.raises(NotVisible):
        back.refer()
    Referral.objects.filter(pk=back.handoff.pk).update(state=State.COMPLETED)
    assert back.refer()


def test_a_therapist_needs_a_licence_where_the_client_lives(back: Back) -> None:
    Credential.objects.filter(user=back.other_pt.user).update(state="TX")
    with pytest.raises(Invalid) as refused:
        back.refer(recipient_id=back.other_pt.pk)
    assert "NY" in str(refused.value.errors["recipient"])
    CredentialFactory.create(user=back.other_pt.user, kind="compact_privilege", state="NY")
    assert back.refer(recipient_id=back.other_pt.pk)


def test_a_trainer_who_is_a_client_too_does_not_refer_themselves(back: Back) -> None:
    own = ClientFactory.create(user=back.trainer.user)
    with pytest.raises(NotAllowed):
        back.refer(client_id=own.pk)


def test_how_urgent_it_is_has_two_answers(back: Back) -> None:
    with pytest.raises(Invalid) as refused:
        lifecycle.write_facts(
            actor=back.as_trainer,
            referral_id=back.refer().pk,
            facts=FACTS,
            priority="soon",
            at=NOON,
        )
    assert list(refused.value.errors) == ["priority"]


def test_a_handoff_has_no_facts(back: Back) -> None:
    assert facts.of(back.handoff) is None


# --- the facts stay as they went out -------------------------------------------------------------


def test_only_the_sender_writes_and_only_a_draft(back: Back) -> None:
    referral = back.refer()
    with pytest.raises(NotVisible):
        lifecycle.write_facts(actor=back.as_pt, referral_id=referral.pk, facts=FACTS, at=NOON)
    back.send(referral)
    with pytest.raises(NotAllowed):
        lifecycle.write_facts(actor=back.as_pt, referral_id=referral.pk, facts=FACTS, at=NOON)
    with pytest.raises(Stale):
        lifecycle.write_facts(actor=back.as_trainer, referral_id=referral.pk, facts=FACTS, at=NOON)


def test_the_database_keeps_what_the_client_was_asked_about(back: Back) -> None:
    referral = back.sent(recipient_id=back.other_pt.pk)
    assert referral.state == State.AWAITING_CONSENT
    row = ReferOutFacts.objects.get()
    for change in (
        lambda: ReferOutFacts.objects.update(observations="Nothing"),
        lambda: ReferOutFacts.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    row.refresh_from_db()
    assert row.observations == FACTS["observations"]


# --- sending and consent ------------------------------------------------------------


def test_it_goes_out_under_what_flows_back_already(back: Back) -> None:
    referral = back.sent()
    assert (referral.state, referral.recipient) == (State.SENT, back.pt)
    assert referral.consent == Consent.objects.get()


def test_without_feedback_shared_the_client_is_asked_for_just_that(db: None) -> None:
    back = Back(classes=frozenset({Scope.CLEARANCE}))
    referral = back.sent()
    assert referral.state == State.AWAITING_CONSENT
    asked = referral.consent
    assert asked is not None
    assert (asked.discloser, asked.recipient) == (back.trainer, back.pt)
    assert asked.classes_asked == [Scope.TRAINING_FEEDBACK]
    assert asked.notice_version == REPORTS_NOTICE_VERSION
    with pytest.raises(NotVisible):
        access.referral_for(back.as_pt, referral.pk, at=NOON)
    assert back.agree(referral).state == State.SENT


def test_a_therapist_who_was_never_shared_with_needs_a_consent_of_their_own(back: Back) -> None:
    referral = back.sent(recipient_id=back.other_pt.pk)
    assert referral.state == State.AWAITING_CONSENT
    sharing.decline(actor=back.as_client, consent_id=question_of(referral), at=NOON)
    referral.refresh_from_db()
    assert referral.state == State.CANCELLED
    with pytest.raises(NotVisible):
        access.referral_for(back.as_other_pt, referral.pk, at=NOON)


def test_a_trainer_discloses_how_training_goes_and_nothing_else(back: Back) -> None:
    for classes in ({Scope.NOTE}, {Scope.TRAINING_FEEDBACK, Scope.CONTACT}):
        with pytest.raises(Invalid):
            lifecycle.send(
                actor=back.as_trainer,
                referral_id=back.refer(recipient_id=back.other_pt.pk).pk,
                classes=classes,
                at=NOON,
            )
        Referral.objects.filter(kind=Kind.REFER_OUT).update(state=State.DISCARDED)
    referral = back.sent(recipient_id=back.other_pt.pk)
    with pytest.raises(Invalid):
        sharing.grant(
            actor=back.as_client,
            consent_id=question_of(referral),
            classes=[Scope.TRAINING_FEEDBACK, Scope.NOTE],
            expires_on=LAST_DAY,
            at=NOON,
        )
    with pytest.raises(Invalid):  # no training ends with it
        sharing.grant(
            actor=back.as_client,
            consent_id=question_of(referral),
            classes=FEEDBACK,
            expires_on=LAST_DAY,
            until_training_ends=True,
            at=NOON,
        )


def test_a_client_is_not_asked_to_let_one_trainer_tell_another(back: Back) -> None:
    with pytest.raises(NotVisible):
        sharing.ask(
            actor=back.as_trainer,
            client_id=back.client.pk,
            discloser_id=back.trainer.pk,
            recipient_id=certified_trainer().pk,
            purpose="To know.",
            classes=FEEDBACK,
            at=NOON,
        )
    asked = sharing.ask(
        actor=back.as_trainer,
        client_id=back.client.pk,
        discloser_id=back.trainer.pk,
        recipient_id=back.other_pt.pk,
        purpose="To know.",
        classes=FEEDBACK,
        at=NOON,
    )
    assert asked.classes_asked == [Scope.TRAINING_FEEDBACK]


def test_sending_asks_for_a_licence_valid_then(back: Back) -> None:
    referral = back.refer()
    Credential.objects.filter(user=back.pt.user).update(expires_on=date(2027, 1, 12))
    with pytest.raises(NotAllowed):
        back.send(referral)


def test_a_full_therapist_is_asked_only_by_those_they_treated(back: Back) -> None:
    Professional.objects.update(accepts_referrals=False)
    with pytest.raises(NotAllowed):
        back.send(back.refer(recipient_id=back.other_pt.pk))
    assert back.sent().state == State.SENT


def test_a_newer_one_takes_the_place_of_the_one_nobody_accepted(back: Back) -> None:
    first = back.elsewhere()
    second = back.sent()
    first.refresh_from_db()
    assert (first.state, second.state) == (State.CANCELLED, State.SENT)


def test_the_running_training_waits_for_the_therapist(back: Back) -> None:
    back.sent()
    back.handoff.refresh_from_db()
    assert back.handoff.state == State.ON_HOLD
    event = ReferralEvent.objects.get(referral=back.handoff, verb=Verb.HOLD)
    assert (event.reason_code, event.party) == (HoldReason.WAITING_FOR_PT, Party.RECIPIENT)
    assert event.by == back.trainer.user


def test_with_the_clients_yes_the_system_puts_training_on_hold(back: Back) -> None:
    referral = back.sent(recipient_id=back.other_pt.pk)
    back.handoff.refresh_from_db()
    assert back.handoff.state == State.IN_PROGRESS
    back.agree(referral)
    back.handoff.refresh_from_db()
    assert back.handoff.state == State.ON_HOLD
    event = ReferralEvent.objects.get(referral=back.handoff, verb=Verb.HOLD)
    assert (event.reason_code, event.party, event.by) == ("waiting_for_pt", Party.SYSTEM, None)
    lifecycle.resume(actor=back.as_trainer, referral_id=back.handoff.pk, at=NOON)


# --- who reads what, step by step ------------------------------------------------------------

SECRET = FACTS["observations"]


def reads(actor: Actor, referral: Referral) -> dict[str, bool]:
    """Where somebody finds the facts: on the referral, and in the record."""

    def on_the_referral() -> bool:
        found = disclosure.facts_of(actor=actor, referral_id=referral.pk, at=NOON)
        return found is not None and found.observations == SECRET

    def in_the_record() -> bool:
        packet = disclosure.disclose(
            actor=actor, client_id=referral.client_id, purpose="test", at=NOON
        )
        part = packet.training_feedback
        return not isinstance(part, Withheld) and SECRET in [each.observations for each in part]

    found = {}
    for name, look in (("referral", on_the_referral), ("record", in_the_record)):
        try:
            found[name] = look()
        except NotVisible:
            found[name] = False
    return found


def seen(back: Back, referral: Referral) -> dict[str, str]:
    """Person -> where they find the facts: r(eferral), R(ecord)."""
    people = {
        "trainer": back.as_trainer,
        "pt": back.as_pt,
        "other pt": back.as_other_pt,
        "client": back.as_client,
        "other trainer": acting(back.stranger),
    }
    letters = {}
    for name, actor in people.items():
        found = reads(actor, referral)
        letters[name] = "r" * found["referral"] + "R" * found["record"]
    return letters


@pytest.mark.django_db(transaction=True)
def test_who_sees_the_facts_at_each_step_when_feedback_flows_back() -> None:
    back = Back()
    referral = back.refer()
    nobody = {"pt": "", "other pt": "", "other trainer": ""}
    assert seen(back, referral) == {**nobody, "trainer": "r", "client": ""}
    referral = back.send(referral)
    # The client shares how training goes with this therapist: the record tells them at once.
    assert seen(back, referral) == {**nobody, "trainer": "rR", "client": "rR", "pt": "R"}
    back.accept(referral)
    assert seen(back, referral) == {**nobody, "trainer": "rR", "client": "rR", "pt": "rR"}
    sharing.revoke(actor=back.as_client, consent_id=question_of(referral), at=NOON)
    assert seen(back, referral) == {**nobody, "trainer": "r", "client": "rR"}


@pytest.mark.django_db(transaction=True)
def test_who_sees_the_facts_at_each_step_with_a_therapist_who_is_new() -> None:
    back = Back(classes=frozenset({Scope.CLEARANCE}))
    nobody = {"pt": "", "other pt": "", "other trainer": ""}
    referral = back.refer(recipient_id=back.other_pt.pk)
    assert seen(back, referral) == {**nobody, "trainer": "r", "client": ""}
    referral = back.send(referral)
    assert seen(back, referral) == {**nobody, "trainer": "r", "client": "rR"}
    back.agree(referral)
    assert seen(back, referral) == {**nobody, "trainer": "r", "client": "rR"}
    seen_first = disclosure.envelope(actor=back.as_other_pt, referral_id=referral.pk, at=NOON)
    assert (seen_first.clearance_level, seen_first.has_restrictions) == (None, None)
    assert seen_first.client_display_name == f"{back.client.first_name} {back.client.last_name[0]}."
    assert seen_first.goal in ("", None)
    back.accept(referral)
    assert seen(back, referral) == {**nobody, "trainer": "r", "client": "rR", "other pt": "rR"}
    newest = AccessEntry.objects.filter(actor_id=back.other_pt.user_id).order_by("-number")
    assert {each.actor_role for each in newest} == {"pt"}
    sharing.revoke(actor=back.as_client, consent_id=question_of(referral), at=NOON)
    assert seen(back, referral) == {**nobody, "trainer": "r", "client": "rR"}


@pytest.mark.django_db(transaction=True)
def test_the_new_therapist_reads_the_reports_and_nothing_of_the_other_therapist() -> None:
    back = Back()
    referral = back.elsewhere()
    back.accept(referral)
    packet = disclosure.disclose(
        actor=back.as_other_pt, client_id=back.client.pk, purpose="test", at=NOON
    )
    assert packet.shown == (Scope.TRAINING_FEEDBACK,)


@pytest.mark.django_db(transaction=True)
def test_what_the_client_can_look_at_first_is_what_the_therapist_then_reads() -> None:
    back = Back(classes=frozenset({Scope.CLEARANCE}))
    referral = back.sent(recipient_id=back.other_pt.pk)
    tried = disclosure.preview(
        actor=back.as_client, consent_id=question_of(referral), classes=FEEDBACK, at=NOON
    )
    back.accept(back.agree(referral))
    read = disclosure.disclose(
        actor=back.as_other_pt, client_id=back.client.pk, purpose="test", at=NOON
    )
    assert tried.shown == read.shown == (Scope.TRAINING_FEEDBACK,)
    assert not isinstance(read.training_feedback, Withheld)
    assert not isinstance(tried.training_feedback, Withheld)
    told = [each.facts for each in read.training_feedback]
    assert [each.facts for each in tried.training_feedback] == told


def test_the_question_says_who_would_tell_whom(back: Back) -> None:
    referral = back.sent(recipient_id=back.other_pt.pk)
    asked = questions.question(back.as_client, question_of(referral), at=NOON)
    assert [part.scope for part in asked.parts] == [Scope.TRAINING_FEEDBACK]
    trainer, pt = back.trainer.user.first_name, back.other_pt.user.first_name
    words = asked.parts[0].text.meaning
    assert words.startswith(f"{trainer}, your trainer, would tell {pt}, your physical therapist")
    (change,) = asked.what_if(FEEDBACK)
    assert change.meaning.startswith(f"{pt} reads what {trainer} saw")
    assert asked.parts[0].without.startswith(f"{pt} no longer reads what {trainer} saw")


# --- accepting and closing ------------------------------------------------------------


def test_accepting_needs_a_licence_where_the_client_lives(back: Back) -> None:
    referral = back.elsewhere()
    Credential.objects.filter(user=back.other_pt.user).update(state="TX")
    with pytest.raises(NotAllowed):
        back.accept(referral)
    Credential.objects.filter(user=back.other_pt.user).update(state="NY")
    assert back.accept(referral).state == State.ACCEPTED


def test_who_accepted_can_open_an_episode(back: Back) -> None:
    opened: dict[str, object] = {
        "condition": "Knee pain",
        "body_region": "knee",
        "laterality": "left",
        "started_on": "2027-01-13",
    }
    referral = back.elsewhere()
    with pytest.raises(NotVisible):
        care.open_episode(actor=back.as_other_pt, client_id=back.client.pk, data=opened, at=NOON)
    back.accept(referral)
    episode = care.open_episode(
        actor=back.as_other_pt, client_id=back.client.pk, data=opened, at=NOON
    )
    assert episode.pt == back.other_pt


@pytest.mark.django_db(transaction=True)
def test_the_closing_report_is_the_clients_and_the_therapists() -> None:
    back = Back()
    referral = back.accept(back.sent())
    lifecycle.begin(actor=back.as_pt, referral_id=referral.pk, at=NOON)
    lifecycle.complete(
        actor=back.as_pt, referral_id=referral.pk, observations="The knee was looked at.", at=NOON
    )
    assert LoopReport.objects.get().author == back.pt

    def told(actor: Actor) -> bool:
        part = disclosure.disclose(
            actor=actor, client_id=back.client.pk, purpose="test", at=NOON
        ).training_feedback
        assert not isinstance(part, Withheld)
        return "The knee was looked at." in [each.observations for each in part]

    assert told(back.as_pt)
    assert told(back.as_client)
    assert not told(back.as_trainer)
    path = disclosure.steps(actor=back.as_trainer, referral_id=referral.pk, at=NOON)
    assert path[-1].target == State.COMPLETED


def test_declined_it_goes_to_somebody_else_with_the_same_facts_and_a_new_yes(back: Back) -> None:
    referral = back.elsewhere()
    lifecycle.decline(
        actor=back.as_other_pt, referral_id=referral.pk, reason_code="no_capacity", at=NOON
    )
    third = licensed_pt()
    with pytest.raises(Invalid):
        lifecycle.reroute(
            actor=back.as_trainer,
            referral_id=referral.pk,
            recipient_id=certified_trainer().pk,
            at=NOON,
        )
    anew = lifecycle.reroute(
        actor=back.as_trainer, referral_id=referral.pk, recipient_id=third.pk, at=NOON
    )
    assert ReferOutFacts.objects.get(referral=anew).observations == SECRET
    anew = back.send(anew)
    assert anew.state == State.AWAITING_CONSENT
    assert anew.consent is not None
    assert anew.consent.recipient == third


def test_consents_know_which_way_they_go(back: Back) -> None:
    referral = back.elsewhere()
    found = sharing.standing_of(referral, NOON)
    assert found is not None
    assert found.by_trainer
    flowing = sharing.standing_of(back.sent(), NOON)
    assert flowing is not None
    assert (flowing.is_active, flowing.classes) == (True, FEEDBACK)
