"""`referrals/{id}/facts/`: what a trainer saw, when they refer a client back to a therapist."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from clients.api.base import Endpoint
from handoff.api.operations import acts, reads
from handoff.api.shapes import Body, Shape
from handoff.core.errors import NotVisible
from handoff.core.policy import Policy
from referrals import disclosure, lifecycle
from referrals.models import RedSign, Referral
from referrals.models.facts import MOST_WORDS
from referrals.packets import FactsView
from referrals.scope_of_practice import beyond_training
from referrals.vocabulary import BodyRegion, Laterality


class FactsBody(Body):
    """What was seen and said. No diagnosis: the therapist says what it is."""

    observations = serializers.CharField(max_length=MOST_WORDS, trim_whitespace=False)
    body_region = serializers.ChoiceField(choices=BodyRegion.choices)
    laterality = serializers.ChoiceField(
        choices=Laterality.choices, required=False, allow_blank=True
    )
    pain_now = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=10)
    pain_worst = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=10
    )
    signs = serializers.ListField(
        child=serializers.ChoiceField(choices=RedSign.choices),
        required=False,
        help_text="Each of them makes the referral urgent, as pain above 5 does.",
    )
    since = serializers.DateField(required=False, allow_null=True)
    stopped = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="Which movement was stopped."
    )


class RewriteBody(FactsBody):
    """All of it anew; with what a draft says beside its facts."""

    priority = serializers.ChoiceField(choices=Referral.Priority.choices, required=False)
    start_from = serializers.DateField(required=False, allow_null=True)
    start_until = serializers.DateField(required=False, allow_null=True)


class SignShape(Shape):
    """A sign that is red whatever the pain."""

    code = serializers.ChoiceField(choices=RedSign.choices)
    words = serializers.CharField()


class FactsShape(Shape):
    """What a trainer saw. It stays as it is once the client was asked about it, or it went out."""

    referral = serializers.UUIDField()
    author = serializers.CharField()
    observations = serializers.CharField()
    body_region = serializers.ChoiceField(choices=BodyRegion.choices)
    laterality = serializers.ChoiceField(choices=Laterality.choices)
    pain_now = serializers.IntegerField(allow_null=True)
    pain_worst = serializers.IntegerField(allow_null=True)
    signs = SignShape(many=True)
    since = serializers.DateField(allow_null=True)
    stopped = serializers.CharField(allow_blank=True)
    saved_at = serializers.DateTimeField()
    is_red = serializers.BooleanField()
    words_to_check = serializers.ListField(
        child=serializers.CharField(),
        help_text="Words that may name a condition or a treatment. They stop nothing.",
    )


class Facts(Endpoint):
    policy = Policy.SIGNED_IN

    @reads(FactsShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """What was seen: for the sender and the client, and once accepted for the recipient.

        The recipient reads it while the client shares `training_feedback` that way.
        """
        return self.show(str(id))

    @acts(FactsShape, body=RewriteBody, policy=Policy.TRAINER)
    def put(self, body: dict[str, Any], id: UUID) -> UUID:
        """Write the facts of a draft anew, as its sender."""
        beside = ("priority", "start_from", "start_until")
        more = {name: body.pop(name) for name in beside if name in body}
        return lifecycle.write_facts(actor=self.actor, referral_id=id, facts=body, **more).pk

    def show(self, pk: str) -> dict[str, Any]:
        found = disclosure.facts_of(actor=self.actor, referral_id=UUID(pk))
        if found is None:
            raise NotVisible
        return facts_answer(found)


def facts_answer(view: FactsView) -> dict[str, Any]:
    return {
        "referral": view.referral_id,
        "author": view.author,
        "observations": view.observations,
        "body_region": view.body_region,
        "laterality": view.laterality,
        "pain_now": view.pain_now,
        "pain_worst": view.pain_worst,
        "signs": [{"code": code, "words": words} for code, words in view.signs],
        "since": view.since,
        "stopped": view.stopped,
        "saved_at": view.saved_at,
        "is_red": view.is_red,
        "words_to_check": list(beyond_training(f"{view.observations} {view.stopped}")),
    }
