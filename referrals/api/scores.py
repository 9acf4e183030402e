"""`measures/` and `measurements/`: which scales there are, and what was measured."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from clients.api.base import Endpoint
from handoff.api.operations import acts, lists, removes
from handoff.api.shapes import Body, ListQuery, Number, Shape
from handoff.api.views import mapped
from handoff.core.errors import NotVisible
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals import care, particulars
from referrals.api.restriction_answers import number
from referrals.models import ImportantChange, Measure, Measurement
from referrals.particulars import ScoreView
from referrals.vocabulary import Laterality


class ImportantChangeShape(Shape):
    """A published smallest change that matters to patients."""

    amount = serializers.FloatField()
    amount_high = serializers.FloatField(allow_null=True)
    population = serializers.CharField(allow_blank=True)
    reference = serializers.CharField()
    usual = serializers.BooleanField(help_text="The one changes are compared with.")


class MeasureShape(Shape):
    """One scale. Scores only: items of copyrighted tools are not ours to give."""

    code = serializers.CharField()
    name = serializers.CharField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    unit = serializers.CharField(allow_blank=True)
    higher_is_better = serializers.BooleanField()
    whole_numbers = serializers.BooleanField()
    loinc = serializers.CharField(allow_blank=True)
    important_changes = ImportantChangeShape(many=True)


class Measures(Endpoint):
    policy = Policy.SIGNED_IN

    @lists(MeasureShape)
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """The scales in use, with range, direction and published important changes."""
        rows = Measure.objects.filter(in_use=True).prefetch_related("important_changes")
        return mapped(self.rows(rows, query, order=("position", "code")), _measure)


class MeasurementQuery(ListQuery):
    episode = serializers.UUIDField()


class MeasurementBody(Body):
    measure = serializers.CharField(max_length=40, help_text="A code of `measures/`.")
    moment = serializers.ChoiceField(choices=Measurement.Moment.choices)
    value = Number()
    taken_on = serializers.DateField()
    side = serializers.ChoiceField(choices=Laterality.choices, required=False)


class MeasurementInEpisodeBody(MeasurementBody):
    episode = serializers.UUIDField()


class MeasurementShape(Shape):
    """One value of one measure."""

    id = serializers.UUIDField()
    episode = serializers.UUIDField()
    measure = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    moment = serializers.ChoiceField(choices=Measurement.Moment.choices)
    value = serializers.FloatField()
    side = serializers.ChoiceField(choices=Laterality.choices, allow_null=True)
    taken_on = serializers.DateField()


class MeasurementEndpoint(Endpoint):
    @property
    def episode_id(self) -> UUID:
        """From the address, else from the body."""
        found: UUID = self.kwargs.get("id") or self.taken["episode"]
        return found

    def listed(self, episode_id: UUID, query: dict[str, Any]) -> Page[dict[str, Any]]:
        found = particulars.scores(actor=self.actor, episode_id=episode_id)
        page = self.values(found, query, key=lambda each: str(each.id))
        return Page([_score(each) for each in page.items], page.next, page.previous)

    def record(self, body: dict[str, Any]) -> UUID:
        return care.record_measurement(actor=self.actor, episode_id=self.episode_id, **body).pk

    def show(self, pk: str) -> dict[str, Any]:
        for each in particulars.scores(actor=self.actor, episode_id=self.episode_id):
            if str(each.id) == pk:
                return _score(each)
        raise NotVisible


class Measurements(MeasurementEndpoint):
    policy = Policy.SIGNED_IN

    @lists(MeasurementShape, query=MeasurementQuery)
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """What was measured in one episode, newest first, where outcomes are shared."""
        return self.listed(query["episode"], query)

    @acts(MeasurementShape, body=MeasurementInEpisodeBody, status=201, policy=Policy.PT)
    def post(self, body: dict[str, Any]) -> UUID:
        """Record one value in an episode that runs."""
        del body["episode"]
        return self.record(body)


class EpisodeMeasurements(MeasurementEndpoint):
    policy = Policy.SIGNED_IN

    @lists(MeasurementShape)
    def get(self, query: dict[str, Any], id: UUID) -> Page[dict[str, Any]]:
        """What was measured in one episode, newest first, where outcomes are shared."""
        return self.listed(id, query)

    @acts(MeasurementShape, body=MeasurementBody, status=201, policy=Policy.PT)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Record one value in an episode that runs."""
        return self.record(body)


class OneMeasurement(Endpoint):
    policy = Policy.PT

    @removes()
    def delete(self, id: UUID) -> None:
        """Take back a value typed wrongly, while nothing is signed."""
        care.remove_measurement(actor=self.actor, measurement_id=id)


def _measure(row: Measure) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "low": number(row.low),
        "high": number(row.high),
        "unit": row.unit,
        "higher_is_better": row.higher_is_better,
        "whole_numbers": row.whole_numbers,
        "loinc": row.loinc,
        "important_changes": [_change(each) for each in row.important_changes.all()],
    }


def _change(row: ImportantChange) -> dict[str, Any]:
    return {
        "amount": number(row.amount),
        "amount_high": number(row.amount_high),
        "population": row.population,
        "reference": row.source,
        "usual": row.usual,
    }


def _score(view: ScoreView) -> dict[str, Any]:
    return {
        "id": view.id,
        "episode": view.episode_id,
        "measure": view.measure,
        "name": view.name,
        "unit": view.unit,
        "moment": view.moment,
        "value": number(view.value),
        "side": view.side or None,
        "taken_on": view.taken_on,
    }
