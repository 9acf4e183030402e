"""`access-log/`: who saw what of my record, when and why; and who was refused."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from clients.access import own_client, own_clients
from clients.api.base import Endpoint
from clients.looks import Look, entries_about, looks
from clients.models import AccessEntry
from clients.scopes import Scope
from handoff.api.operations import lists
from handoff.api.shapes import ListQuery, Shape
from handoff.core.actors import Channel
from handoff.core.paging import Page
from handoff.core.policy import Policy

CHANNELS = [(channel.value, channel.value) for channel in Channel]


class AccessLogQuery(ListQuery):
    client_id = serializers.UUIDField(
        required=False, help_text="One client; for guardians. Left out: all I am or act for."
    )
    others = serializers.BooleanField(
        required=False, help_text="1: without what I and the client looked at."
    )


class WhoShape(Shape):
    """Somebody who looked, by the names of today.

    Of a refused attempt only a professional is named: nothing was shown to anybody else either.
    """

    name = serializers.CharField()
    is_me = serializers.BooleanField()
    role = serializers.CharField(allow_blank=True, help_text="As whom they looked, in words.")
    practice = serializers.CharField(allow_blank=True)


class AccessEntryShape(Shape):
    """One look, or one refusal."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    client = serializers.UUIDField()
    who = WhoShape()
    action = serializers.ChoiceField(choices=AccessEntry.Action.choices)
    refused = serializers.BooleanField()
    shown = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    withheld = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    purpose = serializers.CharField(allow_blank=True, help_text="Why, in words.")
    channel = serializers.ChoiceField(choices=CHANNELS)
    consents = serializers.ListField(
        child=serializers.UUIDField(), help_text="The consents it rested on."
    )


class AccessLog(Endpoint):
    policy = Policy.CLIENT

    @lists(AccessEntryShape, query=AccessLogQuery)
    def get(self, query: dict[str, Any]) -> Page[dict[str, Any]]:
        """Who looked at my record, newest first.

        The client's own, or that of a minor for a guardian with verified authority.
        """
        at = timezone.now()
        clients = (
            [own_client(self.actor, query["client_id"], at)]
            if "client_id" in query
            else own_clients(self.actor, at)
        )
        rows = entries_about(clients, self.actor, own_too=not query.get("others", False))
        page = self.rows(rows, query, order=("-number",))
        pairs = zip(page.items, looks(page.items, self.actor), strict=True)
        return Page([_answer(*pair) for pair in pairs], page.next, page.previous)


def _answer(entry: AccessEntry, look: Look) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.at,
        "client": entry.client_id,
        "who": {
            "name": look.who,
            "is_me": look.is_me,
            "role": look.role,
            "practice": look.detail,
        },
        "action": entry.action,
        "refused": look.refused,
        "shown": entry.shown,
        "withheld": entry.withheld,
        "purpose": look.why,
        "channel": entry.channel,
        "consents": entry.consent_ids,
    }
