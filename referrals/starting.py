"""Beginning from a template: what a therapist ticked becomes drafts and gates, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clients.licensing import local_day
from handoff.core.actors import Actor
from handoff.core.errors import Invalid
from referrals import access, gates, restrictions, starting_points
from referrals.care import require_running
from referrals.models import Episode, Gate, RestrictionVersion
from referrals.starting_points import Offer, Wish


@dataclass(frozen=True, slots=True)
class Begun:
    """What was made of a template."""

    limits: tuple[RestrictionVersion, ...]
    gates: tuple[Gate, ...]


def look(*, actor: Actor, episode_id: UUID, wish: Wish, at: datetime | None = None) -> Offer:
    """What a template offers for this episode, with what is filled in so far. Keeps nothing.

    For the treating side. Raises NotVisible, NotAllowed or Stale when the episode is not running,
    Invalid for a template that does not exist.
    """
    episode = require_running(access.episode_for(actor, episode_id))
    return _offer(episode, wish, at or timezone.now())


def use(*, actor: Actor, episode_id: UUID, wish: Wish, at: datetime | None = None) -> Begun:
    """Keep what is ticked: limits as drafts, gates as gates; all of it or nothing.

    Limits for the treating therapist and assistants, gates for the therapist alone. Raises as
    `look`, NotAllowed for an assistant's gates, and Invalid with complaints at "limit-pain-value"
    and "gate-hop-value", or when nothing is ticked.
    """
    at = at or timezone.now()
    with transaction.atomic():
        episode = require_running(access.episode_for(actor, episode_id, lock=True))
        offer = _offer(episode, wish, at)
        limits = [each for each in offer.limits if each.key in wish.limits]
        wanted = [each for each in offer.gates if each.key in wish.gates]
        if not limits and not wanted:
            raise Invalid("Tick what should be added.")
        errors: dict[str, list[str]] = {}
        kept: list[RestrictionVersion] = []
        named: list[Gate] = []
        try:
            kept = restrictions.add_drafts(
                actor=actor, episode_id=episode_id, items=[each.data for each in limits], at=at
            )
        except Invalid as wrong:
            errors |= _named(wrong, "restrictions", "limit", [each.key for each in limits])
        try:
            if wanted:
                named = gates.add_gates(
                    actor=actor, episode_id=episode_id, items=[each.data for each in wanted], at=at
                )
        except Invalid as wrong:
            errors |= _named(wrong, "gates", "gate", [each.key for each in wanted])
        if errors:
            raise Invalid(errors)
    return Begun(tuple(kept), tuple(named))


def _offer(episode: Episode, wish: Wish, at: datetime) -> Offer:
    template = starting_points.chosen(wish.template)
    if template is None:
        raise Invalid({"template": ["Choose a template from the list."]})
    return starting_points.offer(
        template,
        laterality=episode.laterality,
        surgery_on=episode.surgery_on,
        today=local_day(episode.pt, at),
        filled=wish,
    )


def _named(wrong: Invalid, given: str, wanted: str, keys: list[str]) -> Mapping[str, list[str]]:
    """Complaints by place in the list, as complaints by key of what was proposed."""
    found = {}
    for name, texts in wrong.errors.items():
        head, _, rest = name.partition("-")
        place, _, field = rest.partition("-")
        at_one = head == given and place.isdecimal()
        found[f"{wanted}-{keys[int(place)]}-{field}" if at_one else name] = texts
    return found
