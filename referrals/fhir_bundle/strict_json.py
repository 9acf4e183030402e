"""Open a file that may be hostile as strict JSON, and read from it without ever raising.

`load` refuses, in one line that quotes nothing from the file, whatever JSON readers disagree on
(a key given twice, NaN, half a surrogate pair) and whatever grows out of proportion.
The readers below it are total: a value of another type than expected reads as absent.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterator
from typing import NoReturn, TypeAlias

from handoff.core.errors import Invalid

Json: TypeAlias = dict[str, object]

MAX_BYTES = 50 * 1024 * 1024
MAX_VALUES = 3_000_000
"""Objects, lists and list members. Fifty megabytes of `[],` would need gigabytes of memory."""
MAX_DEPTH = 40
MAX_DIGITS = 40

MAX_TEXT = 4000
"""Characters of one text that are read; whatever is stored is shorter by far."""

_SURROGATE = re.compile("[\ud800-\udfff]")
# Characters that reorder or hide the text around them: in a name they can only mislead.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def load(raw: bytes) -> Json:
    """The object in `raw`, or Invalid with one line that says why not."""
    if len(raw) > MAX_BYTES:
        raise Invalid(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.")
    if sum(raw.count(mark) for mark in (b"{", b"[", b",")) > MAX_VALUES:
        raise Invalid("The file holds too many values.")
    try:
        found: object = json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=_once_each,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except UnicodeDecodeError:
        raise Invalid("The file is not UTF-8 text.") from None
    except json.JSONDecodeError as error:
        raise Invalid(f"The file is not JSON (line {error.lineno}).") from None
    except RecursionError:
        raise Invalid("The file is nested too deeply.") from None
    _check(found)
    if not isinstance(found, dict):
        raise Invalid("The file is not a FHIR Bundle.")
    return found


def _once_each(pairs: list[tuple[str, object]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Invalid("The file gives the same key twice in one object.")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise Invalid("The file holds NaN or Infinity, which JSON does not have.")


def _finite(digits: str) -> float:
    number = float(digits) if len(digits) <= MAX_DIGITS else math.inf
    if not math.isfinite(number):
        raise Invalid("The file holds a number out of all range.")
    return number


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise Invalid("The file holds a number out of all range.")
    return int(digits)


def _check(found: object) -> None:
    """Refuse depth and characters the database or a terminal cannot take; no recursion here."""
    open_levels: list[Iterator[object]] = [iter((found,))]
    while open_levels:
        for value in open_levels[-1]:
            if isinstance(value, str):
                _check_text(value)
            elif isinstance(value, dict):
                for key in value:
                    _check_text(key)
                open_levels.append(iter(value.values()))
                break
            elif isinstance(value, list):
                open_levels.append(iter(value))
                break
        else:
            open_levels.pop()
        if len(open_levels) > MAX_DEPTH + 1:
            raise Invalid("The file is nested too deeply.")


def _check_text(value: str) -> None:
    if "\x00" in value:
        raise Invalid("The file holds a NUL character.")
    if not value.isascii() and _SURROGATE.search(value):
        raise Invalid("The file holds half a surrogate pair.")


def clean(value: str) -> str:
    """`value` on one line, composed, without control or text-reordering characters."""
    kept = "".join(
        " " if letter.isspace() else letter
        for letter in unicodedata.normalize("NFC", value)
        if letter.isspace() or (unicodedata.category(letter) != "Cc" and letter not in _BIDI)
    )
    return " ".join(kept.split())


def text(source: Json, key: str) -> str:
    """The cleaned string under `key`, or "" when there is none."""
    value = source.get(key)
    return clean(value[:MAX_TEXT]) if isinstance(value, str) else ""


def child(source: Json, key: str) -> Json:
    """The object under `key`, or an empty one."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def children(source: Json, key: str) -> list[Json]:
    """The objects in the list under `key`; members of another type are left out."""
    value = source.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
