"""What somebody may do follows from credentials valid at that moment."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from clients import licensing
from clients.models import Credential, Professional
from handoff.core.errors import NotAllowed
from tests.factories import (
    NOON,
    CredentialFactory,
    ProfessionalFactory,
    UserFactory,
    certified_trainer,
    licensed_pt,
)

pytestmark = pytest.mark.django_db
LAST_DAY = date(2027, 1, 13)


def test_a_licence_of_the_clients_state_lets_a_therapist_sign() -> None:
    pt = licensed_pt()
    licence = licensing.require_signer(pt, state="NY", at=NOON)
    assert licence.kind == Credential.Kind.PT_LICENCE


def test_a_compact_privilege_counts_in_its_state() -> None:
    pt = licensed_pt()
    CredentialFactory.create(user=pt.user, kind=Credential.Kind.COMPACT_PRIVILEGE, state="NJ")
    assert licensing.require_signer(pt, state="NJ", at=NOON).state == "NJ"


@pytest.mark.parametrize(
    "change",
    [
        {"verified_at": None, "verified_by": None},
        {"expires_on": date(2027, 1, 12)},
        {"issued_on": date(2027, 1, 14), "expires_on": None},
        {"state": "NJ"},
        {"kind": Credential.Kind.DEGREE},
        {"kind": Credential.Kind.PTA_LICENCE},
    ],
)
def test_without_a_licence_valid_now_nobody_signs(change: dict[str, Any]) -> None:
    pt = ProfessionalFactory.create()
    CredentialFactory.create(user=pt.user, **change)
    with pytest.raises(NotAllowed, match="licence"):
        licensing.require_signer(pt, state="NY", at=NOON)


def test_a_withdrawn_licence_counts_no_longer() -> None:
    pt = licensed_pt()
    Credential.objects.filter(user=pt.user).update(
        withdrawn_at=NOON, withdrawn_by=UserFactory.create()
    )
    with pytest.raises(NotAllowed):
        licensing.require_signer(pt, state="NY", at=NOON)


def test_an_assistant_never_signs() -> None:
    pta = licensed_pt(role=Professional.Role.PTA)
    with pytest.raises(NotAllowed, match="draft"):
        licensing.require_signer(pta, state="NY", at=NOON)


@pytest.mark.parametrize("gone", ["left", "switched off"])
def test_somebody_who_is_gone_signs_nothing_and_takes_nobody(gone: str) -> None:
    pt, trainer = licensed_pt(), certified_trainer()
    for professional in (pt, trainer):
        if gone == "left":
            professional.left_at = NOON
            professional.save()
        else:
            professional.user.is_active = False
            professional.user.save()
    with pytest.raises(NotAllowed, match="ended"):
        licensing.require_signer(pt, state="NY", at=NOON)
    with pytest.raises(NotAllowed, match="no active account"):
        licensing.require_acceptor(trainer, at=NOON)


def test_the_last_day_is_the_practices_own() -> None:
    pt = ProfessionalFactory.create(practice__time_zone="America/Los_Angeles")
    CredentialFactory.create(user=pt.user, expires_on=LAST_DAY)
    end = datetime(2027, 1, 14, 8, 0, tzinfo=UTC)  # midnight in Los Angeles
    assert licensing.require_signer(pt, state="NY", at=end - timedelta(microseconds=1))
    with pytest.raises(NotAllowed):
        licensing.require_signer(pt, state="NY", at=end)


def test_a_certified_trainer_with_cpr_may_accept() -> None:
    trainer = certified_trainer()
    licensing.require_acceptor(trainer, at=NOON)
    assert licensing.ability(trainer, NOON).may_accept


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (Credential.Kind.TRAINER_CERTIFICATION, "certification"),
        (Credential.Kind.CPR_AED, "CPR"),
    ],
)
def test_a_trainer_without_either_may_not(kind: str, word: str) -> None:
    trainer = certified_trainer()
    Credential.objects.filter(user=trainer.user, kind=kind).update(expires_on=date(2027, 1, 12))
    with pytest.raises(NotAllowed, match=word):
        licensing.require_acceptor(trainer, at=NOON)


def test_a_therapist_takes_referrals_with_any_valid_licence_and_an_assistant_never() -> None:
    licensing.require_acceptor(licensed_pt(), at=NOON)
    with pytest.raises(NotAllowed, match="licence"):
        licensing.require_acceptor(ProfessionalFactory.create(), at=NOON)
    with pytest.raises(NotAllowed, match="assistant"):
        licensing.require_acceptor(licensed_pt(role=Professional.Role.PTA), at=NOON)


def test_abilities_of_many_cost_one_query(django_assert_num_queries: Any) -> None:
    trainers = [certified_trainer() for _ in range(4)]
    lapsed = ProfessionalFactory.create(trainer=True)
    rows = list(Professional.objects.select_related("user", "practice"))
    with django_assert_num_queries(1):
        found = licensing.abilities(rows, NOON)
    assert all(found[each.pk].may_accept for each in trainers)
    assert not found[lapsed.pk].may_accept


@pytest.mark.parametrize("days", range(-2, 3))
def test_the_row_and_the_query_agree_on_what_is_valid(days: int) -> None:
    day = LAST_DAY + timedelta(days=days)
    CredentialFactory.create(issued_on=LAST_DAY - timedelta(days=1), expires_on=LAST_DAY)
    CredentialFactory.create(issued_on=None, expires_on=None)
    CredentialFactory.create(unverified=True)
    CredentialFactory.create(withdrawn_at=NOON, withdrawn_by=UserFactory.create())
    by_query = set(Credential.objects.valid_on(day).values_list("pk", flat=True))
    by_row = {row.pk for row in Credential.objects.all() if row.is_valid_on(day)}
    assert by_query == by_row
