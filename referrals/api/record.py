"""`clients/{id}/record/`: the packet, one key per share class; and the shapes of its parts."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from clients.api.base import Endpoint
from handoff.api.operations import reads
from handoff.api.shapes import Shape
from handoff.core.policy import Policy
from referrals import disclosure
from referrals.api.facts import FactsShape, facts_answer
from referrals.api.parts import Part, each_of, part
from referrals.api.restriction_answers import RestrictionShape, number, restriction
from referrals.models import Episode, LoopReport, Measurement
from referrals.packets import (
    AddendumView,
    ClearanceView,
    ContactView,
    FeedbackView,
    GoalView,
    HistoryView,
    NoteView,
    OutcomeView,
    Packet,
    RestrictionsView,
)
from referrals.permits import Standpoint
from referrals.vocabulary import ClearanceLevel, GoalOutcome, Laterality


class ContactShape(Shape):
    """Whom to call."""

    professional = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    practice = serializers.CharField()
    phone = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)


class ClearanceShape(Shape):
    """That training may begin, since when, and when to come back."""

    episode = serializers.UUIDField()
    level = serializers.ChoiceField(choices=ClearanceLevel.choices)
    level_label = serializers.CharField()
    discharged_on = serializers.DateField()
    set_by = serializers.CharField()
    flare_up_plan = serializers.CharField(allow_blank=True)
    return_criteria = serializers.CharField(allow_blank=True)


class DecisionShape(Shape):
    """Per discharge: that limits are listed, or that none are needed."""

    episode = serializers.UUIDField()
    decision = serializers.ChoiceField(choices=[("listed", "listed"), ("none", "none")])
    set_by = serializers.CharField()
    signed_on = serializers.DateField()
    quick = serializers.BooleanField(
        help_text="Therapy ended early: unlisted movements want caution."
    )
    final_measures = serializers.BooleanField(help_text="False when none were taken.")


class RestrictionsShape(Shape):
    """All restrictions in force, strictest first, with the decisions behind them."""

    items = RestrictionShape(many=True)
    decisions = DecisionShape(many=True)
    none_needed = serializers.BooleanField(
        help_text="A therapist decided that there are no restrictions."
    )


class HistoryShape(Shape):
    """What happened, in the therapist's words."""

    episode = serializers.UUIDField()
    condition = serializers.CharField()
    icd10_code = serializers.CharField(allow_blank=True)
    body_region = serializers.CharField()
    laterality = serializers.CharField()
    onset_on = serializers.DateField(allow_null=True)
    mechanism = serializers.CharField(allow_blank=True)
    surgery = serializers.CharField(allow_blank=True)
    surgery_on = serializers.DateField(allow_null=True)
    started_on = serializers.DateField()
    ended_on = serializers.DateField(allow_null=True)
    status = serializers.ChoiceField(choices=Episode.Status.choices)
    pt = serializers.CharField()


class ScoreShape(Shape):
    """One value of a series."""

    id = serializers.UUIDField()
    moment = serializers.ChoiceField(choices=Measurement.Moment.choices)
    value = serializers.FloatField()
    taken_on = serializers.DateField()


class OutcomeShape(Shape):
    """One measure on one side over one episode, first value to last."""

    episode = serializers.UUIDField()
    measure = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    low = serializers.FloatField()
    high = serializers.FloatField()
    higher_is_better = serializers.BooleanField()
    side = serializers.ChoiceField(choices=Laterality.choices, allow_null=True)
    values = ScoreShape(many=True)
    change = serializers.CharField(
        allow_blank=True, help_text="How far it moved, next to a published reference."
    )
    reaches_reference = serializers.BooleanField()


class NoteFieldShape(Shape):
    """One field of a note as people read it."""

    name = serializers.CharField()
    heading = serializers.CharField()
    text = serializers.CharField()


class GoalShape(Shape):
    """One goal and what became of it."""

    text = serializers.CharField(allow_blank=True)
    outcome = serializers.ChoiceField(choices=GoalOutcome.choices, allow_null=True)
    why_not = serializers.CharField(allow_blank=True)


class RationaleShape(Shape):
    """The clinical reason of one restriction."""

    restriction = serializers.UUIDField()
    text = serializers.CharField()


class AddendumShape(Shape):
    """A signed correction or addition."""

    id = serializers.UUIDField()
    text = serializers.CharField()
    signed_at = serializers.DateTimeField()
    signed_by = serializers.CharField()


class ClosingNoteShape(Shape):
    """The whole signed note, as people read it. `discharge-notes/{id}/` has it as stored."""

    id = serializers.UUIDField()
    episode = serializers.UUIDField()
    fields = NoteFieldShape(many=True)  # type: ignore[assignment]  # a declared field
    goals = GoalShape(many=True)
    rationales = RationaleShape(many=True)
    signed_at = serializers.DateTimeField(allow_null=True)
    signed_by = serializers.CharField()
    credential = serializers.CharField()
    licence_state = serializers.CharField()
    licence_number = serializers.CharField()
    content_hash = serializers.CharField()
    addenda = AddendumShape(many=True)


FEEDBACK = [*LoopReport.Kind.choices, ("facts", "Seen in training")]


class FeedbackShape(Shape):
    """What was reported back; with `facts`, what a trainer saw when they referred back."""

    id = serializers.UUIDField()
    referral = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=FEEDBACK)
    author = serializers.CharField()
    sessions_held = serializers.IntegerField(allow_null=True)
    observations = serializers.CharField()
    sent_at = serializers.DateTimeField()
    facts = FactsShape(allow_null=True)


