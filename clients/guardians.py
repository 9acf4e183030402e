"""Who may decide for a client: the client as an adult, a verified guardian while a minor."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from clients.models import Client, ConsentEvent, Guardianship
from handoff.core.actors import Actor
from handoff.core.errors import NotAllowed, NotVisible

DEFAULT_MAJORITY_AGE = 18
MAJORITY_AGE_BY_STATE = {"AL": 19, "NE": 19, "MS": 21}
"""States in which majority begins later: Ala. Code 26-1-1, Neb. Rev. Stat. 43-2101,
Miss. Code 1-3-27. Everywhere else 18."""


def majority_age(state: str) -> int:
    """The age of majority, in years, in a two-letter state."""
    return MAJORITY_AGE_BY_STATE.get(state, DEFAULT_MAJORITY_AGE)


def majority_instant(*, birth_date: date, state: str, zone: str) -> datetime:
    """When majority begins: 00:00 in the person's zone on that birthday (UTC instant).

    Born on 29 February, it is 1 March in a year that has no such day.
    """
    year = birth_date.year + majority_age(state)
    try:
        day = birth_date.replace(year=year)
    except ValueError:
        day = date(year, 3, 1)
    return datetime.combine(day, time(0, 0), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def latest_birth_date_of_age(at: datetime) -> date:
    """Nobody born after this day is of age at `at`, wherever they live."""
    today = (at.astimezone(UTC) + timedelta(hours=14)).date()  # the earliest zone of the world
    year = today.year - DEFAULT_MAJORITY_AGE
    return date(year, 2, 28) if (today.month, today.day) == (2, 29) else today.replace(year=year)


def is_minor(client: Client, at: datetime) -> bool:
    """Whether a guardian, rather than the client, decides at this moment."""
    return at < majority_instant(
        birth_date=client.birth_date, state=client.state, zone=client.time_zone
    )


def authority_stands(guardianship: Guardianship, client: Client, at: datetime) -> bool:
    """Verified, not ended, account active, and the client still a minor."""
    return (
        guardianship.verified_at is not None
        and (guardianship.ended_at is None or at < guardianship.ended_at)
        and guardianship.user.is_active
        and is_minor(client, at)
    )


def guardianship_of(user_id: UUID | None, client: Client, at: datetime) -> Guardianship | None:
    """The guardianship under which this person may act for `client` now, or None."""
    if user_id is None:
        return None
    rows = Guardianship.objects.select_related("user").filter(client=client, user_id=user_id)
    return next((row for row in rows if authority_stands(row, client, at)), None)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs a consent decision, and on what ground."""

    user_id: UUID
    authority: ConsentEvent.Authority
    guardianship: Guardianship | None = None


def signer_for(actor: Actor, client: Client, at: datetime) -> Signer:
    """The ground on which `actor` may decide about the sharing of `client`.

    Raises NotVisible for everybody who is neither the client nor a guardian with authority, and
    NotAllowed for a client who is still a minor: a guardian decides.
    """
    if actor.user_id is None:
        raise NotVisible
    if client.user_id == actor.user_id:
        if is_minor(client, at):
            raise NotAllowed("Until you come of age, your guardian decides about sharing.")
        return Signer(actor.user_id, ConsentEvent.Authority.SELF)
    guardianship = guardianship_of(actor.user_id, client, at)
    if guardianship is None:
        raise NotVisible
    return Signer(actor.user_id, ConsentEvent.Authority.GUARDIAN, guardianship)


def deciders(client: Client, at: datetime) -> list[UUID]:
    """The user ids of those who can answer for `client` now: the adult, or the guardians."""
    if not is_minor(client, at):
        return [client.user_id] if client.user_id else []
    rows = (
        Guardianship.objects.select_related("user")
        .filter(client=client)
        .filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at))
        .order_by("created_at", "id")
    )
    return [row.user_id for row in rows if authority_stands(row, client, at)]
