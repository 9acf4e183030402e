"""The smallest application, to ask the server in front of it."""

from collections.abc import Callable, Iterable
from typing import Any


def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"here"]