class RecordShape(Shape):
    """The record of one client as you may read it now: one key per share class."""

    client = serializers.UUIDField()
    name = serializers.CharField()
    standpoint = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in Standpoint if each is not Standpoint.NONE],
        help_text="On what ground you read.",
    )
    as_of = serializers.DateTimeField()
    contact = Part(ContactShape(many=True))
    clearance = Part(ClearanceShape(many=True))
    restrictions = Part(RestrictionsShape())
    history = Part(HistoryShape(many=True))
    outcomes = Part(OutcomeShape(many=True))
    note = Part(ClosingNoteShape(many=True))
    training_feedback = Part(FeedbackShape(many=True))


class Record(Endpoint):
    policy = Policy.SIGNED_IN

    @reads(RecordShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """The record of a client, class by class.

        Each class is its content or `{"withheld": "<class>"}`. The look is entered in the
        client's access log before anything is answered.
        """
        return record(disclosure.disclose(actor=self.actor, client_id=id, purpose="record"))


def record(packet: Packet) -> dict[str, Any]:
    """A packet as the API says it."""
    return {
        "client": packet.client_id,
        "name": packet.client_name,
        "standpoint": packet.standpoint.value,
        "as_of": packet.as_of,
        "contact": part(packet.contact, each_of(_contact)),
        "clearance": part(packet.clearance, each_of(_clearance)),
        "restrictions": part(packet.restrictions, _restrictions),
        "history": part(packet.history, each_of(_history)),
        "outcomes": part(packet.outcomes, each_of(_outcome)),
        "note": part(packet.note, each_of(_note)),
        "training_feedback": part(packet.training_feedback, each_of(_feedback)),
    }


def _contact(view: ContactView) -> dict[str, Any]:
    return {
        "professional": view.professional_id,
        "name": view.name,
        "title": view.title,
        "practice": view.practice,
        "phone": view.phone,
        "email": view.email,
    }


def _clearance(view: ClearanceView) -> dict[str, Any]:
    return {
        "episode": view.episode_id,
        "level": view.level,
        "level_label": view.level_label,
        "discharged_on": view.discharged_on,
        "set_by": view.set_by,
        "flare_up_plan": view.flare_up_plan,
        "return_criteria": view.return_criteria,
    }


def _restrictions(view: RestrictionsView) -> dict[str, Any]:
    return {
        "items": [restriction(each) for each in view.items],
        "decisions": [
            {
                "episode": each.episode_id,
                "decision": each.decision,
                "set_by": each.set_by,
                "signed_on": each.signed_on,
                "quick": each.is_quick,
                "final_measures": not each.without_final,
            }
            for each in view.decisions
        ],
        "none_needed": view.none_needed,
    }


def _history(view: HistoryView) -> dict[str, Any]:
    return {
        "episode": view.episode_id,
        "condition": view.condition,
        "icd10_code": view.icd10_code,
        "body_region": view.body_region,
        "laterality": view.laterality,
        "onset_on": view.onset_on,
        "mechanism": view.mechanism,
        "surgery": view.surgery,
        "surgery_on": view.surgery_on,
        "started_on": view.started_on,
        "ended_on": view.ended_on,
        "status": view.status,
        "pt": view.pt_name,
    }


def _outcome(view: OutcomeView) -> dict[str, Any]:
    return {
        "episode": view.episode_id,
        "measure": view.measure,
        "name": view.name,
        "unit": view.unit,
        "low": number(view.low),
        "high": number(view.high),
        "higher_is_better": view.higher_is_better,
        "side": view.side or None,
        "values": [
            {
                "id": each.id,
                "moment": each.moment,
                "value": number(each.value),
                "taken_on": each.taken_on,
            }
            for each in view.values
        ],
        "change": view.change_sentence,
        "reaches_reference": view.reaches_reference,
    }


def _note(view: NoteView) -> dict[str, Any]:
    return {
        "id": view.id,
        "episode": view.episode_id,
        "fields": [
            {"name": name, "heading": heading, "text": text} for name, heading, text in view.fields
        ],
        "goals": [goal(each) for each in view.goals],
        "rationales": rationales(view.rationales),
        "signed_at": view.signed_at,
        "signed_by": view.signer_name,
        "credential": view.signer_credential,
        "licence_state": view.licence_state,
        "licence_number": view.licence_number,
        "content_hash": view.content_hash,
        "addenda": [addendum(each) for each in view.addenda],
    }


def goal(view: GoalView) -> dict[str, Any]:
    return {"text": view.text, "outcome": view.outcome or None, "why_not": view.why_not}


def rationales(found: tuple[tuple[UUID, str], ...]) -> list[dict[str, Any]]:
    return [{"restriction": pk, "text": text} for pk, text in found]


def addendum(view: AddendumView) -> dict[str, Any]:
    return {
        "id": view.id,
        "text": view.text,
        "signed_at": view.signed_at,
        "signed_by": view.signer_name,
    }


def _feedback(view: FeedbackView) -> dict[str, Any]:
    return {
        "id": view.id,
        "referral": view.referral_id,
        "kind": view.kind,
        "author": view.author,
        "sessions_held": view.sessions_held,
        "observations": view.observations,
        "sent_at": view.sent_at,
        "facts": facts_answer(view.facts) if view.facts else None,
    }
