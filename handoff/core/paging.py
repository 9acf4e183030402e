"""Pages by key: stable while rows arrive, and as fast on page 400 as on page 1.

A cursor says "after this row", not "after this many rows". It is encrypted, because the values it
holds can be names and dates, and addresses end up in logs and histories.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db.models import Field, Model, Q, QuerySet

from handoff.core.errors import Invalid

M = TypeVar("M", bound=Model)
V = TypeVar("V")

COUNTED_UP_TO = 1000


@dataclass(frozen=True, slots=True)
class Page(Generic[V]):
    """Some rows, and the cursors of their neighbours (None at either end)."""

    items: list[V]
    next: str | None
    previous: str | None

    @property
    def has_neighbours(self) -> bool:
        return self.next is not None or self.previous is not None


@dataclass(frozen=True, slots=True)
class Count:
    """How many, counted no further than anybody needs to know."""

    value: int
    capped: bool

    def __str__(self) -> str:
        return f"{self.value:,}+" if self.capped else f"{self.value:,}"


def capped_count(queryset: QuerySet[Any], *, up_to: int = COUNTED_UP_TO) -> Count:
    """Count at most `up_to` rows; a long list says `1,000+` without reading all of itself."""
    found = queryset.order_by()[: up_to + 1].count()
    return Count(value=min(found, up_to), capped=found > up_to)


def keyset_page(
    queryset: QuerySet[M],
    *,
    order: Sequence[str] = ("-sent_at", "-id"),
    cursor: str | None = None,
    size: int = 25,
) -> Page[M]:
    """One page of `queryset` in `order`, at `cursor`; raises Invalid for a cursor not ours.

    `order` names columns or annotations that are never null and ends with a unique one: with equal
    keys, rows would be skipped. Takes one query (two on the way back to the very first page).
    """
    order = tuple(order)
    backwards, anchor = _open(cursor, queryset, order) if cursor else (False, None)
    walked = _reversed(order) if backwards else order
    rows = queryset.order_by(*walked)
    if anchor is not None:
        rows = rows.filter(_beyond(walked, anchor))
    found = list(rows[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        if not more:
            # Rows before us have gone or are few: a full first page beats a short stub.
            return keyset_page(queryset, order=order, size=size)
        found.reverse()
    has_next = True if backwards else more
    has_previous = more if backwards else anchor is not None
    return Page(
        items=found,
        next=_seal("next", found[-1], order) if has_next and found else None,
        previous=_seal("previous", found[0], order) if has_previous and found else None,
    )


def sequence_page(
    values: Sequence[V], *, key: Callable[[V], str], cursor: str | None = None, size: int = 25
) -> Page[V]:
    """One page of values that are already at hand, in the order they have; keys are unique.

    For short lists that leave as one piece. Raises Invalid for a cursor not ours; a cursor whose
    value has gone starts over.
    """
    start, end = 0, size
    if cursor:
        held = _unseal(cursor, ["sequence"])
        backwards, (anchor,) = held["d"] == "previous", held["v"]
        place = next((n for n, value in enumerate(values) if key(value) == anchor), None)
        if place is not None:
            start = max(0, place - size) if backwards else place + 1
            end = max(place, size) if backwards else start + size
    found = list(values[start:end])
    return Page(
        items=found,
        next=_sealed("next", ["sequence"], [key(found[-1])])
        if found and end < len(values)
        else None,
        previous=_sealed("previous", ["sequence"], [key(found[0])]) if found and start else None,
    )


def _reversed(order: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)


def _beyond(order: tuple[str, ...], anchor: Sequence[Any]) -> Q:
    """Rows after `anchor`: (a > A) or (a = A and b > B) or ..., each in its own direction."""
    beyond = Q()
    equal = Q()
    for name, value in zip(order, anchor, strict=True):
        column, comparison = (name[1:], "lt") if name.startswith("-") else (name, "gt")
        beyond |= equal & Q(**{f"{column}__{comparison}": value})
        equal &= Q(**{column: value})
    return beyond


def _seal(direction: str, row: Model, order: tuple[str, ...]) -> str:
    return _sealed(
        direction, list(order), [_as_text(_value(row, name.lstrip("-"))) for name in order]
    )


def _sealed(direction: str, order: list[str], values: list[str]) -> str:
    plain = json.dumps({"o": order, "d": direction, "v": values}).encode()
    return _box().encrypt(plain).decode().rstrip("=")


def _open(
    cursor: str, queryset: QuerySet[Any], order: tuple[str, ...]
) -> tuple[bool, tuple[Any, ...]]:
    held = _unseal(cursor, list(order))
    values = tuple(
        _column(queryset, name.lstrip("-")).to_python(text)
        for name, text in zip(order, held["v"], strict=True)
    )
    return held["d"] == "previous", values


def _unseal(cursor: str, order: list[str]) -> dict[str, Any]:
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        held: dict[str, Any] = json.loads(_box().decrypt(padded.encode()))
    except (InvalidToken, ValueError):
        raise Invalid("This page of the list is not available. Start from the first.") from None
    if held["o"] != order:
        raise Invalid("This page belongs to a list in another order. Start from the first.")
    return held


def _value(row: Model, name: str) -> Any:
    value: Any = row
    for part in name.split("__"):
        value = getattr(value, part)
    if value is None:
        raise ValueError(f"Cannot page by {name}: it can be null.")
    return value


def _as_text(value: Any) -> str:
    match value:
        case date() | datetime():
            return value.isoformat()
        case str() | int() | UUID() | Decimal():
            return str(value)
        case _:
            raise TypeError(f"Cannot page by a {type(value).__name__}.")


def _column(queryset: QuerySet[Any], name: str) -> "Field[Any, Any]":
    """The field that turns a cursor's text back into a value to compare with."""
    if name in queryset.query.annotations:
        return queryset.query.annotations[name].output_field
    *path, last = name.split("__")
    model = queryset.model
    for part in path:
        model = model._meta.get_field(part).related_model
    field = model._meta.pk if last == "pk" else model._meta.get_field(last)
    if not isinstance(field, Field):
        raise TypeError(f"Cannot page by {name}: it is not a column.")
    return field


def _box() -> MultiFernet:
    """Boxes made of the site's secrets: the first seals, the older ones still open."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        [
            Fernet(
                base64.urlsafe_b64encode(
                    hashlib.sha256(b"handoff.paging\0" + key.encode()).digest()
                )
            )
            for key in secrets
        ]
    )
