"""`triage/`, `clients/{id}/screenings/` and `screenings/{id}/`: who comes first, and what was kept.

Answers are read and forgotten. Only with `save_for` is anything stored, and then the result alone.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from clients.api.base import Endpoint
from clients.assurance import Place
from clients.models import User
from handoff.api.operations import Operation, acts, lists
from handoff.api.shapes import Body, Shape
from handoff.core.errors import NotVisible
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals import screenings, triage
from referrals.screenings import ScreeningView
from referrals.triage import ASKED, Advice, Level, Question, Reason

LEVELS = [(level.value, triage.WAYS[level].title) for level in Level]
YES_OR_NO = list(ASKED[Question.CHEST].options.items())
INJURIES = list(ASKED[Question.INJURY].options.items())
GOALS = list(ASKED[Question.GOAL].options.items())
EFFORTS = list(ASKED[Question.EFFORT].options.items())


def _answer_to(question: Question) -> serializers.ChoiceField:
    asked = ASKED[question]
    return serializers.ChoiceField(
        choices=list(asked.options.items()),
        required=False,
        help_text=asked.words,
    )


class TriageBody(Body):
    """An answer to each question. One left out counts as not sure, which is taken with care."""

    chest = _answer_to(Question.CHEST)
    saddle = _answer_to(Question.SADDLE)
    bladder_bowel = _answer_to(Question.BLADDER_BOWEL)
    weakness = _answer_to(Question.WEAKNESS)
    trauma = _answer_to(Question.TRAUMA)
    fever = _answer_to(Question.FEVER)
    cancer = _answer_to(Question.CANCER)
    symptoms = _answer_to(Question.SYMPTOMS)
    disease = _answer_to(Question.DISEASE)
    supervised = _answer_to(Question.SUPERVISED)
    pregnant = _answer_to(Question.PREGNANT)
    over_69 = _answer_to(Question.OVER_69)
    pain = _answer_to(Question.PAIN)
    flares = _answer_to(Question.FLARES)
    limited = _answer_to(Question.LIMITED)
    daily = _answer_to(Question.DAILY)
    complex = _answer_to(Question.COMPLEX)
    injury = _answer_to(Question.INJURY)
    goal = _answer_to(Question.GOAL)
    active = _answer_to(Question.ACTIVE)
    effort = _answer_to(Question.EFFORT)
    save_for = serializers.UUIDField(
        required=False,
        help_text="Keep the result, not the answers, for this client: yourself, or a minor you"
        " act for. Only when signed in.",
    )


class ReasonShape(Shape):
    code = serializers.CharField()
    level = serializers.ChoiceField(choices=LEVELS)
    title = serializers.CharField()
    why = serializers.CharField()
    unsure = serializers.BooleanField(help_text="Only because an answer is missing or not clear.")
    sources = serializers.ListField(child=serializers.CharField())


class AdviceStepShape(Shape):
    title = serializers.CharField()
    text = serializers.CharField()


class AdviceShape(Shape):
    """Whom to see first, and why. Advice, never a diagnosis."""

    level = serializers.ChoiceField(choices=LEVELS)
    title = serializers.CharField()
    lead = serializers.CharField()
    reasons = ReasonShape(many=True, help_text="What decided it.")
    further = ReasonShape(many=True, help_text="What is good to tell whoever comes first.")
    steps = AdviceStepShape(many=True)
    outcome = serializers.CharField(help_text="For whoever has to know no more than that.")
    taken_on = serializers.DateField()
    valid_until = serializers.DateField(help_text="And only while health stays the same.")
    rules_version = serializers.IntegerField()
    saved = serializers.UUIDField(allow_null=True, help_text="The kept result, where it was kept.")


class ScreeningShape(Shape):
    """A kept result."""

    id = serializers.UUIDField()
    client = serializers.UUIDField()
    level = serializers.ChoiceField(choices=LEVELS)
    title = serializers.CharField()
    reasons = ReasonShape(many=True)
    taken_at = serializers.DateTimeField()
    taken_on = serializers.DateField()
    valid_until = serializers.DateField()
    voided_at = serializers.DateTimeField(allow_null=True)
    valid = serializers.BooleanField(help_text="Neither over nor void.")
    rules_version = serializers.IntegerField()


class Triage(Endpoint):
    # Whoever does not know where to begin has no account.
    policy = Policy.PUBLIC

    @acts(AdviceShape, body=TriageBody, limit="triage")
    def post(self, body: dict[str, Any]) -> UUID | None:
        """Who should I see first?

        Open to everybody. Nothing is stored, unless `save_for` names the client whose result is
        kept; only then does an `Idempotency-Key` mean anything.
        """
        client_id = body.pop("save_for", None)
        if client_id is None:
            return None
        return screenings.save(actor=self.actor, client_id=client_id, answers=body).pk

    def read_body(self, operation: Operation) -> dict[str, Any]:
        """Keeping something is for those who are signed in, as strongly as anywhere else."""
        body = super().read_body(operation)
        if "save_for" in body:
            user = self.request.user
            if not isinstance(user, User):
                raise exceptions.NotAuthenticated
            self.require_assurance(user, Place.REST)
            if not Policy.CLIENT.admits(self.actor):
                raise NotVisible
        return body

    def perform(self, operation: Operation, act: Callable[[], UUID | str | None]) -> Response:
        """What is not kept leaves no trace either of having been asked."""
        repeatable = "save_for" in self.taken
        return super().perform(replace(operation, repeatable=repeatable), act)

    def show(self, pk: str) -> dict[str, Any]:
        advice = triage.advise(self.taken)
        way = triage.WAYS[advice.level]
        taken_on, last = self._days(pk, advice)
        return {
            "level": advice.level.value,
            "title": way.title,
            "lead": way.lead,
            "reasons": [_reason(each) for each in advice.reasons],
            "further": [_reason(each) for each in advice.further],
            "steps": [{"title": each.title, "text": each.text} for each in way.steps],
            "outcome": way.outcome,
            "taken_on": taken_on,
            "valid_until": last,
            "rules_version": advice.version,
            "saved": pk or None,
        }

    def _days(self, pk: str, advice: Advice) -> tuple[date, date]:
        """Its day and its last day: of the kept result where there is one, else by today's."""
        if not pk:
            today = timezone.localdate()
            return today, triage.valid_until(advice.level, today)
        kept = screenings.screenings(actor=self.actor, client_id=self.taken["save_for"])
        found = next((each for each in kept if str(each.id) == pk), None)
        if found is None:
            raise NotVisible
        return found.taken_on, found.valid_until


