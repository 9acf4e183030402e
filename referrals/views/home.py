"""`/home/`: everybody's own first page. Somebody with several roles has one for each."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import redirect, render

from clients.access import pending_authorities
from handoff.core.actors import Actor, Role
from handoff.core.errors import NotVisible
from handoff.core.policy import Policy
from handoff.web.pages import page
from handoff.web.requests import PageRequest
from referrals.views.client_home import client_home
from referrals.views.pt import pt_home
from referrals.views.trainer import trainer_home


@dataclass(frozen=True, slots=True)
class Area:
    """One first page: for whom, and what shows it."""

    key: str
    roles: frozenset[Role]
    view: Callable[[PageRequest], HttpResponse]


AREAS = (
    Area("pt", frozenset({Role.PT, Role.PTA}), pt_home),
    Area("trainer", frozenset({Role.TRAINER}), trainer_home),
    Area("client", frozenset({Role.CLIENT, Role.GUARDIAN}), client_home),
)


def areas_of(actor: Actor) -> list[Area]:
    """The first pages of this person, the weightiest role first."""
    return [area for area in AREAS if actor.roles & area.roles]


@page(Policy.SIGNED_IN)
def home(request: PageRequest, area: str = "") -> HttpResponse:
    """The first page of the role asked for, else of the weightiest."""
    own = areas_of(request.actor)
    if area and area not in {each.key for each in own}:
        raise NotVisible
    chosen = next((each for each in own if not area or each.key == area), None)
    if chosen is not None:
        return chosen.view(request)
    if Role.ADMIN in request.actor.roles:
        return redirect("/admin/")
    return render(request, "home/nobody.html", {"pending": pending_authorities(request.actor)})
