"""Letters from doctors: handed in by the client's side or the treating side, for one therapist.

A letter belongs to the class `history` and leaves through the disclosure door like all of it, but
only to the client's side and to the therapist it was handed in for. No notice that a client has
agreed to names letters, so no consent covers one: a trainer reads none, whatever is shared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from clients import access as people
from clients.models import AccessEntry, Client, Professional
from clients.scopes import Scope
from handoff.core import audit, subjects
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from handoff.core.files.accepting import Accepted
from handoff.core.files.kinds import Kind
from handoff.core.files.storing import content_of, erase, store
from referrals import access, disclosure, whose
from referrals.models import Episode, Letter
from referrals.permits import Grounds, Permit

FIELDS: Final = ("pt", "kind", "author", "dated_on")
OLDEST: Final = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class LetterView:
    """What a letter is, without what is in it."""

    id: UUID
    client_id: UUID
    kind: str
    kind_label: str
    author: str
    dated_on: date
    pt_name: str
    added_as: str
    added_as_label: str
    added_at: datetime
    file_kind: str
    size: int
    is_mine: bool


@dataclass(frozen=True, slots=True)
class LetterFile:
    """The letter itself, as it is sent."""

    kind: Kind
    data: bytes


def therapists_for(
    *, actor: Actor, client_id: UUID, at: datetime | None = None
) -> list[Professional]:
    """Whom the actor may hand a letter of this client in for.

    For the client's side every therapist who treats or treated them here, for the treating side
    those on whose side it stands. Raises NotVisible for everybody else.
    """
    at = at or timezone.now()
    client = access.client_for(actor, client_id, at=at)
    rows = Episode.objects.filter(client=client).exclude(status=Episode.Status.ENTERED_IN_ERROR)
    if not _is_clients_side(actor, client, at):
        treating = access.grounds_for(actor, client, at).treats_as
        if not treating:
            raise NotVisible
        rows = rows.filter(pt_id__in=treating)
    return list(
        Professional.objects.filter(pk__in=rows.values("pt"))
        .select_related("user", "practice")
        .order_by("user__last_name", "user__first_name", "id")
    )


def hand_in(
    *,
    actor: Actor,
    client_id: UUID,
    values: Mapping[str, Any],
    letter: Accepted,
    at: datetime | None = None,
) -> Letter:
    """A letter for one therapist. Raises Invalid by field; NotVisible as `therapists_for`."""
    at = at or timezone.now()
    possible = therapists_for(actor=actor, client_id=client_id, at=at)
    complaints = complaints_about(values, possible, at)
    if complaints:
        raise Invalid(complaints)
    if actor.user_id is None:
        raise NotVisible
    with transaction.atomic():
        client = Client.objects.select_for_update(no_key=True).get(pk=client_id)
        if client.merged_into_id is not None:
            raise NotVisible
        file, key = store(letter, owner_id=actor.user_id, at=at)
        row = Letter.objects.create(
            client=client,
            pt_id=UUID(str(values["pt"])),
            kind=values["kind"],
            author=" ".join(str(values["author"]).split()),
            dated_on=values["dated_on"],
            file=file,
            key=key,
            added_by_id=actor.user_id,
            added_as=_added_as(actor, client, at),
            added_at=at,
        )
        audit.record(actor, "letter.handed_in", row, at=at)
    return row


def remove(*, actor: Actor, letter_id: UUID, at: datetime | None = None) -> Letter:
    """Destroy a letter that should not be here. Whoever handed it in does; nobody else.

    Raises NotVisible for whoever may not read it, NotAllowed for those who only read it, Stale
    when it is gone already.
    """
    at = at or timezone.now()
    found = _letter(letter_id)
    if not _reads(actor, found, at):
        raise NotVisible
    with transaction.atomic():
        row = Letter.objects.select_for_update(of=("self",), no_key=True).get(pk=found.pk)
        if row.added_by_id != actor.user_id:
            raise NotAllowed("Only the person who added a letter can remove it.")
        if row.removed_at is not None:
            raise Stale
        erase(row.file_id, at=at)
        row.key, row.removed_at = None, at
        row.save(update_fields=["key", "removed_at"])
        audit.record(actor, "letter.removed", row, at=at)
    return row


def letters(*, actor: Actor, client_id: UUID, at: datetime | None = None) -> tuple[LetterView, ...]:
    """What letters there are for this reader, newest first; one access entry.

    Raises NotVisible for whoever may read none, with that try entered.
    """
    client = Client.objects.filter(pk=client_id, merged_into__isnull=True).first()
    if client is None:
        raise NotVisible

    def read(allowed: Permit, moment: datetime) -> tuple[LetterView, ...]:
        rows = Letter.objects.filter(client=client, removed_at=None)
        if not allowed.everything:
            rows = rows.filter(pt_id__in=access.grounds_for(actor, client, moment).treats_as)
        return tuple(
            _view(row, actor)
            for row in rows.select_related("file", "pt__user").defer("key", "file__content")
        )

    return disclosure.disclose_one(
        actor=actor,
        client=client,
        scope=Scope.HISTORY,
        source_id=None,
        purpose="letters",
        read=read,
        only_if=lambda grounds: _is_own(grounds) or bool(grounds.treats_as),
        at=at,
    )


def letter_file(*, actor: Actor, letter_id: UUID, at: datetime | None = None) -> LetterFile:
    """One letter, to keep; entered as downloaded. Raises NotVisible as `letters`."""
    row = _letter(letter_id)

    def read(_allowed: Permit, _moment: datetime) -> LetterFile:
        now = Letter.objects.filter(pk=row.pk).values_list("key", flat=True).get()
        if now is None:
            raise NotVisible
        return LetterFile(Kind(row.file.kind), content_of(row.file_id, bytes(now)))

    return disclosure.disclose_one(
        actor=actor,
        client=row.client,
        scope=Scope.HISTORY,
        source_id=row.pt_id,
        purpose="letter",
        action=AccessEntry.Action.EXPORTED,
        read=read,
        only_if=lambda grounds: _is_own(grounds) or row.pt_id in grounds.treats_as,
        at=at,
    )


def complaints_about(
    values: Mapping[str, Any], possible: list[Professional], at: datetime
) -> dict[str, list[str]]:
    """What is wrong with a letter that somebody hands in, by field; empty when nothing is."""
    found: dict[str, list[str]] = {}
    chosen = next((each for each in possible if str(each.pk) == str(values.get("pt"))), None)
    if chosen is None:
        found["pt"] = ["Choose a therapist who treats this client."]
    if values.get("kind") not in Letter.Kind.values:
        found["kind"] = ["Choose what it is."]
    author = str(values.get("author") or "").strip()
    if not author:
        found["author"] = ["Say who wrote it."]
    elif len(author) > 120:
        found["author"] = ["Shorten this to 120 characters."]
    day = values.get("dated_on")
    zone = ZoneInfo(chosen.practice.time_zone) if chosen else ZoneInfo("UTC")
    if day is None:
        found["dated_on"] = ["Enter the date on the letter."]
    elif not OLDEST <= day <= at.astimezone(zone).date():
        found["dated_on"] = ["Enter a day in the past."]
    return found


def _letter(pk: UUID) -> Letter:
    with subjects.among(whose.clients_of_letter(pk)):  # also for who will be refused it
        row = (
            Letter.objects.select_related("client", "file")
            .defer("key", "file__content")
            .filter(pk=pk, removed_at=None, client__merged_into__isnull=True)
            .first()
        )
    if row is None:
        raise NotVisible
    return row


def _reads(actor: Actor, row: Letter, at: datetime) -> bool:
    return _is_clients_side(actor, row.client, at) or _treats(actor, row, at)


def _is_own(grounds: Grounds) -> bool:
    return grounds.is_self or grounds.is_guardian


def _treats(actor: Actor, row: Letter, at: datetime) -> bool:
    return row.pt_id in access.grounds_for(actor, row.client, at).treats_as


def _is_clients_side(actor: Actor, client: Client, at: datetime) -> bool:
    return any(each.pk == client.pk for each in people.own_clients(actor, at))


def _added_as(actor: Actor, client: Client, at: datetime) -> Letter.AddedAs:
    if client.user_id == actor.user_id:
        return Letter.AddedAs.CLIENT
    if _is_clients_side(actor, client, at):
        return Letter.AddedAs.GUARDIAN
    return Letter.AddedAs.TREATING


def _view(row: Letter, actor: Actor) -> LetterView:
    return LetterView(
        id=row.pk,
        client_id=row.client_id,
        kind=row.kind,
        kind_label=row.get_kind_display(),
        author=row.author,
        dated_on=row.dated_on,
        pt_name=row.pt.name,
        added_as=row.added_as,
        added_as_label=row.get_added_as_display(),
        added_at=row.added_at,
        file_kind=row.file.kind,
        size=row.file.size,
        is_mine=row.added_by_id == actor.user_id,
    )
