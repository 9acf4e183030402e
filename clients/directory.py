"""Who can be found: therapists and trainers whose papers are checked and valid today.

Standing is worked out from the papers at the moment of the search. In the directory that everybody
may read are those of them who want to be. Nothing here knows of anybody's clients.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db.models import DateField, DateTimeField, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast

from clients import licensing, specialties, trades
from clients.languages import LANGUAGES
from clients.licensing import LICENCE_KINDS, Ability
from clients.models import Credential, Professional
from clients.specialties import SPECIALTIES
from clients.trades import Remit
from handoff.core.errors import NotVisible

Kind = Credential.Kind
Role = Professional.Role

_TRADE = {
    Role.PT: frozenset({str(kind) for kind in LICENCE_KINDS}),
    Role.TRAINER: frozenset({str(Kind.TRAINER_CERTIFICATION)}),
}
MOST_WORDS: Final = 6
BY_NAME: Final = ("user__last_name", "user__first_name", "id")

CLOSED: Final = "Takes no new clients at the moment."
FULL: Final = "Has no open place at the moment."


class Availability(StrEnum):
    """Whether somebody takes a new client now; never how many they have."""

    OPEN = "open"
    FULL = "full"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One professional as the directory shows them."""

    id: UUID
    name: str
    role: str
    role_label: str
    practice_id: UUID
    practice: str
    practice_kind: str
    city: str
    state: str
    phone: str
    specialties: tuple[tuple[str, str], ...]
    languages: tuple[tuple[str, str], ...]
    introduction: str
    availability: Availability
    papers: tuple[Credential, ...]
    states: tuple[str, ...]
    """Where a licence of theirs is valid today; empty for a trainer."""
    remit: Remit

    @property
    def titles(self) -> str:
        """What stands behind the name: the titles of the papers of the trade."""
        trade = _TRADE.get(Role(self.role), frozenset())
        titles = (held.title for held in self.papers if held.kind in trade)
        return ", ".join(dict.fromkeys(title for title in titles if title))


def verified(
    at: datetime, *, role: str = "", words: str = "", accepting: bool = False
) -> QuerySet[Professional]:
    """Current professionals with a verified licence or certification valid today at their place.

    `words` must all occur in name, practice or city. With `accepting`, only those who may take a
    new client now (R6), say that they do, and have a place.
    """
    today = Func(
        F("practice__time_zone"), Value(at), function="timezone", output_field=DateTimeField()
    )
    rows: QuerySet[Professional] = (
        Professional.objects.select_related("user", "practice")
        .filter(left_at__isnull=True, user__is_active=True)
        .annotate(local_day=Cast(today, DateField()))
    )
    rows = rows.filter(
        Q(role=Role.PT) & Exists(_valid(_TRADE[Role.PT]))
        | Q(role=Role.TRAINER) & Exists(_valid(_TRADE[Role.TRAINER]))
    )
    if role:
        rows = rows.filter(role=role)
    rows = named(rows, words)
    if accepting:
        rows = rows.filter(Q(open_places=None) | Q(open_places__gt=0), accepts_referrals=True)
        rows = rows.filter(Q(role=Role.PT) | Exists(_valid([Kind.CPR_AED])))
    return rows


def listed(
    at: datetime,
    *,
    role: str = "",
    words: str = "",
    specialty: str = "",
    state: str = "",
    language: str = "",
    accepting: bool = False,
) -> QuerySet[Professional]:
    """Those of `verified` who want to be found by everybody.

    `specialty` is a code, or a part of how one reads. `state` is where a therapist may treat, and
    where a trainer works.
    """
    rows = verified(at, role=role, words=words, accepting=accepting).filter(in_directory=True)
    if specialty:
        rows = rows.filter(specialties__overlap=specialties.matching(specialty) or [""])
    if state:
        there = Exists(_valid(_TRADE[Role.PT]).filter(state=state))
        rows = rows.filter(Q(role=Role.PT) & there | Q(role=Role.TRAINER, practice__state=state))
    if language:
        rows = rows.filter(languages__contains=[language])
    return rows


def named(rows: QuerySet[Professional], words: str) -> QuerySet[Professional]:
    """Those of `rows` in whose name, practice or city all the words occur."""
    for word in words.split()[:MOST_WORDS]:
        rows = rows.filter(
            Q(user__first_name__icontains=word)
            | Q(user__last_name__icontains=word)
            | Q(practice__name__icontains=word)
            | Q(practice__city__icontains=word)
        )
    return rows


def entries(rows: Sequence[Professional], at: datetime) -> list[Entry]:
    """How each of `rows` stands in the directory, in their order. Takes one query."""
    able = licensing.abilities(rows, at)
    return [_entry(row, able[row.pk]) for row in rows]


def entry(professional_id: UUID, at: datetime) -> Entry:
    """One professional who is in the directory now. Raises NotVisible for everybody else."""
    row = listed(at).filter(pk=professional_id).first()
    if row is None:
        raise NotVisible
    return entries([row], at)[0]


def against_sending(row: Professional, able: Ability) -> str:
    """Why nobody can be handed over to them now, in words; empty when nothing stands against it."""
    return able.against_accepting[0] if able.against_accepting else against_room(row)


def against_room(row: Professional) -> str:
    """Why they take nobody, by what they say themselves; empty when they do."""
    return _AGAINST.get(_room(row), "")


_AGAINST: Final = {Availability.FULL: FULL, Availability.CLOSED: CLOSED}


def _room(row: Professional) -> Availability:
    if not row.accepts_referrals:
        return Availability.CLOSED
    return Availability.FULL if row.open_places == 0 else Availability.OPEN


def _entry(row: Professional, able: Ability) -> Entry:
    is_pt = row.role == Role.PT
    states = tuple(
        sorted({held.state for held in able.valid if is_pt and held.kind in LICENCE_KINDS})
    )
    return Entry(
        id=row.pk,
        name=row.name,
        role=row.role,
        role_label=row.get_role_display(),
        practice_id=row.practice_id,
        practice=row.practice.name,
        practice_kind=row.practice.kind,
        city=row.practice.city,
        state=row.practice.state,
        phone=row.practice.phone,
        specialties=tuple(
            (code, SPECIALTIES[code]) for code in row.specialties if code in SPECIALTIES
        ),
        languages=tuple((code, LANGUAGES[code]) for code in row.languages if code in LANGUAGES),
        introduction=row.introduction,
        availability=_room(row) if able.may_accept else Availability.CLOSED,
        papers=able.valid,
        states=states,
        remit=trades.therapists(states) if is_pt else trades.trainers(),
    )


def _valid(kinds: Iterable[str]) -> QuerySet[Credential]:
    """The rule of `CredentialQuerySet.valid_on`, for the day at each professional's place."""
    return Credential.objects.filter(
        Q(issued_on__isnull=True) | Q(issued_on__lte=OuterRef("local_day")),
        Q(expires_on__isnull=True) | Q(expires_on__gte=OuterRef("local_day")),
        user_id=OuterRef("user_id"),
        kind__in=list(kinds),
        verified_at__isnull=False,
        withdrawn_at__isnull=True,
    )
