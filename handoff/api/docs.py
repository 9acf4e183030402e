"""The description for machines and for people, and the answer where there is nothing."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from rest_framework.request import Request
from rest_framework.response import Response

from handoff.core.errors import NotVisible
from handoff.core.policy import Policy

from .reference import reference
from .schema import description
from .views import ApiView


class Schema(ApiView):
    """The OpenAPI description as JSON, or as YAML for those who accept nothing else."""

    policy = Policy.PUBLIC
    schema = None  # type: ignore[assignment]  # stays out of the description
    authentication_classes = ()
    renderer_classes = (
        OpenApiJsonRenderer2,
        OpenApiJsonRenderer,
        OpenApiYamlRenderer2,
        OpenApiYamlRenderer,
    )

    def get(self, request: Request) -> Response:
        return Response(description())


class Nothing(ApiView):
    """Every address below /api/v1/ that means nothing."""

    policy = Policy.PUBLIC
    schema = None  # type: ignore[assignment]  # stays out of the description
    authentication_classes = ()

    def _refuse(self, request: Request, **_: Any) -> Response:
        raise NotVisible("Nothing here. Addresses end with a slash; docs/ lists all of them.")

    get = post = put = patch = delete = _refuse


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The reference as one page: plain HTML, no script."""
    return render(request, "api/docs.html", {"reference": reference()})


docs.policy = Policy.PUBLIC  # type: ignore[attr-defined]  # as @page leaves it on pages
