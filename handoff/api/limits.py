"""How often one person may ask for something; counted in PostgreSQL, like the login's limits."""

from typing import Final

from rest_framework.throttling import SimpleRateThrottle

RATES: Final[dict[str, str]] = {
    "search": "60/min",
    "token": "30/min",
    "invitation": "20/day",
}


class Limit(SimpleRateThrottle):
    """One named limit, per account, or per address for somebody not signed in."""

    def __init__(self, name: str) -> None:
        self.scope = self.name = name
        super().__init__()

    def get_rate(self) -> str:
        return RATES[self.name]

    def get_cache_key(self, request: object, view: object) -> str:
        user = getattr(request, "user", None)
        who = user.pk if user is not None and user.is_authenticated else None
        ident = str(who) if who else self.get_ident(request)  # type: ignore[arg-type]  # a Request
        return self.cache_format % {"scope": self.scope, "ident": ident}
