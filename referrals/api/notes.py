"""`discharge-notes/`: drafted, signed once, then only added to."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from rest_framework import serializers

from clients.access import own_clients
from clients.api.base import Endpoint
from handoff.api.operations import acts, lists, reads
from handoff.api.problems import dotted
from handoff.api.shapes import Body, ListQuery, Shape
from handoff.api.views import mapped
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals import access, discharge, particulars
from referrals.api.record import (
    AddendumShape,
    GoalShape,
    RationaleShape,
    addendum,
    goal,
    rationales,
)
from referrals.discharge import GoalInput
from referrals.models import DischargeNote
from referrals.particulars import NoteSheet
from referrals.vocabulary import ClearanceLevel, DischargeReason, DischargeType, GoalOutcome

Decision = DischargeNote.RestrictionsDecision
TrainerReferral = DischargeNote.TrainerReferral
STATUSES = [("draft", "Draft"), ("signed", "Signed")]


class NoteQuery(ListQuery):
    client = serializers.UUIDField(required=False)
    episode = serializers.UUIDField(required=False)
    signed = serializers.BooleanField(required=False)


class GoalBody(Body):
    text = serializers.CharField(max_length=300, required=False, allow_blank=True)
    outcome = serializers.ChoiceField(choices=GoalOutcome.choices, required=False, allow_blank=True)
    why_not = serializers.CharField(max_length=500, required=False, allow_blank=True)


def _text(most: int) -> serializers.CharField:
    return serializers.CharField(
        max_length=most, required=False, allow_blank=True, trim_whitespace=False
    )


def _pain() -> serializers.IntegerField:
    return serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=10)


class NoteFields(Body):
    """A draft may be incomplete: everything can be left out, and what is left out stays."""

    discharge_type = serializers.ChoiceField(
        choices=DischargeType.choices, required=False, allow_blank=True
    )
    discharge_on = serializers.DateField(required=False, allow_null=True)
    reason = serializers.ChoiceField(
        choices=DischargeReason.choices, required=False, allow_blank=True
    )
    diagnosis = _text(2000)
    course = _text(8000)
    first_visit_on = serializers.DateField(required=False, allow_null=True)
    last_visit_on = serializers.DateField(required=False, allow_null=True)
    visits_completed = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=999
    )
    pain_now = _pain()
    pain_worst = _pain()
    pain_best = _pain()
    range_of_motion = _text(4000)
    strength = _text(4000)
    functional_level = _text(4000)
    response = _text(4000)
    measures_missing_reason = _text(1000)
    home_programme = _text(8000)
    no_home_programme = serializers.BooleanField(required=False)
    equipment = _text(2000)
    follow_up = _text(4000)
    trainer_referral = serializers.ChoiceField(
        choices=TrainerReferral.choices, required=False, allow_blank=True
    )
    clearance = serializers.ChoiceField(
        choices=ClearanceLevel.choices, required=False, allow_blank=True
    )
    restrictions_decision = serializers.ChoiceField(
        choices=Decision.choices, required=False, allow_blank=True
    )
    flare_up_plan = _text(4000)
    return_criteria = _text(4000)
    future_contact = _text(300)
    goals = serializers.ListField(
        child=GoalBody(), required=False, max_length=20, help_text="Replaces all goals."
    )


class NoteBody(NoteFields):
    """Begins the note of an episode from what the episode knows; more can be given at once."""

    episode = serializers.UUIDField()


class NoteChangeBody(NoteFields):
    """`revision` is that of the note you saw; if it moved on, nothing is kept (409)."""

    revision = serializers.IntegerField(min_value=0)


class SignBody(Body):
    revision = serializers.IntegerField(min_value=0)
    seen = serializers.CharField(
        max_length=64, required=False, help_text="`fingerprint` of the draft you saw."
    )


class AddendumBody(Body):
    text = serializers.CharField(max_length=8000, trim_whitespace=False)


class NoteBriefShape(Shape):
    """A note in a list: whose and where it stands, nothing of what it says."""

    id = serializers.UUIDField()
    episode = serializers.UUIDField()
    client = serializers.UUIDField()
    revision = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    saved_at = serializers.DateTimeField()
    signed_at = serializers.DateTimeField(allow_null=True)


class SignatureShape(Shape):
    """Who signed, as what, and the fingerprint of all that the signature covers."""

    signed_at = serializers.DateTimeField()
    name = serializers.CharField()
    credential = serializers.CharField()
    licence_state = serializers.CharField()
    licence_number = serializers.CharField()
    content_hash = serializers.CharField()


class NoteShape(Shape):
    """One note as stored. A signed one never changes; addenda come after it."""

    id = serializers.UUIDField()
    episode = serializers.UUIDField()
    client = serializers.UUIDField()
    status = serializers.ChoiceField(choices=STATUSES)
    revision = serializers.IntegerField()
    saved_at = serializers.DateTimeField()
    discharge_type = serializers.ChoiceField(choices=DischargeType.choices, allow_blank=True)
    discharge_on = serializers.DateField(allow_null=True)
    reason = serializers.ChoiceField(choices=DischargeReason.choices, allow_blank=True)
    diagnosis = serializers.CharField(allow_blank=True)
    course = serializers.CharField(allow_blank=True)
    first_visit_on = serializers.DateField(allow_null=True)
    last_visit_on = serializers.DateField(allow_null=True)
    visits_completed = serializers.IntegerField(allow_null=True)
    pain_now = serializers.IntegerField(allow_null=True)
    pain_worst = serializers.IntegerField(allow_null=True)
    pain_best = serializers.IntegerField(allow_null=True)
    range_of_motion = serializers.CharField(allow_blank=True)
    strength = serializers.CharField(allow_blank=True)
    functional_level = serializers.CharField(allow_blank=True)
    response = serializers.CharField(allow_blank=True)
    measures_missing_reason = serializers.CharField(allow_blank=True)
    home_programme = serializers.CharField(allow_blank=True)
    no_home_programme = serializers.BooleanField()
    equipment = serializers.CharField(allow_blank=True)
    follow_up = serializers.CharField(allow_blank=True)
    trainer_referral = serializers.ChoiceField(choices=TrainerReferral.choices, allow_blank=True)
    clearance = serializers.ChoiceField(choices=ClearanceLevel.choices, allow_blank=True)
    restrictions_decision = serializers.ChoiceField(choices=Decision.choices, allow_blank=True)
    flare_up_plan = serializers.CharField(allow_blank=True)
    return_criteria = serializers.CharField(allow_blank=True)
    future_contact = serializers.CharField(allow_blank=True)
    goals = GoalShape(many=True)
    rationales = RationaleShape(many=True)
    signature = SignatureShape(allow_null=True)
    addenda = AddendumShape(many=True)
    missing = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="What a signature would still be refused for, by field; empty once signed.",
    )
    fingerprint = serializers.CharField(
        allow_null=True, help_text="Of all that a signature would cover now; null once signed."
    )


class NoteEndpoint(Endpoint):
    def show(self, pk: str) -> dict[str, Any]:
        sheet = particulars.note(actor=self.actor, note_id=UUID(pk))
        draft = sheet.signature is None
        return {
            **answer(sheet),
            "missing": dotted(discharge.what_is_missing(actor=self.actor, note_id=sheet.id))
            if draft
            else {},
            "fingerprint": discharge.fingerprint(actor=self.actor, note_id=sheet.id)
            if draft
            else None,
        }

    def save(self, note_id: UUID, revision: int, body: dict[str, Any]) -> UUID:
        goals = body.pop("goals", None)
        return discharge.save_draft(
            actor=self.actor,
            note_id=note_id,
            revision=revision,
            changes=body,
            goals=None if goals is None else _goals(goals),
        ).pk


class Notes(NoteEndpoint):
    policy = Policy.SIGNED_IN

    @lists(NoteBriefShape, query=NoteQuery)
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """Notes of the episodes I treat, and the signed ones about me or those I act for."""
        rows = self._visible()
        if "client" in query:
            rows = rows.filter(episode__client_id=query["client"])
        if "episode" in query:
            rows = rows.filter(episode_id=query["episode"])
        if "signed" in query:
            rows = rows.filter(signed_at__isnull=not query["signed"])
        return mapped(self.rows(rows, query, order=("-created_at", "-id")), _brief)

    @acts(NoteShape, body=NoteBody, status=201, policy=Policy.PT)
    def post(self, body: dict[str, Any]) -> UUID:
        """Begin the note of an episode, or find the one already begun."""
        with transaction.atomic():
            note = discharge.start_note(actor=self.actor, episode_id=body.pop("episode"))
            return self.save(note.pk, note.revision, body) if body else note.pk

    def _visible(self) -> QuerySet[DischargeNote]:
        own = [client.pk for client in own_clients(self.actor)]
        treated = access.episodes_visible_to(self.actor).values("pk")
        return DischargeNote.objects.select_related("episode").filter(
            Q(episode__in=treated) | Q(episode__client__in=own, signed_at__isnull=False)
        )


class OneNote(NoteEndpoint):
    policy = Policy.SIGNED_IN

    @reads(NoteShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """One note, for the treating side and for those with whom the whole note is shared.

        A draft is the treating side's alone; it says what a signature would still need.
        """
        return self.show(str(id))

    @acts(NoteShape, body=NoteChangeBody, policy=Policy.PT, repeatable=False)
    def patch(self, body: dict[str, Any], id: UUID) -> UUID:
        """Keep what was typed, finished or not."""
        return self.save(id, body.pop("revision"), body)


class SignNote(NoteEndpoint):
    policy = Policy.PT

    @acts(NoteShape, body=SignBody, confirmed=True)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Sign the note with its goals and restrictions, for good. Ends the episode.

        Only the treating therapist, with a licence valid now where the client lives. Everything
        missing is named in `errors`.
        """
        return discharge.sign(
            actor=self.actor,
            note_id=id,
            revision=body["revision"],
            seen=body.get("seen", ""),
        ).pk


