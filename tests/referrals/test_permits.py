"""What may be read: every combination of grounds, against an account of its own."""

from itertools import product
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.scopes import Scope
from referrals.permits import Grant, Grounds, Standpoint, permit

PT, PT2, TRAINER, TRAINER2 = (uuid4() for _ in range(4))
CONSENT = uuid4()
CLINICAL = frozenset(Scope) - {Scope.TRAINING_FEEDBACK}


def grant(classes: frozenset[Scope], discloser: UUID = PT, recipient: UUID = TRAINER) -> Grant:
    return Grant(CONSENT, discloser, recipient, classes)


def told(classes: frozenset[Scope], discloser: UUID = TRAINER, recipient: UUID = PT) -> Grant:
    """The other direction: a trainer tells a therapist."""
    return Grant(CONSENT, discloser, recipient, classes, reported_by_discloser=True)


def readable(grounds: Grounds) -> frozenset[Scope]:
    found = permit(grounds)
    return frozenset(scope for scope in Scope if found.covers(scope))


def test_no_ground_is_nothing() -> None:
    found = permit(Grounds())
    assert found.is_empty
    assert found.standpoint is Standpoint.NONE
    assert readable(Grounds()) == frozenset()


@pytest.mark.parametrize(
    ("grounds", "standpoint"),
    [
        (Grounds(is_self=True), Standpoint.SELF),
        (Grounds(is_guardian=True), Standpoint.GUARDIAN),
        (Grounds(is_self=True, is_guardian=True), Standpoint.SELF),
    ],
)
def test_ones_own_record_is_all_of_it(grounds: Grounds, standpoint: Standpoint) -> None:
    found = permit(grounds)
    assert found.everything
    assert found.standpoint is standpoint
    assert readable(grounds) == frozenset(Scope)
    assert found.consent_ids == frozenset()


def test_treating_covers_ones_own_content_but_not_what_trainers_report() -> None:
    found = permit(Grounds(own_ids=frozenset({PT}), treats_as=frozenset({PT})))
    assert found.standpoint is Standpoint.TREATING
    assert {scope for scope in Scope if found.covers(scope)} == CLINICAL
    assert all(ids == {PT} for ids in found.sources.values())


@pytest.mark.parametrize(("accepted", "granted"), [*product([True, False], repeat=2)])
def test_a_recipient_needs_both_acceptance_and_consent(accepted: bool, granted: bool) -> None:
    classes = frozenset({Scope.CONTACT, Scope.RESTRICTIONS})
    grounds = Grounds(
        own_ids=frozenset({TRAINER}),
        accepted_from=frozenset({(PT, TRAINER)}) if accepted else frozenset(),
        grants=(grant(classes),) if granted else (),
    )
    found = permit(grounds)
    assert readable(grounds) == (classes if accepted and granted else frozenset())
    assert found.consent_ids == ({CONSENT} if accepted and granted else frozenset())
    # Having taken a client on, one knows that they exist, whatever is shared.
    assert found.standpoint is (Standpoint.RECIPIENT if accepted else Standpoint.NONE)


def test_a_grant_to_somebody_else_or_of_somebody_elses_content_opens_nothing() -> None:
    everything = frozenset(Scope)
    for given_ in (
        grant(everything, recipient=TRAINER2),
        grant(everything, discloser=PT2),
    ):
        grounds = Grounds(
            own_ids=frozenset({TRAINER}),
            accepted_from=frozenset({(PT, TRAINER)}),
            grants=(given_,),
        )
        assert readable(grounds) == frozenset()


def test_feedback_flows_back_to_the_discloser_only_where_shared() -> None:
    shared = grant(frozenset({Scope.TRAINING_FEEDBACK, Scope.NOTE}))
    pair = frozenset({(PT, TRAINER)})
    therapist = permit(
        Grounds(
            own_ids=frozenset({PT}),
            treats_as=frozenset({PT}),
            accepted_from=pair,
            grants=(shared,),
        )
    )
    assert therapist.sources[Scope.TRAINING_FEEDBACK] == {TRAINER}
    assert therapist.consent_ids == {CONSENT}
    other = permit(
        Grounds(
            own_ids=frozenset({PT2}),
            treats_as=frozenset({PT2}),
            accepted_from=pair,
            grants=(shared,),
        )
    )
    assert not other.covers(Scope.TRAINING_FEEDBACK)
    unaccepted = permit(
        Grounds(own_ids=frozenset({PT}), treats_as=frozenset({PT}), grants=(shared,))
    )
    assert not unaccepted.covers(Scope.TRAINING_FEEDBACK)
    recipient = permit(Grounds(own_ids=frozenset({TRAINER}), accepted_from=pair, grants=(shared,)))
    assert recipient.sources[Scope.TRAINING_FEEDBACK] == {TRAINER}
    assert recipient.sources[Scope.NOTE] == {PT}


def test_a_therapist_reads_what_a_trainer_tells_and_nothing_else_they_were_shown() -> None:
    grounds = Grounds(
        own_ids=frozenset({PT}),
        accepted_from=frozenset({(TRAINER, PT)}),
        grants=(told(frozenset(Scope)),),
    )
    found = permit(grounds)
    assert found.standpoint is Standpoint.RECIPIENT
    assert found.received_as == {PT}
    assert found.sources == {Scope.TRAINING_FEEDBACK: {TRAINER, PT}}
    assert found.consent_ids == {CONSENT}
    for less in (
        Grounds(own_ids=frozenset({PT}), grants=grounds.grants),
        Grounds(own_ids=frozenset({PT}), accepted_from=grounds.accepted_from),
        Grounds(
            own_ids=frozenset({PT}),
            accepted_from=grounds.accepted_from,
            grants=(told(CLINICAL),),
        ),
        Grounds(own_ids=frozenset({PT2}), accepted_from=frozenset(), grants=grounds.grants),
    ):
        assert readable(less) == frozenset()
        assert permit(less).consent_ids == frozenset()


