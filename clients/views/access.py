"""`/access/`: who has looked at my record, or tried to."""

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone

from clients import looks
from clients.access import own_clients
from clients.models import Client
from handoff.core.errors import NotVisible
from handoff.core.policy import Policy
from handoff.web.pages import page, panel
from handoff.web.paging import keyset_page
from handoff.web.requests import PageRequest

PAGE_SIZE = 25


@page(Policy.CLIENT)
def access(request: PageRequest) -> HttpResponse:
    """One page of the ledger, newest first. The viewer's own looks are left out unless asked for.

    Every client the viewer is or acts for has a ledger of their own; a guardian chooses.
    """
    own = own_clients(request.actor, timezone.now())
    chosen = _chosen(own, request.GET.get("client", ""))
    own_too = request.GET.get("own") == "1"
    found = keyset_page(
        looks.entries_about([chosen], request.actor, own_too=own_too),
        order=("-number",),
        cursor=request.GET.get("cursor"),
        size=PAGE_SIZE,
    )
    context = {
        "page": found,
        "looks": looks.looks(found.items, request.actor),
        "clients": own,
        "chosen": chosen,
        "is_own": chosen.user_id == request.actor.user_id,
        "own_too": own_too,
    }
    return panel(request, "clients/_access.html", context, page="clients/access.html")


def _chosen(own: list[Client], wanted: str) -> Client:
    """The client asked for, or the first. Raises NotVisible for any other."""
    if not own:
        raise NotVisible
    if not wanted:
        return own[0]
    try:
        pk = UUID(wanted)
    except ValueError:
        raise NotVisible from None
    for each in own:
        if each.pk == pk:
            return each
    raise NotVisible
