"""An episode of care: opened, looked at, corrected, measured, added to."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone

from clients import guardians
from clients.models import Client
from handoff.core.actors import Actor
from handoff.core.errors import Invalid
from handoff.core.policy import Policy
from handoff.web.dates import day_text
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import access, care, discharge, disclosure, returning
from referrals import recurrence as recurrences
from referrals.forms.pt_care import AddendumForm, EpisodeForm
from referrals.forms.pt_starting import RecurrenceForm
from referrals.models import DischargeNote, Episode, Referral
from referrals.packets import Workspace
from referrals.states import OPEN, State
from referrals.views.limit_preview import preview_of
from referrals.views.note_page import against_signing
from referrals.vocabulary import RecurrenceKind

Status = Episode.Status


@dataclass(frozen=True, slots=True)
class Next:
    """The one thing to do next on this page."""

    title: str
    text: str
    button: str
    url: str
    begins: bool = False
    """The button begins the note, which is a post."""


@page(Policy.PT, methods=("GET", "POST"))
def episode_new(request: PageRequest, pk: UUID) -> HttpResponse:
    """Open an episode of care for a client."""
    actor, at = request.actor, timezone.now()
    client = access.client_for(actor, pk, at=at)
    form = EpisodeForm(
        request.POST if request.method == "POST" else None,
        earlier=_ended(actor, client),
        initial={"started_on": timezone.localdate(at)},
    )
    if request.method == "POST":
        try:
            opened = care.open_episode(actor=actor, client_id=pk, data=form.entries(), at=at)
        except Invalid as wrong:
            form.complain(wrong)
        else:
            messages.success(request, "The episode is open.")
            return redirect_or_swap(request, "episode", opened.pk)
    context = {
        "form": form,
        "client_id": pk,
        "name": client.name,
        "has_account": client.user_id is not None,
        "treats": access.clients_of(actor).filter(pk=pk).exists(),
    }
    return render(request, "pt/episode_new.html", context, status=422 if form.errors else 200)


@page(Policy.PT)
def episode(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """All of one episode: what happened, scores, limits, note, and what to do next."""
    return _episode(request, episode_id, AddendumForm())


@page(Policy.PT, methods=("POST",), confirmed=("POST",))
def addendum(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """Add to a signed note."""
    form = AddendumForm(request.POST)
    work = disclosure.workspace(actor=request.actor, episode_id=episode_id)
    if work.note_id is None:
        return redirect_or_swap(request, "episode", episode_id)
    try:
        discharge.add_addendum(
            actor=request.actor, note_id=work.note_id, text=form.entries()["text"] or ""
        )
    except Invalid as wrong:
        form.complain(wrong)
        return _episode(request, episode_id, form, work=work)
    messages.success(request, "Added and signed.")
    return redirect_or_swap(request, f"{resolve_url('episode', episode_id)}#note")


@page(Policy.PT, methods=("GET", "POST"))
def episode_edit(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """Correct an episode; an imported one is checked here and confirmed."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)
    care.require_treating(actor, row)
    if row.status not in (Status.REVIEW, Status.ACTIVE):
        return redirect_or_swap(request, "episode", episode_id)
    work = disclosure.workspace(actor=actor, episode_id=episode_id, at=at)
    form = EpisodeForm(
        request.POST if request.method == "POST" else None,
        earlier=_ended(actor, row.client),
        initial=dict(work.episode_values),
    )
    if request.method == "POST":
        changes = form.entries()
        discards = request.POST.get("then") == "discard"
        if discards:
            changes = {"status": Status.ENTERED_IN_ERROR.value}
        elif row.status == Status.REVIEW:
            changes["status"] = Status.ACTIVE.value
        try:
            care.update_episode(actor=actor, episode_id=episode_id, changes=changes, at=at)
        except Invalid as wrong:
            form.complain(wrong)
        else:
            messages.success(request, "Closed." if discards else "Saved.")
            if discards:
                return redirect_or_swap(request, "caseload")
            return redirect_or_swap(request, "episode", episode_id)
    context = {
        "form": form,
        "work": work,
        "episode_id": episode_id,
        "is_review": row.status == Status.REVIEW,
        "is_imported": bool(row.source),
    }
    return render(request, "pt/episode_edit.html", context, status=422 if form.errors else 200)


