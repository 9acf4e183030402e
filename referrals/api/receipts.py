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


class ReceiptHeadShape(Shape):
    """Which receipt this is; it changes with what was agreed to last."""

    receipt_id = serializers.CharField()
    schema_version = serializers.CharField()
    language = serializers.CharField()


class ReceiptRecordShape(Shape):
    """Which record it is taken from."""

    record_id = serializers.UUIDField()
    schema_version = serializers.CharField()
    pii_principal_id = serializers.UUIDField()


class ReceiptQuestionShape(Shape):
    """One part as it was asked about."""

    pii_type = serializers.ChoiceField(choices=Scope.choices)
    title = serializers.CharField()
    question = serializers.CharField()
    meaning = serializers.CharField()


class ReceiptWordsShape(Shape):
    """All that was read before answering."""

    purpose = serializers.CharField()
    parts = ReceiptQuestionShape(many=True)
    never_shared = serializers.ListField(child=serializers.CharField())
    if_you_say_no = serializers.ListField(child=serializers.CharField())
    if_you_change_your_mind = serializers.ListField(child=serializers.CharField())
    redisclosure = serializers.CharField()
    copy = serializers.CharField()


class ReceiptNoticeShape(Shape):
    """The notice of that time; the hash is over its words with the names left open."""

    version = serializers.CharField()
    sha256 = serializers.CharField()
    text = ReceiptWordsShape()


class ReceiptPartShape(Shape):
    """One part that was agreed to, in the words of the notice."""

    pii_type = serializers.ChoiceField(choices=Scope.choices)
    title = serializers.CharField()
    meaning = serializers.CharField()
    special_pii_category = serializers.CharField()


class ReceiptPurposeShape(Shape):
    """What for, which parts, from whom to whom, until when."""

    purpose = serializers.CharField()
    lawful_basis = serializers.CharField()
    pii_information = ReceiptPartShape(many=True)
    pii_controllers = serializers.ListField(child=serializers.UUIDField())
    recipient_third_parties = serializers.ListField(child=serializers.UUIDField())
    collection_method = serializers.CharField()
    processing_method = serializers.CharField()
    valid_from = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    withdrawal_method = serializers.ListField(child=serializers.CharField())
    conditions = serializers.CharField()
    jurisdiction = serializers.CharField()


class ReceiptProcessingShape(Shape):
    privacy_notice = ReceiptNoticeShape()
    language = serializers.CharField()
    purposes = ReceiptPurposeShape(many=True)


class ReceiptPartyShape(Shape):
    """Whom an id in the other sections means."""

    party_id = serializers.UUIDField()
    party_role = serializers.CharField()
    party_name = serializers.CharField()
    party_type = serializers.CharField(required=False)
    party_organization = serializers.CharField(required=False)


class ReceiptEntityShape(Shape):
    """Who said so, and on what ground; nobody where the system did."""

    entity_id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(allow_blank=True)
    authority = serializers.ChoiceField(choices=ConsentEvent.Authority.choices)


class ReceiptEvidenceShape(Shape):
    """The entry of the ledger that shows it."""

    ledger = serializers.CharField()
    number = serializers.IntegerField()
    hash = serializers.CharField()


class ReceiptEventShape(Shape):
    """What was said, and what the consent was from then on."""

    event_time = serializers.DateTimeField()
    event_type = serializers.ChoiceField(choices=ConsentEvent.Kind.choices)
    event_state = serializers.CharField()
    entity = ReceiptEntityShape()
    pii_types = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    validity_until = serializers.DateTimeField(allow_null=True)
    evidence = ReceiptEvidenceShape()


class ReceiptShape(Shape):
    """What was agreed to last. Sections and fields follow ISO/IEC TS 27560:2023."""

    receipt = ReceiptHeadShape()
    record = ReceiptRecordShape()
    pii_processing = ReceiptProcessingShape()
    party_identification = ReceiptPartyShape(many=True)
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
