"""Limits: listed with a draft note, or set, changed and lifted after it was signed.

The same editor serves both. It asks what the kind of limit has, shows beside it what the trainer
will read, and works as a page of its own when no script runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils import timezone

from clients.licensing import local_day
from handoff.core.errors import Invalid, NotVisible
from handoff.core.policy import Policy
from handoff.web import confirming
from handoff.web.pages import page, panel, redirect_or_swap
from handoff.web.requests import PageRequest, is_fragment
from referrals import care, discharge, disclosure, particulars, restrictions
from referrals.forms.pt_limits import LimitForm, ReasonForm, stored_limit
from referrals.models import Episode
from referrals.packets import DraftRestrictionView, RestrictionView
from referrals.particulars import ListedView, VersionView
from referrals.views.limit_preview import LimitPreview, marks_of, preview, preview_of
from referrals.views.note_page import (
    against_signing,
    discharge_url,
    ready_context,
    stands_on_discharge,
)
from referrals.vocabulary import KIND_RULES, Comparator, Need, RestrictionKind, Severity

Status = Episode.Status


@dataclass(frozen=True, slots=True)
class Edit:
    """What the editor is open for."""

    title: str
    save: str
    url: str
    """Where the form is sent."""
    back: str
    """Where the person came from."""
    with_reason: bool = False
    version: int | None = None
    """Of a signed limit: the version on the page."""


# --- with the draft note ------------------------------------------------------------------------


@page(Policy.PT)
def limits(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """The listed limits, as a part of the note's page."""
    row = disclosure.treated(actor=request.actor, episode_id=episode_id)
    if not is_fragment(request):
        return redirect_or_swap(request, discharge_url(episode_id, "limits"))
    return _listed(request, row, timezone.now())


