"""Links that bring people in: once, for one address, for a week, and telling nothing."""

import re
import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients import invitations, links
from clients.invitations import LINK_LIFE
from clients.links import Stage
from clients.models import Client, Guardianship, Invitation, Professional, User
from handoff.core.audit import AuditEntry
from handoff.core.errors import DomainError, Invalid, NotAllowed, NotVisible, Stale
from tests.factories import (
    NOON,
    ClientFactory,
    ProfessionalFactory,
    UserFactory,
    acting,
    licensed_pt,
)

BORN = date(1991, 4, 2)
pytestmark = pytest.mark.django_db


def invite(pt: Professional, **over: Any) -> tuple[Client, Invitation]:
    fields: dict[str, Any] = {
        "first_name": "Ana",
        "last_name": "Duarte",
        "birth_date": BORN,
        "email": "ana@example.org",
        "state": "NY",
        "at": NOON,
    }
    return invitations.invite_client(actor=acting(pt), **{**fields, **over})


def secret_in(message: mail.EmailMessage) -> str:
    found = re.search(r"/invitations/([\w-]+)/", str(message.body))
    assert found
    return found.group(1)


@pytest.fixture
def sent(django_capture_on_commit_callbacks: Any) -> Callable[..., str]:
    """Do something that invites, and give the secret that went out by mail."""

    def run(act: Callable[[], object]) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            act()
        return secret_in(mail.outbox[-1])

    return run


