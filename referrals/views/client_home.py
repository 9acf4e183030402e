"""The first page of a client, and of somebody who acts for one: one section for each person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from clients import guardians, looks
from clients.access import own_clients, pending_authorities
from clients.looks import Look
from clients.models import Client, Guardianship
from handoff.core.actors import Actor
from handoff.web.dates import day_text, moment_text
from handoff.web.requests import PageRequest
from referrals import access, disclosure, journey, questions, reminders
from referrals.journey import Journey, Phase
from referrals.models import Referral
from referrals.packets import Packet, RestrictionsView
from referrals.questions import Question
from referrals.states import OPEN, Kind, State

LOOKS = 4
REFERRALS = 20


@dataclass(frozen=True, slots=True)
class NextStep:
    """What this person can do now, or what they wait for."""

    title: str
    text: str
    phase: Phase
    url: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """All about one client."""

    client: Client
    is_own: bool
    is_minor: bool
    packet: Packet
    journey: Journey
    referral: Referral | None
    step: NextStep
    running: tuple[Question, ...]
    recent: tuple[Look, ...]
    guardians: tuple[str, ...]

    @property
    def limits(self) -> RestrictionsView | None:
        part = self.packet.restrictions
        return part if isinstance(part, RestrictionsView) else None

    @property
    def anchor(self) -> str:
        return f"client-{self.client.pk}"


def client_home(request: PageRequest) -> HttpResponse:
    """Journey, next step, limits, sharing, reminders and who looked."""
    actor, at = request.actor, timezone.now()
    own = own_clients(actor, at)
    asked = questions.questions_of(actor, own, at=at)
    referrals = _referrals(actor, own)
    sections = [
        _section(
            actor,
            client,
            [each for each in asked if each.client.pk == client.pk],
            [each for each in referrals if each.client_id == client.pk],
            at,
        )
        for client in own
    ]
    context = {
        "sections": sections,
        "only": sections[0] if len(sections) == 1 else None,
        "first_name": request.user.get_short_name() if request.user.is_authenticated else "",
        "greeting": _greeting(timezone.localtime(at)),
        "reminders": reminders.mine(actor, at, size=5).items,
        "pending": pending_authorities(actor),
    }
    return render(request, "home/client.html", context)


def _section(
    actor: Actor,
    client: Client,
    asked: Sequence[Question],
    referrals: Sequence[Referral],
    at: datetime,
) -> Section:
    packet = disclosure.disclose(actor=actor, client_id=client.pk, purpose="home", at=at)
    way = journey.journey(packet, referrals, zone=client.time_zone)
    referral = journey.current(referrals)
    entries = looks.entries_about([client], actor, own_too=False).order_by("-number")[:LOOKS]
    minor = guardians.is_minor(client, at)
    return Section(
        client=client,
        is_own=client.user_id == actor.user_id,
        is_minor=minor,
        packet=packet,
        journey=way,
        referral=referral if referral is not None and referral.state in OPEN else None,
        step=_next_step(client, packet, way, asked, referral, at),
        running=tuple(each for each in asked if each.is_running),
        recent=tuple(looks.looks(list(entries), actor)),
        guardians=_guardians(client, at) if minor else (),
    )


def _referrals(actor: Actor, own: Sequence[Client]) -> list[Referral]:
    rows = access.referrals_visible_to(actor).filter(client__in=[each.pk for each in own])
    return list(
        rows.select_related("sender__user", "recipient__user", "recipient__practice").order_by(
            "-created_at", "-id"
        )[:REFERRALS]
    )


def _guardians(client: Client, at: datetime) -> tuple[str, ...]:
    """Who may decide for a minor now: the minor sees it too."""
    rows = Guardianship.objects.select_related("user").filter(client=client).order_by("created_at")
    return tuple(row.user.name for row in rows if guardians.authority_stands(row, client, at))


def _next_step(
    client: Client,
    packet: Packet,
    way: Journey,
    asked: Sequence[Question],
    referral: Referral | None,
    at: datetime,
) -> NextStep:
    """The one thing that comes next: a question to answer before everything else."""
    question = next((each for each in asked if each.is_open), None)
    if question is not None:
        return _answer(question)
    if referral is not None and referral.state in OPEN:
        return _of_referral(referral, way, at)
    if way.phase is Phase.REHAB:
        who = way.rehab.removeprefix("With ") or "Your therapist"
        return NextStep("Therapy goes on", f"{who} leads. Nothing waits for you.", way.phase)
    review = journey.next_review(packet, _today(client, at))
    if review is not None:
        return NextStep(
            "Keep to the limits",
            f"The next one is looked at again on {day_text(review)}.",
            way.phase,
            reverse("client", args=[client.pk]),
            "See all limits",
        )
    if way.phase is Phase.RETURNED:
        return NextStep("You are back", "No limits are left. Nothing waits for you.", way.phase)
    return NextStep("Nothing waits for you", "You hear from us when something does.", way.phase)


def _answer(question: Question) -> NextStep:
    whose = "your" if question.is_own else f"{question.client.first_name}\u2019s"
    title = f"Answer: may {question.recipient.short} see some of {whose} record?"
    if question.is_of_reports:
        title = (
            f"Answer: may {question.discloser.short} tell {question.recipient.short} what happened"
            f" in {whose} training?"
        )
    url = reverse("consent", args=[question.id])
    if question.may_decide:
        text = "Nothing is shared until you say yes. You choose each part."
        return NextStep(title, text, Phase.HANDOFF, url, "Read and answer")
    return NextStep(
        f"{question.discloser.short} asks what to share with {question.recipient.short}",
        "Your guardian decides. You can read what it is about.",
        Phase.HANDOFF,
        url,
        "Read it",
    )


def _of_referral(referral: Referral, way: Journey, at: datetime) -> NextStep:
    to = referral.recipient.user.get_short_name() or referral.recipient.name
    url = reverse("referral", args=[referral.pk])
    phase = way.phase
    if referral.kind == Kind.REFER_OUT:
        return _back_to_therapy(referral, to, url, phase, at)
    match referral.state:
        case State.AWAITING_CONSENT:
            return NextStep("A handoff is being prepared", "Nothing waits for you.", phase)
        case State.SENT | State.VIEWED | State.INFO_REQUESTED:
            text = "You hear as soon as there is an answer."
            return NextStep(f"{to} has been asked", text, phase, url, "See the handoff")
        case State.SCHEDULED if referral.first_session_at and referral.first_session_at > at:
            when = moment_text(referral.first_session_at)
            return NextStep(
                f"First session with {to}: {when}",
                f"At {referral.recipient.practice.name}.",
                phase,
                url,
                "See or change it",
            )
        case State.ACCEPTED | State.NO_SHOW | State.APPT_CANCELLED:
            text = f"{to} takes you on. Agree on a day for the first session."
            return NextStep("Book the first session", text, phase, url, "Book it")
        case State.ON_HOLD:
            return NextStep("Training is on hold", "It goes on when both are ready.", phase, url)
        case State.CANCEL_REQUESTED:
            text = f"{to} still has to confirm it."
            return NextStep("The handoff is being called off", text, phase, url, "See the handoff")
        case _:
            text = "Keep to the limits. They change only when your therapist signs it."
            return NextStep(
                f"Training with {to} goes on",
                text,
                phase,
                reverse("client", args=[referral.client_id]),
                "See all limits",
            )


def _back_to_therapy(referral: Referral, to: str, url: str, phase: Phase, at: datetime) -> NextStep:
    """What is next for somebody whose trainer sends them back to a therapist."""
    wait = "Do not train what hurts until they have seen you."
    match referral.state:
        case State.AWAITING_CONSENT:
            return NextStep("You are being sent back to therapy", wait, phase)
        case State.SENT | State.VIEWED | State.INFO_REQUESTED:
            return NextStep(f"{to} has been asked to see you", wait, phase, url, "See it")
        case State.SCHEDULED if referral.first_session_at and referral.first_session_at > at:
            when = moment_text(referral.first_session_at)
            text = f"At {referral.recipient.practice.name}. {wait}"
            return NextStep(f"First visit with {to}: {when}", text, phase, url, "See or change it")
        case State.ACCEPTED | State.NO_SHOW | State.APPT_CANCELLED:
            text = f"{to} sees you. Agree on a day. {wait}"
            return NextStep("Book the first visit", text, phase, url, "Book it")
        case State.CANCEL_REQUESTED:
            text = f"{to} still has to confirm it."
            return NextStep("It is being called off", text, phase, url, "See it")
        case _:
            return NextStep(f"{to} leads now", wait, phase, url, "See it")


def _today(client: Client, at: datetime) -> date:
    return at.astimezone(ZoneInfo(client.time_zone)).date()


def _greeting(local: datetime) -> str:
    if local.hour < 12:
        return "Good morning"
    return "Good afternoon" if local.hour < 18 else "Good evening"
