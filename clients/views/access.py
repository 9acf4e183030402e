"""`/access/`: who has looked at my record, or tried to."""

from collections.abc import Iterator
from datetime import UTC
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone

from clients import looks
from clients.access import own_clients
from clients.models import Client
from handoff.core import sheets
from handoff.core.errors import NotVisible
from handoff.core.policy import Policy
from handoff.web.pages import page, panel
from handoff.web.paging import keyset_page
from handoff.web.requests import PageRequest

PAGE_SIZE = 25
BATCH = 500
MOST_LINES = 20_000
COLUMNS = ("Number", "When (UTC)", "Who", "As", "Where", "What", "Parts", "Why", "Refused")


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


@page(Policy.CLIENT)
def access_file(request: PageRequest) -> HttpResponse:
    """The same list to keep, every line of it, newest first: a CSV file for a spreadsheet."""
    own = own_clients(request.actor, timezone.now())
    chosen = _chosen(own, request.GET.get("client", ""))
    answer = HttpResponse(
        sheets.csv_file(COLUMNS, _lines(chosen, request)), content_type=sheets.MEDIA_TYPE
    )
    # The name of the file ends up in a downloads folder: it says nothing.
    answer.headers["Content-Disposition"] = 'attachment; filename="who-looked.csv"'
    return answer


def _lines(client: Client, request: PageRequest) -> Iterator[tuple[sheets.Cell, ...]]:
    rows = looks.entries_about([client], request.actor, own_too=True).order_by("-number")
    for start in range(0, MOST_LINES, BATCH):
        entries = list(rows[start : start + BATCH])
        for look in looks.looks(entries, request.actor):
            yield (
                look.number,
                look.at.astimezone(UTC).isoformat(sep=" ", timespec="seconds"),
                look.who,
                look.role,
                look.detail,
                look.what,
                "all parts" if look.everything else ", ".join(look.parts),
                look.why,
                "yes" if look.refused else "no",
            )
        if len(entries) < BATCH:
            return


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
