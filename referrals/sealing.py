"""What a therapist's signature under a discharge note covers, and its fingerprint.

Covered is all that is shown as the note: its own fields, the goals, the condition as the episode
has it, the scores, and the restriction versions signed with it. The fingerprint is SHA-256 over
one canonical text of all that, so anybody with read access can work it out again.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Model

from handoff.core.audit import AuditEntry
from handoff.core.ledger import BATCH, Flaw
from referrals.models import (
    DischargeNote,
    Episode,
    Goal,
    Measurement,
    RestrictionVersion,
)

FORMAT: Final = 1
"""Number of the lists below. A new column starts a new format; old notes keep theirs."""

NOTE: Final = (
    *("id", "episode_id", "discharge_type", "discharge_on", "reason", "diagnosis", "course"),
    *("first_visit_on", "last_visit_on", "visits_completed", "pain_now", "pain_worst"),
    *("pain_best", "range_of_motion", "strength", "functional_level", "response"),
    *("measures_missing_reason", "home_programme", "no_home_programme", "equipment"),
    *("follow_up", "trainer_referral", "clearance", "restrictions_decision", "flare_up_plan"),
    *("return_criteria", "future_contact", "signed_at", "signed_by_id", "signer_name"),
    *("signer_credential", "licence_state", "licence_number"),
)
# Not the client: when one person's two records become one, the episode moves to the one kept.
EPISODE: Final = (
    *("id", "pt_id", "condition", "icd10_code", "body_region", "laterality"),
    *("onset_on", "mechanism", "surgery", "surgery_on", "started_on", "recurrence_of_id"),
)
GOAL: Final = ("position", "text", "outcome", "why_not")
MEASUREMENT: Final = ("id", "measure_id", "moment", "value", "side", "taken_on")
VERSION: Final = (
    *("id", "restriction_id", "number", "kind", "severity", "body_region", "laterality"),
    *("patterns", "joint_action", "comparator", "value", "value_high", "unit"),
    *("weight_bearing", "wording", "rationale", "instead", "criteria", "review_on"),
    *("earliest_lift_on", "authority", "authority_name", "authority_on"),
)


@dataclass(frozen=True, slots=True)
class Covered:
    """The rows behind one note, read at one moment."""

    note: DischargeNote
    episode: Episode
    goals: Sequence[Goal]
    measurements: Sequence[Measurement]
    versions: Sequence[RestrictionVersion]
    """Drafts of the episode while the note is one; the versions signed with it afterwards."""


def covered(note: DischargeNote) -> Covered:
    """Read what belongs to `note`, signed or not. Takes `note.episode` as loaded."""
    episode = note.episode
    if note.signed_at is None:
        versions = RestrictionVersion.objects.drafts_of(episode.pk)
    else:
        versions = RestrictionVersion.objects.signed_with(episode.pk, note.signed_at)
    return Covered(
        note=note,
        episode=episode,
        goals=list(Goal.objects.filter(note=note).order_by("position", "id")),
        measurements=list(
            Measurement.objects.filter(episode=episode).order_by("taken_on", "recorded_at", "id")
        ),
        versions=list(versions),
    )


def fingerprint(content: Covered) -> str:
    """SHA-256, in hex, over everything covered, the signature included once there is one."""
    text = json.dumps(
        {
            "format": FORMAT,
            "note": _plain(content.note, NOTE),
            "episode": _plain(content.episode, EPISODE),
            "goals": [_plain(row, GOAL) for row in content.goals],
            "measurements": [_plain(row, MEASUREMENT) for row in content.measurements],
            "restrictions": [_plain(row, VERSION) for row in content.versions],
        },
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode()).hexdigest()


def is_as_signed(note: DischargeNote) -> bool:
    """Whether what stands in the database is what was signed. False for a draft."""
    return note.is_signed and fingerprint(covered(note)) == note.content_hash


def broken_seal() -> Flaw | None:
    """The first signing in the audit ledger whose note is not there as it was signed."""
    signings = AuditEntry.objects.filter(verb="note.signed").order_by("number")
    for entry in signings.iterator(chunk_size=BATCH):
        note = DischargeNote.objects.select_related("episode").filter(pk=entry.object_id).first()
        if (
            note is None
            or note.content_hash != entry.facts.get("content_hash")
            or not is_as_signed(note)
        ):
            return Flaw("audit", entry.number, f"note {entry.object_id} is not as it was signed")
    return None


def _plain(row: Model, names: Iterable[str]) -> dict[str, Any]:
    return {name: _value(getattr(row, name)) for name in names}


def _value(value: Any) -> Any:
    match value:
        case None | bool() | int():
            return value
        case str():
            return str(value)
        case Decimal():
            return f"{value.normalize():f}"
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case list() | tuple():
            return [_value(each) for each in value]
        case dict():
            return {str(key): _value(each) for key, each in value.items()}
        case _:
            raise TypeError(f"no canonical text for {type(value).__name__}")
