"""Addresses of the pages of clients, guardians and everybody's first page."""

from django.urls import path

from referrals.views.invitations import invitation, invitation_open

urlpatterns = [
    path("invitations/open/", invitation_open, name="invitation_open"),
    path("invitations/<str:token>/", invitation, name="invitation"),
]
