"""The discharge note on one page: typed, saved as it is typed, checked, read once more, signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clients.licensing import local_day
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotVisible, Stale
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import care, discharge, disclosure, readings, restrictions
from referrals.forms.pt_note import UNITS, GoalRows, NoteForm, choices_of
from referrals.models import DischargeNote, Episode
from referrals.packets import Workspace
from referrals.views.limit_preview import marks_of, preview_of
from referrals.views.note_page import (
    Difference,
    against_signing,
    differences,
    discharge_url,
    gaps_of,
    progress,
    ready_context,
    stored_data,
)

Status = Episode.Status
NOTE_FORM = "note"


@dataclass(slots=True)
class Typed:
    """What was sent with the page, and what became of it."""

    form: NoteForm
    goals: GoalRows
    complaints: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def sent(cls, data: Mapping[str, Any]) -> "Typed":
        return cls(NoteForm(data, of=NOTE_FORM), GoalRows.typed(data))

    @classmethod
    def stored(cls, work: Workspace, *, bound: bool = False) -> "Typed":
        goals = GoalRows.stored(work.goals, bound=bound)
        if bound:
            return cls(NoteForm(stored_data(work), of=NOTE_FORM), goals)
        return cls(NoteForm(initial=dict(work.note_values), of=NOTE_FORM), goals)

    def keep(self, actor: Actor, note_id: UUID, revision: int, at: datetime) -> DischargeNote:
        """Save all that can be saved; what cannot is left in `complaints`. Raises Stale."""
        changes, goals = self.form.entries(), self.goals.inputs()
        try:
            return _save(actor, note_id, revision, changes, goals, at)
        except Invalid as wrong:
            self.complaints = wrong.errors
        fits = {name: value for name, value in changes.items() if name not in self.complaints}
        wrong_goals = any(name.startswith("goals") for name in self.complaints)
        return _save(actor, note_id, revision, fits, None if wrong_goals else goals, at)

    def complain(self, found: Mapping[str, Sequence[str]]) -> None:
        """Put complaints where they belong; those without a field are shown by their section."""
        for name, texts in found.items():
            held = self.goals.row_of(name)
            if held is not None:
                held[0].complain({held[1]: texts})
            elif name in self.form.fields:
                self.form.complain({name: texts})


def _save(
    actor: Actor,
    note_id: UUID,
    revision: int,
    changes: Mapping[str, object],
    goals: Sequence[discharge.GoalInput] | None,
    at: datetime,
) -> DischargeNote:
    return discharge.save_draft(
        actor=actor, note_id=note_id, revision=revision, changes=changes, goals=goals, at=at
    )


# --- pages --------------------------------------------------------------------------------------


@page(Policy.PT, methods=("GET", "POST"))
def discharge_note(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """The note as a draft. A POST saves it and goes where the pressed button says."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)
    if row.status == Status.REVIEW:
        return redirect_or_swap(request, "episode_edit", episode_id)
    note = DischargeNote.objects.filter(episode=row).only("id", "signed_at").first()
    if request.method == "POST":
        if request.POST.get("then") == "begin":
            discharge.start_note(actor=actor, episode_id=episode_id, at=at)
            return redirect_or_swap(request, "discharge", episode_id)
        if note is not None:
            return _posted(request, row, note, at)
    if row.status != Status.ACTIVE or (note is not None and note.is_signed):
        return redirect_or_swap(request, "episode", episode_id)
    if note is None:
        context = {"name": row.client.name, "episode_id": episode_id}
        return render(request, "pt/discharge_start.html", context)
    work = disclosure.workspace(actor=actor, episode_id=episode_id, at=at)
    checks = "check" in request.GET
    return _shown(request, row, Typed.stored(work, bound=checks), at, work=work, checks=checks)


