"""After signing: choose a trainer and send the handoff, through the client's yes."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone

from clients import consent as consents
from clients import directory, guardians, licensing
from clients.models import Credential, Professional
from clients.scopes import SUGGESTED, Scope, notice
from clients.specialties import SPECIALTIES
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotAllowed
from handoff.core.policy import Policy
from handoff.web.pages import page, panel, redirect_or_swap
from handoff.web.requests import PageRequest
from referrals import care, disclosure, lifecycle, wishes
from referrals.forms.pt_handoff import HandoffForm
from referrals.intake import Intake
from referrals.lifecycle import MINIMUM_SHARED
from referrals.models import DischargeNote, Episode, Referral, Wish
from referrals.states import OPEN, Kind, State

MOST_READY = 20
MOST_OTHERS = 8
NEEDED = MINIMUM_SHARED[Kind.DISCHARGE_HANDOFF]
SOMEBODY = "the trainer"
"""Whom the parts speak of before one is chosen."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """One trainer to choose, or the reason why not now."""

    id: UUID
    name: str
    title: str
    practice: str
    city: str
    specialties: str
    against: str
    has_open: bool
    is_wished: bool
    is_full: bool

    @property
    def may_be_chosen(self) -> bool:
        return not self.against and not self.has_open


@dataclass(frozen=True, slots=True)
class Part:
    """One class as the client will read it."""

    scope: Scope
    title: str
    meaning: str
    usual: bool
    needed: bool


@page(Policy.PT, methods=("GET", "POST"), limit="search")
def discharge_handoff(request: PageRequest, episode_id: UUID) -> HttpResponse:
    """Choose whom to ask. The client is asked first and decides what they see."""
    actor, at = request.actor, timezone.now()
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)
    note = DischargeNote.objects.filter(episode=row, signed_at__isnull=False).only("id").first()
    if note is None:
        return redirect_or_swap(request, "discharge", episode_id)
    care.require_treating(actor, row)
    form = HandoffForm(
        request.POST if request.method == "POST" else None,
        initial={"priority": Referral.Priority.ROUTINE.value},
    )
    if request.method == "POST" and request.POST.get("then") != "find":
        try:
            sent = _send(actor, row, form, at)
        except Invalid as wrong:
            form.complain(wrong)
        except NotAllowed as refused:
            form.complain({"recipient": [refused.reason]})
        else:
            asked = sent.state == State.AWAITING_CONSENT
            messages.success(
                request, "The client is asked now." if asked else "The handoff is on its way."
            )
            return redirect_or_swap(request, "referral", sent.pk)
    return _shown(request, row, form, at)


def _send(actor: Actor, row: Episode, form: HandoffForm, at: datetime) -> Referral:
    """Draft and send as one: a handoff that cannot go out leaves no draft behind."""
    intake = Intake(form.entries(), tuple(form.fields))
    recipient = intake.identifier("recipient")
    goal = intake.text("goal", most=300)
    start_from, start_until = intake.day("start_from"), intake.day("start_until")
    priority = intake.text("priority", most=20)
    if recipient is None:
        intake.refuse_all({"recipient": ["Choose a trainer from the list."]})
    today = timezone.localdate(at)
    for name, day in (("start_from", start_from), ("start_until", start_until)):
        if _is_past(day, today):
            intake.refuse(name, "Choose a day that is not past.")
    if NEEDED not in form.chosen:
        intake.refuse(
            "classes",
            f"Ask for “{NEEDED.label}”: without it the handoff cannot go out.",
        )
    if recipient is None or intake.errors:
        raise Invalid(intake.errors)
    with transaction.atomic():
        drafted = lifecycle.draft(
            actor=actor,
            client_id=row.client_id,
            recipient_id=recipient,
            episode_id=row.pk,
            goal=goal,
            start_from=start_from,
            start_until=start_until,
            priority=priority,
            at=at,
        )
        return lifecycle.send(actor=actor, referral_id=drafted.pk, classes=form.chosen, at=at)


def _is_past(day: date | None, today: date) -> bool:
    return day is not None and day < today


def _shown(request: PageRequest, row: Episode, form: HandoffForm, at: datetime) -> HttpResponse:
    client = row.client
    # Straight from the page, also when something else on it is wrong. No name holds a NUL, and
    # PostgreSQL takes none.
    words = str(form.entries()["find"] or "").replace("\0", "") if form.is_bound else ""
    chosen = str(form.entries()["recipient"] or "") if form.is_bound else ""
    wished = _wished(request.actor, row, at)
    trainers = _trainers(row, words, chosen, wished, at)
    context = {
        "form": form,
        "episode_id": row.pk,
        "name": client.name,
        "first_name": client.first_name,
        "trainers": trainers,
        "wished": wished,
        "words": words,
        "chosen_trainer": chosen,
        "parts": _parts(row.pt.name),
        "chosen": form.chosen,
        "open": _open(row),
        "live": _live(row, at),
        "has_account": client.user_id is not None,
        "is_minor": guardians.is_minor(client, at),
        "deciders": len(guardians.deciders(client, at)),
        "client_id": client.pk,
        "today": timezone.localdate(at),
    }
    return panel(
        request,
        "pt/_trainers.html",
        context,
        page="pt/handoff.html",
        status=422 if form.errors else 200,
    )


def _trainers(
    row: Episode, words: str, chosen: str, wished: Wish | None, at: datetime
) -> list[Trainer]:
    """Those who can be asked now, then some who cannot, with the reason."""
    role = Professional.Role.TRAINER
    ready = list(
        directory.verified(at, role=role, words=words, accepting=True)
        .exclude(user_id=row.pt.user_id)
        .order_by(*directory.BY_NAME)[:MOST_READY]
    )
    if chosen and chosen not in {str(each.pk) for each in ready}:
        ready += _one_more(at, chosen, row)
    if wished and wished.professional_id not in {each.pk for each in ready}:
        ready += _one_more(at, str(wished.professional_id), row)
    # Whom the client would like stands first, then by name.
    ready.sort(key=lambda each: wished is None or each.pk != wished.professional_id)
    others = list(
        _current(words)
        .exclude(pk__in=directory.verified(at, role=role, accepting=True).values("pk"))
        .exclude(user_id=row.pt.user_id)[:MOST_OTHERS]
    )
    if wished and wished.professional_id not in {each.pk for each in (*ready, *others)}:
        others.insert(0, wished.professional)
    abilities = licensing.abilities([*ready, *others], at)
    taken = set(
        Referral.objects.filter(
            client_id=row.client_id,
            recipient_id__in=list(abilities),
            sender_id=row.pt_id,
            state__in=sorted(OPEN),
        ).values_list("recipient_id", flat=True)
    )
    return [
        _trainer(
            each,
            abilities[each.pk],
            has_open=each.pk in taken,
            is_wished=wished is not None and each.pk == wished.professional_id,
        )
        for each in (*ready, *others)
    ]


def _wished(actor: Actor, row: Episode, at: datetime) -> Wish | None:
    """The trainer this client would like, where that is not the therapist themselves."""
    found = wishes.open_wishes(actor=actor, client_id=row.client_id, at=at)
    return next(
        (
            each
            for each in found
            if each.role == Professional.Role.TRAINER
            and each.professional.user_id != row.pt.user_id
        ),
        None,
    )


def _one_more(at: datetime, chosen: str, row: Episode) -> list[Professional]:
    """The trainer who was chosen before the list was narrowed."""
    try:
        pk = UUID(chosen)
    except ValueError:
        return []
    return list(
        directory.verified(at, role=Professional.Role.TRAINER, accepting=True)
        .filter(pk=pk)
        .exclude(user_id=row.pt.user_id)
    )


def _current(words: str) -> QuerySet[Professional]:
    rows = Professional.objects.filter(
        role=Professional.Role.TRAINER, left_at__isnull=True, user__is_active=True
    ).select_related("user", "practice")
    return directory.named(rows, words).order_by(*directory.BY_NAME)


def _trainer(
    each: Professional, ability: licensing.Ability, *, has_open: bool, is_wished: bool
) -> Trainer:
    titles = (
        held.title for held in ability.valid if held.kind == Credential.Kind.TRAINER_CERTIFICATION
    )
    return Trainer(
        id=each.pk,
        name=each.name,
        title=", ".join(dict.fromkeys(title for title in titles if title)),
        practice=each.practice.name,
        city=each.practice.city,
        specialties=", ".join(SPECIALTIES.get(code, code) for code in each.specialties),
        against=directory.against_sending(each, ability),
        has_open=has_open,
        is_wished=is_wished,
        is_full=each.accepts_referrals and each.open_places == 0,
    )


def _parts(discloser: str) -> list[Part]:
    """The seven parts in the order and the words of the client's page."""
    words = notice()
    return [
        Part(
            scope=scope,
            title=text.title,
            # A name may begin a sentence as it is; what stands for one here may not.
            meaning=text.meaning.replace(f". {SOMEBODY}", f". {SOMEBODY.capitalize()}"),
            usual=scope in SUGGESTED,
            needed=scope is NEEDED,
        )
        for scope, text in (
            (each, words.text_for(each, recipient=SOMEBODY, discloser=discloser))
            for each in words.scopes
        )
    ]


def _open(row: Episode) -> list[Referral]:
    """Handoffs of this episode that nobody accepted yet; a new one takes their place."""
    return list(
        Referral.objects.filter(episode=row, state__in=sorted(OPEN))
        .select_related("recipient__user")
        .order_by("-created_at")
    )


def _live(row: Episode, at: datetime) -> list[str]:
    """Trainers with whom the client shares already: to them it goes out at once."""
    found = consents.live(client_id=row.client_id, at=at, discloser_ids=[row.pt_id])
    ids = [each.recipient_id for each in found if NEEDED in each.classes]
    rows = Professional.objects.filter(pk__in=ids).select_related("user")
    return [each.name for each in rows]
