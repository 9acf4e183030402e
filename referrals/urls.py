"""Addresses of the pages of care and handoffs, by area."""

from importlib.util import find_spec

from django.urls import include, path

urlpatterns = [
    path("", include(area))
    for area in ("referrals.urls_client", "referrals.urls_pt", "referrals.urls_referral")
    if find_spec(area) is not None
]