@page(Policy.PT, methods=("POST",))
def discharge_save(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """Keep what was typed so far and say what is still open. For the script of the page."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)
    note = DischargeNote.objects.filter(episode=row).only("id").first()
    if note is None:
        raise Stale
    sent = Typed.sent(request.POST)
    try:
        sent.keep(actor, note.pk, _revision(request), at)
    except Stale as stale:
        return render(
            request, "pt/_conflict.html", _conflict(request, row, sent, stale), status=409
        )
    context = {
        **ready_context(actor, episode_id, at),
        "trouble": gaps_of(sent.complaints, sent.goals),
        "episode_id": episode_id,
        "oob": True,
    }
    return render(request, "pt/_saved.html", context)


@page(Policy.PT, methods=("GET", "POST"), confirmed=("POST",))
def discharge_sign(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """The whole note as it will stand, and the signature under exactly that."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)
    note = DischargeNote.objects.filter(episode=row).first()
    if note is None or note.is_signed or row.status != Status.ACTIVE:
        return redirect_or_swap(request, "discharge", episode_id)
    if request.method == "POST":
        try:
            signed = discharge.sign(
                actor=actor,
                note_id=note.pk,
                revision=_revision(request),
                seen=request.POST.get("seen") or "-",
                at=at,
            )
        except Invalid:
            return redirect_or_swap(request, f"{discharge_url(episode_id)}?check=1")
        except Stale:
            messages.warning(request, "The note has changed since you read it. Read it again.")
            return redirect_or_swap(request, "discharge_sign", episode_id)
        messages.success(request, "Signed. From now on it can only be added to.")
        if signed.trainer_referral == DischargeNote.TrainerReferral.YES:
            return redirect_or_swap(request, "discharge_handoff", episode_id)
        return redirect_or_swap(request, "episode", episode_id)
    if discharge.what_is_missing(actor=actor, note_id=note.pk, at=at):
        return redirect_or_swap(request, f"{discharge_url(episode_id)}?check=1")
    return _to_sign(request, row, note.pk, at)


def _to_sign(request: PageRequest, row: Episode, note_id: UUID, at: datetime) -> HttpResponse:
    actor = request.actor
    seen = discharge.fingerprint(actor=actor, note_id=note_id)
    work = disclosure.workspace(actor=actor, episode_id=row.pk, at=at)
    if discharge.fingerprint(actor=actor, note_id=note_id) != seen:
        # Somebody saved in between: what is shown must be what the fingerprint stands for.
        return redirect_or_swap(request, "discharge_sign", row.pk)
    licence = None
    against = against_signing(actor, row, at)
    if not against:
        licence = discharge.licence_of(actor, row, at)
    values = dict(work.note_values)
    context = {
        "work": work,
        "episode_id": row.pk,
        "seen": seen,
        "lines": _lines(values),
        "limits": [preview_of(each, pt=row.pt.name, at=at) for each in work.draft_restrictions],
        "none_needed": values.get("restrictions_decision")
        == DischargeNote.RestrictionsDecision.NONE,
        "packet": {"outcomes": work.outcomes},
        "gates": work.gates,
        "against": against,
        "licence": licence,
        "signer": row.pt.name,
        "treats": care.treats(actor, row),
    }
    return render(request, "pt/discharge_sign.html", context)


def _lines(values: Mapping[str, object]) -> list[tuple[str, object]]:
    """(label, value) of the note in its order, in the words it will be read in; empty left out."""
    found: list[tuple[str, object]] = []
    for name, label in readings.NOTE_FIELDS:
        value = values.get(name)
        if value is True:
            found.append((label, "Yes"))
        elif value not in (None, "", False):
            found.append((label, choices_of(name).get(str(value), value)))
    return found


# --- parts --------------------------------------------------------------------------------------


def _revision(request: PageRequest) -> int:
    """Of the note on the page; `over` is the one that the person decided to write over."""
    sent = request.POST.get("over") or request.POST.get("revision", "")
    return int(sent) if sent.isdecimal() and len(sent) < 10 else -1


def _identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotVisible from None


def _posted(request: PageRequest, row: Episode, note: DischargeNote, at: datetime) -> HttpResponse:
    actor, sent = request.actor, Typed.sent(request.POST)
    try:
        sent.keep(actor, note.pk, _revision(request), at)
    except Stale as stale:
        return _shown(request, row, sent, at, conflict=_conflict(request, row, sent, stale))
    then, _, which = request.POST.get("then", "").partition(":")
    if sent.complaints:
        return _shown(request, row, sent, at)
    match then:
        case "sign":
            return _checked(request, row, sent, note.pk, at)
        case "limit":
            return redirect_or_swap(request, "limit_new", row.pk)
        case "template":
            return redirect_or_swap(request, "limit_template", row.pk)
        case "gates":
            return redirect_or_swap(request, "gates", row.pk)
        case "change":
            return redirect_or_swap(request, "limit_change", row.pk, _identifier(which))
        case "remove":
            restrictions.remove_draft(actor=actor, version_id=_identifier(which), at=at)
            return redirect_or_swap(request, discharge_url(row.pk, "limits"))
        case "measurement":
            return redirect_or_swap(request, "measurements", row.pk)
        case "goal":
            return redirect_or_swap(request, discharge_url(row.pk, "goals"))
        case _:
            messages.success(request, "The draft is saved.")
            return redirect_or_swap(request, discharge_url(row.pk))


def _checked(
    request: PageRequest, row: Episode, sent: Typed, note_id: UUID, at: datetime
) -> HttpResponse:
    """Go on to signing, or show everything that is missing."""
    missing = discharge.what_is_missing(actor=request.actor, note_id=note_id, at=at)
    if missing:
        return _shown(request, row, sent, at, checks=True)
    return redirect_or_swap(request, "discharge_sign", row.pk)


def _conflict(request: PageRequest, row: Episode, sent: Typed, stale: Stale) -> dict[str, Any]:
    """What somebody else saved in the meantime, beside what was typed here."""
    work = disclosure.workspace(actor=request.actor, episode_id=row.pk)
    found: list[Difference] = []
    if work.note_signed is None:
        found = differences(sent.form, sent.goals, work)
    return {
        "episode_id": row.pk,
        "differences": found,
        "over": work.note_revision,
        "is_signed": work.note_signed is not None,
        "said": str(stale),
    }


def _shown(
    request: PageRequest,
    row: Episode,
    sent: Typed,
    at: datetime,
    *,
    work: Workspace | None = None,
    checks: bool = False,
    conflict: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page, with what was typed or what is saved, and every complaint where it belongs."""
    actor = request.actor
    work = work or disclosure.workspace(actor=actor, episode_id=row.pk, at=at)
    missing: dict[str, list[str]] = {}
    if work.note_id is not None:
        missing = discharge.what_is_missing(actor=actor, note_id=work.note_id, at=at)
    shown = {**sent.complaints}
    if checks:
        shown = {**missing, **shown}
    sent.complain(shown)
    limits = [
        found
        for found in (preview_of(each, pt=row.pt.name, at=at) for each in work.draft_restrictions)
        if found is not None
    ]
    values = dict(work.note_values)
    context = {
        "work": work,
        "episode_id": row.pk,
        "name": row.client.name,
        "first_name": row.client.first_name,
        "form": sent.form,
        "goals": sent.goals.with_blank(),
        "units": UNITS,
        "revision": _base(request, work, conflict),
        "saved_at": values.get("saved_at"),
        "sections": progress(missing),
        "gaps": gaps_of(shown, sent.goals),
        "shown": shown,
        "limits": limits,
        "marks": marks_of(limits),
        "packet": {"outcomes": work.outcomes},
        "gates": work.gates,
        "conflict": conflict,
        "against": against_signing(actor, row, at),
        "treats": care.treats(actor, row),
        "pt_name": row.pt.name,
        "is_running": True,
        "today": local_day(row.pt, at),
    }
    status = 409 if conflict else 422 if shown and request.method == "POST" else 200
    return render(request, "pt/discharge.html", context, status=status)


def _base(request: PageRequest, work: Workspace, conflict: dict[str, Any] | None) -> int:
    """The revision the page goes on from; in a conflict still the one that was typed over."""
    return _revision(request) if conflict else work.note_revision
