"""A handoff carried on by the real verbs, and words to look at the reminders it caused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from clients.models import Client, Consent, Professional, User
from clients.scopes import SUGGESTED, Scope
from referrals import lifecycle, sharing
from referrals.models import Episode, Referral, Reminder, Restriction, RestrictionVersion
from referrals.restrictions import acknowledge_all
from tests.factories import (
    NOON,
    CredentialFactory,
    EpisodeFactory,
    RestrictionVersionFactory,
    UserFactory,
    acting,
    certified_trainer,
    licensed_pt,
    signed_note,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class Scene:
    """One client on the way from a therapist to a trainer."""

    pt: Professional
    trainer: Professional
    client: Client
    episode: Episode
    restriction: Restriction
    version: RestrictionVersion
    referral: Referral
    signer: User | None = None

    @property
    def consent(self) -> Consent:
        self.referral.refresh_from_db()
        assert self.referral.consent is not None
        return self.referral.consent

    def send(self, at: datetime = NOON) -> Scene:
        self.referral = lifecycle.send(actor=acting(self.pt, at), referral_id=self.pk, at=at)
        return self

    def grant(
        self,
        at: datetime = NOON,
        classes: frozenset[Scope] = SUGGESTED,
        expires_on: date = date(2027, 6, 1),
    ) -> Scene:
        sharing.grant(
            actor=acting(self.signer or self.client, at),
            consent_id=self.consent.pk,
            classes=classes,
            expires_on=expires_on,
            at=at,
        )
        return self

    def step_view(self, at: datetime = NOON) -> Scene:
        return self.step("view", self.trainer, at)

    def accept(self, at: datetime = NOON) -> Scene:
        return self.step("accept", self.trainer, at)

    def acknowledge(self, at: datetime = NOON) -> Scene:
        acknowledge_all(actor=acting(self.trainer, at), client_id=self.client.pk, at=at)
        return self

    def schedule(self, session: datetime, at: datetime = NOON) -> Scene:
        return self.step("schedule", self.trainer, at, first_session_at=session)

    def revoke(self, at: datetime = NOON) -> Scene:
        sharing.revoke(
            actor=acting(self.signer or self.client, at), consent_id=self.consent.pk, at=at
        )
        return self

    def step(
        self, verb: str, who: Professional | Client, at: datetime = NOON, **words: Any
    ) -> Scene:
        act = getattr(lifecycle, verb)
        self.referral = act(actor=acting(who, at), referral_id=self.pk, at=at, **words)
        return self

    @property
    def pk(self) -> Any:
        return self.referral.pk


def scene(
    *, pt: Professional | None = None, trainer: Professional | None = None, **fields: Any
) -> Scene:
    """A signed discharge with one restriction, and a draft to a trainer."""
    pt = pt or licensed_pt()
    trainer = trainer or certified_trainer()
    priority = fields.pop("priority", Referral.Priority.ROUTINE)
    review_on = fields.pop("review_on", date(2027, 3, 1))
    at = fields.pop("at", NOON)
    episode = EpisodeFactory.create(pt=pt, **fields)
    version = RestrictionVersionFactory.create(
        restriction__episode=episode, review_on=review_on, signed_at=at
    )
    signed_note(episode=episode, at=at)
    referral = lifecycle.draft(
        actor=acting(pt, at),
        client_id=episode.client_id,
        recipient_id=trainer.pk,
        episode_id=episode.pk,
        priority=priority,
        at=at,
    )
    return Scene(pt, trainer, episode.client, episode, version.restriction, version, referral)


def rows(rule: int, **filters: Any) -> list[Reminder]:
    """Reminders of one rule in the order in which they are due."""
    found = Reminder.objects.filter(rule=rule, **filters).select_related("recipient")
    return list(found.order_by("due_at", "occurrence_key", "id"))


def steps(rule: int, **filters: Any) -> list[tuple[str, str, datetime]]:
    """(audience, step, due) of the reminders of one rule, each once however many the people."""
    found = {
        (row.audience, row.occurrence_key.split(":")[-1], row.due_at)
        for row in rows(rule, **filters)
    }
    return sorted(found, key=lambda each: (each[2], each[0], each[1]))


WAITING = {"state__in": Reminder.WAITING}


def due_row(*, user: User | None = None, **fields: Any) -> Reminder:
    """A reminder that is due at `NOON` and has a reason: a credential about to end."""
    credential = CredentialFactory.create(
        **({"user": user} if user else {}), expires_on=date(2027, 2, 1), verified_by=_checker()
    )
    values: dict[str, Any] = {
        "rule_id": 19,
        "audience": Reminder.Audience.OWNER,
        "recipient": credential.user,
        "credential": credential,
        "occurrence_key": f"credential:{credential.pk}:expiry:-7d",
        "due_at": NOON,
        "useful_until": NOON + 3 * DAY,
        "zone": "America/New_York",
    }
    row: Reminder = Reminder.objects.create(**(values | fields))
    return row


def _checker() -> User:
    """One person checks all credentials: every further one would be a further admin."""
    found = User.objects.filter(email="checker@example.org").first()
    made: User = found or UserFactory.create(email="checker@example.org")
    return made
