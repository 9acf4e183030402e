"""API addresses of care and of what passes between professionals."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
