"""`clients/{id}/timeline/`: what happened, in order. States and dates, nothing clinical."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from clients.api.base import Endpoint
from handoff.api.operations import lists
from handoff.api.shapes import Shape
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals.timeline import Moment, timeline


class TimelineShape(Shape):
    """One thing that happened, in the words for my side."""

    at = serializers.DateTimeField()
    subject = serializers.ChoiceField(choices=[("referral", "referral"), ("consent", "consent")])
    subject_id = serializers.UUIDField()
    what = serializers.CharField(help_text="The state a referral came into, or what was said.")
    words = serializers.CharField()
    by = serializers.CharField(allow_blank=True)
    sender = serializers.CharField()
    recipient = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)


class Timeline(Endpoint):
    policy = Policy.SIGNED_IN

    @lists(TimelineShape)
    def get(self, query: dict[str, Any], id: UUID) -> Page[dict[str, Any]]:
        """What I may know happened with a client, newest first."""
        moments = timeline(actor=self.actor, client_id=id)
        page = self.values(moments, query, key=lambda each: each.key)
        return Page([_answer(each) for each in page.items], page.next, page.previous)


def _answer(moment: Moment) -> dict[str, Any]:
    return {
        "at": moment.at,
        "subject": moment.subject,
        "subject_id": moment.subject_id,
        "what": moment.what,
        "words": moment.label,
        "by": moment.by,
        "sender": moment.between[0],
        "recipient": moment.between[1],
        "reason": moment.reason,
    }
