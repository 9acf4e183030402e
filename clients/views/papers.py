"""`/profile/papers/`: handing in one's licences and certificates, with scans of them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clients import licensing, papers
from clients.forms import PaperForm, ScanForm
from clients.models import Evidence
from handoff.core.errors import Invalid, NotVisible
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from handoff.web.uploads import ask_again, inert_file, takes_file


@takes_file
@page(Policy.PROFESSIONAL, methods=("GET", "POST"))
def paper_new(request: PageRequest) -> HttpResponse:
    """A new paper with its first scan."""
    posted = request.method == "POST"
    form = PaperForm(request.POST if posted else None, request.FILES if posted else None)
    if form.is_valid():
        values = dict(form.cleaned_data)
        scan = values.pop("file")
        try:
            made = papers.hand_in(actor=request.actor, values=values, scan=scan)
        except Invalid as refused:
            for field, texts in refused.errors.items():
                for text in texts:
                    form.add_error(field if field in form.fields else None, text)
        else:
            messages.success(request, "Handed in. It counts once somebody has checked it.")
            return redirect_or_swap(request, "paper", made.pk)
    if posted:
        ask_again(form)
    return render(request, "papers/new.html", {"form": form}, status=422 if form.errors else 200)


@takes_file
@page(Policy.PROFESSIONAL, methods=("GET", "POST"))
def paper(request: PageRequest, pk: UUID) -> HttpResponse:
    """One paper of one's own, its scans, and room for another while it waits."""
    user_id = request.actor.user_id
    if user_id is None:
        raise NotVisible
    held = next(
        (
            each
            for each in licensing.papers_of(user_id, timezone.localdate())
            if each.credential.pk == pk
        ),
        None,
    )
    if held is None:
        raise NotVisible
    posted = request.method == "POST"
    form = ScanForm(request.POST if posted else None, request.FILES if posted else None)
    if form.is_valid():
        try:
            papers.add_scan(actor=request.actor, credential_id=pk, scan=form.cleaned_data["file"])
        except Invalid as refused:
            form.add_error("file", refused.errors["file"])
        else:
            messages.success(request, "The file is added.")
            return redirect_or_swap(request, "paper", pk)
    context = {
        "held": held.credential,
        "state": held.state.value,
        "scans": Evidence.objects.filter(credential=pk, removed_at=None)
        .select_related("file")
        .defer("key", "file__content"),
        "waits": held.state is licensing.PaperState.UNCHECKED,
        "form": form,
    }
    return render(request, "papers/paper.html", context, status=422 if form.errors else 200)


@page(Policy.PROFESSIONAL)
def scan(request: PageRequest, pk: UUID) -> HttpResponse:
    """A scan of one's own, to keep."""
    found = papers.scan(actor=request.actor, evidence_id=pk)
    return inert_file(found.kind, found.data, "scan")


@page(Policy.PROFESSIONAL, methods=("POST",))
def scan_remove(request: PageRequest, pk: UUID) -> HttpResponse:
    """Erase a scan of one's own."""
    credential_id = papers.remove_scan(actor=request.actor, evidence_id=pk)
    messages.success(request, "The file is removed.")
    return redirect_or_swap(request, "paper", credential_id)
