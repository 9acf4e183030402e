"""The pages that belong to nobody's area: the start, and the gallery of components."""

from django.urls import path

from handoff.web.gallery import gallery
from handoff.web.landing import landing

urlpatterns = [
    path("", landing, name="landing"),
    path("design/", gallery, name="design"),
]
