"""Holds a JSON body to the oracle's keys, to the last one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.matrix.oracle.consent import NOTHING, Part, Parts
from tests.matrix.oracle.shapes import (
    RECORD,
    WITHHELD,
    AtLeast,
    Fields,
    Maybe,
    OrWithheld,
    Rows,
    Shape,
)


def differences(shape: Shape, body: Any, withheld: Parts = NOTHING, at: str = "") -> Iterator[str]:
    """Where a body has other keys than its shape. `withheld`: parts of a record that say so."""
    match shape:
        case Maybe(inner):
            if body is not None:
                yield from differences(inner, body, at=at)
        case OrWithheld(inner):
            if not (isinstance(body, dict) and body.keys() == WITHHELD.keys()):
                yield from differences(inner, body, at=at)
        case AtLeast(always, more):
            there = {key: more[key] for key in more if isinstance(body, dict) and key in body}
            yield from differences({**always, **there}, body, at=at)
        case Rows():
            if not (isinstance(body, list) and all(isinstance(each, dict) for each in body)):
                yield f"{at} is no list of rows"
        case Fields():
            for name, texts in body.items():
                if not all(isinstance(each, str) for each in texts):
                    yield f"{at}.{name} is no list of words"
        case [inner]:
            if not isinstance(body, list):
                yield f"{at} is no list"
                return
            for number, each in enumerate(body):
                yield from differences(inner, each, at=f"{at}[{number}]")
        case {}:
            yield from _values(shape, body, withheld, at)


def _values(shape: Shape, body: Any, withheld: Parts, at: str) -> Iterator[str]:
    assert isinstance(shape, dict)
    if not shape:
        if isinstance(body, dict | list):
            yield f"{at} has something below it"
        return
    if not isinstance(body, dict):
        yield f"{at} is no object"
        return
    if body.keys() != shape.keys():
        yield f"{at} has the keys {sorted(body.keys() ^ shape.keys())} too many or too few"
    for key in shape.keys() & body.keys():
        inner, value = shape[key], body[key]
        if shape is RECORD and key in set(Part):
            said = value == {"withheld": key}
            if said != (Part(key) in withheld):
                yield f"{key} is {'' if said else 'not '}withheld"
            if said:
                continue
        yield from differences(inner, value, at=f"{at}.{key}")
