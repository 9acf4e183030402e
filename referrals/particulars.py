"""Single things through the disclosure door: one episode, its scores, one note, one restriction.

Each is read by the steps of `referrals.disclosure`, which enters it in the access ledger under its
class. What is not signed yet is the treating side's alone. All of them raise NotVisible for
somebody who may not read that one thing, whether it exists or not. Where it exists, the try is
entered for the client it is about, also when row-level security would show them nothing: so the
thing is fetched as a row of its own client, and judged by the door.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Model, QuerySet

from clients.scopes import Scope
from handoff.core import subjects
from handoff.core.actors import Actor
from handoff.core.errors import NotVisible
from referrals import access, disclosure, gate_rules, readings, whose
from referrals.models import DischargeNote, Episode, Measurement, Restriction, RestrictionVersion
from referrals.packets import (
    AddendumView,
    DraftRestrictionView,
    GatesView,
    GoalView,
    RestrictionView,
)
from referrals.permits import Permit, Standpoint

Row = TypeVar("Row", bound=Model)
Part = TypeVar("Part")

_PEOPLE = ("client", "pt__user", "pt__practice")


@dataclass(frozen=True, slots=True)
class EpisodeView:
    """One episode as stored. `plan` is None for a recipient: visits are never shared with one."""

    id: UUID
    client_id: UUID
    pt_id: UUID
    pt_name: str
    status: str
    source: str
    condition: str
    icd10_code: str
    body_region: str
    laterality: str
    onset_on: date | None
    mechanism: str
    surgery: str
    surgery_on: date | None
    started_on: date
    ended_on: date | None
    plan: "PlanView | None"


@dataclass(frozen=True, slots=True)
class PlanView:
    """How the treatment goes; for the treating side and the client."""

    last_visit_on: date | None
    visits_completed: int
    planned_discharge_on: date | None
    recurrence_of: UUID | None
    recurrence_kind: str
    full_return_on: date | None


@dataclass(frozen=True, slots=True)
class ScoreView:
    """One value of one measure."""

    id: UUID
    episode_id: UUID
    measure: str
    name: str
    unit: str
    moment: str
    value: Decimal
    side: str
    taken_on: date


@dataclass(frozen=True, slots=True)
class SignatureView:
    signed_at: datetime
    name: str
    credential: str
    licence_state: str
    licence_number: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class NoteSheet:
    """A note as stored, draft or signed. `values` follows the order of the note."""

    id: UUID
    episode_id: UUID
    client_id: UUID
    revision: int
    saved_at: datetime
    values: tuple[tuple[str, object], ...]
    goals: tuple[GoalView, ...]
    rationales: tuple[tuple[UUID, str], ...]
    signature: SignatureView | None
    addenda: tuple[AddendumView, ...]


@dataclass(frozen=True, slots=True)
class ListedView:
    """A restriction listed for a note that is not signed."""

    draft: DraftRestrictionView
    client_id: UUID
    episode_id: UUID


@dataclass(frozen=True, slots=True)
class VersionView:
    """One signed version of a restriction. A recipient does not read the therapist's reason."""

    restriction: RestrictionView
    signed_at: datetime
    change_reason: str | None


def episode(*, actor: Actor, episode_id: UUID, at: datetime | None = None) -> EpisodeView:
    """One episode, under the class `history`."""
    row = _episode(episode_id)

    def read(allowed: Permit, _at: datetime) -> EpisodeView:
        sees_plan = allowed.everything or _treats(actor, row)
        return EpisodeView(
            id=row.pk,
            client_id=row.client_id,
            pt_id=row.pt_id,
            pt_name=row.pt.name,
            status=row.status,
            source=row.source,
            condition=row.condition,
            icd10_code=row.icd10_code,
            body_region=row.body_region,
            laterality=row.laterality,
            onset_on=row.onset_on,
            mechanism=row.mechanism,
            surgery=row.surgery,
            surgery_on=row.surgery_on,
            started_on=row.started_on,
            ended_on=row.ended_on,
            plan=PlanView(
                row.last_visit_on,
                row.visits_completed,
                row.planned_discharge_on,
                row.recurrence_of_id,
                row.recurrence_kind,
                row.full_return_on,
            )
            if sees_plan
            else None,
        )

    return _disclosed(actor, row, Scope.HISTORY, "episode", read, at)


