"""A browser for thousands of requests."""

from typing import Any

from django.test import Client as Browser


class Asker(Browser):
    """A browser that hands on the answer and keeps nothing of how it was made, which is quicker."""

    def request(self, **request: Any) -> Any:
        environ = self._base_environ(**request)  # type: ignore[attr-defined]  # not declared
        return self.handler(environ)
