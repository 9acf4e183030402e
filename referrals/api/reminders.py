"""`reminders/`: my own list."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from clients.api.base import Endpoint
from handoff.api.operations import acts, lists
from handoff.api.shapes import Body, Shape
from handoff.core.errors import NotVisible
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals import reminders
from referrals.models import Reminder
from referrals.reminders import Line


class ReminderShape(Shape):
    """One thing that waits for me, in words."""

    id = serializers.UUIDField()
    rule = serializers.IntegerField()
    title = serializers.CharField()
    path = serializers.CharField(help_text="The page where it can be seen to.")
    urgent = serializers.BooleanField()
    is_notice = serializers.BooleanField(help_text="Ticking it off is all there is to do.")
    due_at = serializers.DateTimeField()
    shown_at = serializers.DateTimeField()
    snoozed_until = serializers.DateTimeField(allow_null=True)


class ReminderStateShape(Shape):
    """What became of a reminder of mine."""

    id = serializers.UUIDField()
    done_at = serializers.DateTimeField(allow_null=True)
    snoozed_until = serializers.DateTimeField(allow_null=True)


class SnoozeBody(Body):
    until = serializers.DateTimeField(help_text="Within 30 days.")


class ReminderEndpoint(Endpoint):
    def show(self, pk: str) -> dict[str, Any]:
        row = Reminder.objects.filter(pk=pk, recipient_id=self.account).first()
        if row is None:
            raise NotVisible
        return {"id": row.pk, "done_at": row.done_at, "snoozed_until": row.snoozed_until}


class Reminders(Endpoint):
    policy = Policy.SIGNED_IN

    @lists(ReminderShape)
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """What waits for me now, newest first.

        What is no longer so is left out, so a page can hold fewer than `page_size`.
        """
        page = reminders.mine(self.actor, cursor=query.get("cursor"), size=query["page_size"])
        return Page([_answer(line) for line in page.items], page.next, page.previous)


class ReminderDone(ReminderEndpoint):
    policy = Policy.SIGNED_IN

    @acts(ReminderStateShape)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Tick it off. Where somebody still waits for me, the next one comes all the same."""
        return reminders.mark_done(actor=self.actor, reminder_id=id).pk


class ReminderSnooze(ReminderEndpoint):
    policy = Policy.SIGNED_IN

    @acts(ReminderStateShape, body=SnoozeBody)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Take it out of the list until later."""
        return reminders.snooze(actor=self.actor, reminder_id=id, until=body["until"]).pk


def _answer(line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "rule": line.rule,
        "title": line.title,
        "path": line.path,
        "urgent": line.urgent,
        "is_notice": line.is_notice,
        "due_at": line.due_at,
        "shown_at": line.shown_at,
        "snoozed_until": line.snoozed_until,
    }
