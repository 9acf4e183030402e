"""`/profile/`: my name, my time zone, my phone; for professionals, how their papers stand."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone

from clients import licensing, listing
from clients import profile as details
from clients.access import own_clients
from clients.forms import ProfileForm
from clients.models import Client, User
from handoff.core.errors import Invalid, NotVisible
from handoff.core.policy import Policy
from handoff.web.pages import page, panel, redirect_or_swap
from handoff.web.requests import PageRequest


@page(Policy.SIGNED_IN, methods=("GET", "POST"))
def profile(request: PageRequest) -> HttpResponse:
    """Shows and changes one's own details."""
    user = request.user
    if not isinstance(user, User):
        raise NotVisible
    record = _own_record(request)
    form = ProfileForm(
        request.POST if request.method == "POST" else None,
        user=user,
        has_phone=record is not None,
        initial={
            "first_name": user.first_name,
            "last_name": user.last_name,
            "time_zone": user.time_zone,
            "phone": record.phone if record else "",
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            details.change(actor=request.actor, changes=form.cleaned_data)
        except Invalid as error:
            for field, texts in error.errors.items():
                for text in texts:
                    form.add_error(field or None, text)
        else:
            messages.success(request, "Saved.")
            return redirect_or_swap(request, "profile")
    return panel(
        request,
        "clients/_profile.html",
        {
            "form": form,
            "record": record,
            "hands_in": request.actor.is_professional,
            "listings": listing.own(request.actor),
            "papers": licensing.papers_of(user.pk, timezone.localdate()),
        },
        page="clients/profile.html",
        status=422 if form.errors else 200,
    )


def _own_record(request: PageRequest) -> Client | None:
    own = own_clients(request.actor)
    return next((each for each in own if each.user_id == request.actor.user_id), None)
