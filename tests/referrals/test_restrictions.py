"""Restrictions from draft to signed version, and what a trainer may do with them."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients import consent as consents
from clients.models import Credential
from clients.scopes import Scope
from handoff.core.actors import ANONYMOUS
from handoff.core.audit import AuditEntry
from handoff.core.errors import DomainError, Invalid, NotAllowed, NotVisible, Stale
from referrals import criteria, restriction_input, restrictions
from referrals.models import (
    Acknowledgement,
    Episode,
    ReferralMessage,
    Restriction,
    RestrictionVersion,
)
from referrals.restriction_input import Wanted
from referrals.states import State
from referrals.vocabulary import (
    PT_REVIEW,
    BodyRegion,
    Comparator,
    Criterion,
    CriterionKind,
    Laterality,
    Pattern,
    RestrictionKind,
    Severity,
    Unit,
)
from tests.factories import (
    NOON,
    EpisodeFactory,
    ProfessionalFactory,
    ReferralFactory,
    RestrictionVersionFactory,
    acting,
    certified_trainer,
)
from tests.referrals.scenes import LIGHT_LOADS, NO_PRESSING, Therapy, trail, verbs_on

pytestmark = pytest.mark.django_db

TODAY = date(2027, 1, 13)
LATER = NOON + timedelta(days=7)


@pytest.fixture
def therapy() -> Therapy:
    return Therapy()


@pytest.fixture
def after(therapy: Therapy) -> Therapy:
    """The note is signed, with two restrictions."""
    therapy.signed()
    return therapy


class TestReading:
    """From typed input to a restriction."""

    def test_a_form_s_texts_become_a_restriction(self) -> None:
        wanted = restriction_input.read(LIGHT_LOADS, today=TODAY)
        spec = wanted.spec
        assert spec.kind is RestrictionKind.LIMIT_LOAD
        assert (spec.comparator, spec.value, spec.unit) == (Comparator.LE, Decimal(10), Unit.KG)
        assert spec.patterns == (Pattern.PULL_HORIZONTAL, Pattern.CARRY)
        assert spec.criteria == (
            Criterion(CriterionKind.TEST, "Row", Comparator.GE, Decimal(20), Unit.KG),
        )
        assert spec.review_on == date(2027, 3, 1)

    def test_typed_values_are_taken_as_they_are(self) -> None:
        base = restriction_input.read(LIGHT_LOADS, today=TODAY)
        assert restriction_input.read({}, today=TODAY, base=base) == base

    def test_what_is_left_out_stays_and_what_is_emptied_goes(self) -> None:
        base = restriction_input.read(NO_PRESSING, today=TODAY)
        changed = restriction_input.read({"instead": "", "wording": "No."}, today=TODAY, base=base)
        assert (changed.spec.instead, changed.spec.wording) == ("", "No.")
        assert changed.rationale == base.rationale

    def test_a_region_without_sides_is_stored_without_one(self) -> None:
        data = {**NO_PRESSING, "body_region": "lumbar", "laterality": ""}
        assert restriction_input.read(data, today=TODAY).spec.laterality == "not_applicable"

    def test_a_criterion_without_a_number_is_something_to_see(self) -> None:
        data = {**NO_PRESSING, "criteria": [{"measure": "Arm swings freely"}]}
        (criterion,) = restriction_input.read(data, today=TODAY).spec.criteria
        assert criterion == Criterion(CriterionKind.OBSERVATION, "Arm swings freely")

    @pytest.mark.parametrize(
        ("changes", "fields"),
        [
            ({"kind": ""}, {"kind"}),
            ({"kind": "forbid"}, {"kind"}),
            ({"severity": None}, {"severity"}),
            ({"body_region": ""}, {"body_region"}),
            ({"laterality": ""}, {"laterality"}),
            ({"patterns": "squat"}, {"patterns"}),
            ({"patterns": ["squat", "fly"]}, {"patterns"}),
            ({"patterns": [7]}, {"patterns"}),
            ({"joint_action": "wiggle"}, {"joint_action"}),
            ({"value": "ten"}, {"value"}),
            ({"value": ""}, {"value"}),
            ({"value": "501"}, {"value"}),
            ({"unit": "deg"}, {"unit"}),
            ({"unit": ""}, {"unit"}),
            ({"wording": "x" * 301}, {"wording"}),
            ({"instead": "x" * 301}, {"instead"}),
            ({"rationale": "x" * 2001}, {"rationale"}),
            ({"criteria": []}, {"criteria"}),
            ({"criteria": "PT review"}, {"criteria"}),
            ({"criteria": ["PT review"]}, {"criteria"}),
            ({"criteria": [{"kind": "pt_review"}] * 11}, {"criteria"}),
            ({"criteria": [{"measure": "Row", "value": "much"}]}, {"criteria"}),
            ({"criteria": [{"measure": "Row", "who": "me"}]}, {"criteria"}),
            ({"review_on": ""}, {"review_on"}),
            ({"review_on": TODAY}, {"review_on"}),
            ({"authority": "coach"}, {"authority"}),
            ({"authority": "surgeon_order"}, {"authority_name", "authority_on"}),
            ({"authority_name": "x" * 121}, {"authority_name"}),
            ({"status": "lifted"}, {"status"}),
            ({"kind": "", "review_on": "soon", "unit": "mile"}, {"kind", "review_on", "unit"}),
        ],
    )
    def test_each_complaint_is_at_its_field(
        self, changes: dict[str, Any], fields: set[str]
    ) -> None:
        data = {**LIGHT_LOADS, **changes}
        with pytest.raises(Invalid) as caught:
            restriction_input.read(data, today=TODAY)
        assert set(caught.value.errors) == fields
        assert restriction_input.findings(data, today=TODAY).errors == caught.value.errors

    def test_doubts_are_shown_and_stop_nothing(self) -> None:
        data = {**NO_PRESSING, "wording": "After the labrum repair."}
        assert restriction_input.read(data, today=TODAY).spec.wording
        assert set(restriction_input.findings(data, today=TODAY).warnings) == {"wording"}

    def test_widths_are_those_of_the_columns(self) -> None:
        columns = {field.name: field for field in RestrictionVersion._meta.concrete_fields}
        assert columns["wording"].max_length == restriction_input.MOST_WORDING
        assert columns["instead"].max_length == restriction_input.MOST_WORDING
        assert columns["rationale"].max_length == restriction_input.MOST_RATIONALE
        assert columns["authority_name"].max_length == restriction_input.MOST_NAME

    def test_criteria_come_back_from_the_column_as_they_went_in(self) -> None:
        given = (
            PT_REVIEW,
            Criterion(
                CriterionKind.TEST,
                "Single-leg hop",
                Comparator.GE,
                Decimal("90.5"),
                Unit.PCT,
                Laterality.LEFT,
            ),
        )
        assert criteria.from_json(criteria.to_json(given)) == given


class TestDrafts:
    def test_a_draft_is_stored_as_it_reads(self, therapy: Therapy) -> None:
        version = restrictions.add_draft(
            actor=therapy.as_pta, episode_id=therapy.episode.pk, data=LIGHT_LOADS, at=NOON
        )
        fresh = RestrictionVersion.objects.get(pk=version.pk)
        wanted = restriction_input.read(LIGHT_LOADS, today=TODAY)
        assert fresh.spec() == wanted.spec
        assert (fresh.number, fresh.status, fresh.signed_at) == (1, "active", None)
        assert fresh.set_by == therapy.pta.user
        assert verbs_on(version) == ["restriction.drafted"]

    def test_a_draft_holds_for_nobody_yet(self, therapy: Therapy) -> None:
        therapy.share()
        (version, _) = therapy.list_restrictions()
        assert not restrictions.current_versions([therapy.episode.pk]).exists()
        for act in (
            lambda: restrictions.acknowledge(
                actor=therapy.as_trainer,
                restriction_id=version.restriction_id,
                version=1,
                at=NOON,
            ),
            lambda: restrictions.request_lift(
                actor=therapy.as_trainer,
                restriction_id=version.restriction_id,
                text="Please",
                at=NOON,
            ),
            lambda: restrictions.lift(
                actor=therapy.as_trainer, restriction_id=version.restriction_id, reason="x", at=NOON
            ),
        ):
            with pytest.raises(NotVisible):
                act()

    def test_an_invalid_draft_is_not_stored(self, therapy: Therapy) -> None:
        entries = trail()
        with pytest.raises(Invalid) as caught:
            restrictions.add_draft(
                actor=therapy.as_pt,
                episode_id=therapy.episode.pk,
                data={**LIGHT_LOADS, "laterality": "", "unit": "deg"},
                at=NOON,
            )
        assert set(caught.value.errors) == {"laterality", "unit"}
        assert not Restriction.objects.exists()
        assert trail() == entries

    def test_a_draft_changes_in_place(self, therapy: Therapy) -> None:
        (version, _) = therapy.list_restrictions()
        changed = restrictions.change_draft(
            actor=therapy.as_pta, version_id=version.pk, data={"instead": "Pull."}, at=LATER
        )
        changed.refresh_from_db()
        assert (changed.pk, changed.number, changed.instead) == (version.pk, 1, "Pull.")
        assert changed.rationale == "The repair is young."
        assert (changed.set_by, changed.set_at) == (therapy.pta.user, LATER)
        with pytest.raises(Invalid):
            restrictions.change_draft(
                actor=therapy.as_pt, version_id=version.pk, data={"review_on": ""}, at=LATER
            )

    def test_a_draft_is_removed_without_a_trace_but_the_ledger_s(self, therapy: Therapy) -> None:
        (version, other) = therapy.list_restrictions()
        restrictions.remove_draft(actor=therapy.as_pt, version_id=version.pk, at=NOON)
        assert list(RestrictionVersion.objects.all()) == [other]
        assert Restriction.objects.count() == 1
        assert verbs_on(version) == ["restriction.draft_removed"]
        with pytest.raises(NotVisible):
            restrictions.remove_draft(actor=therapy.as_pt, version_id=version.pk, at=NOON)

    def test_a_list_replaces_the_drafts_and_keeps_its_order(self, therapy: Therapy) -> None:
        therapy.list_restrictions(LIGHT_LOADS)
        therapy.list_restrictions(NO_PRESSING, LIGHT_LOADS, NO_PRESSING)
        kinds = [each.kind for each in RestrictionVersion.objects.drafts_of(therapy.episode.pk)]
        assert kinds == ["avoid", "limit_load", "avoid"]
        assert Restriction.objects.count() == 3

    def test_a_list_is_taken_whole_or_not_at_all(self, therapy: Therapy) -> None:
        therapy.list_restrictions(LIGHT_LOADS)
        with pytest.raises(Invalid) as caught:
            therapy.list_restrictions(NO_PRESSING, {**NO_PRESSING, "review_on": ""}, {})
        assert "restrictions-1-review_on" in caught.value.errors
        assert "restrictions-2-kind" in caught.value.errors
        assert RestrictionVersion.objects.get().kind == "limit_load"

    def test_fifty_take_as_many_statements_as_one(self, therapy: Therapy) -> None:
        actor, counts = therapy.as_pt, []
        therapy.list_restrictions()
        for number in (1, 50):
            with CaptureQueriesContext(connection) as captured:
                restrictions.set_drafts(
                    actor=actor,
                    episode_id=therapy.episode.pk,
                    items=[LIGHT_LOADS] * number,
                    at=NOON,
                )
            counts.append(len(captured))
        assert counts[0] == counts[1]

    def test_there_is_an_end_to_a_list(self, therapy: Therapy) -> None:
        most = restrictions.MOST_PER_EPISODE
        with pytest.raises(Invalid):
            therapy.list_restrictions(*[LIGHT_LOADS] * (most + 1))
        therapy.list_restrictions(*[LIGHT_LOADS] * most)
        with pytest.raises(Invalid):
            restrictions.add_draft(
                actor=therapy.as_pt, episode_id=therapy.episode.pk, data=LIGHT_LOADS, at=NOON
            )

    def test_after_the_signature_drafting_is_over(self, therapy: Therapy) -> None:
        (version, _) = therapy.list_restrictions()
        therapy.measured()
        therapy.sign(therapy.note())
        entries = trail()
        drafting: dict[str, Callable[[], object]] = {
            "add": lambda: restrictions.add_draft(
                actor=therapy.as_pt, episode_id=therapy.episode.pk, data=NO_PRESSING, at=NOON
            ),
            "set": lambda: therapy.list_restrictions(),
            "change": lambda: restrictions.change_draft(
                actor=therapy.as_pt, version_id=version.pk, data={}, at=NOON
            ),
            "remove": lambda: restrictions.remove_draft(
                actor=therapy.as_pt, version_id=version.pk, at=NOON
            ),
        }
        for act in drafting.values():
            with pytest.raises(Stale):
                act()
        assert trail() == entries

    def test_the_treating_side_only(self, therapy: Therapy) -> None:
        (version, _) = therapy.list_restrictions()
        therapy.share()
        for actor in (therapy.as_other_pt, therapy.as_trainer, therapy.as_client, ANONYMOUS):
            with pytest.raises(NotVisible):
                restrictions.add_draft(
                    actor=actor, episode_id=therapy.episode.pk, data=NO_PRESSING, at=NOON
                )
            with pytest.raises(NotVisible):
                restrictions.change_draft(actor=actor, version_id=version.pk, data={}, at=NOON)
            with pytest.raises(NotVisible):
                restrictions.remove_draft(actor=actor, version_id=version.pk, at=NOON)

    def test_not_under_an_import_nobody_confirmed(self, therapy: Therapy) -> None:
        Episode.objects.filter(pk=therapy.episode.pk).update(status="review")
        with pytest.raises(NotAllowed):
            therapy.list_restrictions()


def revised(therapy: Therapy, **changes: Any) -> RestrictionVersion:
    entries = {
        "actor": therapy.as_pt,
        "restriction_id": therapy.restriction("limit_load").pk,
        "data": {"value": "15"},
        "reason": "Stronger.",
        "at": LATER,
    }
    return restrictions.revise(**{**entries, **changes})


def lifted(therapy: Therapy, **changes: Any) -> RestrictionVersion:
    entries = {
        "actor": therapy.as_pt,
        "restriction_id": therapy.restriction("limit_load").pk,
        "reason": "Full strength.",
        "at": LATER,
    }
    return restrictions.lift(**{**entries, **changes})


class TestChanges:
    def test_a_revision_is_a_new_signed_version(self, after: Therapy) -> None:
        version = revised(after)
        version.refresh_from_db()
        assert (version.number, version.status, version.change_reason) == (2, "active", "Stronger.")
        assert (version.value, version.unit) == (Decimal(15), "kg")
        assert (version.signed_at, version.set_by) == (LATER, after.pt.user)
        history = version.restriction.versions.order_by("number")
        assert [(each.number, each.value) for each in history] == [
            (1, Decimal(10)),
            (2, Decimal(15)),
        ]
        current = restrictions.current_versions([after.episode.pk])
        assert version in current
        assert current.count() == 2
        assert verbs_on(version.restriction) == ["restriction.revised"]
        assert AuditEntry.objects.get(verb="restriction.revised").facts == {"version": 2}

    def test_a_lift_is_a_version_too_and_ends_it(self, after: Therapy) -> None:
        version = lifted(after)
        version.refresh_from_db()
        assert (version.number, version.status) == (2, "lifted")
        assert version.value == Decimal(10)
        assert version not in restrictions.current_versions([after.episode.pk])
        assert version in RestrictionVersion.objects.newest_signed([after.episode.pk])
        assert verbs_on(version.restriction) == ["restriction.lifted"]

    def test_time_lifts_nothing(self, after: Therapy) -> None:
        overdue = date(2037, 1, 1)
        for version in restrictions.current_versions([after.episode.pk]):
            assert version.is_review_overdue_on(overdue)
        assert restrictions.current_versions([after.episode.pk]).count() == 2

    def test_a_review_may_be_put_off_with_a_reason(self, after: Therapy) -> None:
        version = revised(after, data={"review_on": "2027-05-01"})
        assert (version.review_on, version.value) == (date(2027, 5, 1), Decimal(10))

    def test_an_overdue_one_is_revised_with_a_new_review_date(self, after: Therapy) -> None:
        overdue = NOON + timedelta(days=90)
        with pytest.raises(Invalid) as caught:
            revised(after, at=overdue)
        assert set(caught.value.errors) == {"review_on"}
        assert revised(after, data={"review_on": "2027-06-01"}, at=overdue).number == 2

    @pytest.mark.parametrize(
        ("changes", "fields"),
        [
            ({"reason": " "}, {"reason"}),
            ({"reason": "x" * 501}, {"reason"}),
            ({"data": {"unit": "deg"}}, {"unit"}),
            ({"data": {"unit": "deg"}, "reason": ""}, {"unit", "reason"}),
            ({"data": {}}, {""}),
            ({"data": {"value": "10.00"}}, {""}),
            ({"data": {"number": 7}}, {"number"}),
        ],
    )
    def test_what_a_revision_cannot_be(
        self, after: Therapy, changes: dict[str, Any], fields: set[str]
    ) -> None:
        entries = trail()
        with pytest.raises(Invalid) as caught:
            revised(after, **changes)
        assert set(caught.value.errors) == fields
        assert RestrictionVersion.objects.count() == 2
        assert trail() == entries

    def test_a_lift_needs_its_reason(self, after: Therapy) -> None:
        with pytest.raises(Invalid) as caught:
            lifted(after, reason="")
        assert set(caught.value.errors) == {"reason"}

    def test_not_before_the_earliest_day(self, after: Therapy) -> None:
        revised(after, data={"earliest_lift_on": "2027-01-21"}, at=NOON)
        with pytest.raises(Invalid):
            lifted(after, at=LATER)
        assert lifted(after, at=LATER + timedelta(days=1)).status == "lifted"

    def test_what_is_lifted_stays_lifted(self, after: Therapy) -> None:
        lifted(after)
        for act in (revised, lifted):
            with pytest.raises(Stale):
                act(after)
        assert RestrictionVersion.objects.count() == 3

    def test_a_page_that_showed_another_version_changes_nothing(self, after: Therapy) -> None:
        revised(after, version=1)
        for act in (revised, lifted):
            with pytest.raises(Stale):
                act(after, version=1)
        assert revised(after, version=2, data={"value": "20"}).number == 3

    def test_a_draft_is_changed_as_a_draft(self, therapy: Therapy) -> None:
        therapy.list_restrictions()
        for act in (revised, lifted):
            with pytest.raises(Stale):
                act(therapy)

    def test_one_more_can_be_set_after_the_signature(self, after: Therapy) -> None:
        version = restrictions.add_signed(
            actor=after.as_pt,
            episode_id=after.episode.pk,
            data=NO_PRESSING,
            reason="Seen at the visit.",
            at=LATER,
        )
        version.refresh_from_db()
        assert (version.number, version.signed_at) == (1, LATER)
        assert version.change_reason == "Seen at the visit."
        assert restrictions.current_versions([after.episode.pk]).count() == 3
        assert verbs_on(version.restriction) == ["restriction.added"]

    def test_one_more_needs_a_signed_note_a_reason_and_room(self, therapy: Therapy) -> None:
        def add(**changes: Any) -> RestrictionVersion:
            entries = {
                "actor": therapy.as_pt,
                "episode_id": therapy.episode.pk,
                "data": NO_PRESSING,
                "reason": "Seen.",
                "at": LATER,
            }
            return restrictions.add_signed(**{**entries, **changes})

        with pytest.raises(Stale):
            add()
        therapy.signed()
        with pytest.raises(Invalid) as caught:
            add(reason="", data={})
        assert {"reason", "kind"} <= set(caught.value.errors)
        with pytest.raises(NotAllowed):
            add(actor=therapy.as_pta)
        with pytest.raises(NotVisible):
            add(actor=therapy.as_trainer)
        for _ in range(restrictions.MOST_PER_EPISODE - 2):
            Restriction.objects.create(episode=therapy.episode)
        with pytest.raises(Invalid):
            add()


class TestWhoChanges:
    """R2 and R8: a PT's act with a licence valid now; trainers ask."""

    def refused(self, therapy: Therapy, **changes: Any) -> set[str]:
        entries, versions = trail(), RestrictionVersion.objects.count()
        reasons = set()
        for act in (revised, lifted):
            with pytest.raises(NotAllowed) as caught:
                act(therapy, **changes)
            reasons.add(caught.value.reason)
        assert RestrictionVersion.objects.count() == versions
        assert trail() == entries
        return reasons

    def test_a_trainer_asks_and_never_lifts(self, after: Therapy) -> None:
        after.share()
        (reason,) = self.refused(after, actor=after.as_trainer)
        assert "ask" in reason

    def test_the_client_does_not_either(self, after: Therapy) -> None:
        self.refused(after, actor=after.as_client)

    def test_an_assistant_does_not(self, after: Therapy) -> None:
        self.refused(after, actor=after.as_pta)

    @pytest.mark.parametrize(
        "change",
        [
            {"expires_on": date(2027, 1, 19)},
            {"state": "NJ"},
            {"verified_at": None, "verified_by": None},
        ],
    )
    def test_a_therapist_without_a_licence_for_here_and_now_does_not(
        self, after: Therapy, change: dict[str, Any]
    ) -> None:
        Credential.objects.filter(pk=after.licence.pk).update(**change)
        (reason,) = self.refused(after)
        assert "NY" in reason

    def test_for_strangers_there_is_nothing(self, after: Therapy) -> None:
        for actor in (after.as_other_pt, after.as_trainer, ANONYMOUS):
            for act in (revised, lifted):
                with pytest.raises(NotVisible):
                    act(after, actor=actor)

    def test_an_unknown_one_is_not_visible(self, after: Therapy) -> None:
        with pytest.raises(NotVisible):
            lifted(after, restriction_id=uuid4())


