"""Restrictions from draft to signed version, and what a trainer may do with them."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Credential
from handoff.core.actors import ANONYMOUS
from handoff.core.audit import AuditEntry
from handoff.core.errors import DomainError, Invalid, NotAllowed, NotVisible, Stale
from referrals import restriction_input, restrictions
from referrals.models import (
    Episode,
    Restriction,
    RestrictionVersion,
)
from referrals.restriction_input import Wanted
from referrals.vocabulary import (
    BodyRegion,
    Severity,
)
from tests.factories import (
    NOON,
    RestrictionVersionFactory,
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