def scores(*, actor: Actor, episode_id: UUID, at: datetime | None = None) -> tuple[ScoreView, ...]:
    """What was measured in one episode, newest first, under the class `outcomes`."""
    row = _episode(episode_id)
    return _disclosed(actor, row, Scope.OUTCOMES, "scores", partial(_scores, row.pk), at)


def gates(*, actor: Actor, episode_id: UUID, at: datetime | None = None) -> GatesView:
    """What is to be reached in one episode, and what was measured of it. Entered as the class
    `outcomes`; for the treating and the client's own side, whatever is shared."""
    row = _episode(episode_id)

    def read(_allowed: Permit, _at: datetime) -> GatesView:
        found = next(iter(readings.gates_of([row.pk])), None)
        return found or GatesView(row.pk, (), gate_rules.summary(()))

    stands = row.status != Episode.Status.ENTERED_IN_ERROR
    return disclosure.disclose_one(
        actor=actor,
        client=row.client,
        scope=Scope.OUTCOMES,
        source_id=row.pt_id,
        purpose="gates",
        read=read,
        only_if=lambda grounds: (
            row.pt_id in grounds.treats_as or (stands and (grounds.is_self or grounds.is_guardian))
        ),
        at=at,
    )


def note(*, actor: Actor, note_id: UUID, at: datetime | None = None) -> NoteSheet:
    """One discharge note, under the class `note`; a draft for the treating side only."""
    rows = DischargeNote.objects.select_related(
        "episode__client", "episode__pt__user", "episode__pt__practice"
    )
    clients = whose.clients_of_note(note_id)
    row = _found(rows.prefetch_related("goals", "addenda"), note_id, clients)
    return _disclosed(
        actor,
        row.episode,
        Scope.NOTE,
        "discharge note",
        partial(_note_sheet, row),
        at,
        is_signed=row.is_signed,
    )


def restriction(
    *, actor: Actor, restriction_id: UUID, at: datetime | None = None
) -> RestrictionView | ListedView:
    """One restriction as it rules now, lifted or not; unsigned, for the treating side only."""
    row = _restriction(restriction_id)

    def read(allowed: Permit, moment: datetime) -> RestrictionView | ListedView:
        newest = _versions(row).order_by("-number").first()
        if newest is None:
            draft = RestrictionVersion.objects.get(restriction=row, signed_at__isnull=True)
            today = moment.astimezone(ZoneInfo(row.episode.pt.practice.time_zone)).date()
            view = readings.draft_view(draft, today)
            return ListedView(view, row.episode.client_id, row.episode_id)
        readers = _readers(actor, allowed)
        return readings.restriction_views([newest], row.episode.client, readers, moment)[0]

    return _disclosed(
        actor, row.episode, Scope.RESTRICTIONS, "restriction", read, at, is_signed=_is_signed(row)
    )


def restriction_history(
    *, actor: Actor, restriction_id: UUID, at: datetime | None = None
) -> tuple[VersionView, ...]:
    """Every signed version of one restriction, newest first."""
    row = _restriction(restriction_id)

    def read(allowed: Permit, moment: datetime) -> tuple[VersionView, ...]:
        versions = list(_versions(row).order_by("-number"))
        readers = _readers(actor, allowed)
        views = {
            view.version_id: view
            for view in readings.restriction_views(versions, row.episode.client, readers, moment)
        }
        sees_reason = allowed.everything or _treats(actor, row.episode)
        return tuple(
            VersionView(
                restriction=views[each.pk],
                signed_at=each.signed_at or each.set_at,
                change_reason=each.change_reason if sees_reason else None,
            )
            for each in versions
        )

    purpose, is_signed = "restriction history", _is_signed(row)
    return _disclosed(
        actor, row.episode, Scope.RESTRICTIONS, purpose, read, at, is_signed=is_signed
    )


def drafts(*, actor: Actor, episode_id: UUID, at: datetime | None = None) -> tuple[ListedView, ...]:
    """Restrictions listed for a note that is not signed yet; for the treating side."""
    row = disclosure.treated(actor=actor, episode_id=episode_id, at=at)

    def read(_allowed: Permit, moment: datetime) -> tuple[ListedView, ...]:
        today = moment.astimezone(ZoneInfo(row.pt.practice.time_zone)).date()
        return tuple(
            ListedView(each, row.client_id, row.pk)
            for each in readings.draft_restrictions(row, today)
        )

    return _disclosed(actor, row, Scope.RESTRICTIONS, "restrictions", read, at)


