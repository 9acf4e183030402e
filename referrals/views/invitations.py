"""The link of an invitation. The secret leaves the address at once; only the session knows it.

Until somebody has signed in with the invited address, nothing here says who invites whom.
"""

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from clients import links
from clients.adapters import OPENED, opened_invitation
from clients.forms import BirthDateForm
from clients.invitations import LINK_LIFE
from clients.links import Stage
from handoff.core.errors import Invalid, NotAllowed
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import matching


@page(Policy.PUBLIC)
def invitation(request: PageRequest, token: str) -> HttpResponse:
    """The address in the mail: remembers which invitation it was and moves on without it.

    Opening changes nothing, so a mail scanner that follows links does no harm.
    """
    found = links.find(token)
    request.session.pop(OPENED, None)
    if found is not None:
        request.session[OPENED] = str(found)
    return redirect("invitation_open")


@page(Policy.PUBLIC, methods=("GET", "POST"))
def invitation_open(request: PageRequest) -> HttpResponse:
    """What to do with the opened link, and doing it."""
    invitation_id = opened_invitation(request)
    form = BirthDateForm(request.POST if request.method == "POST" else None)
    refused = ""
    if request.method == "POST" and invitation_id is not None:
        stage = links.outlook(actor=request.actor, invitation_id=invitation_id).stage
        try:
            match stage:
                case Stage.MATCH:
                    matching.connect(actor=request.actor, invitation_id=invitation_id)
                    return _arrived(request)
                case Stage.GUARDIAN:
                    matching.accept(actor=request.actor, invitation_id=invitation_id)
                    return redirect_or_swap(request, "invitation_open")
                case Stage.CONFIRM if form.is_valid():
                    matching.accept(
                        actor=request.actor,
                        invitation_id=invitation_id,
                        birth_date=form.cleaned_data["birth_date"],
                    )
                    return _arrived(request)
        except Invalid as error:
            for field, texts in error.errors.items():
                form.add_error(field or None, texts[0])
        except NotAllowed as error:
            refused = error.reason
    outlook = links.outlook(actor=request.actor, invitation_id=invitation_id)
    if outlook.stage is Stage.SIGN_IN and invitation_id is not None:
        # Whoever holds the link has received mail at the address: signing up need not prove it.
        address = links.address_of(invitation_id)
        if address is not None:
            get_adapter(request).stash_verified_email(request, address)
    context = {
        "stage": outlook.stage.value,
        "kind": outlook.kind,
        "form": form,
        "refused": refused,
        "signed_in_as": getattr(request.user, "email", ""),
        "days": LINK_LIFE.days,
        "sign_in_address": settings.LOGIN_URL,
    }
    status = 422 if form.errors or refused else 200
    return render(request, "clients/invitation.html", context, status=status)


def _arrived(request: PageRequest) -> HttpResponse:
    request.session.pop(OPENED, None)
    messages.success(request, "Welcome. You are connected.")
    return redirect_or_swap(request, "home")
