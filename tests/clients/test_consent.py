"""The consent ledger: asked, agreed, narrowed, stopped; and nothing is shared by anything else."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from clients import consent as consents
from clients.consent import ConsentState, Facts, evaluate
from clients.models import AccessEntry, Client, Consent, ConsentEvent, Professional
from clients.scopes import Scope
from handoff.core.actors import ANONYMOUS, SYSTEM
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from handoff.core.ledger import verify
from tests.factories import (
    NOON,
    ClientFactory,
    GuardianshipFactory,
    ProfessionalFactory,
    UserFactory,
    acting,
    asked_consent,
    granted_consent,
)

LATER = NOON + timedelta(days=10)
THREE = frozenset({Scope.CONTACT, Scope.CLEARANCE, Scope.RESTRICTIONS})

# --- pure ------------------------------------------------------------------------------------


def facts(**changes: Any) -> Facts:
    usual: dict[str, Any] = {
        "kind": "granted",
        "classes": THREE,
        "valid_from": NOON,
        "expires_at": LATER,
        "authority_stands": True,
        "accounts_stand": True,
    }
    return Facts(**{**usual, **changes})


@pytest.mark.parametrize(
    ("changes", "at", "state"),
    [
        ({}, NOON, ConsentState.ACTIVE),
        ({"kind": "narrowed"}, NOON, ConsentState.ACTIVE),
        ({}, LATER - timedelta(microseconds=1), ConsentState.ACTIVE),
        ({}, LATER, ConsentState.EXPIRED),
        ({}, NOON - timedelta(microseconds=1), ConsentState.NOT_YET),
        ({"expires_at": None}, NOON, ConsentState.EXPIRED),
        ({"valid_from": None}, NOON, ConsentState.NOT_YET),
        ({"authority_stands": False}, NOON, ConsentState.SUSPENDED),
        ({"accounts_stand": False}, NOON, ConsentState.SUSPENDED),
        ({"kind": "requested"}, NOON, ConsentState.REQUESTED),
        ({"kind": "declined"}, NOON, ConsentState.DECLINED),
        ({"kind": "revoked"}, NOON, ConsentState.REVOKED),
        ({"kind": "superseded"}, NOON, ConsentState.SUPERSEDED),
        ({"kind": "lapsed"}, NOON, ConsentState.LAPSED),
        ({"kind": "withdrawn"}, NOON, ConsentState.WITHDRAWN),
        ({"kind": "something new"}, NOON, ConsentState.SUSPENDED),
    ],
)
def test_evaluate(changes: dict[str, Any], at: datetime, state: ConsentState) -> None:
    found, classes = evaluate(facts(**changes), at)
    assert found is state
    assert classes == (THREE if state is ConsentState.ACTIVE else frozenset())


# --- the ledger ------------------------------------------------------------------------------


class Cast:
    """One question between a therapist, a trainer and an adult client."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or ClientFactory.create()
        self.pt: Professional = ProfessionalFactory.create()
        self.trainer: Professional = ProfessionalFactory.create(trainer=True)

    def sides(self) -> dict[str, Any]:
        return {"client": self.client, "discloser": self.pt, "recipient": self.trainer}

    def live(self, at: datetime = NOON) -> frozenset[Scope]:
        rows = consents.live(client_id=self.client.pk, at=at, recipient_ids=[self.trainer.pk])
        return frozenset().union(*(row.classes for row in rows))


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


def state_of(consent: Consent, at: datetime = NOON) -> ConsentState:
    return consents.standing(consent, at).state


def test_asking_shares_nothing(cast: Cast) -> None:
    consent = asked_consent(**cast.sides())
    assert state_of(consent) is ConsentState.REQUESTED
    assert cast.live() == frozenset()


def test_granting_shares_exactly_what_was_agreed(cast: Cast) -> None:
    consent = granted_consent(**cast.sides(), classes=THREE)
    assert state_of(consent) is ConsentState.ACTIVE
    assert cast.live() == THREE


def test_more_may_be_agreed_than_was_asked(cast: Cast) -> None:
    consent = asked_consent(**cast.sides(), classes=frozenset({Scope.CONTACT}))
    consents.grant(
        actor=acting(cast.client),
        consent_id=consent.pk,
        classes=[Scope.NOTE],
        expires_on=date(2027, 3, 1),
        at=NOON,
    )
    assert cast.live() == {Scope.NOTE}


def test_sharing_ends_with_the_last_day_in_the_clients_zone(cast: Cast) -> None:
    granted_consent(**cast.sides(), days=1)
    end = datetime(2027, 1, 15, 5, 0, tzinfo=UTC)  # midnight in New York
    assert cast.live(end - timedelta(microseconds=1))
    assert cast.live(end) == frozenset()


