"""The access ledger in plain words: who looked at a record, or tried to, and on what ground.

For the client's side only. Names are those of today. Of a refused attempt the name is told when
it was a professional: they act under their name and their licence, and a client has to know whom
to ask. Anybody else who was refused stays "somebody without permission": nothing was shown to
them, and a mistyped address is no reason to name a person.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from clients.models import AccessEntry, Client, Professional, User
from clients.scopes import Scope
from handoff.core.actors import PROFESSIONAL_ROLES, Actor, Role

Action = AccessEntry.Action

ROLE_WORDS: Final[Mapping[str, str]] = {
    Role.PT: "Physical therapist",
    Role.PTA: "Physical therapist assistant",
    Role.TRAINER: "Personal trainer",
    Role.GUARDIAN: "Parent or guardian",
    Role.CLIENT: "Client",
    Role.ADMIN: "Administrator",
    Role.SYSTEM: "The system",
}
PART_WORDS: Final[Mapping[Scope, str]] = {
    Scope.RESTRICTIONS: "limits",
    Scope.CLEARANCE: "ready to train",
    Scope.CONTACT: "how to reach the therapist",
    Scope.TRAINING_FEEDBACK: "how training goes",
    Scope.OUTCOMES: "test results",
    Scope.HISTORY: "what happened",
    Scope.NOTE: "closing note",
}
ENVELOPE_WORDS: Final[Mapping[Scope, str]] = {
    Scope.RESTRICTIONS: "whether there are limits",
    Scope.CLEARANCE: "whether training is allowed",
}
"""An envelope says that much about a part, and not what stands in it."""
ACTION_WORDS: Final[Mapping[str, str]] = {
    Action.READ: "Looked at",
    Action.PRINTED: "Printed",
    Action.EXPORTED: "Downloaded",
    Action.ENVELOPE: "Saw the request, before answering it",
    Action.REFUSED: "Tried to open the record. Nothing was shown.",
}
THING_WORDS: Final[Mapping[str, str]] = {
    "referral": "the goal of your training",
    "messages": "questions and answers",
}
"""What was looked at, by purpose, where it belongs to no part."""
NO_PART: Final = "nothing, as no part is shared"
PURPOSE_WORDS: Final[Mapping[str, str]] = {
    "home": "On the first page",
    "preview": "Before deciding about sharing",
    "referral": "A handoff",
    "messages": "Questions and answers about a handoff",
    "episode": "For the treatment",
    "gates": "What to reach before more is allowed",
    "letters": "Which letters there are",
    "letter": "A letter",
    "screenings": "Results of \u201cWho should I see first?\u201d",
    "printed card": "A card to take along",
    "export": "Everything as a file",
    "client page": "",
    "record": "",
}
"""Why somebody looked, in words; what is not here is said as it was entered."""


@dataclass(frozen=True, slots=True)
class Look:
    """One entry."""

    number: int
    at: datetime
    client_id: UUID
    who: str
    role: str
    detail: str
    is_me: bool
    refused: bool
    what: str
    parts: tuple[str, ...]
    everything: bool
    why: str
    agreed_in: UUID | None
    """The consent it rested on, if it rested on one."""


def entries_about(
    clients: Collection[Client], actor: Actor, *, own_too: bool
) -> QuerySet[AccessEntry]:
    """Entries about these records and the drafts joined with them.

    Unless asked for, without what the viewer and the clients themselves looked at.
    """
    ids = [client.pk for client in clients]
    joined = Client.objects.filter(merged_into__in=ids).values("pk")
    rows = AccessEntry.objects.filter(Q(client__in=ids) | Q(client__in=joined))
    if own_too:
        return rows
    own = {client.user_id for client in clients} | {actor.user_id}
    return rows.exclude(actor_id__in=[each for each in own if each is not None])


def looks(entries: Sequence[AccessEntry], actor: Actor) -> list[Look]:
    """The entries in words, for `actor`, who is or acts for the client. Two queries."""
    users = User.objects.in_bulk({each.actor_id for each in entries if each.actor_id})
    work = Professional.objects.select_related("practice").in_bulk(
        {each.professional_id for each in entries if each.professional_id}
    )
    return [
        _look(
            each,
            actor,
            users.get(each.actor_id) if each.actor_id else None,
            work.get(each.professional_id) if each.professional_id else None,
        )
        for each in entries
    ]


def _look(
    entry: AccessEntry, actor: Actor, user: User | None, professional: Professional | None
) -> Look:
    is_me = entry.actor_id is not None and entry.actor_id == actor.user_id
    refused = entry.action == Action.REFUSED
    who, role, detail = "You" if is_me else _name(entry, user), _role(entry), ""
    if professional is not None and professional.role == entry.actor_role:
        detail = professional.practice.name
    elif professional is not None and not refused:
        # An assistant stands on the therapist's side but is named as what they are.
        role, detail = professional.get_role_display(), professional.practice.name
    return Look(
        number=entry.number,
        at=entry.at,
        client_id=entry.client_id,
        who=who,
        role="" if is_me or who == UNNAMED else role,
        detail=detail if not is_me and who != UNNAMED else "",
        is_me=is_me,
        refused=refused,
        what=ACTION_WORDS.get(entry.action, entry.action),
        parts=_parts(entry),
        everything=set(entry.shown) == set(Scope),
        why="" if refused else _why(entry),
        agreed_in=entry.consent_ids[0] if entry.consent_ids and _rests_on_consent(entry) else None,
    )


def _parts(entry: AccessEntry) -> tuple[str, ...]:
    words = ENVELOPE_WORDS if entry.action == Action.ENVELOPE else PART_WORDS
    found = tuple(text for scope, text in words.items() if scope in entry.shown)
    if found or entry.action in (Action.ENVELOPE, Action.REFUSED):
        return found
    return (THING_WORDS.get(entry.purpose, NO_PART),)


def _rests_on_consent(entry: AccessEntry) -> bool:
    """Whoever treats reads their own; only what training reports reaches them by consent."""
    if entry.action == Action.REFUSED:
        return False
    treats = entry.actor_role in (Role.PT, Role.PTA)
    return not treats or Scope.TRAINING_FEEDBACK in entry.shown


UNNAMED: Final = "Somebody without permission"


def _name(entry: AccessEntry, user: User | None) -> str:
    if entry.actor_id is None:
        return "Handoff"
    if entry.action == Action.REFUSED and entry.actor_role not in PROFESSIONAL_ROLES:
        return UNNAMED
    return user.name if user is not None else "An account that is gone"


def _why(entry: AccessEntry) -> str:
    return PURPOSE_WORDS.get(entry.purpose, entry.purpose[:1].upper() + entry.purpose[1:])


def _role(entry: AccessEntry) -> str:
    return ROLE_WORDS.get(entry.actor_role, "")
