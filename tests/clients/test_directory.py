"""Who is found, by what, and what it says of them."""

from datetime import date, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clients import directory, licensing, specialties, trades
from clients.directory import CLOSED, FULL, Availability
from clients.models import Credential, Professional
from handoff.core.errors import NotVisible
from tests.factories import (
    NOON,
    CredentialFactory,
    ProfessionalFactory,
    UserFactory,
    certified_trainer,
    licensed_pt,
)

pytestmark = pytest.mark.django_db
YESTERDAY = NOON.date() - timedelta(days=1)
Kind = Credential.Kind


def found(**wanted: Any) -> set[Professional]:
    return set(directory.listed(NOON, **wanted))


# --- who stands in it ---------------------------------------------------------------------------


def test_whoever_has_a_valid_paper_and_wants_to_be_found_is() -> None:
    pt, trainer = licensed_pt(), certified_trainer()
    assert found() == {pt, trainer}


def test_who_does_not_want_to_be_found_is_not_and_may_still_be_chosen() -> None:
    trainer = certified_trainer(in_directory=False)
    assert found() == set()
    assert trainer in directory.verified(NOON, accepting=True)
    with pytest.raises(NotVisible):
        directory.entry(trainer.pk, NOON)


@pytest.mark.parametrize("kind", [Kind.PT_LICENCE, Kind.TRAINER_CERTIFICATION])
@pytest.mark.parametrize(
    "change",
    [
        {"expires_on": YESTERDAY},
        {"verified_at": None, "verified_by": None},
        {"issued_on": NOON.date() + timedelta(days=1)},
        {"withdrawn_at": NOON},
    ],
)
def test_a_paper_that_does_not_count_today_lists_nobody(kind: str, change: dict[str, Any]) -> None:
    licensed_pt()
    certified_trainer()
    assert len(found()) == 2
    if "withdrawn_at" in change:
        change = {**change, "withdrawn_by": UserFactory.create()}
    Credential.objects.filter(kind=kind).update(**change)
    (left,) = found()
    assert left.role == ("trainer" if kind == Kind.PT_LICENCE else "pt")


def test_who_left_or_is_switched_off_is_not_found() -> None:
    pt, trainer = licensed_pt(), certified_trainer()
    Professional.objects.filter(pk=pt.pk).update(left_at=NOON)
    trainer.user.is_active = False
    trainer.user.save()
    assert found() == set()


def test_an_assistant_is_never_listed() -> None:
    pta = ProfessionalFactory.create(role=Professional.Role.PTA)
    CredentialFactory.create(user=pta.user, kind=Kind.PTA_LICENCE)
    CredentialFactory.create(user=pta.user, kind=Kind.PT_LICENCE)
    assert found() == set()


# --- by what ------------------------------------------------------------------------------------


def test_by_specialty_code_or_by_a_part_of_how_it_reads() -> None:
    runner = certified_trainer(specialties=["running"])
    certified_trainer(specialties=["knee"])
    assert found(specialty="running") == found(specialty="Runn") == {runner}
    assert found(specialty="nothing of the kind") == set()
    assert specialties.matching(" ") == []


def test_by_language() -> None:
    speaks = certified_trainer(languages=["en", "es"])
    certified_trainer(languages=["en"])
    assert found(language="es") == {speaks}


def test_a_therapist_is_found_where_licensed_and_a_trainer_where_they_work() -> None:
    pt, trainer = licensed_pt(), certified_trainer()
    CredentialFactory.create(user=pt.user, kind=Kind.COMPACT_PRIVILEGE, state="NJ")
    CredentialFactory.create(user=trainer.user, kind=Kind.PT_LICENCE, state="NJ")
    assert found(state="NY") == {pt, trainer}
    assert found(state="NJ") == {pt}
    Credential.objects.filter(state="NJ").update(expires_on=YESTERDAY)
    assert found(state="NJ") == set()


def test_with_places_only() -> None:
    unsaid, one = certified_trainer(), certified_trainer(open_places=1)
    certified_trainer(open_places=0)
    certified_trainer(accepts_referrals=False)
    lapsed = certified_trainer()
    Credential.objects.filter(user=lapsed.user, kind=Kind.CPR_AED).delete()
    pt = licensed_pt()
    assert found(accepting=True) == {unsaid, one, pt}
    assert len(found()) == 6


# --- what it says -------------------------------------------------------------------------------


def test_an_entry_says_what_is_checked_and_what_they_may_do() -> None:
    pt = licensed_pt(specialties=["knee", "gone"], languages=["en"], open_places=7)
    CredentialFactory.create(user=pt.user, kind=Kind.COMPACT_PRIVILEGE, state="MA")
    CredentialFactory.create(user=pt.user, kind=Kind.PT_LICENCE, state="NJ", expires_on=YESTERDAY)
    entry = directory.entry(pt.pk, NOON)
    assert entry.states == ("MA", "NY")
    assert entry.specialties == (("knee", "Knee"),)
    assert entry.languages == (("en", "English"),)
    assert entry.titles == "DPT"
    assert entry.availability is Availability.OPEN
    assert "Massachusetts and New York." in " ".join(entry.remit.may)
    assert "New Jersey" not in str(entry.remit)
    assert "7" not in str(entry)[str(entry).index("specialties") : str(entry).index("papers")]