@pytest.mark.parametrize("scope", [[], ["blood_type"], ["contact", ""]])
def test_grant_refuses_classes_it_does_not_know(cast: Cast, scope: list[Any]) -> None:
    consent = asked_consent(**cast.sides())
    with pytest.raises(Invalid) as refused:
        consents.grant(
            actor=acting(cast.client),
            consent_id=consent.pk,
            classes=scope,
            expires_on=date(2027, 3, 1),
            at=NOON,
        )
    assert "classes" in refused.value.errors
    assert state_of(consent) is ConsentState.REQUESTED


@pytest.mark.parametrize("day", [date(2027, 1, 12), date(2028, 1, 14), date(9999, 1, 1)])
def test_grant_refuses_a_day_past_or_too_far(cast: Cast, day: date) -> None:
    consent = asked_consent(**cast.sides())
    with pytest.raises(Invalid) as refused:
        consents.grant(
            actor=acting(cast.client),
            consent_id=consent.pk,
            classes=THREE,
            expires_on=day,
            at=NOON,
        )
    assert "expires_on" in refused.value.errors


def test_only_the_client_grants(cast: Cast) -> None:
    consent = asked_consent(**cast.sides())
    stranger = UserFactory.create()
    for actor, error in [
        (acting(cast.pt), NotAllowed),
        (acting(cast.trainer), NotAllowed),
        (acting(stranger), NotVisible),
        (acting(ClientFactory.create()), NotVisible),
        (ANONYMOUS, NotVisible),
        (SYSTEM, NotVisible),
    ]:
        with pytest.raises(error):
            consents.grant(
                actor=actor,
                consent_id=consent.pk,
                classes=THREE,
                expires_on=date(2027, 3, 1),
                at=NOON,
            )
    assert state_of(consent) is ConsentState.REQUESTED
    assert cast.live() == frozenset()


def test_declining_is_an_answer_and_shares_nothing(cast: Cast) -> None:
    consent = asked_consent(**cast.sides())
    consents.decline(actor=acting(cast.client), consent_id=consent.pk, at=NOON)
    assert state_of(consent) is ConsentState.DECLINED
    with pytest.raises(Stale):
        consents.grant(
            actor=acting(cast.client),
            consent_id=consent.pk,
            classes=THREE,
            expires_on=date(2027, 3, 1),
            at=NOON,
        )


def test_narrowing_holds_at_once_and_keeps_the_day(cast: Cast) -> None:
    consent = granted_consent(**cast.sides(), classes=THREE)
    before = consents.standing(consent, NOON).expires_at
    consents.narrow(
        actor=acting(cast.client), consent_id=consent.pk, classes=[Scope.CONTACT], at=NOON
    )
    assert cast.live() == {Scope.CONTACT}
    assert consents.standing(consent, NOON).expires_at == before


@pytest.mark.parametrize("classes", [THREE, THREE | {Scope.NOTE}, {Scope.NOTE}])
def test_narrowing_cannot_widen(cast: Cast, classes: set[Scope]) -> None:
    consent = granted_consent(**cast.sides(), classes=THREE)
    with pytest.raises(Invalid):
        consents.narrow(actor=acting(cast.client), consent_id=consent.pk, classes=classes, at=NOON)
    assert cast.live() == THREE


def test_revoking_ends_it_and_cannot_be_done_twice(cast: Cast) -> None:
    consent = granted_consent(**cast.sides())
    consents.revoke(actor=acting(cast.client), consent_id=consent.pk, at=NOON)
    assert cast.live() == frozenset()
    assert state_of(consent) is ConsentState.REVOKED
    with pytest.raises(Stale):
        consents.revoke(actor=acting(cast.client), consent_id=consent.pk, at=NOON)


def test_revoking_is_the_clients_alone(cast: Cast) -> None:
    consent = granted_consent(**cast.sides())
    for actor, error in [
        (acting(cast.pt), NotAllowed),
        (acting(cast.trainer), NotAllowed),
        (acting(UserFactory.create()), NotVisible),
        (ANONYMOUS, NotVisible),
    ]:
        with pytest.raises(error):
            consents.revoke(actor=actor, consent_id=consent.pk, at=NOON)
    assert cast.live()


def test_a_new_agreement_replaces_the_old(cast: Cast) -> None:
    first = granted_consent(**cast.sides(), classes=THREE)
    second = granted_consent(**cast.sides(), classes=frozenset({Scope.NOTE}))
    assert state_of(first) is ConsentState.SUPERSEDED
    assert state_of(second) is ConsentState.ACTIVE
    assert cast.live() == {Scope.NOTE}


