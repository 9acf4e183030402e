"""What care and training cost: coverage of an episode, and packages of sessions with a trainer.

Coverage is written by the treating side and read by them and the client's side; packages are the
client's own notes. No class of sharing holds either, so no trainer reads them, whatever is shared.
Reading goes through the disclosure door and is entered as a look at the client's history.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from clients import access as people
from clients.licensing import local_day
from clients.models import Client
from clients.scopes import Scope
from handoff.core import audit, subjects
from handoff.core.actors import Actor
from handoff.core.errors import NotVisible, Stale
from referrals import access, disclosure, reminders
from referrals.care import require_treating
from referrals.intake import Intake
from referrals.models import Coverage, Episode, Package
from referrals.permits import Grounds, Permit

COVERAGE_FIELDS: Final = (
    *("payer", "visits_authorized", "visits_used", "authorized_until", "cost_per_visit"),
)
PACKAGE_FIELDS: Final = (
    *("provider", "sessions_bought", "sessions_used", "price", "bought_on", "valid_until"),
)
MOST_VISITS: Final = 999
MOST_SESSIONS: Final = 500
MOST_PER_VISIT: Final = Decimal("99999.99")
MOST_FOR_ALL: Final = Decimal("999999.99")
FURTHEST: Final = timedelta(days=366 * 5)
MOST_PACKAGES: Final = 200
FEW: Final = 3
"""Visits left at which the therapist is reminded: rule 2 of the catalogue."""


@dataclass(frozen=True, slots=True)
class CoverageView:
    """Who pays for one episode, and how much of it is left."""

    episode_id: UUID
    pt_name: str
    payer: str
    visits_authorized: int | None
    visits_used: int
    visits_left: int | None
    authorized_until: date | None
    cost_per_visit: Decimal | None
    paid_so_far: Decimal | None
    """The client's own part for the visits used."""
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class PackageView:
    """One package, as its owner noted it."""

    id: UUID
    client_id: UUID
    provider: str
    sessions_bought: int
    sessions_used: int
    sessions_left: int
    price: Decimal | None
    per_session: Decimal | None
    bought_on: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Costs:
    """All of it for one client."""

    client_id: UUID
    client_name: str
    coverages: tuple[CoverageView, ...]
    packages: tuple[PackageView, ...]


# --- the treating side --------------------------------------------------------------------------


def coverage(*, actor: Actor, episode_id: UUID, at: datetime | None = None) -> CoverageView | None:
    """What is noted for an episode, None when nothing is; one access entry.

    For the treating side. Raises NotVisible for everybody else, whose try is entered as refused.
    """
    episode = disclosure.treated(actor=actor, episode_id=episode_id, at=at)

    def read(_allowed: Permit, _moment: datetime) -> CoverageView | None:
        row = Coverage.objects.filter(episode=episode).first()
        return _coverage(row, episode) if row else None

    return disclosure.disclose_one(
        actor=actor,
        client=episode.client,
        scope=Scope.HISTORY,
        source_id=episode.pt_id,
        purpose="coverage",
        read=read,
        only_if=lambda grounds: episode.pt_id in grounds.treats_as,
        at=at,
    )


def set_coverage(
    *, actor: Actor, episode_id: UUID, data: Mapping[str, object], at: datetime | None = None
) -> Coverage:
    """Note who pays for an episode, in place of what was noted; all fields at once.

    The treating therapist. Raises NotVisible, NotAllowed, Stale once the episode was entered in
    error, Invalid with every field named.
    """
    at = at or timezone.now()
    with transaction.atomic():
        episode = access.episode_for(actor, episode_id, lock=True)
        require_treating(actor, episode)
        if episode.status == Episode.Status.ENTERED_IN_ERROR:
            raise Stale
        people.require_kept(episode.client)
        intake = Intake(data, COVERAGE_FIELDS)
        row = Coverage.objects.filter(episode=episode).first() or Coverage(
            episode=episode, client=episode.client
        )
        row.payer = intake.text("payer", most=120).strip()
        row.visits_authorized = intake.whole("visits_authorized", low=0, high=MOST_VISITS)
        row.visits_used = intake.whole("visits_used", low=0, high=MOST_VISITS) or 0
        row.authorized_until = _day(intake, "authorized_until", local_day(episode.pt, at))
        row.cost_per_visit = _money(intake, "cost_per_visit", MOST_PER_VISIT)
        if not row.payer and "payer" not in intake.errors:
            intake.refuse("payer", "Say who pays, such as the insurer or the client.")
        intake.raise_if_wrong()
        row.changed_at = at
        row.low_since = (row.low_since or at) if is_low(row) else None
        row.save()
        reminders.episode_changed(episode, at=at)
        audit.record(actor, "coverage.noted", row, at=at)
    return row


