"""The steps a person can take at a referral, as forms: built from the state table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from clients import directory
from clients.models import Professional
from handoff.core.actors import Actor
from handoff.core.errors import Invalid
from referrals import access, lifecycle
from referrals.calendars import wall_to_utc
from referrals.forms.referral import (
    MessageForm,
    NoForm,
    ReasonForm,
    ReportForm,
    RerouteForm,
    ScheduleForm,
)
from referrals.models import Referral
from referrals.states import REASONS, Edge, Kind, State, Verb, edges_from, may_reroute
from referrals.views.refer_out import therapists_for

Walk = Callable[..., Referral]


@dataclass(frozen=True, slots=True)
class Offer:
    """How a step is offered: what the button says, and what happens then."""

    button: str
    title: str
    hint: str
    form: type[forms.Form]
    walk: Walk
    icon: str = "right"
    leads: bool = False
    """The step most people take next: it gets the page's primary button."""
    done: str = "Done."


OFFERS: Mapping[Verb, Offer] = {
    Verb.ACCEPT: Offer(
        "Accept",
        "Take this client on",
        "You then see what the client shares with you, and book the first session.",
        NoForm,
        lifecycle.accept,
        icon="check",
        leads=True,
        done="Accepted. The sender knows.",
    ),
    Verb.DECLINE: Offer(
        "Decline",
        "Decline",
        "The sender is told your reason and asks somebody else.",
        ReasonForm,
        lifecycle.decline,
        icon="x",
        done="Declined. The sender knows.",
    ),
    Verb.ASK: Offer(
        "Ask a question",
        "Ask before you decide",
        "It waits for the sender until they answer.",
        MessageForm,
        lifecycle.ask,
        icon="message",
        done="Your question is with the sender.",
    ),
    Verb.ANSWER: Offer(
        "Send the answer",
        "Answer the question",
        "It goes back to the trainer.",
        MessageForm,
        lifecycle.answer,
        icon="message",
        leads=True,
        done="Your answer is sent.",
    ),
    Verb.SEND: Offer(
        "Send",
        "Send the handoff",
        "If the client has not agreed yet, they are asked first.",
        NoForm,
        lifecycle.send,
        icon="send",
        leads=True,
        done="On its way.",
    ),
    Verb.SCHEDULE: Offer(
        "Book it",
        "Book the first session",
        "Both of you are reminded the day before and two hours before.",
        ScheduleForm,
        lifecycle.schedule,
        icon="calendar",
        leads=True,
        done="Booked.",
    ),
    Verb.BEGIN: Offer(
        "The first session took place",
        "Training has begun",
        "Confirm the current limits first, if any are shared with you.",
        NoForm,
        lifecycle.begin,
        icon="check",
        leads=True,
        done="Training has begun.",
    ),
    Verb.NO_SHOW: Offer(
        "The client did not come",
        "Missed session",
        "You can book again right away.",
        NoForm,
        lifecycle.no_show,
        done="Noted.",
    ),
    Verb.CANCEL_APPOINTMENT: Offer(
        "Call the session off",
        "Call the session off",
        "The handoff itself goes on; book another time.",
        NoForm,
        lifecycle.cancel_appointment,
        icon="x",
        done="The session is called off.",
    ),
    Verb.REPORT: Offer(
        "Send the note",
        "Send an interim note",
        "Reaches the sender if the client shares how training goes.",
        ReportForm,
        lifecycle.report,
        icon="send",
        leads=True,
        done="Your note is sent.",
    ),
    Verb.COMPLETE: Offer(
        "Complete with this report",
        "Complete the handoff",
        "Closes the loop. The sender always learns that it is completed.",
        ReportForm,
        lifecycle.complete,
        icon="check",
        done="Completed. The sender knows.",
    ),
    Verb.HOLD: Offer(
        "Pause",
        "Pause it",
        "The other side is told. Either of you can resume.",
        ReasonForm,
        lifecycle.hold,
        done="Paused.",
    ),
    Verb.RESUME: Offer(
        "Resume", "Go on", "", NoForm, lifecycle.resume, leads=True, done="It goes on."
    ),
    Verb.FAIL: Offer(
        "End without result",
        "End without result",
        "The sender is told and may ask somebody else.",
        ReasonForm,
        lifecycle.fail,
        icon="x",
        done="Ended. The sender knows.",
    ),
    Verb.CANCEL: Offer(
        "Call it off",
        "Call the handoff off",
        "",
        ReasonForm,
        lifecycle.cancel,
        icon="x",
        done="Done.",
    ),
    Verb.CONFIRM_CANCEL: Offer(
        "Confirm",
        "Confirm that it is called off",
        "Without your answer it is called off after two business days.",
        NoForm,
        lifecycle.confirm_cancel,
        icon="check",
        leads=True,
        done="Called off.",
    ),
    Verb.DISCARD: Offer(
        "Throw the draft away",
        "Throw the draft away",
        "Nobody has seen it.",
        NoForm,
        lifecycle.discard,
        icon="trash",
        done="Thrown away.",
    ),
    Verb.ENTER_IN_ERROR: Offer(
        "Entered in error",
        "This should never have existed",
        "The trainer and the client no longer see it. Its history is kept.",
        ReasonForm,
        lifecycle.enter_in_error,
        icon="x",
        done="Marked as entered in error.",
    ),
    Verb.REROUTE: Offer(
        "Choose this trainer",
        "Ask somebody else",
        "Makes a new draft. The client is asked again, for that person.",
        RerouteForm,
        lifecycle.reroute,
        icon="swap",
        leads=True,
        done="A new draft is ready to be sent.",
    ),
}


