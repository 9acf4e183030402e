"""A referral as the API says it: who, where it stands, and what its reader may see of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rest_framework import serializers

from clients.api.people import (
    ClientBriefShape,
    ProfessionalBriefShape,
    client_brief,
    professional_brief,
)
from clients.scopes import Scope
from handoff.api.shapes import Shape
from handoff.core.actors import Actor
from referrals import access, disclosure, reminders, sharing
from referrals.api.parts import Part, part
from referrals.models import Referral
from referrals.packets import Envelope
from referrals.standpoints import Seen, Side, state_for
from referrals.states import (
    RECIPIENT_MAY_READ,
    WAITING_ON,
    Kind,
    Party,
    State,
    Verb,
    edges_from,
    may_reroute,
)

PARTIES = [(each.value, each.value) for each in (Party.SENDER, Party.RECIPIENT, Party.CLIENT)]
SHARING_STATES = [(each.value, each.value) for each in Seen]
# What people do; the others happen to a referral.
_BY_PEOPLE = frozenset(Verb) - {
    Verb.AWAIT_CONSENT,
    Verb.CONSENT_GRANTED,
    Verb.CONSENT_DECLINED,
    Verb.SUPERSEDE,
    Verb.EXPIRE,
}
VERBS = [(verb.value, verb.value) for verb in Verb if verb in _BY_PEOPLE]


class ReferralBriefShape(Shape):
    """A referral in a list. Before a recipient accepts, the client's name is shortened."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    state = serializers.ChoiceField(choices=State.choices)
    state_words = serializers.CharField()
    priority = serializers.ChoiceField(choices=Referral.Priority.choices)
    client = ClientBriefShape()
    sender = ProfessionalBriefShape()
    recipient = ProfessionalBriefShape()
    waiting_on = serializers.ChoiceField(choices=PARTIES, allow_null=True)
    created_at = serializers.DateTimeField()
    state_at = serializers.DateTimeField(help_text="Since when in this state.")
    sent_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)


class EnvelopeShape(Shape):
    """All a recipient sees before they accept."""

    client_name = serializers.CharField()
    sender = serializers.CharField()
    practice = serializers.CharField()
    goal = serializers.CharField(
        allow_blank=True, allow_null=True, help_text="Null once the client shares nothing."
    )
    start_from = serializers.DateField(allow_null=True)
    start_until = serializers.DateField(allow_null=True)
    priority = serializers.ChoiceField(choices=Referral.Priority.choices)
    clearance_level = Part(
        serializers.CharField(allow_blank=True),
        allow_null=True,
        help_text="Null from a trainer, as is the next.",
    )
    has_restrictions = Part(serializers.BooleanField(), allow_null=True)


class SharingShape(Shape):
    """Whether and what the client shares for this referral now; never why not."""

    state = serializers.ChoiceField(choices=SHARING_STATES)
    classes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))
    expires_at = serializers.DateTimeField(allow_null=True)


class StepShape(Shape):
    """One step of the path."""

    verb = serializers.CharField()
    state = serializers.ChoiceField(choices=State.choices)
    state_words = serializers.CharField()
    at = serializers.DateTimeField()
    by = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)


class RemindedShape(Shape):
    """That the other side was reminded. For the sender."""

    rule = serializers.IntegerField()
    audience = serializers.CharField()
    listed_at = serializers.DateTimeField()
    mailed_at = serializers.DateTimeField(allow_null=True)


class ReferralShape(ReferralBriefShape):
    """One referral, as I may see it and with what I can do next."""

    start_from = serializers.DateField(allow_null=True)
    start_until = serializers.DateField(allow_null=True)
    first_session_at = serializers.DateTimeField(allow_null=True)
    goal = serializers.CharField(
        allow_null=True, allow_blank=True, help_text="Null where it is not shared with me (now)."
    )
    envelope = EnvelopeShape(
        allow_null=True, help_text="For the recipient while it waits for their answer."
    )
    consent = serializers.UUIDField(
        allow_null=True, help_text="Null for a recipient who has not accepted."
    )
    sharing = SharingShape(allow_null=True, help_text="For both professionals.")
    episode = serializers.UUIDField(allow_null=True, help_text="For the sender's side.")
    previous = serializers.UUIDField(allow_null=True, help_text="For the sender's side.")
    actions = serializers.ListField(
        child=serializers.ChoiceField(choices=VERBS), help_text="The steps I can take now."
    )
    steps = StepShape(many=True)
    reminded = RemindedShape(many=True)