class Addenda(NoteEndpoint):
    policy = Policy.PT

    @acts(NoteShape, body=AddendumBody, status=201, confirmed=True)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Correct or complete a signed note; the note itself stays as it is."""
        discharge.add_addendum(actor=self.actor, note_id=id, text=body["text"])
        return id


def answer(sheet: NoteSheet) -> dict[str, Any]:
    signature = sheet.signature
    return {
        "id": sheet.id,
        "episode": sheet.episode_id,
        "client": sheet.client_id,
        "status": "signed" if signature else "draft",
        "revision": sheet.revision,
        "saved_at": sheet.saved_at,
        **dict(sheet.values),
        "goals": [goal(each) for each in sheet.goals],
        "rationales": rationales(sheet.rationales),
        "signature": signature
        and {
            "signed_at": signature.signed_at,
            "name": signature.name,
            "credential": signature.credential,
            "licence_state": signature.licence_state,
            "licence_number": signature.licence_number,
            "content_hash": signature.content_hash,
        },
        "addenda": [addendum(each) for each in sheet.addenda],
    }


def _brief(row: DischargeNote) -> dict[str, Any]:
    return {
        "id": row.pk,
        "episode": row.episode_id,
        "client": row.episode.client_id,
        "revision": row.revision,
        "created_at": row.created_at,
        "saved_at": row.saved_at,
        "signed_at": row.signed_at,
    }


def _goals(rows: Sequence[dict[str, str]]) -> list[GoalInput]:
    return [GoalInput(**row) for row in rows]
