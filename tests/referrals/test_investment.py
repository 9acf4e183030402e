"""What it costs: who notes it, who reads it, who never does, and the reminder it drives."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from clients.models import AccessEntry
from clients.scopes import Scope
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import investment
from referrals.models import Coverage, Episode, Package, Reminder
from referrals.reminders.rules import Rule
from referrals.states import State
from tests.factories import NOON, ClientFactory, GuardianshipFactory, acting
from tests.referrals.scenes import Therapy

pytestmark = pytest.mark.django_db
PAID = {
    "payer": "An insurer",
    "visits_authorized": "20",
    "visits_used": "4",
    "authorized_until": "2027-04-01",
    "cost_per_visit": "25.50",
}
BOUGHT = {"provider": "A gym", "sessions_bought": "10", "price": "500", "bought_on": "2027-01-12"}


@pytest.fixture
def therapy() -> Therapy:
    return Therapy()


def noted(therapy: Therapy, **changes: Any) -> Coverage:
    return investment.set_coverage(
        actor=therapy.as_pt, episode_id=therapy.episode.pk, data=PAID | changes, at=NOON
    )


def bought(therapy: Therapy, **changes: Any) -> Package:
    return investment.add_package(
        actor=therapy.as_client, client_id=therapy.client.pk, data=BOUGHT | changes, at=NOON
    )


def test_the_therapist_notes_it_and_both_sides_read_it(therapy: Therapy) -> None:
    noted(therapy)
    seen = investment.coverage(actor=therapy.as_pta, episode_id=therapy.episode.pk, at=NOON)
    assert seen is not None
    assert (seen.visits_left, seen.paid_so_far) == (16, Decimal("102.00"))
    costs = investment.costs(actor=therapy.as_client, client_id=therapy.client.pk, at=NOON)
    assert costs.coverages == (seen,)
    entry = AccessEntry.objects.latest("number")
    assert (entry.purpose, entry.shown) == ("costs", [Scope.HISTORY])


def test_noting_it_again_takes_the_place_of_it(therapy: Therapy) -> None:
    noted(therapy)
    noted(therapy, visits_authorized="", cost_per_visit="", authorized_until=None)
    (row,) = Coverage.objects.all()
    assert (row.visits_authorized, row.cost_per_visit, row.authorized_until) == (None, None, None)
    assert investment.visits_left(row) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("payer", " "),
        ("payer", "x" * 121),
        ("visits_authorized", "-1"),
        ("visits_authorized", "many"),
        ("visits_used", "1000"),
        ("authorized_until", "2040-01-01"),
        ("cost_per_visit", "-0.01"),
        ("cost_per_visit", "1.005"),
        ("cost_per_visit", "100000"),
        ("colour", "red"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(therapy: Therapy, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        noted(therapy, **{field: value})
    assert list(refused.value.errors) == [field]
    assert not Coverage.objects.exists()


def test_only_the_treating_therapist_notes_it(therapy: Therapy) -> None:
    for actor, error in (
        (therapy.as_pta, NotAllowed),
        (therapy.as_other_pt, NotVisible),
        (therapy.as_trainer, NotVisible),
        (therapy.as_client, NotVisible),
    ):
        with pytest.raises(error):
            investment.set_coverage(actor=actor, episode_id=therapy.episode.pk, data=PAID, at=NOON)
    Episode.objects.filter(pk=therapy.episode.pk).update(status="entered_in_error")
    with pytest.raises(Stale):
        noted(therapy)


def test_no_trainer_reads_any_of_it_whatever_is_shared(therapy: Therapy) -> None:
    """The trainer has taken the client on, and every part is shared with them."""
    therapy.signed()
    therapy.share(*Scope, state=State.IN_PROGRESS)
    noted(therapy)
    bought(therapy)
    with pytest.raises(NotVisible):
        investment.coverage(actor=therapy.as_trainer, episode_id=therapy.episode.pk, at=NOON)
    with pytest.raises(NotVisible):
        investment.costs(actor=therapy.as_trainer, client_id=therapy.client.pk, at=NOON)
    entry = AccessEntry.objects.latest("number")
    assert (entry.action, entry.shown) == (AccessEntry.Action.REFUSED, [])


def test_packages_are_the_clients_own(therapy: Therapy) -> None:
    row = bought(therapy)
    for actor in (therapy.as_pt, therapy.as_trainer, acting(ClientFactory.create())):
        with pytest.raises(NotVisible):
            investment.costs(actor=actor, client_id=therapy.client.pk, at=NOON)
        for act in (investment.use_session, investment.remove_package, investment.package):
            with pytest.raises(NotVisible):
                act(actor=actor, package_id=row.pk, at=NOON)
    with pytest.raises(NotVisible):
        investment.package(actor=therapy.as_client, package_id=uuid4(), at=NOON)
    seen = investment.package(actor=therapy.as_client, package_id=row.pk, at=NOON)
    assert (seen.sessions_left, seen.per_session) == (10, Decimal("50.00"))


def test_a_guardian_notes_for_a_minor() -> None:
    minor = ClientFactory.create(minor=True)
    guardian = GuardianshipFactory.create(client=minor).user
    row = investment.add_package(actor=acting(guardian), client_id=minor.pk, data=BOUGHT, at=NOON)
    assert row.client_id == minor.pk


def test_sessions_are_used_one_by_one_and_no_further(therapy: Therapy) -> None:
    row = bought(therapy, sessions_bought="2", sessions_used="1")
    investment.use_session(actor=therapy.as_client, package_id=row.pk, at=NOON)
    with pytest.raises(Stale):
        investment.use_session(actor=therapy.as_client, package_id=row.pk, at=NOON)
    investment.remove_package(actor=therapy.as_client, package_id=row.pk, at=NOON)
    assert not Package.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("provider", ""),
        ("sessions_bought", ""),
        ("sessions_bought", "0"),
        ("sessions_used", "11"),
        ("price", "free"),
        ("bought_on", "2027-02-01"),
        ("bought_on", "2001-01-01"),
        ("valid_until", "2027-01-11"),
    ],
)
def test_a_package_that_cannot_be_is_refused(therapy: Therapy, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        bought(therapy, **{field: value})
    assert list(refused.value.errors) == [field]


def test_the_database_refuses_it_as_well(therapy: Therapy) -> None:
    row = bought(therapy)
    for changes in (
        {"sessions_used": 11},
        {"price": Decimal("-1")},
        {"valid_until": row.bought_on - timedelta(days=1)},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Package.objects.filter(pk=row.pk).update(**changes)


def reminded(therapy: Therapy) -> list[date]:
    rows = Reminder.objects.filter(
        rule=Rule.VISITS_LOW, episode=therapy.episode, state__in=Reminder.WAITING
    )
    return sorted(row.due_at.date() for row in rows)


def test_few_visits_and_the_end_of_an_authorisation_remind_the_therapist(therapy: Therapy) -> None:
    noted(therapy)
    assert reminded(therapy) == [date(2027, 3, 18)]  # two weeks before the last day
    noted(therapy, visits_used="17")
    assert reminded(therapy) == [NOON.date(), date(2027, 3, 18)]
    since = Coverage.objects.get().low_since
    noted(therapy, visits_used="18")
    assert Coverage.objects.get().low_since == since  # they know already
    noted(therapy, visits_authorized="40", authorized_until="")
    assert reminded(therapy) == []
