"""Episodes and measurements: who may write them, what they must say, what is left behind."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from clients.models import Professional
from handoff.core.actors import ANONYMOUS, SYSTEM
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import care
from referrals.models import Episode, Measure, Measurement, Reminder
from referrals.states import State
from tests.factories import (
    NOON,
    ClientFactory,
    EpisodeFactory,
    GuardianshipFactory,
    ProfessionalFactory,
    ReferralFactory,
    acting,
    licensed_pt,
)
from tests.referrals.scenes import Therapy, trail, verbs_on

pytestmark = pytest.mark.django_db

TODAY = NOON.date()
TOMORROW = TODAY + timedelta(days=1)
KNEE: dict[str, Any] = {
    "condition": "Runner's knee",
    "body_region": "knee",
    "laterality": "left",
    "started_on": "2026-12-01",
}


@pytest.fixture
def therapy() -> Therapy:
    return Therapy()


def opened(therapy: Therapy, **changes: Any) -> Episode:
    return care.open_episode(
        actor=therapy.as_pt, client_id=therapy.client.pk, data={**KNEE, **changes}, at=NOON
    )


def refused(therapy: Therapy, **changes: Any) -> dict[str, list[str]]:
    before, entries = Episode.objects.count(), trail()
    with pytest.raises(Invalid) as caught:
        opened(therapy, **changes)
    assert Episode.objects.count() == before
    assert trail() == entries
    return caught.value.errors


class TestOpen:
    def test_an_episode_is_opened_with_all_it_can_hold(self, therapy: Therapy) -> None:
        earlier = EpisodeFactory.create(
            client=therapy.client, pt=therapy.pt, status="finished", ended_on=date(2026, 6, 1)
        )
        episode = opened(
            therapy,
            condition="  Runner's knee ",
            icd10_code="m22.2x2",
            onset_on="2026-11-01",
            mechanism="Hill runs",
            surgery="Arthroscopy",
            surgery_on=date(2026, 11, 20),
            last_visit_on="2027-01-13",
            visits_completed="4",
            planned_discharge_on="2027-02-01",
            recurrence_of=str(earlier.pk),
        )
        episode.refresh_from_db()
        assert episode.condition == "Runner's knee"
        assert episode.icd10_code == "M22.2X2"
        assert (episode.body_region, episode.laterality) == ("knee", "left")
        assert episode.surgery_on == date(2026, 11, 20)
        assert episode.visits_completed == 4
        assert episode.recurrence_of == earlier
        assert (episode.status, episode.pt, episode.source) == ("active", therapy.pt, "")
        assert verbs_on(episode) == ["episode.opened"]

    def test_a_planned_discharge_is_reminded_of(self, therapy: Therapy) -> None:
        episode = opened(therapy, planned_discharge_on="2027-02-01")
        assert Reminder.objects.filter(episode=episode, recipient=therapy.pt.user).exists()

    def test_a_region_without_sides_gets_none(self, therapy: Therapy) -> None:
        assert opened(therapy, body_region="lumbar", laterality="").laterality == "not_applicable"
        assert opened(therapy, body_region="lumbar", laterality="left").laterality == "left"

    @pytest.mark.parametrize(
        ("changes", "fields"),
        [
            ({"condition": " "}, {"condition"}),
            ({"condition": "x" * 301}, {"condition"}),
            ({"condition": "a\x00b"}, {"condition"}),
            ({"condition": 7}, {"condition"}),
            ({"icd10_code": "knee"}, {"icd10_code"}),
            ({"body_region": ""}, {"body_region"}),
            ({"body_region": "nose"}, {"body_region"}),
            ({"laterality": ""}, {"laterality"}),
            ({"laterality": "midline"}, {"laterality"}),
            ({"body_region": "whole_body"}, {"laterality"}),
            ({"onset_on": TOMORROW}, {"onset_on"}),
            ({"onset_on": "1990-05-03"}, {"onset_on"}),
            ({"onset_on": "soon"}, {"onset_on"}),
            ({"surgery_on": "2026-11-20"}, {"surgery"}),
            ({"surgery": "Suture", "surgery_on": TOMORROW}, {"surgery_on"}),
            ({"started_on": ""}, {"started_on"}),
            ({"started_on": "2027-02-30"}, {"started_on"}),
            ({"started_on": TOMORROW}, {"started_on"}),
            ({"last_visit_on": "2026-11-30"}, {"last_visit_on"}),
            ({"last_visit_on": TOMORROW}, {"last_visit_on"}),
            ({"visits_completed": -1}, {"visits_completed"}),
            ({"visits_completed": "1000"}, {"visits_completed"}),
            ({"visits_completed": True}, {"visits_completed"}),
            ({"planned_discharge_on": "2026-11-30"}, {"planned_discharge_on"}),
            ({"planned_discharge_on": TODAY - timedelta(days=1)}, {"planned_discharge_on"}),
            ({"planned_discharge_on": "2207-01-20"}, {"planned_discharge_on"}),
            ({"recurrence_of": "7"}, {"recurrence_of"}),
            ({"recurrence_of": uuid4()}, {"recurrence_of"}),
            ({"pt": uuid4()}, {"pt"}),
            ({"status": "finished"}, {"status"}),
            ({"condition": "", "started_on": ""}, {"condition", "started_on"}),
        ],
    )
    def test_what_cannot_be_is_refused_at_its_field(
        self, therapy: Therapy, changes: dict[str, Any], fields: set[str]
    ) -> None:
        assert set(refused(therapy, **changes)) == fields

    def test_today_is_the_day_at_the_practice(self, therapy: Therapy) -> None:
        late = NOON.replace(hour=3)  # 22:00 of the 12th in New York
        with pytest.raises(Invalid) as caught:
            care.open_episode(
                actor=therapy.as_pt,
                client_id=therapy.client.pk,
                data={**KNEE, "last_visit_on": TODAY},
                at=late,
            )
        assert set(caught.value.errors) == {"last_visit_on"}

    def test_a_recurrence_is_of_an_ended_episode_of_the_same_client(self, therapy: Therapy) -> None:
        of_another = EpisodeFactory.create(pt=therapy.pt, status="finished", ended_on=TODAY)
        of_another_pt = EpisodeFactory.create(
            client=therapy.client, pt=therapy.other_pt, status="finished", ended_on=TODAY
        )
        for earlier in (therapy.episode, of_another, of_another_pt):
            assert set(refused(therapy, recurrence_of=earlier.pk)) == {"recurrence_of"}

    def test_others_learn_nothing_of_the_client(self, therapy: Therapy) -> None:
        for actor in (therapy.as_other_pt, therapy.as_trainer, ANONYMOUS):
            with pytest.raises(NotVisible):
                care.open_episode(actor=actor, client_id=therapy.client.pk, data=KNEE, at=NOON)

    def test_who_knows_the_client_but_is_no_therapist_is_told_so(self, therapy: Therapy) -> None:
        entries = trail()
        for actor in (therapy.as_pta, therapy.as_client):
            with pytest.raises(NotAllowed):
                care.open_episode(actor=actor, client_id=therapy.client.pk, data=KNEE, at=NOON)
        assert trail() == entries

    def test_a_therapist_does_not_treat_themselves_or_the_child_they_act_for(self) -> None:
        pt = licensed_pt()
        own = ClientFactory.create(user=pt.user)
        child = GuardianshipFactory.create(user=pt.user).client
        for client in (own, child):
            with pytest.raises(NotAllowed):
                care.open_episode(actor=acting(pt), client_id=client.pk, data=KNEE, at=NOON)

    def test_a_therapist_who_accepted_a_referral_may_open(self, therapy: Therapy) -> None:
        ReferralFactory.create(
            kind="refer_out",
            client=therapy.client,
            sender=therapy.trainer,
            recipient=therapy.other_pt,
            state=State.ACCEPTED,
            sent_at=NOON,
            answered_at=NOON,
        )
        episode = care.open_episode(
            actor=therapy.as_other_pt, client_id=therapy.client.pk, data=KNEE, at=NOON
        )
        assert episode.pt == therapy.other_pt

    def test_a_trainer_s_referral_does_not_make_the_same_person_the_therapist(
        self, therapy: Therapy
    ) -> None:
        both = ProfessionalFactory.create(user=therapy.trainer.user, role=Professional.Role.PT)
        therapy.share()
        with pytest.raises(NotAllowed):
            care.open_episode(actor=acting(both), client_id=therapy.client.pk, data=KNEE, at=NOON)


def updated(therapy: Therapy, **changes: Any) -> Episode:
    return care.update_episode(
        actor=therapy.as_pt, episode_id=therapy.episode.pk, changes=changes, at=NOON
    )


class TestUpdate:
    def test_only_what_is_named_changes(self, therapy: Therapy) -> None:
        updated(therapy, visits_completed=13, last_visit_on=TODAY)
        episode = Episode.objects.get(pk=therapy.episode.pk)
        assert (episode.visits_completed, episode.last_visit_on) == (13, TODAY)
        assert episode.condition == therapy.episode.condition
        assert verbs_on(episode) == ["episode.updated"]

    def test_what_is_optional_can_be_emptied(self, therapy: Therapy) -> None:
        updated(therapy, icd10_code="", onset_on="", visits_completed="", recurrence_of="")
        episode = Episode.objects.get(pk=therapy.episode.pk)
        assert (episode.icd10_code, episode.onset_on, episode.visits_completed) == ("", None, 0)

    def test_an_imported_episode_becomes_active_when_confirmed(self, therapy: Therapy) -> None:
        Episode.objects.filter(pk=therapy.episode.pk).update(status="review", laterality="midline")
        with pytest.raises(Invalid) as caught:
            updated(therapy, status="active")
        assert set(caught.value.errors) == {"laterality"}
        assert updated(therapy, status="active", laterality="left").status == "active"

    def test_editing_an_imported_episode_does_not_confirm_it(self, therapy: Therapy) -> None:
        Episode.objects.filter(pk=therapy.episode.pk).update(status="review")
        assert updated(therapy, mechanism="Fall").status == "review"
        assert updated(therapy, status="review").status == "review"

    def test_a_plan_that_has_passed_may_stand_but_not_be_made(self, therapy: Therapy) -> None:
        past = TODAY - timedelta(days=3)
        Episode.objects.filter(pk=therapy.episode.pk).update(planned_discharge_on=past)
        assert updated(therapy, planned_discharge_on=past, mechanism="Fall").mechanism == "Fall"
        with pytest.raises(Invalid):
            updated(therapy, planned_discharge_on=past - timedelta(days=1))

    def test_an_episode_that_should_not_exist_is_closed_as_it_is(self, therapy: Therapy) -> None:
        episode = updated(therapy, status="entered_in_error", condition="")
        episode.refresh_from_db()
        assert episode.status == "entered_in_error"
        assert episode.condition == therapy.episode.condition
        with pytest.raises(Stale):
            updated(therapy, status="active")

    def test_not_while_a_referral_is_open_under_it(self, therapy: Therapy) -> None:
        therapy.share()
        with pytest.raises(Invalid) as caught:
            updated(therapy, status="entered_in_error")
        assert set(caught.value.errors) == {"status"}

    @pytest.mark.parametrize("status", ["finished", "review", "", "gone"])
    def test_no_other_step_is_taken_here(self, therapy: Therapy, status: str) -> None:
        with pytest.raises(Invalid) as caught:
            updated(therapy, status=status)
        assert set(caught.value.errors) == {"status"}

    def test_nothing_changes_after_the_end(self, therapy: Therapy) -> None:
        therapy.signed()
        entries = trail()
        for changes in ({"condition": "Other"}, {"status": "entered_in_error"}):
            with pytest.raises(Stale):
                updated(therapy, **changes)
        assert trail() == entries

    def test_an_assistant_cannot_and_others_see_nothing(self, therapy: Therapy) -> None:
        entries = trail()
        changes = {"mechanism": "Fall"}
        with pytest.raises(NotAllowed):
            care.update_episode(
                actor=therapy.as_pta, episode_id=therapy.episode.pk, changes=changes, at=NOON
            )
        for actor in (therapy.as_other_pt, therapy.as_trainer, therapy.as_client, ANONYMOUS):
            with pytest.raises(NotVisible):
                care.update_episode(
                    actor=actor, episode_id=therapy.episode.pk, changes=changes, at=NOON
                )
        assert trail() == entries


def measured(therapy: Therapy, **changes: Any) -> Measurement:
    entries: dict[str, Any] = {
        "actor": therapy.as_pt,
        "episode_id": therapy.episode.pk,
        "measure": "probe",
        "moment": "start",
        "value": "30",
        "taken_on": "2026-09-01",
        "at": NOON,
    }
    return care.record_measurement(**{**entries, **changes})


class TestMeasurements:
    def test_a_value_is_recorded_with_who_and_when(self, therapy: Therapy) -> None:
        row = measured(therapy, side="right")
        row.refresh_from_db()
        assert (row.value, row.moment, row.side) == (Decimal(30), "start", "right")
        assert (row.recorded_by, row.recorded_at) == (therapy.pt.user, NOON)
        assert verbs_on(row) == ["measurement.recorded"]

    def test_an_assistant_of_the_practice_records_too(self, therapy: Therapy) -> None:
        assert measured(therapy, actor=therapy.as_pta).recorded_by == therapy.pta.user

    def test_the_table_s_numbers_rule(self, therapy: Therapy) -> None:
        Measure.objects.filter(pk="probe").update(low=-7, high=7, whole_numbers=False)
        assert measured(therapy, value="-6.5").value == Decimal("-6.5")
        with pytest.raises(Invalid):
            measured(therapy, value="30")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"measure": "nothing"}, "measure"),
            ({"measure": ""}, "measure"),
            ({"measure": 5}, "measure"),
            ({"moment": ""}, "moment"),
            ({"moment": "later"}, "moment"),
            ({"value": ""}, "value"),
            ({"value": "-1"}, "value"),
            ({"value": "80.5"}, "value"),
            ({"value": "30.5"}, "value"),
            ({"value": "NaN"}, "value"),
            ({"value": Decimal("Infinity")}, "value"),
            ({"value": "1e9"}, "value"),
            ({"value": float("inf")}, "value"),
            ({"value": True}, "value"),
            ({"taken_on": ""}, "taken_on"),
            ({"taken_on": TOMORROW}, "taken_on"),
            ({"taken_on": "2026-08-31"}, "taken_on"),
            ({"side": "up"}, "side"),
        ],
    )
    def test_what_no_scale_has_is_refused_at_its_field(
        self, therapy: Therapy, changes: dict[str, Any], field: str
    ) -> None:
        entries = trail()
        with pytest.raises(Invalid) as caught:
            measured(therapy, **changes)
        assert set(caught.value.errors) == {field}
        assert not Measurement.objects.exists()
        assert trail() == entries

    def test_decimals_beyond_the_column_are_refused(self, therapy: Therapy) -> None:
        Measure.objects.filter(pk="probe").update(whole_numbers=False)
        assert measured(therapy, value=Decimal("30.25")).value == Decimal("30.25")
        with pytest.raises(Invalid):
            measured(therapy, value="30.255")

    def test_a_side_must_exist_in_the_region(self, therapy: Therapy) -> None:
        with pytest.raises(Invalid) as caught:
            measured(therapy, side="midline")
        assert set(caught.value.errors) == {"side"}

    def test_a_measure_out_of_use_takes_no_new_value(self, therapy: Therapy) -> None:
        Measure.objects.filter(pk="probe").update(in_use=False)
        with pytest.raises(Invalid):
            measured(therapy)

    def test_neither_before_confirming_nor_after_the_end(self, therapy: Therapy) -> None:
        Episode.objects.filter(pk=therapy.episode.pk).update(status="review")
        with pytest.raises(NotAllowed):
            measured(therapy)
        Episode.objects.filter(pk=therapy.episode.pk).update(status="active")
        therapy.signed()
        entries = trail()
        with pytest.raises(Stale):
            measured(therapy)
        assert trail() == entries

    def test_others_see_nothing(self, therapy: Therapy) -> None:
        for actor in (therapy.as_other_pt, therapy.as_trainer, therapy.as_client):
            with pytest.raises(NotVisible):
                measured(therapy, actor=actor)

    def test_a_wrong_value_is_taken_back_by_the_therapist_or_its_writer(
        self, therapy: Therapy
    ) -> None:
        by_pta = measured(therapy, actor=therapy.as_pta)
        by_pt = measured(therapy)
        with pytest.raises(NotAllowed):
            care.remove_measurement(actor=therapy.as_pta, measurement_id=by_pt.pk, at=NOON)
        care.remove_measurement(actor=therapy.as_pta, measurement_id=by_pta.pk, at=NOON)
        care.remove_measurement(actor=therapy.as_pt, measurement_id=by_pt.pk, at=NOON)
        assert not Measurement.objects.exists()
        assert verbs_on(by_pt) == ["measurement.recorded", "measurement.removed"]

    def test_what_is_signed_keeps_its_values(self, therapy: Therapy) -> None:
        therapy.signed()
        row = Measurement.objects.first()
        assert row is not None
        with pytest.raises(Stale):
            care.remove_measurement(actor=therapy.as_pt, measurement_id=row.pk, at=NOON)
        with pytest.raises(NotVisible):
            care.remove_measurement(actor=therapy.as_trainer, measurement_id=row.pk, at=NOON)
        with pytest.raises(NotVisible):
            care.remove_measurement(actor=therapy.as_pt, measurement_id=uuid4(), at=NOON)


def test_nobody_has_no_account_to_write_under() -> None:
    for actor in (ANONYMOUS, SYSTEM):
        with pytest.raises(NotVisible):
            care.account_of(actor)


def test_the_database_refuses_a_finished_episode_without_an_end(therapy: Therapy) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Episode.objects.filter(pk=therapy.episode.pk).update(status="finished")
