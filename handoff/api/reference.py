"""The description, arranged for people: what the docs page shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from .problems import TITLES
from .schema import description

_METHODS = ("get", "post", "put", "patch", "delete")
_MOST_VALUES = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a body or an answer, or one parameter."""

    name: str
    kind: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    text: str
    shape: str


@dataclass(frozen=True, slots=True)
class Call:
    """One operation."""

    anchor: str
    method: str
    path: str
    summary: str
    text: str
    parameters: tuple[Entry, ...]
    body: tuple[Entry, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class ShapeEntry:
    name: str
    text: str
    fields: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    groups: tuple[tuple[str, tuple[Call, ...]], ...]
    shapes: tuple[ShapeEntry, ...]
    problems: tuple[tuple[str, str], ...]


@cache
def reference() -> Reference:
    """Operations by their first word, then the shapes they name, then the kinds of problems."""
    schema = description()
    groups: dict[str, list[Call]] = {}
    for path, methods in schema["paths"].items():
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                groups.setdefault(operation["tags"][0], []).append(
                    _call(schema, path, method, operation)
                )
    components: Mapping[str, Any] = schema["components"]["schemas"]
    return Reference(
        groups=tuple((name, tuple(calls)) for name, calls in groups.items()),
        shapes=tuple(
            ShapeEntry(name, _flat(each.get("description", "")), tuple(_fields(each)))
            for name, each in components.items()
            if not name.endswith("Request") and "properties" in each
        ),
        problems=tuple(TITLES.items()),
    )


def _call(schema: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> Call:
    body: tuple[Entry, ...] = ()
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]["schema"]
        body = tuple(_fields(_resolved(schema, content)))
    return Call(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        text=operation["description"],
        parameters=tuple(
            Entry(
                each["name"],
                _kind(each.get("schema", {})),
                each.get("required", False),
                each.get("description", ""),
            )
            for each in operation.get("parameters", ())
        ),
        body=body,
        answers=tuple(
            Answer(status, answer.get("description", ""), _shape_of(answer))
            for status, answer in operation["responses"].items()
        ),
    )


def _fields(component: Mapping[str, Any]) -> Iterator[Entry]:
    required = component.get("required", ())
    for name, field in component.get("properties", {}).items():
        yield Entry(name, _kind(field), name in required, _flat(field.get("description", "")))


def _kind(field: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    for several in ("allOf", "oneOf", "anyOf"):
        if several in field:
            return " or ".join(dict.fromkeys(_kind(each) for each in field[several]))
    if "enum" in field:
        values = [str(each) for each in field["enum"] if each not in ("", None)]
        more = ", ..." if len(values) > _MOST_VALUES else ""
        return "one of " + ", ".join(values[:_MOST_VALUES]) + more
    kind = field.get("type", "anything")
    if isinstance(kind, list):
        kind = " or ".join(kind)
    if kind == "array":
        return f"list of {_kind(field.get('items', {}))}"
    return f"{kind} ({field['format']})" if "format" in field else str(kind)


def _shape_of(answer: Mapping[str, Any]) -> str:
    for media in answer.get("content", {}).values():
        return _kind(media.get("schema", {}))
    return ""


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        node = schema["components"]["schemas"][str(node["$ref"]).rsplit("/", 1)[-1]]
    return node


def _flat(text: str) -> str:
    # drf-spectacular lists the labels of a choice below its text.
    return " ".join(line.strip() for line in text.splitlines() if line.strip())
