"""Factories: each makes one valid row, without a trail. Scenarios below call the real verbs.

People are fictional. Every account's password is `PASSWORD`, its address is verified. Make rows
with `XFactory.create(...)`: that call is typed, calling the class is not.
"""

# factory_boy declares no types for its declarations.
# mypy: disallow-untyped-calls=False

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from allauth.account.models import EmailAddress
from factory.declarations import LazyFunction, SelfAttribute, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory, Password

from clients import consent as consents
from clients.access import actor_for
from clients.models import (
    Client,
    Consent,
    Credential,
    Guardianship,
    Practice,
    Professional,
    User,
)
from clients.scopes import SUGGESTED, Scope
from handoff.core.actors import Actor
from referrals.models import (
    DischargeNote,
    Episode,
    Goal,
    Referral,
    Restriction,
    RestrictionVersion,
)
from referrals.states import Kind, State
from referrals.vocabulary import (
    BodyRegion,
    ClearanceLevel,
    DischargeReason,
    DischargeType,
    GoalOutcome,
    Laterality,
    Pattern,
    RestrictionKind,
    Severity,
)

PASSWORD = "handoff-demo"
NOON = datetime(2027, 1, 13, 17, 0, tzinfo=UTC)
"""A Wednesday, noon in New York: a business day far from quiet hours and clock changes."""


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    email = Sequence(lambda n: f"person{n}@example.org")
    first_name = Sequence(lambda n: f"First{n}")
    last_name = Sequence(lambda n: f"Surname{n}")
    password = Password(PASSWORD)

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        user = cast(User, super()._create(model_class, *args, **kwargs))
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user


class PracticeFactory(DjangoModelFactory[Practice]):
    class Meta:
        model = Practice

    name = Sequence(lambda n: f"Practice {n}")
    kind = Practice.Kind.CLINIC
    city = "Springfield"
    state = "NY"
    phone = "555-0100"


class ProfessionalFactory(DjangoModelFactory[Professional]):
    """A physical therapist, without credentials; `trainer=True` a trainer in a gym."""

    class Meta:
        model = Professional

    class Params:
        trainer = Trait(
            role=Professional.Role.TRAINER,
            practice=SubFactory(PracticeFactory, kind=Practice.Kind.GYM),
        )

    user = SubFactory(UserFactory)
    role = Professional.Role.PT
    practice = SubFactory(PracticeFactory)
    phone = "555-0101"
    in_directory = True


class CredentialFactory(DjangoModelFactory[Credential]):
    """A New York licence, verified and valid for years around `NOON`."""

    class Meta:
        model = Credential

    class Params:
        unverified = Trait(verified_at=None, verified_by=None)

    user = SubFactory(UserFactory)
    kind = Credential.Kind.PT_LICENCE
    title = "DPT"
    issuer = "State board"
    number = Sequence(lambda n: f"L-{n:06d}")
    state = "NY"
    issued_on = date(2020, 1, 1)
    expires_on = date(2035, 12, 31)
    verified_at = datetime(2020, 2, 1, tzinfo=UTC)
    verified_by = SubFactory(UserFactory, is_staff=True)
    verified_where = "Public register"


class ClientFactory(DjangoModelFactory[Client]):
    """An adult with an account; `minor=True` is 15 at `NOON`, `user=None` has no account."""

    class Meta:
        model = Client

    class Params:
        minor = Trait(birth_date=date(2011, 6, 1))

    user = SubFactory(
        UserFactory,
        first_name=SelfAttribute("..first_name"),
        last_name=SelfAttribute("..last_name"),
        time_zone=SelfAttribute("..time_zone"),
    )
    first_name = Sequence(lambda n: f"Client{n}")
    last_name = Sequence(lambda n: f"Family{n}")
    birth_date = date(1990, 5, 4)
    state = "NY"
    time_zone = "America/New_York"


class GuardianshipFactory(DjangoModelFactory[Guardianship]):
    """A verified parent; `unverified=True` one whose authority nobody has checked."""

    class Meta:
        model = Guardianship

    class Params:
        unverified = Trait(verified_at=None, verified_by=None)

    client = SubFactory(ClientFactory, minor=True)
    user = SubFactory(UserFactory)
    relationship = Guardianship.Relationship.PARENT
    verified_at = datetime(2026, 1, 1, tzinfo=UTC)
    verified_by = SubFactory(UserFactory, is_staff=True)


class EpisodeFactory(DjangoModelFactory[Episode]):
    class Meta:
        model = Episode

    client = SubFactory(ClientFactory)
    pt = SubFactory(ProfessionalFactory)
    condition = "Rotator cuff tear, repaired"
    icd10_code = "M75.121"
    body_region = BodyRegion.SHOULDER
    laterality = Laterality.RIGHT
    onset_on = date(2026, 8, 1)
    started_on = date(2026, 9, 1)
    visits_completed = 12
    last_visit_on = date(2027, 1, 12)


