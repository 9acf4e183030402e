"""A professional asks a client to share a part that is not shared."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clients import consent as consents
from clients.models import Consent, Professional
from clients.scopes import Scope, notice
from handoff.core.actors import Actor, Role
from handoff.core.errors import Invalid, NotVisible
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import access, sharing
from referrals.forms.consents import AskForm
from referrals.models import Referral
from referrals.standpoints import Seen, Side, state_for
from referrals.states import RECIPIENT_MAY_READ

SHOWN = 5
"""Earlier questions of one's own that are listed."""


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody at the other end: whose records, or who would read them."""

    discloser: Professional
    recipient: Professional
    is_recipient: bool
    """The viewer is the one who would read."""

    @property
    def person(self) -> Professional:
        return self.discloser if self.is_recipient else self.recipient


@dataclass(frozen=True, slots=True)
class Earlier:
    """A question the viewer put before, and what came of it as far as they are told."""

    asked_at: datetime
    state: Seen


@page(Policy.PROFESSIONAL, methods=("GET", "POST"))
def client_ask(request: PageRequest, pk: UUID) -> HttpResponse:
    """Which parts, and why. The answer is the client's; who asks is told only "not shared"."""
    at = timezone.now()
    client = access.client_for(request.actor, pk, at=at)
    others = {str(each.person.pk): each for each in _others(request.actor, pk)}
    if not others:
        raise NotVisible
    names = [(key, each.person.name) for key, each in others.items()]
    form = AskForm(request.POST if request.method == "POST" else None, others=names)
    if form.is_valid():
        chosen = others[form.cleaned_data["other"]]
        try:
            sharing.ask(
                actor=request.actor,
                client_id=pk,
                discloser_id=chosen.discloser.pk,
                recipient_id=chosen.recipient.pk,
                purpose=form.cleaned_data["purpose"],
                classes=form.chosen,
            )
        except Invalid as error:
            for field, texts in error.errors.items():
                for text in texts:
                    form.add_error(field if field in form.fields else None, text)
        else:
            messages.success(request, "The client is asked. Nothing changes until they answer.")
            return redirect_or_swap(request, "client", pk)
    only = next(iter(others.values())) if len(others) == 1 else None
    context = {
        "client": client,
        "form": form,
        "only": only,
        "parts": [(scope, str(scope.label)) for scope in _parts(only)],
        "shared": _shared(only, pk, at) if only else frozenset(),
        "earlier": _earlier(request.actor, pk, at),
    }
    status = 422 if form.errors else 200
    return render(request, "client_page/ask.html", context, status=status)


def _parts(only: Other | None) -> list[Scope]:
    """What can be asked for: of a trainer, what they tell; of several people, all there is."""
    words = notice() if only is None else consents.notice_for(only.discloser)
    return list(words.scopes)


def _others(actor: Actor, client_id: UUID) -> list[Other]:
    """Those between whom the viewer may ask: one for each end of a handoff of theirs."""
    ids = actor.professional_ids
    rows = (
        Referral.objects.filter(client=client_id, sent_at__isnull=False)
        .select_related("sender__user", "recipient__user")
        .order_by("-sent_at", "id")
    )
    found: dict[tuple[UUID, UUID], Other] = {}
    for row in rows:
        pair = row.sender_id, row.recipient_id
        if row.recipient_id in ids and row.state in RECIPIENT_MAY_READ:
            found.setdefault(pair, Other(row.sender, row.recipient, is_recipient=True))
        elif row.sender_id in ids:
            found.setdefault(pair, Other(row.sender, row.recipient, is_recipient=False))
    # Whoever is at the other end both ways is asked about once, for what the therapist holds.
    both = {(b, a) for (a, b), each in found.items() if each.discloser.role == Role.PT}
    return [
        each
        for pair, each in found.items()
        if each.discloser.is_current and (pair not in both or each.discloser.role == Role.PT)
    ]


def _shared(other: Other, client_id: UUID, at: datetime) -> frozenset[Scope]:
    live = consents.live(
        client_id=client_id,
        at=at,
        recipient_ids=[other.recipient.pk],
        discloser_ids=[other.discloser.pk],
    )
    return frozenset[Scope]().union(*(each.classes for each in live))


def _earlier(actor: Actor, client_id: UUID, at: datetime) -> list[Earlier]:
    rows = Consent.objects.filter(client=client_id, asked_by=actor.user_id).order_by("-asked_at")
    newest = list(rows[:SHOWN])
    found = consents.standings(Consent.objects.filter(pk__in=[each.pk for each in newest]), at)
    return [
        Earlier(each.asked_at, Seen(state_for(Side.DISCLOSER, found[each.pk].state)))
        for each in newest
        if each.pk in found
    ]
