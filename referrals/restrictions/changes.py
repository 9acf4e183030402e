"""Restrictions after the note is signed: every change is a new signed version.

Tighter or looser, it is always the treating therapist's act, with a reason and a licence valid at
that moment (R2). Nobody else changes one, and time never does.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clients.licensing import local_day
from handoff.core import audit
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import access, reminders, restriction_input
from referrals.care import account_of
from referrals.discharge import licence_of
from referrals.intake import Intake
from referrals.models import Episode, Restriction, RestrictionVersion
from referrals.restriction_input import Wanted
from referrals.restrictions.versions import MOST_PER_EPISODE, build, newest, wanted_of

Status = RestrictionVersion.Status

MOST_REASON: Final = 500


def add_signed(
    *,
    actor: Actor,
    episode_id: UUID,
    data: Mapping[str, object],
    reason: str,
    at: datetime | None = None,
) -> RestrictionVersion:
    """Set a restriction that the signed note did not have.

    The treating therapist, with a licence valid now. Raises NotVisible, NotAllowed with the
    reason, Stale while the note is a draft, Invalid.
    """
    at = at or timezone.now()
    with transaction.atomic():
        episode = access.episode_for(actor, episode_id, lock=True)
        licence_of(actor, episode, at)
        if episode.status != Episode.Status.FINISHED:
            raise Stale("The note is not signed yet. List the restriction there.")
        if Restriction.objects.filter(episode=episode).count() >= MOST_PER_EPISODE:
            raise Invalid(f"An episode holds at most {MOST_PER_EPISODE} restrictions.")
        wanted, why = _read_change(data, reason, episode, at)
        restriction = Restriction.objects.create(episode=episode, created_at=at)
        version = build(restriction, 1, wanted, account_of(actor), at)
        _sign(version, why, at)
        reminders.restrictions_changed([restriction.pk], at=at)
        audit.record(actor, "restriction.added", restriction, at=at, facts={"version": 1})
    return version


def revise(
    *,
    actor: Actor,
    restriction_id: UUID,
    data: Mapping[str, object],
    reason: str,
    version: int | None = None,
    at: datetime | None = None,
) -> RestrictionVersion:
    """Say it differently from now on: a new signed version; what `data` leaves out stays.

    Tighter, looser or with a later review: always the treating therapist's act, with a reason
    and a licence valid now (R2). `version` is the number the person saw. Raises NotVisible,
    NotAllowed with the reason, Stale when another version rules or it is lifted, Invalid.
    """
    at = at or timezone.now()
    with transaction.atomic():
        restriction, current = _current(actor, restriction_id, at, version)
        base = wanted_of(current)
        wanted, why = _read_change(data, reason, restriction.episode, at, base)
        if wanted == base:
            raise Invalid("Nothing is different from the version in force.")
        revised = build(restriction, current.number + 1, wanted, account_of(actor), at)
        _sign(revised, why, at)
        reminders.restrictions_changed([restriction.pk], at=at)
        audit.record(
            actor, "restriction.revised", restriction, at=at, facts={"version": revised.number}
        )
    return revised


def lift(
    *,
    actor: Actor,
    restriction_id: UUID,
    reason: str,
    version: int | None = None,
    at: datetime | None = None,
) -> RestrictionVersion:
    """End it: a new signed version that says "lifted". Only this ends a restriction.

    Needs what `revise` needs. Raises as `revise`; Invalid also before the earliest day that was
    set for lifting it.
    """
    at = at or timezone.now()
    with transaction.atomic():
        restriction, current = _current(actor, restriction_id, at, version)
        why = _reason(reason)
        earliest = current.earliest_lift_on
        if earliest is not None and earliest > local_day(restriction.episode.pt, at):
            raise Invalid(
                {"": ["The earliest day to lift it has not come. Revise that day first."]}
            )
        lifted = build(restriction, current.number + 1, wanted_of(current), account_of(actor), at)
        lifted.status = Status.LIFTED
        _sign(lifted, why, at)
        reminders.restrictions_changed([restriction.pk], at=at)
        audit.record(
            actor, "restriction.lifted", restriction, at=at, facts={"version": lifted.number}
        )
    return lifted


def _current(
    actor: Actor, restriction_id: UUID, at: datetime, seen: int | None
) -> tuple[Restriction, RestrictionVersion]:
    """A restriction, locked, and the version in force, for the therapist who may change it.

    Raises NotVisible, NotAllowed with the reason, Stale.
    """
    restriction = access.restriction_for(actor, restriction_id, lock=True, at=at)
    current = newest(restriction)
    treating = restriction.episode.pt_id in access.treating_ids(actor)
    if not treating:
        if current is None:  # a draft is nobody else's business
            raise NotVisible
        raise NotAllowed(
            "Only the treating physical therapist can change this. You can ask them to."
        )
    licence_of(actor, restriction.episode, at)
    if current is None:
        raise Stale("This is not signed yet. Change the draft.")
    if current.status == Status.LIFTED:
        raise Stale("This limit is lifted. Set a new one if it is needed again.")
    if seen is not None and current.number != seen:
        raise Stale
    return restriction, current


def _sign(version: RestrictionVersion, reason: str, at: datetime) -> None:
    version.change_reason = reason
    version.signed_at = at
    version.save(force_insert=True)


def _reason(reason: object) -> str:
    intake = Intake({"reason": reason}, ("reason",))
    text = intake.text("reason", most=MOST_REASON).strip()
    if not text:
        intake.refuse_all({"reason": ["Say why it changes."]})
    intake.raise_if_wrong()
    return text


def _read_change(
    data: Mapping[str, object],
    reason: str,
    episode: Episode,
    at: datetime,
    base: Wanted | None = None,
) -> tuple[Wanted, str]:
    """What a signed change should say and why. Raises Invalid with all complaints at once."""
    today = local_day(episode.pt, at)
    found = restriction_input.findings(data, today=today, base=base)
    try:
        why = _reason(reason)
    except Invalid as wrong:
        raise Invalid({**found.errors, **wrong.errors}) from None
    return restriction_input.read(data, today=today, base=base), why
