"""The life of a handoff: what each verb demands, leaves behind and refuses."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction

from clients import consent as consents
from clients.models import Client, Consent, Credential, Professional
from clients.scopes import SUGGESTED, Scope
from handoff.core.actors import ANONYMOUS, SYSTEM, Actor
from handoff.core.audit import AuditEntry
from handoff.core.errors import DomainError, Invalid, NotAllowed, NotVisible, Stale
from referrals import access, lifecycle, restrictions, sharing, states
from referrals.models import (
    DischargeNote,
    LoopReport,
    Referral,
    ReferralEvent,
    ReferralMessage,
    Reminder,
    RestrictionVersion,
)
from referrals.states import EDGES, OPEN, Party, State, Verb
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    ReferralFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    UserFactory,
    acting,
    certified_trainer,
    granted_consent,
    licensed_pt,
    signed_note,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LAST_DAY = date(2027, 7, 1)


class Story:
    """A signed discharge and everybody it concerns."""

    def __init__(self) -> None:
        self.pt = licensed_pt()
        self.trainer = certified_trainer()
        self.client = ClientFactory.create()
        self.episode = EpisodeFactory.create(client=self.client, pt=self.pt)
        self.note: DischargeNote = signed_note(episode=self.episode)
        self.version: RestrictionVersion = RestrictionVersionFactory.create(
            restriction=RestrictionFactory.create(episode=self.episode)
        )

    @property
    def as_pt(self) -> Actor:
        return acting(self.pt)

    @property
    def as_trainer(self) -> Actor:
        return acting(self.trainer)

    @property
    def as_client(self) -> Actor:
        return acting(self.client)

    def draft(self, recipient: Professional | None = None, **fields: Any) -> Referral:
        return lifecycle.draft(
            actor=self.as_pt,
            client_id=self.client.pk,
            recipient_id=(recipient or self.trainer).pk,
            episode_id=self.episode.pk,
            at=NOON,
            **{"goal": "Swim 1 km", **fields},
        )

    def sent(self, **fields: Any) -> Referral:
        """A referral that has reached the trainer, consent and all."""
        granted_consent(client=self.client, discloser=self.pt, recipient=self.trainer)
        referral = self.draft(**fields)
        return lifecycle.send(actor=self.as_pt, referral_id=referral.pk, at=NOON)

    def accepted(self) -> Referral:
        referral = self.sent()
        return lifecycle.accept(actor=self.as_trainer, referral_id=referral.pk, at=NOON)

    def running(self) -> Referral:
        referral = self.accepted()
        restrictions.acknowledge_all(actor=self.as_trainer, client_id=self.client.pk, at=NOON)
        return lifecycle.begin(actor=self.as_trainer, referral_id=referral.pk, at=NOON)


@pytest.fixture
def story() -> Story:
    return Story()


# --- from draft to sent ------------------------------------------------------------------------


def test_a_draft_is_the_senders_secret(story: Story) -> None:
    referral = story.draft()
    assert referral.state == State.DRAFT
    for actor in (story.as_trainer, story.as_client, ANONYMOUS):
        with pytest.raises(NotVisible):
            lifecycle.cancel(actor=actor, referral_id=referral.pk, at=NOON)


def test_without_consent_sending_asks_the_client_and_waits(story: Story) -> None:
    referral = story.draft()
    referral = lifecycle.send(actor=story.as_pt, referral_id=referral.pk, at=NOON)
    assert referral.state == State.AWAITING_CONSENT
    consent = Consent.objects.get()
    assert referral.consent == consent
    assert set(consent.classes_asked) == SUGGESTED
    assert (consent.discloser, consent.recipient) == (story.pt, story.trainer)
    with pytest.raises(NotVisible):
        lifecycle.view(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    with pytest.raises(NotAllowed):
        lifecycle.send(actor=story.as_pt, referral_id=referral.pk, at=NOON)


def test_the_clients_yes_sends_it(story: Story) -> None:
    referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    sharing.grant(
        actor=story.as_client,
        consent_id=Consent.objects.get().pk,
        classes=[Scope.CLEARANCE],
        expires_on=LAST_DAY,
        at=NOON + DAY,
    )
    referral.refresh_from_db()
    assert (referral.state, referral.sent_at) == (State.SENT, NOON + DAY)


@pytest.mark.parametrize("who", ["as_pt", "as_client"])
def test_a_handoff_waits_for_the_question_that_replaced_its_own(story: Story, who: str) -> None:
    referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    asked = {
        "actor": getattr(story, who),
        "client_id": story.client.pk,
        "discloser_id": story.pt.pk,
        "recipient_id": story.trainer.pk,
        "purpose": "In other words.",
        "classes": SUGGESTED,
    }
    again = sharing.ask(**asked, at=NOON + DAY)
    referral.refresh_from_db()
    assert referral.consent == again
    assert Reminder.objects.filter(consent=again, rule=4, state__in=Reminder.WAITING).exists()
    old = Reminder.objects.exclude(consent=again).filter(rule=4, state__in=Reminder.WAITING)
    assert not old.exists()
    sharing.grant(
        actor=story.as_client,
        consent_id=again.pk,
        classes=[Scope.CLEARANCE],
        expires_on=LAST_DAY,
        at=NOON + 2 * DAY,
    )
    referral.refresh_from_db()
    assert (referral.state, referral.sent_at) == (State.SENT, NOON + 2 * DAY)


def test_a_no_to_the_question_that_replaced_its_own_closes_it(story: Story) -> None:
    referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    again = sharing.ask(
        actor=story.as_pt,
        client_id=story.client.pk,
        discloser_id=story.pt.pk,
        recipient_id=story.trainer.pk,
        purpose="In other words.",
        classes=SUGGESTED,
        at=NOON,
    )
    sharing.decline(actor=story.as_client, consent_id=again.pk, at=NOON)
    referral.refresh_from_db()
    assert referral.state == State.CANCELLED


def test_a_yes_to_less_than_a_handoff_needs_is_refused_and_nothing_is_shared(
    story: Story,
) -> None:
    referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    with pytest.raises(Invalid) as refused:
        sharing.grant(
            actor=story.as_client,
            consent_id=Consent.objects.get().pk,
            classes=[Scope.CONTACT],
            expires_on=LAST_DAY,
            at=NOON,
        )
    assert "classes" in refused.value.errors
    referral.refresh_from_db()
    assert referral.state == State.AWAITING_CONSENT
    assert consents.live(client_id=story.client.pk, at=NOON) == ()


def test_the_clients_no_closes_it_and_says_nothing_about_why(story: Story) -> None:
    referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    sharing.decline(actor=story.as_client, consent_id=Consent.objects.get().pk, at=NOON)
    referral.refresh_from_db()
    assert referral.state == State.CANCELLED
    last = referral.events.order_by("-id")[0]
    assert last.reason_code == "not_shared"


def test_with_consent_it_goes_out_at_once(story: Story) -> None:
    referral = story.sent()
    assert referral.state == State.SENT
    assert referral.note == story.note
    assert [event.verb for event in referral.events.order_by("id")] == ["send"]
    assert AuditEntry.objects.filter(verb="referral.send").count() == 1


def test_a_handoff_needs_a_signed_note(story: Story) -> None:
    other = EpisodeFactory.create(client=story.client, pt=story.pt)
    referral = lifecycle.draft(
        actor=story.as_pt,
        client_id=story.client.pk,
        recipient_id=story.trainer.pk,
        episode_id=other.pk,
        at=NOON,
    )
    with pytest.raises(NotAllowed, match="Sign"):
        lifecycle.send(actor=story.as_pt, referral_id=referral.pk, at=NOON)


@pytest.mark.parametrize("lapsed", ["certificate", "not accepting", "full"])
def test_a_handoff_needs_a_recipient_who_may_take_it(story: Story, lapsed: str) -> None:
    referral = story.draft()
    if lapsed == "certificate":
        Credential.objects.filter(user=story.trainer.user).update(expires_on=date(2027, 1, 1))
    else:
        said = {"open_places": 0} if lapsed == "full" else {"accepts_referrals": False}
        Professional.objects.filter(pk=story.trainer.pk).update(**said)
    with pytest.raises(NotAllowed):
        lifecycle.send(actor=story.as_pt, referral_id=referral.pk, at=NOON)
    referral.refresh_from_db()
    assert referral.state == State.DRAFT
    assert not Consent.objects.exists()


@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 0), (0, 0), (None, None)])
def test_accepting_uses_a_place_and_what_was_sent_before_can_still_be_accepted(
    story: Story, before: int | None, after: int | None
) -> None:
    referral = story.sent()
    Professional.objects.filter(pk=story.trainer.pk).update(open_places=before)
    lifecycle.accept(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    story.trainer.refresh_from_db()
    assert story.trainer.open_places == after


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "self_start"}, "kind"),
        ({"kind": "nonsense"}, "kind"),
        ({"priority": "soon"}, "priority"),
        ({"start_from": date(2027, 2, 2), "start_until": date(2027, 2, 1)}, "start_until"),
    ],
)
def test_draft_refuses_what_makes_no_sense(
    story: Story, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        story.draft(**fields)
    assert field in refused.value.errors
    assert not Referral.objects.exists()


def test_draft_refuses_a_recipient_who_is_no_current_trainer(story: Story) -> None:
    gone = certified_trainer()
    gone.left_at = NOON
    gone.save()
    for recipient in (story.pt, licensed_pt(), gone):
        with pytest.raises(Invalid) as refused:
            story.draft(recipient)
        assert "recipient" in refused.value.errors


def test_draft_is_for_the_treating_therapist_and_their_client(story: Story) -> None:
    for actor, client_id in (
        (story.as_trainer, story.client.pk),
        (acting(licensed_pt()), story.client.pk),
        (story.as_client, story.client.pk),
        (ANONYMOUS, story.client.pk),
        (story.as_pt, ClientFactory.create().pk),
    ):
        with pytest.raises(NotVisible):
            lifecycle.draft(
                actor=actor,
                client_id=client_id,
                recipient_id=story.trainer.pk,
                episode_id=story.episode.pk,
                at=NOON,
            )


def test_one_open_referral_per_client_recipient_and_kind(story: Story) -> None:
    story.draft()
    with pytest.raises(Invalid, match="already open"):
        story.draft()
    with pytest.raises(IntegrityError), transaction.atomic():
        ReferralFactory.create(client=story.client, recipient=story.trainer)


def test_a_new_ask_closes_the_one_nobody_accepted(story: Story) -> None:
    first = story.sent()
    waiting = lifecycle.send(
        actor=story.as_pt, referral_id=story.draft(certified_trainer()).pk, at=NOON
    )
    first.refresh_from_db()
    assert first.state == State.CANCELLED
    assert first.events.order_by("-id")[0].reason_code == "superseded"
    third = certified_trainer()
    lifecycle.send(actor=story.as_pt, referral_id=story.draft(third).pk, at=NOON)
    waiting.refresh_from_db()
    assert waiting.state == State.CANCELLED
    assert waiting.consent is not None
    assert consents.standing(waiting.consent, NOON).state == "withdrawn"


def test_a_new_ask_leaves_an_accepted_one_alone(story: Story) -> None:
    accepted = story.accepted()
    lifecycle.send(actor=story.as_pt, referral_id=story.draft(certified_trainer()).pk, at=NOON)
    accepted.refresh_from_db()
    assert accepted.state == State.ACCEPTED


# --- the answer ----------------------------------------------------------------------------------


def test_viewing_marks_it_once_and_does_not_restart_the_wait(story: Story) -> None:
    referral = story.sent()
    for _ in range(2):
        referral = lifecycle.view(actor=story.as_trainer, referral_id=referral.pk, at=NOON + DAY)
    assert referral.state == State.VIEWED
    assert referral.state_at == NOON
    assert referral.events.filter(verb="view").count() == 1


def test_the_sender_looking_is_no_view(story: Story) -> None:
    referral = story.sent()
    assert lifecycle.view(actor=story.as_pt, referral_id=referral.pk).state == State.SENT


def test_ask_and_answer(story: Story) -> None:
    referral = story.sent()
    lifecycle.ask(actor=story.as_trainer, referral_id=referral.pk, text="Mornings?", at=NOON)
    with pytest.raises(NotAllowed):
        lifecycle.answer(actor=story.as_trainer, referral_id=referral.pk, text="Yes", at=NOON)
    referral = lifecycle.answer(
        actor=story.as_pt, referral_id=referral.pk, text="Yes, mornings.", at=NOON
    )
    assert referral.state == State.VIEWED
    assert [row.author for row in ReferralMessage.objects.order_by("sent_at", "id")] == [
        story.trainer,
        story.pt,
    ] or ReferralMessage.objects.count() == 2


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_a_message_needs_words_and_an_end(story: Story, text: str) -> None:
    referral = story.sent()
    with pytest.raises(Invalid) as refused:
        lifecycle.ask(actor=story.as_trainer, referral_id=referral.pk, text=text, at=NOON)
    assert "text" in refused.value.errors
    referral.refresh_from_db()
    assert referral.state == State.SENT


def test_accepting_needs_current_certificates(story: Story) -> None:
    referral = story.sent()
    Credential.objects.filter(user=story.trainer.user, kind="cpr_aed").update(
        expires_on=date(2027, 1, 1)
    )
    with pytest.raises(NotAllowed, match="CPR"):
        lifecycle.accept(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    referral.refresh_from_db()
    assert (referral.state, referral.answered_at) == (State.SENT, None)


def test_accepting_is_the_recipients_alone(story: Story) -> None:
    referral = story.sent()
    for actor, error in (
        (story.as_pt, NotAllowed),
        (story.as_client, NotAllowed),
        (acting(certified_trainer()), NotVisible),
        (acting(UserFactory.create()), NotVisible),
        (ANONYMOUS, NotVisible),
        (SYSTEM, NotAllowed),
    ):
        with pytest.raises(error):
            lifecycle.accept(actor=actor, referral_id=referral.pk, at=NOON)
    assert (
        lifecycle.accept(actor=story.as_trainer, referral_id=referral.pk, at=NOON).answered_at
        == NOON
    )


@pytest.mark.parametrize("code", ["", "because", "client_choice"])
def test_declining_needs_a_reason_from_the_list(story: Story, code: str) -> None:
    referral = story.sent()
    with pytest.raises(Invalid) as refused:
        lifecycle.decline(
            actor=story.as_trainer, referral_id=referral.pk, reason_code=code, at=NOON
        )
    assert "reason_code" in refused.value.errors


def test_declined_is_the_end_and_can_be_re_routed(story: Story) -> None:
    referral = story.sent()
    lifecycle.decline(
        actor=story.as_trainer,
        referral_id=referral.pk,
        reason_code="no_capacity",
        reason_text="Full until March.",
        at=NOON,
    )
    with pytest.raises(Stale):
        lifecycle.accept(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    other = certified_trainer()
    with pytest.raises(Invalid):
        lifecycle.reroute(
            actor=story.as_pt, referral_id=referral.pk, recipient_id=story.trainer.pk, at=NOON
        )
    with pytest.raises(NotAllowed):
        lifecycle.reroute(
            actor=story.as_trainer, referral_id=referral.pk, recipient_id=other.pk, at=NOON
        )
    again = lifecycle.reroute(
        actor=story.as_pt, referral_id=referral.pk, recipient_id=other.pk, at=NOON
    )
    assert (again.state, again.previous, again.recipient) == (State.DRAFT, referral, other)
    sent = lifecycle.send(actor=story.as_pt, referral_id=again.pk, at=NOON)
    assert sent.state == State.AWAITING_CONSENT  # consent names a person: it is asked anew


def test_what_is_under_way_cannot_be_re_routed(story: Story) -> None:
    referral = story.accepted()
    with pytest.raises(Stale):
        lifecycle.reroute(
            actor=story.as_pt,
            referral_id=referral.pk,
            recipient_id=certified_trainer().pk,
            at=NOON,
        )


# --- under way ------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", [NOON, NOON - DAY, NOON + 400 * DAY])
def test_a_session_lies_ahead_but_not_too_far(story: Story, when: datetime) -> None:
    referral = story.accepted()
    with pytest.raises(Invalid) as refused:
        lifecycle.schedule(
            actor=story.as_trainer, referral_id=referral.pk, first_session_at=when, at=NOON
        )
    assert "first_session_at" in refused.value.errors


def test_booking_missing_and_booking_again(story: Story) -> None:
    referral = story.accepted()
    lifecycle.schedule(
        actor=story.as_client, referral_id=referral.pk, first_session_at=NOON + DAY, at=NOON
    )
    with pytest.raises(NotAllowed, match="not begun"):
        lifecycle.no_show(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    missed = lifecycle.no_show(actor=story.as_trainer, referral_id=referral.pk, at=NOON + 2 * DAY)
    assert missed.state == State.NO_SHOW
    again = lifecycle.schedule(
        actor=story.as_trainer,
        referral_id=referral.pk,
        first_session_at=NOON + 4 * DAY,
        at=NOON + 2 * DAY,
    )
    assert again.state == State.SCHEDULED
    off = lifecycle.cancel_appointment(
        actor=story.as_client, referral_id=referral.pk, at=NOON + 3 * DAY
    )
    assert (off.state, off.first_session_at) == (State.APPT_CANCELLED, None)


def test_the_first_session_waits_for_the_limits_to_be_read(story: Story) -> None:
    referral = story.accepted()
    with pytest.raises(NotAllowed, match="limits"):
        lifecycle.begin(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    restrictions.acknowledge(
        actor=story.as_trainer,
        restriction_id=story.version.restriction_id,
        version=story.version.number,
        at=NOON,
    )
    begun = lifecycle.begin(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    assert begun.state == State.IN_PROGRESS


def test_limits_that_are_not_shared_cannot_hold_it_up(story: Story) -> None:
    referral = story.accepted()
    consent = Consent.objects.get()
    sharing.narrow(actor=story.as_client, consent_id=consent.pk, classes=[Scope.CLEARANCE], at=NOON)
    assert (
        lifecycle.begin(actor=story.as_trainer, referral_id=referral.pk, at=NOON).state
        == State.IN_PROGRESS
    )


def test_limits_are_read_first_even_if_nothing_else_is_shared_any_more(story: Story) -> None:
    """A client who shares less afterwards keeps the trainer's duty to read what is still shared."""
    referral = story.accepted()
    sharing.narrow(
        actor=story.as_client,
        consent_id=Consent.objects.get().pk,
        classes=[Scope.RESTRICTIONS],
        at=NOON,
    )
    with pytest.raises(NotAllowed, match="read the current limits"):
        lifecycle.begin(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    restrictions.acknowledge_all(actor=story.as_trainer, client_id=story.client.pk, at=NOON)
    lifecycle.begin(actor=story.as_trainer, referral_id=referral.pk, at=NOON)


def test_reports_close_the_loop(story: Story) -> None:
    referral = story.running()
    lifecycle.report(
        actor=story.as_trainer, referral_id=referral.pk, observations="Going well.", at=NOON
    )
    with pytest.raises(Invalid):
        lifecycle.complete(
            actor=story.as_trainer, referral_id=referral.pk, observations=" ", at=NOON
        )
    with pytest.raises(Invalid):
        lifecycle.complete(
            actor=story.as_trainer,
            referral_id=referral.pk,
            observations="Done",
            sessions_held=-1,
            at=NOON,
        )
    done = lifecycle.complete(
        actor=story.as_trainer,
        referral_id=referral.pk,
        observations="Twelve sessions.",
        sessions_held=12,
        at=NOON,
    )
    assert (done.state, done.closed_at) == (State.COMPLETED, NOON)
    assert list(LoopReport.objects.order_by("kind").values_list("kind", flat=True)) == [
        "final",
        "interim",
    ]


def test_hold_and_resume(story: Story) -> None:
    referral = story.running()
    with pytest.raises(Invalid):
        lifecycle.hold(actor=story.as_pt, referral_id=referral.pk, reason_code="", at=NOON)
    lifecycle.hold(actor=story.as_pt, referral_id=referral.pk, reason_code="client_away", at=NOON)
    assert (
        lifecycle.resume(actor=story.as_trainer, referral_id=referral.pk, at=NOON).state
        == State.IN_PROGRESS
    )


def test_cancelling_before_acceptance_is_at_once(story: Story) -> None:
    referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    lifecycle.cancel(
        actor=story.as_pt, referral_id=referral.pk, reason_code="client_choice", at=NOON
    )
    referral.refresh_from_db()
    assert referral.state == State.CANCELLED
    assert referral.consent is not None
    assert consents.standing(referral.consent, NOON).state == "withdrawn"


def test_cancelling_after_acceptance_takes_two(story: Story) -> None:
    referral = story.accepted()
    asked = lifecycle.cancel(
        actor=story.as_client, referral_id=referral.pk, reason_code="moved_away", at=NOON
    )
    assert asked.state == State.CANCEL_REQUESTED
    with pytest.raises(NotAllowed):
        lifecycle.confirm_cancel(actor=story.as_client, referral_id=referral.pk, at=NOON)
    assert (
        lifecycle.confirm_cancel(actor=story.as_trainer, referral_id=referral.pk, at=NOON).state
        == State.CANCELLED
    )


def test_entered_in_error_disappears_for_the_others(story: Story) -> None:
    referral = story.accepted()
    lifecycle.enter_in_error(
        actor=story.as_pt, referral_id=referral.pk, reason_code="wrong_client", at=NOON
    )
    for actor in (story.as_trainer, story.as_client):
        with pytest.raises(NotVisible):
            lifecycle.hold(actor=actor, referral_id=referral.pk, reason_code="client_away", at=NOON)


def test_an_admin_may_enter_in_error_and_nothing_else(story: Story) -> None:
    referral = story.sent()
    admin = acting(UserFactory.create(is_staff=True))
    with pytest.raises(NotVisible):
        lifecycle.accept(actor=admin, referral_id=referral.pk, at=NOON)
    assert (
        lifecycle.enter_in_error(
            actor=admin, referral_id=referral.pk, reason_code="duplicate", at=NOON
        ).state
        == State.ENTERED_IN_ERROR
    )


def test_a_draft_can_be_thrown_away(story: Story) -> None:
    referral = story.draft()
    assert (
        lifecycle.discard(actor=story.as_pt, referral_id=referral.pk, at=NOON).state
        == State.DISCARDED
    )
    story.draft()  # and the place is free again


# --- time ---------------------------------------------------------------------------------------


def test_nothing_times_out_early_and_everything_in_time(story: Story) -> None:
    """Seven business days from a Wednesday noon, over Martin Luther King day: 25 January."""
    referral = story.sent()
    due = NOON + 12 * DAY
    assert lifecycle.time_out(at=due - timedelta(seconds=1)) == 0
    assert lifecycle.time_out(at=due) == 1
    referral.refresh_from_db()
    assert referral.state == State.EXPIRED
    assert lifecycle.time_out(at=due + DAY) == 0


def test_an_urgent_one_expires_after_48_hours(story: Story) -> None:
    referral = story.sent(priority="urgent")
    assert lifecycle.time_out(at=NOON + timedelta(hours=47, minutes=59)) == 0
    assert lifecycle.time_out(at=NOON + timedelta(hours=48)) == 1
    referral.refresh_from_db()
    assert referral.state == State.EXPIRED


def test_an_unanswered_question_of_consent_closes_after_21_days(story: Story) -> None:
    referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    assert lifecycle.time_out(at=NOON + 20 * DAY) == 0
    assert lifecycle.time_out(at=NOON + 21 * DAY) == 1
    referral.refresh_from_db()
    assert referral.state == State.CANCELLED
    assert referral.events.order_by("-id")[0].reason_code == "not_shared"
    assert referral.consent is not None
    assert consents.standing(referral.consent, NOON + 21 * DAY).state == "lapsed"
    with pytest.raises(Stale):
        sharing.grant(
            actor=story.as_client,
            consent_id=referral.consent.pk,
            classes=SUGGESTED,
            expires_on=LAST_DAY,
            at=NOON + 22 * DAY,
        )


def test_a_cancellation_nobody_confirms_holds_after_two_business_days(story: Story) -> None:
    referral = story.accepted()
    lifecycle.cancel(actor=story.as_pt, referral_id=referral.pk, reason_code="other", at=NOON)
    assert lifecycle.time_out(at=NOON + DAY) == 0
    assert lifecycle.time_out(at=NOON + 2 * DAY) == 1
    referral.refresh_from_db()
    assert referral.state == State.CANCELLED


def test_many_that_wait_longer_do_not_keep_one_from_timing_out(story: Story) -> None:
    """What waited longest is looked at first, and its time may be up last."""
    for _ in range(3):
        other = Story()
        lifecycle.send(actor=other.as_pt, referral_id=other.draft().pk, at=NOON - DAY)
    urgent = story.sent(priority="urgent")
    assert lifecycle.time_out(at=NOON + 3 * DAY, limit=2) == 1
    urgent.refresh_from_db()
    assert urgent.state == State.EXPIRED


def test_one_that_cannot_be_timed_out_holds_up_no_other(story: Story) -> None:
    broken = Story()
    stuck = lifecycle.send(actor=broken.as_pt, referral_id=broken.draft().pk, at=NOON - DAY)
    Client.objects.filter(pk=broken.client.pk).update(time_zone="Mars/Olympus")
    waiting = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    assert lifecycle.time_out(at=NOON + 22 * DAY) == 1
    waiting.refresh_from_db()
    assert waiting.state == State.CANCELLED
    stuck.refresh_from_db()
    assert stuck.state == State.AWAITING_CONSENT


# --- every (state, verb, party) -------------------------------------------------------------------

CALLS: dict[Verb, Any] = {
    Verb.SEND: lambda a, pk: lifecycle.send(actor=a, referral_id=pk, at=NOON),
    Verb.ASK: lambda a, pk: lifecycle.ask(actor=a, referral_id=pk, text="?", at=NOON),
    Verb.ANSWER: lambda a, pk: lifecycle.answer(actor=a, referral_id=pk, text="!", at=NOON),
    Verb.ACCEPT: lambda a, pk: lifecycle.accept(actor=a, referral_id=pk, at=NOON),
    Verb.DECLINE: lambda a, pk: lifecycle.decline(
        actor=a, referral_id=pk, reason_code="other", at=NOON
    ),
    Verb.SCHEDULE: lambda a, pk: lifecycle.schedule(
        actor=a, referral_id=pk, first_session_at=NOON + DAY, at=NOON
    ),
    Verb.NO_SHOW: lambda a, pk: lifecycle.no_show(actor=a, referral_id=pk, at=NOON + 3 * DAY),
    Verb.CANCEL_APPOINTMENT: lambda a, pk: lifecycle.cancel_appointment(
        actor=a, referral_id=pk, at=NOON
    ),
    Verb.BEGIN: lambda a, pk: lifecycle.begin(actor=a, referral_id=pk, at=NOON),
    Verb.HOLD: lambda a, pk: lifecycle.hold(actor=a, referral_id=pk, reason_code="other", at=NOON),
    Verb.RESUME: lambda a, pk: lifecycle.resume(actor=a, referral_id=pk, at=NOON),
    Verb.REPORT: lambda a, pk: lifecycle.report(
        actor=a, referral_id=pk, observations="Seen.", at=NOON
    ),
    Verb.COMPLETE: lambda a, pk: lifecycle.complete(
        actor=a, referral_id=pk, observations="Done.", at=NOON
    ),
    Verb.FAIL: lambda a, pk: lifecycle.fail(actor=a, referral_id=pk, reason_code="other", at=NOON),
    Verb.CANCEL: lambda a, pk: lifecycle.cancel(
        actor=a, referral_id=pk, reason_code="other", at=NOON
    ),
    Verb.CONFIRM_CANCEL: lambda a, pk: lifecycle.confirm_cancel(actor=a, referral_id=pk, at=NOON),
    Verb.DISCARD: lambda a, pk: lifecycle.discard(actor=a, referral_id=pk, at=NOON),
    Verb.ENTER_IN_ERROR: lambda a, pk: lifecycle.enter_in_error(
        actor=a, referral_id=pk, reason_code="other", at=NOON
    ),
}
UNCALLED = {
    Verb.VIEW: "does nothing where there is no edge",
    Verb.REROUTE: "walks no edge",
    Verb.AWAIT_CONSENT: "what send becomes",
    Verb.CONSENT_GRANTED: "follows from consent",
    Verb.CONSENT_DECLINED: "follows from consent",
    Verb.SUPERSEDE: "follows from sending",
    Verb.EXPIRE: "follows from time",
}


def test_every_verb_is_called_or_explained() -> None:
    assert set(CALLS) | set(UNCALLED) == set(Verb)
    assert not set(CALLS) & set(UNCALLED)


def _actors(story: Story) -> dict[Party, Actor]:
    return {
        Party.SENDER: story.as_pt,
        Party.RECIPIENT: story.as_trainer,
        Party.CLIENT: story.as_client,
        Party.ADMIN: acting(UserFactory.create(is_staff=True)),
        Party.SYSTEM: SYSTEM,
    }


@pytest.mark.parametrize("state", list(State))
def test_a_verb_succeeds_exactly_where_the_table_has_an_edge(story: Story, state: State) -> None:
    """For every party and every verb, on a real row in `state`."""
    granted_consent(
        client=story.client,
        discloser=story.pt,
        recipient=story.trainer,
        classes=frozenset({Scope.CLEARANCE}),
    )
    for party, actor in _actors(story).items():
        for verb, call in CALLS.items():
            point = transaction.savepoint()
            referral: Referral = ReferralFactory.create(
                client=story.client,
                sender=story.pt,
                recipient=story.trainer,
                episode=story.episode,
                state=state,
                sent_at=None if state in (State.DRAFT, State.AWAITING_CONSENT) else NOON,
                first_session_at=NOON + DAY,
            )
            expected = [
                step
                for step in EDGES
                if step.source == state and step.verb == verb and party in step.parties
            ]
            try:
                call(actor, referral.pk)
            except DomainError:
                assert not expected, f"{party} was refused {verb} from {state}"
                referral.refresh_from_db()
                assert referral.state == state
                assert not ReferralEvent.objects.filter(referral=referral).exists()
            else:
                assert expected, f"{party} could {verb} from {state}"
                referral.refresh_from_db()
                assert referral.state in {step.target for step in expected}
                event = ReferralEvent.objects.get(referral=referral)
                assert (event.source, event.target) == (state, referral.state)
                assert AuditEntry.objects.filter(object_id=str(referral.pk)).exists()
            transaction.savepoint_rollback(point)


def test_an_unknown_referral_is_not_visible(story: Story) -> None:
    for verb, call in CALLS.items():
        with pytest.raises(NotVisible):
            call(story.as_pt, uuid4())
        assert verb in Verb


def test_open_states_are_what_the_constraint_says() -> None:
    (constraint,) = (
        each
        for each in Referral._meta.constraints
        if each.name == "referral_one_open_per_client_recipient_kind"
    )
    assert set(dict(constraint.condition.children)["state__in"]) == set(OPEN)  # type: ignore[attr-defined]  # a unique constraint


def test_states_module_and_walk_agree_on_terminal(story: Story) -> None:
    referral = story.draft()
    lifecycle.discard(actor=story.as_pt, referral_id=referral.pk, at=NOON)
    assert states.edges_from(State.DISCARDED, Party.SENDER) == ()
    assert isinstance(referral.pk, UUID)


# --- time and what is too long ------------------------------------------------------------------


def test_a_referral_out_waits_for_two_things_and_only_the_answer_ends_it(story: Story) -> None:
    """The client not seen by a therapist is told after 14 days; it changes no state."""
    asked = ReferralFactory.create(
        kind=states.Kind.REFER_OUT,
        client=story.client,
        sender=story.trainer,
        recipient=story.pt,
        state=State.INFO_REQUESTED,
        sent_at=NOON,
    )
    later = NOON + 14 * DAY + timedelta(minutes=1)  # a holiday makes it more than ten business days
    assert lifecycle.time_out(at=later) == 0
    assert lifecycle.time_out(at=NOON + 16 * DAY) == 1
    asked.refresh_from_db()
    assert asked.state == State.EXPIRED


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda story: story.draft(goal="x" * 301), "goal"),
        (
            lambda story: lifecycle.decline(
                actor=story.as_trainer,
                referral_id=story.sent().pk,
                reason_code="no_capacity",
                reason_text="x" * 501,
                at=NOON,
            ),
            "reason_text",
        ),
        (
            lambda story: lifecycle.report(
                actor=story.as_trainer,
                referral_id=story.running().pk,
                observations="x" * 4001,
                at=NOON,
            ),
            "observations",
        ),
    ],
)
def test_what_is_too_long_is_refused_at_its_field(
    story: Story, call: Callable[[Story], object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        call(story)
    assert list(refused.value.errors) == [field]


def test_a_question_to_or_from_somebody_unknown_is_not_visible(story: Story) -> None:
    for pair in (
        (story.pt.pk, uuid4()),
        (uuid4(), story.trainer.pk),
        (story.pt.pk, story.pt.pk),
        (story.trainer.pk, story.pt.pk),
    ):
        with pytest.raises(NotVisible):
            sharing.ask(
                actor=story.as_pt,
                client_id=story.client.pk,
                discloser_id=pair[0],
                recipient_id=pair[1],
                purpose="To train safely",
                classes=SUGGESTED,
                at=NOON,
            )
    assert not Consent.objects.exists()


def test_sending_closes_an_earlier_ask_that_has_no_question_of_its_own(story: Story) -> None:
    other = ReferralFactory.create(
        client=story.client,
        episode=story.episode,
        sender=story.pt,
        recipient=certified_trainer(),
        state=State.SENT,
        sent_at=NOON,
    )
    story.sent()
    other.refresh_from_db()
    assert other.state == State.CANCELLED


def test_a_new_draft_says_nothing_of_an_agreement_that_ended_before_it(story: Story) -> None:
    ended = granted_consent(client=story.client, discloser=story.pt, recipient=story.trainer)
    sharing.revoke(actor=story.as_client, consent_id=ended.pk, at=NOON)
    assert sharing.standing_of(story.draft(), NOON) is None


@pytest.mark.parametrize("verb", ["grant", "decline", "narrow", "revoke"])
def test_a_recipient_who_does_not_know_of_a_question_finds_none_to_answer(
    story: Story, verb: str
) -> None:
    """Also one who is a client of somebody else, whom the pages of clients let in."""
    ClientFactory.create(user=story.trainer.user)
    asked = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    assert asked.consent_id is not None
    extra: dict[str, Any] = {}
    if verb in ("grant", "narrow"):
        extra["classes"] = SUGGESTED
    if verb == "grant":
        extra["expires_on"] = LAST_DAY
    for pk, actor in ((asked.consent_id, story.as_trainer), (uuid4(), story.as_client)):
        with pytest.raises(NotVisible):
            getattr(sharing, verb)(actor=actor, consent_id=pk, at=NOON, **extra)
    with pytest.raises(NotAllowed):
        getattr(sharing, verb)(actor=story.as_pt, consent_id=asked.consent_id, at=NOON, **extra)


def test_a_recipient_never_learns_of_what_never_reached_them(story: Story) -> None:
    asked = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    assert asked.consent_id is not None
    sharing.decline(actor=story.as_client, consent_id=asked.consent_id, at=NOON)
    asked.refresh_from_db()
    assert asked.state == State.CANCELLED
    with pytest.raises(NotVisible):
        access.referral_for(story.as_trainer, asked.pk, at=NOON)
    assert access.referral_for(story.as_pt, asked.pk, at=NOON) == asked
