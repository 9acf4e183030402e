"""Which stored fields are somebody's own and go into the file they can have. One table.

A test walks the sensitivity of every field (`handoff.core.sensitivity`): each personal or clinical
one stands in a section below or among those left out, with the reason. Rows are filtered by what
the person may read on pages: nothing unsigned, nothing between professionals.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.db.models import Model, Q

from clients.models import (
    Client,
    ClientIdentifier,
    Consent,
    ConsentEvent,
    Credential,
    Erasure,
    Evidence,
    Guardianship,
    Invitation,
    KnownBrowser,
    Practice,
    Professional,
    User,
)
from handoff.core.files.storing import StoredFile
from handoff.core.idempotency import IdempotentRequest
from handoff.core.tokens import ApiToken
from referrals.access import HIDDEN_FROM_CLIENT
from referrals.models import (
    Acknowledgement,
    Addendum,
    Coverage,
    DischargeNote,
    Episode,
    Gate,
    Goal,
    Letter,
    LoopReport,
    Measurement,
    Package,
    ReferOutFacts,
    Referral,
    ReferralEvent,
    ReferralMessage,
    Reminder,
    Restriction,
    RestrictionVersion,
    Screening,
    Wish,
)
from referrals.states import State


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose record, and who takes it."""

    client_ids: Collection[UUID]
    """The client, and the drafts that were joined with them."""
    user_id: UUID
    is_self: bool
    """False for a guardian, who gets the record but not the minor's account."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the file: the rows of one table."""

    key: str
    title: str
    model: type[Model]
    rows: Callable[[Whose], Q]
    fields: tuple[str, ...]
    order: tuple[str, ...]
    own_only: bool = False
    """Not for guardians."""


_VISIBLE = ~Q(status=Episode.Status.ENTERED_IN_ERROR)


def _in_episode(path: str, whose: Whose) -> Q:
    found = Q(**{f"{path}__client__in": whose.client_ids})
    return found & ~Q(**{f"{path}__status": Episode.Status.ENTERED_IN_ERROR})


def _in_referral(path: str, whose: Whose) -> Q:
    found = Q(**{f"{path}__client__in": whose.client_ids})
    return found & ~Q(**{f"{path}__state__in": HIDDEN_FROM_CLIENT})


def _guardians(whose: Whose) -> Q:
    found = Q(client__in=whose.client_ids)
    return found if whose.is_self else found & Q(user=whose.user_id)


def _invitations(whose: Whose) -> Q:
    if whose.is_self:
        return Q(client__in=whose.client_ids, kind=Invitation.Kind.CLIENT)
    return Q(client__in=whose.client_ids, used_by=whose.user_id)


def _stored(model: type[Model], *left_out: str) -> tuple[str, ...]:
    return tuple(field.name for field in model._meta.concrete_fields if field.name not in left_out)


