"""Letters from doctors of one client: which there are, handing in, keeping and removing one."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render

from clients.access import own_clients
from handoff.core.errors import Invalid
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from handoff.web.uploads import ask_again, inert_file, takes_file
from referrals import access
from referrals import letters as letters_
from referrals.forms.letters import LetterForm


@takes_file
@page(Policy.SIGNED_IN, methods=("GET", "POST"))
def letters(request: PageRequest, pk: UUID) -> HttpResponse:
    """The letters this reader may know of, and the form for another."""
    actor = request.actor
    posted = request.method == "POST"
    # A look goes through the door before anything else, so that a refused one is entered.
    listed = () if posted else letters_.letters(actor=actor, client_id=pk)
    therapists = letters_.therapists_for(actor=actor, client_id=pk)
    form = LetterForm(
        request.POST if posted else None, request.FILES if posted else None, therapists=therapists
    )
    if form.is_valid():
        values = dict(form.cleaned_data)
        letter = values.pop("file")
        try:
            letters_.hand_in(actor=actor, client_id=pk, values=values, letter=letter)
        except Invalid as refused:
            for field, texts in refused.errors.items():
                for text in texts:
                    form.add_error(field or None, text)
        else:
            messages.success(request, "The letter is kept.")
            return redirect_or_swap(request, "letters", pk)
    if posted:
        ask_again(form)
        listed = letters_.letters(actor=actor, client_id=pk)
    client = access.client_for(actor, pk)
    context = {
        "client": client,
        "is_own": client.user_id == actor.user_id,
        "is_clients_side": any(each.pk == pk for each in own_clients(actor)),
        "letters": listed,
        "therapists": therapists,
        "form": form,
    }
    return render(request, "letters/list.html", context, status=422 if form.errors else 200)


@page(Policy.SIGNED_IN)
def letter_file(request: PageRequest, pk: UUID) -> HttpResponse:
    """One letter, to keep."""
    found = letters_.letter_file(actor=request.actor, letter_id=pk)
    return inert_file(found.kind, found.data, "letter")


@page(Policy.SIGNED_IN, methods=("POST",))
def letter_remove(request: PageRequest, pk: UUID) -> HttpResponse:
    """Destroy a letter that one added by mistake."""
    row = letters_.remove(actor=request.actor, letter_id=pk)
    messages.success(request, "The letter is removed.")
    return redirect_or_swap(request, "letters", row.client_id)
