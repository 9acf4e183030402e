"""The addresses of the API that belong to nobody's area."""

from django.urls import path

from handoff.api.docs import Schema, docs

urlpatterns = [
    path("schema/", Schema.as_view(), name="api-schema"),
    path("docs/", docs, name="api-docs"),
]
