"""The trainer's side: read, acknowledge, ask. Nothing here changes a restriction (R8)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clients import consent
from clients.licensing import local_day
from clients.scopes import Scope
from handoff.core import audit
from handoff.core.actors import Actor, Role
from handoff.core.errors import NotAllowed, NotVisible, Stale
from referrals import access, reminders
from referrals.intake import Intake
from referrals.models import (
    Acknowledgement,
    Episode,
    Referral,
    ReferralMessage,
    Restriction,
    RestrictionVersion,
)
from referrals.restrictions.versions import current_versions, newest
from referrals.states import OPEN, RECIPIENT_MAY_READ

MOST_MESSAGE: Final = 2000
_FOR_TRAINERS: Final = "Only a trainer with whom it is shared can do this."


def acknowledge(
    *, actor: Actor, restriction_id: UUID, version: int, at: datetime | None = None
) -> Acknowledgement:
    """The trainer has read this version. A second time is the same acknowledgement.

    Raises NotVisible, NotAllowed for anybody but the trainer it is shared with, Stale when
    another version rules by now.
    """
    at = at or timezone.now()
    with transaction.atomic():
        restriction = access.restriction_for(actor, restriction_id, lock=True, at=at)
        current = newest(restriction)
        if current is None:
            raise NotVisible
        trainer = _trainer_of(actor)
        episode = restriction.episode
        if episode.pt_id not in _disclosers(episode.client_id, trainer, at):
            raise NotAllowed(_FOR_TRAINERS)
        if current.number != version:
            raise Stale("This limit has changed. Read it again.")
        found, is_new = Acknowledgement.objects.get_or_create(
            version=current, professional_id=trainer, defaults={"acknowledged_at": at}
        )
        if is_new:
            _tell_reminders(episode.client_id, trainer, at)
            audit.record(
                actor,
                "restriction.acknowledged",
                restriction,
                at=at,
                facts={"version": current.number},
            )
    return found


def acknowledge_all(
    *,
    actor: Actor,
    client_id: UUID,
    versions: Mapping[UUID, int] | None = None,
    at: datetime | None = None,
) -> list[Acknowledgement]:
    """The trainer has read every limit of this client that is in force.

    `versions`, restriction id to version number, is what the page showed. Raises NotVisible,
    NotAllowed for anybody but a trainer with whom restrictions are shared, Stale when something
    else than `versions` is in force by now.
    """
    at = at or timezone.now()
    with transaction.atomic():
        client = access.client_for(actor, client_id, at=at)
        trainer = _trainer_of(actor)
        disclosers = _disclosers(client.pk, trainer, at)
        if not disclosers:
            raise NotAllowed(_FOR_TRAINERS)
        heads = Restriction.objects.select_for_update(no_key=True).filter(
            episode__client=client, episode__pt_id__in=disclosers
        )
        episodes = {each.episode_id for each in heads.order_by("pk")}
        current = list(current_versions(episodes))
        in_force = {each.restriction_id: each.number for each in current}
        if versions is not None and dict(versions) != in_force:
            raise Stale("The limits have changed. Read them again.")
        known = Acknowledgement.objects.filter(version__in=current, professional_id=trainer)
        acknowledged = {each.version_id: each for each in known}
        fresh = Acknowledgement.objects.bulk_create(
            Acknowledgement(version=each, professional_id=trainer, acknowledged_at=at)
            for each in current
            if each.pk not in acknowledged
        )
        if fresh:
            _tell_reminders(client.pk, trainer, at)
            audit.record(
                actor, "restriction.acknowledged_all", client, at=at, facts={"count": len(fresh)}
            )
    acknowledged.update({each.version_id: each for each in fresh})
    return [acknowledged[each.pk] for each in current]


def request_lift(
    *, actor: Actor, restriction_id: UUID, text: str, at: datetime | None = None
) -> ReferralMessage:
    """The trainer asks the therapist to lift or explain a limit. It stays in force (R8).

    The question goes into the thread of the referral that connects the two; which limit it is
    about is named by its date, so the thread holds no more than the trainer wrote. Raises
    NotVisible, NotAllowed for anybody but the trainer it is shared with, Stale when it is lifted
    already, Invalid for an empty or too long text.
    """
    at = at or timezone.now()
    with transaction.atomic():
        restriction = access.restriction_for(actor, restriction_id, at=at)
        current = newest(restriction)
        if current is None:
            raise NotVisible
        trainer = _trainer_of(actor)
        episode = restriction.episode
        if episode.pt_id not in _disclosers(episode.client_id, trainer, at):
            raise NotAllowed(_FOR_TRAINERS)
        if current.status == RestrictionVersion.Status.LIFTED:
            raise Stale("This limit is lifted already.")
        message = ReferralMessage.objects.create(
            referral=_referral_between(episode, trainer),
            author_id=trainer,
            text=_question(current, text),
            sent_at=at,
        )
        audit.record(
            actor,
            "restriction.lift_requested",
            restriction,
            at=at,
            facts={"version": current.number, "message": str(message.pk)},
        )
    return message


def _trainer_of(actor: Actor) -> UUID:
    trainer = actor.professional_id(Role.TRAINER)
    if trainer is None:
        raise NotAllowed(_FOR_TRAINERS)
    return trainer


def _disclosers(client_id: UUID, trainer: UUID, at: datetime) -> frozenset[UUID]:
    """The therapists whose restrictions the client shares with this trainer now, under a
    referral the trainer accepted."""
    sent = Referral.objects.filter(
        client_id=client_id, recipient_id=trainer, state__in=list(RECIPIENT_MAY_READ)
    ).values_list("sender_id", flat=True)
    live = consent.live(
        client_id=client_id, at=at, recipient_ids=[trainer], discloser_ids=set(sent)
    )
    return frozenset(each.discloser_id for each in live if Scope.RESTRICTIONS in each.classes)


def _referral_between(episode: Episode, trainer: UUID) -> Referral:
    """The referral whose thread connects the two, an open one first. There is one: without it
    nothing would be shared."""
    rows = Referral.objects.filter(
        client_id=episode.client_id,
        sender_id=episode.pt_id,
        recipient_id=trainer,
        state__in=list(RECIPIENT_MAY_READ),
    )
    return max(rows, key=lambda each: (each.state in OPEN, each.state_at))


def _tell_reminders(client_id: UUID, trainer: UUID, at: datetime) -> None:
    referrals = Referral.objects.filter(
        client_id=client_id, recipient_id=trainer, state__in=list(RECIPIENT_MAY_READ)
    )
    reminders.acknowledged(list(referrals.values_list("pk", flat=True)), at=at)


def _question(version: RestrictionVersion, text: str) -> str:
    day = local_day(version.restriction.episode.pt, version.signed_at or version.set_at)
    opening = f"About the limit set on {day.day} {day:%b %Y} (version {version.number}): "
    intake = Intake({"text": text}, ("text",))
    written = intake.text("text", most=MOST_MESSAGE - len(opening), lines=True).strip()
    if not written:
        intake.refuse_all({"text": ["Say what you ask for, and why."]})
    intake.raise_if_wrong()
    return opening + written
