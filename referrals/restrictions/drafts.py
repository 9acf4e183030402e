"""Restrictions before the note is signed: they hold for nobody yet and change freely."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clients.licensing import local_day
from handoff.core import audit
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotVisible, Stale
from referrals import access, restriction_input
from referrals.care import account_of, require_running
from referrals.models import Episode, Restriction, RestrictionVersion
from referrals.restriction_input import Wanted
from referrals.restrictions.versions import MOST_PER_EPISODE, build, wanted_of


def add_draft(
    *, actor: Actor, episode_id: UUID, data: Mapping[str, object], at: datetime | None = None
) -> RestrictionVersion:
    """List one more restriction; it holds once the note is signed.

    For the treating therapist and assistants. Raises NotVisible, NotAllowed or Stale when the
    episode is not running, Invalid with every field named.
    """
    at = at or timezone.now()
    with transaction.atomic():
        episode = require_running(access.episode_for(actor, episode_id, lock=True))
        if Restriction.objects.filter(episode=episode).count() >= MOST_PER_EPISODE:
            raise Invalid(f"An episode holds at most {MOST_PER_EPISODE} restrictions.")
        wanted = restriction_input.read(data, today=local_day(episode.pt, at))
        restriction = Restriction.objects.create(episode=episode, created_at=at)
        version = build(restriction, 1, wanted, account_of(actor), at)
        version.save(force_insert=True)
        audit.record(actor, "restriction.drafted", version, at=at)
    return version


def add_drafts(
    *,
    actor: Actor,
    episode_id: UUID,
    items: Sequence[Mapping[str, object]],
    at: datetime | None = None,
) -> list[RestrictionVersion]:
    """List several more, in this order, or none of them when one cannot be kept.

    Raises as `add_draft`; complaints are at "restrictions-0-review_on" and so on.
    """
    at = at or timezone.now()
    with transaction.atomic():
        episode = require_running(access.episode_for(actor, episode_id, lock=True))
        if Restriction.objects.filter(episode=episode).count() + len(items) > MOST_PER_EPISODE:
            raise Invalid(f"An episode holds at most {MOST_PER_EPISODE} restrictions.")
        versions = _made(_read_all(items, episode, at), episode, account_of(actor), at)
        for version in versions:
            audit.record(actor, "restriction.drafted", version, at=at)
    return versions


def set_drafts(
    *,
    actor: Actor,
    episode_id: UUID,
    items: Sequence[Mapping[str, object]],
    at: datetime | None = None,
) -> list[RestrictionVersion]:
    """Make `items` the listed restrictions, in this order, in place of all drafts there were.

    As many statements for fifty as for one. Raises as `add_draft`; complaints are at
    "restrictions-0-review_on" and so on.
    """
    at = at or timezone.now()
    with transaction.atomic():
        episode = require_running(access.episode_for(actor, episode_id, lock=True))
        if len(items) > MOST_PER_EPISODE:
            raise Invalid(f"An episode holds at most {MOST_PER_EPISODE} restrictions.")
        wanted = _read_all(items, episode, at)
        old = RestrictionVersion.objects.drafts_of(episode.pk)
        heads = list(old.values_list("restriction_id", flat=True))
        old.order_by().delete()
        Restriction.objects.filter(pk__in=heads).delete()
        versions = _made(wanted, episode, account_of(actor), at)
        audit.record(
            actor, "restriction.drafts_set", episode, at=at, facts={"count": len(versions)}
        )
    return versions


def change_draft(
    *, actor: Actor, version_id: UUID, data: Mapping[str, object], at: datetime | None = None
) -> RestrictionVersion:
    """Change a listed restriction before the note is signed; what `data` leaves out stays.

    Raises NotVisible, Stale once it is signed, Invalid with every field named.
    """
    at = at or timezone.now()
    with transaction.atomic():
        version = _draft(actor, version_id)
        episode = version.restriction.episode
        wanted = restriction_input.read(
            data, today=local_day(episode.pt, at), base=wanted_of(version)
        )
        changed = build(version.restriction, 1, wanted, account_of(actor), at)
        changed.pk = version.pk
        changed.save(force_update=True)
        audit.record(actor, "restriction.draft_changed", changed, at=at)
    return changed


def remove_draft(*, actor: Actor, version_id: UUID, at: datetime | None = None) -> None:
    """Take a restriction off the list before the note is signed. Raises as `change_draft`."""
    at = at or timezone.now()
    with transaction.atomic():
        version = _draft(actor, version_id)
        removed = RestrictionVersion(pk=version.pk)
        restriction = version.restriction
        version.delete()
        restriction.delete()
        audit.record(actor, "restriction.draft_removed", removed, at=at)


def _draft(actor: Actor, version_id: UUID) -> RestrictionVersion:
    """An unsigned version, with its episode locked. Raises NotVisible, Stale."""
    rows = RestrictionVersion.objects.select_related("restriction")
    found = rows.filter(pk=version_id).first()
    if found is None:
        raise NotVisible
    episode = access.episode_for(actor, found.restriction.episode_id, lock=True)
    # Again under the lock: it may just have been signed or removed.
    version = rows.filter(pk=version_id, signed_at__isnull=True).first()
    if version is None:
        raise Stale
    require_running(episode)
    version.restriction.episode = episode
    return version


def _made(
    wanted: Sequence[Wanted], episode: Episode, author: UUID, at: datetime
) -> list[RestrictionVersion]:
    """The rows, as many statements for fifty as for one."""
    # A microsecond apart: their order is the order of the list.
    restrictions = Restriction.objects.bulk_create(
        Restriction(episode=episode, created_at=at + timedelta(microseconds=place))
        for place in range(len(wanted))
    )
    return RestrictionVersion.objects.bulk_create(
        build(restriction, 1, each, author, at)
        for restriction, each in zip(restrictions, wanted, strict=True)
    )


def _read_all(
    items: Sequence[Mapping[str, object]], episode: Episode, at: datetime
) -> list[Wanted]:
    today = local_day(episode.pt, at)
    wanted, errors = [], {}
    for place, data in enumerate(items):
        try:
            wanted.append(restriction_input.read(data, today=today))
        except Invalid as wrong:
            for name, texts in wrong.errors.items():
                errors[f"restrictions-{place}-{name}"] = texts
    if errors:
        raise Invalid(errors)
    return wanted
