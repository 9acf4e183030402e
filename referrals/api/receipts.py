"""`consents/{id}/receipt/`: what was agreed to, to keep."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from clients.access import own_client
from clients.api.base import Endpoint
from clients.models import ConsentEvent
from clients.receipts import receipt_for
from clients.scopes import Scope
from handoff.api.operations import reads
from handoff.api.shapes import Shape
from handoff.core.policy import Policy
from referrals import receipts, sharing


class ReceiptPartyShape(Shape):
    """One side."""

    name = serializers.CharField()
    role = serializers.CharField()
    practice = serializers.CharField()


# `class` cannot be written as an attribute.
ReceiptClassShape: type[Shape] = type(
    "ReceiptClassShape",
    (Shape,),
    {
        "__doc__": "One class that was agreed to, in the words of the notice.",
        "class": serializers.ChoiceField(choices=Scope.choices),
        "title": serializers.CharField(),
        "meaning": serializers.CharField(),
    },
)


class ReceiptNoticeShape(Shape):
    """Which words were shown; the hash is over all of them."""

    version = serializers.CharField()
    sha256 = serializers.CharField()


class ReceiptEventShape(Shape):
    """One entry of the consent ledger."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    event = serializers.ChoiceField(choices=ConsentEvent.Kind.choices)
    classes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    authority = serializers.ChoiceField(choices=ConsentEvent.Authority.choices)
    hash = serializers.CharField()


class ReceiptShape(Shape):
    """What was agreed to last. Entries follow ISO/IEC TS 27560."""

    schema = serializers.CharField()
    receipt_id = serializers.CharField()
    consent_id = serializers.UUIDField()
    language = serializers.CharField()
    jurisdiction = serializers.CharField()
    principal = serializers.CharField()
    controller = ReceiptPartyShape()
    recipients = ReceiptPartyShape(many=True)
    purposes = serializers.ListField(child=serializers.CharField())
    data_classes = ReceiptClassShape(many=True)
    granted_by = serializers.CharField()
    authority = serializers.ChoiceField(choices=ConsentEvent.Authority.choices)
    collection_method = serializers.CharField()
    valid_from = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    notice = ReceiptNoticeShape()
    withdrawal = serializers.ListField(child=serializers.CharField())
    conditions = serializers.CharField()
    redisclosure = serializers.CharField()
    events = ReceiptEventShape(many=True)


class ConsentReceipt(Endpoint):
    policy = Policy.CLIENT

    @reads(ReceiptShape, stale=True)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """What was agreed to last, to keep. For the client and those who act for them.

        The same values as the file on the page of the consent.
        """
        consent = sharing.consent_for(self.actor, id)
        own_client(self.actor, consent.client_id)
        return receipts.as_data(receipt_for(consent))
