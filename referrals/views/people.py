"""Inviting: a new client, the person of a record that is here already, a guardian."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clients import guardians, invitations
from clients.access import professional_of
from clients.models import Client, Guardianship, Invitation, Professional
from handoff.core.actors import Actor, Role
from handoff.core.errors import Invalid
from handoff.core.policy import Policy
from handoff.web.pages import page, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals.forms.pt_people import AddressForm, GuardianForm, InviteForm
from referrals.intake import Intake


@page(Policy.PT, methods=("GET", "POST"), limit="invitation")
def client_new(request: PageRequest) -> HttpResponse:
    """Write down who somebody is and send them a link.

    The answer says the same whether or not the address is known here.
    """
    actor = request.actor
    me = professional_of(actor, Role.PT, Role.PTA)
    form = InviteForm(
        request.POST if request.method == "POST" else None,
        therapists=_therapists(actor, me),
        zone=me.practice.time_zone,
        initial={"state": me.practice.state, "time_zone": me.practice.time_zone},
    )
    if request.method == "POST":
        try:
            client, invitation = _invite(actor, form)
        except Invalid as wrong:
            form.complain(wrong)
        else:
            _say(request, invitation)
            if Role.PT in actor.roles:
                return redirect_or_swap(request, "episode_new", client.pk)
            return redirect_or_swap(request, "caseload")
    return _shown(request, "pt/client_new.html", {"form": form})


@page(Policy.PT, methods=("GET", "POST"), limit="invitation")
def client_invite(request: PageRequest, pk: UUID) -> HttpResponse:
    """Send a link for a record without an account: imported, or invited before."""
    client = _brought_in(request.actor, pk)
    form = AddressForm(
        request.POST if request.method == "POST" else None, initial={"email": client.email}
    )
    if request.method == "POST":
        try:
            invitation = invitations.invite_existing_record(
                actor=request.actor, client_id=pk, email=form.entries()["email"] or ""
            )
        except Invalid as wrong:
            form.complain(wrong)
        else:
            _say(request, invitation)
            return redirect_or_swap(request, "client", pk)
    context = {
        "form": form,
        "name": client.name,
        "first_name": client.first_name,
        "has_come": client.user_id is not None,
        "client_id": pk,
        "sent": _sent(client, Invitation.Kind.CLIENT),
    }
    return _shown(request, "pt/client_invite.html", context)


@page(Policy.PT, methods=("GET", "POST"), limit="invitation")
def guardian_invite(request: PageRequest, pk: UUID) -> HttpResponse:
    """Send a parent or guardian of a minor a link."""
    client, at = _brought_in(request.actor, pk), timezone.now()
    form = GuardianForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        entries = form.entries()
        try:
            invitation = invitations.invite_guardian(
                actor=request.actor,
                client_id=pk,
                email=entries["email"] or "",
                relationship=entries["relationship"] or "",
            )
        except Invalid as wrong:
            form.complain(wrong)
        else:
            _say(request, invitation)
            return redirect_or_swap(request, "client", pk)
    known = Guardianship.objects.filter(client=client).select_related("user")
    context = {
        "form": form,
        "name": client.name,
        "first_name": client.first_name,
        "client_id": pk,
        "is_minor": guardians.is_minor(client, at),
        "known": [
            {
                "name": each.user.name,
                "relationship": each.get_relationship_display(),
                "decides": guardians.authority_stands(each, client, at),
            }
            for each in known.order_by("created_at", "id")
        ],
        "sent": _sent(client, Invitation.Kind.GUARDIAN),
    }
    return _shown(request, "pt/guardian_invite.html", context)


def _invite(actor: Actor, form: InviteForm) -> tuple[Client, Invitation]:
    entries = form.entries()
    intake = Intake(entries, tuple(form.fields))
    born = intake.day("birth_date")
    therapist = intake.identifier("therapist_id")
    if born is None:
        intake.refuse_all({"birth_date": ["Enter the date of birth."]})
    if "therapist_id" in form.fields and therapist is None:
        intake.refuse_all({"therapist_id": ["Choose the therapist who treats them."]})
    if born is None or intake.errors:
        raise Invalid(intake.errors)
    said = {name: str(value or "") for name, value in entries.items()}
    return invitations.invite_client(
        actor=actor,
        first_name=said["first_name"],
        last_name=said["last_name"],
        birth_date=born,
        email=said["email"],
        state=said["state"],
        time_zone=said["time_zone"],
        phone=said["phone"],
        therapist_id=therapist,
    )


def _therapists(actor: Actor, me: Professional) -> list[Professional]:
    """Whom an assistant can name as treating; nobody to choose from for a therapist."""
    if Role.PT in actor.roles:
        return []
    return list(
        Professional.objects.filter(
            practice_id=me.practice_id,
            role=Professional.Role.PT,
            left_at__isnull=True,
            user__is_active=True,
        ).select_related("user")
    )


def _brought_in(actor: Actor, pk: UUID) -> Client:
    """A client whose record the actor's side made. Raises NotVisible for any other."""
    with transaction.atomic():
        return invitations.brought_in(actor, pk)


def _sent(client: Client, kind: str) -> Invitation | None:
    """The newest link that still works."""
    return (
        Invitation.objects.filter(
            client=client,
            kind=kind,
            used_at__isnull=True,
            cancelled_at__isnull=True,
            expires_at__gt=timezone.now(),
        )
        .order_by("-created_at")
        .first()
    )


def _say(request: PageRequest, invitation: Invitation) -> None:
    if invitation.cancelled_at is None:
        messages.success(request, "The invitation is on its way.")
    else:
        messages.warning(request, "The mail could not be sent. Check the address and try again.")


def _shown(request: PageRequest, template: str, context: dict[str, object]) -> HttpResponse:
    form = context["form"]
    failed = isinstance(form, forms.Form) and form.is_bound and bool(form.errors)
    return render(request, template, context, status=422 if failed else 200)