def acknowledged(therapy: Therapy, **changes: Any) -> Acknowledgement:
    entries = {
        "actor": therapy.as_trainer,
        "restriction_id": therapy.restriction().pk,
        "version": 1,
        "at": LATER,
    }
    return restrictions.acknowledge(**{**entries, **changes})


class TestAcknowledging:
    def test_the_version_in_force_is_acknowledged_once(self, after: Therapy) -> None:
        after.share()
        row = acknowledged(after)
        assert (row.professional, row.acknowledged_at, row.version.number) == (
            after.trainer,
            LATER,
            1,
        )
        assert acknowledged(after, at=LATER + timedelta(days=1)) == row
        assert verbs_on(after.restriction()) == ["restriction.acknowledged"]

    def test_an_older_version_is_not(self, after: Therapy) -> None:
        after.share()
        revised(after, restriction_id=after.restriction().pk, data={"instead": "Pull."})
        with pytest.raises(Stale):
            acknowledged(after, version=1)
        with pytest.raises(Stale):
            acknowledged(after, version=3)
        assert acknowledged(after, version=2).version.number == 2

    def test_a_changed_version_asks_again(self, after: Therapy) -> None:
        after.share()
        acknowledged(after)
        version = revised(after, restriction_id=after.restriction().pk, data={"instead": "Pull."})
        assert not version.acknowledgements.exists()

    def test_that_it_is_lifted_can_be_acknowledged(self, after: Therapy) -> None:
        after.share()
        lifted(after, restriction_id=after.restriction().pk)
        assert acknowledged(after, version=2).version.status == "lifted"

    def test_only_with_restrictions_shared_now(self, after: Therapy) -> None:
        with pytest.raises(NotVisible):
            acknowledged(after)
        after.share(Scope.CLEARANCE)
        with pytest.raises(NotVisible):
            acknowledged(after)

    def test_not_after_sharing_was_stopped(self, after: Therapy) -> None:
        after.share()
        consents.revoke(actor=after.as_client, consent_id=after.consent.pk, at=LATER)
        with pytest.raises(NotVisible):
            acknowledged(after)
        with pytest.raises(NotAllowed):
            restrictions.acknowledge_all(
                actor=after.as_trainer, client_id=after.client.pk, at=LATER
            )
        assert not Acknowledgement.objects.exists()

    def test_who_is_no_trainer_of_the_client_does_not_acknowledge(self, after: Therapy) -> None:
        both = ProfessionalFactory.create(user=after.pt.user, trainer=True)
        for actor in (after.as_pt, after.as_pta, after.as_client, acting(both)):
            with pytest.raises(NotAllowed):
                acknowledged(after, actor=actor)
            with pytest.raises(NotAllowed):
                restrictions.acknowledge_all(actor=actor, client_id=after.client.pk, at=LATER)
        assert not Acknowledgement.objects.exists()

    def test_all_at_once(self, after: Therapy) -> None:
        after.share()
        acknowledged(after)
        rows = restrictions.acknowledge_all(
            actor=after.as_trainer, client_id=after.client.pk, at=LATER
        )
        current = list(restrictions.current_versions([after.episode.pk]))
        assert [row.version_id for row in rows] == [version.pk for version in current]
        assert verbs_on(after.client) == ["restriction.acknowledged_all"]
        again = restrictions.acknowledge_all(
            actor=after.as_trainer, client_id=after.client.pk, at=LATER
        )
        assert again == rows
        assert verbs_on(after.client) == ["restriction.acknowledged_all"]

    def test_all_that_the_page_showed(self, after: Therapy) -> None:
        after.share()
        shown = {each.pk: 1 for each in Restriction.objects.all()}
        revised(after)
        with pytest.raises(Stale):
            restrictions.acknowledge_all(
                actor=after.as_trainer, client_id=after.client.pk, versions=shown, at=LATER
            )
        shown[after.restriction("limit_load").pk] = 2
        rows = restrictions.acknowledge_all(
            actor=after.as_trainer, client_id=after.client.pk, versions=shown, at=LATER
        )
        assert len(rows) == 2

    def test_all_means_those_of_the_therapists_the_client_shares(self, after: Therapy) -> None:
        after.share()
        elsewhere = EpisodeFactory.create(client=after.client, pt=after.other_pt)
        other = RestrictionVersionFactory.create(restriction__episode=elsewhere)
        rows = restrictions.acknowledge_all(
            actor=after.as_trainer, client_id=after.client.pk, at=LATER
        )
        assert other.pk not in {row.version_id for row in rows}

    def test_two_trainers_acknowledge_each_for_themselves(self, after: Therapy) -> None:
        after.share()
        acknowledged(after)
        after.trainer = certified_trainer()
        after.share()
        acknowledged(after)
        assert Acknowledgement.objects.count() == 2


