"""What the verbs share: a version built from what is wanted, and the one that rules."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from referrals import criteria
from referrals.models import Restriction, RestrictionVersion
from referrals.restriction_input import Wanted

MOST_PER_EPISODE: Final = 60


def current_versions(episodes: Collection[UUID]) -> QuerySet[RestrictionVersion]:
    """What is in force now under these episodes: the newest signed versions, lifted ones left
    out, strictest first."""
    return RestrictionVersion.objects.newest_signed(episodes).in_force()


def newest(restriction: Restriction) -> RestrictionVersion | None:
    """The newest signed version, lifted or not; None while there are drafts only."""
    return (
        RestrictionVersion.objects.filter(restriction=restriction, signed_at__isnull=False)
        .order_by("-number")
        .first()
    )


def wanted_of(version: RestrictionVersion) -> Wanted:
    """What a version says, as something to start a change from."""
    return Wanted(version.spec(), version.rationale)


def build(
    restriction: Restriction, number: int, wanted: Wanted, by: UUID, at: datetime
) -> RestrictionVersion:
    """An unsaved, unsigned version that says what is wanted."""
    spec = wanted.spec
    says: dict[str, Any] = {
        "kind": spec.kind,
        "severity": spec.severity,
        "body_region": spec.body_region,
        "laterality": spec.laterality,
        "patterns": list(spec.patterns),
        "joint_action": spec.joint_action or "",
        "comparator": spec.comparator or "",
        "value": spec.value,
        "value_high": spec.value_high,
        "unit": spec.unit or "",
        "weight_bearing": spec.weight_bearing or "",
        "wording": spec.wording,
        "instead": spec.instead,
        "rationale": wanted.rationale,
        "criteria": criteria.to_json(spec.criteria),
        "review_on": spec.review_on,
        "earliest_lift_on": spec.earliest_lift_on,
        "authority": spec.authority,
        "authority_name": spec.authority_name,
        "authority_on": spec.authority_on,
    }
    return RestrictionVersion(
        restriction=restriction, number=number, set_by_id=by, set_at=at, **says
    )
