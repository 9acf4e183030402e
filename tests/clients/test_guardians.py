"""Who decides for a client, to the minute of majority."""

from datetime import UTC, date, datetime, timedelta

import pytest

from clients import guardians
from clients.models import ConsentEvent
from handoff.core.actors import ANONYMOUS
from handoff.core.errors import NotAllowed, NotVisible
from tests.factories import (
    NOON,
    ClientFactory,
    GuardianshipFactory,
    UserFactory,
    acting,
)


@pytest.mark.parametrize(
    ("birth_date", "state", "zone", "instant"),
    [
        (date(2009, 2, 1), "NY", "America/New_York", datetime(2027, 2, 1, 5, tzinfo=UTC)),
        (date(2009, 2, 1), "CA", "America/Los_Angeles", datetime(2027, 2, 1, 8, tzinfo=UTC)),
        (date(2009, 2, 1), "AL", "America/Chicago", datetime(2028, 2, 1, 6, tzinfo=UTC)),
        (date(2009, 2, 1), "NE", "America/Chicago", datetime(2028, 2, 1, 6, tzinfo=UTC)),
        (date(2009, 2, 1), "MS", "America/Chicago", datetime(2030, 2, 1, 6, tzinfo=UTC)),
        (date(2008, 2, 29), "NY", "America/New_York", datetime(2026, 3, 1, 5, tzinfo=UTC)),
        (date(2009, 7, 4), "NY", "America/New_York", datetime(2027, 7, 4, 4, tzinfo=UTC)),
    ],
)
def test_majority_begins_at_midnight_in_the_zone(
    birth_date: date, state: str, zone: str, instant: datetime
) -> None:
    assert guardians.majority_instant(birth_date=birth_date, state=state, zone=zone) == instant


@pytest.mark.django_db
def test_an_adult_signs_for_themselves() -> None:
    client = ClientFactory.create()
    assert client.user is not None
    signer = guardians.signer_for(acting(client), client, NOON)
    assert (signer.user_id, signer.authority) == (client.user.pk, ConsentEvent.Authority.SELF)
    assert guardians.deciders(client, NOON) == [client.user.pk]


@pytest.mark.django_db
def test_nobody_decides_for_an_adult_without_an_account() -> None:
    assert guardians.deciders(ClientFactory.create(user=None), NOON) == []


@pytest.mark.django_db
def test_a_guardian_signs_for_a_minor_until_majority() -> None:
    row = GuardianshipFactory.create()
    client = row.client
    signer = guardians.signer_for(acting(row.user), client, NOON)
    assert (signer.authority, signer.guardianship) == (ConsentEvent.Authority.GUARDIAN, row)
    assert guardians.deciders(client, NOON) == [row.user.pk]
    with pytest.raises(NotAllowed):
        guardians.signer_for(acting(client), client, NOON)
    grown = guardians.majority_instant(
        birth_date=client.birth_date, state=client.state, zone=client.time_zone
    )
    with pytest.raises(NotVisible):
        guardians.signer_for(acting(row.user), client, grown)
    assert client.user is not None
    assert guardians.deciders(client, grown) == [client.user.pk]
    assert guardians.signer_for(acting(client), client, grown).guardianship is None


@pytest.mark.django_db
@pytest.mark.parametrize("flaw", ["unverified", "ended", "switched off", "of another"])
def test_a_guardian_without_authority_is_a_stranger(flaw: str) -> None:
    row = GuardianshipFactory.create(unverified=flaw == "unverified")
    client = row.client
    if flaw == "ended":
        row.ended_at = NOON
        row.save()
    elif flaw == "switched off":
        row.user.is_active = False
        row.user.save()
    elif flaw == "of another":
        client = ClientFactory.create(minor=True)
    assert guardians.guardianship_of(row.user.pk, client, NOON) is None
    assert guardians.deciders(client, NOON) == []
    with pytest.raises(NotVisible):
        guardians.signer_for(acting(row.user), client, NOON)


@pytest.mark.django_db
def test_a_guardianship_that_ends_later_still_counts() -> None:
    row = GuardianshipFactory.create(ended_at=NOON + timedelta(seconds=1))
    assert guardians.guardianship_of(row.user.pk, row.client, NOON) == row
    assert guardians.deciders(row.client, NOON) == [row.user.pk]


@pytest.mark.django_db
def test_nobody_in_particular_is_nobody() -> None:
    client = ClientFactory.create(minor=True)
    assert guardians.guardianship_of(None, client, NOON) is None
    for actor in (ANONYMOUS, acting(UserFactory.create())):
        with pytest.raises(NotVisible):
            guardians.signer_for(actor, client, NOON)
