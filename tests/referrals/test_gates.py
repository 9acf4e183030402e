"""Return gates: named by the therapist, compared with what was measured, read under `outcomes`."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from clients.scopes import Scope
from handoff.core import roles, subjects
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import disclosure, gates, particulars, starting
from referrals.models import Gate, Measurement, RestrictionVersion
from referrals.packets import GateView, Withheld
from referrals.starting_points import Wish
from tests.conftest import as_role
from tests.factories import NOON, EpisodeFactory, acting, licensed_pt
from tests.referrals.scenes import Therapy, trail, verbs_on

pytestmark = pytest.mark.django_db
PROBE: Mapping[str, Any] = {
    "measure": "probe",
    "comparator": "ge",
    "value": "60",
    "source": "A paper 2020",
}
BALANCE: Mapping[str, Any] = {"test": "Steady on one leg", "side": "left"}


@pytest.fixture
def therapy() -> Therapy:
    return Therapy()


def named(therapy: Therapy, data: Mapping[str, Any] = PROBE, **extra: Any) -> Gate:
    actor = extra.pop("actor", therapy.as_pt)
    at = NOON + timedelta(seconds=Gate.objects.count())
    return gates.add_gate(actor=actor, episode_id=therapy.episode.pk, data=data, at=at)


def refused(therapy: Therapy, **changes: Any) -> set[str]:
    before = trail()
    with pytest.raises(Invalid) as wrong:
        named(therapy, {**PROBE, **changes})
    assert (Gate.objects.count(), trail()) == (0, before)
    return set(wrong.value.errors)


def read(therapy: Therapy, actor: Actor | None = None) -> tuple[GateView, ...]:
    found = particulars.gates(actor=actor or therapy.as_pt, episode_id=therapy.episode.pk, at=NOON)
    return found.items


class TestNaming:
    def test_on_a_measure(self, therapy: Therapy) -> None:
        gate = named(therapy)
        gate.refresh_from_db()
        assert (gate.client_id, gate.episode_id) == (therapy.client.pk, therapy.episode.pk)
        assert (gate.measure_id, gate.comparator, gate.value) == ("probe", "ge", Decimal(60))
        assert (gate.unit, gate.side, gate.source) == ("points", "", "A paper 2020")
        assert verbs_on(gate) == ["gate.added"]

    def test_in_words_with_a_number_or_without(self, therapy: Therapy) -> None:
        assert named(therapy, BALANCE).value is None
        data = {"test": "Wall squat", "comparator": "ge", "value": "45", "unit": "sec"}
        gate = named(therapy, data)
        gate.refresh_from_db()
        assert (gate.test, gate.value, gate.unit) == ("Wall squat", Decimal(45), "sec")

    def test_an_index_counts_in_percent(self, therapy: Therapy) -> None:
        data = {"measure": "lsi_hop", "comparator": "gt", "value": "90", "unit": "kg"}
        assert named(therapy, data).unit == "pct"

    def test_what_does_not_make_sense(self, therapy: Therapy) -> None:
        assert refused(therapy, measure="nonsense") == {"measure"}
        assert refused(therapy, test="Also in words") == {"test"}
        assert refused(therapy, comparator="between") == {"value"}
        assert refused(therapy, comparator="") == {"value"}
        assert refused(therapy, value="") == {"value"}
        assert refused(therapy, value="81") == {"value"}  # the scale ends at 80
        assert refused(therapy, value="60.5") == {"value"}
        assert refused(therapy, value="many") == {"value"}
        assert refused(therapy, side="bilateral") == {"side"}
        assert refused(therapy, measure="", test="") == {"test"}
        assert refused(therapy, measure="", test="Squat", unit="") == {"value"}
        assert refused(therapy, measure="", test="Squat", unit="reps", value="2.5") == {"value"}
        assert refused(therapy, source="x" * 201) == {"source"}
        assert refused(therapy, clearance="full") == {"clearance"}

    def test_only_the_treating_therapist(self, therapy: Therapy) -> None:
        with pytest.raises(NotAllowed):
            named(therapy, actor=therapy.as_pta)
        therapy.share(Scope.OUTCOMES)
        for actor in (therapy.as_other_pt, therapy.as_trainer, therapy.as_client):
            with pytest.raises(NotVisible):
                named(therapy, actor=actor)
        assert not Gate.objects.exists()

    def test_fifty_and_no_more(self, therapy: Therapy) -> None:
        items = [{"test": f"Test {place}"} for place in range(50)]
        made = gates.add_gates(
            actor=therapy.as_pt, episode_id=therapy.episode.pk, items=items, at=NOON
        )
        assert [each.test for each in Gate.objects.all()] == [each.test for each in made]
        with pytest.raises(Invalid, match="at most 50"):
            named(therapy)

    def test_several_are_kept_together_or_not_at_all(self, therapy: Therapy) -> None:
        with pytest.raises(Invalid) as wrong:
            gates.add_gates(
                actor=therapy.as_pt,
                episode_id=therapy.episode.pk,
                items=[PROBE, {**PROBE, "value": "900"}],
                at=NOON,
            )
        assert set(wrong.value.errors) == {"gates-1-value"}
        assert not Gate.objects.exists()


class TestTakingOff:
    def test_by_the_therapist_while_it_runs(self, therapy: Therapy) -> None:
        gate = named(therapy)
        with pytest.raises(NotAllowed):
            gates.remove_gate(actor=therapy.as_pta, gate_id=gate.pk, at=NOON)
        with pytest.raises(NotVisible):
            gates.remove_gate(actor=therapy.as_other_pt, gate_id=gate.pk, at=NOON)
        gates.remove_gate(actor=therapy.as_pt, gate_id=gate.pk, at=NOON)
        assert not Gate.objects.exists()
        assert verbs_on(gate) == ["gate.added", "gate.removed"]
        with pytest.raises(NotVisible):
            gates.remove_gate(actor=therapy.as_pt, gate_id=gate.pk, at=NOON)
        with pytest.raises(NotVisible):
            gates.remove_gate(actor=therapy.as_pt, gate_id=uuid4(), at=NOON)

    def test_not_beside_somebody_who_just_did(
        self, therapy: Therapy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gate = named(therapy)
        opened = gates._open

        def late(actor: Actor, episode_id: Any) -> Any:
            Gate.objects.filter(pk=gate.pk).delete()
            return opened(actor, episode_id)

        monkeypatch.setattr(gates, "_open", late)
        with pytest.raises(Stale):
            gates.remove_gate(actor=therapy.as_pt, gate_id=gate.pk, at=NOON)

    def test_signed_is_closed_by_verb_and_in_the_database(self, therapy: Therapy) -> None:
        gate = named(therapy)
        therapy.signed()
        with pytest.raises(Stale):
            named(therapy)
        with pytest.raises(Stale):
            gates.remove_gate(actor=therapy.as_pt, gate_id=gate.pk, at=NOON)
        rows = Gate.objects.filter(pk=gate.pk)
        for act in (
            lambda: rows.update(value=1),
            rows.delete,
            lambda: Gate.objects.create(
                client=therapy.client, episode=therapy.episode, test="Late", added_by=gate.added_by
            ),
        ):
            with pytest.raises(DatabaseError, match="refused"), transaction.atomic():
                act()
        assert rows.get().value == Decimal(60)

    def test_the_database_keeps_a_gate_whole(self, therapy: Therapy) -> None:
        gate = named(therapy)
        rows = Gate.objects.filter(pk=gate.pk)
        for wrong in (
            {"test": "Both"},
            {"measure": None},
            {"value": None},
            {"comparator": "between"},
            {"comparator": ""},
            {"unit": ""},
            {"side": "bilateral"},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.update(**wrong)

    def test_a_gate_names_the_client_of_its_episode(self, therapy: Therapy) -> None:
        gate, other = named(therapy), EpisodeFactory.create()
        rows = Gate.objects.filter(pk=gate.pk)
        both = (therapy.client.pk, other.client_id)
        with as_role(roles.WEB), subjects.among(both):
            with transaction.atomic():
                assert rows.update(client=therapy.client) == 1  # the control: as it was
            with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
                rows.update(client=other.client)


class TestReading:
    def test_compared_with_the_newest_score_of_its_episode(self, therapy: Therapy) -> None:
        named(therapy)
        named(therapy, BALANCE)
        before, balance = read(therapy)
        assert (before.standing, before.measured) == ("not_measured", None)
        assert before.sentence == "Probe scale at least 60 points"
        assert balance.standing == "not_measured"
        Measurement.objects.create(
            episode=EpisodeFactory.create(client=therapy.client, pt=therapy.pt),
            measure=therapy.measure,
            moment="interim",
            value=70,
            taken_on=NOON.date(),
            recorded_by=therapy.pt.user,
        )
        assert read(therapy)[0].standing == "not_measured"  # of another episode
        therapy.measured()
        after = read(therapy)[0]
        assert (after.standing, after.measured) == ("met", Decimal(62))
        assert after.measured_on == date(2027, 1, 12)

    def test_a_trainer_reads_none_whatever_is_shared(self, therapy: Therapy) -> None:
        """The words in which clients were asked do not name them."""
        named(therapy)
        therapy.share(*Scope)
        with pytest.raises(NotVisible):
            read(therapy, therapy.as_trainer)
        packet = disclosure.disclose(
            actor=therapy.as_trainer, client_id=therapy.client.pk, purpose="test", at=NOON
        )
        assert packet.gates == Withheld(Scope.OUTCOMES)

    def test_a_trainer_who_treats_the_client_too_reads_their_own_alone(
        self, therapy: Therapy
    ) -> None:
        """They stand on the treating side, and all of another therapist's is shared with them."""
        named(therapy)
        therapy.share(*Scope)
        also = licensed_pt(user=therapy.trainer.user)
        EpisodeFactory.create(client=therapy.client, pt=also)
        packet = disclosure.disclose(
            actor=acting(also.user), client_id=therapy.client.pk, purpose="test", at=NOON
        )
        assert packet.outcomes != Withheld(Scope.OUTCOMES)
        assert packet.gates == ()

    @pytest.mark.parametrize("who", ["as_client", "as_pta"])
    def test_who_may_read_outcomes_reads_them(self, therapy: Therapy, who: str) -> None:
        named(therapy)
        therapy.share(Scope.OUTCOMES)
        actor = getattr(therapy, who)
        assert [each.sentence for each in read(therapy, actor)] == [
            "Probe scale at least 60 points"
        ]
        packet = disclosure.disclose(
            actor=actor, client_id=therapy.client.pk, purpose="test", at=NOON
        )
        assert not isinstance(packet.gates, Withheld)
        assert packet.gates[0].summary == "0 of 1 gate met, 1 not measured"

    def test_without_any_there_is_an_empty_list(self, therapy: Therapy) -> None:
        assert read(therapy) == ()
        with pytest.raises(NotVisible):
            read(therapy, therapy.as_other_pt)

    def test_all_met_changes_no_clearance(self, therapy: Therapy) -> None:
        named(therapy)
        note = therapy.ready()
        assert read(therapy)[0].standing == "met"
        note.refresh_from_db()
        assert note.clearance == "cleared_with_restrictions"  # as it was typed


