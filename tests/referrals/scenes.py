"""A therapy coming to its end: the people, a running episode and a note that lacks nothing."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Model

from clients.models import Credential, Professional
from clients.scopes import Scope
from handoff.core.actors import Actor
from handoff.core.audit import AuditEntry
from referrals import care, discharge, restrictions
from referrals.discharge import GoalInput
from referrals.models import DischargeNote, Measure, Restriction, RestrictionVersion
from referrals.states import State
from tests.factories import (
    NOON,
    ClientFactory,
    CredentialFactory,
    EpisodeFactory,
    ProfessionalFactory,
    ReferralFactory,
    acting,
    certified_trainer,
    granted_consent,
    licensed_pt,
)

COMPLETE: Mapping[str, Any] = {
    "discharge_type": "full",
    "discharge_on": "2027-01-12",
    "reason": "goals_met",
    "diagnosis": "Rotator cuff tear, repaired",
    "first_visit_on": "2026-09-01",
    "last_visit_on": "2027-01-12",
    "visits_completed": "12",
    "pain_now": "1",
    "pain_worst": "3",
    "pain_best": "0",
    "functional_level": "Lifts 10 kg to a shelf.",
    "home_programme": "Band rows, twice a week.",
    "follow_up": "Train with a trainer.",
    "trainer_referral": "yes",
    "clearance": "cleared_with_restrictions",
    "restrictions_decision": "listed",
    "flare_up_plan": "Rest for two days.",
    "return_criteria": "Pain above four for a week.",
    "future_contact": "Call the clinic.",
}
NO_PRESSING: Mapping[str, Any] = {
    "kind": "avoid",
    "severity": "must_not",
    "body_region": "shoulder",
    "laterality": "right",
    "patterns": ["push_vertical"],
    "wording": "No pressing overhead.",
    "instead": "Row instead.",
    "rationale": "The repair is young.",
    "criteria": [{"kind": "pt_review"}],
    "review_on": "2027-03-01",
}
LIGHT_LOADS: Mapping[str, Any] = {
    "kind": "limit_load",
    "severity": "limit",
    "body_region": "shoulder",
    "laterality": "right",
    "patterns": ["pull_horizontal", "carry"],
    "comparator": "le",
    "value": "10",
    "unit": "kg",
    "criteria": [{"measure": "Row", "comparator": "ge", "value": "20", "unit": "kg"}],
    "review_on": "2027-03-01",
}


class Therapy:
    """One client in therapy, on 13 January 2027, with everybody around them."""

    def __init__(self) -> None:
        self.pt = licensed_pt()
        self.licence = Credential.objects.get(user=self.pt.user)
        self.pta = ProfessionalFactory.create(role=Professional.Role.PTA, practice=self.pt.practice)
        CredentialFactory.create(user=self.pta.user, kind=Credential.Kind.PTA_LICENCE)
        self.other_pt = licensed_pt()
        self.trainer = certified_trainer()
        self.client = ClientFactory.create(created_by=self.pt)
        self.episode = EpisodeFactory.create(client=self.client, pt=self.pt)
        self.measure, _ = Measure.objects.get_or_create(
            code="probe",
            defaults={
                "name": "Probe scale",
                "low": 0,
                "high": 80,
                "whole_numbers": True,
                "higher_is_better": True,
            },
        )

    @property
    def as_pt(self) -> Actor:
        return acting(self.pt)

    @property
    def as_pta(self) -> Actor:
        return acting(self.pta)

    @property
    def as_other_pt(self) -> Actor:
        return acting(self.other_pt)

    @property
    def as_trainer(self) -> Actor:
        return acting(self.trainer)

    @property
    def as_client(self) -> Actor:
        return acting(self.client)

    def measured(self) -> None:
        """The probe, at the start and at discharge."""
        for moment, value, day in (
            ("start", Decimal(30), date(2026, 9, 1)),
            ("discharge", Decimal(62), date(2027, 1, 12)),
        ):
            care.record_measurement(
                actor=self.as_pt,
                episode_id=self.episode.pk,
                measure=self.measure.pk,
                moment=moment,
                value=value,
                taken_on=day,
                at=NOON,
            )

    def note(self, **changes: Any) -> DischargeNote:
        """A draft in which nothing is missing but what `changes` takes away."""
        note = discharge.start_note(actor=self.as_pt, episode_id=self.episode.pk, at=NOON)
        return discharge.save_draft(
            actor=self.as_pt,
            note_id=note.pk,
            revision=note.revision,
            changes={**COMPLETE, **changes},
            goals=[GoalInput("Swim 500 m", "met"), GoalInput("Throw", "partly", "Not yet.")],
            at=NOON,
        )

    def list_restrictions(self, *items: Mapping[str, Any]) -> list[RestrictionVersion]:
        return restrictions.set_drafts(
            actor=self.as_pt,
            episode_id=self.episode.pk,
            items=items or (NO_PRESSING, LIGHT_LOADS),
            at=NOON,
        )

    def ready(self) -> DischargeNote:
        """A note that can be signed."""
        self.measured()
        self.list_restrictions()
        return self.note()

    def sign(self, note: DischargeNote, **extra: Any) -> DischargeNote:
        return discharge.sign(
            actor=extra.pop("actor", self.as_pt),
            note_id=note.pk,
            revision=extra.pop("revision", note.revision),
            at=extra.pop("at", NOON),
            **extra,
        )

    def signed(self) -> DischargeNote:
        return self.sign(self.ready())

    def share(self, *classes: Scope, state: State = State.ACCEPTED) -> None:
        """The trainer accepted a handoff and the client shares these classes with them."""
        self.consent = granted_consent(
            client=self.client,
            discloser=self.pt,
            recipient=self.trainer,
            classes=frozenset(classes or (Scope.RESTRICTIONS,)),
        )
        self.referral = ReferralFactory.create(
            client=self.client,
            episode=self.episode,
            sender=self.pt,
            recipient=self.trainer,
            consent=self.consent,
            state=state,
            sent_at=NOON,
            answered_at=NOON,
        )

    def restriction(self, kind: str = "avoid") -> Restriction:
        return Restriction.objects.get(
            episode=self.episode, versions__number=1, versions__kind=kind
        )


def verbs_on(row: Model) -> list[str]:
    """What the audit ledger says was done to a row, oldest first."""
    rows = AuditEntry.objects.filter(
        object_type=row._meta.label_lower, object_id=str(row.pk)
    ).order_by("number")
    return list(rows.values_list("verb", flat=True))


def trail() -> int:
    """How many entries the audit ledger has: unchanged when nothing was done."""
    return AuditEntry.objects.count()
