"""One link in two windows, and in the hands of two people. Real threads on a real PostgreSQL."""

import threading
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from clients import invitations, links
from clients.models import Client, Invitation, Professional
from handoff.core.audit import AuditEntry
from handoff.core.errors import DomainError, Stale
from tests.factories import NOON, ClientFactory, UserFactory, acting, licensed_pt
from tests.races.rounds import rounds
from tests.races.test_referral_races import together

pytestmark = pytest.mark.django_db(transaction=True)


def invited(pt: Professional | None = None) -> tuple[Invitation, Client]:
    """A link for a record that has no account yet."""
    pt = pt or licensed_pt()
    client = ClientFactory.create(user=None, created_by=pt)
    address = f"{client.pk}@example.org"
    invitation = invitations.invite_existing_record(
        actor=acting(pt), client_id=client.pk, email=address, at=NOON
    )
    return invitation, client


def test_the_harness_can_show_the_race() -> None:
    """Positive control: both find the link unused, and the later one takes the record over."""
    invitation, client = invited()
    both_have_read = threading.Barrier(2)

    def use_unlocked(user: Any) -> bool:
        with transaction.atomic():
            is_free = Invitation.objects.get(pk=invitation.pk).used_at is None
            both_have_read.wait(timeout=10)
            Client.objects.filter(pk=client.pk).update(user=user)
            return is_free

    users = [UserFactory.create(), UserFactory.create()]
    assert together(*(partial(use_unlocked, user) for user in users)) == [True, True]


def test_one_link_in_several_windows_is_used_once() -> None:
    for _ in rounds(5, 200):
        invitation, client = invited()
        user = UserFactory.create(email=invitation.email)
        use = partial(
            links.accept,
            actor=acting(user),
            invitation_id=invitation.pk,
            birth_date=client.birth_date,
            at=NOON,
        )
        results = together(*[use] * 4)
        assert sum(isinstance(each, Invitation) for each in results) == 1
        assert sum(isinstance(each, Stale) for each in results) == 3
        client.refresh_from_db()
        assert client.user == user
        noted = AuditEntry.objects.filter(
            verb="invitation.accepted_client", object_id=str(invitation.pk)
        )
        assert noted.count() == 1


def test_using_a_link_against_taking_it_back_has_one_winner() -> None:
    for _ in rounds(5, 200):
        pt = licensed_pt()
        invitation, client = invited(pt)
        user = UserFactory.create(email=invitation.email)
        used, taken_back = together(
            partial(
                links.accept,
                actor=acting(user),
                invitation_id=invitation.pk,
                birth_date=client.birth_date,
                at=NOON,
            ),
            partial(
                invitations.cancel,
                actor=acting(pt),
                invitation_id=invitation.pk,
                at=NOON,
            ),
        )
        assert isinstance(used, DomainError) is not isinstance(taken_back, DomainError)
        client.refresh_from_db()
        assert (client.user == user) is isinstance(used, Invitation)
