"""`/consents/`: what a client, or somebody who acts for them, shares with whom.

The addresses of the answers can be opened too (a reload after an error, a way back from signing
in): they lead to the question.
"""

from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from clients.access import own_clients
from clients.models import Consent
from clients.receipts import Receipt, receipt_for
from clients.scopes import SUGGESTED, Scope
from handoff.core.errors import Invalid, NotVisible
from handoff.core.policy import Policy
from handoff.web.pages import page, panel, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import disclosure, questions, receipts, sharing
from referrals.forms.consents import GrantForm, PartsForm, RenewForm
from referrals.questions import Question
from referrals.views import client_page

SHOWN_ENDED = 10
"""Ended ones that stand open on the list; the older ones are folded away."""


@page(Policy.CLIENT)
def consents(request: PageRequest) -> HttpResponse:
    """What waits for an answer, what is shared now, what has ended."""
    actor, at = request.actor, timezone.now()
    own = own_clients(actor, at)
    found = questions.questions_of(actor, own, at=at)
    ended = [each for each in found if each.has_ended]
    context = {
        "waiting": [each for each in found if each.is_open],
        "running": [each for each in found if each.is_running],
        "ended": ended[:SHOWN_ENDED],
        "older": ended[SHOWN_ENDED:],
        "is_shared_account": len(own) > 1 or any(each.user_id != actor.user_id for each in own),
    }
    return render(request, "consents/list.html", context)


@page(Policy.CLIENT, methods=("GET", "POST"))
def consent(request: PageRequest, pk: UUID) -> HttpResponse:
    """One question. A POST takes the suggested parts: switches are set, nothing is saved."""
    asked = questions.question(request.actor, pk, at=timezone.now())
    if request.method != "POST" or not asked.is_open:
        return _shown(request, asked)
    takes_present = request.POST.get("take") == "present"
    parts = asked.shared_now if takes_present else SUGGESTED
    form = _grant_form(asked, request.POST).take(parts)
    return _shown(request, asked, grant=form, took=len(parts))


@page(Policy.CLIENT, methods=("GET", "POST"), confirmed=("POST",))
def consent_grant(request: PageRequest, pk: UUID) -> HttpResponse:
    """Yes, to the parts that are switched on."""
    if request.method != "POST":
        return redirect_or_swap(request, "consent", pk)
    asked = questions.question(request.actor, pk, at=timezone.now())
    form = _grant_form(asked, request.POST)
    if form.is_valid():
        try:
            sharing.grant(
                actor=request.actor,
                consent_id=pk,
                classes=form.chosen,
                expires_on=form.expires_on,
                until_training_ends=form.until_training_ends,
                knows_objection=form.cleaned_data["knows_objection"],
            )
        except Invalid as error:
            day = "until_day" if form.cleaned_data["until"] == "day" else "until"
            _complain(form, error, {"expires_on": day, "until_training_ends": "until"})
        else:
            return _answered(request, pk)
    return _shown(request, asked, grant=form)


@page(Policy.CLIENT, methods=("GET", "POST"))
def consent_decline(request: PageRequest, pk: UUID) -> HttpResponse:
    """No."""
    if request.method != "POST":
        return redirect_or_swap(request, "consent", pk)
    questions.question(request.actor, pk, at=timezone.now())
    sharing.decline(actor=request.actor, consent_id=pk)
    return _answered(request, pk)


@page(Policy.CLIENT, methods=("GET", "POST"))
def consent_narrow(request: PageRequest, pk: UUID) -> HttpResponse:
    """Share less from now on."""
    if request.method != "POST":
        return redirect_or_swap(request, "consent", pk)
    asked = questions.question(request.actor, pk, at=timezone.now())
    form = PartsForm(request.POST)
    if form.is_valid():
        if not form.chosen:
            return redirect_or_swap(request, "consent_revoke", pk)
        try:
            sharing.narrow(actor=request.actor, consent_id=pk, classes=form.chosen)
        except Invalid as error:
            _complain(form, error, {})
        else:
            return _answered(request, pk)
    return _shown(request, asked, narrow=form)


