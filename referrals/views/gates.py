"""Return gates of an episode: which there are, how they stand, adding one, taking one off."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from handoff.core.errors import Invalid, NotVisible
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import care, disclosure, particulars
from referrals import gates as verbs
from referrals.forms.pt_starting import GateForm
from referrals.measures import number
from referrals.models import Episode, Gate, Measure


@page(Policy.PT, methods=("GET", "POST"))
def gates(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """The gates with what was measured of each. A POST names one more."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)
    measures = [
        (each.code, f"{each.name} ({number(each.low)} to {number(each.high)})")
        for each in Measure.objects.filter(in_use=True)
    ]
    form = GateForm(request.POST if request.method == "POST" else None, measures=measures)
    if request.method == "POST":
        entries = {name: value or "" for name, value in form.entries().items()}
        try:
            verbs.add_gate(actor=actor, episode_id=episode_id, data=entries, at=at)
        except Invalid as wrong:
            form.complain(wrong)
        else:
            messages.success(request, "The gate is added.")
            return redirect_or_swap(request, "gates", episode_id)
    context = {
        "episode_id": row.pk,
        "name": row.client.name,
        "gates": particulars.gates(actor=actor, episode_id=episode_id, at=at),
        "form": form,
        "may_change": care.treats(actor, row) and row.status == Episode.Status.ACTIVE,
        "is_running": row.status == Episode.Status.ACTIVE,
    }
    return render(request, "pt/gates.html", context, status=422 if form.errors else 200)


@page(Policy.PT, methods=("POST",))
def gate_remove(request: PageRequest, episode_id: UUID, gate_id: UUID) -> HttpResponse:
    """Take a gate off again, before the note is signed."""
    row = disclosure.treated(actor=request.actor, episode_id=episode_id)
    if not Gate.objects.filter(pk=gate_id, episode=row).exists():
        raise NotVisible
    verbs.remove_gate(actor=request.actor, gate_id=gate_id)
    messages.success(request, "The gate is taken off.")
    return redirect_or_swap(request, "gates", episode_id)
