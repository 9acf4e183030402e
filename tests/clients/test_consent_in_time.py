"""What time and a minor's own words do to a consent: renewal, the end of training, objections, the
day of majority."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from clients import consent as consents
from clients import guardians, scopes
from clients.consent import ConsentState
from clients.models import Client, Consent, ConsentEvent, Guardianship
from clients.scopes import Scope
from handoff.core.actors import ANONYMOUS
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from handoff.core.ledger import verify
from tests.clients.test_consent import THREE, Cast, state_of
from tests.factories import (
    NOON,
    ClientFactory,
    GuardianshipFactory,
    UserFactory,
    acting,
    asked_consent,
    granted_consent,
)

SECOND = timedelta(seconds=1)


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


@pytest.fixture
def minor(db: None) -> Cast:
    return Cast(ClientFactory.create(minor=True))


def kinds(consent: Consent) -> list[str]:
    return list(consent.events.order_by("number").values_list("kind", flat=True))


def newest(consent: Consent) -> ConsentEvent:
    return consent.events.order_by("-number")[0]


# --- renewal ------------------------------


def test_renewing_goes_on_without_a_gap(cast: Cast) -> None:
    consent = granted_consent(**cast.sides(), classes=THREE, days=10)
    before = consents.standing(consent, NOON).expires_at
    assert before is not None
    consents.renew(
        actor=acting(cast.client), consent_id=consent.pk, expires_on=date(2027, 6, 1), at=NOON
    )
    after = consents.standing(consent, NOON)
    assert after.classes == THREE
    assert after.expires_at == datetime(2027, 6, 2, 4, tzinfo=UTC)  # midnight in New York
    for moment in (NOON, before - SECOND, before, after.expires_at - SECOND):
        assert cast.live(moment) == THREE
    assert cast.live(after.expires_at) == frozenset()
    assert kinds(consent) == ["requested", "granted", "granted"]
    assert verify(ConsentEvent) is None


@pytest.mark.parametrize("day", [date(2027, 1, 22), date(2027, 1, 23), date(2028, 1, 14)])
def test_renewing_needs_a_later_day_within_the_longest_time(cast: Cast, day: date) -> None:
    consent = granted_consent(**cast.sides(), days=10)  # until 23 January
    with pytest.raises(Invalid) as refused:
        consents.renew(actor=acting(cast.client), consent_id=consent.pk, expires_on=day, at=NOON)
    assert list(refused.value.errors) == ["expires_on"]


def test_the_latest_day_is_a_year_from_today_where_the_client_lives(cast: Cast) -> None:
    assert consents.last_day_allowed(cast.client, NOON) == date(2028, 1, 13)
    late = datetime(2027, 1, 14, 3, tzinfo=UTC)  # still the 13th in New York
    assert consents.last_day_allowed(cast.client, late) == date(2028, 1, 13)


def test_renewing_keeps_what_was_narrowed_and_the_end_of_training(cast: Cast) -> None:
    consent = asked_consent(**cast.sides())
    consents.grant(
        actor=acting(cast.client),
        consent_id=consent.pk,
        classes=THREE,
        expires_on=date(2027, 2, 1),
        until_training_ends=True,
        at=NOON,
    )
    consents.narrow(
        actor=acting(cast.client), consent_id=consent.pk, classes=[Scope.CONTACT], at=NOON
    )
    consents.renew(
        actor=acting(cast.client), consent_id=consent.pk, expires_on=date(2027, 3, 1), at=NOON
    )
    now = consents.standing(consent, NOON)
    assert now.classes == {Scope.CONTACT}
    assert now.until_training_ends


def test_what_is_over_or_stopped_cannot_be_renewed(cast: Cast) -> None:
    consent = granted_consent(**cast.sides(), days=10)
    end = consents.standing(consent, NOON).expires_at
    assert end is not None
    for change in ("over", "stopped"):
        if change == "stopped":
            consents.revoke(actor=acting(cast.client), consent_id=consent.pk, at=NOON)
        with pytest.raises(Stale):
            consents.renew(
                actor=acting(cast.client),
                consent_id=consent.pk,
                expires_on=date(2027, 6, 1),
                at=end if change == "over" else NOON,
            )


def test_only_those_who_agree_renew(minor: Cast) -> None:
    guardian = GuardianshipFactory.create(client=minor.client)
    consent = granted_consent(**minor.sides(), days=10, signer=guardian.user)
    for actor, error in [
        (acting(minor.pt), NotAllowed),
        (acting(minor.trainer), NotAllowed),
        (acting(minor.client), NotAllowed),
        (acting(UserFactory.create()), NotVisible),
        (ANONYMOUS, NotVisible),
    ]:
        with pytest.raises(error):
            consents.renew(actor=actor, consent_id=consent.pk, expires_on=date(2027, 6, 1), at=NOON)
    consents.renew(
        actor=acting(guardian.user), consent_id=consent.pk, expires_on=date(2027, 6, 1), at=NOON
    )
    event = newest(consent)
    assert (event.authority, event.guardianship) == ("guardian", guardian)


def test_new_words_are_asked_anew_and_not_slipped_under_an_old_yes(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent = granted_consent(**cast.sides(), days=10)
    monkeypatch.setattr(scopes, "NOTICE_VERSION", "2027-01")
    with pytest.raises(NotAllowed):
        consents.renew(
            actor=acting(cast.client), consent_id=consent.pk, expires_on=date(2027, 6, 1), at=NOON
        )
    assert kinds(consent) == ["requested", "granted"]


# --- the end of training ------------------------------


def until_training_ends(cast: Cast) -> Consent:
    consent = asked_consent(**cast.sides())
    return consents.grant(
        actor=acting(cast.client),
        consent_id=consent.pk,
        classes=THREE,
        expires_on=date(2027, 6, 1),
        until_training_ends=True,
        at=NOON,
    )


def end_training(cast: Cast, at: datetime = NOON) -> tuple[Any, ...]:
    return consents.end_with_training(
        client_id=cast.client.pk, discloser_id=cast.pt.pk, recipient_id=cast.trainer.pk, at=at
    )


def test_it_ends_with_the_training(cast: Cast) -> None:
    consent = until_training_ends(cast)
    assert cast.live() == THREE
    assert end_training(cast) == (consent.pk,)
    assert cast.live() == frozenset()
    assert state_of(consent) is ConsentState.ENDED
    event = newest(consent)
    assert (event.kind, event.authority, event.by, event.channel) == (
        "ended",
        "system",
        None,
        "task",
    )
    assert end_training(cast) == ()
    assert verify(ConsentEvent) is None


def test_it_ends_on_the_latest_day_all_the_same(cast: Cast) -> None:
    consent = until_training_ends(cast)
    end = datetime(2027, 6, 2, 4, tzinfo=UTC)
    assert cast.live(end - SECOND)
    assert state_of(consent, end) is ConsentState.EXPIRED
    assert end_training(cast, end) == ()


def test_what_was_agreed_until_a_day_outlives_the_training(cast: Cast) -> None:
    granted_consent(**cast.sides(), classes=THREE)
    assert end_training(cast) == ()
    assert cast.live() == THREE


def test_only_what_rests_on_this_training_ends(cast: Cast) -> None:
    until_training_ends(cast)
    other = Cast(cast.client)
    until_training_ends(other)
    assert end_training(other)
    assert cast.live() == THREE


def test_an_answer_that_is_replaced_no_longer_counts(cast: Cast) -> None:
    until_training_ends(cast)
    granted_consent(**cast.sides(), classes=THREE)
    assert end_training(cast) == ()
    assert cast.live() == THREE


def test_entries_from_before_the_column_verify_and_a_change_of_it_is_noticed(cast: Cast) -> None:
    plain = newest(granted_consent(**cast.sides()))
    marked = newest(until_training_ends(cast))
    for event, value in ((plain, True), (marked, False)):
        assert event.digest() == event.hash
        event.until_training_ends = value
        assert event.digest() != event.hash


# --- a minor's objection ------------------------------


def test_an_objection_to_a_question_is_kept_and_leaves_it_open(minor: Cast) -> None:
    guardian = GuardianshipFactory.create(client=minor.client)
    consent = asked_consent(**minor.sides())
    assert consents.objections(consent) == ()
    consents.object_to(actor=acting(minor.client), consent_id=consent.pk, at=NOON)
    assert state_of(consent) is ConsentState.REQUESTED
    assert minor.live() == frozenset()
    event = newest(consent)
    assert minor.client.user is not None
    assert (event.kind, event.authority, event.by) == ("objected", "self", minor.client.user)
    assert consents.objections(consent) == (NOON,)
    with pytest.raises(Stale):
        consents.object_to(actor=acting(minor.client), consent_id=consent.pk, at=NOON)
    consents.grant(
        actor=acting(guardian.user),
        consent_id=consent.pk,
        classes=THREE,
        expires_on=date(2027, 3, 1),
        at=NOON,
    )
    assert minor.live() == THREE
    assert consents.objections(consent) == (NOON,)  # it stays in the record


def test_an_objection_to_what_is_shared_stops_it(minor: Cast) -> None:
    guardian = GuardianshipFactory.create(client=minor.client)
    consent = granted_consent(**minor.sides(), signer=guardian.user)
    consents.object_to(actor=acting(minor.client), consent_id=consent.pk, at=NOON)
    assert kinds(consent) == ["requested", "granted", "objected", "revoked"]
    assert state_of(consent) is ConsentState.REVOKED
    assert minor.live() == frozenset()
    with pytest.raises(Stale):
        consents.object_to(actor=acting(minor.client), consent_id=consent.pk, at=NOON)
    later = asked_consent(**minor.sides())
    assert consents.objections(later) == (NOON,)  # shown with the next question as well
    assert consents.objections(asked_consent(**Cast(minor.client).sides())) == ()


def test_only_the_minor_objects(minor: Cast) -> None:
    guardian = GuardianshipFactory.create(client=minor.client)
    consent = asked_consent(**minor.sides())
    for actor, error in [
        (acting(guardian.user), NotAllowed),
        (acting(minor.pt), NotAllowed),
        (acting(minor.trainer), NotAllowed),
        (acting(UserFactory.create()), NotVisible),
        (acting(ClientFactory.create(minor=True)), NotVisible),
        (ANONYMOUS, NotVisible),
    ]:
        with pytest.raises(error):
            consents.object_to(actor=actor, consent_id=consent.pk, at=NOON)
    with pytest.raises(NotVisible):
        consents.object_to(actor=acting(minor.client), consent_id=uuid4(), at=NOON)
    assert kinds(consent) == ["requested"]


def test_an_adult_says_no_and_does_not_object(cast: Cast) -> None:
    consent = asked_consent(**cast.sides())
    with pytest.raises(NotAllowed):
        consents.object_to(actor=acting(cast.client), consent_id=consent.pk, at=NOON)


# --- the day of majority ------------------------------

ZONES = [
    # state, zone, birthday at which majority begins, that midnight in UTC
    ("NY", "America/New_York", date(2009, 2, 1), datetime(2027, 2, 1, 5, tzinfo=UTC)),
    ("CA", "America/Los_Angeles", date(2009, 2, 1), datetime(2027, 2, 1, 8, tzinfo=UTC)),
    ("HI", "Pacific/Honolulu", date(2009, 2, 1), datetime(2027, 2, 1, 10, tzinfo=UTC)),
    ("AL", "America/Chicago", date(2008, 2, 1), datetime(2027, 2, 1, 6, tzinfo=UTC)),
    ("MS", "America/Chicago", date(2006, 2, 1), datetime(2027, 2, 1, 6, tzinfo=UTC)),
    ("NY", "Pacific/Kiritimati", date(2009, 2, 1), datetime(2027, 1, 31, 10, tzinfo=UTC)),
    ("NY", "America/New_York", date(2009, 3, 14), datetime(2027, 3, 14, 5, tzinfo=UTC)),  # clocks
]


class Growing(Cast):
    """A client who comes of age at `majority`, and the guardian who decides until then."""

    def __init__(self, state: str, zone: str, born: date, majority: datetime) -> None:
        super().__init__(ClientFactory.create(birth_date=born, state=state, time_zone=zone))
        self.majority = majority
        self.guardian: Guardianship = GuardianshipFactory.create(client=self.client)

    def renewed(self, at: datetime) -> list[Consent]:
        return [
            anew
            for old in consents.outgrown(at)
            if (anew := consents.ask_anew(consent=old, at=at)) is not None
        ]


@pytest.fixture
def growing(db: None) -> Growing:
    return Growing(*ZONES[0])


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "zone", "born", "majority"), ZONES)
def test_authority_ends_at_midnight_and_the_young_adult_is_asked_at_once(
    state: str, zone: str, born: date, majority: datetime
) -> None:
    cast = Growing(state, zone, born, majority)
    assert majority.astimezone(ZoneInfo(zone)).time().isoformat() == "00:00:00"
    agreed = granted_consent(**cast.sides(), classes=THREE, signer=cast.guardian.user)
    before = majority - SECOND
    assert cast.live(before) == THREE
    assert consents.outgrown(before) == []
    assert consents.ask_anew(consent=agreed, at=before) is None
    assert guardians.deciders(cast.client, before) == [cast.guardian.user_id]

    assert cast.live(majority) == frozenset()
    [anew] = cast.renewed(majority)
    assert state_of(agreed, majority) is ConsentState.ENDED
    assert state_of(anew, majority) is ConsentState.REQUESTED
    assert anew.asked_at == majority
    assert guardians.deciders(cast.client, majority) == [cast.client.user_id]
    assert cast.renewed(majority) == []
    for verb in (consents.decline, consents.revoke):
        for consent in (agreed, anew):
            with pytest.raises(NotVisible):
                verb(actor=acting(cast.guardian.user), consent_id=consent.pk, at=majority)

    consents.grant(
        actor=acting(cast.client, majority),
        consent_id=anew.pk,
        classes=[Scope.CONTACT],
        expires_on=(majority + timedelta(days=30)).date(),
        at=majority,
    )
    assert cast.live(majority) == {Scope.CONTACT}
    assert newest(anew).authority == "self"
    assert cast.renewed(majority + timedelta(days=1)) == []
    assert verify(ConsentEvent) is None


def test_an_open_question_is_put_to_the_young_adult_instead(growing: Growing) -> None:
    asked = asked_consent(**growing.sides())
    [anew] = growing.renewed(growing.majority)
    assert state_of(asked, growing.majority) is ConsentState.WITHDRAWN
    assert (anew.purpose, anew.classes_asked, anew.asked_by) == (
        asked.purpose,
        asked.classes_asked,
        asked.asked_by,
    )


def test_what_ran_out_earlier_keeps_nobody_from_being_asked(growing: Growing) -> None:
    signer = growing.guardian.user
    old = granted_consent(**growing.sides(), signer=signer, days=1)
    later = NOON + timedelta(days=3)
    agreed = granted_consent(**growing.sides(), signer=signer, at=later)
    [anew] = growing.renewed(growing.majority)
    assert state_of(old, growing.majority) is ConsentState.EXPIRED
    assert state_of(agreed, growing.majority) is ConsentState.ENDED
    assert state_of(anew, growing.majority) is ConsentState.REQUESTED


def test_one_question_is_asked_though_more_was_agreed_and_asked(growing: Growing) -> None:
    granted_consent(**growing.sides(), classes=THREE, signer=growing.guardian.user)
    asked_consent(**growing.sides())
    assert len(growing.renewed(growing.majority)) == 1
    states = consents.standings(Consent.objects.all(), growing.majority).values()
    assert sum(each.state is ConsentState.REQUESTED for each in states) == 1


def test_a_narrowed_agreement_and_an_objection_are_outgrown_too(growing: Growing) -> None:
    narrowed = granted_consent(**growing.sides(), classes=THREE, signer=growing.guardian.user)
    consents.narrow(
        actor=acting(growing.guardian.user),
        consent_id=narrowed.pk,
        classes=[Scope.CONTACT],
        at=NOON,
    )
    other = Cast(growing.client)
    objected = asked_consent(**other.sides())
    consents.object_to(actor=acting(growing.client), consent_id=objected.pk, at=NOON)
    assert len(growing.renewed(growing.majority)) == 2


def test_what_has_ended_is_not_asked_again(growing: Growing) -> None:
    short = granted_consent(**growing.sides(), days=3, signer=growing.guardian.user)
    stopped = granted_consent(**Cast(growing.client).sides(), signer=growing.guardian.user)
    consents.revoke(actor=acting(growing.guardian.user), consent_id=stopped.pk, at=NOON)
    declined = asked_consent(**Cast(growing.client).sides())
    consents.decline(actor=acting(growing.guardian.user), consent_id=declined.pk, at=NOON)
    assert consents.outgrown(growing.majority) == []
    assert state_of(short, growing.majority) is ConsentState.EXPIRED


def test_nobody_is_asked_about_somebody_who_has_left(growing: Growing) -> None:
    agreed = granted_consent(**growing.sides(), signer=growing.guardian.user)
    growing.trainer.left_at = NOON
    growing.trainer.save()
    assert growing.renewed(growing.majority) == []
    assert state_of(agreed, growing.majority) is ConsentState.ENDED


def test_those_of_other_clients_are_left_alone(growing: Growing) -> None:
    granted_consent(**growing.sides(), signer=growing.guardian.user)
    assert consents.outgrown(growing.majority, []) == []
    assert consents.outgrown(growing.majority, [uuid4()]) == []
    assert len(consents.outgrown(growing.majority, [growing.client.pk])) == 1


def test_what_an_adult_was_asked_is_not_outgrown(cast: Cast) -> None:
    granted_consent(**cast.sides())
    asked_consent(**cast.sides())
    assert consents.outgrown(NOON + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2027, 2, 1, 9, 59, tzinfo=UTC), date(2009, 2, 1)),
        (datetime(2027, 2, 1, 10, 0, tzinfo=UTC), date(2009, 2, 2)),  # the second in Kiritimati
        (datetime(2028, 2, 29, 0, 0, tzinfo=UTC), date(2010, 2, 28)),
    ],
)
def test_nobody_born_later_is_of_age_anywhere(now: datetime, day: date) -> None:
    assert guardians.latest_birth_date_of_age(now) == day
    later = Client(birth_date=day + timedelta(days=1), state="NY", time_zone="Pacific/Kiritimati")
    assert guardians.is_minor(later, now)