def signed_restrictions(
    *, actor: Actor, episode_id: UUID, at: datetime | None = None
) -> tuple[RestrictionView, ...]:
    """All signed restrictions of one episode, lifted ones included."""
    row = _episode(episode_id)

    def read(allowed: Permit, moment: datetime) -> tuple[RestrictionView, ...]:
        return readings.all_restrictions(row, reader_ids=_readers(actor, allowed), at=moment)

    return _disclosed(actor, row, Scope.RESTRICTIONS, "restrictions", read, at)


# --- parts --------------------------------------------------------------------------------------


def _found(rows: QuerySet[Row], pk: UUID, clients: frozenset[UUID]) -> Row:
    """One row of `rows`, which is about one of `clients`, also for who will be refused it."""
    with subjects.among(clients):
        row = rows.filter(pk=pk).first()
    if row is None:
        raise NotVisible
    return row


def _episode(pk: UUID) -> Episode:
    clients = whose.clients_behind(episodes=[pk])
    return _found(Episode.objects.select_related(*_PEOPLE), pk, clients)


def _restriction(pk: UUID) -> Restriction:
    rows = Restriction.objects.select_related(
        "episode__client", "episode__pt__user", "episode__pt__practice"
    )
    return _found(rows, pk, whose.clients_behind(restrictions=[pk]))


def _is_signed(row: Restriction) -> bool:
    with subjects.of(row.episode.client_id):
        return RestrictionVersion.objects.filter(restriction=row, signed_at__isnull=False).exists()


def _disclosed(
    actor: Actor,
    episode: Episode,
    scope: Scope,
    purpose: str,
    read: Callable[[Permit, datetime], Part],
    at: datetime | None,
    *,
    is_signed: bool = True,
) -> Part:
    """One thing of an episode. What is not signed, and what should never have existed, is seen by
    its own side only."""
    is_shareable = is_signed and episode.status != Episode.Status.ENTERED_IN_ERROR
    return disclosure.disclose_one(
        actor=actor,
        client=episode.client,
        scope=scope,
        source_id=episode.pt_id,
        purpose=purpose,
        read=read,
        only_if=lambda grounds: is_shareable or episode.pt_id in grounds.treats_as,
        at=at,
    )


def _treats(actor: Actor, row: Episode) -> bool:
    return row.pt_id in access.treating_ids(actor)


def _readers(actor: Actor, allowed: Permit) -> frozenset[UUID]:
    """Whose acknowledgements count: a recipient's own; for all others anybody's."""
    is_recipient = allowed.standpoint is Standpoint.RECIPIENT
    return frozenset(actor.professional_ids) if is_recipient else frozenset()


def _versions(row: Restriction) -> QuerySet[RestrictionVersion]:
    return RestrictionVersion.objects.filter(
        restriction=row, signed_at__isnull=False
    ).select_related(
        "restriction__episode__pt__practice", "restriction__episode__pt__user", "set_by"
    )


def _scores(episode_id: UUID, _allowed: Permit, _at: datetime) -> tuple[ScoreView, ...]:
    rows = Measurement.objects.filter(episode_id=episode_id).select_related("measure")
    return tuple(
        ScoreView(
            id=row.pk,
            episode_id=row.episode_id,
            measure=row.measure_id,
            name=row.measure.name,
            unit=row.measure.unit,
            moment=row.moment,
            value=row.value,
            side=row.side,
            taken_on=row.taken_on,
        )
        for row in rows.order_by("-taken_on", "-recorded_at", "id")
    )


def _note_sheet(row: DischargeNote, _allowed: Permit, _at: datetime) -> NoteSheet:
    signature = None
    if row.signed_at is not None:
        signature = SignatureView(
            signed_at=row.signed_at,
            name=row.signer_name,
            credential=row.signer_credential,
            licence_state=row.licence_state,
            licence_number=row.licence_number,
            content_hash=row.content_hash,
        )
    return NoteSheet(
        id=row.pk,
        episode_id=row.episode_id,
        client_id=row.episode.client_id,
        revision=row.revision,
        saved_at=row.saved_at,
        values=tuple((name, getattr(row, name)) for name, _ in readings.NOTE_FIELDS),
        goals=readings.goals_of(row),
        rationales=readings.rationales_of([row.episode_id]).get(row.episode_id, ()),
        signature=signature,
        addenda=tuple(
            AddendumView(each.pk, each.text, each.signed_at, each.signer_name)
            for each in row.addenda.all()
        ),
    )
