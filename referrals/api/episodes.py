"""`episodes/`: treatments, from first visit to discharge."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from clients.api.base import Endpoint
from clients.api.people import (
    ClientBriefShape,
    ProfessionalBriefShape,
    client_brief,
    professional_brief,
)
from handoff.api.operations import acts, lists, reads
from handoff.api.shapes import Body, ListQuery, Shape
from handoff.api.views import mapped
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals import access, care, particulars, returning
from referrals.models import Episode
from referrals.vocabulary import BodyRegion, Laterality, RecurrenceKind


class EpisodeQuery(ListQuery):
    client = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(choices=Episode.Status.choices, required=False)


class EpisodeFields(Body):
    condition = serializers.CharField(max_length=300, help_text="In the therapist's own words.")
    icd10_code = serializers.CharField(max_length=20, required=False, allow_blank=True)
    body_region = serializers.ChoiceField(choices=BodyRegion.choices)
    laterality = serializers.ChoiceField(
        choices=Laterality.choices, required=False, help_text="Needed where the region has sides."
    )
    onset_on = serializers.DateField(required=False, allow_null=True)
    mechanism = serializers.CharField(max_length=300, required=False, allow_blank=True)
    surgery = serializers.CharField(max_length=300, required=False, allow_blank=True)
    surgery_on = serializers.DateField(required=False, allow_null=True)
    started_on = serializers.DateField(help_text="First visit.")
    last_visit_on = serializers.DateField(required=False, allow_null=True)
    visits_completed = serializers.IntegerField(required=False, min_value=0, max_value=999)
    planned_discharge_on = serializers.DateField(required=False, allow_null=True)
    recurrence_of = serializers.UUIDField(
        required=False, allow_null=True, help_text="An ended episode of the same client."
    )


class EpisodeBody(EpisodeFields):
    """A new episode, with the one who sends it as the therapist."""

    client = serializers.UUIDField()


class EpisodeChangeBody(EpisodeFields):
    """What is left out stays. `active` confirms an imported episode."""

    condition = serializers.CharField(max_length=300, required=False)
    body_region = serializers.ChoiceField(choices=BodyRegion.choices, required=False)
    started_on = serializers.DateField(required=False)
    status = serializers.ChoiceField(choices=Episode.Status.choices, required=False)


class EpisodeBriefShape(Shape):
    """An episode in a list: whose and where it stands, nothing clinical."""

    id = serializers.UUIDField()
    client = ClientBriefShape()
    pt = ProfessionalBriefShape()
    status = serializers.ChoiceField(choices=Episode.Status.choices)
    origin = serializers.CharField(allow_blank=True, help_text="`fhir` when imported.")
    created_at = serializers.DateTimeField()


class PlanShape(Shape):
    """How the treatment goes. For the treating side and the client, never for a recipient."""

    last_visit_on = serializers.DateField(allow_null=True)
    visits_completed = serializers.IntegerField()
    planned_discharge_on = serializers.DateField(allow_null=True)
    recurrence_of = serializers.UUIDField(allow_null=True)
    recurrence_kind = serializers.ChoiceField(choices=RecurrenceKind.choices, allow_null=True)
    full_return_on = serializers.DateField(
        allow_null=True, help_text="Back to everything after the earlier episode."
    )


class EpisodeShape(Shape):
    """One episode."""

    id = serializers.UUIDField()
    client = serializers.UUIDField()
    pt = serializers.UUIDField()
    pt_name = serializers.CharField()
    status = serializers.ChoiceField(choices=Episode.Status.choices)
    origin = serializers.CharField(allow_blank=True, help_text="`fhir` when imported.")
    condition = serializers.CharField()
    icd10_code = serializers.CharField(allow_blank=True)
    body_region = serializers.ChoiceField(choices=BodyRegion.choices)
    laterality = serializers.ChoiceField(choices=Laterality.choices)
    onset_on = serializers.DateField(allow_null=True)
    mechanism = serializers.CharField(allow_blank=True)
    surgery = serializers.CharField(allow_blank=True)
    surgery_on = serializers.DateField(allow_null=True)
    started_on = serializers.DateField()
    ended_on = serializers.DateField(allow_null=True)
    plan = PlanShape(allow_null=True)


class EpisodeEndpoint(Endpoint):
    def show(self, pk: str) -> dict[str, Any]:
        return answer(particulars.episode(actor=self.actor, episode_id=UUID(pk)))


class Episodes(EpisodeEndpoint):
    policy = Policy.PT

    @lists(EpisodeBriefShape, query=EpisodeQuery)
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """The episodes I treat or help to treat, newest first."""
        rows = access.episodes_visible_to(self.actor).select_related(
            "client", "pt__user", "pt__practice"
        )
        if "client" in query:
            rows = rows.filter(client_id=query["client"])
        if "status" in query:
            rows = rows.filter(status=query["status"])
        return mapped(self.rows(rows, query, order=("-created_at", "-id")), _brief)

    @acts(EpisodeShape, body=EpisodeBody, status=201)
    def post(self, body: dict[str, Any]) -> UUID:
        """Open an episode for a client I invited, treat or took on."""
        client_id = body.pop("client")
        return care.open_episode(actor=self.actor, client_id=client_id, data=body).pk


class OneEpisode(EpisodeEndpoint):
    policy = Policy.SIGNED_IN

    @reads(EpisodeShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """One episode, for those with whom its history is shared."""
        return self.show(str(id))

    @acts(EpisodeShape, body=EpisodeChangeBody, policy=Policy.PT, repeatable=False)
    def patch(self, body: dict[str, Any], id: UUID) -> UUID:
        """Correct an episode that has not ended, or confirm an imported one."""
        return care.update_episode(actor=self.actor, episode_id=id, changes=body).pk


class RecurrenceBody(Body):
    """How an episode relates to the earlier one it names."""

    kind = serializers.ChoiceField(choices=RecurrenceKind.choices)
    full_return_on = serializers.DateField(required=False, allow_null=True)


class LabelRecurrence(EpisodeEndpoint):
    policy = Policy.PT

    @acts(EpisodeShape, body=RecurrenceBody)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Say how an episode that runs relates to the earlier one."""
        return returning.label(actor=self.actor, episode_id=id, **body).pk


def answer(view: particulars.EpisodeView) -> dict[str, Any]:
    plan = view.plan
    return {
        "id": view.id,
        "client": view.client_id,
        "pt": view.pt_id,
        "pt_name": view.pt_name,
        "status": view.status,
        "origin": view.source,
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
        "plan": plan
        and {
            "last_visit_on": plan.last_visit_on,
            "visits_completed": plan.visits_completed,
            "planned_discharge_on": plan.planned_discharge_on,
            "recurrence_of": plan.recurrence_of,
            "recurrence_kind": plan.recurrence_kind or None,
            "full_return_on": plan.full_return_on,
        },
    }


def _brief(row: Episode) -> dict[str, Any]:
    return {
        "id": row.pk,
        "client": client_brief(row.client),
        "pt": professional_brief(row.pt),
        "status": row.status,
        "origin": row.source,
        "created_at": row.created_at,
    }
