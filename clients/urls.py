"""Addresses of the pages about people: one's own details, and who looked at a record."""

from django.urls import path

from clients.views.access import access
from clients.views.profile import profile

urlpatterns = [
    path("access/", access, name="access"),
    path("profile/", profile, name="profile"),
]
