"""The OpenAPI description, drawn from the declared operations. Nothing is described twice."""

# drf-spectacular declares no types.
# mypy: disallow-untyped-calls=False

from functools import cache
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from handoff.core.policy import Policy

from .operations import Operation, page_of
from .permissions import policies_of
from .problems import MEDIA_TYPE, TITLES
from .shapes import ProblemShape

_WHO: Final[dict[Policy, str]] = {
    Policy.PUBLIC: "everybody",
    Policy.SIGNED_IN: "everybody signed in",
    Policy.PROFESSIONAL: "professionals",
    Policy.PT: "physical therapists and their assistants",
    Policy.TRAINER: "trainers",
    Policy.CLIENT: "clients and guardians",
    Policy.STAFF: "administrators",
}


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "handoff.api.auth.BearerTokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal token from `POST /api/v1/tokens/`.",
        }


_paged = cache(page_of)


class ApiSchema(AutoSchema):
    """Reads `Operation` instead of guessing from querysets and serializers."""

    @property
    def operation(self) -> Operation:
        found = getattr(getattr(self.view, self.method.lower(), None), "operation", None)
        if not isinstance(found, Operation):
            raise TypeError(f"{type(self.view).__name__}.{self.method.lower()} is no operation")
        return found

    @property
    def who(self) -> Policy:
        """The narrowest policy of the operation."""
        policy = policies_of(self.view, self.method)[-1]
        assert policy is not None  # noqa: S101 (the walker test has looked)
        return policy

    def get_operation_id(self) -> str:
        words = [each for each in self.path.split("/") if each and "{" not in each][2:]
        base = "_".join(words).replace("-", "_")
        if self.method == "GET":
            return f"{base}_{'list' if self.operation.many else 'get'}"
        is_verb = len(words) > 1 and not self.path.rstrip("/").endswith("}")
        if self.method == "POST":
            return base if is_verb else f"{base}_create"
        verbs = {"PATCH": "update", "PUT": "replace", "DELETE": "delete"}
        return f"{base}_{verbs[self.method]}"

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def get_summary(self) -> str:
        return self._documented()[0]

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        rest = self._documented()[1]
        return f"{rest}\n\nFor {_WHO[self.who]}.".strip()

    def _documented(self) -> tuple[str, str]:
        doc = getattr(self.view, self.method.lower()).__doc__
        if not doc:
            raise TypeError(f"{type(self.view).__name__}.{self.method.lower()} says nothing")
        first, _, rest = doc.strip().partition("\n")
        lines = [line.strip() for line in rest.strip().splitlines()]
        return first.rstrip("."), "\n".join(lines)

    def get_auth(self) -> list[dict[str, Any]]:
        found = super().get_auth()
        if self.who is not Policy.PUBLIC:
            return found
        # Only somebody who is known repeats a request under a key: there one may sign in.
        return [{}, *found] if self.operation.repeatable else [{}]

    def get_request_serializer(self) -> Any:
        return self.operation.body

    def get_override_parameters(self) -> list[Any]:
        found: list[Any] = []
        if self.operation.query is not None and self.operation.query().fields:
            found.append(self.operation.query)
        if self.operation.repeatable:
            found.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    OpenApiTypes.STR,
                    OpenApiParameter.HEADER,
                    description=(
                        "Sent again within a day with the same body, the request is not done"
                        " again and answers as the first time; with another body it is a 409."
                    ),
                )
            )
        return found

    def get_response_serializers(self) -> Any:
        operation = self.operation
        if operation.answers is None:
            success: Any = OpenApiResponse(description="Done.")
        elif operation.many:
            success = OpenApiResponse(_paged(operation.answers)(), "One page.")
        else:
            success = OpenApiResponse(operation.answers(), "Done." if operation.body else "Found.")
        answers: dict[Any, Any] = {str(operation.status): success}
        if operation.body is not None and operation.status == 200:
            answers["204"] = OpenApiResponse(
                description="Done, and the thing is no longer visible to you."
            )
        for status, kinds in self._problems():
            text = "; ".join(f"`{kind}`: {TITLES[kind]}" for kind in kinds) + "."
            answers[(status, MEDIA_TYPE)] = OpenApiResponse(ProblemShape(), text)
        return answers

    def _problems(self) -> list[tuple[str, list[str]]]:
        operation, found = self.operation, {}
        if operation.body is not None or operation.query is not None:
            found["400"] = ["invalid", "malformed"] if operation.body else ["invalid"]
        if self.who is not Policy.PUBLIC or operation.body is not None:
            found["401"] = ["unauthenticated"]
        found["403"] = ["not-allowed"]
        if self.who is not Policy.PUBLIC:
            found["403"].append("second-factor")
        if operation.confirmed or operation.may_confirm:
            found["403"].append("reauthenticate")
        if "tokens" in self.path and self.who is Policy.PUBLIC:
            found["401"].append("second-factor")
            found["403"] = ["second-factor"]
        if "{" in self.path or self._names_something():
            found["404"] = ["not-found"]
        if operation.body is not None and self.who is not Policy.PUBLIC:
            found["409"] = ["stale", "conflict"]
        if self.method == "DELETE" or operation.stale:
            found["409"] = ["stale"]
        if operation.body is not None:
            found["413"], found["415"] = ["too-large"], ["media-type"]
        if operation.limit:
            found["429"] = ["throttled"]
        found["503"] = ["unavailable"]
        return sorted(found.items())

    def _names_something(self) -> bool:
        """Whether a body or a filter names another thing by its id."""
        shapes = [each for each in (self.operation.body, self.operation.query) if each is not None]
        fields = [field for shape in shapes for field in shape().fields.values()]
        return any(isinstance(field, serializers.UUIDField) for field in fields)

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        name = type(serializer).__name__
        return name.removesuffix("Shape").removesuffix("Body") or name

    def _get_request_for_media_type(self, serializer: Any, direction: Any = "request") -> Any:
        # A PATCH body says itself what may be left out; it is not taken as partial.
        method, self.method = self.method, "POST"
        try:
            return super()._get_request_for_media_type(serializer, direction)
        finally:
            self.method = method

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # pages of lists are shapes of their own


@cache
def description() -> dict[str, Any]:
    """The whole description; the same for everybody, made once per process."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema
