"""API addresses of people and of what the client allows."""

from django.urls import path

from clients.api.me import Me
from clients.api.tokens import OneToken, RevokeToken, Tokens

urlpatterns = [
    path("tokens/", Tokens.as_view()),
    path("tokens/<uuid:id>/", OneToken.as_view()),
    path("tokens/<uuid:id>/revoke/", RevokeToken.as_view()),
    path("me/", Me.as_view()),
]
