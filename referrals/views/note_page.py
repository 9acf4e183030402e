"""What the page of a discharge note shows beside the note itself: what is open, and where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.urls import reverse

from handoff.core.actors import Actor
from handoff.core.errors import NotAllowed
from handoff.web.requests import PageRequest, is_fragment
from referrals import discharge
from referrals.forms.pt_entries import typed
from referrals.forms.pt_note import SECTIONS, GoalRows, NoteForm
from referrals.models import DischargeNote, Episode
from referrals.packets import Workspace

Missing = Mapping[str, Sequence[str]]

_PLACES = {
    "measurements": "s-measures",
    "goals": "id_goals-0-text",
    "restrictions": "s-limits",
    "body_region": "s-where",
    "laterality": "s-where",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing, and the place on the page where it is put right."""

    section: str
    text: str
    target: str


@dataclass(frozen=True, slots=True)
class Progress:
    """One section of the note: how much of it is open."""

    number: int
    key: str
    title: str
    open: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of the note that somebody else saved differently."""

    label: str
    theirs: str


def gaps_of(missing: Missing, goals: GoalRows | None = None) -> list[Gap]:
    """Every complaint with its section and the control to jump to."""
    found = []
    for field, texts in missing.items():
        section = next((each.key for each in SECTIONS if each.owns(field)), SECTIONS[0].key)
        target = _target(field, goals)
        found += [Gap(section, text, target) for text in texts]
    order = [each.key for each in SECTIONS]
    return sorted(found, key=lambda gap: order.index(gap.section))


def _target(field: str, goals: GoalRows | None) -> str:
    if field in NoteForm.base_fields:
        return f"id_{field}{_first(NoteForm.base_fields[field].widget)}"
    held = goals.row_of(field) if goals else None
    if held is not None and held[1] in held[0].fields:
        row, name = held
        return f"id_{row.prefix}-{name}{_first(row.fields[name].widget)}"
    return _PLACES.get(field, _PLACES["goals"] if field.startswith("goals") else "s-course")


def _first(widget: forms.Widget) -> str:
    return "_0" if isinstance(widget, forms.RadioSelect) else ""


def progress(missing: Missing) -> list[Progress]:
    """All sections in order, each with the number of complaints."""
    return [
        Progress(
            number,
            section.key,
            section.title,
            sum(len(texts) for field, texts in missing.items() if section.owns(field)),
        )
        for number, section in enumerate(SECTIONS, start=1)
    ]


def ready_context(actor: Actor, episode_id: UUID, at: datetime) -> dict[str, Any]:
    """What the list "Ready to sign?" shows now. Names places, never what is written there."""
    note = (
        DischargeNote.objects.filter(episode_id=episode_id)
        .only("id", "revision", "saved_at")
        .first()
    )
    if note is None:
        return {"sections": progress({})}
    missing = discharge.what_is_missing(actor=actor, note_id=note.pk, at=at)
    return {
        "sections": progress(missing),
        "revision": note.revision,
        "saved_at": note.saved_at,
        "note_id": note.pk,
    }


def against_signing(actor: Actor, row: Episode, at: datetime) -> str:
    """Why the actor may not sign for this episode now; "" when they may."""
    try:
        discharge.licence_of(actor, row, at)
    except NotAllowed as refused:
        return refused.reason
    return ""


def stored_data(work: Workspace) -> dict[str, str]:
    """The saved note as if it had just been typed: for showing what is missing in it."""
    values = dict(work.note_values)
    return {name: typed(values.get(name)) for name in NoteForm.base_fields}


def differences(form: NoteForm, goals: GoalRows, work: Workspace) -> list[Difference]:
    """Where the saved note differs from what was typed here."""
    saved, entries = stored_data(work), form.entries()
    found = [
        Difference(str(form.fields[name].label), saved[name] or "empty")
        for name in form.fields
        if typed(entries[name]).replace("\r\n", "\n") != saved[name]
    ]
    mine = [(each.text, each.outcome, each.why_not) for each in goals.inputs()]
    theirs = [(each.text, each.outcome, each.why_not) for each in work.goals]
    if mine != theirs:
        texts = "; ".join(text for text, _, _ in theirs)
        found.append(Difference("Goals", texts or "none"))
    return found


def stands_on_discharge(request: PageRequest) -> bool:
    """Whether htmx asks from the page of a discharge note, which has more to bring up to date."""
    path = request.htmx.current_url_abs_path if is_fragment(request) else None
    return bool(path) and str(path).startswith("/discharge/")


def discharge_url(episode_id: UUID, section: str = "") -> str:
    url = reverse("discharge", args=[episode_id])
    return f"{url}#s-{section}" if section else url
