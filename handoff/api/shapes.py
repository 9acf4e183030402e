"""Bases of what comes in and what goes out. They know types and lengths, never rules."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

MOST_PER_PAGE = 100
PER_PAGE = 25


class Strict(serializers.Serializer[Any]):
    """Input that may hold the declared keys and no other."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if not unknown:
            return super().to_internal_value(data)
        # `unknown` are names somebody sent: cut, so that an answer cannot be made to carry much.
        errors: dict[str, Any] = {name[:60]: ["There is no such entry."] for name in unknown}
        try:
            super().to_internal_value(data)
        except serializers.ValidationError as error:
            errors |= error.detail if isinstance(error.detail, dict) else {}
        raise serializers.ValidationError(errors)


class Body(Strict):
    """The JSON object of a POST or PATCH; it says itself what may be left out."""


class Query(Strict):
    """What may follow the question mark. A key misspelled must not widen a list: refused."""


class ListQuery(Query):
    """Every list can be read page by page."""

    cursor = serializers.CharField(
        required=False, max_length=2000, help_text="From `next` or `previous` of another page."
    )
    page_size = serializers.IntegerField(
        required=False, default=PER_PAGE, min_value=1, max_value=MOST_PER_PAGE
    )


class Shape(serializers.Serializer[Any]):
    """What an answer looks like. Describes it for the OpenAPI file; answers are built by hand."""


class WordList(serializers.CharField):
    """Several words in one parameter, with commas between them."""

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        return [word.strip() for word in text.split(",") if word.strip()]


class Number(serializers.DecimalField):
    """A JSON number with at most two decimals; arrives as a Decimal."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=8, decimal_places=2, coerce_to_string=False, **kwargs)


class ProblemShape(Shape):
    """RFC 9457. `errors` names the field for each complaint; "" is the whole body."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]  # a declared field, collected away
        child=serializers.ListField(child=serializers.CharField()), required=False
    )
    withheld = serializers.CharField(
        required=False, help_text="With `not-shared`: the class the client does not share."
    )