def test_asking_again_takes_the_open_question_back_but_not_what_is_agreed(cast: Cast) -> None:
    agreed = granted_consent(**cast.sides(), classes=THREE)
    open_one = asked_consent(**cast.sides())
    newest = asked_consent(**cast.sides())
    assert state_of(open_one) is ConsentState.WITHDRAWN
    assert state_of(newest) is ConsentState.REQUESTED
    assert state_of(agreed) is ConsentState.ACTIVE
    assert cast.live() == THREE


@pytest.mark.parametrize(
    ("purpose", "classes", "field"),
    [
        ("", THREE, "purpose"),
        ("  ", THREE, "purpose"),
        ("x" * 301, THREE, "purpose"),
        ("Why", [], "classes"),
    ],
)
def test_ask_needs_a_purpose_and_classes(
    cast: Cast, purpose: str, classes: Any, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        consents.ask(
            actor=acting(cast.pt), **cast.sides(), purpose=purpose, classes=classes, at=NOON
        )
    assert field in refused.value.errors
    assert not Consent.objects.exists()


def test_who_may_ask(cast: Cast) -> None:
    for actor in (acting(cast.pt), acting(cast.trainer), acting(cast.client)):
        consents.ask(actor=actor, **cast.sides(), purpose="Why", classes=THREE, at=NOON)
    for actor in (acting(UserFactory.create()), ANONYMOUS, acting(ProfessionalFactory.create())):
        with pytest.raises(NotVisible):
            consents.ask(actor=actor, **cast.sides(), purpose="Why", classes=THREE, at=NOON)


def test_a_question_can_be_taken_back_only_while_open(cast: Cast) -> None:
    consent = asked_consent(**cast.sides())
    with pytest.raises(NotVisible):
        consents.withdraw_question(
            actor=acting(UserFactory.create()), consent_id=consent.pk, at=NOON
        )
    with pytest.raises(NotVisible):
        consents.withdraw_question(actor=SYSTEM, consent_id=uuid4(), at=NOON)
    assert consents.withdraw_question(actor=acting(cast.pt), consent_id=consent.pk, at=NOON)
    assert not consents.withdraw_question(actor=acting(cast.pt), consent_id=consent.pk, at=NOON)
    assert state_of(consent) is ConsentState.WITHDRAWN


def test_only_the_system_lets_a_question_lapse(cast: Cast) -> None:
    consent = asked_consent(**cast.sides())
    with pytest.raises(NotAllowed):
        consents.lapse(actor=acting(cast.pt), consent_id=consent.pk, at=NOON)
    assert consents.lapse(actor=SYSTEM, consent_id=consent.pk, at=NOON)
    assert not consents.lapse(actor=SYSTEM, consent_id=consent.pk, at=NOON)
    assert state_of(consent) is ConsentState.LAPSED


def test_a_consent_without_any_event_does_not_exist(cast: Cast) -> None:
    silent = Consent.objects.create(
        client=cast.client,
        discloser=cast.pt,
        recipient=cast.trainer,
        purpose="Why",
        classes_asked=["contact"],
        notice_version="2026-11",
        asked_by=cast.pt.user,
    )
    assert cast.live() == frozenset()
    with pytest.raises(NotVisible):
        consents.standing(silent, NOON)


def test_a_consent_that_does_not_exist(cast: Cast) -> None:
    with pytest.raises(NotVisible):
        consents.revoke(actor=acting(cast.client), consent_id=uuid4(), at=NOON)


# --- who stands behind it ------------------------------------------------------------------------


def switch_off_recipient(cast: Cast) -> None:
    cast.trainer.user.is_active = False
    cast.trainer.user.save()


def recipient_leaves(cast: Cast) -> None:
    cast.trainer.left_at = NOON
    cast.trainer.save()


def switch_off_discloser(cast: Cast) -> None:
    cast.pt.user.is_active = False
    cast.pt.user.save()


def switch_off_client(cast: Cast) -> None:
    assert cast.client.user is not None
    cast.client.user.is_active = False
    cast.client.user.save()


@pytest.mark.parametrize(
    "happens", [switch_off_recipient, recipient_leaves, switch_off_discloser, switch_off_client]
)
def test_sharing_rests_while_an_account_does(cast: Cast, happens: Any) -> None:
    consent = granted_consent(**cast.sides())
    assert cast.live()
    happens(cast)
    assert cast.live() == frozenset()
    assert state_of(consent) is ConsentState.SUSPENDED


def test_live_with_nobody_named_finds_nothing(cast: Cast) -> None:
    granted_consent(**cast.sides())
    assert consents.live(client_id=cast.client.pk, at=NOON, recipient_ids=[]) == ()
    assert consents.live(client_id=cast.client.pk, at=NOON, discloser_ids=[]) == ()
    assert consents.live(client_id=uuid4(), at=NOON) == ()
    assert len(consents.live(client_id=cast.client.pk, at=NOON)) == 1
    assert len(consents.live(client_id=cast.client.pk, at=NOON, discloser_ids=[cast.pt.pk])) == 1
    consents.revoke(actor=acting(cast.client), consent_id=Consent.objects.get().pk, at=NOON)
    assert consents.live(client_id=cast.client.pk, at=NOON) == ()


def test_what_another_account_signed_does_not_stand_for_the_client(cast: Cast) -> None:
    """The record has come to somebody else's account since: they have agreed to nothing."""
    granted_consent(client=cast.client, discloser=cast.pt, recipient=cast.trainer)
    assert cast.live()
    Client.objects.filter(pk=cast.client.pk).update(user=UserFactory.create())
    assert consents.standing(Consent.objects.get(), NOON).state is ConsentState.SUSPENDED
    assert cast.live() == frozenset()


# --- minors ------------------------------------------------------------------------------------


@pytest.fixture
def minor(db: None) -> Cast:
    return Cast(ClientFactory.create(minor=True))


def test_a_minor_cannot_agree_but_can_stop(minor: Cast) -> None:
    guardian = GuardianshipFactory.create(client=minor.client)
    consent = asked_consent(**minor.sides())
    for verb in (consents.decline, consents.revoke):
        with pytest.raises((NotAllowed, Stale)):
            verb(actor=acting(minor.client), consent_id=consent.pk, at=NOON)
    with pytest.raises(NotAllowed):
        consents.grant(
            actor=acting(minor.client),
            consent_id=consent.pk,
            classes=THREE,
            expires_on=date(2027, 3, 1),
            at=NOON,
        )
    assert minor.live() == frozenset()
    consents.grant(
        actor=acting(guardian.user),
        consent_id=consent.pk,
        classes=THREE,
        expires_on=date(2027, 3, 1),
        at=NOON,
    )
    assert minor.live() == THREE
    event = ConsentEvent.objects.get(consent=consent, kind="granted")
    assert (event.authority, event.guardianship, event.by) == (
        "guardian",
        guardian,
        guardian.user,
    )
    consents.revoke(actor=acting(minor.client), consent_id=consent.pk, at=NOON)
    assert minor.live() == frozenset()


def test_a_guardian_nobody_checked_decides_nothing(minor: Cast) -> None:
    guardian = GuardianshipFactory.create(client=minor.client, unverified=True)
    consent = asked_consent(**minor.sides())
    with pytest.raises(NotVisible):
        consents.grant(
            actor=acting(guardian.user),
            consent_id=consent.pk,
            classes=THREE,
            expires_on=date(2027, 3, 1),
            at=NOON,
        )


def test_what_a_guardian_agreed_ends_at_majority(minor: Cast) -> None:
    guardian = GuardianshipFactory.create(client=minor.client)
    minor.client.birth_date = date(2009, 2, 1)  # eighteen within the term
    minor.client.save()
    consent = granted_consent(**minor.sides(), signer=guardian.user)
    majority = datetime(2027, 2, 1, 5, 0, tzinfo=UTC)  # 00:00 in New York
    assert minor.live(majority - timedelta(microseconds=1))
    assert minor.live(majority) == frozenset()
    assert state_of(consent, majority) is ConsentState.SUSPENDED


def test_what_a_guardian_agreed_ends_with_the_guardianship(minor: Cast) -> None:
    guardian = GuardianshipFactory.create(client=minor.client)
    granted_consent(**minor.sides(), signer=guardian.user)
    guardian.ended_at = NOON + timedelta(hours=1)
    guardian.save()
    assert minor.live(NOON)
    assert minor.live(NOON + timedelta(hours=1)) == frozenset()


# --- kept as written ------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["clients_consent", "clients_consentevent"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_nothing_said_can_be_taken_out(cast: Cast, table: str, change: str) -> None:
    granted_consent(**cast.sides())
    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change.format(table))
    assert cast.live()


def test_the_chain_of_a_whole_story_verifies(cast: Cast) -> None:
    consent = granted_consent(**cast.sides(), classes=THREE)
    consents.narrow(
        actor=acting(cast.client), consent_id=consent.pk, classes=[Scope.CONTACT], at=NOON
    )
    consents.revoke(actor=acting(cast.client), consent_id=consent.pk, at=NOON)
    kinds = ConsentEvent.objects.order_by("number").values_list("kind", flat=True)
    assert list(kinds) == ["requested", "granted", "narrowed", "revoked"]
    assert verify(ConsentEvent) is None
    assert verify(AccessEntry) is None
