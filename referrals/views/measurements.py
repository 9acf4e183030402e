"""Scores of an episode: the charts, every value in a table, adding one, taking one back."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone

from clients.scopes import Scope
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotVisible
from handoff.core.policy import Policy
from handoff.web.pages import page, panel, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import care, disclosure
from referrals.forms.pt_care import MeasurementForm
from referrals.measures import number
from referrals.models import Episode, Measure
from referrals.packets import OutcomeView
from referrals.views.note_page import ready_context, stands_on_discharge


@page(Policy.PT, methods=("GET", "POST"))
def measurements(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """The scores of an episode. A POST records one and offers the next."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)
    form = _form(request, at) if request.method == "POST" else None
    if form is not None:
        try:
            care.record_measurement(actor=actor, episode_id=episode_id, at=at, **_entries(form))
        except Invalid as wrong:
            form.complain(wrong)
        else:
            if not request.htmx:
                messages.success(request, "The score is recorded.")
                return redirect_or_swap(request, "measurements", episode_id)
            form = None
    adds = row.status == Episode.Status.ACTIVE and "close" not in request.GET
    return _shown(request, row, at, form=form or _form(request, at, blank=True), adds=adds)


@page(Policy.PT, methods=("POST",))
def measurement_remove(
    request: PageRequest, episode_id: UUID, measurement_id: UUID
) -> HttpResponse:
    """Take back a value that was typed wrongly."""
    row = disclosure.treated(actor=request.actor, episode_id=episode_id)
    if not row.measurements.filter(pk=measurement_id).exists():
        raise NotVisible
    care.remove_measurement(actor=request.actor, measurement_id=measurement_id)
    messages.success(request, "The score is removed.")
    return redirect_or_swap(request, "measurements", episode_id)


def _entries(form: MeasurementForm) -> dict[str, str]:
    return {name: str(value or "") for name, value in form.entries().items()}


def _form(request: PageRequest, at: datetime, *, blank: bool = False) -> MeasurementForm:
    measures = [
        (each.code, f"{each.name} ({number(each.low)} to {number(each.high)})")
        for each in Measure.objects.filter(in_use=True)
    ]
    return MeasurementForm(
        None if blank else request.POST,
        measures=measures,
        initial={"taken_on": timezone.localdate(at), "moment": "discharge"},
    )


def outcomes_of(actor: Actor, row: Episode, at: datetime) -> tuple[OutcomeView, ...]:
    """The scores of one episode through the door, which enters that reading."""
    packet = disclosure.disclose(
        actor=actor, client_id=row.client_id, purpose="scores", only=Scope.OUTCOMES, at=at
    )
    if not isinstance(packet.outcomes, tuple):
        return ()
    return tuple(each for each in packet.outcomes if each.episode_id == row.pk)


def _shown(
    request: PageRequest, row: Episode, at: datetime, *, form: MeasurementForm, adds: bool
) -> HttpResponse:
    outcomes = outcomes_of(request.actor, row, at)
    on_discharge = stands_on_discharge(request)
    context: dict[str, object] = {
        "episode_id": row.pk,
        "name": row.client.name,
        "packet": {"outcomes": outcomes},
        "form": form,
        "adds": adds,
        "opens": adds,
        "is_running": row.status == Episode.Status.ACTIVE,
        "values": [
            {"outcome": outcome, "value": value} for outcome in outcomes for value in outcome.values
        ],
        "on_discharge": on_discharge,
    }
    if on_discharge:
        context |= ready_context(request.actor, row.pk, at)
    return panel(
        request,
        "pt/_measures.html",
        context,
        page="pt/measurements.html",
        status=422 if form.errors else 200,
    )
