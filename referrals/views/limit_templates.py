"""Beginning from a template: which there are, what one proposes, and what was ticked of it.

Which template it is travels in the body: in an address it would say what somebody is treated for.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from clients.licensing import local_day
from handoff.core.errors import Invalid
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import care, disclosure, starting, starting_points
from referrals.forms.pt_starting import OfferForm
from referrals.models import Episode
from referrals.starting_points import GateOffer, LimitOffer, Offer, Wish
from referrals.starting_points.offers import ASKED
from referrals.views.limit_preview import LimitPreview, preview
from referrals.views.note_page import discharge_url
from referrals.vocabulary import Comparator, Unit


@dataclass(frozen=True, slots=True)
class OfferedLimit:
    """One proposed limit on the page."""

    offer: LimitOffer
    form: OfferForm
    preview: LimitPreview | None


@dataclass(frozen=True, slots=True)
class OfferedGate:
    """One proposed gate on the page."""

    offer: GateOffer
    form: OfferForm


@page(Policy.PT, methods=("GET", "POST"))
def limit_template(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """The templates; a POST shows what one proposes, or adds what was ticked of it."""
    actor, at = request.actor, timezone.now()
    row = care.require_running(disclosure.treated(actor=actor, episode_id=episode_id, at=at))
    if request.method != "POST":
        return _list(request, row)
    sent = request.POST
    adds = sent.get("then") == "add"
    wish = _wish(sent) if adds else Wish(sent.get("template", ""))
    try:
        offer = starting.look(actor=actor, episode_id=episode_id, wish=wish, at=at)
    except Invalid as wrong:
        return _list(request, row, wrong=wrong)
    if not adds:
        return _offered(request, row, offer, at)
    try:
        starting.use(actor=actor, episode_id=episode_id, wish=wish, at=at)
    except Invalid as wrong:
        return _offered(request, row, offer, at, typed=sent, wrong=wrong)
    messages.success(request, "Added. Limits are drafts until the note is signed.")
    return redirect_or_swap(request, discharge_url(episode_id, "limits"))


def _wish(sent: QueryDict) -> Wish:
    """What is ticked, with what was filled in beside it."""
    template = starting_points.chosen(sent.get("template"))
    if template is None:
        return Wish(sent.get("template", ""))
    limits = {
        each.key: OfferForm(sent, prefix=f"limit-{each.key}", asked=ASKED, says="")
        for each in template.limits
    }
    gates = {
        each.key: OfferForm(sent, prefix=f"gate-{each.key}", asked=("value",), says="")
        for each in template.gates
    }
    return Wish(
        template.key,
        {key: _sent(form, sent) for key, form in limits.items() if form.is_ticked},
        {key: _sent(form, sent) for key, form in gates.items() if form.is_ticked},
    )


def _sent(form: OfferForm, sent: QueryDict) -> dict[str, object]:
    """Only what stood on the page: a field that was not there proposes as before."""
    return {name: value for name, value in form.filled.items() if form.add_prefix(name) in sent}


def _list(request: PageRequest, row: Episode, *, wrong: Invalid | None = None) -> HttpResponse:
    context = {
        "episode_id": row.pk,
        "name": row.client.name,
        "region": row.get_body_region_display(),
        "back": discharge_url(row.pk, "limits"),
        "templates": starting_points.fitting_first(row.body_region),
        "wrong": wrong,
    }
    return render(request, "pt/limit_templates.html", context, status=422 if wrong else 200)


def _offered(
    request: PageRequest,
    row: Episode,
    offer: Offer,
    at: datetime,
    *,
    typed: QueryDict | None = None,
    wrong: Invalid | None = None,
) -> HttpResponse:
    today = local_day(row.pt, at)
    limits = [_limit(each, row, today, typed, wrong) for each in offer.limits]
    gates = [_gate(each, typed, wrong) for each in offer.gates]
    context: dict[str, Any] = {
        "episode_id": row.pk,
        "name": row.client.name,
        "template": offer.template,
        "limits": limits,
        "gates": gates if care.treats(request.actor, row) else (),
        "says_gates": bool(gates),
        "back": discharge_url(row.pk, "limits"),
        "wrong": wrong,
        "trouble": wrong.errors.get("", ()) if wrong else (),
    }
    return render(request, "pt/limit_template.html", context, status=422 if wrong else 200)


def _limit(
    each: LimitOffer, row: Episode, today: date, typed: QueryDict | None, wrong: Invalid | None
) -> OfferedLimit:
    shown = preview(each.data, pt=row.pt.name, today=today)
    form = OfferForm(
        typed,
        prefix=f"limit-{each.key}",
        initial={"review_on": each.data["review_on"]},
        asked=each.asked,
        says=f"Add: {shown.sentence}" if shown else "Add it",
        counted=_counted(each.spec.comparator, each.spec.unit) if each.spec else "",
    )
    _complain(form, wrong)
    return OfferedLimit(each, form, shown)


def _gate(each: GateOffer, typed: QueryDict | None, wrong: Invalid | None) -> OfferedGate:
    form = OfferForm(
        typed,
        prefix=f"gate-{each.key}",
        asked=("value",) if each.gate.is_open else (),
        says=f"Add: {each.sentence}",
        counted=_counted(each.gate.comparator, each.gate.unit),
    )
    _complain(form, wrong)
    return OfferedGate(each, form)


def _counted(comparator: Comparator | None, unit: Unit | None) -> str:
    """ "at most, in kg": how an open number will be read."""
    return f"{comparator.label}, in {unit.label}" if comparator and unit else ""


def _complain(form: OfferForm, wrong: Invalid | None) -> None:
    """What is wrong with this one, at its fields; the rest of it on top of it."""
    start = f"{form.prefix}-"
    found = {
        name.removeprefix(start): texts
        for name, texts in (wrong.errors if wrong else {}).items()
        if name.startswith(start)
    }
    if found:
        form.complain(found)