class TestInviting:
    def test_makes_a_record_without_account_and_mails_a_link(self, sent: Any) -> None:
        pt = licensed_pt()
        token = sent(lambda: invite(pt))
        client = Client.objects.get()
        invitation = Invitation.objects.get()
        assert client.user is None
        assert client.created_by == pt
        assert invitation.token_hash == invitations.hashed(token)
        assert invitation.expires_at - invitation.created_at == LINK_LIFE == timedelta(days=7)
        assert len(token) >= 43
        assert token not in str(Invitation.objects.values().get())
        assert links.find(token) == invitation.pk

    def test_the_mail_names_nobody_and_no_care(self, sent: Any) -> None:
        pt = licensed_pt()
        sent(lambda: invite(pt))
        (message,) = mail.outbox
        assert isinstance(message, mail.EmailMultiAlternatives)
        everything = " ".join(
            [
                str(message.subject),
                str(message.body),
                str(message.alternatives[0][0]),
                str(message.message()["From"]),
            ]
        ).lower()
        assert message.to == ["ana@example.org"]
        for word in (
            *("ana", "duarte", pt.user.first_name.lower(), pt.practice.name.lower()),
            *("therap", "rehab", "clinic", "injur", "patient", "trainer", "health", "medical"),
        ):
            assert word not in everything.replace("ana@example.org", ""), word

    def test_an_address_known_here_gets_the_same_answer(self) -> None:
        pt = licensed_pt()
        ClientFactory.create(
            email="known@example.org",
            birth_date=BORN,
            user=UserFactory.create(email="known@example.org"),
        )
        invite(pt, email="first@example.org")  # the first entry of a ledger costs more
        asked = []
        for address in ("new@example.org", "known@example.org"):
            with CaptureQueriesContext(connection) as queries:
                client, invitation = invite(pt, email=address)
            assert (client.user, invitation.cancelled_at) == (None, None)
            asked.append([re.sub(r"'[^']*'|_x\d+|\d+", "?", each["sql"]) for each in queries])
        assert asked[0] == asked[1]

    def test_ones_own_client_twice_is_said(self) -> None:
        pt = licensed_pt()
        invite(pt)
        with pytest.raises(Invalid) as refused:
            invite(pt, email="ANA@example.org")
        assert list(refused.value.errors) == ["email"]
        assert Client.objects.count() == 1
        invite(licensed_pt())
        assert Client.objects.count() == 2

    @pytest.mark.parametrize(
        ("over", "field"),
        [
            ({"email": ""}, "email"),
            ({"email": "nobody"}, "email"),
            ({"first_name": "  "}, "first_name"),
            ({"last_name": "x" * 81}, "last_name"),
            ({"state": "ZZ"}, "state"),
            ({"time_zone": "Mars/Base"}, "time_zone"),
            ({"birth_date": date(2027, 2, 1)}, "birth_date"),
            ({"birth_date": date(1850, 1, 1)}, "birth_date"),
            ({"phone": "5" * 31}, "phone"),
        ],
    )
    def test_every_field_is_checked(self, over: dict[str, Any], field: str) -> None:
        with pytest.raises(Invalid) as refused:
            invite(licensed_pt(), **over)
        assert list(refused.value.errors) == [field]
        assert not Client.objects.exists()

    def test_several_complaints_come_together(self) -> None:
        with pytest.raises(Invalid) as refused:
            invite(licensed_pt(), first_name="", state="")
        assert set(refused.value.errors) == {"first_name", "state"}

    def test_only_therapists_and_assistants_invite(self) -> None:
        for somebody in (ProfessionalFactory.create(trainer=True), ClientFactory.create()):
            with pytest.raises(NotVisible):
                invitations.invite_client(
                    actor=acting(somebody),
                    first_name="A",
                    last_name="B",
                    birth_date=BORN,
                    email="a@example.org",
                    state="NY",
                    at=NOON,
                )

    def test_an_assistant_invites_for_a_therapist_of_the_clinic(self) -> None:
        pt = licensed_pt()
        assistant = ProfessionalFactory.create(role=Professional.Role.PTA, practice=pt.practice)
        client, invitation = invite(assistant)
        assert client.created_by == pt
        assert invitation.invited_by == assistant
        second = licensed_pt(practice=pt.practice)
        with pytest.raises(Invalid) as refused:
            invite(assistant, email="b@example.org")
        assert list(refused.value.errors) == ["therapist_id"]
        client, _ = invite(assistant, email="b@example.org", therapist_id=second.pk)
        assert client.created_by == second
        with pytest.raises(NotVisible):
            invite(assistant, email="c@example.org", therapist_id=licensed_pt().pk)

    def test_a_mail_that_cannot_be_sent_leaves_no_link_to_wait_for(
        self, settings: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        settings.EMAIL_BACKEND = "tests.clients.test_invitations.Unreachable"
        with django_capture_on_commit_callbacks(execute=True):
            client, invitation = invite(licensed_pt())
        assert client.pk
        assert invitation.cancelled_at is not None
        assert AuditEntry.objects.filter(verb="invitation.not_sent").exists()


class Unreachable:
    """A mail server that is down."""

    def __init__(self, **_: Any) -> None: ...

    def open(self) -> None: ...

    def close(self) -> None: ...

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError


class TestSendingAgain:
    def test_the_older_link_stops_working(self, sent: Any) -> None:
        pt = licensed_pt()
        old = sent(lambda: invite(pt))
        client = Client.objects.get()
        new = sent(
            lambda: invitations.invite_existing_record(
                actor=acting(pt), client_id=client.pk, email="ana.new@example.org", at=NOON
            )
        )
        user = UserFactory.create(email="ana.new@example.org")
        assert outlook(user, old) is Stage.CANCELLED
        assert outlook(user, new) is Stage.CONFIRM
        client.refresh_from_db()
        assert client.email == "ana.new@example.org"

    def test_not_for_a_client_who_has_come(self) -> None:
        pt = licensed_pt()
        client = ClientFactory.create(created_by=pt)
        with pytest.raises(Stale):
            invitations.invite_existing_record(
                actor=acting(pt), client_id=client.pk, email="x@example.org", at=NOON
            )

    def test_not_by_anybody_else(self) -> None:
        client = ClientFactory.create(created_by=licensed_pt(), user=None)
        for somebody in (licensed_pt(), ProfessionalFactory.create(trainer=True)):
            with pytest.raises(NotVisible):
                invitations.invite_existing_record(
                    actor=acting(somebody), client_id=client.pk, email="x@example.org", at=NOON
                )

    def test_cancelling(self, sent: Any) -> None:
        pt = licensed_pt()
        token = sent(lambda: invite(pt))
        invitation = Invitation.objects.get()
        with pytest.raises(NotVisible):
            invitations.cancel(actor=acting(licensed_pt()), invitation_id=invitation.pk, at=NOON)
        invitations.cancel(actor=acting(pt), invitation_id=invitation.pk, at=NOON)
        user = UserFactory.create(email="ana@example.org")
        assert outlook(user, token) is Stage.CANCELLED
        with pytest.raises(Stale):
            links.accept(actor=acting(user), invitation_id=invitation.pk, birth_date=BORN, at=NOON)

    def test_details_can_be_put_right_until_the_client_comes(self) -> None:
        pt = licensed_pt()
        client, _ = invite(pt)
        right: dict[str, Any] = {
            "first_name": "Anna",
            "last_name": "Duarte",
            "birth_date": date(1991, 2, 4),
            "at": NOON,
        }
        with pytest.raises(NotVisible):
            invitations.correct_details(actor=acting(licensed_pt()), client_id=client.pk, **right)
        invitations.correct_details(actor=acting(pt), client_id=client.pk, **right)
        client.refresh_from_db()
        assert (client.first_name, client.birth_date) == ("Anna", date(1991, 2, 4))
        client.user = UserFactory.create()
        client.save()
        with pytest.raises(Stale):
            invitations.correct_details(actor=acting(pt), client_id=client.pk, **right)


def opened(token: str) -> UUID:
    found = links.find(token)
    assert found
    return found


def outlook(user: User | None, token: str, at: Any = NOON) -> Stage:
    actor = acting(user) if user else acting(UserFactory.build(is_active=False))
    return links.outlook(actor=actor, invitation_id=links.find(token), at=at).stage


class TestAccepting:
    def test_the_invited_address_and_the_date_of_birth_connect(self, sent: Any) -> None:
        pt = licensed_pt()
        token = sent(lambda: invite(pt, time_zone="America/Denver"))
        user = UserFactory.create(email="ana@example.org")
        assert outlook(user, token) is Stage.CONFIRM
        invitation_id = opened(token)
        links.accept(actor=acting(user), invitation_id=invitation_id, birth_date=BORN, at=NOON)
        client = Client.objects.get()
        user.refresh_from_db()
        assert client.user == user
        assert user.time_zone == "America/Denver"
        assert outlook(user, token) is Stage.YOURS
        assert outlook(UserFactory.create(), token) is Stage.USED
        assert links.address_of(invitation_id, NOON) is None

    def test_only_once(self, sent: Any) -> None:
        pt = licensed_pt()
        token = sent(lambda: invite(pt))
        user = UserFactory.create(email="ana@example.org")
        invitation_id = opened(token)
        links.accept(actor=acting(user), invitation_id=invitation_id, birth_date=BORN, at=NOON)
        with pytest.raises(Stale):
            links.accept(actor=acting(user), invitation_id=invitation_id, birth_date=BORN, at=NOON)

    def test_not_a_second_after_a_week(self, sent: Any) -> None:
        pt = licensed_pt()
        token = sent(lambda: invite(pt))
        user = UserFactory.create(email="ana@example.org")
        invitation_id = opened(token)
        last = NOON + LINK_LIFE
        assert outlook(user, token, last - timedelta(seconds=1)) is Stage.CONFIRM
        assert outlook(user, token, last) is Stage.EXPIRED
        with pytest.raises(Stale):
            links.accept(actor=acting(user), invitation_id=invitation_id, birth_date=BORN, at=last)

    def test_not_from_another_address(self, sent: Any) -> None:
        pt = licensed_pt()
        token = sent(lambda: invite(pt))
        other = UserFactory.create(email="other@example.org")
        EmailAddress.objects.create(user=other, email="ana@example.org", verified=False)
        invitation_id = opened(token)
        assert outlook(other, token) is Stage.OTHER_ADDRESS
        with pytest.raises(NotAllowed):
            links.accept(actor=acting(other), invitation_id=invitation_id, birth_date=BORN, at=NOON)
        EmailAddress.objects.filter(user=other).update(verified=True)
        assert outlook(other, token) is Stage.CONFIRM

    def test_wrong_dates_are_counted_and_end_the_link(self, sent: Any) -> None:
        pt = licensed_pt()
        token = sent(lambda: invite(pt))
        user = UserFactory.create(email="ana@example.org")
        invitation_id = opened(token)
        for _ in range(links.WRONG_DATES):
            with pytest.raises(Invalid) as refused:
                links.accept(
                    actor=acting(user),
                    invitation_id=invitation_id,
                    birth_date=date(1991, 4, 3),
                    at=NOON,
                )
            assert list(refused.value.errors) == ["birth_date"]
            assert "1991" not in str(refused.value)
        assert outlook(user, token) is Stage.CANCELLED
        with pytest.raises(Stale):
            links.accept(actor=acting(user), invitation_id=invitation_id, birth_date=BORN, at=NOON)
        assert Client.objects.get().user is None

    def test_without_a_date_or_an_account_nothing_happens(self, sent: Any) -> None:
        pt = licensed_pt()
        token = sent(lambda: invite(pt))
        invitation_id = opened(token)
        with pytest.raises(Invalid):
            links.accept(
                actor=acting(UserFactory.create(email="ana@example.org")),
                invitation_id=invitation_id,
                at=NOON,
            )
        with pytest.raises(NotVisible):
            links.accept(
                actor=acting(UserFactory.create()), invitation_id=uuid4(), birth_date=BORN, at=NOON
            )
        assert links.find("wrong") is None
        nobody = links.outlook(actor=acting(pt), invitation_id=None)
        assert nobody.stage is Stage.UNKNOWN


class TestGuardians:
    def invited(self, sent: Any) -> tuple[Client, str]:
        pt = licensed_pt()
        minor = ClientFactory.create(minor=True, created_by=pt)
        token = sent(
            lambda: invitations.invite_guardian(
                actor=acting(pt),
                client_id=minor.pk,
                email="parent@example.org",
                relationship=Guardianship.Relationship.PARENT,
                at=NOON,
            )
        )
        return minor, token

    def test_accepting_gives_an_authority_that_is_not_verified(self, sent: Any) -> None:
        minor, token = self.invited(sent)
        parent = UserFactory.create(email="parent@example.org")
        assert outlook(parent, token) is Stage.GUARDIAN
        invitation_id = opened(token)
        links.accept(actor=acting(parent), invitation_id=invitation_id, at=NOON)
        held = Guardianship.objects.get()
        assert (held.client, held.user, held.verified_at) == (minor, parent, None)
        assert not acting(parent).roles
        assert outlook(parent, token) is Stage.YOURS

    def test_a_minor_is_not_their_own_guardian(self, sent: Any) -> None:
        minor, token = self.invited(sent)
        assert minor.user
        EmailAddress.objects.create(user=minor.user, email="parent@example.org", verified=True)
        assert outlook(minor.user, token) is Stage.CANCELLED
        with pytest.raises(Stale):
            links.accept(actor=acting(minor), invitation_id=opened(token), at=NOON)
        assert not Guardianship.objects.exists()

    def test_no_guardian_for_somebody_of_age(self, sent: Any) -> None:
        pt = licensed_pt()
        adult = ClientFactory.create(created_by=pt)
        with pytest.raises(Invalid):
            invitations.invite_guardian(
                actor=acting(pt),
                client_id=adult.pk,
                email="parent@example.org",
                relationship=Guardianship.Relationship.PARENT,
                at=NOON,
            )
        _, token = self.invited(sent)
        parent = UserFactory.create(email="parent@example.org")
        Client.objects.filter(invitations__isnull=False).update(birth_date=date(1990, 1, 1))
        assert outlook(parent, token) is Stage.CANCELLED

    @pytest.mark.parametrize(
        ("email", "relationship", "field"),
        [("x", "parent", "email"), ("p@example.org", "uncle", "relationship")],
    )
    def test_input_is_checked(self, email: str, relationship: str, field: str) -> None:
        pt = licensed_pt()
        minor = ClientFactory.create(minor=True, created_by=pt)
        with pytest.raises(Invalid) as refused:
            invitations.invite_guardian(
                actor=acting(pt),
                client_id=minor.pk,
                email=email,
                relationship=relationship,
                at=NOON,
            )
        assert list(refused.value.errors) == [field]


@pytest.mark.django_db(transaction=True)
def test_of_two_uses_of_one_link_one_wins() -> None:
    """Two connections at once; the loser finds the link used and changes nothing."""
    invite(licensed_pt())
    invitation = Invitation.objects.get()
    user = UserFactory.create(email="ana@example.org")
    actor = acting(user)
    start = threading.Barrier(2)
    ends: list[type[DomainError] | None] = []

    def use() -> None:
        try:
            start.wait(timeout=10)
            links.accept(actor=actor, invitation_id=invitation.pk, birth_date=BORN, at=NOON)
            ends.append(None)
        except DomainError as error:
            ends.append(type(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(map(str, ends)) == sorted(map(str, [None, Stale]))
    assert AuditEntry.objects.filter(verb="invitation.accepted_client").count() == 1
    assert Client.objects.get().user == user
