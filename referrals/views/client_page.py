"""The page of one client: what this person may read of them, and nothing else."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render

from clients import consent as consents
from clients.models import AccessEntry, Consent
from handoff.core.actors import Actor, Channel
from handoff.core.errors import Stale
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import access, disclosure, restrictions
from referrals.models import Episode, Referral
from referrals.packets import Packet, RestrictionsView
from referrals.permits import Standpoint
from referrals.states import RECIPIENT_MAY_READ, TERMINAL, State
from referrals.views.referral import PHASE_OF
from referrals.vocabulary import Severity

TALLY = {"avoid": Severity.MUST_NOT, "modify": Severity.LIMIT, "caution": Severity.CAUTION}


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


def _context(actor: Actor, packet: Packet) -> dict[str, object]:
    at = packet.as_of
    limits = packet.restrictions if isinstance(packet.restrictions, RestrictionsView) else None
    referrals = _referrals(actor, packet.client_id)
    running = next((each for each in referrals if each.state not in TERMINAL), None)
    newest = running or next(iter(referrals), None)
    return {
        "packet": packet,
        "is_recipient": packet.standpoint is Standpoint.RECIPIENT,
        "is_treating": packet.standpoint is Standpoint.TREATING,
        "is_own": packet.standpoint in (Standpoint.SELF, Standpoint.GUARDIAN),
        "limits": limits,
        "tally": _tally(limits),
        "to_confirm": limits.unacknowledged if limits else (),
        "referrals": referrals,
        "referral": newest,
        "phase": PHASE_OF.get(State(newest.state), "rehab") if newest else "rehab",
        "sharing": _sharing(actor, packet, at),
        "episodes": _episodes(actor, packet.client_id),
    }


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


def _sharing(actor: Actor, packet: Packet, at: datetime) -> list[consents.Standing]:
    """How each consent that names the viewer as recipient stands, newest first.

    A recipient learns until when, or since when not; never why.
    """
    if not actor.professional_ids:
        return []
    rows = Consent.objects.filter(
        client_id=packet.client_id, recipient_id__in=actor.professional_ids
    ).filter(referrals__state__in=list(RECIPIENT_MAY_READ))
    found = consents.standings(rows, at).values()
    return sorted(found, key=lambda each: -each.event_number)
