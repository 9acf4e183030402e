"""`clients/{id}/letters/` and `letters/{id}/`: letters from doctors, with their files.

A file comes and goes inside the JSON, as base64: there it is data and nothing else.
"""

import base64
import binascii
from typing import Any
from uuid import UUID

from rest_framework import serializers

from clients.api.base import Endpoint
from handoff.api.operations import Operation, acts, lists, reads
from handoff.api.parsers import FileBodyParser
from handoff.api.shapes import Body, Shape
from handoff.core.errors import Invalid, NotVisible
from handoff.core.files.accepting import accept
from handoff.core.files.kinds import Kind
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals import letters
from referrals.letters import LetterView
from referrals.models import Letter

MEDIA_TYPES = [(kind.media_type, kind.media_type) for kind in Kind]
ADDED_AS = [(each.value, each.value) for each in Letter.AddedAs]


class LetterBody(Body):
    """One letter, for one therapist who treats or treated the client."""

    therapist_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Letter.Kind.choices)
    author = serializers.CharField(max_length=120, help_text="Who wrote it.")
    dated_on = serializers.DateField()
    file_name = serializers.CharField(
        max_length=255, help_text="Only its ending is looked at; it is not kept."
    )
    media_type = serializers.ChoiceField(choices=MEDIA_TYPES)
    content = serializers.CharField(
        max_length=FileBodyParser.largest, help_text="The file in base64, 10 MB at most."
    )


class LetterShape(Shape):
    """What a letter is. Its file has an address of its own."""

    id = serializers.UUIDField()
    client = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Letter.Kind.choices)
    author = serializers.CharField()
    dated_on = serializers.DateField()
    therapist = serializers.CharField(help_text="Whom it was handed in for.")
    added_as = serializers.ChoiceField(choices=ADDED_AS)
    added_at = serializers.DateTimeField()
    mine = serializers.BooleanField(help_text="I added it, and may remove it.")


class LetterFileShape(Shape):
    """The file as we keep it: rewritten, without what it told about its maker."""

    media_type = serializers.ChoiceField(choices=MEDIA_TYPES)
    content = serializers.CharField(help_text="In base64.")


class Letters(Endpoint):
    policy = Policy.SIGNED_IN
    parser_classes = (FileBodyParser,)
    most_bytes = FileBodyParser.largest

    @lists(LetterShape)
    def get(self, query: dict[str, Any], id: UUID) -> Page[dict[str, Any]]:
        """The letters I may know of, newest first.

        For the client's side and the therapist each was handed in for. A trainer reads none.
        """
        found = letters.letters(actor=self.actor, client_id=id)
        page = self.values(found, query, key=lambda each: str(each.id))
        return Page([_answer(each) for each in page.items], page.next, page.previous)

    @acts(LetterShape, body=LetterBody, status=201)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Hand in a letter. PDF, JPEG or PNG, which is rewritten before it is kept."""
        values = {**body, "pt": body["therapist_id"]}
        try:
            row = letters.hand_in(
                actor=self.actor, client_id=id, values=values, letter=body["content"]
            )
        except Invalid as refused:
            raise Invalid(_as_sent(refused)) from None
        return row.pk

    def read_body(self, operation: Operation) -> dict[str, Any]:
        """Cleans the file before the change begins: it takes longer than a transaction may."""
        letters.therapists_for(actor=self.actor, client_id=self.kwargs["id"])
        body = super().read_body(operation)
        try:
            data = base64.b64decode(body["content"], validate=True)
        except (binascii.Error, ValueError):
            raise Invalid({"content": ["This is not base64."]}) from None
        try:
            cleaned = accept(name=body["file_name"], declared=body["media_type"], data=data)
        except Invalid as refused:
            raise Invalid(_as_sent(refused)) from None
        return {**body, "content": cleaned}

    def show(self, pk: str) -> dict[str, Any]:
        found = letters.letters(actor=self.actor, client_id=self.kwargs["id"])
        for each in found:
            if str(each.id) == pk:
                return _answer(each)
        raise NotVisible


class OneLetterFile(Endpoint):
    policy = Policy.SIGNED_IN

    @reads(LetterFileShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """The letter itself. Entered in the access ledger as downloaded."""
        found = letters.letter_file(actor=self.actor, letter_id=id)
        return {
            "media_type": found.kind.media_type,
            "content": base64.b64encode(found.data).decode(),
        }


class RemoveLetter(Endpoint):
    policy = Policy.SIGNED_IN

    @acts(None)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Destroy a letter that I added and that should not be here."""
        return letters.remove(actor=self.actor, letter_id=id).pk


def _as_sent(refused: Invalid) -> dict[str, list[str]]:
    names = {"file": "content", "pt": "therapist_id"}
    return {names.get(field, field): texts for field, texts in refused.errors.items()}


def _answer(view: LetterView) -> dict[str, Any]:
    return {
        "id": view.id,
        "client": view.client_id,
        "kind": view.kind,
        "author": view.author,
        "dated_on": view.dated_on,
        "therapist": view.pt_name,
        "added_as": view.added_as,
        "added_at": view.added_at,
        "mine": view.is_mine,
    }
