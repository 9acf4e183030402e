"""The way back: a trainer refers a client to a therapist, and the therapist sends them back."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from clients import directory, licensing
from clients.access import professional_of
from clients.models import Client, Professional
from handoff.core.actors import Actor, Role
from handoff.core.errors import Invalid, NotAllowed, NotVisible
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import access, care, disclosure, lifecycle
from referrals.forms.pt_entries import typed
from referrals.forms.pt_return import ReturnForm
from referrals.forms.refer_out import FactsForm
from referrals.intake import Intake
from referrals.models import DischargeNote, Episode, Referral
from referrals.states import OPEN, RECIPIENT_MAY_READ, Kind, State

MOST = 30
"""Therapists to choose from beside those who had the client."""


@page(Policy.TRAINER, methods=("GET", "POST"))
def refer_out(request: PageRequest, pk: UUID) -> HttpResponse:
    """Write down what was seen and send it to a therapist; the client is asked where needed."""
    actor, at = request.actor, timezone.now()
    client = access.client_for(actor, pk, at=at)
    trainer = professional_of(actor, Role.TRAINER)
    if not lifecycle.took_on(client.pk, trainer.pk):
        raise NotVisible
    able = therapists_for(client, trainer, at)
    form = FactsForm(
        request.POST if request.method == "POST" else None,
        therapists=[(str(each.pk), f"{each.name}, {each.practice.name}") for each in able],
    )
    if request.method == "POST" and form.may_go():
        try:
            sent = _written(actor, client.pk, form, then=request.POST.get("then", ""), at=at)
        except Invalid as wrong:
            form.complain(wrong)
        except NotAllowed as refused:
            form.complain({"recipient": [refused.reason]})
        else:
            _say(request, sent)
            return redirect_or_swap(request, "referral", sent.pk)
    context = {
        "form": form,
        "client": client,
        "open": _open(client.pk, trainer.pk),
        "none_able": not able,
    }
    status = 422 if form.errors else 200
    return render(request, "trainer/refer_out.html", context, status=status)


@page(Policy.TRAINER, methods=("GET", "POST"))
def refer_out_facts(request: PageRequest, pk: UUID) -> HttpResponse:
    """Correct the facts of a draft; nobody else has seen it."""
    actor, at = request.actor, timezone.now()
    found = disclosure.handoff(actor=actor, referral_id=pk, at=at)
    if found.kind != Kind.REFER_OUT or found.sender_id not in actor.professional_ids:
        raise NotVisible
    if request.method == "POST":
        form = FactsForm(request.POST, therapists=None)
        if form.may_go():
            try:
                sent = _rewritten(actor, found, form, then=request.POST.get("then", ""), at=at)
            except Invalid as wrong:
                form.complain(wrong)
            else:
                _say(request, sent)
                return redirect_or_swap(request, "referral", sent.pk)
    else:
        form = FactsForm(therapists=None, initial=_stored(actor, found))
    context = {"form": form, "client": found.client, "referral": found}
    status = 422 if form.errors else 200
    return render(request, "trainer/refer_out.html", context, status=status)


def _say(request: PageRequest, written: Referral) -> None:
    """What became of it."""
    if written.state == State.DRAFT:
        messages.success(request, "Saved. Nobody sees it before you send it.")
    elif written.state == State.AWAITING_CONSENT:
        messages.success(request, "The client is asked now. It goes out when they agree.")
    else:
        messages.success(request, "It is on its way to the therapist.")


def _written(
    actor: Actor, client_id: UUID, form: FactsForm, *, then: str, at: datetime
) -> Referral:
    """Draft, and send in the same transaction: what cannot go out leaves no draft behind."""
    intake = Intake(form.entries(), tuple(form.fields))
    recipient = intake.identifier("recipient")
    intake.raise_if_wrong()
    with transaction.atomic():
        drafted = lifecycle.draft(
            actor=actor,
            client_id=client_id,
            recipient_id=recipient,
            kind=Kind.REFER_OUT,
            facts=form.facts,
            priority=_priority(form),
            at=at,
        )
        return _sent(actor, drafted, then=then, at=at)


def _rewritten(
    actor: Actor, found: Referral, form: FactsForm, *, then: str, at: datetime
) -> Referral:
    with transaction.atomic():
        written = lifecycle.write_facts(
            actor=actor,
            referral_id=found.pk,
            facts=form.facts,
            priority=_priority(form),
            start_from=found.start_from,
            start_until=found.start_until,
            at=at,
        )
        return _sent(actor, written, then=then, at=at)


def _sent(actor: Actor, drafted: Referral, *, then: str, at: datetime) -> Referral:
    if then == "keep":
        return drafted
    return lifecycle.send(actor=actor, referral_id=drafted.pk, at=at)


def _priority(form: FactsForm) -> str:
    urgent = bool(form.entries()["urgent"])
    return Referral.Priority.URGENT.value if urgent else Referral.Priority.ROUTINE.value


def _stored(actor: Actor, found: Referral) -> dict[str, object]:
    facts = disclosure.facts_of(actor=actor, referral_id=found.pk)
    if facts is None:
        return {}
    names = ("observations", "body_region", "laterality", "pain_now", "pain_worst", "stopped")
    return {
        **{name: typed(getattr(facts, name)) for name in (*names, "since")},
        "signs": [code for code, _ in facts.signs],
        "urgent": found.priority == Referral.Priority.URGENT and not facts.is_red,
    }


def _open(client_id: UUID, trainer_id: UUID) -> Referral | None:
    """What this trainer has under way for the client already."""
    rows = Referral.objects.filter(
        client=client_id, sender=trainer_id, kind=Kind.REFER_OUT, state__in=sorted(OPEN)
    )
    return rows.select_related("recipient__user").order_by("-created_at").first()


def therapists_for(client: Client, trainer: Professional, at: datetime) -> list[Professional]:
    """Therapists with a licence where the client lives: first those who had the client."""
    had = Professional.objects.filter(
        role=Professional.Role.PT,
        sent_referrals__client=client,
        sent_referrals__recipient=trainer,
        sent_referrals__state__in=list(RECIPIENT_MAY_READ),
    )
    known = list(had.select_related("user", "practice").distinct())
    listed = directory.listed(at, role=Professional.Role.PT, accepting=True)
    others = listed.exclude(pk__in=[each.pk for each in known])
    rows = [*known, *others.order_by("user__last_name", "user__first_name", "id")[:MOST]]
    able = licensing.abilities(rows, at, state=client.state)
    return [each for each in rows if able[each.pk].may_accept and each.user_id != trainer.user_id]


# --- back to training ----------------------------------------------------------------------------


@page(Policy.PT, methods=("GET", "POST"))
def return_to_training(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """Send the client back to a trainer who knows them, with the limits as they are now."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)
    care.require_treating(actor, row)
    if not DischargeNote.objects.filter(episode=row, signed_at__isnull=False).exists():
        return redirect_or_swap(request, "discharge", episode_id)
    answers = _answered(row, request.POST if request.method == "POST" else request.GET)
    trainers = trainers_of(row)
    first = answers.sender_id if answers else None
    form = ReturnForm(
        request.POST if request.method == "POST" else None,
        initial={"priority": Referral.Priority.ROUTINE.value, "recipient": str(first or "")},
    )
    form.offer((str(each.pk), f"{each.name}, {each.practice.name}") for each in trainers)
    if request.method == "POST":
        try:
            sent = _returned(actor, row, form, answers, at)
        except Invalid as wrong:
            form.complain(wrong)
        except NotAllowed as refused:
            form.complain({"recipient": [refused.reason]})
        else:
            asked = sent.state == State.AWAITING_CONSENT
            messages.success(
                request, "The client is asked now." if asked else "It is on its way to the trainer."
            )
            return redirect_or_swap(request, "referral", sent.pk)
    context = {
        "form": form,
        "episode_id": row.pk,
        "client": row.client,
        "answers": answers,
        "trainers": trainers,
        "open": _open_return(row),
    }
    status = 422 if form.errors else 200
    return render(request, "pt/return.html", context, status=status)


