"""How a professional is found: what they say of themselves in the directory, kept by themselves.

Standing is no part of it: that follows from papers somebody else has checked.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clients.languages import LANGUAGES, MOST_LANGUAGES
from clients.models import Professional
from clients.models.professional import MOST_PLACES
from clients.specialties import MOST_SPECIALTIES, SPECIALTIES
from handoff.core import audit
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotVisible

FIELDS: Final = frozenset(
    {
        *("specialties", "languages", "introduction"),
        *("in_directory", "accepts_referrals", "open_places"),
    }
)
MOST_WORDS: Final = 600
LISTED_ROLES: Final = (Professional.Role.PT, Professional.Role.TRAINER)
"""An assistant takes no clients of their own, so nobody looks for one."""


def own(actor: Actor) -> list[Professional]:
    """The professional rows of this person that can stand in the directory."""
    rows = Professional.objects.select_related("user", "practice").filter(
        pk__in=actor.professional_ids, role__in=LISTED_ROLES, left_at__isnull=True
    )
    return list(rows.order_by("role"))


def own_one(actor: Actor, professional_id: UUID) -> Professional:
    """One of them. Raises NotVisible for anybody else's."""
    found = next((each for each in own(actor) if each.pk == professional_id), None)
    if found is None:
        raise NotVisible
    return found


def change(
    *,
    actor: Actor,
    professional_id: UUID,
    values: Mapping[str, Any],
    at: datetime | None = None,
) -> Professional:
    """Say something else of oneself; what is not in `values` stays.

    Raises Invalid by field, naming unknown ones too, and NotVisible for somebody else's row.
    """
    at = at or timezone.now()
    own_one(actor, professional_id)
    unknown = sorted(set(values) - FIELDS)
    if unknown:
        raise Invalid({field: ["There is no such entry."] for field in unknown})
    tidy = tidied(values)
    with transaction.atomic():
        row = (
            Professional.objects.select_for_update(of=("self",), no_key=True)
            .select_related("user", "practice")
            .filter(pk=professional_id, left_at__isnull=True)
            .first()
        )
        if row is None:
            raise NotVisible
        for field, value in tidy.items():
            setattr(row, field, value)
        row.save(update_fields=list(tidy))
        audit.record(actor, "listing.changed", row, at=at)
    return row


def tidied(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are stored. Raises Invalid with a complaint at each that cannot be."""
    found = dict(values)
    errors: dict[str, list[str]] = {}
    for field, known, most in (
        ("specialties", SPECIALTIES, MOST_SPECIALTIES),
        ("languages", LANGUAGES, MOST_LANGUAGES),
    ):
        if field in values:
            found[field] = _in_order(values[field], known)
            if len(found[field]) > most:
                errors[field] = [f"Choose at most {most}."]
            elif set(values[field]) - set(known):
                errors[field] = ["Choose from the list."]
    if "introduction" in values:
        found["introduction"] = "\n".join(
            " ".join(line.split()) for line in str(values["introduction"]).strip().splitlines()
        )
        if len(found["introduction"]) > MOST_WORDS:
            errors["introduction"] = [f"Keep it under {MOST_WORDS} characters."]
    places = values.get("open_places")
    if places is not None and not 0 <= places <= MOST_PLACES:
        errors["open_places"] = [f"Enter a number from 0 to {MOST_PLACES}."]
    if errors:
        raise Invalid(errors)
    return found


def _in_order(chosen: Iterable[str], known: Mapping[str, str]) -> list[str]:
    """Each once, in the order of the list."""
    wanted = set(chosen)
    return [code for code in known if code in wanted]
