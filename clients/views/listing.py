"""`/profile/directory/<id>/`: what somebody says of themselves in the directory."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone

from clients import directory, licensing
from clients import listing as listings
from clients.forms import ListingForm
from clients.models import Professional
from handoff.core.errors import Invalid
from handoff.core.policy import Policy
from handoff.web.pages import page, panel, redirect_or_swap
from handoff.web.requests import PageRequest


@page(Policy.PROFESSIONAL, methods=("GET", "POST"))
def listing(request: PageRequest, pk: UUID) -> HttpResponse:
    """Shows and changes it, for the one it is about."""
    row = listings.own_one(request.actor, pk)
    form = ListingForm(
        request.POST if request.method == "POST" else None,
        initial={name: getattr(row, name) for name in listings.FIELDS},
    )
    if form.is_valid():
        try:
            listings.change(actor=request.actor, professional_id=pk, values=form.cleaned_data)
        except Invalid as refused:
            for field, texts in refused.errors.items():
                for text in texts:
                    form.add_error(field or None, text)
        else:
            messages.success(request, "Saved.")
            return redirect_or_swap(request, "listing", pk)
    return panel(
        request,
        "clients/_listing.html",
        {"form": form, "row": row, **_found(row)},
        page="clients/listing.html",
        status=422 if form.errors else 200,
    )


def _found(row: Professional) -> dict[str, object]:
    """Whether others find them now: wanting it is one half, valid papers the other."""
    at = timezone.now()
    return {
        "is_listed": directory.listed(at).filter(pk=row.pk).exists(),
        "may_be_listed": directory.verified(at).filter(pk=row.pk).exists(),
        "lapses": licensing.lapses(row, at),
    }
