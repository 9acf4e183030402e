"""Addresses of the pages about people: own details, devices, and who looked at a record."""

from django.urls import path

from clients.views.access import access, access_file
from clients.views.devices import devices, session_end, token_end
from clients.views.listing import listing
from clients.views.papers import paper, paper_new, scan, scan_remove
from clients.views.profile import profile

urlpatterns = [
    path("access/", access, name="access"),
    path("access/list.csv", access_file, name="access_file"),
    path("profile/", profile, name="profile"),
    # In the place of allauth's own page, which ends all the others or none.
    path("accounts/sessions/", devices, name="devices"),
    path("accounts/sessions/<int:pk>/end/", session_end, name="session_end"),
    path("accounts/tokens/<uuid:pk>/end/", token_end, name="token_end"),
    path("profile/directory/<uuid:pk>/", listing, name="listing"),
    path("profile/papers/new/", paper_new, name="paper_new"),
    path("profile/papers/<uuid:pk>/", paper, name="paper"),
    path("profile/scans/<uuid:pk>/", scan, name="scan"),
    path("profile/scans/<uuid:pk>/remove/", scan_remove, name="scan_remove"),
]
