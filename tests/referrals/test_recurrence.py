"""What the dates say about something that came back; and that only the therapist says it."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import care, particulars, recurrence, returning
from referrals.models import Episode
from referrals.vocabulary import RecurrenceKind
from tests.factories import NOON, EpisodeFactory, signed_note
from tests.referrals.scenes import Therapy, verbs_on

BACK = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("again", "kind"),
    [
        (date(2026, 1, 30), "exacerbation"),
        (date(2026, 1, 31), "early"),
        (date(2026, 3, 31), "early"),
        (date(2026, 4, 1), "late"),
        (date(2027, 1, 31), "late"),
        (date(2027, 2, 1), "delayed"),
    ],
)
def test_by_the_months_since_full_return(again: date, kind: str) -> None:
    assert recurrence.proposed(returned_on=BACK, again_on=again) == kind


def test_without_a_full_return_it_was_never_over() -> None:
    found = recurrence.proposed(returned_on=None, again_on=BACK)
    assert found is RecurrenceKind.EXACERBATION


def test_months_end_where_the_month_does() -> None:
    assert recurrence.months_after(date(2026, 12, 31), 2) == date(2027, 2, 28)
    assert recurrence.months_after(date(2027, 1, 31), 1) == date(2027, 2, 28)
    assert recurrence.months_after(date(2027, 3, 15), 9) == date(2027, 12, 15)
    assert recurrence.months_after(date(2027, 3, 15), 0) == date(2027, 3, 15)


@pytest.fixture
def therapy() -> Therapy:
    """A therapy for something that had been treated until June 2026."""
    found = Therapy()
    earlier = EpisodeFactory.create(
        client=found.client,
        pt=found.pt,
        started_on=date(2026, 2, 1),
        status=Episode.Status.FINISHED,
        ended_on=date(2026, 6, 1),
    )
    Episode.objects.filter(pk=found.episode.pk).update(recurrence_of=earlier, onset_on=None)
    found.episode.refresh_from_db()
    return found


def said(therapy: Therapy, **changes: Any) -> Episode:
    actor = changes.pop("actor", therapy.as_pt)
    entries = {"kind": "late", "full_return_on": "2026-06-10", **changes}
    return returning.label(actor=actor, episode_id=therapy.episode.pk, at=NOON, **entries)


def refused(therapy: Therapy, **changes: Any) -> set[str]:
    with pytest.raises(Invalid) as wrong:
        said(therapy, **changes)
    therapy.episode.refresh_from_db()
    assert therapy.episode.recurrence_kind == ""
    return set(wrong.value.errors)


@pytest.mark.django_db
class TestLabel:
    def test_nothing_is_proposed_without_an_earlier_episode(self) -> None:
        alone = Therapy()
        assert returning.proposal(alone.episode) is None
        with pytest.raises(Invalid, match="Name the earlier episode first"):
            said(alone)

    def test_proposed_from_the_discharge_that_cleared_for_everything(
        self, therapy: Therapy
    ) -> None:
        found = returning.proposal(therapy.episode)
        assert found is not None
        assert (found.kind, found.returned_on) == ("exacerbation", None)
        signed_note(
            episode=therapy.episode.recurrence_of,
            clearance="cleared_full",
            discharge_on=date(2026, 6, 1),
        )
        found = returning.proposal(therapy.episode)
        assert found is not None
        assert (found.kind, found.returned_on) == ("late", date(2026, 6, 1))
        assert found.again_on == therapy.episode.started_on

    def test_a_day_that_was_entered_goes_before_it(self, therapy: Therapy) -> None:
        said(therapy)
        therapy.episode.refresh_from_db()
        therapy.episode.onset_on = date(2026, 7, 1)
        found = returning.proposal(therapy.episode)
        assert found is not None
        assert (found.kind, found.again_on) == ("early", date(2026, 7, 1))

    def test_the_first_beginning_is_not_the_return(self, therapy: Therapy) -> None:
        """Somebody tells of when it all began, years ago: what is new began with the visit."""
        therapy.episode.onset_on = date(2020, 1, 1)
        found = returning.proposal(therapy.episode)
        assert found is not None
        assert found.again_on == therapy.episode.started_on

    def test_the_therapist_says_otherwise_than_the_dates(self, therapy: Therapy) -> None:
        row = said(therapy, kind="early")
        row.refresh_from_db()
        assert (row.recurrence_kind, row.full_return_on) == ("early", date(2026, 6, 10))
        assert verbs_on(row)[-1] == "episode.labelled"
        said(therapy, kind="exacerbation", full_return_on="")
        row.refresh_from_db()
        assert (row.recurrence_kind, row.full_return_on) == ("exacerbation", None)

    def test_nobody_else_does(self, therapy: Therapy) -> None:
        with pytest.raises(NotAllowed):
            said(therapy, actor=therapy.as_pta)
        for actor in (therapy.as_other_pt, therapy.as_trainer, therapy.as_client):
            with pytest.raises(NotVisible):
                said(therapy, actor=actor)

    def test_what_cannot_be(self, therapy: Therapy) -> None:
        assert refused(therapy, kind="") == {"kind"}
        assert refused(therapy, kind="again") == {"kind"}
        assert refused(therapy, full_return_on="soon") == {"full_return_on"}
        assert refused(therapy, full_return_on="2027-01-14") == {"full_return_on"}
        assert refused(therapy, full_return_on="1980-01-01") == {"full_return_on"}
        assert refused(therapy, kind="exacerbation") == {"full_return_on"}

    def test_it_goes_with_the_episode_it_was_said_about(self, therapy: Therapy) -> None:
        said(therapy)
        care.update_episode(
            actor=therapy.as_pt,
            episode_id=therapy.episode.pk,
            changes={"mechanism": "Fell"},
            at=NOON,
        )
        therapy.episode.refresh_from_db()
        assert therapy.episode.recurrence_kind == "late"
        care.update_episode(
            actor=therapy.as_pt,
            episode_id=therapy.episode.pk,
            changes={"recurrence_of": ""},
            at=NOON,
        )
        therapy.episode.refresh_from_db()
        assert (therapy.episode.recurrence_kind, therapy.episode.full_return_on) == ("", None)

    def test_the_database_refuses_a_label_of_nothing(self, therapy: Therapy) -> None:
        rows = Episode.objects.filter(pk=therapy.episode.pk)
        for wrong in (
            {"recurrence_of": None, "recurrence_kind": "late"},
            {"recurrence_kind": "exacerbation", "full_return_on": BACK},
            {"recurrence_kind": "", "full_return_on": BACK},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.update(**wrong)

    def test_the_treating_side_and_the_client_read_it(self, therapy: Therapy) -> None:
        said(therapy)
        for actor in (therapy.as_pt, therapy.as_pta, therapy.as_client):
            plan = particulars.episode(actor=actor, episode_id=therapy.episode.pk, at=NOON).plan
            assert plan is not None
            assert plan.recurrence_kind == "late"


@pytest.mark.django_db
class TestNeverReopened:
    """Who comes back gets a new episode; the old one stays as it ended."""

    def test_by_no_verb(self, therapy: Therapy) -> None:
        therapy.signed()
        for status in ("active", "review", "entered_in_error"):
            with pytest.raises(Stale):
                care.update_episode(
                    actor=therapy.as_pt,
                    episode_id=therapy.episode.pk,
                    changes={"status": status},
                    at=NOON,
                )
        with pytest.raises(Stale):
            said(therapy)

    @pytest.mark.parametrize("status", ["active", "review", "entered_in_error"])
    def test_nor_in_the_database(self, therapy: Therapy, status: str) -> None:
        therapy.signed()
        rows = Episode.objects.filter(pk=therapy.episode.pk)
        with pytest.raises(DatabaseError, match="refused"), transaction.atomic():
            rows.update(status=status)
        rows.update(status="finished")  # the control: nothing changes, nothing is refused
        assert rows.get().status == "finished"

    def test_who_comes_back_gets_a_new_one(self, therapy: Therapy) -> None:
        therapy.signed()
        anew = care.open_episode(
            actor=therapy.as_pt,
            client_id=therapy.client.pk,
            data={
                "condition": "The same again",
                "body_region": "shoulder",
                "laterality": "right",
                "started_on": "2027-01-13",
                "recurrence_of": str(therapy.episode.pk),
            },
            at=NOON,
        )
        therapy.episode.refresh_from_db()
        assert anew.pk != therapy.episode.pk
        assert (anew.status, therapy.episode.status) == ("active", "finished")


def test_nobody_knows_an_episode_that_is_not_there(db: None) -> None:
    with pytest.raises(NotVisible):
        returning.label(actor=Therapy().as_pt, episode_id=uuid4(), kind="late")
