"""Back from therapy: the same trainer, new limits that have to be read again."""

from collections.abc import Callable
from typing import Any

import pytest

from clients import consent as consents
from clients.models import Consent, Professional
from clients.scopes import SUGGESTED, Scope
from handoff.core.errors import DomainError, Invalid, NotAllowed, NotVisible
from referrals import lifecycle, reminders, restrictions, sharing
from referrals.models import Referral, ReferralEvent, Reminder, RestrictionVersion
from referrals.reasons import SystemReason
from referrals.reminders.rules import Rule
from referrals.states import Kind, State
from tests.factories import (
    NOON,
    EpisodeFactory,
    RestrictionVersionFactory,
    acting,
    certified_trainer,
    granted_consent,
    signed_note,
)
from tests.referrals.test_lifecycle import LAST_DAY
from tests.referrals.test_refer_out import Back

pytestmark = pytest.mark.django_db


@pytest.fixture
def back() -> Back:
    return Back()


def seen_by_pt(back: Back) -> Referral:
    """Referred back, accepted by the therapist who had sent the client."""
    return back.accept(back.sent())


def draft(back: Back, **fields: Any) -> Referral:
    return lifecycle.draft(
        actor=fields.pop("actor", back.as_pt),
        client_id=back.client.pk,
        recipient_id=fields.pop("recipient_id", back.trainer.pk),
        episode_id=fields.pop("episode_id", back.episode.pk),
        kind=Kind.RETURN_TO_TRAINING,
        at=NOON,
        **fields,
    )


def sent(back: Back, **fields: Any) -> Referral:
    return lifecycle.send(actor=back.as_pt, referral_id=draft(back, **fields).pk, at=NOON)


def accepted(back: Back, referral: Referral) -> Referral:
    return lifecycle.accept(actor=back.as_trainer, referral_id=referral.pk, at=NOON)


def test_a_return_goes_out_under_what_is_shared_and_names_what_it_answers(back: Back) -> None:
    answered = seen_by_pt(back)
    referral = sent(back, previous_id=answered.pk)
    assert (referral.state, referral.previous) == (State.SENT, answered)
    assert referral.note == back.note


def test_without_clearance_shared_the_client_is_asked(db: None) -> None:
    back = Back()
    sharing.narrow(
        actor=back.as_client,
        consent_id=Consent.objects.get().pk,
        classes=[Scope.CONTACT],
        at=NOON,
    )
    referral = sent(back)
    assert referral.state == State.AWAITING_CONSENT
    asked = referral.consent
    assert asked is not None
    assert (asked.discloser, asked.recipient) == (back.pt, back.trainer)
    assert set(asked.classes_asked) == SUGGESTED
    sharing.grant(
        actor=back.as_client,
        consent_id=asked.pk,
        classes=[Scope.CLEARANCE],
        expires_on=LAST_DAY,
        at=NOON,
    )
    referral.refresh_from_db()
    assert referral.state == State.SENT


Try = Callable[[Back], Any]
REFUSED: list[tuple[Try, type[DomainError], str]] = [
    (lambda b: draft(b, actor=b.as_trainer), NotVisible, ""),
    (lambda b: draft(b, actor=b.as_other_pt), NotVisible, ""),
    (lambda b: draft(b, recipient_id=certified_trainer().pk), Invalid, "recipient"),
    (lambda b: draft(b, recipient_id=b.other_pt.pk), Invalid, "recipient"),
    (lambda b: draft(b, recipient_id=None), Invalid, "recipient"),
    (lambda b: draft(b, episode_id=None), Invalid, "episode"),
    (lambda b: draft(b, facts={"observations": "It hurts."}), Invalid, "facts"),
    (lambda b: draft(b, previous_id=b.handoff.pk), Invalid, "previous"),
    (lambda b: draft(b, previous_id=b.elsewhere().pk), Invalid, "previous"),
    (lambda b: draft(b, previous_id=b.sent().pk), Invalid, "previous"),
    (lambda b: (draft(b), draft(b)), Invalid, "recipient"),
]


@pytest.mark.parametrize(("try_it", "error", "field"), REFUSED)
def test_nobody_else_sends_back_and_not_to_anybody(
    back: Back, try_it: Try, error: type[DomainError], field: str
) -> None:
    with pytest.raises(error) as refused:
        try_it(back)
    if isinstance(refused.value, Invalid):
        assert list(refused.value.errors) == [field]


def test_it_needs_a_signed_note(back: Back) -> None:
    anew = EpisodeFactory.create(client=back.client, pt=back.pt)
    referral = draft(back, episode_id=anew.pk)
    with pytest.raises(NotAllowed):
        lifecycle.send(actor=back.as_pt, referral_id=referral.pk, at=NOON)
    signed_note(episode=anew)
    assert lifecycle.send(actor=back.as_pt, referral_id=referral.pk, at=NOON).state == State.SENT


