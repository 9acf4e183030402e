"""`clients/{id}/export/`, `clients/{id}/erasure/`, `me/export/`: everything about oneself, and an
end to it."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers

from clients.access import own_client
from clients.api.base import Endpoint
from clients.models import Erasure
from handoff.api.operations import acts, reads
from handoff.api.shapes import Shape
from handoff.core.policy import Policy
from referrals.rights import erasure, export

FATES = [(each.value, each.value) for each in erasure.Fate]


class ExportSectionShape(Shape):
    """The rows of one section, as docs/rights.md describes them."""

    section = serializers.CharField()
    title = serializers.CharField()
    rows = serializers.ListField(child=serializers.DictField())
    older_left_out = serializers.IntegerField(help_text="How many older rows did not fit.")


class ExportShape(Shape):
    """Everything about somebody, section by section."""

    format = serializers.CharField()
    subject = serializers.UUIDField()
    name = serializers.CharField()
    taken_by = serializers.CharField(help_text="client, guardian or account")
    as_of = serializers.DateTimeField()
    sections = ExportSectionShape(many=True)


class ErasureLineShape(Shape):
    """So many rows of one kind, and what becomes of them."""

    what = serializers.CharField()
    count = serializers.IntegerField()
    fate = serializers.ChoiceField(choices=FATES)


class ErasureShape(Shape):
    """What erasing does, and whether it is asked for."""

    client = serializers.UUIDField()
    asked_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(
        allow_null=True, help_text="Until then it can be called off."
    )
    held_until = serializers.DateField(
        allow_null=True, help_text="The last day the record of treatment must be kept."
    )
    holders = serializers.ListField(child=serializers.CharField())
    account_goes = serializers.BooleanField()
    lines = ErasureLineShape(many=True)


class ExportRecord(Endpoint):
    policy = Policy.CLIENT

    @acts(ExportShape, repeatable=False, confirmed=True)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Everything about me, or a minor I act for; five times a day, entered in the access log.

        A guardian gets the record without the minor's account.
        """
        return own_client(self.actor, id, timezone.now()).pk

    def show(self, pk: str) -> dict[str, Any]:
        return export.as_data(export.of_record(actor=self.actor, client_id=UUID(pk)))


class ExportAccount(Endpoint):
    policy = Policy.SIGNED_IN

    @acts(ExportShape, repeatable=False, confirmed=True)
    def post(self, body: dict[str, Any]) -> UUID:
        """What belongs to my account: details, work, credentials, tokens; five times a day."""
        return self.account

    def show(self, pk: str) -> dict[str, Any]:
        return export.as_data(export.of_account(actor=self.actor))


class ErasureEndpoint(Endpoint):
    """One client's data."""

    def show(self, pk: str) -> dict[str, Any]:
        client = own_client(self.actor, UUID(pk), timezone.now())
        found, row = erasure.outlook(client), erasure.asked(client)
        return {"client": client.pk, **_asked(row), **_outlook(found)}


class EraseRecord(ErasureEndpoint):
    policy = Policy.CLIENT

    @reads(ErasureShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """What would go, what must be kept, by whom and until when. Changes nothing."""
        return self.show(str(id))

    @acts(ErasureShape, confirmed=True)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Ask for everything to be erased; it can be called off for seven days."""
        return erasure.ask(actor=self.actor, client_id=id).client_id


class KeepRecord(ErasureEndpoint):
    policy = Policy.CLIENT

    @acts(ErasureShape)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Call the erasure off."""
        return erasure.cancel(actor=self.actor, client_id=id).client_id


def _asked(row: Erasure | None) -> dict[str, Any]:
    return {"asked_at": row.asked_at if row else None, "due_at": row.due_at if row else None}


def _outlook(found: erasure.Outlook) -> dict[str, Any]:
    return {
        "held_until": found.held_until,
        "holders": list(found.holders),
        "account_goes": found.account_goes,
        "lines": [
            {"what": line.what, "count": line.count, "fate": line.fate.value}
            for line in found.lines
        ],
    }