@page(Policy.PT, methods=("GET", "POST"))
def limit_new(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """List one more limit; after the note is signed, set one with a signature of its own."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)
    if row.status != Status.FINISHED:
        care.require_running(row)
    edit = _edit_for(row)
    if edit.with_reason:
        discharge.licence_of(actor, row, at)
    if request.method != "POST":
        return _editor(request, row, LimitForm(with_reason=edit.with_reason), edit, at)
    form = LimitForm(request.POST, with_reason=edit.with_reason)
    if _only_looks(request):
        return _editor(request, row, _settled(request, edit), edit, at)
    if edit.with_reason:
        confirming.require(request)
    try:
        if edit.with_reason:
            restrictions.add_signed(
                actor=actor, episode_id=episode_id, data=form.wanted(), reason=form.why, at=at
            )
        else:
            restrictions.add_draft(actor=actor, episode_id=episode_id, data=form.wanted(), at=at)
    except Invalid as wrong:
        return _editor(request, row, form, edit, at, wrong=wrong)
    return _saved(request, row, edit, at)


@page(Policy.PT, methods=("GET", "POST"))
def limit_change(request: PageRequest, episode_id: UUID, restriction_id: UUID) -> HttpResponse:
    """Change a listed limit before the note is signed."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)
    found = particulars.restriction(actor=actor, restriction_id=restriction_id, at=at)
    if not isinstance(found, ListedView) or found.episode_id != episode_id:
        return redirect_or_swap(request, "limit_history", restriction_id)
    url = reverse("limit_change", args=[episode_id, restriction_id])
    edit = Edit("Change this limit", "Save the limit", url, discharge_url(episode_id, "limits"))
    if request.method != "POST":
        form = LimitForm(stored=stored_limit(found.draft.values))
        return _editor(request, row, form, edit, at, leave_out=restriction_id)
    form = LimitForm(request.POST)
    if _only_looks(request):
        return _editor(request, row, _settled(request, edit), edit, at, leave_out=restriction_id)
    try:
        restrictions.change_draft(
            actor=actor, version_id=found.draft.version_id, data=form.wanted(), at=at
        )
    except Invalid as wrong:
        return _editor(request, row, form, edit, at, wrong=wrong, leave_out=restriction_id)
    return _saved(request, row, edit, at)


@page(Policy.PT, methods=("POST",))
def limit_remove(request: PageRequest, episode_id: UUID, version_id: UUID) -> HttpResponse:
    """Take a listed limit off before the note is signed."""
    row = disclosure.treated(actor=request.actor, episode_id=episode_id)
    if not row.restrictions.filter(versions__pk=version_id).exists():
        raise NotVisible
    restrictions.remove_draft(actor=request.actor, version_id=version_id)
    if is_fragment(request):
        return _listed(request, row, timezone.now())
    return redirect_or_swap(request, discharge_url(episode_id, "limits"))


# --- after the signature ------------------------------------------------------------------------


@page(Policy.PT)
def limit_history(request: PageRequest, restriction_id: UUID) -> HttpResponse:
    """Every version of a signed limit, newest first: what changed, when and why."""
    row = disclosure.treated_with(actor=request.actor, restriction_id=restriction_id)
    versions = particulars.restriction_history(actor=request.actor, restriction_id=restriction_id)
    if not versions:
        raise NotVisible
    context = {
        "episode_id": row.pk,
        "name": row.client.name,
        "newest": versions[0].restriction,
        "is_active": versions[0].restriction.status == "active",
        "versions": [
            {"view": each, "changed": _changed(each, before)}
            for each, before in zip(versions, [*versions[1:], None], strict=True)
        ],
        "may_change": not against_signing(request.actor, row, timezone.now()),
    }
    return render(request, "pt/limit_history.html", context)


@page(Policy.PT, methods=("GET", "POST"))
def limit_revise(request: PageRequest, restriction_id: UUID) -> HttpResponse:
    """Say a signed limit differently from now on: a new signed version, with a reason."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated_with(actor=actor, restriction_id=restriction_id, at=at)
    discharge.licence_of(actor, row, at)
    work = disclosure.workspace(actor=actor, episode_id=row.pk, at=at)
    found = next((each for each in work.restrictions if each.id == restriction_id), None)
    if found is None or found.status != "active":
        return redirect_or_swap(request, "limit_history", restriction_id)
    edit = Edit(
        "Change this limit",
        "Sign the change",
        reverse("limit_revise", args=[restriction_id]),
        f"{resolve_url('episode', row.pk)}#limits",
        with_reason=True,
        version=_number(request, found.version),
    )
    if request.method != "POST":
        rationales = dict(work.note_signed.rationales) if work.note_signed else {}
        stored = _values_of(found, rationales.get(restriction_id, ""))
        form = LimitForm(stored=stored, with_reason=True)
        return _editor(request, row, form, edit, at)
    form = LimitForm(request.POST, with_reason=True)
    if _only_looks(request):
        return _editor(request, row, _settled(request, edit), edit, at)
    confirming.require(request)
    try:
        restrictions.revise(
            actor=actor,
            restriction_id=restriction_id,
            data=form.wanted(),
            reason=form.why,
            version=edit.version,
            at=at,
        )
    except Invalid as wrong:
        return _editor(request, row, form, edit, at, wrong=wrong)
    return _saved(request, row, edit, at)


@page(Policy.PT, methods=("GET", "POST"), confirmed=("POST",))
def limit_lift(request: PageRequest, restriction_id: UUID) -> HttpResponse:
    """Lift a limit, with a reason. Only this ends one."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated_with(actor=actor, restriction_id=restriction_id, at=at)
    discharge.licence_of(actor, row, at)
    found = particulars.restriction(actor=actor, restriction_id=restriction_id, at=at)
    if isinstance(found, ListedView) or found.status != "active":
        return redirect_or_swap(request, "limit_history", restriction_id)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        try:
            restrictions.lift(
                actor=actor,
                restriction_id=restriction_id,
                reason=form.entries()["reason"] or "",
                version=_number(request, found.version),
                at=at,
            )
        except Invalid as wrong:
            form.complain(wrong)
        else:
            messages.success(request, "The limit is lifted.")
            return redirect_or_swap(request, f"{resolve_url('episode', row.pk)}#limits")
    context = {
        "form": form,
        "limit": found,
        "name": row.client.name,
        "episode_id": row.pk,
        "version": _number(request, found.version),
    }
    return render(request, "pt/limit_lift.html", context, status=422 if form.errors else 200)


# --- parts --------------------------------------------------------------------------------------


def _edit_for(row: Episode) -> Edit:
    url = reverse("limit_new", args=[row.pk])
    if row.status == Status.FINISHED:
        back = f"{resolve_url('episode', row.pk)}#limits"
        return Edit("Set another limit", "Sign the limit", url, back, with_reason=True)
    return Edit("Add a limit", "Save the limit", url, discharge_url(row.pk, "limits"))


def _number(request: PageRequest, current: int) -> int:
    """The version that was on the page: as posted, or the one shown now."""
    sent = request.POST.get("version", "")
    return int(sent) if sent.isdecimal() and len(sent) < 6 else current


def _only_looks(request: PageRequest) -> bool:
    """Nothing is to be saved: the form is asked to fit what was chosen so far."""
    return request.POST.get("then") == "look"


def _settled(request: PageRequest, edit: Edit) -> LimitForm:
    """The form as typed, with what follows from the last choice filled in."""
    data: QueryDict = request.POST.copy()
    severity, kind = data.get("severity", ""), data.get("kind", "")
    fits = kind in RestrictionKind.values and (
        severity not in Severity.values
        or Severity(severity) in KIND_RULES[RestrictionKind(kind)].severities
    )
    if not fits:
        kind = RestrictionKind.AVOID.value if severity == Severity.MUST_NOT else ""
        data["kind"] = kind
    if kind:
        rule = KIND_RULES[RestrictionKind(kind)]
        if rule.value is Need.REQUIRED and not data.get("comparator"):
            data["comparator"] = Comparator.LE.value
        if len(rule.units) == 1 and rule.value is Need.REQUIRED:
            data["unit"] = next(iter(rule.units)).value
        if len(rule.severities) == 1 and not severity:
            data["severity"] = next(iter(rule.severities)).value
    return LimitForm(data, with_reason=edit.with_reason)


def _values_of(view: RestrictionView, rationale: str) -> dict[str, Any]:
    """A signed limit as initial values of the form; its clinical reason stands in the note."""
    names = (
        *("kind", "severity", "body_region", "laterality", "joint_action", "comparator", "value"),
        *("value_high", "unit", "weight_bearing", "wording", "instead", "review_on"),
        *("earliest_lift_on", "authority", "authority_name", "authority_on"),
    )
    values: list[tuple[str, object]] = [(name, getattr(view, name)) for name in names]
    values += [
        ("patterns", list(view.patterns)),
        ("rationale", rationale),
        (
            "criteria",
            [
                {
                    "kind": each.kind,
                    "measure": each.measure,
                    "comparator": each.comparator,
                    "value": each.value,
                    "unit": each.unit,
                    "side": each.side,
                }
                for each in view.criteria
            ],
        ),
    ]
    return stored_limit(values)


_PARTS = {
    "sentence": "What it says",
    "severity": "How strict",
    "wording": "The words",
    "instead": "What is fine instead",
    "lifts_when": "What lifts it",
    "review_on": "Review date",
    "authority_name": "Whose order",
    "status": "Lifted",
}


def _changed(after: VersionView, before: VersionView | None) -> list[str]:
    """Which parts a version changed, in words."""
    if before is None:
        return []
    return [
        label
        for name, label in _PARTS.items()
        if getattr(after.restriction, name) != getattr(before.restriction, name)
    ]


def _listed(request: PageRequest, row: Episode, at: datetime) -> HttpResponse:
    """The part of the note's page with the figure and the listed limits."""
    drafts = [
        each.draft for each in particulars.drafts(actor=request.actor, episode_id=row.pk, at=at)
    ]
    held = _previews(drafts, row, at)
    context: dict[str, Any] = {
        "episode_id": row.pk,
        "limits": held,
        "marks": marks_of(held),
        "is_running": row.status == Status.ACTIVE,
    }
    if stands_on_discharge(request):
        context |= {**ready_context(request.actor, row.pk, at), "oob": True}
    return render(request, "pt/_limits.html", context)


def _previews(
    drafts: list[DraftRestrictionView], row: Episode, at: datetime, leave_out: UUID | None = None
) -> list[LimitPreview]:
    found = (
        preview_of(each, pt=row.pt.name, at=at)
        for each in drafts
        if each.restriction_id != leave_out
    )
    return [each for each in found if each is not None]


def _editor(
    request: PageRequest,
    row: Episode,
    form: LimitForm,
    edit: Edit,
    at: datetime,
    *,
    wrong: Invalid | None = None,
    leave_out: UUID | None = None,
) -> HttpResponse:
    """The editor with what was typed, what is wrong with it, and how it will read."""
    form.shape()
    today: date = local_day(row.pt, at)
    shown = preview(_so_far(form), pt=row.pt.name, today=today) if form.rule else None
    if wrong is not None:
        form.complain(_renamed(wrong.errors, form))
    context = {
        "episode_id": row.pk,
        "name": row.client.name,
        "form": form,
        "edit": edit,
        "preview": shown,
        "marks": marks_of([shown]) if shown else [],
        "inline": is_fragment(request) and stands_on_discharge(request),
        "fresh": request.method != "POST",
    }
    return panel(
        request,
        "pt/_limit_editor.html",
        context,
        page="pt/limit_page.html",
        status=422 if wrong else 200,
    )


def _so_far(form: LimitForm) -> Mapping[str, Any]:
    if form.is_bound:
        return form.wanted()
    return {
        **{name: value for name, value in form.initial.items() if name in form.base_fields},
        "criteria": [row.initial for row in form.criteria if row.initial.get("measure")],
    }


def _renamed(errors: Mapping[str, list[str]], form: LimitForm) -> dict[str, list[str]]:
    """Complaints at the fields that stand on the page; the rest on top of the form."""
    found: dict[str, list[str]] = {}
    for name, texts in errors.items():
        key = name if name in form.fields else "pt_review" if name == "criteria" else ""
        found.setdefault(key, []).extend(texts)
    return found


def _saved(request: PageRequest, row: Episode, edit: Edit, at: datetime) -> HttpResponse:
    if is_fragment(request) and row.status == Status.ACTIVE and stands_on_discharge(request):
        return _listed(request, row, at)
    messages.success(request, "The limit is saved.")
    return redirect_or_swap(request, edit.back)
