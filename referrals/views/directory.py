"""`/directory/`: who can be found, what each may do, and whom a client would like."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.forms import BoundField, Form
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from clients import directory
from clients.access import own_clients
from clients.directory import Entry
from clients.models import Client
from handoff.core.actors import Actor
from handoff.core.errors import NotVisible
from handoff.core.policy import Policy
from handoff.web.pages import page, panel, redirect_or_swap
from handoff.web.paging import keyset_page
from handoff.web.requests import PageRequest
from referrals import wishes
from referrals.forms.directory import DirectoryForm
from referrals.models import Wish

PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """One professional, and which of the reader's people would like them."""

    entry: Entry
    wished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """One thing that narrows the list, and the address without it."""

    label: str
    without: str


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody for whom a wish can be said, and what they wish of this trade now."""

    client: Client
    is_self: bool
    wish: Wish | None


@page(Policy.PUBLIC)
def directory_page(request: PageRequest) -> HttpResponse:
    """The directory, for anybody. A client sees their own wishes in it, and nobody else's."""
    at = timezone.now()
    form = DirectoryForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else getattr(form, "cleaned_data", {})
    rows = directory.listed(
        at,
        role=wanted.get("role", ""),
        words=wanted.get("q", ""),
        specialty=wanted.get("specialty", ""),
        state=wanted.get("state", ""),
        language=wanted.get("language", ""),
        accepting=wanted.get("accepting", False),
    )
    found = keyset_page(
        rows, order=directory.BY_NAME, cursor=request.GET.get("cursor"), size=PER_PAGE
    )
    own = _own(request.actor)
    said = wishes.own_wishes(actor=request.actor, clients=own) if own else []
    context = {
        "form": form,
        "page": found,
        "found": [
            Listed(entry, tuple(_whose(each, request.actor) for each in said if _for(each, entry)))
            for entry in directory.entries(found.items, at)
        ],
        "filters": list(_filters(form, request.GET)),
        "wishes": [(each, _whose(each, request.actor)) for each in said],
    }
    return panel(
        request,
        "directory/_found.html",
        context,
        page="directory/list.html",
        status=422 if form.errors else 200,
    )


@page(Policy.PUBLIC)
def directory_entry(request: PageRequest, pk: UUID) -> HttpResponse:
    """One professional: what they say of themselves, what is checked, what they may do."""
    entry = directory.entry(pk, timezone.now())
    own = _own(request.actor)
    said = wishes.own_wishes(actor=request.actor, clients=own) if own else []
    askers = [
        Asker(
            client=client,
            is_self=client.user_id == request.actor.user_id,
            wish=next(
                (each for each in said if each.client_id == client.pk and each.role == entry.role),
                None,
            ),
        )
        for client in own
    ]
    return render(request, "directory/entry.html", {"entry": entry, "askers": askers})


@page(Policy.CLIENT, methods=("POST",))
def wish_make(request: PageRequest, pk: UUID) -> HttpResponse:
    """A client would like this one, said by them or by who acts for them."""
    try:
        client_id = UUID(request.POST.get("client", ""))
    except ValueError:
        raise NotVisible from None
    wishes.wish(actor=request.actor, client_id=client_id, professional_id=pk)
    messages.success(request, "Saved. The treating therapist can see it.")
    return redirect_or_swap(request, "directory_entry", pk)


@page(Policy.CLIENT, methods=("POST",))
def wish_take_back(request: PageRequest, pk: UUID) -> HttpResponse:
    """They would not any more."""
    wishes.take_back(actor=request.actor, wish_id=pk)
    messages.success(request, "Taken back.")
    return redirect_or_swap(request, "directory")


def _own(actor: Actor) -> list[Client]:
    return [each for each in own_clients(actor) if each.erased_at is None]


def _for(wish: Wish, entry: Entry) -> bool:
    return wish.professional_id == entry.id


def _whose(wish: Wish, actor: Actor) -> str:
    """The first name of the client a wish is of; empty for the reader's own."""
    return "" if wish.client.user_id == actor.user_id else wish.client.first_name


def _filters(form: Form, query: QueryDict) -> Iterator[Filter]:
    """What narrows the list, one by one, each with the way to the list without it."""
    wanted = getattr(form, "cleaned_data", {})
    for bound in form:
        value = wanted.get(bound.name)
        if not value:
            continue
        rest = query.copy()
        rest.pop(bound.name, None)
        rest.pop("cursor", None)
        yield Filter(_said(bound, value), f"?{rest.urlencode()}")


def _said(bound: BoundField, value: object) -> str:
    if value is True:
        return str(bound.label)
    choices = dict(getattr(bound.field, "choices", ()))
    return str(choices.get(value, f"“{value}”"))
