"""The door: who gets what, what is withheld, and what the access ledger says about it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain, cycle, islice, repeat
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from clients import consent as consents
from clients.models import AccessEntry, Consent, Professional
from clients.scopes import Scope
from handoff.core.actors import ANONYMOUS, Actor
from handoff.core.errors import NotVisible
from handoff.core.ledger import verify
from referrals import (
    access,
    disclosure,
    grounds,
    lifecycle,
    particulars,
    readings,
    restrictions,
    sharing,
)
from referrals.models import Episode, LoopReport, Measurement, Referral
from referrals.packets import Packet, RestrictionsView, Withheld
from referrals.permits import Standpoint
from referrals.states import State
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    GuardianshipFactory,
    ProfessionalFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    UserFactory,
    acting,
    certified_trainer,
    licensed_pt,
    signed_note,
)
from tests.referrals.test_lifecycle import LAST_DAY, Story

pytestmark = pytest.mark.django_db
ALL = frozenset(Scope)


@pytest.fixture
def story() -> Story:
    return Story()


def read(story: Story, actor: Actor, at: Any = NOON) -> Packet:
    return disclosure.disclose(actor=actor, client_id=story.client.pk, purpose="test", at=at)


def agreed_to(story: Story, classes: frozenset[Scope] = frozenset()) -> Referral:
    """Sent, and agreed to for `classes` (and clearance); the trainer has the envelope."""
    referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    assert referral.consent_id is not None
    sharing.grant(
        actor=story.as_client,
        consent_id=referral.consent_id,
        classes=classes | {Scope.CLEARANCE},
        expires_on=LAST_DAY,
        at=NOON,
    )
    return referral


def handed_over(story: Story, classes: frozenset[Scope]) -> Referral:
    """Agreed to, and accepted by the trainer."""
    referral = agreed_to(story, classes)
    return lifecycle.accept(actor=story.as_trainer, referral_id=referral.pk, at=NOON)


# --- between looking and sending --


def _meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let `act` happen once, while content is being gathered and before the lock is taken."""
    gather = readings.contacts
    once = iter([act])

    def contacts(*args: Any) -> Any:
        if (now := next(once, None)) is not None:
            now()
        return gather(*args)

    monkeypatch.setattr(readings, "contacts", contacts)