RECORD: Final[tuple[Section, ...]] = (
    Section(
        "person",
        "Who you are here",
        Client,
        lambda whose: Q(pk__in=whose.client_ids),
        _stored(Client, "user"),
        ("created_at", "id"),
    ),
    Section(
        "identifiers",
        "Numbers other systems know you by",
        ClientIdentifier,
        lambda whose: Q(client__in=whose.client_ids),
        ("client", "owner", "system", "value"),
        ("id",),
    ),
    Section(
        "guardians",
        "Who may act for you",
        Guardianship,
        _guardians,
        ("id", "client", "user", "relationship", "created_at", "verified_at", "ended_at"),
        ("created_at", "id"),
    ),
    Section(
        "invitations",
        "Invitations",
        Invitation,
        _invitations,
        _stored(Invitation, "token_hash"),
        ("created_at", "id"),
    ),
    Section(
        "letters",
        "Letters from doctors",
        Letter,
        lambda whose: Q(client__in=whose.client_ids),
        _stored(Letter, "file", "key"),
        ("added_at", "id"),
    ),
    Section(
        "coverage",
        "Who pays for your therapies",
        Coverage,
        lambda whose: Q(client__in=whose.client_ids),
        _stored(Coverage),
        ("changed_at", "id"),
    ),
    Section(
        "packages",
        "Sessions you paid for",
        Package,
        lambda whose: Q(client__in=whose.client_ids),
        _stored(Package),
        ("added_at", "id"),
    ),
    Section(
        "wishes",
        "Whom you would like",
        Wish,
        lambda whose: Q(client__in=whose.client_ids),
        _stored(Wish),
        ("wished_at", "id"),
    ),
    Section(
        "screenings",
        "Results of \u201cWho should I see first?\u201d that you kept",
        Screening,
        lambda whose: Q(client__in=whose.client_ids),
        _stored(Screening),
        ("taken_at", "id"),
    ),
    Section(
        "episodes",
        "Your therapies",
        Episode,
        lambda whose: Q(client__in=whose.client_ids) & _VISIBLE,
        _stored(Episode),
        ("created_at", "id"),
    ),
    Section(
        "measurements",
        "Test results",
        Measurement,
        lambda whose: _in_episode("episode", whose),
        _stored(Measurement),
        ("taken_on", "recorded_at", "id"),
    ),
    Section(
        "gates",
        "What to reach before more is allowed",
        Gate,
        lambda whose: _in_episode("episode", whose),
        _stored(Gate),
        ("added_at", "id"),
    ),
    Section(
        "notes",
        "Closing notes",
        DischargeNote,
        lambda whose: _in_episode("episode", whose) & Q(signed_at__isnull=False),
        _stored(DischargeNote),
        ("signed_at", "id"),
    ),
    Section(
        "goals",
        "Goals",
        Goal,
        lambda whose: _in_episode("note__episode", whose) & Q(note__signed_at__isnull=False),
        _stored(Goal),
        ("note_id", "position"),
    ),
    Section(
        "addenda",
        "Added to closing notes",
        Addendum,
        lambda whose: _in_episode("note__episode", whose),
        _stored(Addendum),
        ("signed_at", "id"),
    ),
    Section(
        "limits",
        "Limits",
        Restriction,
        lambda whose: _in_episode("episode", whose) & Q(versions__signed_at__isnull=False),
        _stored(Restriction),
        ("created_at", "id"),
    ),
    Section(
        "limit_versions",
        "What each limit said, version by version",
        RestrictionVersion,
        lambda whose: _in_episode("restriction__episode", whose) & Q(signed_at__isnull=False),
        _stored(RestrictionVersion),
        ("restriction_id", "number"),
    ),
    Section(
        "acknowledgements",
        "Who confirmed having read a limit",
        Acknowledgement,
        lambda whose: _in_episode("version__restriction__episode", whose),
        _stored(Acknowledgement),
        ("acknowledged_at", "id"),
    ),
    Section(
        "handoffs",
        "Handoffs",
        Referral,
        lambda whose: Q(client__in=whose.client_ids) & ~Q(state__in=HIDDEN_FROM_CLIENT),
        _stored(Referral),
        ("created_at", "id"),
    ),
    Section(
        "handoff_steps",
        "What became of each handoff",
        ReferralEvent,
        lambda whose: (
            _in_referral("referral", whose) & ~Q(target__in=(State.DRAFT, State.AWAITING_CONSENT))
        ),
        _stored(ReferralEvent, "reason_text"),
        ("id",),
    ),
    Section(
        "reports",
        "What was reported",
        LoopReport,
        lambda whose: _in_referral("referral", whose),
        _stored(LoopReport),
        ("sent_at", "id"),
    ),
    Section(
        "facts",
        "What trainers saw and told a therapist",
        ReferOutFacts,
        lambda whose: Q(client__in=whose.client_ids) & ~Q(referral__state__in=HIDDEN_FROM_CLIENT),
        _stored(ReferOutFacts),
        ("saved_at", "id"),
    ),
    Section(
        "consents",
        "Questions about sharing",
        Consent,
        lambda whose: Q(client__in=whose.client_ids),
        _stored(Consent),
        ("asked_at", "id"),
    ),
    Section(
        "consent_events",
        "What was said to each question",
        ConsentEvent,
        lambda whose: Q(consent__client__in=whose.client_ids),
        _stored(ConsentEvent),
        ("number",),
    ),
    Section(
        "erasures",
        "When erasing was asked for",
        Erasure,
        lambda whose: Q(client__in=whose.client_ids),
        _stored(Erasure),
        ("asked_at", "id"),
    ),
    Section(
        "reminders",
        "Your reminders",
        Reminder,
        lambda whose: Q(recipient=whose.user_id),
        (
            *("id", "rule", "recipient", "audience", "due_at", "state", "accepted_at", "shown_at"),
            *("done_at", "snoozed_until", "referral", "consent", "episode", "restriction"),
            "credential",
        ),
        ("due_at", "id"),
        own_only=True,
    ),
)
"""All of a client's record. The list of looks is put beside it in words (`clients.looks`)."""