@page(Policy.CLIENT, methods=("GET", "POST"))
def consent_revoke(request: PageRequest, pk: UUID) -> HttpResponse:
    """Stop sharing: this page is the first tap, its button the second."""
    asked = questions.question(request.actor, pk, at=timezone.now())
    if request.method == "POST":
        sharing.revoke(actor=request.actor, consent_id=pk)
        messages.success(request, "Sharing has stopped.")
        return redirect_or_swap(request, "consent", pk)
    if not asked.is_running:
        return redirect_or_swap(request, "consent", pk)
    return render(
        request,
        "consents/stop.html",
        {"asked": asked, "changes": asked.what_if(asked.shared_now - asked.standing.classes)},
    )


@page(Policy.CLIENT, methods=("GET", "POST"))
def consent_object(request: PageRequest, pk: UUID) -> HttpResponse:
    """A minor says that they do not want this: this page says who hears of it."""
    asked = questions.question(request.actor, pk, at=timezone.now())
    if request.method == "POST":
        sharing.object_to(actor=request.actor, consent_id=pk)
        messages.success(request, "Your objection is kept.")
        return redirect_or_swap(request, "consent", pk)
    if not asked.may_object:
        return redirect_or_swap(request, "consent", pk)
    return render(request, "consents/object.html", {"asked": asked})


@page(Policy.CLIENT, methods=("GET", "POST"), confirmed=("POST",))
def consent_renew(request: PageRequest, pk: UUID) -> HttpResponse:
    """Go on sharing the same parts until a later day; a reminder before the end leads here."""
    asked = questions.question(request.actor, pk, at=timezone.now())
    if not asked.may_renew:
        return redirect_or_swap(request, "consent", pk)
    posted = request.POST if request.method == "POST" else None
    form = RenewForm(posted, today=_today(asked), now_until=asked.last_day)
    if form.is_valid():
        try:
            sharing.renew(actor=request.actor, consent_id=pk, expires_on=form.expires_on)
        except Invalid as error:
            day = "until_day" if form.cleaned_data["until"] == "day" else "until"
            _complain(form, error, {"expires_on": day})
        else:
            return _answered(request, pk)
    context = {"asked": asked, "form": form}
    status = 422 if form.errors else 200
    return render(request, "consents/renew.html", context, status=status)


@page(Policy.CLIENT, methods=("GET", "POST"))
def consent_what_if(request: PageRequest, pk: UUID) -> HttpResponse:
    """What would change for the recipient with the parts that are switched on. Saves nothing."""
    asked = questions.question(request.actor, pk, at=timezone.now())
    if request.method != "POST" or not (asked.is_open or asked.is_active):
        return redirect_or_swap(request, "consent", pk)
    form = PartsForm(request.POST)
    context = {"asked": asked, "changes": asked.what_if(form.chosen), "chosen": form.chosen}
    return panel(request, "consents/_changes.html", context, page="consents/what_if.html")


@page(Policy.CLIENT, methods=("GET", "POST"))
def consent_view_as(request: PageRequest, pk: UUID) -> HttpResponse:
    """The record as the recipient's page would show it with the parts that are switched on, or
    as it shows it now."""
    at = timezone.now()
    asked = questions.question(request.actor, pk, at=at)
    chosen = PartsForm(request.POST).chosen if request.method == "POST" else asked.shared_now
    packet = disclosure.preview(actor=request.actor, consent_id=pk, classes=chosen, at=at)
    context = {"asked": asked, "chosen": chosen, **client_page.reading(packet)}
    return render(request, "consents/view_as.html", context)


@page(Policy.CLIENT, methods=("GET", "POST"))
def consent_again(request: PageRequest, pk: UUID) -> HttpResponse:
    """Decide anew about the same two people: to share more, for longer, or after all."""
    if request.method != "POST":
        return redirect_or_swap(request, "consent", pk)
    at = timezone.now()
    asked = questions.question(request.actor, pk, at=at)
    anew = sharing.ask(
        actor=request.actor,
        client_id=asked.client.pk,
        discloser_id=asked.discloser.id,
        recipient_id=asked.recipient.id,
        purpose=asked.purpose,
        classes=asked.asked,
        at=at,
    )
    return redirect_or_swap(request, "consent", anew.pk)


