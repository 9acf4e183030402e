"""Who should I see first? Open to everybody; the answers live in the page and nowhere else.

The result is the answer to the form itself: no address, session or cache holds it.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from clients.access import own_client, own_clients
from handoff.core.errors import NotVisible
from handoff.core.paging import sequence_page
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import screenings as screenings_
from referrals import triage as triage_
from referrals.forms.triage import SaveForm, TriageForm
from referrals.triage import Action, Level


@page(Policy.PUBLIC, methods=("GET", "POST"), limit="triage")
def triage(request: PageRequest) -> HttpResponse:
    """The questions, and the result of answering them."""
    if request.method != "POST":
        return _ask(request, TriageForm())
    form = TriageForm(request.POST)
    if not form.is_valid() or "change" in request.POST:
        return _ask(request, form)
    return render(request, "triage/result.html", _result(request, form))


@page(Policy.CLIENT, methods=("POST",))
def triage_save(request: PageRequest) -> HttpResponse:
    """Keep the result of the answers that are sent with it."""
    form = SaveForm(request.POST)
    if not form.is_valid():
        if "client" in form.errors:
            raise NotVisible
        return _ask(request, TriageForm(request.POST))
    client_id = form.cleaned_data["client"]
    screenings_.save(actor=request.actor, client_id=client_id, answers=form.answers())
    messages.success(request, "Saved.")
    return redirect_or_swap(request, "screenings", client_id)


@page(Policy.CLIENT)
def screenings(request: PageRequest, pk: UUID) -> HttpResponse:
    """The results that were kept, newest first."""
    found = screenings_.screenings(actor=request.actor, client_id=pk)
    client = own_client(request.actor, pk)
    listed = sequence_page(found, key=lambda each: str(each.id), cursor=request.GET.get("cursor"))
    context = {
        "client": client,
        "is_own": client.user_id == request.actor.user_id,
        "page": listed,
    }
    return render(request, "triage/saved.html", context)


@page(Policy.CLIENT, methods=("POST",))
def screening_void(request: PageRequest, pk: UUID) -> HttpResponse:
    """Health has changed since."""
    row = screenings_.void(actor=request.actor, screening_id=pk)
    messages.success(request, "Noted.")
    return redirect_or_swap(request, "screenings", row.client_id)


@page(Policy.CLIENT, methods=("POST",))
def screening_remove(request: PageRequest, pk: UUID) -> HttpResponse:
    """Take a result away for good."""
    client_id = screenings_.remove(actor=request.actor, screening_id=pk)
    messages.success(request, "Removed.")
    return redirect_or_swap(request, "screenings", client_id)


def _ask(request: PageRequest, form: TriageForm) -> HttpResponse:
    return render(
        request, "triage/questions.html", {"form": form}, status=422 if form.errors else 200
    )


def _result(request: PageRequest, form: TriageForm) -> dict[str, Any]:
    advice = triage_.advise(form.answers())
    way = triage_.WAYS[advice.level]
    today = timezone.localdate()
    own = [
        (client, client.user_id == request.actor.user_id) for client in own_clients(request.actor)
    ]
    phase = next((step.phase for step in way.steps if step.phase), "")
    return {
        "advice": advice,
        "way": way,
        "is_emergency": advice.level is Level.MEDICAL,
        "phase": phase,
        "steps": [
            {
                "title": step.title,
                "text": step.text,
                "phase": step.phase,
                "when": "now" if number == 0 else "next",
            }
            for number, step in enumerate(way.steps)
        ],
        "action": way.action,
        "address": address_of(way.action),
        "today": today,
        "valid_until": triage_.valid_until(advice.level, today),
        "sources": _sources(advice, way),
        "kept": form.kept(),
        "answered": form.in_words(),
        "own": own,
    }


def address_of(action: Action | None) -> str:
    """Where an action leads; nothing where we have no such page."""
    if action is None:
        return ""
    if action.call:
        return f"tel:{action.call}"
    try:
        address = reverse(action.page)
    except NoReverseMatch:
        return ""
    return f"{address}?{action.query}" if action.query else address


def _sources(advice: triage_.Advice, way: triage_.Way) -> list[str]:
    named = [
        *way.sources,
        *(source for reason in (*advice.reasons, *advice.further) for source in reason.sources),
        triage_.Source.PAR_Q,  # how long the result says something
    ]
    return [triage_.SOURCES[source] for source in dict.fromkeys(named)]
