"""The start page: what this is and where to begin."""

from django.http import HttpResponse
from django.shortcuts import render

from handoff.core.policy import Policy
from handoff.web.pages import page
from handoff.web.requests import PageRequest


@page(Policy.PUBLIC)
def landing(request: PageRequest) -> HttpResponse:
    return render(request, "home/landing.html")