@page(Policy.CLIENT)
def consent_receipt(request: PageRequest, pk: UUID) -> HttpResponse:
    """The receipt, to read and to print."""
    asked, receipt = _receipt(request, pk)
    at = timezone.now()
    context = {
        "asked": asked,
        "receipt": receipt,
        "number": receipts.receipt_number(receipt),
        "last_day": receipts.last_day(receipt, asked.client.time_zone),
        "in_force": receipts.is_in_force(receipt, at) and asked.is_active,
        "authority": receipts.authority_words(receipt),
        "conditions": receipts.NOT_A_CONDITION,
        "history": questions.history(asked, request.actor),
    }
    return render(request, "consents/receipt.html", context)


@page(Policy.CLIENT)
def consent_receipt_file(request: PageRequest, pk: UUID, kind: str) -> HttpResponse:
    """The receipt as a file: `pdf` to keep, `json` for programs."""
    asked, receipt = _receipt(request, pk)
    answer: HttpResponse
    if kind == "pdf":
        content = receipts.as_pdf(receipt, zone=asked.client.time_zone)
        answer = HttpResponse(content, content_type="application/pdf")
    elif kind == "json":
        answer = JsonResponse(receipts.as_data(receipt), json_dumps_params={"indent": 2})
    else:
        raise NotVisible
    # The name of the file ends up in a downloads folder: it says nothing.
    answer.headers["Content-Disposition"] = f'attachment; filename="receipt.{kind}"'
    return answer


def _receipt(request: PageRequest, pk: UUID) -> tuple[Question, Receipt]:
    asked = questions.question(request.actor, pk, at=timezone.now())
    row = Consent.objects.select_related(
        *("client", "discloser__user", "discloser__practice"),
        *("recipient__user", "recipient__practice"),
    ).get(pk=asked.id)
    return asked, receipt_for(row)


def _answered(request: PageRequest, pk: UUID) -> HttpResponse:
    messages.success(request, "Your answer is saved.")
    return redirect_or_swap(request, "consent", pk)


def _grant_form(asked: Question, data: QueryDict | None = None) -> GrantForm:
    training = asked.is_open and sharing.training_is_under_way(
        client_id=asked.client.pk,
        discloser_id=asked.discloser.id,
        recipient_id=asked.recipient.id,
    )
    return GrantForm(data, today=_today(asked), has_training=training)


def _today(asked: Question) -> date:
    return timezone.now().astimezone(ZoneInfo(asked.client.time_zone)).date()


def _complain(form: Form, error: Invalid, fields: dict[str, str]) -> None:
    for field, texts in error.errors.items():
        name = fields.get(field, field)
        for text in texts:
            form.add_error(name if name in form.fields else None, text)


def _shown(
    request: PageRequest,
    asked: Question,
    *,
    grant: GrantForm | None = None,
    narrow: PartsForm | None = None,
    took: int = 0,
) -> HttpResponse:
    """The page of a question in whatever state it is."""
    at = timezone.now()
    form = grant or _grant_form(asked)
    happened = questions.history(asked, request.actor)
    shown = frozenset(Scope) if asked.is_open else asked.standing.classes
    packet = None
    if shown:
        packet = disclosure.preview(actor=request.actor, consent_id=asked.id, classes=shown, at=at)
    context = {
        "asked": asked,
        "packet": packet,
        "form": form,
        "chosen": form.chosen,
        "narrow": narrow,
        "kept": narrow.chosen if narrow else asked.standing.classes,
        "took": took,
        "words": questions.notice_check(asked.id),
        "suggested": len(SUGGESTED),
        "checked": questions.checked_credentials(asked.recipient.id, at) if asked.is_open else (),
        "handoff": questions.handoff_waiting_for(asked) if asked.is_open else None,
        "history": happened,
        "has_receipt": questions.was_agreed(happened),
    }
    failed = bool(grant and grant.errors) or bool(narrow and narrow.errors)
    return panel(
        request,
        "consents/_question.html",
        context,
        page="consents/detail.html",
        status=422 if failed else 200,
    )