def test_a_trainer_is_said_not_to_diagnose_and_not_to_lift() -> None:
    trainer = certified_trainer()
    # Also one who happens to hold a licence: here they work as a trainer.
    CredentialFactory.create(user=trainer.user)
    entry = directory.entry(trainer.pk, NOON)
    assert entry.states == ()
    assert entry.remit == trades.trainers()
    refused = " ".join(entry.remit.may_not)
    assert "what is wrong" in refused
    assert "lift a limit" in refused


@pytest.mark.parametrize(
    ("change", "availability", "against"),
    [
        ({}, Availability.OPEN, ""),
        ({"open_places": 1}, Availability.OPEN, ""),
        ({"open_places": 0}, Availability.FULL, FULL),
        ({"open_places": 0, "accepts_referrals": False}, Availability.CLOSED, CLOSED),
        ({"accepts_referrals": False}, Availability.CLOSED, CLOSED),
    ],
)
def test_whether_there_is_room(
    change: dict[str, Any], availability: Availability, against: str
) -> None:
    trainer = certified_trainer(**change)
    able = licensing.ability(trainer, NOON)
    assert directory.entry(trainer.pk, NOON).availability is availability
    assert directory.against_sending(trainer, able) == against


def test_without_a_valid_certificate_there_is_no_room() -> None:
    trainer = certified_trainer(open_places=3)
    Credential.objects.filter(user=trainer.user, kind=Kind.CPR_AED).update(expires_on=YESTERDAY)
    able = licensing.ability(trainer, NOON)
    assert directory.entry(trainer.pk, NOON).availability is Availability.CLOSED
    assert "CPR/AED" in directory.against_sending(trainer, able)


def test_entries_take_one_query_however_many() -> None:
    for _ in range(3):
        certified_trainer()
    rows = list(directory.listed(NOON))
    with CaptureQueriesContext(connection) as queries:
        assert len(directory.entries(rows, NOON)) == 3
    assert len(queries) == 1


# --- what has lapsed ----------------------------------------------------------------------------


def test_a_lapse_says_which_paper_and_since_when() -> None:
    trainer = certified_trainer()
    assert licensing.lapses(trainer, NOON) == []
    held = Credential.objects.filter(user=trainer.user, kind=Kind.CPR_AED)
    held.update(expires_on=YESTERDAY)
    # An older one, and one that nobody has checked, are not the newest that counted.
    for more in ({"expires_on": date(2025, 1, 1)}, {"verified_at": None, "verified_by": None}):
        CredentialFactory.create(user=trainer.user, kind=Kind.CPR_AED, state="", **more)
    (lapse,) = licensing.lapses(trainer, NOON)
    assert (lapse.what, lapse.ended_on) == ("CPR/AED certificate", YESTERDAY)
    Credential.objects.filter(user=trainer.user).delete()
    assert [each.ended_on for each in licensing.lapses(trainer, NOON)] == [None, None]


def test_a_therapist_lapses_with_the_last_licence_and_an_assistant_never() -> None:
    pt = licensed_pt()
    assert licensing.lapses(pt, NOON) == []
    Credential.objects.filter(user=pt.user).update(expires_on=YESTERDAY)
    assert [each.what for each in licensing.lapses(pt, NOON)] == ["licence"]
    assert licensing.lapses(ProfessionalFactory.create(role="pta"), NOON) == []


# --- rows ---------------------------------------------------------------------------------------


def test_no_more_places_than_anybody_can_have() -> None:
    trainer = certified_trainer(open_places=50)
    with (
        pytest.raises(IntegrityError, match="professional_open_places_in_range"),
        transaction.atomic(),
    ):
        Professional.objects.filter(pk=trainer.pk).update(open_places=51)


def test_own_words_become_words_of_the_list_and_nothing_is_lost() -> None:
    migration = import_module("clients.migrations.0011_directory")
    row = certified_trainer(
        specialties=["Knee and hip", "running", "Dancing", " "], introduction="Hello."
    )
    full = certified_trainer(specialties=["Dancing"], introduction="x" * 600)
    migration.to_codes(apps, None)
    row.refresh_from_db()
    assert row.specialties == ["knee", "hip", "running"]
    assert row.introduction == "Hello.\nDancing"
    full.refresh_from_db()
    assert (full.specialties, full.introduction) == ([], "x" * 600)
    migration.to_words(apps, None)
    row.refresh_from_db()
    assert row.specialties == ["Knee", "Hip", "Running"]
