"""The one statement of the door says what the plain queries say, whatever stands in the tables."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from clients import access as people
from clients import consent as consents
from clients.access import actor_for
from clients.models import Client, Consent, ConsentEvent, Guardianship, Practice, Professional, User
from clients.scopes import NOTICE_VERSION, Scope
from handoff.core.actors import ANONYMOUS, SYSTEM, Actor
from referrals import access, grounds
from referrals.models import Referral
from referrals.states import Kind, State
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    GuardianshipFactory,
    PracticeFactory,
    ProfessionalFactory,
    ReferralFactory,
    UserFactory,
    acting,
    granted_consent,
)
from tests.referrals.test_lifecycle import Story

pytestmark = pytest.mark.django_db
EventKind, Authority = ConsentEvent.Kind, ConsentEvent.Authority
OF_AGE = date(2009, 1, 13)
"""Comes of age at the very midnight before NOON, in New York."""

# Close to NOON on either side, and at it: comparisons that are off by one instant show.
moments = st.sampled_from(
    [NOON + timedelta(**shift) for shift in ({"days": -3}, {"microseconds": -1}, {"days": 3})]
    + [NOON]
)
maybe_moments = st.none() | moments
birthdays = st.sampled_from(
    [date(1990, 5, 4), OF_AGE, OF_AGE + timedelta(days=1), date(2012, 2, 29)]
)
zones = st.sampled_from(["America/New_York", "Pacific/Honolulu", "Pacific/Kiritimati"])
some_classes = st.sets(st.sampled_from(list(Scope)), min_size=1)


def both(actor: Actor, client: Client, at: datetime) -> grounds.Reading:
    """What the one statement reads, after comparing all of it with the plain queries."""
    fresh = Client.objects.get(pk=client.pk)
    found = grounds.read(actor, client.pk, at)
    plain = access.grounds_for(actor, fresh, at)
    assert found.grounds == plain
    assert found.at == at
    assert found.treating == access.treating_ids(actor)
    assert found.is_own == (client.pk in {each.pk for each in people.own_clients(actor, at)})
    sides = plain.own_ids | plain.treats_as
    rows = Referral.objects.filter(client=client)
    assert found.states == {
        each.pk: each.state for each in rows if {each.sender_id, each.recipient_id} & sides
    }
    for row in rows.filter(pk__in=found.states):
        live = consents.live(
            client_id=client.pk,
            at=at,
            recipient_ids=[row.recipient_id],
            discloser_ids=[row.sender_id],
        )
        shared: frozenset[Scope] = frozenset().union(*(each.classes for each in live))
        assert found.granted(row.sender_id, row.recipient_id) == shared
    return found


class TestAnything(TestCase):
    """Any state of the people, their papers and their questions, for everybody concerned."""

    practice: ClassVar[Practice]
    pts: ClassVar[list[Professional]]
    recipients: ClassVar[list[Professional]]
    people: ClassVar[list[User]]
    owner: ClassVar[User]
    another: ClassVar[Client]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.practice = PracticeFactory.create()
        cls.pts = [
            ProfessionalFactory.create(practice=cls.practice),
            ProfessionalFactory.create(practice=cls.practice),
            ProfessionalFactory.create(),
        ]
        assistant = ProfessionalFactory.create(role="pta", practice=cls.practice)
        # Somebody can be both, and can receive from themselves at another place.
        both_trades = ProfessionalFactory.create(trainer=True, user=cls.pts[1].user)
        cls.recipients = [ProfessionalFactory.create(trainer=True), both_trades, cls.pts[2]]
        cls.owner, cls.another = UserFactory.create(), ClientFactory.create()
        guardians = [UserFactory.create(), UserFactory.create(), cls.recipients[0].user]
        # What has to do with somebody else, and with the same people.
        elsewhere = GuardianshipFactory.create(user=guardians[0])
        EpisodeFactory.create(client=elsewhere.client, pt=cls.pts[0])
        sides: dict[str, Any] = {"client": elsewhere.client, "recipient": cls.recipients[0]}
        granted_consent(discloser=cls.pts[0], signer=guardians[0], **sides)
        ReferralFactory.create(sender=cls.pts[0], state=State.ACCEPTED, **sides)
        cls.people = [
            *(each.user for each in cls.pts),
            assistant.user,
            cls.recipients[0].user,
            *guardians[:2],
        ]

    @given(st.data())
    def test_the_statement_and_the_plain_queries_agree(self, data: st.DataObject) -> None:
        draw: Callable[[st.SearchStrategy[Any]], Any] = data.draw
        own = draw(st.sampled_from([None, self.owner, self.pts[0].user]))
        client = ClientFactory.create(
            user=own,
            birth_date=draw(birthdays),
            time_zone=draw(zones),
            state=draw(st.sampled_from(["NY", "AL"])),
            created_by=draw(st.none() | st.sampled_from(self.pts)),
        )
        joined = draw(st.none() | st.sampled_from(self.pts))
        if joined is not None:
            ClientFactory.create(user=None, created_by=joined, merged_into=client)
        authorities = [
            self.guardianship(draw, client, user)
            for user in self.people[-3:]
            if draw(st.booleans())
        ]
        for pt in draw(st.lists(st.sampled_from(self.pts), max_size=2)):
            EpisodeFactory.create(client=client, pt=pt)
        for _ in range(draw(st.integers(0, 3))):
            self.consent(draw, client, authorities)
        for number in range(draw(st.integers(0, 3))):
            self.referral(draw, client, number)
        everybody = [*self.people, *([own] if own else [])]
        viewers = draw(st.sets(st.sampled_from(everybody), min_size=3, max_size=3))
        actors = [actor_for(each, at=NOON) for each in viewers]
        gone = draw(st.none() | st.sampled_from([*self.pts, *self.recipients]))
        Professional.objects.filter(pk=gone and gone.pk).update(left_at=NOON)
        closed = draw(st.none() | st.sampled_from(everybody))
        User.objects.filter(pk=closed and closed.pk).update(is_active=False)
        if not draw(st.integers(0, 5)):
            Client.objects.filter(pk=client.pk).update(merged_into=self.another)
        for actor in (*actors, ANONYMOUS, SYSTEM):
            both(actor, client, NOON)

    def guardianship(self, draw: Callable[..., Any], client: Client, user: User) -> Guardianship:
        verified = draw(maybe_moments)
        return GuardianshipFactory.create(
            client=client,
            user=user,
            verified_at=verified,
            verified_by=self.people[0] if verified else None,
            ended_at=draw(maybe_moments),
        )

    def consent(
        self, draw: Callable[..., Any], client: Client, authorities: list[Guardianship]
    ) -> None:
        sides = draw(st.permutations([*self.pts, *self.recipients[:2]]))
        consent = Consent.objects.create(
            client=client,
            discloser=sides[0],
            recipient=sides[1],
            purpose="To train safely",
            classes_asked=[Scope.NOTE],
            notice_version=NOTICE_VERSION,
            asked_by=sides[0].user,
            asked_at=NOON,
        )
        for kind in draw(st.lists(st.sampled_from(EventKind), max_size=3)):
            guardianship = draw(st.none() | st.sampled_from(authorities)) if authorities else None
            ConsentEvent(
                consent=consent,
                kind=kind,
                classes=sorted(draw(some_classes)),
                valid_from=draw(maybe_moments),
                expires_at=draw(moments),
                by_id=draw(st.sampled_from([client.user_id, None])) or self.people[0].pk,
                authority=Authority.GUARDIAN
                if guardianship
                else draw(st.sampled_from([Authority.SELF, Authority.SYSTEM])),
                guardianship=guardianship,
                notice_version=NOTICE_VERSION,
                notice_hash="",
                channel="page",
            ).append(at=NOON)

    def referral(self, draw: Callable[..., Any], client: Client, number: int) -> None:
        sides = draw(st.permutations([*self.pts, *self.recipients[:2]]))
        ReferralFactory.create(
            client=client,
            sender=sides[0],
            recipient=sides[1],
            kind=list(Kind)[number],
            state=draw(st.sampled_from(State)),
            first_session_at=NOON,
        )


def test_it_is_one_statement() -> None:
    """Also with a guardian's signature: whatever a rule asks for is fetched with the rest."""
    row = GuardianshipFactory.create()
    episode = EpisodeFactory.create(client=row.client)
    trainer = ProfessionalFactory.create(trainer=True)
    granted_consent(client=row.client, discloser=episode.pt, recipient=trainer, signer=row.user)
    for actor in (acting(trainer), acting(episode.pt), acting(row.user), acting(row.client)):
        with CaptureQueriesContext(connection) as queries:
            grounds.read(actor, row.client.pk, NOON)
        assert len(queries) == 1, [each["sql"] for each in queries]
    assert both(acting(trainer), row.client, NOON).grounds.grants
    assert both(acting(row.user), row.client, NOON).grounds.is_guardian


