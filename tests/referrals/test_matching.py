"""Joining an invited draft with the record its person has: what moves, what is asked anew."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from clients import consent as consents
from clients import invitations
from clients.consent import ConsentState
from clients.models import (
    Client,
    ClientIdentifier,
    Consent,
    Guardianship,
    Invitation,
    Professional,
)
from clients.scopes import SUGGESTED, Scope
from handoff.core.audit import AuditEntry
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import access, disclosure, lifecycle, matching, sharing
from referrals.models import Episode, Referral, Reminder, Wish
from referrals.states import State
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    GuardianshipFactory,
    ReferralFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    UserFactory,
    acting,
    asked_consent,
    certified_trainer,
    granted_consent,
    licensed_pt,
    signed_note,
)

pytestmark = pytest.mark.django_db
BORN = date(1991, 4, 2)


class Newcomer:
    """A client with a record, and a second therapist who invited them without knowing of it."""

    def __init__(self) -> None:
        self.first_pt: Professional = licensed_pt()
        self.own: Client = ClientFactory.create(
            first_name="Ana", last_name="Duarte", birth_date=BORN, created_by=self.first_pt
        )
        assert self.own.user
        self.pt: Professional = licensed_pt()
        self.draft, self.invitation = invitations.invite_client(
            actor=acting(self.pt),
            first_name="ana",
            last_name="Duarte ",
            birth_date=BORN,
            email=self.own.user.email,
            state="NY",
            at=NOON,
        )
        self.actor = acting(self.own)

    def connect(self) -> Client:
        return matching.connect(
            actor=self.actor, invitation_id=self.invitation.pk, at=NOON + timedelta(hours=1)
        )


@pytest.fixture
def newcomer() -> Newcomer:
    return Newcomer()


def test_everything_of_the_draft_moves_over(newcomer: Newcomer) -> None:
    episode = EpisodeFactory.create(client=newcomer.draft, pt=newcomer.pt)
    note = signed_note(episode=episode)
    RestrictionVersionFactory.create(restriction=RestrictionFactory.create(episode=episode))
    trainer = certified_trainer()
    referral = ReferralFactory.create(
        client=newcomer.draft, episode=episode, sender=newcomer.pt, recipient=trainer
    )
    ClientIdentifier.objects.create(client=newcomer.draft, owner=newcomer.pt, system="s", value="1")
    assert newcomer.connect() == newcomer.own
    for row in (episode, referral):
        row.refresh_from_db()
        assert row.client == newcomer.own
    assert ClientIdentifier.objects.get().client == newcomer.own
    newcomer.draft.refresh_from_db()
    assert newcomer.draft.merged_into == newcomer.own
    assert newcomer.draft.user is None
    held = disclosure.disclose(
        actor=newcomer.actor, client_id=newcomer.own.pk, purpose="record", at=NOON
    )
    assert [view.id for view in held.note] == [note.pk]  # type: ignore[union-attr]  # own record
    assert AuditEntry.objects.filter(verb="client.joined").exists()
    newcomer.invitation.refresh_from_db()
    assert newcomer.invitation.used_by == newcomer.own.user


def test_a_wish_said_for_the_draft_does_not_stand_beside_ones_own(newcomer: Newcomer) -> None:
    """By a guardian of before, who acts for nobody any more."""
    said = [
        Wish.objects.create(
            client=client,
            professional=certified_trainer(),
            role="trainer",
            wished_by=newcomer.first_pt.user,
            wished_at=NOON,
        )
        for client in (newcomer.draft, newcomer.own)
    ]
    newcomer.connect()
    for row in said:
        row.refresh_from_db()
    assert [row.client for row in said] == [newcomer.own, newcomer.own]
    assert [row.taken_back_at is None for row in said] == [False, True]


def test_the_second_therapist_keeps_the_client_and_sees_only_their_own_notes(
    newcomer: Newcomer,
) -> None:
    EpisodeFactory.create(client=newcomer.own, pt=newcomer.first_pt, condition="Theirs")
    newcomer.connect()
    actor = acting(newcomer.pt)
    assert list(access.clients_of(actor)) == [newcomer.own]
    held = disclosure.disclose(actor=actor, client_id=newcomer.own.pk, purpose="record", at=NOON)
    assert "Theirs" not in str(held)
    EpisodeFactory.create(client=newcomer.own, pt=newcomer.pt, condition="Ours")
    held = disclosure.disclose(actor=actor, client_id=newcomer.own.pk, purpose="record", at=NOON)
    assert "Ours" in str(held)
    assert "Theirs" not in str(held)
    first = disclosure.disclose(
        actor=acting(newcomer.first_pt), client_id=newcomer.own.pk, purpose="record", at=NOON
    )
    assert "Ours" not in str(first)


def test_open_questions_are_taken_back_and_asked_anew(newcomer: Newcomer) -> None:
    episode = EpisodeFactory.create(client=newcomer.draft, pt=newcomer.pt)
    signed_note(episode=episode)
    trainer = certified_trainer()
    referral = lifecycle.draft(
        actor=acting(newcomer.pt),
        client_id=newcomer.draft.pk,
        recipient_id=trainer.pk,
        episode_id=episode.pk,
        at=NOON,
    )
    lifecycle.send(actor=acting(newcomer.pt), referral_id=referral.pk, at=NOON)
    before = Consent.objects.get()
    assert not Reminder.objects.filter(recipient=newcomer.own.user).exists()
    newcomer.connect()
    at = NOON + timedelta(hours=2)
    after = Consent.objects.exclude(pk=before.pk).get()
    assert consents.standing(before, at).state is ConsentState.WITHDRAWN
    assert consents.standing(after, at).state is ConsentState.REQUESTED
    assert (after.client, after.asked_by) == (newcomer.own, newcomer.pt.user)
    assert set(after.classes_asked) == SUGGESTED
    referral.refresh_from_db()
    assert (referral.consent, referral.state) == (after, State.AWAITING_CONSENT)
    assert Reminder.objects.filter(recipient=newcomer.own.user, consent=after).exists()
    sharing.grant(
        actor=newcomer.actor,
        consent_id=after.pk,
        classes=[Scope.CLEARANCE],
        expires_on=date(2027, 3, 1),
        at=at,
    )
    referral.refresh_from_db()
    assert referral.state == State.SENT


def test_nothing_is_shared_by_connecting(newcomer: Newcomer) -> None:
    trainer = certified_trainer()
    EpisodeFactory.create(client=newcomer.own, pt=newcomer.first_pt)
    granted_consent(client=newcomer.own, discloser=newcomer.first_pt, recipient=trainer)
    before = consents.live(client_id=newcomer.own.pk, at=NOON + timedelta(hours=2))
    newcomer.connect()
    assert consents.live(client_id=newcomer.own.pk, at=NOON + timedelta(hours=2)) == before


@pytest.mark.parametrize(
    "change",
    [
        {"birth_date": date(1991, 2, 4)},
        {"last_name": "Duarte-Silva"},
        {"first_name": "Anna"},
    ],
)
def test_another_name_or_date_is_refused_without_a_word_about_it(
    newcomer: Newcomer, change: dict[str, Any]
) -> None:
    EpisodeFactory.create(client=newcomer.draft, pt=newcomer.pt)
    Client.objects.filter(pk=newcomer.draft.pk).update(**change)
    with pytest.raises(NotAllowed) as refused:
        newcomer.connect()
    said = refused.value.reason
    for words in ("Duarte", "Ana", "1991", newcomer.pt.name):
        assert words not in said
    assert Episode.objects.get().client == newcomer.draft
    newcomer.invitation.refresh_from_db()
    assert newcomer.invitation.used_at is None


def refused_for(newcomer: Newcomer, make: Callable[[], object]) -> None:
    make()
    with pytest.raises(NotAllowed):
        newcomer.connect()
    newcomer.draft.refresh_from_db()
    assert newcomer.draft.merged_into is None


def test_not_where_a_guardian_decides_for_the_draft(newcomer: Newcomer) -> None:
    refused_for(newcomer, lambda: GuardianshipFactory.create(client=newcomer.draft))


def test_not_where_something_was_agreed_for_the_draft(newcomer: Newcomer) -> None:
    Client.objects.filter(pk=newcomer.draft.pk).update(birth_date=date(2011, 6, 1))
    newcomer.draft.refresh_from_db()
    held = GuardianshipFactory.create(client=newcomer.draft)
    granted_consent(
        client=newcomer.draft,
        discloser=newcomer.pt,
        recipient=certified_trainer(),
        signer=held.user,
    )
    Client.objects.filter(pk__in=[newcomer.draft.pk, newcomer.own.pk]).update(
        birth_date=date(2011, 6, 1)
    )
    Guardianship.objects.update(ended_at=NOON)
    refused_for(newcomer, lambda: None)


def test_not_where_both_have_an_open_handoff_to_the_same_trainer(newcomer: Newcomer) -> None:
    trainer = certified_trainer()
    ReferralFactory.create(client=newcomer.own, sender=newcomer.first_pt, recipient=trainer)

    def also() -> Referral:
        return ReferralFactory.create(client=newcomer.draft, sender=newcomer.pt, recipient=trainer)

    refused_for(newcomer, also)


def test_only_who_was_invited_and_only_once(newcomer: Newcomer) -> None:
    for somebody in (ClientFactory.create(), newcomer.pt):
        with pytest.raises(NotAllowed):
            matching.connect(actor=acting(somebody), invitation_id=newcomer.invitation.pk, at=NOON)
    newcomer.connect()
    with pytest.raises(Stale):
        newcomer.connect()


def test_a_link_for_somebody_without_a_record_is_not_joined() -> None:
    _, invitation = invitations.invite_client(
        actor=acting(licensed_pt()),
        first_name="Ana",
        last_name="Duarte",
        birth_date=BORN,
        email="ana@example.org",
        state="NY",
        at=NOON,
    )
    user = UserFactory.create(email="ana@example.org")
    with pytest.raises(Stale):
        matching.connect(actor=acting(user), invitation_id=invitation.pk, at=NOON)


def test_who_comes_in_is_reminded_of_what_waits() -> None:
    """The question was put before the client had an account; nobody could be reminded of it."""
    pt = licensed_pt()
    client, invitation = invitations.invite_client(
        actor=acting(pt),
        first_name="Ana",
        last_name="Duarte",
        birth_date=BORN,
        email="ana@example.org",
        state="NY",
        at=NOON,
    )
    EpisodeFactory.create(client=client, pt=pt)
    asked_consent(client=client, discloser=pt, recipient=certified_trainer())
    user = UserFactory.create(email="ana@example.org")
    matching.accept(actor=acting(user), invitation_id=invitation.pk, birth_date=BORN, at=NOON)
    assert Reminder.objects.filter(recipient=user).exists()


def test_a_wrong_date_stays_counted_although_it_is_refused() -> None:
    _, invitation = invitations.invite_client(
        actor=acting(licensed_pt()),
        first_name="Ana",
        last_name="Duarte",
        birth_date=BORN,
        email="ana@example.org",
        state="NY",
        at=NOON,
    )
    user = UserFactory.create(email="ana@example.org")
    for _ in range(5):
        with pytest.raises(Invalid):
            matching.accept(
                actor=acting(user),
                invitation_id=invitation.pk,
                birth_date=date(1999, 1, 1),
                at=NOON,
            )
    assert Invitation.objects.get().cancelled_at is not None
    with pytest.raises(Stale):
        matching.accept(actor=acting(user), invitation_id=invitation.pk, birth_date=BORN, at=NOON)
    with pytest.raises(NotVisible):
        matching.accept(actor=acting(user), invitation_id=user.pk, birth_date=BORN, at=NOON)
