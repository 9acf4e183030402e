"""`/my-data/`: everything about oneself as a file, and an end to it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from clients.access import own_client, own_clients
from clients.guardians import is_minor
from handoff.core.errors import NotVisible
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals.rights import erasure, export


@page(Policy.SIGNED_IN)
def my_data(request: PageRequest) -> HttpResponse:
    """What can be had, and where to ask for erasing."""
    at = timezone.now()
    own = own_clients(request.actor, at)
    requests = erasure.all_asked(own)
    context = {
        "records": [
            {
                "client": client,
                "is_own": client.user_id == request.actor.user_id,
                "may_ask": client.user_id != request.actor.user_id or not is_minor(client, at),
                "asked": requests.get(client.pk),
            }
            for client in own
        ],
        "a_day": export.A_DAY,
        "is_professional": request.actor.is_professional,
    }
    return render(request, "rights/my_data.html", context)


@page(Policy.CLIENT, methods=("POST",), confirmed=("POST",))
def record_file(request: PageRequest, pk: UUID, kind: str) -> HttpResponse:
    """Everything about a client: `json` for programs, `pdf` to read and print."""
    if kind not in ("json", "pdf"):
        raise NotVisible
    whole = export.of_record(actor=request.actor, client_id=pk)
    answer: HttpResponse
    if kind == "pdf":
        answer = HttpResponse(export.as_pdf(whole), content_type="application/pdf")
    else:
        answer = JsonResponse(export.as_data(whole), json_dumps_params={"indent": 2})
    # The name of the file ends up in a downloads folder: it says nothing.
    answer.headers["Content-Disposition"] = f'attachment; filename="everything.{kind}"'
    return answer


@page(Policy.SIGNED_IN, methods=("POST",), confirmed=("POST",))
def account_file(request: PageRequest) -> HttpResponse:
    """What belongs to one's own account."""
    held = export.as_data(export.of_account(actor=request.actor))
    answer = JsonResponse(held, json_dumps_params={"indent": 2})
    answer.headers["Content-Disposition"] = 'attachment; filename="account.json"'
    return answer


@page(Policy.CLIENT, methods=("GET", "POST"), confirmed=("POST",))
def erase(request: PageRequest, pk: UUID) -> HttpResponse:
    """What would go and what has to stay: this page is the first tap, its button the second."""
    if request.method == "POST":
        erasure.ask(actor=request.actor, client_id=pk)
        messages.success(request, "Asked. You can call it off for seven days.")
        return redirect_or_swap(request, "my_data")
    at = timezone.now()
    client = own_client(request.actor, pk, at)
    is_own = client.user_id == request.actor.user_id
    found = erasure.outlook(client)
    context = {
        "client": client,
        "is_own": is_own,
        "may_ask": not is_own or not is_minor(client, at),
        "asked": erasure.asked(client),
        "outlook": found,
        "goes": [line for line in found.lines if line.fate == erasure.Fate.GOES and line.count],
        "held": [line for line in found.lines if line.fate == erasure.Fate.HELD and line.count],
        "days": erasure.GRACE.days,
    }
    return render(request, "rights/erase.html", context)


@page(Policy.CLIENT, methods=("POST",))
def keep(request: PageRequest, pk: UUID) -> HttpResponse:
    """Call it off."""
    erasure.cancel(actor=request.actor, client_id=pk)
    messages.success(request, "Called off. Everything stays as it is.")
    return redirect_or_swap(request, "my_data")