def test_what_a_trainer_tells_one_therapist_is_not_anothers_who_treats() -> None:
    grounds = Grounds(
        own_ids=frozenset({PT2}),
        treats_as=frozenset({PT2}),
        accepted_from=frozenset({(TRAINER, PT), (PT2, TRAINER)}),
        grants=(told(frozenset({Scope.TRAINING_FEEDBACK})),),
    )
    assert Scope.TRAINING_FEEDBACK not in readable(grounds)
    # A trainer who treats nobody gains no way back by what they tell.
    trainer = Grounds(
        own_ids=frozenset({TRAINER}),
        treats_as=frozenset({TRAINER}),
        accepted_from=frozenset({(TRAINER, PT)}),
        grants=(told(frozenset({Scope.TRAINING_FEEDBACK})),),
    )
    assert Scope.TRAINING_FEEDBACK not in readable(trainer)


def test_who_was_referred_back_to_reads_their_own_report_beside_the_trainers() -> None:
    shared = grant(frozenset({Scope.TRAINING_FEEDBACK}))
    sent = frozenset({(PT, TRAINER)})
    treating = Grounds(own_ids=frozenset({PT}), treats_as=frozenset({PT}), grants=(shared,))
    for accepted, sources in (
        (sent, {TRAINER}),
        (sent | {(TRAINER, PT)}, {TRAINER, PT}),
        (sent | {(TRAINER, PT2)}, {TRAINER}),
    ):
        found = permit(
            Grounds(
                own_ids=treating.own_ids,
                treats_as=treating.treats_as,
                accepted_from=accepted,
                grants=treating.grants,
            )
        )
        assert found.sources[Scope.TRAINING_FEEDBACK] == sources


def test_one_person_in_both_roles_reads_as_both() -> None:
    grounds = Grounds(
        own_ids=frozenset({PT2, TRAINER}),
        treats_as=frozenset({PT2}),
        accepted_from=frozenset({(PT, TRAINER)}),
        grants=(grant(frozenset({Scope.RESTRICTIONS})),),
    )
    found = permit(grounds)
    assert found.standpoint is Standpoint.TREATING
    assert found.sources[Scope.RESTRICTIONS] == {PT, PT2}
    assert found.sources[Scope.NOTE] == {PT2}


people = st.sampled_from([PT, PT2, TRAINER, TRAINER2])
grants = st.builds(
    Grant,
    consent_id=st.uuids(),
    discloser_id=people,
    recipient_id=people,
    classes=st.frozensets(st.sampled_from(list(Scope))),
    reported_by_discloser=st.booleans(),
)
all_grounds = st.builds(
    Grounds,
    is_self=st.just(False),
    is_guardian=st.just(False),
    own_ids=st.frozensets(people),
    treats_as=st.frozensets(people),
    accepted_from=st.frozensets(st.tuples(people, people)),
    grants=st.lists(grants, max_size=4).map(tuple),
)


@given(all_grounds)
def test_nothing_is_readable_without_a_reason(grounds: Grounds) -> None:
    found = permit(grounds)
    for scope, sources in found.sources.items():
        for source in sources:
            by_treating = scope is not Scope.TRAINING_FEEDBACK and source in grounds.treats_as
            by_consent = any(
                not each.reported_by_discloser
                and scope in each.classes
                and (each.discloser_id, each.recipient_id) in grounds.accepted_from
                and (
                    (
                        scope is Scope.TRAINING_FEEDBACK
                        and source == each.recipient_id
                        and (
                            each.discloser_id in grounds.treats_as
                            or each.recipient_id in grounds.own_ids
                        )
                    )
                    or (
                        scope is not Scope.TRAINING_FEEDBACK
                        and source == each.discloser_id
                        and each.recipient_id in grounds.own_ids
                    )
                )
                for each in grounds.grants
            )
            # Both ends of a referral back to a therapist: what the trainer told, and the answer.
            by_telling = scope is Scope.TRAINING_FEEDBACK and any(
                scope in each.classes
                and (each.discloser_id, each.recipient_id) in grounds.accepted_from
                and (
                    each.recipient_id in grounds.own_ids
                    and source in (each.discloser_id, each.recipient_id)
                    if each.reported_by_discloser
                    else source == each.discloser_id
                    and source in grounds.treats_as
                    and (each.recipient_id, source) in grounds.accepted_from
                )
                for each in grounds.grants
            )
            assert by_treating or by_consent or by_telling
    assert found.consent_ids <= {each.consent_id for each in grounds.grants}
    if found.is_empty:
        assert not found.sources


@given(all_grounds, grants)
def test_taking_a_grant_away_never_shows_more(grounds: Grounds, extra: Grant) -> None:
    more = permit(
        Grounds(
            own_ids=grounds.own_ids,
            treats_as=grounds.treats_as,
            accepted_from=grounds.accepted_from,
            grants=(*grounds.grants, extra),
        )
    )
    less = permit(grounds)
    for scope, sources in less.sources.items():
        assert sources <= more.sources.get(scope, frozenset())
