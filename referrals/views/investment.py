"""What care and training cost: the therapist's page of one episode, the client's page of it all."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from handoff.core.errors import Invalid
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import access, care, disclosure, investment
from referrals.forms.investment import CoverageForm, PackageForm
from referrals.investment import COVERAGE_FIELDS


@page(Policy.PT, methods=("GET", "POST"))
def coverage(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """Who pays for an episode, and what is left of it."""
    actor = request.actor
    row = disclosure.treated(actor=actor, episode_id=episode_id)
    posted = request.method == "POST"
    form = CoverageForm(request.POST) if posted else None
    if form is not None:
        try:
            investment.set_coverage(actor=actor, episode_id=episode_id, data=form.entries())
        except Invalid as wrong:
            form.complain(wrong)
        else:
            messages.success(request, "Noted.")
            return redirect_or_swap(request, "coverage", episode_id)
    noted = investment.coverage(actor=actor, episode_id=episode_id)
    if form is None:
        form = CoverageForm(
            initial={name: getattr(noted, name) for name in COVERAGE_FIELDS}
            if noted
            else {"visits_used": row.visits_completed}
        )
    context = {
        "episode_id": episode_id,
        "client_id": row.client_id,
        "name": row.client.name,
        "noted": noted,
        "form": form,
        "treats": care.treats(actor, row),
    }
    return render(request, "pt/coverage.html", context, status=422 if form.errors else 200)


@page(Policy.SIGNED_IN, methods=("GET", "POST"))
def costs(request: PageRequest, pk: UUID) -> HttpResponse:
    """The client's own page: what care costs, and the sessions they paid for themselves."""
    actor, at = request.actor, timezone.now()
    form = PackageForm(request.POST) if request.method == "POST" else None
    if form is not None:
        try:
            investment.add_package(actor=actor, client_id=pk, data=form.entries())
        except Invalid as wrong:
            form.complain(wrong)
        else:
            messages.success(request, "Noted. Only you see it.")
            return redirect_or_swap(request, "costs", pk)
    found = investment.costs(actor=actor, client_id=pk)
    client = access.client_for(actor, pk)
    if form is None:
        form = PackageForm(initial={"bought_on": timezone.localdate(at)})
    context = {"costs": found, "is_own": client.user_id == actor.user_id, "form": form}
    return render(request, "home/costs.html", context, status=422 if form.errors else 200)


@page(Policy.SIGNED_IN, methods=("POST",))
def package_used(request: PageRequest, pk: UUID) -> HttpResponse:
    """One more session took place."""
    row = investment.use_session(actor=request.actor, package_id=pk)
    messages.success(request, "One session more is used.")
    return redirect_or_swap(request, "costs", row.client_id)


@page(Policy.SIGNED_IN, methods=("POST",))
def package_remove(request: PageRequest, pk: UUID) -> HttpResponse:
    """Throw a note about sessions away."""
    client_id = investment.remove_package(actor=request.actor, package_id=pk)
    messages.success(request, "Removed.")
    return redirect_or_swap(request, "costs", client_id)