@page(Policy.PT, methods=("GET", "POST"))
def recurrence(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """Say how this episode relates to the earlier one; the dates propose, the therapist says."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)
    care.require_treating(actor, row)
    care.require_running(row)
    proposed = returning.proposal(row)
    if proposed is None:
        return redirect_or_swap(request, "episode_edit", episode_id)
    work = disclosure.workspace(actor=actor, episode_id=episode_id, at=at)
    form = RecurrenceForm(
        request.POST if request.method == "POST" else None,
        initial={
            "kind": row.recurrence_kind or proposed.kind.value,
            "full_return_on": None
            if proposed.kind is RecurrenceKind.EXACERBATION
            else proposed.returned_on,
        },
    )
    if request.method == "POST":
        entries = form.entries()
        try:
            returning.label(
                actor=actor,
                episode_id=episode_id,
                kind=entries["kind"] or "",
                full_return_on=entries["full_return_on"] or "",
                at=at,
            )
        except Invalid as wrong:
            form.complain(wrong)
        else:
            messages.success(request, "Saved.")
            return redirect_or_swap(request, "episode", episode_id)
    context = {
        "form": form,
        "name": work.client_name,
        "episode_id": episode_id,
        "proposed": proposed,
        "is_said": bool(row.recurrence_kind),
        "rests_on": recurrences.SOURCE,
    }
    return render(request, "pt/recurrence.html", context, status=422 if form.errors else 200)


def _episode(
    request: PageRequest,
    episode_id: UUID,
    form: AddendumForm,
    *,
    work: Workspace | None = None,
) -> HttpResponse:
    actor, at = request.actor, timezone.now()
    work = work or disclosure.workspace(actor=actor, episode_id=episode_id, at=at)
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)
    treats = care.treats(actor, row)
    referrals = _referrals(actor, row)
    limits = [each for each in work.restrictions if each.status == "active"]
    context = {
        "work": work,
        "episode_id": episode_id,
        "plan": {
            name: value
            for name, value in work.episode_values
            if name in ("last_visit_on", "visits_completed", "planned_discharge_on")
        },
        "earlier": _came_back(row),
        "treats": treats,
        "against": against_signing(actor, row, at),
        "is_running": row.status == Status.ACTIVE,
        "is_review": row.status == Status.REVIEW,
        "is_error": row.status == Status.ENTERED_IN_ERROR,
        "limits": limits,
        "lifted": [each for each in work.restrictions if each.status != "active"],
        "drafts": [preview_of(each, pt=row.pt.name, at=at) for each in work.draft_restrictions]
        if work.note_signed is None
        else [],
        "packet": {
            "outcomes": work.outcomes,
            "note": (work.note_signed,) if work.note_signed else (),
        },
        "gates": work.gates,
        "phase": _phase(row, referrals, bool(limits)),
        "next": _next(row, work, referrals, treats=treats),
        "referrals": referrals,
        "form": form,
        "has_account": row.client.user_id is not None,
        "is_minor": guardians.is_minor(row.client, at),
        "deciders": len(guardians.deciders(row.client, at)),
    }
    return render(request, "pt/episode.html", context, status=422 if form.errors else 200)


def _came_back(row: Episode) -> dict[str, object] | None:
    """What is said, or proposed, about an episode that follows an earlier one."""
    proposed = returning.proposal(row)
    if proposed is None:
        return None
    return {
        "said": row.get_recurrence_kind_display() if row.recurrence_kind else "",
        "proposed": proposed.kind.label,
        "returned_on": row.full_return_on,
        "ended_on": row.recurrence_of.ended_on if row.recurrence_of else None,
    }


def _ended(actor: Actor, client: Client) -> list[tuple[str, str]]:
    """Earlier episodes a new one can be a recurrence of, by their dates."""
    rows = (
        access.episodes_visible_to(actor)
        .filter(client=client, status=Status.FINISHED)
        .order_by("-ended_on", "-id")
        .values_list("pk", "started_on", "ended_on")[:20]
    )
    return [(str(pk), f"{day_text(start)} to {day_text(end)}") for pk, start, end in rows if end]


def _referrals(actor: Actor, row: Episode) -> list[Referral]:
    """The handoffs of this episode, newest first; who and where it stands."""
    return list(
        access.referrals_visible_to(actor)
        .filter(episode=row)
        .exclude(state__in=[State.DISCARDED, State.ENTERED_IN_ERROR])
        .select_related("recipient__user", "recipient__practice")
        .order_by("-created_at", "-id")[:10]
    )


def _phase(row: Episode, referrals: list[Referral], has_limits: bool) -> str:
    if row.status in (Status.ACTIVE, Status.REVIEW):
        return "rehab"
    newest = referrals[0] if referrals else None
    if newest and newest.state in (State.IN_PROGRESS, State.ON_HOLD):
        return "training"
    if newest and newest.state in OPEN:
        return "handoff"
    if newest and newest.state == State.COMPLETED:
        return "training" if has_limits else "returned"
    return "handoff" if has_limits else "returned"


def _next(row: Episode, work: Workspace, referrals: list[Referral], *, treats: bool) -> Next | None:
    """What leads on from here; None where nothing is open."""
    here = row.pk
    if row.status == Status.REVIEW:
        if not treats:
            return None
        return Next(
            "Check the imported record",
            "Nothing can be written to it before you have looked and confirmed.",
            "Check and confirm",
            resolve_url("episode_edit", here),
        )
    if row.status == Status.ACTIVE:
        url = resolve_url("discharge", here)
        if work.note_id is None:
            return Next(
                "When therapy ends",
                "The note starts with what is known here. It is a draft until you sign it.",
                "Begin the discharge note",
                url,
                begins=True,
            )
        return Next(
            "The discharge note is a draft",
            "Nobody else reads it before it is signed.",
            "Go on with the note",
            url,
        )
    wanted = dict(work.note_values).get("trainer_referral") == DischargeNote.TrainerReferral.YES
    if row.status != Status.FINISHED or not wanted:
        return None
    if not referrals:
        return Next(
            "Choose a trainer",
            "The client is asked first, and decides what the trainer sees.",
            "Choose a trainer",
            resolve_url("discharge_handoff", here),
        )
    newest = referrals[0]
    return Next(
        f"Handoff to {newest.recipient.name}",
        str(newest.get_state_display()),
        "Open the handoff",
        resolve_url("referral", newest.pk),
    )
