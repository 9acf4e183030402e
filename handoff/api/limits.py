"""How often one person may ask for something; counted where the pages count the same."""

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from handoff.core import attempts


class Limit(SimpleRateThrottle):
    """One named limit, per account, or per address for somebody not signed in."""

    def __init__(self, name: str) -> None:
        self.name = name

    def allow_request(self, request: Request, view: APIView) -> bool:
        who = str(request.user.pk or attempts.network(self.get_ident(request)))
        return attempts.take(self.name, who) is not None

    def wait(self) -> float | None:
        """A limit does not say when it ends to those who probe it."""
        return None