def test_each_ground_is_found() -> None:
    """So that the comparison above is not one of nothing with nothing."""
    story = Story()
    referral = story.accepted()
    trainer = both(story.as_trainer, story.client, NOON)
    assert trainer.grounds.accepted_from == {(story.pt.pk, story.trainer.pk)}
    assert trainer.grounds.grants
    assert trainer.states == {referral.pk: State.ACCEPTED}
    assert not trainer.is_own
    therapist = both(story.as_pt, story.client, NOON)
    assert therapist.grounds.treats_as == therapist.treating == {story.pt.pk}
    client = both(story.as_client, story.client, NOON)
    assert client.grounds.is_self
    assert client.is_own
    stranger = both(acting(ProfessionalFactory.create(trainer=True)), story.client, NOON)
    assert not stranger.grounds.grants
    assert not stranger.states


def test_of_two_therapists_each_is_asked_for_alone() -> None:
    """What the client shares from one of them says nothing about the other."""
    client, trainer = ClientFactory.create(), ProfessionalFactory.create(trainer=True)
    shared: dict[Any, Any] = {}
    for classes in ({Scope.NOTE}, {Scope.CLEARANCE, Scope.HISTORY}):
        pt = EpisodeFactory.create(client=client).pt
        sides: dict[str, Any] = {"client": client, "recipient": trainer}
        granted_consent(discloser=pt, classes=frozenset(classes), **sides)
        kind = list(Kind)[len(shared)]
        ReferralFactory.create(sender=pt, state=State.SENT, kind=kind, **sides)
        shared[pt.pk] = classes
    found = both(acting(trainer), client, NOON)
    assert {pk: found.granted(pk, trainer.pk) for pk in shared} == shared