class Screenings(Endpoint):
    policy = Policy.CLIENT

    @lists(ScreeningShape)
    def get(self, query: dict[str, Any], id: UUID) -> Page[dict[str, Any]]:
        """The results I kept, newest first; or those of a minor I act for. Nobody else's."""
        found = screenings.screenings(actor=self.actor, client_id=id)
        page = self.values(found, query, key=lambda each: str(each.id))
        return Page([_answer(each) for each in page.items], page.next, page.previous)


class VoidScreening(Endpoint):
    policy = Policy.CLIENT

    @acts(None)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Health has changed since: the result says nothing any more."""
        return screenings.void(actor=self.actor, screening_id=id).pk


class RemoveScreening(Endpoint):
    policy = Policy.CLIENT

    @acts(None)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Take a kept result away for good."""
        return screenings.remove(actor=self.actor, screening_id=id)


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "level": reason.level.value,
        "title": reason.title,
        "why": reason.why,
        "unsure": reason.unsure,
        "sources": list(reason.source_texts),
    }


def _answer(view: ScreeningView) -> dict[str, Any]:
    return {
        "id": view.id,
        "client": view.client_id,
        "level": view.level.value,
        "title": view.title,
        "reasons": [_reason(each) for each in view.reasons],
        "taken_at": view.taken_at,
        "taken_on": view.taken_on,
        "valid_until": view.valid_until,
        "voided_at": view.voided_at,
        "valid": view.is_valid,
        "rules_version": view.rules_version,
    }
