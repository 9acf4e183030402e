"""The discharge note before it is signed: begun from the episode, saved as it is typed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handoff.core.actors import ANONYMOUS
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import discharge
from referrals.discharge import GoalInput
from referrals.models import (
    DischargeNote,
    Episode,
    Goal,
)
from tests.factories import NOON
from tests.referrals.scenes import COMPLETE, Therapy, trail, verbs_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def therapy() -> Therapy:
    return Therapy()


class TestStart:
    def test_the_draft_begins_with_what_the_episode_knows(self, therapy: Therapy) -> None:
        note = discharge.start_note(actor=therapy.as_pta, episode_id=therapy.episode.pk, at=NOON)
        assert note.diagnosis == therapy.episode.condition
        assert note.first_visit_on == therapy.episode.started_on
        assert note.last_visit_on == therapy.episode.last_visit_on
        assert note.visits_completed == 12
        assert therapy.pt.name in note.future_contact
        assert note.author == therapy.pta.user
        assert (note.discharge_type, note.clearance, note.restrictions_decision) == ("", "", "")
        assert verbs_on(note) == ["note.started"]

    def test_there_is_one_note_per_episode(self, therapy: Therapy) -> None:
        first = discharge.start_note(actor=therapy.as_pt, episode_id=therapy.episode.pk, at=NOON)
        again = discharge.start_note(actor=therapy.as_pta, episode_id=therapy.episode.pk, at=NOON)
        assert again == first
        assert verbs_on(first) == ["note.started"]

    def test_not_before_an_import_is_confirmed_nor_after_the_end(self, therapy: Therapy) -> None:
        Episode.objects.filter(pk=therapy.episode.pk).update(status="review")
        with pytest.raises(NotAllowed):
            discharge.start_note(actor=therapy.as_pt, episode_id=therapy.episode.pk, at=NOON)
        Episode.objects.filter(pk=therapy.episode.pk).update(status="entered_in_error")
        with pytest.raises(Stale):
            discharge.start_note(actor=therapy.as_pt, episode_id=therapy.episode.pk, at=NOON)
        assert not DischargeNote.objects.exists()

    def test_the_treating_side_only(self, therapy: Therapy) -> None:
        therapy.share()
        for actor in (therapy.as_other_pt, therapy.as_trainer, therapy.as_client, ANONYMOUS):
            with pytest.raises(NotVisible):
                discharge.start_note(actor=actor, episode_id=therapy.episode.pk, at=NOON)


class TestSave:
    def started(self, therapy: Therapy) -> DischargeNote:
        return discharge.start_note(actor=therapy.as_pt, episode_id=therapy.episode.pk, at=NOON)

    def save(self, therapy: Therapy, note: DischargeNote, **changes: Any) -> DischargeNote:
        return discharge.save_draft(
            actor=therapy.as_pt,
            note_id=note.pk,
            revision=note.revision,
            changes=changes,
            at=NOON + timedelta(minutes=5),
        )

    def test_what_is_typed_is_kept_and_the_rest_stays(self, therapy: Therapy) -> None:
        note = self.save(therapy, self.started(therapy), course="Week one:\r\n - rest ")
        note = self.save(therapy, note, pain_now="2")
        note.refresh_from_db()
        assert note.course == "Week one:\n - rest "
        assert note.pain_now == 2
        assert note.diagnosis == therapy.episode.condition
        assert note.revision == 2
        assert note.saved_at == NOON + timedelta(minutes=5)
        assert verbs_on(note) == ["note.started", "note.saved", "note.saved"]

    def test_every_field_can_be_filled_and_emptied(self, therapy: Therapy) -> None:
        note = self.save(therapy, self.started(therapy), **COMPLETE, no_home_programme="on")
        assert note.no_home_programme is True
        emptied = self.save(therapy, note, **dict.fromkeys(discharge.FIELDS, ""))
        emptied.refresh_from_db()
        assert emptied.discharge_on is None
        assert emptied.pain_now is None
        assert (emptied.clearance, emptied.diagnosis) == ("", "")
        assert emptied.no_home_programme is False

    def test_the_verb_takes_every_field_a_person_writes(self) -> None:
        own = {"id", "episode", "author", "created_at", "saved_at", "revision", "content_hash"}
        own |= {"signed_at", "signed_by", "signer_name", "signer_credential"}
        own |= {"licence_state", "licence_number"}
        columns = {field.name: field for field in DischargeNote._meta.concrete_fields}
        assert set(discharge.FIELDS) == set(columns) - own
        for name, most in discharge.TEXTS.items():
            assert columns[name].max_length == most

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"discharge_type": "long"}, "discharge_type"),
            ({"discharge_on": "13/01/2027"}, "discharge_on"),
            ({"discharge_on": datetime(2027, 1, 13, tzinfo=UTC)}, "discharge_on"),
            ({"pain_worst": "11"}, "pain_worst"),
            ({"pain_now": 2.5}, "pain_now"),
            ({"visits_completed": "many"}, "visits_completed"),
            ({"diagnosis": "x" * 2001}, "diagnosis"),
            ({"course": "\x00"}, "course"),
            ({"course": "\ud800"}, "course"),
            ({"course": ["a"]}, "course"),
            ({"no_home_programme": "perhaps"}, "no_home_programme"),
            ({"signed_at": "2027-01-13"}, "signed_at"),
            ({"episode": "x"}, "episode"),
        ],
    )
    def test_what_no_field_can_hold_is_refused_there_and_nothing_is_kept(
        self, therapy: Therapy, changes: dict[str, Any], field: str
    ) -> None:
        note = self.started(therapy)
        entries = trail()
        with pytest.raises(Invalid) as caught:
            self.save(therapy, note, **changes, equipment="Band")
        assert set(caught.value.errors) == {field}
        fresh = DischargeNote.objects.get(pk=note.pk)
        assert (fresh.revision, fresh.equipment) == (0, "")
        assert trail() == entries

    def test_a_second_tab_with_an_old_page_is_stopped(self, therapy: Therapy) -> None:
        note = self.started(therapy)
        self.save(therapy, note, course="First tab")
        with pytest.raises(Stale):
            self.save(therapy, note, course="Second tab")
        note.refresh_from_db()
        assert note.course == "First tab"

    def test_goals_are_replaced_as_a_whole_or_left_alone(self, therapy: Therapy) -> None:
        note = therapy.note()
        assert [goal.text for goal in note.goals.all()] == ["Swim 500 m", "Throw"]
        note = self.save(therapy, note, course="More")
        assert note.goals.count() == 2
        note = discharge.save_draft(
            actor=therapy.as_pt,
            note_id=note.pk,
            revision=note.revision,
            changes={},
            goals=[GoalInput("Row")],
            at=NOON,
        )
        assert [(goal.position, goal.text) for goal in note.goals.all()] == [(1, "Row")]

    @pytest.mark.parametrize(
        ("goals", "fields"),
        [
            ([GoalInput("x" * 301)], {"goals-0-text"}),
            ([GoalInput("Walk"), GoalInput("Run", "halfway")], {"goals-1-outcome"}),
            ([GoalInput("Walk", "met", "x" * 501)], {"goals-0-why_not"}),
            ([GoalInput("Walk")] * 21, {"goals"}),
        ],
    )
    def test_goals_that_do_not_fit_are_named(
        self, therapy: Therapy, goals: list[GoalInput], fields: set[str]
    ) -> None:
        note = therapy.note()
        with pytest.raises(Invalid) as caught:
            discharge.save_draft(
                actor=therapy.as_pt,
                note_id=note.pk,
                revision=note.revision,
                changes={},
                goals=goals,
                at=NOON,
            )
        assert set(caught.value.errors) == fields
        assert Goal.objects.filter(note=note).count() == 2

    def test_an_assistant_drafts_and_nobody_else_does(self, therapy: Therapy) -> None:
        note = self.started(therapy)
        saved = discharge.save_draft(
            actor=therapy.as_pta, note_id=note.pk, revision=0, changes={"strength": "5/5"}, at=NOON
        )
        assert saved.strength == "5/5"
        therapy.share()
        for actor in (therapy.as_other_pt, therapy.as_trainer, therapy.as_client):
            with pytest.raises(NotVisible):
                discharge.save_draft(
                    actor=actor, note_id=note.pk, revision=1, changes={"strength": "0"}, at=NOON
                )

    def test_a_signed_note_takes_no_draft(self, therapy: Therapy) -> None:
        note = therapy.signed()
        with pytest.raises(Stale):
            self.save(therapy, note, course="Later")
        with pytest.raises(Stale):
            discharge.save_draft(
                actor=therapy.as_pt,
                note_id=note.pk,
                revision=note.revision,
                changes={},
                goals=[],
                at=NOON,
            )