def brief(actor: Actor, row: Referral, *, is_client: bool) -> dict[str, Any]:
    """Takes a row with its client and both sides."""
    received = row.recipient_id in actor.professional_ids and not is_client
    reads = not received or row.state in RECIPIENT_MAY_READ
    name = disclosure.display_name(row) if received else row.client.name
    waiting_on = WAITING_ON[State(row.state)]
    return {
        "id": row.pk,
        "kind": row.kind,
        "state": row.state,
        "state_words": row.get_state_display(),
        "priority": row.priority,
        "client": client_brief(row.client) if reads else {"id": None, "name": name},
        "sender": professional_brief(row.sender),
        "recipient": professional_brief(row.recipient),
        "waiting_on": waiting_on.value if waiting_on else None,
        "created_at": row.created_at,
        "state_at": row.state_at,
        "sent_at": row.sent_at,
        "answered_at": row.answered_at,
        "closed_at": row.closed_at,
    }


def full(actor: Actor, row: Referral, at: datetime) -> dict[str, Any]:
    """A referral the actor may know of; reads its content through the disclosure door."""
    parties = access.parties(actor, row, at)
    sends = row.sender_id in access.treating_ids(actor) or Party.SENDER in parties
    waits_for_me = access.recipient_may_see_envelope(actor, row)
    reads = Party.RECIPIENT in parties and row.state in RECIPIENT_MAY_READ
    return {
        **brief(actor, row, is_client=Party.CLIENT in parties),
        "start_from": row.start_from,
        "start_until": row.start_until,
        "first_session_at": row.first_session_at,
        "goal": disclosure.goal_of(actor=actor, referral_id=row.pk, at=at),
        "envelope": _envelope(disclosure.envelope(actor=actor, referral_id=row.pk, at=at))
        if waits_for_me
        else None,
        "consent": row.consent_id if sends or reads or Party.CLIENT in parties else None,
        "sharing": _sharing(row, at) if sends or reads else None,
        "episode": row.episode_id if sends else None,
        "previous": row.previous_id if sends else None,
        "actions": actions(row, parties),
        "steps": [
            {
                "verb": each.verb,
                "state": each.target,
                "state_words": each.target_label,
                "at": each.at,
                "by": each.by,
                "reason": each.reason,
            }
            for each in disclosure.steps(actor=actor, referral_id=row.pk, at=at)
        ],
        "reminded": _reminded(row) if sends else [],
    }


def actions(row: Referral, parties: frozenset[Party]) -> list[str]:
    """What a party can do next, by the table; rows may still stand against it."""
    state = State(row.state)
    found = [edge.verb for edge in edges_from(state, parties) if edge.verb in _BY_PEOPLE]
    if may_reroute(state, parties):
        found.append(Verb.REROUTE)
    return [verb.value for verb in dict.fromkeys(found)]


def _envelope(view: Envelope) -> dict[str, Any]:
    return {
        "client_name": view.client_display_name,
        "sender": view.sender_name,
        "practice": view.sender_practice,
        "goal": view.goal,
        "start_from": view.start_from,
        "start_until": view.start_until,
        "priority": view.priority,
        "clearance_level": _known(view.clearance_level, str),
        "has_restrictions": _known(view.has_restrictions, bool),
    }


def _known(found: object, answer: Callable[[Any], Any]) -> Any:
    return None if found is None else part(found, answer)


def _sharing(row: Referral, at: datetime) -> dict[str, Any] | None:
    now = sharing.standing_of(row, at)
    if now is None:
        return None
    return {
        "state": state_for(Side.DISCLOSER, now.state),
        "classes": sorted(now.classes),
        "expires_at": now.expires_at if now.is_active else None,
    }


def _reminded(row: Referral) -> list[dict[str, Any]]:
    return [
        {
            "rule": each.rule,
            "audience": each.audience.value,
            "listed_at": each.listed_at,
            "mailed_at": each.mailed_at,
        }
        for each in reminders.sent_for(row)
    ]