def _returned(
    actor: Actor, row: Episode, form: ReturnForm, answers: Referral | None, at: datetime
) -> Referral:
    intake = Intake(form.entries(), tuple(form.fields))
    recipient = intake.identifier("recipient")
    goal = intake.text("goal", most=300)
    start_from, start_until = intake.day("start_from"), intake.day("start_until")
    priority = intake.text("priority", most=20)
    intake.raise_if_wrong()
    with transaction.atomic():
        drafted = lifecycle.draft(
            actor=actor,
            client_id=row.client_id,
            recipient_id=recipient,
            episode_id=row.pk,
            kind=Kind.RETURN_TO_TRAINING,
            goal=goal,
            start_from=start_from,
            start_until=start_until,
            priority=priority,
            previous_id=answers.pk if answers and answers.sender_id == recipient else None,
            at=at,
        )
        return lifecycle.send(actor=actor, referral_id=drafted.pk, at=at)


def _answered(row: Episode, given: QueryDict) -> Referral | None:
    """The referral back that this answers, as the address or the form names it."""
    try:
        pk = UUID(str(given.get("answers")))
    except ValueError:
        return None
    rows = Referral.objects.filter(
        pk=pk, kind=Kind.REFER_OUT, client=row.client_id, recipient=row.pt_id
    )
    accepted = rows.filter(state__in=[*RECIPIENT_MAY_READ, State.FAILED])
    return accepted.select_related("sender__user").first()


def trainers_of(row: Episode) -> list[Professional]:
    """Trainers who had taken the client of an episode on."""
    rows = Professional.objects.filter(
        role=Professional.Role.TRAINER,
        left_at__isnull=True,
        user__is_active=True,
        received_referrals__client=row.client_id,
        received_referrals__state__in=list(RECIPIENT_MAY_READ),
    ).exclude(user=row.pt.user_id)
    return list(rows.select_related("user", "practice").distinct())


def _open_return(row: Episode) -> Referral | None:
    rows = Referral.objects.filter(
        client=row.client_id,
        sender=row.pt_id,
        kind=Kind.RETURN_TO_TRAINING,
        state__in=sorted(OPEN),
    )
    return rows.select_related("recipient__user").order_by("-created_at").first()
