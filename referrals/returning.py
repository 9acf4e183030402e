"""What came back: how an episode relates to the earlier one, as its therapist says."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clients.licensing import local_day
from handoff.core import audit
from handoff.core.actors import Actor
from handoff.core.errors import Invalid
from referrals import access, recurrence
from referrals.care import require_running, require_treating
from referrals.intake import Intake
from referrals.models import DischargeNote, Episode
from referrals.vocabulary import ClearanceLevel, RecurrenceKind

FIELDS: Final = ("kind", "full_return_on")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the dates say, and which dates those are."""

    kind: RecurrenceKind
    returned_on: date | None
    """Back to everything: as entered, else the discharge that cleared the client fully."""
    again_on: date
    """When it began again: as entered, else the first visit."""


def proposal(episode: Episode) -> Proposal | None:
    """What the dates propose for an episode; None where it names no earlier one.

    For the treating side: whoever shows it has fetched the episode for somebody.
    """
    earlier = episode.recurrence_of
    if earlier is None:
        return None
    returned = episode.full_return_on or _cleared_fully(earlier)
    again = episode.onset_on or episode.started_on
    if again < earlier.started_on:
        # The client told of the first beginning; what is new began with the first visit here.
        again = episode.started_on
    return Proposal(recurrence.proposed(returned_on=returned, again_on=again), returned, again)


def label(
    *,
    actor: Actor,
    episode_id: UUID,
    kind: object,
    full_return_on: object = None,
    at: datetime | None = None,
) -> Episode:
    """Say how this episode relates to the earlier one. Only the treating therapist, while it runs.

    Raises NotVisible, NotAllowed, Stale once it has ended, Invalid by field: without an earlier
    episode, for a recurrence before the return, for an exacerbation after one.
    """
    at = at or timezone.now()
    intake = Intake({"kind": kind, "full_return_on": full_return_on}, FIELDS)
    with transaction.atomic():
        episode = access.episode_for(actor, episode_id, lock=True)
        require_treating(actor, episode)
        require_running(episode)
        if episode.recurrence_of_id is None:
            raise Invalid("Name the earlier episode first.")
        chosen = intake.choice("kind", RecurrenceKind)
        returned = intake.day("full_return_on")
        if chosen is None:
            intake.refuse_all({"kind": ["Choose what fits best."]})
        elif chosen is RecurrenceKind.EXACERBATION and returned is not None:
            text = "Leave it empty: before full return it is no recurrence."
            intake.refuse_all({"full_return_on": [text]})
        if returned is not None and returned > local_day(episode.pt, at):
            intake.refuse_all({"full_return_on": ["This cannot be in the future."]})
        elif returned is not None and returned < episode.client.birth_date:
            intake.refuse_all({"full_return_on": ["This is before the client was born."]})
        intake.raise_if_wrong()
        episode.recurrence_kind, episode.full_return_on = chosen or "", returned
        episode.save(update_fields=["recurrence_kind", "full_return_on"])
        audit.record(actor, "episode.labelled", episode, at=at)
    return episode


def _cleared_fully(earlier: Episode) -> date | None:
    """The discharge that cleared the client for everything, if the earlier episode had one."""
    return (
        DischargeNote.objects.filter(
            episode=earlier, signed_at__isnull=False, clearance=ClearanceLevel.CLEARED_FULL
        )
        .values_list("discharge_on", flat=True)
        .first()
    )
