"""What care and training cost. For the treating side and the client's side; no trainer reads it."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from rest_framework import serializers

from clients.api.base import Endpoint
from handoff.api.operations import acts, lists, reads
from handoff.api.shapes import Body, Shape
from handoff.core.errors import NotVisible
from handoff.core.paging import Page
from handoff.core.policy import Policy
from referrals import investment


def _dollars(**more: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=9, decimal_places=2, **more)


class CoverageBody(Body):
    """Who pays for an episode. Takes the place of what was noted."""

    payer = serializers.CharField(max_length=120)
    visits_authorized = serializers.IntegerField(
        min_value=0, max_value=investment.MOST_VISITS, required=False, allow_null=True
    )
    visits_used = serializers.IntegerField(
        min_value=0, max_value=investment.MOST_VISITS, required=False
    )
    authorized_until = serializers.DateField(required=False, allow_null=True)
    cost_per_visit = _dollars(
        required=False, allow_null=True, min_value=0, help_text="The client's own part, in dollars."
    )


class CoverageShape(Shape):
    """Who pays for one episode, and how much is left."""

    episode_id = serializers.UUIDField()
    pt_name = serializers.CharField()
    payer = serializers.CharField()
    visits_authorized = serializers.IntegerField(allow_null=True)
    visits_used = serializers.IntegerField()
    visits_left = serializers.IntegerField(allow_null=True)
    authorized_until = serializers.DateField(allow_null=True)
    cost_per_visit = _dollars(allow_null=True)
    paid_so_far = _dollars(allow_null=True)
    changed_at = serializers.DateTimeField()


class PackageBody(Body):
    """Sessions that the client paid for."""

    provider = serializers.CharField(max_length=120)
    sessions_bought = serializers.IntegerField(min_value=1, max_value=investment.MOST_SESSIONS)
    sessions_used = serializers.IntegerField(
        min_value=0, max_value=investment.MOST_SESSIONS, required=False
    )
    price = _dollars(required=False, allow_null=True, min_value=0)
    bought_on = serializers.DateField(required=False, allow_null=True)
    valid_until = serializers.DateField(required=False, allow_null=True)


class PackageShape(Shape):
    """One package, as its owner noted it."""

    id = serializers.UUIDField()
    client_id = serializers.UUIDField()
    provider = serializers.CharField()
    sessions_bought = serializers.IntegerField()
    sessions_used = serializers.IntegerField()
    sessions_left = serializers.IntegerField()
    price = _dollars(allow_null=True)
    per_session = _dollars(allow_null=True)
    bought_on = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)


class EpisodeCoverage(Endpoint):
    policy = Policy.PT

    @reads(CoverageShape)
    def get(self, query: dict[str, Any], id: UUID) -> dict[str, Any]:
        """Who pays for an episode that I treat. 404 while nothing is noted."""
        return self.show(str(id))

    @acts(CoverageShape, body=CoverageBody)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Note who pays, in place of what was noted."""
        investment.set_coverage(actor=self.actor, episode_id=id, data=body)
        return id

    def show(self, pk: str) -> dict[str, Any]:
        found = investment.coverage(actor=self.actor, episode_id=UUID(pk))
        if found is None:
            raise NotVisible
        return asdict(found)


class Coverages(Endpoint):
    policy = Policy.SIGNED_IN

    @lists(CoverageShape)
    def get(self, query: dict[str, Any], id: UUID) -> Page[dict[str, Any]]:
        """Who pays for each therapy of a client, for their own side."""
        found = investment.costs(actor=self.actor, client_id=id)
        page = self.values(found.coverages, query, key=lambda each: str(each.episode_id))
        return Page([asdict(each) for each in page.items], page.next, page.previous)


class Packages(Endpoint):
    policy = Policy.SIGNED_IN

    @lists(PackageShape)
    def get(self, query: dict[str, Any], id: UUID) -> Page[dict[str, Any]]:
        """Sessions the client paid for: their own notes, the newest first."""
        found = investment.costs(actor=self.actor, client_id=id)
        page = self.values(found.packages, query, key=lambda each: str(each.id))
        return Page([asdict(each) for each in page.items], page.next, page.previous)

    @acts(PackageShape, body=PackageBody, status=201)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Note sessions that were paid for."""
        return investment.add_package(actor=self.actor, client_id=id, data=body).pk

    def show(self, pk: str) -> dict[str, Any]:
        return asdict(investment.package(actor=self.actor, package_id=UUID(pk)))


class UsePackage(Endpoint):
    policy = Policy.SIGNED_IN

    @acts(PackageShape)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """One more session took place."""
        return investment.use_session(actor=self.actor, package_id=id).pk

    def show(self, pk: str) -> dict[str, Any]:
        return asdict(investment.package(actor=self.actor, package_id=UUID(pk)))


class RemovePackage(Endpoint):
    policy = Policy.SIGNED_IN

    @acts(None)
    def post(self, body: dict[str, Any], id: UUID) -> UUID:
        """Throw one's own note away."""
        return investment.remove_package(actor=self.actor, package_id=id)