class TestAsking:
    def ask(self, therapy: Therapy, **changes: Any) -> ReferralMessage:
        entries = {
            "actor": therapy.as_trainer,
            "restriction_id": therapy.restriction().pk,
            "text": " May we press with a band? ",
            "at": LATER,
        }
        return restrictions.request_lift(**{**entries, **changes})

    def test_the_question_goes_to_the_therapist_and_nothing_is_lifted(self, after: Therapy) -> None:
        after.share()
        message = self.ask(after)
        assert (message.referral, message.author) == (after.referral, after.trainer)
        assert message.text == (
            "About the limit set on 13 Jan 2027 (version 1): May we press with a band?"
        )
        assert restrictions.current_versions([after.episode.pk]).count() == 2
        assert RestrictionVersion.objects.count() == 2
        assert verbs_on(after.restriction()) == ["restriction.lift_requested"]

    def test_it_goes_into_the_open_referral_of_several(self, after: Therapy) -> None:
        after.share()
        ReferralFactory.create(
            client=after.client,
            sender=after.pt,
            recipient=after.trainer,
            state=State.COMPLETED,
            state_at=LATER,
        )
        assert self.ask(after).referral == after.referral

    @pytest.mark.parametrize("text", ["", "  ", "x" * 2000, None])
    def test_a_question_says_something_and_fits(self, after: Therapy, text: Any) -> None:
        after.share()
        with pytest.raises(Invalid) as caught:
            self.ask(after, text=text)
        assert set(caught.value.errors) == {"text"}
        assert not ReferralMessage.objects.exists()

    def test_what_is_lifted_needs_no_asking(self, after: Therapy) -> None:
        after.share()
        lifted(after, restriction_id=after.restriction().pk)
        with pytest.raises(Stale):
            self.ask(after)

    @pytest.mark.parametrize("who", ["as_pt", "as_pta", "as_client"])
    def test_only_the_trainer_asks(self, after: Therapy, who: str) -> None:
        with pytest.raises(NotAllowed):
            self.ask(after, actor=getattr(after, who))

    def test_a_trainer_of_somebody_else_learns_nothing(self, after: Therapy) -> None:
        with pytest.raises(NotVisible):
            self.ask(after)

    def test_a_therapist_who_also_trains_does_not_ask_themselves(self, after: Therapy) -> None:
        ProfessionalFactory.create(user=after.pt.user, trainer=True)
        with pytest.raises(NotAllowed):
            self.ask(after, actor=after.as_pt)