_TO_THERAPY: Mapping[Verb, Offer] = {
    Verb.ACCEPT: replace(
        OFFERS[Verb.ACCEPT], hint="You then see what the trainer saw, and book the first visit."
    ),
    Verb.DECLINE: replace(
        OFFERS[Verb.DECLINE], hint="The trainer is told your reason and asks somebody else."
    ),
    Verb.ANSWER: replace(OFFERS[Verb.ANSWER], hint="It goes back to the therapist."),
    Verb.SEND: replace(OFFERS[Verb.SEND], title="Send it to the therapist"),
    Verb.SCHEDULE: replace(OFFERS[Verb.SCHEDULE], title="Book the first visit"),
    Verb.BEGIN: replace(
        OFFERS[Verb.BEGIN],
        button="The first visit took place",
        title="The client was seen",
        hint="The trainer learns that, and nothing else of the visit.",
        done="Noted. The trainer knows that the client was seen.",
    ),
    Verb.NO_SHOW: replace(OFFERS[Verb.NO_SHOW], title="Missed visit"),
    Verb.CANCEL_APPOINTMENT: replace(
        OFFERS[Verb.CANCEL_APPOINTMENT],
        button="Call the visit off",
        title="Call the visit off",
        hint="The referral itself goes on; book another time.",
        done="The visit is called off.",
    ),
    Verb.REPORT: replace(
        OFFERS[Verb.REPORT],
        hint="The client and your side read it. The trainer learns only that there is one.",
    ),
    Verb.COMPLETE: replace(
        OFFERS[Verb.COMPLETE],
        title="Close it with a report",
        hint="The client and your side read the report. The trainer learns that it is completed.",
        done="Completed. The trainer knows.",
    ),
    Verb.FAIL: replace(OFFERS[Verb.FAIL], hint="The trainer is told and may ask somebody else."),
    Verb.CANCEL: replace(OFFERS[Verb.CANCEL], title="Call it off"),
    Verb.ENTER_IN_ERROR: replace(
        OFFERS[Verb.ENTER_IN_ERROR],
        hint="The therapist and the client no longer see it. Its history is kept.",
    ),
    Verb.REROUTE: replace(OFFERS[Verb.REROUTE], button="Choose this therapist"),
}
"""Where the words differ for a referral from a trainer to a therapist."""
_TO_TRAINING: Mapping[Verb, Offer] = {
    Verb.SEND: replace(OFFERS[Verb.SEND], title="Send them back to training"),
    Verb.COMPLETE: replace(OFFERS[Verb.COMPLETE], title="Complete the training"),
    Verb.CANCEL: replace(OFFERS[Verb.CANCEL], title="Call the return off"),
}
_BY_KIND: Mapping[Kind, Mapping[Verb, Offer]] = {
    Kind.REFER_OUT: _TO_THERAPY,
    Kind.RETURN_TO_TRAINING: _TO_TRAINING,
}


def offer_of(verb: Verb, kind: str) -> Offer:
    """How a step is offered in a referral of this kind."""
    return _BY_KIND.get(Kind(kind), {}).get(verb, OFFERS[verb])


@dataclass(frozen=True, slots=True)
class Step:
    """One offered step with its form."""

    verb: Verb
    offer: Offer
    form: forms.Form
    is_open: bool = False

    @property
    def needs_input(self) -> bool:
        return bool(self.form.fields)