# --- the client's side --------------------------------------------------------------------------


def costs(*, actor: Actor, client_id: UUID, at: datetime | None = None) -> Costs:
    """Coverage and packages of a client, for their own side; one access entry.

    Raises NotVisible for everybody else, with that try entered.
    """
    client = Client.objects.filter(pk=client_id, merged_into__isnull=True).first()
    if client is None:
        raise NotVisible

    def read(_allowed: Permit, _moment: datetime) -> Costs:
        rows = (
            Coverage.objects.filter(client=client)
            .exclude(episode__status=Episode.Status.ENTERED_IN_ERROR)
            .select_related("episode__pt__user")
            .order_by("-episode__started_on", "-id")
        )
        owned = Package.objects.filter(client=client)[:MOST_PACKAGES]
        return Costs(
            client_id=client.pk,
            client_name=client.name,
            coverages=tuple(_coverage(row, row.episode) for row in rows),
            packages=tuple(_package(row) for row in owned),
        )

    return disclosure.disclose_one(
        actor=actor,
        client=client,
        scope=Scope.HISTORY,
        source_id=None,
        purpose="costs",
        read=read,
        only_if=_is_own,
        at=at,
    )


def package(*, actor: Actor, package_id: UUID, at: datetime | None = None) -> PackageView:
    """One package, for the client's side; one access entry. Raises NotVisible."""
    moment = at or timezone.now()
    row = Package.objects.select_related("client__user").filter(pk=package_id).first()
    if row is None or not people.is_own(actor, row.client, moment):
        raise NotVisible
    found = costs(actor=actor, client_id=row.client_id, at=at).packages
    for each in found:
        if each.id == package_id:
            return each
    raise NotVisible


def add_package(
    *, actor: Actor, client_id: UUID, data: Mapping[str, object], at: datetime | None = None
) -> Package:
    """Note sessions that were paid for. The client's side; raises NotVisible, Invalid."""
    at = at or timezone.now()
    client = people.own_client(actor, client_id, at)
    people.require_kept(client)
    intake = Intake(data, PACKAGE_FIELDS)
    today = at.astimezone(ZoneInfo(client.time_zone)).date()
    bought_on = _day(intake, "bought_on", today, latest=today) or today
    row = Package(
        client=client,
        provider=intake.text("provider", most=120).strip(),
        sessions_bought=intake.whole("sessions_bought", low=1, high=MOST_SESSIONS) or 0,
        sessions_used=intake.whole("sessions_used", low=0, high=MOST_SESSIONS) or 0,
        price=_money(intake, "price", MOST_FOR_ALL),
        bought_on=bought_on,
        valid_until=_day(intake, "valid_until", today),
        added_at=at,
    )
    if not row.provider and "provider" not in intake.errors:
        intake.refuse("provider", "Say with whom, such as a trainer or a gym.")
    if not row.sessions_bought and "sessions_bought" not in intake.errors:
        intake.refuse("sessions_bought", "Enter how many sessions were paid for.")
    elif row.sessions_used > row.sessions_bought:
        intake.refuse("sessions_used", "This is more than were paid for.")
    if row.valid_until is not None and row.valid_until < bought_on:
        intake.refuse("valid_until", "This is before they were bought.")
    intake.raise_if_wrong()
    with subjects.of(client.pk), transaction.atomic():
        Client.objects.select_for_update(no_key=True).get(pk=client.pk)
        if Package.objects.filter(client=client).count() >= MOST_PACKAGES:
            raise Stale("There are very many already. Remove one first.")
        row.save(force_insert=True)
        audit.record(actor, "package.noted", row, at=at)
    return row


