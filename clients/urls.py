"""Addresses of the pages about people: one's own details, and who looked at a record."""

from django.urls import path

from clients.views.profile import profile

urlpatterns = [
    path("profile/", profile, name="profile"),
]