class TestStartingFromATemplate:
    def used(self, therapy: Therapy, actor: Actor | None = None, **ticks: Any) -> starting.Begun:
        return starting.use(
            actor=actor or therapy.as_pt,
            episode_id=therapy.episode.pk,
            wish=Wish("rotator_cuff", **ticks),
            at=NOON,
        )

    def test_looking_keeps_nothing(self, therapy: Therapy) -> None:
        before = trail()
        offer = starting.look(
            actor=therapy.as_pt,
            episode_id=therapy.episode.pk,
            wish=Wish("rotator_cuff"),
            at=NOON,
        )
        assert len(offer.limits) == 3
        assert not RestrictionVersion.objects.exists()
        assert not Gate.objects.exists()
        assert trail() == before

    def test_what_is_ticked_becomes_drafts_and_gates(self, therapy: Therapy) -> None:
        limits = {"overhead": {}, "load": {"value": "4", "review_on": "2027-02-01"}}
        begun = self.used(therapy, limits=limits, gates={"pain": {}})
        drafts = RestrictionVersion.objects.drafts_of(therapy.episode.pk)
        assert [each.kind for each in drafts] == ["avoid", "limit_load"]
        assert all(each.signed_at is None for each in drafts)
        assert [each.laterality for each in drafts] == [therapy.episode.laterality] * 2
        assert (drafts[1].value, drafts[1].review_on) == (Decimal(4), date(2027, 2, 1))
        assert [each.measure_id for each in Gate.objects.all()] == ["nprs"]
        assert verbs_on(begun.limits[0]) == ["restriction.drafted"]

    def test_all_of_it_or_nothing(self, therapy: Therapy) -> None:
        before = trail()
        with pytest.raises(Invalid) as wrong:
            self.used(
                therapy,
                limits={"overhead": {}, "load": {"review_on": "2027-01-01"}},
                gates={"function": {"value": "900"}, "pain": {}},
            )
        assert set(wrong.value.errors) == {
            *("limit-load-value", "limit-load-review_on", "gate-function-value")
        }
        assert not RestrictionVersion.objects.exists()
        assert not Gate.objects.exists()
        assert trail() == before

    def test_something_has_to_be_ticked_of_a_template_there_is(self, therapy: Therapy) -> None:
        with pytest.raises(Invalid, match="Tick what should be added"):
            self.used(therapy, limits={"nonsense": {}})
        with pytest.raises(Invalid, match="Choose a template"):
            starting.use(
                actor=therapy.as_pt, episode_id=therapy.episode.pk, wish=Wish("nose"), at=NOON
            )

    def test_an_assistant_drafts_limits_and_names_no_gates(self, therapy: Therapy) -> None:
        self.used(therapy, therapy.as_pta, limits={"overhead": {}})
        with pytest.raises(NotAllowed):
            self.used(therapy, therapy.as_pta, limits={"overhead": {}}, gates={"pain": {}})
        assert RestrictionVersion.objects.count() == 1
        with pytest.raises(NotVisible):
            self.used(therapy, therapy.as_other_pt, limits={"overhead": {}})

    def test_not_once_it_is_signed(self, therapy: Therapy) -> None:
        therapy.signed()
        with pytest.raises(Stale):
            self.used(therapy, limits={"overhead": {}})
