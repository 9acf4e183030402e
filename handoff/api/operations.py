"""What a method of a view takes and gives, said once: validated, answered and documented from it.

    @reads(ReferralShape)
    def get(self, query, id): ...                    -> the answer

    @lists(ReferralShape, query=ReferralQuery)
    def get(self, query): ...                        -> a Page of answers

    @acts(ReferralShape, body=Draft, status=201)
    def post(self, body): ...                        -> the id of what was made or changed

After an act the view's `show(id)` builds the answer anew, under the consents of that moment: once
for the first request, and again for each repetition under the same `Idempotency-Key`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from handoff.core.paging import Page
from handoff.core.policy import Policy

from .shapes import Body, ListQuery, Query, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one view."""

    answers: type[Shape] | None
    """Shape of the answer; None answers 204."""
    many: bool = False
    body: type[Body] | None = None
    query: type[Query] | None = None
    status: int = 200
    policy: Policy | None = None
    """Narrower than the view's own."""
    repeatable: bool = False
    """Takes an `Idempotency-Key`."""
    stale: bool = False
    """A read that can come too early or too late."""
    limit: str = ""
    """Name of a rate limit, see `handoff.api.limits`."""
    confirmed: bool = False
    """Only for somebody who proved a short while ago that it is them."""
    may_confirm: bool = False
    """Asks for that proof itself, depending on what was sent."""


class Runs(Protocol):
    """What a view offers to its operations (`handoff.api.views.ApiView`)."""

    def read_query(self, operation: Operation) -> dict[str, Any]: ...

    def read_body(self, operation: Operation) -> dict[str, Any]: ...

    def perform(self, operation: Operation, act: Callable[[], UUID | str | None]) -> Response: ...

    def paged(self, page: Page[Any]) -> Response: ...


Handler = Callable[..., Response]


def _marked(handler: Handler, method: Callable[..., Any], operation: Operation) -> Handler:
    wrapped = wraps(method)(handler)
    wrapped.operation = operation  # type: ignore[attr-defined]  # found by policy, schema, limits
    return wrapped


def reads(
    answers: type[Shape],
    *,
    query: type[Query] = Query,
    policy: Policy | None = None,
    stale: bool = False,
    limit: str = "",
) -> Callable[[Callable[..., dict[str, Any]]], Handler]:
    """A GET of one thing: gets `query` and the path's arguments, returns the answer."""
    operation = Operation(answers=answers, query=query, policy=policy, stale=stale, limit=limit)

    def decorate(method: Callable[..., dict[str, Any]]) -> Handler:
        def handle(self: Runs, request: Request, **path: Any) -> Response:
            return Response(method(self, self.read_query(operation), **path))

        return _marked(handle, method, operation)

    return decorate


def lists(
    answers: type[Shape],
    *,
    query: type[ListQuery] = ListQuery,
    policy: Policy | None = None,
    limit: str = "",
) -> Callable[[Callable[..., Page[Any]]], Handler]:
    """A GET of many: as `reads`, but returns one page of answers."""
    operation = Operation(answers=answers, many=True, query=query, policy=policy, limit=limit)

    def decorate(method: Callable[..., Page[Any]]) -> Handler:
        def handle(self: Runs, request: Request, **path: Any) -> Response:
            return self.paged(method(self, self.read_query(operation), **path))

        return _marked(handle, method, operation)

    return decorate


def acts(
    answers: type[Shape] | None,
    *,
    body: type[Body] = Body,
    status: int = 200,
    policy: Policy | None = None,
    repeatable: bool = True,
    limit: str = "",
    confirmed: bool = False,
    may_confirm: bool = False,
) -> Callable[[Callable[..., UUID | str | None]], Handler]:
    """A change: gets the validated `body` and the path's arguments, returns an id for `show`.

    Must not read through the disclosure door: it runs inside a transaction.
    """
    operation = Operation(
        answers=answers,
        body=body,
        status=status if answers else 204,
        policy=policy,
        repeatable=repeatable,
        limit=limit,
        confirmed=confirmed,
        may_confirm=may_confirm,
    )

    def decorate(method: Callable[..., UUID | str | None]) -> Handler:
        def handle(self: Runs, request: Request, **path: Any) -> Response:
            taken = self.read_body(operation)
            return self.perform(operation, lambda: method(self, taken, **path))

        return _marked(handle, method, operation)

    return decorate


def removes(policy: Policy | None = None) -> Callable[[Callable[..., None]], Handler]:
    """A DELETE: gets the path's arguments; answers 204."""
    operation = Operation(answers=None, status=204, policy=policy)

    def decorate(method: Callable[..., None]) -> Handler:
        def handle(self: Runs, request: Request, **path: Any) -> Response:
            method(self, **path)
            return Response(status=204)

        return _marked(handle, method, operation)

    return decorate


def page_of(shape: type[Shape]) -> type[serializers.Serializer[Any]]:
    """The shape of one page of `shape`, for the description."""
    return type(
        f"{shape.__name__.removesuffix('Shape')}PageShape",
        (Shape,),
        {
            "__doc__": "One page of a list; `next` and `previous` are addresses, or null.",
            "results": shape(many=True),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
        },
    )
