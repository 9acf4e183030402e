"""Every address of the product; each app keeps its own."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from handoff import health
from handoff.api.docs import Nothing

handler500 = "handoff.web.failures.failed"

api: list[URLPattern | URLResolver] = [
    path("", include("handoff.api.urls")),
    path("", include("clients.api.urls")),
    path("", include("referrals.api.urls")),
    path("", Nothing.as_view(), name="api-root"),
    # With line breaks too: whatever the address, the answer is one of the API.
    re_path(r"^[\s\S]+$", Nothing.as_view(), name="api-nothing"),
]

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
    path("", include("handoff.web.urls")),
    path("", include("clients.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("referrals.urls")),
]