class DischargeNoteFactory(DjangoModelFactory[DischargeNote]):
    """A draft in which nothing required is missing but the goals: see `signed_note`."""

    class Meta:
        model = DischargeNote

    episode = SubFactory(EpisodeFactory)
    author = SelfAttribute("episode.pt.user")
    discharge_type = DischargeType.FULL
    discharge_on = date(2027, 1, 12)
    reason = DischargeReason.GOALS_MET
    diagnosis = "Rotator cuff tear, repaired"
    course = "Strengthening in three phases."
    first_visit_on = date(2026, 9, 1)
    last_visit_on = date(2027, 1, 12)
    visits_completed = 12
    pain_now = 1
    pain_worst = 3
    pain_best = 0
    range_of_motion = "Full, end range stiff."
    strength = "Five of five."
    functional_level = "Lifts 10 kg to a shelf."
    response = "Good."
    home_programme = "Band rows, twice a week."
    follow_up = "Train with a trainer."
    trainer_referral = DischargeNote.TrainerReferral.YES
    clearance = ClearanceLevel.CLEARED_WITH_RESTRICTIONS
    restrictions_decision = DischargeNote.RestrictionsDecision.LISTED
    flare_up_plan = "Rest for two days, then half the load."
    return_criteria = "Come back if pain stays above four for a week."
    future_contact = "Call the clinic."


class RestrictionFactory(DjangoModelFactory[Restriction]):
    class Meta:
        model = Restriction

    episode = SubFactory(EpisodeFactory)


class RestrictionVersionFactory(DjangoModelFactory[RestrictionVersion]):
    """A signed version in force; `draft=True` one nobody signed yet."""

    class Meta:
        model = RestrictionVersion

    class Params:
        draft = Trait(signed_at=None)
        lifted = Trait(status=RestrictionVersion.Status.LIFTED, change_reason="Strong enough now.")

    restriction = SubFactory(RestrictionFactory)
    number = 1
    kind = RestrictionKind.AVOID
    severity = Severity.MUST_NOT
    body_region = BodyRegion.SHOULDER
    laterality = Laterality.RIGHT
    patterns = LazyFunction(lambda: [Pattern.PUSH_VERTICAL.value])
    wording = "No pressing overhead."
    instead = "Row instead."
    review_on = date(2027, 3, 1)
    set_at = SelfAttribute("signed_at")
    set_by = SelfAttribute("restriction.episode.pt.user")
    signed_at = NOON

    @classmethod
    def _create(cls, model_class: type[RestrictionVersion], *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("set_at") is None:
            kwargs["set_at"] = NOON
        return super()._create(model_class, *args, **kwargs)


class ReferralFactory(DjangoModelFactory[Referral]):
    """A draft handoff. Give `state` for a referral found further on, without its trail."""

    class Meta:
        model = Referral

    kind = Kind.DISCHARGE_HANDOFF
    client = SubFactory(ClientFactory)
    sender = SubFactory(ProfessionalFactory)
    recipient = SubFactory(ProfessionalFactory, trainer=True)
    state = State.DRAFT
    created_at = NOON
    state_at = NOON


# --- scenarios ----------------------------------------------------------------------------------


def acting(user: User | Professional | Client, at: datetime = NOON) -> Actor:
    """The actor behind an account, a professional or a client, with the roles held at `at`."""
    account = user if isinstance(user, User) else user.user
    return actor_for(account, at=at)


def licensed_pt(**fields: Any) -> Professional:
    """A therapist who may sign for clients in New York."""
    pt = ProfessionalFactory.create(**fields)
    CredentialFactory.create(user=pt.user)
    return pt


def certified_trainer(**fields: Any) -> Professional:
    """A trainer who may accept: certification and CPR/AED, both verified."""
    trainer = ProfessionalFactory.create(trainer=True, **fields)
    for kind in (Credential.Kind.TRAINER_CERTIFICATION, Credential.Kind.CPR_AED):
        CredentialFactory.create(
            user=trainer.user, kind=kind, title="CSCS", state="", issuer="NSCA"
        )
    return trainer


def signed_note(*, at: datetime = NOON, **fields: Any) -> DischargeNote:
    """A note with one goal, sealed as `referrals.discharge.sign` seals it, without its trail."""
    note = DischargeNoteFactory.create(**fields)
    Goal.objects.create(note=note, position=1, text="Swim 500 m", outcome=GoalOutcome.MET)
    note.signed_at = at
    note.signed_by = note.episode.pt.user
    note.signer_name = note.episode.pt.name
    note.signer_credential = "DPT"
    note.licence_state = "NY"
    note.licence_number = "L-1"
    note.content_hash = "0" * 64
    note.save()
    return note


def asked_consent(
    *,
    client: Client,
    discloser: Professional,
    recipient: Professional,
    classes: frozenset[Scope] = SUGGESTED,
    at: datetime = NOON,
) -> Consent:
    """The question, put by the discloser and not answered yet."""
    return consents.ask(
        actor=acting(discloser, at),
        client=client,
        discloser=discloser,
        recipient=recipient,
        purpose="So that your trainer can begin safely.",
        classes=classes,
        at=at,
    )


def granted_consent(
    *,
    client: Client,
    discloser: Professional,
    recipient: Professional,
    classes: frozenset[Scope] = SUGGESTED,
    days: int = 180,
    signer: User | None = None,
    at: datetime = NOON,
) -> Consent:
    """Asked and agreed to by the client, or by `signer`, a guardian."""
    asked = asked_consent(
        client=client, discloser=discloser, recipient=recipient, classes=classes, at=at
    )
    return consents.grant(
        actor=acting(signer or client, at),
        consent_id=asked.pk,
        classes=classes,
        expires_on=at.date() + timedelta(days=days),
        at=at,
    )