def test_a_guardian_acts_for_the_record_that_is_left_when_two_are_joined() -> None:
    authority = GuardianshipFactory.create()
    actor = acting(authority.user)
    assert both(actor, authority.client, NOON).grounds.is_guardian
    Client.objects.filter(pk=authority.client.pk).update(merged_into=ClientFactory.create())
    assert not both(actor, authority.client, NOON).grounds.is_guardian


def test_what_a_guardian_signed_for_one_minor_shares_nothing_of_another() -> None:
    signed, other = GuardianshipFactory.create(), ClientFactory.create(minor=True)
    pt, trainer = ProfessionalFactory.create(), ProfessionalFactory.create(trainer=True)
    granted_consent(client=signed.client, discloser=pt, recipient=trainer, signer=signed.user)
    assert both(acting(trainer), signed.client, NOON).grounds.grants
    assert not both(acting(trainer), other, NOON).grounds.grants


def test_without_a_moment_it_is_the_databases() -> None:
    client = ClientFactory.create()
    first, second = (grounds.read(acting(client), client.pk).at for _ in range(2))
    assert first < second
    assert first.utcoffset() == timedelta(0)


def test_of_a_client_who_does_not_exist_there_is_nothing() -> None:
    found = grounds.read(acting(UserFactory.create()), uuid4(), NOON)
    assert found == grounds.Reading(NOON, NOON)
