"""Inbox, outbox and the page of one referral, for both professionals and the client."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, Value, When
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clients import licensing
from clients.access import professional_of
from handoff.core.actors import Actor, Role
from handoff.core.errors import NotVisible, Stale
from handoff.core.paging import keyset_page
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest, is_fragment
from referrals import access, disclosure, lifecycle, reminders, sharing
from referrals.models import DischargeNote, Episode, Referral
from referrals.packets import Envelope
from referrals.states import (
    OPEN,
    RECIPIENT_MAY_READ,
    TERMINAL,
    WAITING_ON,
    Kind,
    Party,
    State,
    Verb,
)
from referrals.views import referral_steps
from referrals.views.referral_steps import OFFERS, Step, form_for, offer_of, steps_for, take

PHASE_OF = {
    **dict.fromkeys(OPEN, "handoff"),
    State.IN_PROGRESS: "training",
    State.ON_HOLD: "training",
    State.COMPLETED: "training",
}
"""Who leads in a state, for the rail. Everything that ended otherwise is back in rehab's hands."""

DUE = 0
IN_TURN = ("place", "state_at", "id")
BOXES = {
    "waiting": "Waiting for you",
    "open": "Open",
    "closed": "Closed",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One referral in a list: who, where it stands, since when. No clinical words."""

    referral: Referral
    name: str
    other: str
    is_mine_to_answer: bool
    received: bool
    is_due: bool
    """Somebody has been reminded of it and has not answered."""

    @property
    def phase(self) -> str:
        return phase_of(self.referral)

    @property
    def kind_words(self) -> str:
        """What a list says of a referral that is no handoff."""
        is_handoff = self.referral.kind == Kind.DISCHARGE_HANDOFF
        return "" if is_handoff else self.referral.get_kind_display()

    @property
    def has_ended(self) -> bool:
        return self.referral.state in TERMINAL


@page(Policy.PROFESSIONAL)
def referrals(request: PageRequest) -> HttpResponse:
    """All handoffs of this professional: what waits for them first."""
    box = request.GET.get("box", "waiting")
    if box not in BOXES:
        box = "waiting"
    rows = _box(request.actor, box)
    waiting = box == "waiting"
    found = keyset_page(
        in_turn(request.actor, rows, timezone.now()) if waiting else rows,
        order=IN_TURN if waiting else ("-state_at", "-id"),
        cursor=request.GET.get("cursor"),
    )
    return render(
        request,
        "referrals/list.html",
        {
            "page": found,
            "rows": [row_of(request.actor, each) for each in found.items],
            "box": box,
            "boxes": BOXES,
            "lapses": _lapses(request.actor),
        },
    )


def _lapses(actor: Actor) -> list[licensing.Lapse]:
    """What keeps a trainer from taking on whoever is sent to them here (R6)."""
    if Role.TRAINER not in actor.roles:
        return []
    return licensing.lapses(professional_of(actor, Role.TRAINER), timezone.now())


def _box(actor: Actor, box: str) -> QuerySet[Referral]:
    rows = access.referrals_visible_to(actor).select_related(
        "client", "sender__user", "sender__practice", "recipient__user", "recipient__practice"
    )
    if box == "closed":
        return rows.filter(state__in=list(TERMINAL))
    rows = rows.filter(state__in=list(OPEN))
    return access.waiting_for(actor, rows) if box == "waiting" else rows


def in_turn(actor: Actor, rows: QuerySet[Referral], at: datetime) -> QuerySet[Referral]:
    """Rows that can be ordered by `IN_TURN`: due first, then urgent, the oldest first in each."""
    place = Case(
        When(reminders.is_listed(actor, at), then=Value(DUE)),
        When(priority=Referral.Priority.URGENT, then=Value(DUE + 1)),
        default=Value(DUE + 2),
        output_field=IntegerField(),
    )
    return rows.annotate(place=place).order_by(*IN_TURN)


def row_of(actor: Actor, referral: Referral) -> Row:
    """How `actor` sees a referral in a list."""
    received = referral.recipient_id in actor.professional_ids
    waits_for = WAITING_ON[State(referral.state)]
    mine = waits_for is (Party.RECIPIENT if received else Party.SENDER)
    return Row(
        referral=referral,
        name=disclosure.display_name(referral) if received else referral.client.name,
        other=referral.sender.name if received else referral.recipient.name,
        is_mine_to_answer=mine,
        received=received,
        is_due=getattr(referral, "place", None) == DUE,  # only where rows were put in turn
    )


@page(Policy.SIGNED_IN)
def referral(request: PageRequest, pk: UUID) -> HttpResponse:
    """One referral, as this person may see it and with what they can do next."""
    disclosure.handoff(actor=request.actor, referral_id=pk)
    if request.method == "GET":
        lifecycle.view(actor=request.actor, referral_id=pk)
    return _detail(request, pk)


@page(Policy.SIGNED_IN, methods=("GET", "POST"))
def referral_step(request: PageRequest, pk: UUID, verb: str) -> HttpResponse:
    """Take one step; with input it refuses, the page comes back with what was typed."""
    try:
        named = Verb(verb)
    except ValueError:
        raise NotVisible from None
    if named not in OFFERS:
        raise NotVisible
    found = disclosure.handoff(actor=request.actor, referral_id=pk)
    if request.method != "POST":
        return _detail(request, pk, open_verb=named)
    form = form_for(named, found, timezone.now(), request.POST)
    if not form.is_valid():
        return _detail(request, pk, bound=form, open_verb=named, status=422)
    after = take(named, form, actor=request.actor, referral=found)
    if after is None:
        return _detail(request, pk, bound=form, open_verb=named, status=422)
    messages.success(request, offer_of(named, found.kind).done)
    return redirect_or_swap(request, "referral", after.pk)


def _detail(
    request: PageRequest,
    pk: UUID,
    *,
    bound: forms.Form | None = None,
    open_verb: str = "",
    status: int = 200,
) -> HttpResponse:
    at = timezone.now()
    actor = request.actor
    found = access.referral_for(actor, pk, at=at)
    parties = access.parties(actor, found, at)
    received = Party.RECIPIENT in parties
    reads = received and found.state in RECIPIENT_MAY_READ
    asks_for_papers = received or Party.SENDER in parties
    place = lifecycle.licence_place(found)
    ability = licensing.ability(found.recipient, at, state=place) if asks_for_papers else None
    steps = _steps(actor, found, at, bound, open_verb)
    if received and ability and not ability.may_accept:
        # What would be refused is not offered; the page says what is missing.
        steps = [each for each in steps if each.verb is not Verb.ACCEPT]
    if bound is not None:
        typed = next((each for each in steps if each.verb == open_verb), None)
        if typed is None:
            raise Stale
        if is_fragment(request):
            part = {"referral": found, "step": typed, "primary": typed.offer.leads}
            part["zone"] = referral_steps.session_zone(found)
            return render(request, "referrals/_step.html", part, status=status)
    context = {
        "referral": found,
        "state": State(found.state),
        "name": disclosure.display_name(found) if received else found.client.name,
        "received": received,
        "sent_by_me": Party.SENDER in parties,
        "is_client": Party.CLIENT in parties,
        "is_own": found.client.user_id == actor.user_id,
        "waits_for": _waits_for(found) if Party.CLIENT in parties else "",
        "phase": phase_of(found),
        "to_therapy": found.kind == Kind.REFER_OUT,
        "facts": disclosure.facts_of(actor=actor, referral_id=pk, at=at)
        if found.kind == Kind.REFER_OUT
        else None,
        "episodes": _episodes(actor, found) if reads and found.kind == Kind.REFER_OUT else (),
        "has_ended": found.state in TERMINAL,
        "envelope": _envelope(actor, found, at),
        "reads": reads,
        "goal": disclosure.goal_of(actor=actor, referral_id=pk, at=at)
        if Party.SENDER in parties or reads
        else None,
        "sharing": sharing.standing_of(found, at) if Party.SENDER in parties or reads else None,
        "thread": disclosure.thread(actor=actor, referral_id=pk, at=at)
        if parties & {Party.SENDER, Party.RECIPIENT}
        else None,
        "history": disclosure.steps(actor=actor, referral_id=pk, at=at),
        "steps": steps,
        "ability": ability,
        "reminded": reminders.sent_for(found) if Party.SENDER in parties else (),
        "zone": referral_steps.session_zone(found),
    }
    return render(request, "referrals/detail.html", context, status=status)


def phase_of(referral: Referral) -> str:
    """Who leads in a referral: on the way back to therapy, nobody trains."""
    phase = PHASE_OF.get(State(referral.state), "rehab")
    return "rehab" if referral.kind == Kind.REFER_OUT and phase == "training" else phase


def _episodes(actor: Actor, found: Referral) -> list[Episode]:
    """The viewer's own episodes of a client who was sent back to them, newest first; each says
    whether its note is signed. Nothing of what stands in them."""
    signed = DischargeNote.objects.filter(episode=OuterRef("pk"), signed_at__isnull=False)
    rows = access.episodes_visible_to(actor).filter(client=found.client_id, pt=found.recipient_id)
    return list(rows.annotate(signed=Exists(signed)).order_by("-created_at", "-id")[:5])


def _waits_for(found: Referral) -> str:
    """Who has the next word, for the client; empty once training began or when it is theirs."""
    state = State(found.state)
    if PHASE_OF.get(state) != "handoff":
        return ""
    names = {Party.RECIPIENT: found.recipient.name, Party.SENDER: found.sender.name}
    waiting = WAITING_ON[state]
    return names.get(waiting, "") if waiting else ""


def _steps(
    actor: Actor, found: Referral, at: datetime, bound: forms.Form | None, verb: str
) -> list[Step]:
    offered = steps_for(actor, found, at, bound=bound, bound_verb=verb)
    return [
        Step(each.verb, each.offer, each.form, is_open=each.is_open or each.verb == verb)
        for each in offered
    ]


def _envelope(actor: Actor, found: Referral, at: datetime) -> Envelope | None:
    if not access.recipient_may_see_envelope(actor, found):
        return None
    return disclosure.envelope(actor=actor, referral_id=found.pk, at=at)