def use_session(*, actor: Actor, package_id: UUID, at: datetime | None = None) -> Package:
    """One more session of a package took place. Raises NotVisible, Stale when none is left."""
    at = at or timezone.now()
    with transaction.atomic():
        row = _own_package(actor, package_id, at)
        if row.sessions_used >= row.sessions_bought:
            raise Stale("All sessions of this package are used.")
        row.sessions_used += 1
        row.save(update_fields=["sessions_used"])
        audit.record(actor, "package.session_used", row, at=at)
    return row


def remove_package(*, actor: Actor, package_id: UUID, at: datetime | None = None) -> UUID:
    """Throw one's own note away; whose it was. Raises NotVisible."""
    at = at or timezone.now()
    with transaction.atomic():
        row = _own_package(actor, package_id, at)
        audit.record(actor, "package.removed", row, at=at)
        row.delete()
    return row.client_id


def _own_package(actor: Actor, pk: UUID, at: datetime) -> Package:
    rows = Package.objects.select_related("client__user").select_for_update(
        of=("self",), no_key=True
    )
    row = rows.filter(pk=pk).first()
    if row is None or not people.is_own(actor, row.client, at):
        raise NotVisible
    return row


# --- parts --------------------------------------------------------------------------------------


def visits_left(row: Coverage) -> int | None:
    """Authorised visits that are not used yet; None where there is no such limit."""
    if row.visits_authorized is None:
        return None
    return max(0, row.visits_authorized - row.visits_used)


def is_low(row: Coverage) -> bool:
    """Whether so few authorised visits are left that somebody should think of it."""
    left = visits_left(row)
    return left is not None and left <= FEW


def _coverage(row: Coverage, episode: Episode) -> CoverageView:
    each = row.cost_per_visit
    return CoverageView(
        episode_id=episode.pk,
        pt_name=episode.pt.name,
        payer=row.payer,
        visits_authorized=row.visits_authorized,
        visits_used=row.visits_used,
        visits_left=visits_left(row),
        authorized_until=row.authorized_until,
        cost_per_visit=each,
        paid_so_far=None if each is None else each * row.visits_used,
        changed_at=row.changed_at,
    )


def _package(row: Package) -> PackageView:
    per_session = None
    if row.price is not None:
        per_session = (row.price / row.sessions_bought).quantize(Decimal("0.01"))
    return PackageView(
        id=row.pk,
        client_id=row.client_id,
        provider=row.provider,
        sessions_bought=row.sessions_bought,
        sessions_used=row.sessions_used,
        sessions_left=row.sessions_bought - row.sessions_used,
        price=row.price,
        per_session=per_session,
        bought_on=row.bought_on,
        valid_until=row.valid_until,
    )


def _is_own(grounds: Grounds) -> bool:
    return grounds.is_self or grounds.is_guardian


def _day(intake: Intake, name: str, today: date, *, latest: date | None = None) -> date | None:
    """A day within some years of today; a slip of the pen is refused."""
    found = intake.day(name)
    if found is None:
        return None
    if latest is not None and found > latest:
        intake.refuse(name, "This lies ahead.")
    elif abs(found - today) > FURTHEST:
        intake.refuse(name, "This is too far from today.")
    return found


def _money(intake: Intake, name: str, most: Decimal) -> Decimal | None:
    amount = intake.decimal(name)
    if amount is None:
        return None
    if not 0 <= amount <= most or amount != amount.quantize(Decimal("0.01")):
        intake.refuse(name, "Enter an amount in dollars and cents, like 45.50.")
        return None
    return amount
