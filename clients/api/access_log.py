"""`access-log/`: who saw what of my record, when and why; and who was refused."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from clients.access import own_client, own_clients
from clients.api.base import Endpoint
from clients.models import AccessEntry, Professional, User
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


class WhoShape(Shape):
    """Somebody who looked; names are those of today."""

    name = serializers.CharField(allow_blank=True, help_text="Empty for the system.")
    role = serializers.CharField(help_text="As whom they looked.")
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
    purpose = serializers.CharField()
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
        if "client_id" in query:
            clients = [own_client(self.actor, query["client_id"], at)]
        else:
            clients = own_clients(self.actor, at)
        rows = AccessEntry.objects.filter(client__in=[each.pk for each in clients])
        page = self.rows(rows, query, order=("-number",))
        return Page(_answers(page.items), page.next, page.previous)


def _answers(entries: Sequence[AccessEntry]) -> list[dict[str, Any]]:
    users = User.objects.in_bulk({each.actor_id for each in entries if each.actor_id})
    professionals = Professional.objects.select_related("practice").in_bulk(
        {each.professional_id for each in entries if each.professional_id}
    )
    return [
        _answer(
            each,
            users.get(each.actor_id) if each.actor_id else None,
            professionals.get(each.professional_id) if each.professional_id else None,
        )
        for each in entries
    ]


def _answer(
    entry: AccessEntry, user: User | None, professional: Professional | None
) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.at,
        "client": entry.client_id,
        "who": {
            "name": user.name if user else "",
            "role": entry.actor_role,
            "practice": professional.practice.name if professional else "",
        },
        "action": entry.action,
        "refused": entry.action == AccessEntry.Action.REFUSED,
        "shown": entry.shown,
        "withheld": entry.withheld,
        "purpose": entry.purpose,
        "channel": entry.channel,
        "consents": entry.consent_ids,
    }