def steps_for(
    actor: Actor,
    referral: Referral,
    at: datetime,
    *,
    bound: forms.Form | None = None,
    bound_verb: str = "",
) -> list[Step]:
    """What the actor can do next, the leading step first; `bound` keeps what was typed."""
    parties = access.parties(actor, referral, at)
    state = State(referral.state)
    verbs: dict[Verb, Edge | None] = {}
    for edge in edges_from(state, parties):
        if edge.verb in OFFERS and not _pointless(edge):
            verbs.setdefault(edge.verb, edge)
    if may_reroute(state, parties):
        verbs[Verb.REROUTE] = None
    found = []
    for verb in verbs:
        typed = bound is not None and verb == bound_verb
        form = bound if typed and bound is not None else form_for(verb, referral, at)
        found.append(Step(verb, offer_of(verb, referral.kind), form, is_open=typed))
    return sorted(found, key=lambda step: not step.offer.leads)


def _pointless(edge: Edge) -> bool:
    """A draft is thrown away, not called off; and waiting for consent is not sent again."""
    return (edge.verb is Verb.CANCEL and edge.source is State.DRAFT) or (
        edge.verb is Verb.SEND and edge.source is State.AWAITING_CONSENT
    )


def form_for(verb: Verb, referral: Referral, at: datetime, data: Any = None) -> forms.Form:
    """The form of a step, unbound or with what somebody typed."""
    offer = OFFERS[verb]
    extra: dict[str, Any] = {}
    if offer.form is ReasonForm:
        extra["reasons"] = _reasons(verb, State(referral.state))
    elif offer.form is RerouteForm:
        to_therapy = referral.kind == Kind.REFER_OUT
        extra["label"] = "Physical therapist" if to_therapy else "Trainer"
        extra["people"] = (
            able_therapists(referral, at) if to_therapy else able_trainers(referral, at)
        )
    elif offer.form is ReportForm:
        # Only a trainer's words are looked at: a therapist may name things.
        extra["by_trainer"] = referral.kind != Kind.REFER_OUT
    return offer.form(data, prefix=verb, **extra)


def _reasons(verb: Verb, state: State) -> Any:
    target = {
        Verb.DECLINE: State.DECLINED,
        Verb.HOLD: State.ON_HOLD,
        Verb.FAIL: State.FAILED,
        Verb.ENTER_IN_ERROR: State.ENTERED_IN_ERROR,
    }.get(verb, State.CANCELLED)
    return REASONS[target]


def able_trainers(referral: Referral, at: datetime) -> list[Professional]:
    """Trainers other than the present one who may take a client now, and have a place."""
    rows = directory.verified(at, role=Professional.Role.TRAINER, accepting=True)
    return list(rows.exclude(pk=referral.recipient_id).order_by(*directory.BY_NAME))


def able_therapists(referral: Referral, at: datetime) -> list[Professional]:
    """Therapists other than the present one whom a trainer may ask for this client."""
    found = therapists_for(referral.client, referral.sender, at)
    return [each for each in found if each.pk != referral.recipient_id]


def take(verb: Verb, form: forms.Form, *, actor: Actor, referral: Referral) -> Referral | None:
    """Walk the step with a valid form; None when the verb refused the input, told at its field.

    Other refusals (gone, not yours, moved on) pass through.
    """
    try:
        return _arguments(verb, form, actor, referral)()
    except Invalid as refused:
        for field, texts in refused.errors.items():
            name = {"first_session_at": "day"}.get(field, field)
            for text in texts:
                form.add_error(name if name in form.fields else None, text)
        return None


def _arguments(
    verb: Verb, form: forms.Form, actor: Actor, referral: Referral
) -> Callable[[], Referral]:
    data = dict(form.cleaned_data)
    if verb is Verb.SCHEDULE:
        zone = referral.recipient.practice.time_zone
        data = {"first_session_at": wall_to_utc(data["day"], data["time"], zone)}
    elif verb is Verb.REROUTE:
        data = {"recipient_id": UUID(data["recipient"])}
    return partial(OFFERS[verb].walk, actor=actor, referral_id=referral.pk, **data)


def session_zone(referral: Referral) -> str:
    """The zone in which a session is booked: that of the gym, by name."""
    now = timezone.now().astimezone(ZoneInfo(referral.recipient.practice.time_zone))
    return now.tzname() or referral.recipient.practice.time_zone
