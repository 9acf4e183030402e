"""A part of an answer that is content or said to be withheld; never left out, never empty."""

# drf-spectacular declares no types.
# mypy: disallow-untyped-calls=False

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from clients.scopes import Scope
from handoff.api.shapes import Shape
from referrals.packets import Withheld

View = TypeVar("View")


class WithheldShape(Shape):
    """The class exists and the client does not share it with you. Not the same as empty."""

    withheld = serializers.ChoiceField(choices=Scope.choices)


class Part(serializers.Field[Any, Any, Any, Any]):
    """Content of one shape, or the note that it is withheld."""

    def __init__(self, content: serializers.Field[Any, Any, Any, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.content = content


class PartExtension(OpenApiSerializerFieldExtension):
    target_class = "referrals.api.parts.Part"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        content = auto_schema._map_serializer_field(self.target.content, direction)
        withheld = auto_schema._map_serializer_field(WithheldShape(), direction)
        return {"oneOf": [content, withheld]}


def part(found: View | Withheld, answer: Callable[[View], Any]) -> Any:
    """The answer for a part, or `{"withheld": "<class>"}`."""
    if isinstance(found, Withheld):
        return {"withheld": found.scope.value}
    return answer(found)


def each_of(answer: Callable[[View], dict[str, Any]]) -> Callable[[Iterable[View]], list[Any]]:
    """`answer` for every one of several."""
    return lambda views: [answer(view) for view in views]
