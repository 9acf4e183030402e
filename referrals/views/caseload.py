"""`/clients/`: the caseload of a therapist, or the clients of a trainer."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import render

from handoff.core.actors import Actor, Role
from handoff.core.paging import sequence_page
from handoff.core.policy import Policy
from handoff.web.look import PHASES
from handoff.web.pages import page, panel, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals.forms.pt_people import FindForm
from referrals.views.caseload_rows import Row, Tab, chosen, rows_of
from referrals.views.trainer import trainer_clients

PER_COLUMN = 4
PER_PAGE = 25

PHASE_NOTES = {
    "rehab": "With you",
    "handoff": "On its way",
    "training": "With a trainer",
    "returned": "No limits left",
}


@page(Policy.PROFESSIONAL, methods=("GET", "POST"), limit="search")
def caseload(request: PageRequest) -> HttpResponse:
    """Who is where, overdue first: as a board, or as a list by tab or phase.

    A search is posted: names do not belong into addresses.
    """
    actor = request.actor
    treats = bool(actor.roles & {Role.PT, Role.PTA})
    if not treats or (Role.TRAINER in actor.roles and request.GET.get("as") == "trainer"):
        return trainer_clients(request)
    if request.method == "POST":
        return _found(request)
    tab, phase = _tab(request), request.GET.get("phase", "")
    phase = phase if phase in PHASES else ""
    rows = rows_of(actor)
    context = _frame(actor, rows, FindForm())
    if tab is None and not phase:
        return render(
            request,
            "pt/caseload.html",
            {**context, "view": "board", "columns": _columns(rows)},
        )
    shown = sequence_page(
        chosen(rows, tab or Tab.ALL, phase),
        key=lambda row: str(row.client_id),
        cursor=request.GET.get("cursor"),
        size=PER_PAGE,
    )
    context |= {"view": "list", "tab": tab or Tab.ALL, "phase": phase, "page": shown}
    return render(request, "pt/caseload.html", context)


def _found(request: PageRequest) -> HttpResponse:
    """The clients whose name holds every word; a long answer asks for more of the name."""
    form = FindForm(request.POST)
    words = form.cleaned_data["find"].strip() if form.is_valid() else ""
    if not words and not form.errors:
        return redirect_or_swap(request, "caseload")
    rows = rows_of(request.actor, words=words) if words else []
    context = {
        "view": "found",
        "form": form,
        "rows": rows[:PER_PAGE],
        "has_more": len(rows) > PER_PAGE,
    }
    return panel(
        request,
        "pt/_rows.html",
        context,
        page="pt/caseload.html",
        status=422 if form.errors else 200,
    )


def _tab(request: PageRequest) -> Tab | None:
    named = request.GET.get("tab", "")
    return Tab(named) if named in set(Tab) else None


def _frame(actor: Actor, rows: list[Row], form: forms.Form) -> dict[str, object]:
    """What stands above every view of the caseload."""
    return {
        "form": form,
        "total": len(rows),
        "counts": {str(tab): len(chosen(rows, tab)) for tab in Tab},
        "also_trains": Role.TRAINER in actor.roles,
    }


def _columns(rows: list[Row]) -> list[dict[str, object]]:
    """The board: the first of each phase, and how many there are."""
    columns = []
    for phase in PHASES:
        held = chosen(rows, Tab.ALL, phase)
        columns.append(
            {
                "phase": phase,
                "note": PHASE_NOTES[phase],
                "rows": held[:PER_COLUMN],
                "count": len(held),
                "is_cut": len(held) > PER_COLUMN,
            }
        )
    return columns