def test_a_trainer_who_takes_no_new_clients_takes_their_own_back(back: Back) -> None:
    Professional.objects.filter(pk=back.trainer.pk).update(accepts_referrals=False)
    assert sent(back).state == State.SENT


def test_accepting_closes_what_was_open_before_and_sharing_goes_on(back: Back) -> None:
    """Also what the client shares until training ends: it goes on."""
    granted = Consent.objects.get()
    sharing.revoke(actor=back.as_client, consent_id=granted.pk, at=NOON)
    asked = consents.ask(
        actor=back.as_pt,
        client=back.client,
        discloser=back.pt,
        recipient=back.trainer,
        purpose="To train.",
        classes=SUGGESTED,
        at=NOON,
    )
    sharing.grant(
        actor=back.as_client,
        consent_id=asked.pk,
        classes=SUGGESTED,
        expires_on=LAST_DAY,
        until_training_ends=True,
        at=NOON,
    )
    seen_by_pt(back)
    referral = sent(back)
    back.handoff.refresh_from_db()
    assert back.handoff.state == State.ON_HOLD
    accepted(back, referral)
    back.handoff.refresh_from_db()
    assert back.handoff.state == State.CANCELLED
    event = ReferralEvent.objects.filter(referral=back.handoff).latest("id")
    assert (event.reason_code, event.by) == (SystemReason.SUPERSEDED, None)
    assert consents.standing(asked, NOON).is_active


def test_another_trainers_handoff_stays_open(back: Back) -> None:
    other = certified_trainer()
    granted_consent(client=back.client, discloser=back.pt, recipient=other)
    theirs = back.draft(recipient=other)
    lifecycle.send(actor=back.as_pt, referral_id=theirs.pk, at=NOON)
    lifecycle.accept(actor=acting(other), referral_id=theirs.pk, at=NOON)
    accepted(back, sent(back))
    theirs.refresh_from_db()
    assert theirs.state == State.ACCEPTED


def test_changed_limits_are_read_again_before_training_begins(back: Back) -> None:
    restrictions.acknowledge_all(actor=back.as_trainer, client_id=back.client.pk, at=NOON)
    seen_by_pt(back)
    newest = RestrictionVersion.objects.get()
    RestrictionVersionFactory.create(restriction=newest.restriction, number=2)
    referral = accepted(back, sent(back))
    with pytest.raises(NotAllowed):
        lifecycle.begin(actor=back.as_trainer, referral_id=referral.pk, at=NOON)
    restrictions.acknowledge_all(actor=back.as_trainer, client_id=back.client.pk, at=NOON)
    begun = lifecycle.begin(actor=back.as_trainer, referral_id=referral.pk, at=NOON)
    assert begun.state == State.IN_PROGRESS


def test_a_referral_back_that_failed_is_followed_up_by_the_return(back: Back) -> None:
    out = seen_by_pt(back)
    lifecycle.begin(actor=back.as_pt, referral_id=out.pk, at=NOON)
    lifecycle.fail(actor=back.as_pt, referral_id=out.pk, reason_code="client_stopped", at=NOON)

    def told() -> int:
        rows = Reminder.objects.filter(
            referral=out, rule=Rule.REFERRAL_ENDED, state__in=Reminder.WAITING
        )
        return rows.count()

    assert told()
    draft(back, previous_id=out.pk)
    assert not told()


def test_who_waits_for_whom_on_the_way_back(back: Back) -> None:
    """The nudges until the therapist has seen the client, and none after."""
    referral = back.sent()

    def nudged() -> set[str]:
        rows = Reminder.objects.filter(
            referral=referral, rule=Rule.NOT_SEEN, state__in=Reminder.WAITING
        )
        return set(rows.values_list("audience", flat=True))

    assert nudged() >= {"client", "recipient", "sender"}
    back.accept(referral)
    assert nudged() >= {"client", "recipient", "sender"}
    lifecycle.begin(actor=back.as_pt, referral_id=referral.pk, at=NOON)
    assert not nudged()
    assert reminders.open_count(back.as_pt, NOON) is not None


def test_declined_it_goes_only_to_somebody_who_had_the_client_before(back: Back) -> None:
    referral = sent(back)
    lifecycle.decline(
        actor=back.as_trainer, referral_id=referral.pk, reason_code="no_capacity", at=NOON
    )
    with pytest.raises(Invalid) as refused:
        lifecycle.reroute(
            actor=back.as_pt, referral_id=referral.pk, recipient_id=back.stranger.pk, at=NOON
        )
    assert list(refused.value.errors) == ["recipient"]
