"""JSON bodies, read within bounds and without ambiguity."""

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

LARGEST_BODY_BYTES = 1_000_000


class BodyTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"A body may have {LARGEST_BODY_BYTES:,} bytes at most."
    default_code = "body_too_large"


class JsonBodyParser(BaseParser):
    """One JSON value in UTF-8. A key given twice, NaN and Infinity are refused."""

    media_type = "application/json"
    largest = LARGEST_BODY_BYTES

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        raw = stream.read(self.largest + 1)
        if len(raw) > self.largest:
            raise BodyTooLarge(f"A body may have {self.largest:,} bytes here at most.")
        try:
            return json.loads(
                raw.decode("utf-8"), object_pairs_hook=_without_twins, parse_constant=_no_constant
            )
        except (ValueError, RecursionError):
            # The parser's own message quotes what was sent.
            raise ParseError("The body is not valid JSON.") from None


class FileBodyParser(JsonBodyParser):
    """The same for a body that carries a file in base64: 10 MB of it, and the rest."""

    largest = 13_600_000


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
