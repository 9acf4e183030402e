"""A limit that is not signed yet, in the words and the layout the trainer will read it in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from referrals import restriction_input, wording
from referrals.packets import DraftRestrictionView
from referrals.restriction_input import FIELDS
from referrals.vocabulary import parts_of


@dataclass(frozen=True, slots=True)
class LimitPreview:
    """What `record/_limit.html` shows of a restriction, for one that nobody signed yet."""

    severity: str
    sentence: str
    headline: str
    value: Decimal | None
    plate: str
    plate_caption: str
    wording: str
    instead: str
    lifts_when: str
    review_overdue: bool
    review_sentence: str
    earliest_sentence: str
    authority_name: str
    set_by: str
    set_on: date
    map_regions: tuple[str, ...]
    rationale: str = ""
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    restriction_id: UUID | None = None
    version_id: UUID | None = None
    version: int = 1
    acknowledged_at: datetime | None = None
    fields_with_warnings: Mapping[str, list[str]] = field(default_factory=dict)


def preview(
    data: Mapping[str, object],
    *,
    pt: str,
    today: date,
    draft: DraftRestrictionView | None = None,
    version: int = 1,
) -> LimitPreview | None:
    """How `data` will read as far as it goes; None while kind, strictness or place are open."""
    wanted, found = restriction_input.look(data, today=today)
    if wanted is None:
        return None
    spec = wanted.spec
    return LimitPreview(
        severity=spec.severity,
        sentence=wording.sentence(spec),
        headline=wording.headline(spec),
        value=spec.value,
        plate=wording.plate_text(spec),
        plate_caption=wording.plate_caption(spec),
        wording=spec.wording,
        instead=spec.instead,
        lifts_when=wording.lifts_when(spec, pt=pt),
        review_overdue=False,
        review_sentence=wording.review_line(spec.review_on, today),
        earliest_sentence=wording.earliest_line(spec, today),
        authority_name=spec.authority_name,
        set_by=pt,
        set_on=today,
        map_regions=parts_of(spec.body_region, spec.laterality),
        rationale=wanted.rationale,
        errors=tuple(text for texts in found.errors.values() for text in texts),
        warnings=tuple(text for texts in found.warnings.values() for text in texts),
        restriction_id=draft.restriction_id if draft else None,
        version_id=draft.version_id if draft else None,
        version=version,
        fields_with_warnings=found.warnings,
    )


def preview_of(draft: DraftRestrictionView, *, pt: str, at: datetime) -> LimitPreview | None:
    """A listed restriction as it will read once it is signed."""
    values = {name: value for name, value in draft.values if name in FIELDS}
    return preview(values, pt=pt, today=timezone.localdate(at), draft=draft)


def marks_of(limits: list[LimitPreview]) -> list[tuple[str, str]]:
    """(drawn site, severity) of every limit, for the figure."""
    return [(site, limit.severity) for limit in limits for site in limit.map_regions]