def test_what_is_revoked_while_it_is_gathered_is_not_sent(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent_id = handed_over(story, ALL).consent_id
    assert consent_id is not None
    _meanwhile(
        monkeypatch,
        lambda: sharing.revoke(actor=story.as_client, consent_id=consent_id, at=NOON),
    )
    packet = read(story, story.as_trainer)
    assert packet.shown == ()
    entry = AccessEntry.objects.order_by("-number")[0]
    assert entry.shown == []
    assert set(entry.withheld) == ALL


def test_who_loses_every_ground_while_it_is_gathered_is_refused(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    referral = handed_over(story, ALL)
    _meanwhile(
        monkeypatch,
        lambda: lifecycle.decline(
            actor=story.as_trainer, referral_id=referral.pk, reason_code="no_capacity", at=NOON
        ),
    )
    with pytest.raises(NotVisible):
        read(story, story.as_trainer)
    entry = AccessEntry.objects.order_by("-number")[0]
    assert (entry.action, entry.shown) == (AccessEntry.Action.REFUSED, [])


def test_what_is_narrowed_while_it_is_gathered_is_gathered_anew(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent_id = handed_over(story, ALL).consent_id
    assert consent_id is not None
    left = frozenset({Scope.CLEARANCE})
    _meanwhile(
        monkeypatch,
        lambda: sharing.narrow(actor=story.as_client, consent_id=consent_id, classes=left, at=NOON),
    )
    packet = read(story, story.as_trainer)
    assert packet.shown == (Scope.CLEARANCE,)
    assert packet.note == Withheld(Scope.NOTE)
    entries = AccessEntry.objects.filter(actor_id=story.trainer.user_id, purpose="test")
    assert [each.shown for each in entries] == [[Scope.CLEARANCE]]


def _one_thing(story: Story, look: Callable[..., str], at: Any = NOON) -> str:
    return disclosure.disclose_one(
        actor=story.as_trainer,
        client=story.client,
        scope=Scope.OUTCOMES,
        source_id=story.pt.pk,
        purpose="scores",
        read=look,
        at=at,
    )


def test_what_never_stops_changing_is_gathered_under_the_lock_at_last(story: Story) -> None:
    handed_over(story, ALL)
    trainer, looks = story.as_trainer, list[int]()

    def look(*_: object) -> str:
        looks.append(len(looks))
        if len(looks) <= disclosure.TRIES:
            asked = consents.ask(
                actor=story.as_pt,
                client=story.client,
                discloser=story.pt,
                recipient=story.trainer,
                purpose="Anew",
                classes=ALL,
                at=NOON,
            )
            sharing.grant(
                actor=story.as_client,
                consent_id=asked.pk,
                classes=ALL,
                expires_on=LAST_DAY,
                at=NOON,
            )
        return "scores"

    assert _one_thing(story, look) == "scores"
    assert len(looks) == disclosure.TRIES + 1
    (entry,) = AccessEntry.objects.filter(actor_id=trainer.user_id, purpose="scores")
    assert entry.consent_ids == [Consent.objects.latest("events__number").pk]


def test_what_ends_at_the_last_try_is_refused(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The grounds change with each reading, and are gone under the last lock."""
    handed_over(story, ALL)
    full = grounds.read(story.as_trainer, story.client.pk, NOON)
    other = replace(full, grounds=replace(full.grounds, treats_as=frozenset({story.pt.pk})))
    changing = islice(cycle([full, other]), disclosure.TRIES + 1)
    given = chain(changing, repeat(grounds.Reading(NOON, NOON)))
    monkeypatch.setattr(grounds, "read", lambda *_: next(given))
    with pytest.raises(NotVisible):
        _one_thing(story, lambda *_: "scores")
    entry = AccessEntry.objects.order_by("-number")[0]
    assert (entry.action, entry.shown) == (AccessEntry.Action.REFUSED, [])


def test_what_turns_out_empty_at_the_last_try_is_no_look(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread whose last message went meanwhile: there is nothing to enter."""
    handed_over(story, ALL)
    full = grounds.read(story.as_trainer, story.client.pk, NOON)
    other = replace(full, grounds=replace(full.grounds, treats_as=frozenset({story.pt.pk})))
    given = cycle([full, other])
    monkeypatch.setattr(grounds, "read", lambda *_: next(given))
    rows = chain(repeat("a message", disclosure.TRIES), repeat(""))
    before = AccessEntry.objects.count()
    look = disclosure._looked(
        story.as_trainer,
        story.client,
        NOON,
        judge=lambda found: found.grounds,
        gather=lambda *_: next(rows),
        entry=lambda _, text: AccessEntry(client=story.client) if text else None,
    )
    assert look is not None
    assert look.shown == ""
    assert AccessEntry.objects.count() == before


def test_under_the_lock_stand_one_statement_and_one_entry(story: Story) -> None:
    """Whoever holds the ledger's head keeps every other reader waiting, and whoever stops."""
    referral = handed_over(story, ALL)
    looks: list[Callable[[], object]] = [
        lambda: read(story, story.as_trainer),
        lambda: _one_thing(story, lambda *_: "scores"),
        lambda: disclosure.goal_of(actor=story.as_trainer, referral_id=referral.pk, at=NOON),
    ]
    for look in looks:
        with CaptureQueriesContext(connection) as captured:
            look()
        said = [each["sql"] for each in captured]
        (start,) = (place for place, sql in enumerate(said) if "handoff_lock_head" in sql)
        held = [sql.split(maxsplit=1)[0] for sql in said[start + 1 :]]
        assert held[:2] == ["WITH", "INSERT"]
        assert set(held[2:]) <= {"RELEASE"}


def test_one_thing_revoked_while_it_is_read_is_refused(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent_id = handed_over(story, ALL).consent_id
    assert consent_id is not None
    calls = []

    def look(*_: object) -> str:
        calls.append(sharing.revoke(actor=story.as_client, consent_id=consent_id, at=NOON))
        return "scores"

    with pytest.raises(NotVisible):
        disclosure.disclose_one(
            actor=story.as_trainer,
            client=story.client,
            scope=Scope.OUTCOMES,
            source_id=story.pt.pk,
            purpose="scores",
            read=look,
            at=NOON,
        )
    assert len(calls) == 1
    entry = AccessEntry.objects.order_by("-number")[0]
    assert (entry.action, entry.withheld) == (AccessEntry.Action.REFUSED, [Scope.OUTCOMES])


def test_an_episode_entered_in_error_is_seen_by_its_own_side_only(story: Story) -> None:
    handed_over(story, ALL)
    assert particulars.episode(actor=story.as_client, episode_id=story.episode.pk, at=NOON)
    Episode.objects.filter(pk=story.episode.pk).update(status=Episode.Status.ENTERED_IN_ERROR)
    for actor in (story.as_trainer, story.as_client):
        with pytest.raises(NotVisible):
            particulars.episode(actor=actor, episode_id=story.episode.pk, at=NOON)
    assert particulars.episode(actor=story.as_pt, episode_id=story.episode.pk, at=NOON)


# --- who gets what --


@pytest.mark.parametrize("scope", list(Scope))
def test_a_trainer_gets_each_class_exactly_when_it_is_shared(story: Story, scope: Scope) -> None:
    handed_over(story, frozenset({scope}))
    packet = read(story, story.as_trainer)
    assert set(packet.shown) == {scope, Scope.CLEARANCE}
    for each in ALL - {scope, Scope.CLEARANCE}:
        assert packet.part(each) == Withheld(each)
    entry = AccessEntry.objects.order_by("-number")[0]
    assert set(entry.shown) == {scope, Scope.CLEARANCE}
    assert set(entry.withheld) == ALL - {scope, Scope.CLEARANCE}
    assert (entry.actor_id, entry.actor_role) == (story.trainer.user_id, "trainer")
    assert entry.consent_ids == [Consent.objects.get().pk]


def test_before_acceptance_a_trainer_gets_nothing_but_the_envelope(story: Story) -> None:
    referral = story.sent()
    with pytest.raises(NotVisible):
        read(story, story.as_trainer)
    refused = AccessEntry.objects.order_by("-number")[0]
    assert (refused.action, refused.shown) == ("refused", [])
    seen = disclosure.envelope(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    assert seen.client_display_name == f"{story.client.first_name} {story.client.last_name[0]}."
    assert seen.goal == "Swim 1 km"
    assert seen.clearance_level == "Cleared, with limits"
    assert seen.has_restrictions is True
    entry = AccessEntry.objects.order_by("-number")[0]
    assert (entry.action, set(entry.shown)) == ("envelope", {"clearance", "restrictions"})


def test_the_envelope_withholds_what_is_not_shared(story: Story) -> None:
    referral = agreed_to(story)
    assert referral.consent_id is not None
    seen = disclosure.envelope(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    assert seen.has_restrictions == Withheld(Scope.RESTRICTIONS)
    sharing.revoke(actor=story.as_client, consent_id=referral.consent_id, at=NOON)
    seen = disclosure.envelope(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    assert seen.clearance_level == Withheld(Scope.CLEARANCE)


def test_the_envelope_is_for_the_recipient_while_they_decide(story: Story) -> None:
    referral = story.sent()
    for actor in (story.as_pt, story.as_client, acting(certified_trainer()), ANONYMOUS):
        with pytest.raises(NotVisible):
            disclosure.envelope(actor=actor, referral_id=referral.pk, at=NOON)
    lifecycle.accept(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    with pytest.raises(NotVisible):
        disclosure.envelope(actor=story.as_trainer, referral_id=referral.pk, at=NOON)


def test_strangers_get_the_same_answer_as_for_a_client_who_does_not_exist(story: Story) -> None:
    story.sent()
    strangers = (
        acting(licensed_pt()),
        acting(certified_trainer()),
        acting(ClientFactory.create()),
        acting(UserFactory.create()),
        acting(UserFactory.create(is_staff=True)),
    )
    for actor in strangers:
        with pytest.raises(NotVisible) as one:
            read(story, actor)
        with pytest.raises(NotVisible) as other:
            disclosure.disclose(actor=actor, client_id=uuid4(), purpose="test", at=NOON)
        assert str(one.value) == str(other.value)
    assert AccessEntry.objects.filter(action="refused").count() == len(strangers)
    with pytest.raises(NotVisible):
        read(story, ANONYMOUS)
    assert AccessEntry.objects.filter(action="refused").count() == len(strangers)


def test_the_client_reads_all_of_their_own(story: Story) -> None:
    packet = read(story, story.as_client)
    assert packet.standpoint is Standpoint.SELF
    assert set(packet.shown) == ALL
    assert packet.withheld == ()


def test_a_guardian_reads_a_minors_record_and_stops_at_majority() -> None:
    row = GuardianshipFactory.create()
    actor = acting(row.user)
    packet = disclosure.disclose(actor=actor, client_id=row.client.pk, purpose="test", at=NOON)
    assert packet.standpoint is Standpoint.GUARDIAN
    with pytest.raises(NotVisible):
        disclosure.disclose(
            actor=actor, client_id=row.client.pk, purpose="test", at=NOON + timedelta(days=2000)
        )


def test_a_therapist_reads_their_own_episodes_and_not_a_colleagues(story: Story) -> None:
    other = licensed_pt()
    theirs = EpisodeFactory.create(client=story.client, pt=other, condition="Something private")
    packet = read(story, story.as_pt)
    assert packet.standpoint is Standpoint.TREATING
    assert isinstance(packet.history, tuple)
    assert [each.episode_id for each in packet.history] == [story.episode.pk]
    assert "Something private" not in repr(packet)
    assert packet.training_feedback == Withheld(Scope.TRAINING_FEEDBACK)
    seen = read(story, acting(other))
    assert isinstance(seen.history, tuple)
    assert [each.episode_id for each in seen.history] == [theirs.pk]


def test_consent_to_one_therapists_content_opens_no_other(story: Story) -> None:
    EpisodeFactory.create(client=story.client, pt=licensed_pt(), condition="Something private")
    handed_over(story, ALL)
    assert "Something private" not in repr(read(story, story.as_trainer))


def test_an_assistant_reads_with_the_therapists_of_the_same_practice(story: Story) -> None:
    beside = ProfessionalFactory.create(role="pta", practice=story.pt.practice)
    elsewhere = ProfessionalFactory.create(role="pta")
    assert Scope.NOTE in read(story, acting(beside)).shown
    with pytest.raises(NotVisible):
        read(story, acting(elsewhere))


# --- what ends it --


def test_after_revocation_the_next_read_shows_nothing(story: Story) -> None:
    referral = handed_over(story, ALL)
    assert set(read(story, story.as_trainer).shown) == ALL
    assert referral.consent_id is not None
    sharing.revoke(actor=story.as_client, consent_id=referral.consent_id, at=NOON)
    packet = read(story, story.as_trainer)
    assert packet.shown == ()
    for scope in Scope:
        assert packet.part(scope) == Withheld(scope)


def test_sharing_ends_by_itself_on_its_day(story: Story) -> None:
    handed_over(story, ALL)
    assert read(story, story.as_trainer, NOON + timedelta(days=100)).shown
    assert read(story, story.as_trainer, NOON + timedelta(days=200)).shown == ()


@pytest.mark.parametrize(
    "state",
    [State.DECLINED, State.CANCELLED, State.FAILED, State.EXPIRED, State.ENTERED_IN_ERROR],
)
def test_a_handoff_that_came_to_nothing_opens_nothing(story: Story, state: State) -> None:
    referral = handed_over(story, ALL)
    Referral.objects.filter(pk=referral.pk).update(state=state)
    with pytest.raises(NotVisible):
        read(story, story.as_trainer)


def test_a_completed_handoff_keeps_what_is_still_agreed(story: Story) -> None:
    referral = handed_over(story, ALL)
    Referral.objects.filter(pk=referral.pk).update(state=State.COMPLETED)
    assert set(read(story, story.as_trainer).shown) == ALL


# --- what is in it --


def test_only_the_newest_signed_version_counts_and_lifted_ones_are_gone(story: Story) -> None:
    handed_over(story, frozenset({Scope.RESTRICTIONS}))
    second = RestrictionVersionFactory.create(
        restriction=story.version.restriction, number=2, wording="Now up to the shoulder."
    )
    RestrictionVersionFactory.create(
        restriction=story.version.restriction, number=3, draft=True, wording="Secret plan"
    )
    RestrictionVersionFactory.create(
        restriction=RestrictionFactory.create(episode=story.episode), lifted=True
    )
    view = read(story, story.as_trainer).restrictions
    assert isinstance(view, RestrictionsView)
    assert [(item.version_id, item.version) for item in view.items] == [(second.pk, 2)]
    assert "Secret plan" not in repr(view)


def test_a_restriction_past_its_review_stays_in_force_and_says_so(story: Story) -> None:
    handed_over(story, frozenset({Scope.RESTRICTIONS}))
    after = NOON + timedelta(days=60)
    view = read(story, story.as_trainer, after).restrictions
    assert isinstance(view, RestrictionsView)
    (item,) = view.items
    assert item.review_overdue
    assert "still in force" in item.review_sentence


def test_no_restrictions_is_a_decision_and_not_an_empty_list(story: Story) -> None:
    other = EpisodeFactory.create(client=story.client, pt=story.pt)
    handed_over(story, frozenset({Scope.RESTRICTIONS}))
    restrictions.lift(
        actor=story.as_pt,
        restriction_id=story.version.restriction_id,
        reason="Strong enough.",
        at=NOON,
    )
    signed_note(episode=other, restrictions_decision="none")
    view = read(story, story.as_trainer).restrictions
    assert isinstance(view, RestrictionsView)
    assert view.none_needed
    assert {each.decision for each in view.decisions} == {"listed", "none"}


def test_rationale_belongs_to_the_note_alone(story: Story) -> None:
    RestrictionVersionFactory.create(
        restriction=RestrictionFactory.create(episode=story.episode),
        rationale="Graft is young",
    )
    handed_over(story, ALL - {Scope.NOTE})
    assert "Graft is young" not in repr(read(story, story.as_trainer))
    assert "Graft is young" in repr(read(story, story.as_pt).note)


def test_outcomes_come_as_series_with_their_reference(story: Story) -> None:
    for moment, value, day in (("start", 34, date(2026, 9, 1)), ("discharge", 66, NOON.date())):
        Measurement.objects.create(
            episode=story.episode,
            measure_id="lefs",
            moment=moment,
            value=value,
            taken_on=day,
            recorded_by=story.pt.user,
        )
    packet = read(story, story.as_client)
    assert isinstance(packet.outcomes, tuple)
    (series,) = packet.outcomes
    assert [int(each.value) for each in series.values] == [34, 66]
    assert "32" in series.change_sentence
    assert series.reaches_reference


def test_feedback_reaches_the_sender_only_where_shared(story: Story) -> None:
    referral = handed_over(story, frozenset({Scope.TRAINING_FEEDBACK}))
    LoopReport.objects.create(
        referral=referral, kind="interim", author=story.trainer, observations="Going well."
    )
    packet = read(story, story.as_pt)
    assert isinstance(packet.training_feedback, tuple)
    assert packet.training_feedback[0].observations == "Going well."
    assert referral.consent_id is not None
    sharing.revoke(actor=story.as_client, consent_id=referral.consent_id, at=NOON)
    assert read(story, story.as_pt).training_feedback == Withheld(Scope.TRAINING_FEEDBACK)


# --- preview --


def test_the_preview_is_what_the_recipient_then_reads(story: Story) -> None:
    referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    assert referral.consent_id is not None
    chosen = frozenset({Scope.CONTACT, Scope.CLEARANCE, Scope.RESTRICTIONS})
    before = disclosure.preview(
        actor=story.as_client, consent_id=referral.consent_id, classes=chosen, at=NOON
    )
    sharing.grant(
        actor=story.as_client,
        consent_id=referral.consent_id,
        classes=chosen,
        expires_on=LAST_DAY,
        at=NOON,
    )
    lifecycle.accept(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    assert read(story, story.as_trainer) == before


def test_the_preview_is_for_the_clients_side_alone(story: Story) -> None:
    referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    assert referral.consent_id is not None
    for actor in (story.as_pt, story.as_trainer, acting(ClientFactory.create()), ANONYMOUS):
        with pytest.raises(NotVisible):
            disclosure.preview(actor=actor, consent_id=referral.consent_id, classes=ALL, at=NOON)
    with pytest.raises(NotVisible):
        disclosure.preview(actor=story.as_client, consent_id=uuid4(), classes=ALL, at=NOON)


# --- messages and steps --


def test_messages_are_for_both_sides_while_something_is_shared(story: Story) -> None:
    referral = story.sent()
    lifecycle.ask(actor=story.as_trainer, referral_id=referral.pk, text="Mornings?", at=NOON)

    def texts(actor: Actor) -> list[str] | None:
        found = disclosure.thread(actor=actor, referral_id=referral.pk, at=NOON)
        return None if found is None else [each.text for each in found]

    assert texts(story.as_trainer) == texts(story.as_pt) == ["Mornings?"]
    assert texts(story.as_client) is None
    sharing.revoke(actor=story.as_client, consent_id=Consent.objects.get().pk, at=NOON)
    assert texts(story.as_trainer) is None
    assert texts(story.as_pt) == ["Mornings?"]
    with pytest.raises(NotVisible):
        texts(acting(certified_trainer()))


def test_a_recipients_history_begins_when_it_reached_them(story: Story) -> None:
    referral = lifecycle.send(actor=story.as_pt, referral_id=story.draft().pk, at=NOON)
    assert referral.consent_id is not None
    sharing.grant(
        actor=story.as_client,
        consent_id=referral.consent_id,
        classes=[Scope.CLEARANCE],
        expires_on=LAST_DAY,
        at=NOON,
    )

    def targets(actor: Actor) -> list[str]:
        return [
            each.target for each in disclosure.steps(actor=actor, referral_id=referral.pk, at=NOON)
        ]

    assert targets(story.as_trainer) == ["sent"]
    assert targets(story.as_pt) == ["awaiting_consent", "sent"]


# --- the ledger --


def test_every_allowed_read_writes_one_entry(story: Story) -> None:
    handed_over(story, ALL)
    for actor in (story.as_trainer, story.as_pt, story.as_client):
        before = AccessEntry.objects.count()
        read(story, actor)
        assert AccessEntry.objects.count() == before + 1
    before = AccessEntry.objects.count()
    disclosure.workspace(actor=story.as_pt, episode_id=story.episode.pk, at=NOON)
    assert AccessEntry.objects.count() == before + 1
    assert verify(AccessEntry) is None


def test_what_cannot_be_entered_is_not_shown(story: Story) -> None:
    handed_over(story, ALL)
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE clients_accessentry ADD CONSTRAINT full_disk CHECK (false) NOT VALID"
        )
    with pytest.raises(DatabaseError):
        read(story, story.as_trainer)


def test_the_workspace_is_the_treating_sides_alone(story: Story) -> None:
    for actor in (story.as_trainer, story.as_client, acting(licensed_pt()), ANONYMOUS):
        with pytest.raises(NotVisible):
            disclosure.workspace(actor=actor, episode_id=story.episode.pk, at=NOON)
    work = disclosure.workspace(actor=story.as_pt, episode_id=story.episode.pk, at=NOON)
    assert work.note_signed is not None
    assert len(work.restrictions) == 1


# --- cost --


def queries_to_read(story: Story) -> int:
    with CaptureQueriesContext(connection) as captured:
        read(story, story.as_trainer)
    return len(captured)


def test_reading_costs_the_same_for_one_limit_and_for_twenty(story: Story) -> None:
    handed_over(story, ALL)
    read(story, story.as_trainer)  # the first look of all also makes the ledger's head
    one = queries_to_read(story)
    for _ in range(19):
        RestrictionVersionFactory.create(
            restriction=RestrictionFactory.create(episode=story.episode), rationale="Why"
        )
    assert queries_to_read(story) == one


# --- rows --


def test_who_may_know_of_which_rows(story: Story) -> None:
    referral = handed_over(story, frozenset({Scope.RESTRICTIONS}))
    pk: UUID = story.version.restriction_id
    assert access.restriction_for(story.as_pt, pk, at=NOON).pk == pk
    assert access.restriction_for(story.as_trainer, pk, at=NOON, lock=True).pk == pk
    assert access.client_for(story.as_trainer, story.client.pk, at=NOON) == story.client
    assert referral.consent_id is not None
    sharing.revoke(actor=story.as_client, consent_id=referral.consent_id, at=NOON)
    with pytest.raises(NotVisible):
        access.restriction_for(story.as_trainer, pk, at=NOON)
    assert access.client_for(story.as_trainer, story.client.pk, at=NOON) == story.client
    for actor in (acting(licensed_pt()), ANONYMOUS):
        with pytest.raises(NotVisible):
            access.restriction_for(actor, pk, at=NOON)
        with pytest.raises(NotVisible):
            access.client_for(actor, story.client.pk, at=NOON)
    assert list(access.clients_of(story.as_pt)) == [story.client]
    assert list(access.clients_of(story.as_trainer)) == []


# --- as whom somebody looked ----------------------------------------------------------------------


def last() -> AccessEntry:
    return AccessEntry.objects.order_by("-number")[0]


def test_a_person_of_two_trades_looks_as_the_one_that_lets_them(story: Story) -> None:
    """Whichever id happens to sort first: the client reads a name, a trade and a place."""
    for number in (0, 2**128 - 1):
        other = certified_trainer(user=story.pt.user, id=UUID(int=number))
        read(story, acting(story.pt))
        assert (last().actor_role, last().professional_id) == ("pt", story.pt.pk)
        Professional.objects.filter(pk=other.pk).delete()
    handed_over(story, frozenset({Scope.RESTRICTIONS}))
    for number in (0, 2**128 - 1):
        other = ProfessionalFactory.create(user=story.trainer.user, id=UUID(int=number))
        read(story, acting(story.trainer))
        assert (last().actor_role, last().professional_id) == ("trainer", story.trainer.pk)
        Professional.objects.filter(pk=other.pk).delete()


@pytest.mark.parametrize("number", [0, 2**128 - 1])
def test_the_envelope_is_entered_under_the_trade_it_was_sent_to(story: Story, number: int) -> None:
    ProfessionalFactory.create(user=story.trainer.user, id=UUID(int=number))
    referral = story.sent()
    disclosure.envelope(actor=acting(story.trainer), referral_id=referral.pk, at=NOON)
    assert (last().actor_role, last().professional_id) == ("trainer", story.trainer.pk)


def test_a_professional_who_was_refused_is_entered_as_one_whatever_else_they_are(
    story: Story,
) -> None:
    """The client is told the name of a professional who tried. Being a client somewhere, a
    guardian or an administrator as well is no way to stay unnamed."""
    snoop = licensed_pt()
    ClientFactory.create(user=snoop.user)
    snoop.user.is_staff = True
    snoop.user.save()
    with pytest.raises(NotVisible):
        read(story, acting(snoop))
    assert (last().action, last().actor_role) == ("refused", "pt")
    assert last().professional_id == snoop.pk


# --- the goal -------------------------------------------------------------------------------------


def test_the_envelope_keeps_the_goal_back_once_nothing_is_shared(story: Story) -> None:
    referral = agreed_to(story)
    assert referral.consent_id is not None
    before = disclosure.envelope(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    sharing.revoke(actor=story.as_client, consent_id=referral.consent_id, at=NOON)
    after = disclosure.envelope(actor=story.as_trainer, referral_id=referral.pk, at=NOON)
    assert (before.goal, after.goal) == ("Swim 1 km", None)
    assert after.clearance_level == Withheld(Scope.CLEARANCE)
