"""The page of one client: what this person may read of them, and nothing else."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render

from clients.consent import Standing
from clients.models import AccessEntry
from handoff.core.actors import Actor, Channel, Role
from handoff.core.errors import Invalid, NotVisible, Stale
from handoff.core.policy import Policy
from handoff.web.pages import page, panel, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import access, disclosure, particulars, restrictions, sharing, wishes
from referrals.forms.referral import LimitQuestionForm
from referrals.models import Episode, Referral, RestrictionVersion, Wish
from referrals.packets import Packet, RestrictionsView
from referrals.particulars import ListedView
from referrals.permits import Standpoint
from referrals.states import RECIPIENT_MAY_READ, TERMINAL
from referrals.views.referral import phase_of
from referrals.vocabulary import Severity

TALLY = {"avoid": Severity.MUST_NOT, "modify": Severity.LIMIT, "caution": Severity.CAUTION}


@dataclass(frozen=True, slots=True)
class Shared:
    """How sharing stands with one therapist who handed the client over to the viewer."""

    standing: Standing
    therapist: str


@page(Policy.SIGNED_IN)
def client(request: PageRequest, pk: UUID) -> HttpResponse:
    """What the viewer may read of a client, class by class; the rest says "not shared"."""
    packet = disclosure.disclose(actor=request.actor, client_id=pk, purpose="client page")
    return render(request, "client_page/client.html", _context(request.actor, packet))


@page(Policy.SIGNED_IN)
def client_card(request: PageRequest, pk: UUID) -> HttpResponse:
    """The card to print: limits and contact on one sheet, readable in grey."""
    packet = disclosure.disclose(
        actor=request.actor.through(Channel.PRINT),
        client_id=pk,
        purpose="printed card",
        action=AccessEntry.Action.PRINTED,
    )
    return render(request, "client_page/card.html", _context(request.actor, packet))


@page(Policy.TRAINER, methods=("POST",))
def acknowledge(request: PageRequest, pk: UUID) -> HttpResponse:
    """The trainer has read the limits that were on the page, in the versions shown there.

    One that changed meanwhile is refused as Stale: nobody confirms what they did not see.
    """
    shown = (entry.partition(":") for entry in request.POST.getlist("read"))
    try:
        versions = {UUID(limit): int(version) for limit, _, version in shown}
    except ValueError:
        raise Stale from None
    restrictions.acknowledge_all(actor=request.actor, client_id=pk, versions=versions)
    messages.success(request, "Thank you. The therapist sees that you have read them.")
    return redirect_or_swap(request, "client", pk)


@page(Policy.TRAINER, methods=("GET", "POST"))
def limit_ask(request: PageRequest, pk: UUID) -> HttpResponse:
    """Ask the therapist to lift or explain one limit. It stays in force: only they change it."""
    limit = particulars.restriction(actor=request.actor, restriction_id=pk)
    if isinstance(limit, ListedView):
        raise NotVisible
    if limit.status != RestrictionVersion.Status.ACTIVE:
        raise Stale("This limit is lifted already.")
    form = LimitQuestionForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            restrictions.request_lift(
                actor=request.actor, restriction_id=pk, text=form.cleaned_data["text"]
            )
        except Invalid as refused:
            for text in refused.errors["text"]:
                form.add_error("text", text)
        else:
            messages.success(request, "Your question is on its way.")
            return redirect_or_swap(request, "client", limit.client_id)
    return panel(
        request,
        "trainer/_limit_ask.html",
        {"limit": limit, "form": form},
        page="trainer/limit_ask.html",
        status=422 if form.errors else 200,
    )


def reading(packet: Packet) -> dict[str, object]:
    """What the parts of the page are drawn from: all of it comes from the packet, so that a
    client who looks at it as their trainer sees the same."""
    limits = packet.restrictions if isinstance(packet.restrictions, RestrictionsView) else None
    return {
        "packet": packet,
        "limits": limits,
        "tally": _tally(limits),
        "is_recipient": packet.standpoint is Standpoint.RECIPIENT,
    }


def _context(actor: Actor, packet: Packet) -> dict[str, object]:
    at = packet.as_of
    limits = packet.restrictions if isinstance(packet.restrictions, RestrictionsView) else None
    referrals = _referrals(actor, packet.client_id)
    running = next((each for each in referrals if each.state not in TERMINAL), None)
    newest = running or next(iter(referrals), None)
    shared = _sharing(actor, packet.client_id, at)
    return {
        **reading(packet),
        "is_treating": packet.standpoint is Standpoint.TREATING,
        "is_own": packet.standpoint in (Standpoint.SELF, Standpoint.GUARDIAN),
        "may_ask": _may_ask(packet, referrals),
        "may_refer_out": Role.TRAINER in actor.roles
        and packet.standpoint is Standpoint.RECIPIENT
        and any(each.recipient_id in actor.professional_ids for each in referrals),
        "to_confirm": limits.unacknowledged if limits else (),
        "referrals": referrals,
        "referral": newest,
        "phase": phase_of(newest) if newest else "rehab",
        "sharing": shared,
        "shares_something": any(each.standing.is_active for each in shared),
        "episodes": _episodes(actor, packet.client_id),
        "wishes": _wishes(actor, packet),
    }


def _wishes(actor: Actor, packet: Packet) -> list[Wish]:
    """Whom the client would like: for their own side, and for who treats them."""
    if packet.standpoint is Standpoint.RECIPIENT:
        return []
    return wishes.open_wishes(actor=actor, client_id=packet.client_id, at=packet.as_of)


def _may_ask(packet: Packet, referrals: list[Referral]) -> bool:
    """Whether there is something to ask the client for, and somebody to ask it for."""
    if packet.standpoint is Standpoint.RECIPIENT:
        return bool(packet.withheld)
    return packet.standpoint is Standpoint.TREATING and bool(referrals)


def _tally(limits: RestrictionsView | None) -> dict[str, int]:
    if limits is None:
        return {}
    return {
        name: sum(item.severity == severity for item in limits.items)
        for name, severity in TALLY.items()
    }


def _referrals(actor: Actor, client_id: UUID) -> list[Referral]:
    rows = access.referrals_visible_to(actor).filter(client_id=client_id)
    if not actor.professionals:
        rows = rows.exclude(sent_at=None)
    return list(
        rows.select_related(
            "client", "sender__user", "sender__practice", "recipient__user", "recipient__practice"
        ).order_by("-created_at", "-id")[:10]
    )


def _episodes(actor: Actor, client_id: UUID) -> list[Episode]:
    """The viewer's own episodes of this client, to link to; nothing of them is shown here."""
    return list(
        access.episodes_visible_to(actor)
        .filter(client_id=client_id)
        .order_by("-created_at", "-id")
        .only("id", "status", "created_at")[:20]
    )


def _sharing(actor: Actor, client_id: UUID, at: datetime) -> list[Shared]:
    """How sharing stands with each therapist whose handoff the viewer took on, newest first.

    A recipient learns until when, or since when not; never why.
    """
    if not actor.professional_ids:
        return []
    taken_on = list(
        access.referrals_visible_to(actor)
        .filter(
            client_id=client_id,
            recipient_id__in=actor.professional_ids,
            state__in=list(RECIPIENT_MAY_READ),
        )
        .select_related("sender__user")
    )
    found = sharing.standings_of(taken_on, at)
    return [Shared(standing, each.sender.name) for each, standing in found]
