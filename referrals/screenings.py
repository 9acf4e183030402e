"""Results of "Who should I see first?" that somebody keeps: saved by a separate act, read by the
client's side alone, void as soon as they say that their health has changed.

Answers are not kept. Results leave through the disclosure door as part of `history`; no notice that
a client has agreed to names them, so no consent covers one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from clients import access as people
from clients.models import Client
from clients.scopes import Scope
from handoff.core import audit, subjects
from handoff.core.actors import Actor
from handoff.core.errors import NotVisible, Stale
from referrals import disclosure, triage
from referrals.models import Screening
from referrals.permits import Permit
from referrals.triage import Level, Reason


@dataclass(frozen=True, slots=True)
class ScreeningView:
    """A kept result, with its reasons in the words of today."""

    id: UUID
    client_id: UUID
    level: Level
    title: str
    reasons: tuple[Reason, ...]
    rules_version: int
    taken_at: datetime
    taken_on: date
    valid_until: date
    voided_at: datetime | None
    is_valid: bool
    """Neither over nor void, on the client's day."""


def save(
    *,
    actor: Actor,
    client_id: UUID,
    answers: Mapping[str, object],
    at: datetime | None = None,
) -> Screening:
    """Keep the result of these answers, for oneself or a minor one acts for; not the answers.

    Raises NotVisible for anybody else, Stale once the client's data was erased.
    """
    at = at or timezone.now()
    if actor.user_id is None:
        raise NotVisible
    advice = triage.advise(answers)
    with subjects.of(client_id), transaction.atomic():
        client = _locked(actor, client_id, at)
        people.require_kept(client)
        day = _today(client, at)
        row = Screening.objects.create(
            client=client,
            level=advice.level.value,
            reasons=list(advice.codes),
            rules_version=advice.version,
            taken_at=at,
            taken_on=day,
            valid_until=triage.valid_until(advice.level, day),
            saved_by_id=actor.user_id,
        )
        audit.record(actor, "screening.saved", row, at=at)
    return row


def void(*, actor: Actor, screening_id: UUID, at: datetime | None = None) -> Screening:
    """Health has changed: the result says nothing any more. It stays in the list.

    Raises NotVisible for whoever may not read it, Stale when it is void already.
    """
    at = at or timezone.now()
    client_id = _client_of(actor, screening_id, at)
    with subjects.of(client_id), transaction.atomic():
        _locked(actor, client_id, at)
        row = _row(screening_id)
        if row.voided_at is not None:
            raise Stale
        row.voided_at = at
        row.save(update_fields=["voided_at"])
        audit.record(actor, "screening.voided", row, at=at)
    return row


def remove(*, actor: Actor, screening_id: UUID, at: datetime | None = None) -> UUID:
    """Delete a result; whose it was. Raises NotVisible for whoever may not read it."""
    at = at or timezone.now()
    client_id = _client_of(actor, screening_id, at)
    with subjects.of(client_id), transaction.atomic():
        _locked(actor, client_id, at)
        row = _row(screening_id)
        audit.record(actor, "screening.removed", row, at=at)
        row.delete()
    return client_id


def screenings(
    *, actor: Actor, client_id: UUID, at: datetime | None = None
) -> tuple[ScreeningView, ...]:
    """The kept results of a client, newest first; one access entry.

    Raises NotVisible for everybody but the client's side, with that try entered.
    """
    client = Client.objects.filter(pk=client_id, merged_into__isnull=True).first()
    if client is None:
        raise NotVisible

    def read(_allowed: Permit, moment: datetime) -> tuple[ScreeningView, ...]:
        today = _today(client, moment)
        return tuple(_view(row, today) for row in Screening.objects.filter(client=client))

    return disclosure.disclose_one(
        actor=actor,
        client=client,
        scope=Scope.HISTORY,
        source_id=None,
        purpose="screenings",
        read=read,
        only_if=lambda grounds: grounds.is_self or grounds.is_guardian,
        at=at,
    )


def _client_of(actor: Actor, screening_id: UUID, at: datetime) -> UUID:
    """Whose it is, among those the actor is or acts for. Raises NotVisible."""
    own = [client.pk for client in people.own_clients(actor, at)]
    with subjects.among(own):
        found = Screening.objects.filter(pk=screening_id, client__in=own)
        client_id = found.values_list("client_id", flat=True).first()
    if client_id is None:
        raise NotVisible
    return client_id


def _locked(actor: Actor, client_id: UUID, at: datetime) -> Client:
    """The client, held: nobody else joins or erases the record meanwhile. Raises NotVisible."""
    client = Client.objects.select_for_update(no_key=True).filter(pk=client_id).first()
    if client is None or not people.is_own(actor, client, at):
        raise NotVisible
    return client


def _row(screening_id: UUID) -> Screening:
    row = Screening.objects.select_for_update(no_key=True).filter(pk=screening_id).first()
    if row is None:
        raise NotVisible
    return row


def _today(client: Client, at: datetime) -> date:
    return at.astimezone(ZoneInfo(client.time_zone)).date()


def _view(row: Screening, today: date) -> ScreeningView:
    level = Level(row.level)
    reasons = (triage.reason_of(code, level) for code in row.reasons)
    return ScreeningView(
        id=row.pk,
        client_id=row.client_id,
        level=level,
        title=triage.WAYS[level].title,
        reasons=tuple(reason for reason in reasons if reason is not None),
        rules_version=row.rules_version,
        taken_at=row.taken_at,
        taken_on=row.taken_on,
        valid_until=row.valid_until,
        voided_at=row.voided_at,
        is_valid=row.voided_at is None and today <= row.valid_until,
    )
