"""`clients/{id}/wishes/` and `wishes/{id}/take-back/`: whom a client would like."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from clients.api.base import Endpoint
from clients.api.people import ProfessionalBriefShape, professional_brief
from clients.models import Professional
from handoff.api.operations import acts, reads
from handoff.api.shapes import Body, Shape
from handoff.core.errors import NotVisible
from handoff.core.policy import Policy
from referrals import wishes
from referrals.models import Wish


class WishBody(Body):
    """Somebody who is in the directory."""

    professional_id = serializers.UUIDField()


class WishShape(Shape):
    """A wish that stands: one of each trade at most."""

    id = serializers.UUIDField()
    client = serializers.UUIDField()
    role = serializers.ChoiceField(choices=Professional.Role.choices)
    professional = ProfessionalBriefShape()
    wished_at = serializers.DateTimeField()


class WishesShape(Shape):
    """All that stand: one for a therapist and one for a trainer at most."""

    wishes = WishShape(many=True)


class Wishes(Endpoint):
    policy = Policy.SIGNED_IN

    @reads(WishesShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """Whom this client would like now.

        For the client's side and for who treats them; whoever it names does not learn of it.
        """
        found = wishes.open_wishes(actor=self.actor, client_id=id)
        return {"wishes": [_answer(each) for each in found]}

    @acts(WishShape, body=WishBody, status=201, policy=Policy.CLIENT)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """I would like this one, in the place of an earlier wish of the same trade."""
        return wishes.wish(
            actor=self.actor, client_id=id, professional_id=body["professional_id"]
        ).pk

    def show(self, pk: str) -> dict[str, Any]:
        found = wishes.open_wishes(actor=self.actor, client_id=self.kwargs["id"])
        for each in found:
            if str(each.pk) == pk:
                return _answer(each)
        raise NotVisible


class TakeBackWish(Endpoint):
    policy = Policy.CLIENT

    @acts(None)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """I would not any more."""
        return wishes.take_back(actor=self.actor, wish_id=id).pk


def _answer(row: Wish) -> dict[str, Any]:
    return {
        "id": row.pk,
        "client": row.client_id,
        "role": row.role,
        "professional": professional_brief(row.professional),
        "wished_at": row.wished_at,
    }
