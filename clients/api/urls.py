"""API addresses of people and of what the client allows."""

from django.urls import path

from clients.api.access_log import AccessLog
from clients.api.directory import MyListing, OneProfessional, Professionals
from clients.api.me import Confirm, Me
from clients.api.tokens import OneToken, RevokeToken, Tokens

urlpatterns = [
    path("tokens/", Tokens.as_view()),
    path("tokens/<uuid:id>/", OneToken.as_view()),
    path("tokens/<uuid:id>/revoke/", RevokeToken.as_view()),
    path("me/", Me.as_view()),
    path("me/confirm/", Confirm.as_view()),
    path("professionals/", Professionals.as_view()),
    path("professionals/<uuid:id>/", OneProfessional.as_view()),
    path("professionals/<uuid:id>/listing/", MyListing.as_view()),
    path("access-log/", AccessLog.as_view()),
]