class TestNewestSigned:
    def test_strictest_first_then_in_the_order_of_making(self, therapy: Therapy) -> None:
        def make(severity: Severity, **fields: Any) -> RestrictionVersion:
            return RestrictionVersionFactory.create(
                restriction__episode=therapy.episode, severity=severity, **fields
            )

        caution = make(Severity.CAUTION)
        limit = make(Severity.LIMIT)
        must_not = make(Severity.MUST_NOT)
        second = make(Severity.MUST_NOT)
        make(Severity.MUST_NOT, draft=True)
        found = RestrictionVersion.objects.newest_signed([therapy.episode.pk])
        assert list(found) == [must_not, second, limit, caution]

    def test_a_version_in_force_once_does_not_come_back_under_a_lifted_one(
        self, therapy: Therapy
    ) -> None:
        first = RestrictionVersionFactory.create(restriction__episode=therapy.episode)
        gone = RestrictionVersionFactory.create(
            restriction=first.restriction, number=2, lifted=True
        )
        found = RestrictionVersion.objects.newest_signed([therapy.episode.pk])
        assert list(found) == [gone]
        assert not found.in_force().exists()
        assert not RestrictionVersion.objects.newest_signed([]).exists()

    def test_a_restriction_that_names_no_movement_reads_as_one(self) -> None:
        version = RestrictionVersionFactory.build(
            restriction=None, set_by=None, patterns=[], body_region=BodyRegion.WHOLE_BODY
        )
        assert version.spec().patterns == ()
        assert Wanted(version.spec()).rationale == ""


def test_refusals_hold_no_health_data(after: Therapy) -> None:
    """What `str` of a refusal says may reach a log."""
    after.share()
    revised(after, data={"earliest_lift_on": "2027-02-01"}, at=NOON)
    said = []
    for act, changes in (
        (revised, {"actor": after.as_trainer}),
        (revised, {"reason": ""}),
        (lifted, {}),
        (lifted, {"version": 1}),
    ):
        with pytest.raises(DomainError) as caught:
            act(after, **changes)
        said.append(str(caught.value).lower())
    for word in ("shoulder", "press", "kg", "row", "feb"):
        assert not any(word in text for text in said)