ACCOUNT: Final[tuple[Section, ...]] = (
    Section(
        "account",
        "Your account",
        User,
        lambda whose: Q(pk=whose.user_id),
        (
            *("id", "email", "first_name", "last_name", "time_zone", "date_joined", "last_login"),
            "is_staff",
        ),
        ("id",),
        own_only=True,
    ),
    Section(
        "work",
        "As whom you work",
        Professional,
        lambda whose: Q(user=whose.user_id),
        _stored(Professional),
        ("joined_at", "id"),
        own_only=True,
    ),
    Section(
        "credentials",
        "Your licences and certificates",
        Credential,
        lambda whose: Q(user=whose.user_id),
        _stored(Credential, "verified_by", "withdrawn_by"),
        ("created_at", "id"),
        own_only=True,
    ),
    Section(
        "scans",
        "Scans you handed in",
        Evidence,
        lambda whose: Q(credential__user=whose.user_id),
        ("id", "credential", "added_at", "removed_at"),
        ("added_at", "id"),
        own_only=True,
    ),
    Section(
        "browsers",
        "Browsers you have signed in with",
        KnownBrowser,
        lambda whose: Q(user=whose.user_id),
        _stored(KnownBrowser, "mark_hash"),
        ("created_at", "id"),
        own_only=True,
    ),
    Section(
        "guardianships",
        "For whom you may act",
        Guardianship,
        lambda whose: Q(user=whose.user_id),
        ("id", "user", "relationship", "created_at", "verified_at", "ended_at"),
        ("created_at", "id"),
        own_only=True,
    ),
    Section(
        "tokens",
        "Your keys to the API",
        ApiToken,
        lambda whose: Q(user=whose.user_id),
        _stored(ApiToken, "token_hash"),
        ("created_at", "id"),
        own_only=True,
    ),
)
"""What belongs to an account, whoever it is of."""

LEFT_OUT: Final[Mapping[tuple[type[Model], str], str]] = MappingProxyType(
    {
        (Client, "user"): "The account itself is in the section about the account.",
        (Guardianship, "verified_by"): "Which administrator looked is the clinic's record.",
        (Credential, "verified_by"): "Which administrator looked is the clinic's record.",
        (Credential, "withdrawn_by"): "Which administrator looked is the clinic's record.",
        (ReferralEvent, "reason_text"): "One professional to another; no page shows it to clients.",
        (ReferralMessage, "referral"): "Between the two professionals; the clinic gives it out.",
        (ReferralMessage, "author"): "Between the two professionals; the clinic gives it out.",
        (ReferralMessage, "text"): "Between the two professionals; the clinic gives it out.",
        (Evidence, "file"): "The scan itself is saved from the page of the paper.",
        (Letter, "file"): "The letter itself is saved from the list of letters, one by one.",
        (StoredFile, "owner"): "Each file is told of where it belongs: a letter, a paper.",
        (IdempotentRequest, "user"): "Numbers of repeated requests, kept for a day.",
        (Practice, "name"): "A business. It is named beside each professional.",
        (Practice, "phone"): "A business, not the person.",
        (Practice, "email"): "A business, not the person.",
        (Practice, "city"): "A business, not the person.",
    }
)
"""Personal and clinical fields that go into nobody's file, and why."""

SECRETS: Final = "Hashes of passwords and links go into no file: they could only open something."


def named(value: Any) -> Any:
    """A person as a file names them: enough to know whom to ask."""
    match value:
        case User():
            return {"id": str(value.pk), "name": value.name}
        case Professional():
            return {
                "id": str(value.pk),
                "name": value.name,
                "role": value.role,
                "practice": value.practice.name,
            }
        case Practice():
            return {"id": str(value.pk), "name": value.name}
        case _:
            return None
