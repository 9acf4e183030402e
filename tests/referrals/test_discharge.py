"""Signing a discharge note, and adding to it afterwards."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Credential
from handoff.core.actors import ANONYMOUS
from handoff.core.audit import AuditEntry
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import care, discharge, restrictions
from referrals.discharge import GoalInput
from referrals.models import (
    Addendum,
    DischargeNote,
    Episode,
    Reminder,
    RestrictionVersion,
)
from tests.factories import NOON, CredentialFactory, EpisodeFactory, acting, licensed_pt
from tests.referrals.scenes import LIGHT_LOADS, NO_PRESSING, Therapy, trail, verbs_on

pytestmark = pytest.mark.django_db

MUSTS = [
    *("discharge_type", "discharge_on", "reason", "diagnosis", "first_visit_on"),
    *("last_visit_on", "visits_completed", "pain_now", "pain_worst", "pain_best"),
    *("functional_level", "home_programme", "follow_up", "trainer_referral", "clearance"),
    *("restrictions_decision", "flare_up_plan", "return_criteria", "future_contact"),
]


@pytest.fixture
def therapy() -> Therapy:
    return Therapy()


def nothing_signed(therapy: Therapy) -> bool:
    note = DischargeNote.objects.get(episode=therapy.episode)
    therapy.episode.refresh_from_db()
    return (
        not note.is_signed
        and not note.content_hash
        and therapy.episode.status == "active"
        and therapy.episode.ended_on is None
        and not RestrictionVersion.objects.filter(signed_at__isnull=False).exists()
        and "note.signed" not in verbs_on(note)
    )


class TestSign:
    def test_it_seals_the_note_with_its_restrictions_and_ends_the_episode(
        self, therapy: Therapy
    ) -> None:
        note = therapy.signed()
        note.refresh_from_db()
        assert (note.signed_at, note.signed_by) == (NOON, therapy.pt.user)
        assert (note.signer_name, note.signer_credential) == (therapy.pt.name, "DPT")
        assert (note.licence_state, note.licence_number) == ("NY", therapy.licence.number)
        episode = Episode.objects.get(pk=therapy.episode.pk)
        assert (episode.status, episode.ended_on) == ("finished", date(2027, 1, 12))
        versions = RestrictionVersion.objects.newest_signed([episode.pk])
        assert [(each.kind, each.number, each.signed_at) for each in versions] == [
            ("avoid", 1, NOON),
            ("limit_load", 1, NOON),
        ]
        assert {each.set_by for each in versions} == {therapy.pt.user}

    def test_the_ledger_keeps_who_signed_which_content(self, therapy: Therapy) -> None:
        note = therapy.signed()
        entry = AuditEntry.objects.get(verb="note.signed")
        assert (entry.actor_id, entry.object_id) == (therapy.pt.user_id, str(note.pk))
        assert entry.facts == {
            "revision": note.revision,
            "restrictions": 2,
            "content_hash": note.content_hash,
        }

    def test_reviews_of_what_was_signed_are_reminded_of(self, therapy: Therapy) -> None:
        note = therapy.signed()
        heads = note.episode.restrictions.all()
        assert Reminder.objects.filter(restriction__in=heads).exists()

    def test_no_restrictions_is_a_decision_that_signs(self, therapy: Therapy) -> None:
        therapy.measured()
        note = therapy.sign(therapy.note(clearance="cleared_full", restrictions_decision="none"))
        assert note.is_signed
        assert not therapy.episode.restrictions.exists()

    @pytest.mark.parametrize("field", MUSTS)
    def test_a_missing_field_is_named_and_nothing_is_written(
        self, therapy: Therapy, field: str
    ) -> None:
        therapy.measured()
        therapy.list_restrictions()
        note = therapy.note(**{field: ""})
        entries = trail()
        assert list(discharge.what_is_missing(actor=therapy.as_pt, note_id=note.pk, at=NOON)) == [
            field
        ]
        with pytest.raises(Invalid) as caught:
            therapy.sign(note)
        assert list(caught.value.errors) == [field]
        assert nothing_signed(therapy)
        assert trail() == entries

    def test_an_empty_draft_names_everything_at_once(self, therapy: Therapy) -> None:
        note = discharge.start_note(actor=therapy.as_pt, episode_id=therapy.episode.pk, at=NOON)
        note = discharge.save_draft(
            actor=therapy.as_pt,
            note_id=note.pk,
            revision=0,
            changes=dict.fromkeys(discharge.FIELDS, ""),
            at=NOON,
        )
        with pytest.raises(Invalid) as caught:
            therapy.sign(note)
        assert set(caught.value.errors) == {*MUSTS, "goals", "measurements"}
        assert nothing_signed(therapy)

    def test_goals_scores_and_contradictions_are_demanded_too(self, therapy: Therapy) -> None:
        note = therapy.note(restrictions_decision="none")
        note = discharge.save_draft(
            actor=therapy.as_pt,
            note_id=note.pk,
            revision=note.revision,
            changes={},
            goals=[GoalInput("Throw", "not_met")],
            at=NOON,
        )
        therapy.list_restrictions(LIGHT_LOADS)
        with pytest.raises(Invalid) as caught:
            therapy.sign(note)
        assert list(caught.value.errors) == [
            "goals-0-why_not",
            "measurements",
            "restrictions_decision",
        ]

    def test_a_restriction_whose_review_has_passed_meanwhile_stops_it(
        self, therapy: Therapy
    ) -> None:
        note = therapy.ready()
        with pytest.raises(Invalid) as caught:
            therapy.sign(note, at=NOON + timedelta(days=60))
        assert list(caught.value.errors) == ["restrictions"]
        assert len(caught.value.errors["restrictions"]) == 2

    def test_a_region_without_its_side_is_demanded_from_the_episode(self, therapy: Therapy) -> None:
        note = therapy.ready()
        Episode.objects.filter(pk=therapy.episode.pk).update(laterality="not_applicable")
        with pytest.raises(Invalid) as caught:
            therapy.sign(note)
        assert list(caught.value.errors) == ["laterality"]

    def test_today_is_the_day_at_the_practice(self, therapy: Therapy) -> None:
        therapy.measured()
        therapy.list_restrictions()
        note = therapy.note(discharge_on="2027-01-14")
        evening = datetime(2027, 1, 14, 4, 30, tzinfo=UTC)  # 23:30 of the 13th in New York
        with pytest.raises(Invalid) as caught:
            therapy.sign(note, at=evening)
        assert list(caught.value.errors) == ["discharge_on"]
        assert therapy.sign(note, at=evening + timedelta(minutes=30)).is_signed

    def test_a_quick_note_may_say_why_scores_are_missing(self, therapy: Therapy) -> None:
        therapy.list_restrictions()
        note = therapy.note(discharge_type="quick", measures_missing_reason="Did not come back.")
        assert therapy.sign(note).is_signed

    def test_the_page_that_was_seen_is_the_note_that_is_signed(self, therapy: Therapy) -> None:
        note = therapy.ready()
        seen = discharge.fingerprint(actor=therapy.as_pt, note_id=note.pk)
        restrictions.add_draft(
            actor=therapy.as_pta, episode_id=therapy.episode.pk, data=NO_PRESSING, at=NOON
        )
        with pytest.raises(Stale):
            therapy.sign(note, seen=seen)
        assert nothing_signed(therapy)
        seen = discharge.fingerprint(actor=therapy.as_pt, note_id=note.pk)
        assert therapy.sign(note, seen=seen).is_signed

    def test_an_older_revision_is_not_signed(self, therapy: Therapy) -> None:
        note = therapy.ready()
        with pytest.raises(Stale):
            therapy.sign(note, revision=note.revision - 1)
        assert nothing_signed(therapy)

    def test_a_second_signature_is_too_late(self, therapy: Therapy) -> None:
        note = therapy.signed()
        entries = trail()
        with pytest.raises(Stale):
            therapy.sign(note)
        assert trail() == entries

    def test_an_episode_closed_meanwhile_is_not_signed(self, therapy: Therapy) -> None:
        note = therapy.ready()
        care.update_episode(
            actor=therapy.as_pt,
            episode_id=therapy.episode.pk,
            changes={"status": "entered_in_error"},
            at=NOON,
        )
        with pytest.raises(Stale):
            therapy.sign(note)

    @pytest.mark.parametrize("number", [2, 50])
    def test_many_restrictions_take_no_more_statements_than_one(
        self, therapy: Therapy, number: int
    ) -> None:
        counts = []
        for times in (1, number):
            therapy.episode = EpisodeFactory.create(client=therapy.client, pt=therapy.pt)
            therapy.measured()
            therapy.list_restrictions(*[LIGHT_LOADS] * times)
            note, actor = therapy.note(), therapy.as_pt
            with CaptureQueriesContext(connection) as captured:
                therapy.sign(note, actor=actor)
            counts.append(len(captured))
        assert counts[0] == counts[1]


class TestWhoSigns:
    """R2 and R3: each refusal has its reason, and leaves nothing behind."""

    def refused(self, therapy: Therapy, note: DischargeNote, **extra: Any) -> str:
        entries = trail()
        with pytest.raises(NotAllowed) as caught:
            therapy.sign(note, **extra)
        assert nothing_signed(therapy)
        assert trail() == entries
        return caught.value.reason

    def test_an_assistant_cannot_sign(self, therapy: Therapy) -> None:
        reason = self.refused(therapy, therapy.ready(), actor=therapy.as_pta)
        assert reason == "Only the treating physical therapist can sign. You can save a draft."

    def test_a_licence_that_ended_yesterday_does_not_sign(self, therapy: Therapy) -> None:
        note = therapy.ready()
        Credential.objects.filter(pk=therapy.licence.pk).update(expires_on=date(2027, 1, 12))
        assert "NY" in self.refused(therapy, note)
        Credential.objects.filter(pk=therapy.licence.pk).update(expires_on=date(2027, 1, 13))
        assert therapy.sign(note).is_signed

    def test_a_licence_of_another_state_does_not_sign(self, therapy: Therapy) -> None:
        note = therapy.ready()
        Credential.objects.filter(pk=therapy.licence.pk).update(state="NJ")
        assert "NY" in self.refused(therapy, note)

    def test_a_licence_nobody_verified_does_not_sign(self, therapy: Therapy) -> None:
        note = therapy.ready()
        Credential.objects.filter(pk=therapy.licence.pk).update(verified_at=None, verified_by=None)
        assert "verified" in self.refused(therapy, note)

    def test_a_withdrawn_licence_does_not_sign(self, therapy: Therapy) -> None:
        note = therapy.ready()
        Credential.objects.filter(pk=therapy.licence.pk).update(
            withdrawn_at=NOON, withdrawn_by=therapy.pt.user
        )
        self.refused(therapy, note)

    def test_a_compact_privilege_of_the_client_s_state_signs(self, therapy: Therapy) -> None:
        note = therapy.ready()
        Credential.objects.filter(pk=therapy.licence.pk).update(state="NJ")
        CredentialFactory.create(
            user=therapy.pt.user, kind=Credential.Kind.COMPACT_PRIVILEGE, title="", number="C-7"
        )
        signed = therapy.sign(note)
        assert (signed.licence_number, signed.signer_credential) == (
            "C-7",
            "PT Compact privilege",
        )

    def test_a_therapist_who_left_does_not_sign(self, therapy: Therapy) -> None:
        note = therapy.ready()
        actor = therapy.as_pt
        therapy.pt.user.is_active = False
        therapy.pt.user.save()
        assert "ended" in self.refused(therapy, note, actor=actor)

    def test_for_everybody_else_there_is_no_note(self, therapy: Therapy) -> None:
        note = therapy.ready()
        therapy.share()
        for actor in (therapy.as_other_pt, therapy.as_trainer, therapy.as_client, ANONYMOUS):
            with pytest.raises(NotVisible):
                therapy.sign(note, actor=actor)
            with pytest.raises(NotVisible):
                discharge.what_is_missing(actor=actor, note_id=note.pk, at=NOON)
            with pytest.raises(NotVisible):
                discharge.fingerprint(actor=actor, note_id=note.pk)
        assert nothing_signed(therapy)

    def test_a_colleague_who_assists_here_and_treats_elsewhere_does_not_sign(
        self, therapy: Therapy
    ) -> None:
        both = licensed_pt(user=therapy.pta.user)
        note = therapy.ready()
        self.refused(therapy, note, actor=acting(both))


class TestAddendum:
    def add(self, therapy: Therapy, note: DischargeNote, **extra: Any) -> Addendum:
        entries = {
            "actor": therapy.as_pt,
            "note_id": note.pk,
            "text": " The client\r\nmoved. ",
            "at": NOON + timedelta(days=1),
        }
        return discharge.add_addendum(**{**entries, **extra})

    def test_it_is_signed_and_leaves_the_note_alone(self, therapy: Therapy) -> None:
        note = therapy.signed()
        before = DischargeNote.objects.filter(pk=note.pk).values().get()
        addendum = self.add(therapy, note)
        addendum.refresh_from_db()
        assert addendum.text == "The client\nmoved."
        assert addendum.signed_by == therapy.pt.user
        assert (addendum.signer_name, addendum.licence_state) == (therapy.pt.name, "NY")
        assert addendum.licence_number == therapy.licence.number
        assert DischargeNote.objects.filter(pk=note.pk).values().get() == before
        assert verbs_on(note)[-1] == "note.added_to"

    def test_it_needs_a_licence_valid_now(self, therapy: Therapy) -> None:
        note = therapy.signed()
        entries = trail()
        Credential.objects.filter(pk=therapy.licence.pk).update(expires_on=date(2027, 1, 13))
        with pytest.raises(NotAllowed):
            self.add(therapy, note)
        with pytest.raises(NotAllowed):
            self.add(therapy, note, actor=therapy.as_pta, at=NOON)
        with pytest.raises(NotVisible):
            self.add(therapy, note, actor=therapy.as_trainer)
        assert not Addendum.objects.exists()
        assert trail() == entries

    def test_a_draft_is_changed_not_added_to(self, therapy: Therapy) -> None:
        with pytest.raises(Stale):
            self.add(therapy, therapy.ready())

    @pytest.mark.parametrize("text", ["", " \n", "x" * 8001, None, "\x01"])
    def test_it_says_something(self, therapy: Therapy, text: Any) -> None:
        note = therapy.signed()
        with pytest.raises(Invalid) as caught:
            self.add(therapy, note, text=text)
        assert set(caught.value.errors) == {"text"}
        assert not Addendum.objects.exists()

    def test_what_is_missing_of_a_signed_note_is_nothing(self, therapy: Therapy) -> None:
        note = therapy.signed()
        later = NOON + timedelta(days=90)
        assert discharge.what_is_missing(actor=therapy.as_pt, note_id=note.pk, at=later) == {}


def test_an_unknown_note_is_not_visible(therapy: Therapy) -> None:
    with pytest.raises(NotVisible):
        discharge.sign(actor=therapy.as_pt, note_id=uuid4(), revision=0, at=NOON)


def test_audit_facts_hold_no_clinical_words(therapy: Therapy) -> None:
    note = therapy.signed()
    discharge.add_addendum(actor=therapy.as_pt, note_id=note.pk, text="Secretword", at=NOON)
    facts = json.dumps(list(AuditEntry.objects.values_list("facts", flat=True)))
    for word in ("Secretword", "shoulder", "Rotator", "avoid", "probe"):
        assert word not in facts
