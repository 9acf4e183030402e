"""The base of every view of the API: who acts, whether they may come in, what they sent."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from handoff.core import subjects
from handoff.core.actors import ANONYMOUS, Actor, Channel
from handoff.core.errors import Invalid, NotVisible
from handoff.core.paging import Page, keyset_page, sequence_page
from handoff.core.policy import Policy

from . import idempotency
from .limits import Limit
from .operations import Operation
from .schema import ApiSchema

M = TypeVar("M", bound=Model)
V = TypeVar("V")


class ApiView(APIView):
    """Declares a `policy`; methods are made with `reads`, `lists`, `acts` and `removes`."""

    policy: ClassVar[Policy]
    schema = ApiSchema()
    metadata_class = None
    actor: Actor = ANONYMOUS.through(Channel.API)
    taken: dict[str, Any]
    """The validated body of an act, also when the act itself is not done again."""

    @property
    def account(self) -> UUID:
        """The id of the account that acts. Raises NotVisible for nobody."""
        if self.actor.user_id is None:
            raise NotVisible
        return self.actor.user_id

    def find_actor(self, request: Request) -> Actor:
        """Who acts. Accounts are known above this layer: apps override it."""
        return ANONYMOUS.through(Channel.API)

    def show(self, pk: str) -> dict[str, Any]:
        """The answer after an act on `pk`, built under the consents of this moment."""
        raise NotImplementedError(f"{type(self).__name__} has acts and no show()")

    # --- DRF's hooks ----------------------------------------------------------------------------

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        self.actor = self.find_actor(request)
        # A token's account is known only here; the middleware around the request ends it.
        subjects.enter(self.actor.user_id)

    def get_throttles(self) -> list[BaseThrottle]:
        operation = operation_of(self, self.request.method or "")
        return [Limit(operation.limit)] if operation is not None and operation.limit else []

    # --- what operations need -------------------------------------------------------------------

    def read_query(self, operation: Operation) -> dict[str, Any]:
        """The validated parameters of the address."""
        assert operation.query is not None  # noqa: S101 (reads and lists always have one)
        serializer = operation.query(data=self.request.query_params.dict())
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def read_body(self, operation: Operation) -> dict[str, Any]:
        """The validated body. No body at all is an empty object."""
        assert operation.body is not None  # noqa: S101 (acts always have one)
        if self.request.query_params:
            raise Invalid("A change takes nothing in its address.")
        data = self.request.data
        if not isinstance(data, dict):
            raise exceptions.ParseError("The body must be a JSON object.")
        serializer = operation.body(data=data)
        serializer.is_valid(raise_exception=True)
        self.taken = dict(serializer.validated_data)
        return dict(self.taken)

    def perform(self, operation: Operation, act: Callable[[], UUID | str | None]) -> Response:
        """Do it once, then answer with what is there now."""
        key = self.request.headers.get(idempotency.HEADER)
        replayed = False
        if operation.repeatable and key is not None and self.actor.user_id is not None:
            outcome = idempotency.once(
                user_id=self.actor.user_id,
                key=idempotency.checked_key(key),
                print_=idempotency.fingerprint(
                    self.request.method or "", self.request.path, self.request.data
                ),
                status=operation.status,
                act=act,
            )
            made, replayed = outcome.object_id, outcome.replayed
        else:
            made = str(act() or "")
        answer = self._answer(operation, made)
        if replayed:
            answer["Idempotency-Replayed"] = "true"
        return answer

    def paged(self, page: Page[Any]) -> Response:
        """One page as a list answers."""

        def address(cursor: str | None) -> str | None:
            here = self.request.build_absolute_uri()
            return replace_query_param(here, "cursor", cursor) if cursor else None

        return Response(
            {"results": page.items, "next": address(page.next), "previous": address(page.previous)}
        )

    def rows(self, rows: QuerySet[M], query: dict[str, Any], *, order: Sequence[str]) -> Page[M]:
        """The page of `rows` that `query` asks for."""
        return keyset_page(rows, order=order, cursor=query.get("cursor"), size=query["page_size"])

    def values(
        self, values: Sequence[V], query: dict[str, Any], *, key: Callable[[V], str]
    ) -> Page[V]:
        """The page of `values` that `query` asks for."""
        return sequence_page(values, key=key, cursor=query.get("cursor"), size=query["page_size"])

    def _answer(self, operation: Operation, made: str) -> Response:
        if operation.answers is None:
            return Response(status=204)
        try:
            return Response(self.show(made), status=operation.status)
        except NotVisible:
            # It was done, and with it the actor's sight of the thing ended.
            return Response(status=204)


def operation_of(view: Any, method: str) -> Operation | None:
    """The declared operation behind a method of a view, or None where there is none."""
    found = getattr(getattr(view, method.lower(), None), "operation", None)
    return found if isinstance(found, Operation) else None


def mapped(page: Page[M], answer: Callable[[M], dict[str, Any]]) -> Page[dict[str, Any]]:
    """The same page, each row turned into its answer."""
    return Page([answer(item) for item in page.items], page.next, page.previous)
