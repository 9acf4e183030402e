"""Everything that happened with a client on one page, as far as this person may know of it."""

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render

from handoff.core.paging import sequence_page
from handoff.core.policy import Policy
from handoff.web.pages import page
from handoff.web.requests import PageRequest
from referrals import access, disclosure, journey
from referrals.journey import Phase, Stop
from referrals.permits import Standpoint
from referrals.states import State
from referrals.timeline import Moment, timeline
from referrals.views.referral import PHASE_OF


@dataclass(frozen=True, slots=True)
class Event:
    """One line: a day of the record, or a moment of a handoff or of sharing."""

    key: str
    title: str
    at: date | datetime
    text: str
    phase: str
    when: str
    order: datetime


@page(Policy.SIGNED_IN)
def client_timeline(request: PageRequest, pk: UUID) -> HttpResponse:
    """From injury to training, newest first, with what lies ahead on top.

    Read through the door like the record itself: what is not shared is not on it, and the look is
    entered.
    """
    actor = request.actor
    packet = disclosure.disclose(actor=actor, client_id=pk, purpose="timeline")
    client = access.client_for(actor, pk, at=packet.as_of)
    moments = timeline(actor=actor, client_id=pk, at=packet.as_of)
    zone = client.time_zone
    stops = (*journey.course(packet, zone=zone), *journey.details(packet, zone=zone))
    found = _events(stops, moments, ZoneInfo(zone))
    ahead = [each for each in reversed(found) if each.when == "next"]
    past = [each for each in found if each.when != "next"]
    return render(
        request,
        "client_page/timeline.html",
        {
            "packet": packet,
            "is_own": packet.standpoint in (Standpoint.SELF, Standpoint.GUARDIAN),
            "ahead": ahead,
            "page": sequence_page(
                past, key=lambda each: each.key, cursor=request.GET.get("cursor"), size=100
            ),
            "withheld": [each for each in packet.withheld if each in journey.TOLD],
        },
    )


def _events(stops: tuple[Stop, ...], moments: tuple[Moment, ...], zone: ZoneInfo) -> list[Event]:
    """All of it, newest first."""
    found = [
        Event(
            key=f"record-{number}",
            title=stop.title,
            at=stop.at,
            text=stop.text,
            phase=stop.phase,
            when=stop.when,
            order=datetime.combine(stop.at, time(), tzinfo=zone),
        )
        for number, stop in enumerate(stops)
    ]
    found += [
        Event(
            key=moment.key,
            title=moment.label,
            at=moment.at,
            text=_words(moment),
            phase=_phase(moment),
            when="done",
            order=moment.at,
        )
        for moment in moments
    ]
    return sorted(found, key=lambda each: (each.order, each.key), reverse=True)


def _words(moment: Moment) -> str:
    what = "Handoff" if moment.subject == "referral" else "Sharing"
    told = f"{what} from {moment.between[0]} to {moment.between[1]}"
    if moment.by:
        told += f". By {moment.by}"
    return f"{told}. {moment.reason}" if moment.reason else told


def _phase(moment: Moment) -> str:
    if moment.subject == "referral":
        return PHASE_OF.get(State(moment.what), Phase.REHAB)
    return Phase.HANDOFF
