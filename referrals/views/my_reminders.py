"""`/reminders/`: what waits for me, whoever I am."""

from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone

from handoff.core.errors import Invalid
from handoff.core.policy import Policy
from handoff.web.pages import page, panel, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import reminders as inbox

SNOOZES: Final = {1: "Tomorrow", 3: "In 3 days", 7: "In a week"}
MORNING: Final = time(8, 0)


@page(Policy.SIGNED_IN)
def reminders(request: PageRequest) -> HttpResponse:
    """What waits, newest first."""
    return _list(request)


def _list(request: PageRequest) -> HttpResponse:
    found = inbox.mine(request.actor, cursor=request.GET.get("cursor"))
    return panel(
        request,
        "reminders/_list.html",
        {"page": found, "snoozes": SNOOZES},
        page="reminders/list.html",
    )


@page(Policy.SIGNED_IN, methods=("POST",))
def reminder_done(request: PageRequest, pk: UUID) -> HttpResponse:
    """Tick one off."""
    inbox.mark_done(actor=request.actor, reminder_id=pk)
    return _after(request, "Done.")


@page(Policy.SIGNED_IN, methods=("POST",))
def reminder_snooze(request: PageRequest, pk: UUID) -> HttpResponse:
    """Take one out of the list until a morning to come."""
    try:
        days = int(request.POST.get("days", ""))
    except ValueError:
        days = 0
    if days not in SNOOZES:
        raise Invalid({"days": ["Choose when it should come back."]})
    inbox.snooze(actor=request.actor, reminder_id=pk, until=_morning_in(days))
    return _after(request, "It comes back then.")


def _morning_in(days: int) -> datetime:
    """Eight in the morning, so many days from today, in the person's own zone."""
    day = timezone.localdate() + timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, MORNING))


def _after(request: PageRequest, said: str) -> HttpResponse:
    if request.htmx:
        return _list(request)
    messages.success(request, said)
    return redirect_or_swap(request, "reminders")
