"""The only reader and writer of the consent ledger.

Whether something is shared is worked out at the moment of use from the newest event of the
consent, the dates, the authority of whoever signed and the accounts of both sides. No status is
stored, nothing is cached, and emptiness always means: nothing is shared.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from clients import guardians, scopes
from clients.guardians import Signer
from clients.models import (
    Client,
    Consent,
    ConsentEvent,
    Guardianship,
    Professional,
    User,
)
from clients.scopes import Scope
from handoff.core import journal, ledger
from handoff.core.actors import SYSTEM, Actor, Channel
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale

Kind = ConsentEvent.Kind
GIVING = (Kind.GRANTED, Kind.NARROWED)
"""The events after which something may be shared. After every other, and none, nothing is."""
NOTHING: frozenset[Scope] = frozenset()


class ConsentState(StrEnum):
    """Where a consent question stands at one moment."""

    REQUESTED = "requested"
    ACTIVE = "active"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    DECLINED = "declined"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that decides about a consent, read from the database in one go."""

    kind: str
    classes: frozenset[Scope]
    valid_from: datetime | None
    expires_at: datetime | None
    authority_stands: bool
    accounts_stand: bool


def evaluate(facts: Facts, at: datetime) -> tuple[ConsentState, frozenset[Scope]]:
    """Pure: the state of a consent at `at`, and the classes that are shared then.

    Classes are non-empty in state ACTIVE only. An event kind nobody knows shares nothing.
    """
    if facts.kind not in GIVING:
        return _UNSHARED.get(facts.kind, ConsentState.SUSPENDED), NOTHING
    if facts.expires_at is None or at >= facts.expires_at:
        return ConsentState.EXPIRED, NOTHING
    if facts.valid_from is None or at < facts.valid_from:
        return ConsentState.NOT_YET, NOTHING
    if not facts.authority_stands or not facts.accounts_stand:
        return ConsentState.SUSPENDED, NOTHING
    return ConsentState.ACTIVE, facts.classes


_UNSHARED: dict[str, ConsentState] = {
    Kind.REQUESTED: ConsentState.REQUESTED,
    Kind.DECLINED: ConsentState.DECLINED,
    Kind.REVOKED: ConsentState.REVOKED,
    Kind.SUPERSEDED: ConsentState.SUPERSEDED,
    Kind.LAPSED: ConsentState.LAPSED,
    Kind.WITHDRAWN: ConsentState.WITHDRAWN,
    # Said by a minor to an open question: it stays open, and nothing is shared.
    Kind.OBJECTED: ConsentState.REQUESTED,
    Kind.ENDED: ConsentState.ENDED,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A consent as it stands at one moment."""

    consent_id: UUID
    client_id: UUID
    discloser_id: UUID
    recipient_id: UUID
    state: ConsentState
    classes: frozenset[Scope]
    """What is shared now; empty unless the state is ACTIVE."""
    agreed: frozenset[Scope]
    """What the newest event names, whatever the state."""
    expires_at: datetime | None
    event_number: int
    event_at: datetime
    until_training_ends: bool = False
    """Ends with the training, and on `expires_at` at the latest."""
    by_trainer: bool = False
    """A trainer is the discloser: they tell what they saw, and hold nothing else."""

    @property
    def is_active(self) -> bool:
        return self.state is ConsentState.ACTIVE


def standings(consents: QuerySet[Consent], at: datetime) -> dict[UUID, Standing]:
    """How each of `consents` stands at `at`, in one query; those without any event are left out."""
    newest = (
        ConsentEvent.objects.filter(consent__in=consents)
        .select_related(
            "consent__client__user",
            "consent__recipient__user",
            "consent__discloser__user",
            "guardianship__user",
        )
        .order_by("consent_id", "-number")
        .distinct("consent_id")
    )
    return {event.consent_id: standing_by(event, at) for event in newest}


def standing(consent: Consent, at: datetime) -> Standing:
    """How one consent stands at `at`. Raises NotVisible for one that was never asked."""
    found = standings(Consent.objects.filter(pk=consent.pk), at)
    if consent.pk not in found:
        raise NotVisible
    return found[consent.pk]


def live(
    *,
    client_id: UUID,
    at: datetime,
    recipient_ids: Iterable[UUID] | None = None,
    discloser_ids: Iterable[UUID] | None = None,
) -> tuple[Standing, ...]:
    """The consents of this client that are active at `at`, oldest first.

    Narrowed to recipients and disclosers where given; an empty collection of either finds
    nothing, it never means "any".
    """
    consents = Consent.objects.filter(client_id=client_id)
    if recipient_ids is not None:
        consents = consents.filter(recipient_id__in=list(recipient_ids))
    if discloser_ids is not None:
        consents = consents.filter(discloser_id__in=list(discloser_ids))
    found = (each for each in standings(consents, at).values() if each.is_active)
    return tuple(sorted(found, key=lambda each: each.event_number))


def standing_by(event: ConsentEvent, at: datetime) -> Standing:
    """How a consent stands, given its newest event; the caller has made sure that it is that."""
    consent = event.consent
    agreed = frozenset(Scope(value) for value in event.classes)
    facts = Facts(
        kind=event.kind,
        classes=agreed,
        valid_from=event.valid_from,
        expires_at=event.expires_at,
        authority_stands=_authority_stands(event, at),
        accounts_stand=consent.recipient.is_current and consent.discloser.is_current,
    )
    state, classes = evaluate(facts, at)
    return Standing(
        consent_id=consent.pk,
        client_id=consent.client_id,
        discloser_id=consent.discloser_id,
        recipient_id=consent.recipient_id,
        state=state,
        classes=classes,
        agreed=agreed,
        expires_at=event.expires_at,
        event_number=event.number,
        event_at=event.at,
        until_training_ends=event.until_training_ends,
        by_trainer=consent.discloser.role == Professional.Role.TRAINER,
    )


def _authority_stands(event: ConsentEvent, at: datetime) -> bool:
    client = event.consent.client
    if event.guardianship is not None:
        return guardians.authority_stands(event.guardianship, client, at)
    return (
        event.authority == ConsentEvent.Authority.SELF
        and client.user is not None
        and client.user_id == event.by_id
        and client.user.is_active
    )


def last_day_allowed(client: Client, at: datetime) -> date:
    """The latest date until which sharing may be agreed, in the client's own zone."""
    return scopes.latest_expiry(at.astimezone(ZoneInfo(client.time_zone)).date())


def ask(
    *,
    actor: Actor,
    client: Client,
    discloser: Professional,
    recipient: Professional,
    purpose: str,
    classes: Iterable[Scope],
    at: datetime | None = None,
) -> Consent:
    """Put the question to the client; nothing is shared by it.

    The discloser, the recipient or whoever decides for the client may ask (R10). An open question
    between the same three is taken back and replaced. Raises NotVisible for others, Invalid for
    an empty set of classes or purpose, and for a class that the discloser does not hold.
    """
    at = at or timezone.now()
    asked = _held_by(discloser, _checked(classes))
    if not purpose.strip():
        raise Invalid({"purpose": ["Say why this should be shared."]})
    if len(purpose) > 300:
        raise Invalid({"purpose": ["Keep the reason under 300 characters."]})
    if actor.user_id is None:
        raise NotVisible
    authority = ConsentEvent.Authority.PROFESSIONAL
    guardianship = None
    if actor.user_id not in (discloser.user_id, recipient.user_id):
        signer = guardians.signer_for(actor, client, at)
        authority, guardianship = signer.authority, signer.guardianship
    with transaction.atomic():
        Client.objects.select_for_update(no_key=True).get(pk=client.pk)
        _lock_ledgers()
        for open_one in _between(client.pk, discloser.pk, recipient.pk, at):
            if open_one.state is ConsentState.REQUESTED:
                _write(open_one.consent_id, Kind.WITHDRAWN, actor=actor, at=at)
        consent = Consent.objects.create(
            client=client,
            discloser=discloser,
            recipient=recipient,
            purpose=purpose.strip(),
            classes_asked=sorted(asked),
            notice_version=_words_of_now(discloser),
            asked_by_id=actor.user_id,
            asked_at=at,
        )
        _append(
            consent,
            Kind.REQUESTED,
            actor=actor,
            at=at,
            classes=asked,
            by=actor.user_id,
            authority=authority,
            guardianship=guardianship,
        )
    return consent


def grant(
    *,
    actor: Actor,
    consent_id: UUID,
    classes: Iterable[Scope],
    expires_on: date,
    until_training_ends: bool = False,
    at: datetime | None = None,
) -> Consent:
    """Agree to share `classes` until the end of `expires_on` in the client's zone, or until the
    training ends if that is chosen and comes first.

    Replaces what was agreed before between the same three. Raises NotVisible, NotAllowed (a minor,
    a professional), Stale when the question is no longer open, Invalid for no class or a date that
    is past or beyond the longest allowed.
    """
    at = at or timezone.now()
    agreed = _checked(classes)
    with transaction.atomic():
        consent = _locked(actor, consent_id, at)
        signer = guardians.signer_for(actor, consent.client, at)
        agreed = _held_by(consent.discloser, agreed)
        expires_at = _end_of(expires_on, consent.client, at)
        for other in _between(consent.client_id, consent.discloser_id, consent.recipient_id, at):
            if other.consent_id != consent.pk and other.state in _REPLACEABLE - {
                ConsentState.REQUESTED
            }:
                _foretell(other, Kind.SUPERSEDED, signer, at)
        _lock_ledgers()
        _require(consent, at, ConsentState.REQUESTED)
        for other in _between(consent.client_id, consent.discloser_id, consent.recipient_id, at):
            if other.consent_id != consent.pk and other.state in _REPLACEABLE:
                _write(other.consent_id, Kind.SUPERSEDED, actor=actor, at=at)
        _sign(
            consent,
            Kind.GRANTED,
            actor,
            signer,
            at,
            agreed,
            valid_from=at,
            expires_at=expires_at,
            until_training_ends=until_training_ends,
        )
    return consent


def decline(*, actor: Actor, consent_id: UUID, at: datetime | None = None) -> Consent:
    """Say no. Kept as an answer; costs the client nothing. Raises as `grant`."""
    at = at or timezone.now()
    with transaction.atomic():
        consent = _locked(actor, consent_id, at)
        signer = guardians.signer_for(actor, consent.client, at)
        _lock_ledgers()
        _require(consent, at, ConsentState.REQUESTED)
        _sign(consent, Kind.DECLINED, actor, signer, at, NOTHING)
    return consent


def narrow(
    *, actor: Actor, consent_id: UUID, classes: Iterable[Scope], at: datetime | None = None
) -> Consent:
    """Share less from now on, until the same day as before.

    `classes` is what remains and must be a smaller, non-empty part of what is shared now; more is
    a new question, nothing is `revoke`. Raises as `grant`.
    """
    at = at or timezone.now()
    remaining = _checked(classes)
    with transaction.atomic():
        consent = _locked(actor, consent_id, at)
        signer = guardians.signer_for(actor, consent.client, at)
        now = _require(consent, at, ConsentState.ACTIVE)
        if not remaining < now.classes:
            raise Invalid({"classes": ["Choose fewer parts than are shared now."]})
        _foretell(now, Kind.NARROWED, signer, at, remaining)
        _lock_ledgers()
        now = _require(consent, at, ConsentState.ACTIVE)
        _sign(
            consent,
            Kind.NARROWED,
            actor,
            signer,
            at,
            remaining,
            valid_from=at,
            expires_at=now.expires_at,
            until_training_ends=now.until_training_ends,
        )
    return consent


def revoke(*, actor: Actor, consent_id: UUID, at: datetime | None = None) -> Consent:
    """Stop sharing. Holds for every request that starts after this returns.

    A minor may stop sharing for themselves although only a guardian may agree. Raises NotVisible,
    or Stale when nothing is shared under this consent.
    """
    at = at or timezone.now()
    with transaction.atomic():
        consent = _locked(actor, consent_id, at)
        signer = _stopper(actor, consent.client, at)
        _foretell(_require(consent, at, *_STOPPABLE), Kind.REVOKED, signer, at)
        head = _lock_ledgers()
        _require(consent, at, *_STOPPABLE)
        _sign(consent, Kind.REVOKED, actor, signer, at, NOTHING, head=head)
    return consent


def lapse(*, actor: Actor, consent_id: UUID, at: datetime | None = None) -> bool:
    """The system closes a question nobody answered in time; False when it is no longer open."""
    at = at or timezone.now()
    if not actor.is_system:
        raise NotAllowed
    with transaction.atomic():
        Consent.objects.select_for_update(no_key=True).get(pk=consent_id)
        _lock_ledgers()
        now = standings(Consent.objects.filter(pk=consent_id), at)[consent_id]
        if now.state is not ConsentState.REQUESTED:
            return False
        _write(consent_id, Kind.LAPSED, actor=actor, at=at)
    return True


def withdraw_question(*, actor: Actor, consent_id: UUID, at: datetime | None = None) -> bool:
    """The asking professional takes an open question back; False when it was answered already.

    Raises NotVisible for anybody but the two professionals of the question and the system.
    """
    at = at or timezone.now()
    with transaction.atomic():
        consent = (
            Consent.objects.select_for_update(of=("self",), no_key=True)
            .select_related("discloser", "recipient")
            .filter(pk=consent_id)
            .first()
        )
        if consent is None or not (
            actor.is_system
            or actor.user_id in (consent.discloser.user_id, consent.recipient.user_id)
        ):
            raise NotVisible
        _lock_ledgers()
        if standing(consent, at).state is not ConsentState.REQUESTED:
            return False
        _write(consent_id, Kind.WITHDRAWN, actor=actor, at=at)
    return True


def renew(
    *, actor: Actor, consent_id: UUID, expires_on: date, at: datetime | None = None
) -> Consent:
    """Go on sharing the same parts until the end of a later day, without a gap.

    Written as another agreement to the same question, by whoever decides now. Raises as `grant`;
    Invalid for a day that is not later than the present one; NotAllowed when the words clients
    read have changed since they were asked: then they are asked anew, under the new ones.
    """
    at = at or timezone.now()
    with transaction.atomic():
        consent = _locked(actor, consent_id, at)
        signer = guardians.signer_for(actor, consent.client, at)
        if consent.notice_version != _words_of_now(consent.discloser):
            raise NotAllowed("The words about sharing have changed. Decide anew.")
        expires_at = _end_of(expires_on, consent.client, at)
        _lock_ledgers()
        now = _require(consent, at, ConsentState.ACTIVE)
        if now.expires_at is None or expires_at <= now.expires_at:
            raise Invalid({"expires_on": ["Choose a later day than now."]})
        _sign(
            consent,
            Kind.GRANTED,
            actor,
            signer,
            at,
            now.classes,
            valid_from=at,
            expires_at=expires_at,
            until_training_ends=now.until_training_ends,
        )
    return consent


def object_to(*, actor: Actor, consent_id: UUID, at: datetime | None = None) -> Consent:
    """A minor says that they do not want this.

    An open question stays open, and their guardian must have read the objection to agree. What is
    shared already stops at once, as by `revoke`. Raises NotVisible, NotAllowed for whoever can
    decide (they say no, or stop) and for professionals, Stale when it was said already or nothing
    is open or shared.
    """
    at = at or timezone.now()
    with transaction.atomic():
        consent = _locked(actor, consent_id, at)
        signer = _stopper(actor, consent.client, at)
        if signer.guardianship is not None or not guardians.is_minor(consent.client, at):
            raise NotAllowed("You decide about this yourself: say no, or stop sharing.")
        now = _require(consent, at, *_REPLACEABLE)
        if now.state in _STOPPABLE:
            _foretell(now, Kind.REVOKED, signer, at)
        _lock_ledgers()
        now = _require(consent, at, *_REPLACEABLE)
        is_open = now.state is ConsentState.REQUESTED
        if is_open and ConsentEvent.objects.filter(consent=consent, kind=Kind.OBJECTED).exists():
            raise Stale
        _sign(consent, Kind.OBJECTED, actor, signer, at, NOTHING)
        if not is_open:
            _sign(consent, Kind.REVOKED, actor, signer, at, NOTHING)
    return consent


def objections(consent: Consent) -> tuple[datetime, ...]:
    """When the client objected to sharing between the same three, oldest first."""
    return tuple(
        ConsentEvent.objects.filter(
            consent__client=consent.client_id,
            consent__discloser=consent.discloser_id,
            consent__recipient=consent.recipient_id,
            kind=Kind.OBJECTED,
        )
        .order_by("number")
        .values_list("at", flat=True)
    )


def end_with_training(
    *, client_id: UUID, discloser_id: UUID, recipient_id: UUID, at: datetime
) -> tuple[UUID, ...]:
    """The system ends what was agreed "until training ends" between these three; which it was.

    Called in the transaction in which the training ends, before anything else of it locks a head.
    """
    rows = Consent.objects.filter(
        client_id=client_id, discloser_id=discloser_id, recipient_id=recipient_id
    )
    if not ConsentEvent.objects.filter(consent__in=rows, until_training_ends=True).exists():
        return ()

    def ending() -> list[Standing]:
        found = _between(client_id, discloser_id, recipient_id, at)
        return [each for each in found if each.until_training_ends and each.state in _REPLACEABLE]

    with transaction.atomic():
        for each in ending():
            _foretell(each, Kind.ENDED, None, at)
        _lock_ledgers()
        ended = [each.consent_id for each in ending()]
        for pk in ended:
            _write(pk, Kind.ENDED, actor=SYSTEM, at=at)
    return tuple(ended)


def outgrown(at: datetime, client_ids: Iterable[UUID] | None = None) -> list[Consent]:
    """What was asked of a guardian, or agreed by one, of a client who is of age at `at`: it has
    to be asked anew. Of these clients only, where given."""
    newer = ConsentEvent.objects.filter(consent=OuterRef("consent"), number__gt=OuterRef("number"))
    asked = Q(kind__in=[Kind.REQUESTED, Kind.OBJECTED])
    agreed = Q(kind__in=[Kind.GRANTED, Kind.NARROWED], guardianship__isnull=False)
    events = ConsentEvent.objects.filter(
        asked | agreed & Q(expires_at__gt=at),
        ~Exists(newer),
        consent__client__birth_date__lte=guardians.latest_birth_date_of_age(at),
    )
    if client_ids is not None:
        events = events.filter(consent__client__in=list(client_ids))
    found = events.select_related(
        *("consent__client__user", "consent__discloser__user", "consent__discloser__practice"),
        *("consent__recipient__user", "consent__recipient__practice"),
    ).order_by("number")
    return [
        each.consent
        for each in found
        if guardians.is_minor(each.consent.client, each.consent.asked_at)
        and not guardians.is_minor(each.consent.client, at)
    ]


def ask_anew(*, consent: Consent, at: datetime) -> Consent | None:
    """The system puts an outgrown question to the client who is of age now, in the words of now.

    The old one is closed: what a guardian agreed has ended, what they were asked is taken back.
    None when it has been closed meanwhile, or one of the two sides has left.
    """
    with transaction.atomic():
        Consent.objects.select_for_update(no_key=True).get(pk=consent.pk)
        _lock_ledgers()
        if all(each.pk != consent.pk for each in outgrown(at, [consent.client_id])):
            return None
        was_open = standing(consent, at).state is ConsentState.REQUESTED
        _write(consent.pk, Kind.WITHDRAWN if was_open else Kind.ENDED, actor=SYSTEM, at=at)
        if not (consent.recipient.is_current and consent.discloser.is_current):
            return None
        for other in _between(consent.client_id, consent.discloser_id, consent.recipient_id, at):
            if other.state is ConsentState.REQUESTED:
                return None  # asked already, by way of another agreement of the same three
        anew = Consent.objects.create(
            client=consent.client,
            discloser=consent.discloser,
            recipient=consent.recipient,
            purpose=consent.purpose,
            classes_asked=consent.classes_asked,
            notice_version=_words_of_now(consent.discloser),
            asked_by_id=consent.asked_by_id,
            asked_at=at,
        )
        _append(
            anew,
            Kind.REQUESTED,
            actor=SYSTEM,
            at=at,
            classes=frozenset(Scope(each) for each in consent.classes_asked),
            by=None,
            authority=ConsentEvent.Authority.SYSTEM,
        )
    return anew


def end_for_erased(*, actor: Actor, client: Client, at: datetime | None = None) -> int:
    """The system ends all sharing of a client whose data is erased, and takes questions back.

    How many there were. Raises NotAllowed for anybody but the system.
    """
    at = at or timezone.now()
    if not actor.is_system:
        raise NotAllowed("Sharing is ended by the client, or with an erasure.")
    with transaction.atomic():
        rows = Consent.objects.filter(client=client)
        list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))
        for each in standings(rows, at).values():
            if each.state in _STOPPABLE:
                _foretell(each, Kind.ENDED, None, at)
        _lock_ledgers()
        ended = 0
        for each in standings(rows, at).values():
            if each.state in _REPLACEABLE:
                asked = each.state is ConsentState.REQUESTED
                kind = Kind.WITHDRAWN if asked else Kind.REVOKED
                _write(each.consent_id, kind, actor=actor, at=at)
                ended += 1
    return ended


_STOPPABLE = (ConsentState.ACTIVE, ConsentState.NOT_YET, ConsentState.SUSPENDED)
_REPLACEABLE = frozenset(
    {
        ConsentState.REQUESTED,
        ConsentState.ACTIVE,
        ConsentState.NOT_YET,
        ConsentState.SUSPENDED,
    }
)


_CLOSED = (
    *(Kind.DECLINED, Kind.REVOKED, Kind.SUPERSEDED, Kind.LAPSED, Kind.WITHDRAWN),
    Kind.ENDED,
)
"""The events after which a question is never answered any more."""


def _lock_ledgers() -> ledger.LedgerHead:
    """Both heads: a change of consent and a disclosure never overlap.

    The consent ledger's now, so that what is checked from here on still holds when the event is
    written. The access ledger's by a trigger, while the change commits: until then looks go on,
    and when they go on again they find the event.
    """
    return ledger.lock(ConsentEvent.CHAIN)


def _locked(actor: Actor, consent_id: UUID, at: datetime) -> Consent:
    """The consent, locked; raises NotVisible for all but the client's side and the two sides."""
    consent = (
        Consent.objects.select_for_update(of=("self",), no_key=True)
        .select_related("client__user", "discloser__user", "recipient__user")
        .filter(pk=consent_id)
        .first()
    )
    if consent is None:
        raise NotVisible
    sides = (consent.discloser.user_id, consent.recipient.user_id)
    if actor.user_id in sides and actor.user_id != consent.client.user_id:
        raise NotAllowed("Only the client, or a guardian, decides about sharing.")
    return consent


def _stopper(actor: Actor, client: Client, at: datetime) -> Signer:
    if actor.user_id is not None and client.user_id == actor.user_id:
        return Signer(actor.user_id, ConsentEvent.Authority.SELF)
    return guardians.signer_for(actor, client, at)


def _require(consent: Consent, at: datetime, *states: ConsentState) -> Standing:
    now = standing(consent, at)
    if now.state not in states:
        raise Stale
    return now


def _between(
    client_id: UUID, discloser_id: UUID, recipient_id: UUID, at: datetime
) -> Sequence[Standing]:
    """How the questions between these three stand, without those that are closed for good."""
    newest = ConsentEvent.objects.filter(consent=OuterRef("pk")).order_by("-number")
    consents = (
        Consent.objects.filter(
            client_id=client_id, discloser_id=discloser_id, recipient_id=recipient_id
        )
        .alias(newest=Subquery(newest.values("kind")[:1]))
        .exclude(newest__in=_CLOSED)
    )
    return list(standings(consents, at).values())


def _checked(classes: Iterable[Scope]) -> frozenset[Scope]:
    try:
        chosen = scopes.parse(classes)
    except Invalid as error:
        raise Invalid({"classes": error.errors["scopes"]}) from None
    if not chosen:
        raise Invalid({"classes": ["Choose at least one part to share."]})
    return chosen


def notice_for(discloser: Professional) -> scopes.Notice:
    """The words of now in which a client is asked about what this professional holds."""
    return scopes.notice(_words_of_now(discloser))


def _words_of_now(discloser: Professional) -> str:
    """Their version."""
    tells = discloser.role == Professional.Role.TRAINER
    return scopes.REPORTS_NOTICE_VERSION if tells else scopes.NOTICE_VERSION


def _held_by(discloser: Professional, classes: frozenset[Scope]) -> frozenset[Scope]:
    """These classes, when the discloser can hold each of them. Raises Invalid otherwise."""
    tells = discloser.role == Professional.Role.TRAINER
    if tells and not classes <= {Scope.TRAINING_FEEDBACK}:
        raise Invalid({"classes": ["A trainer can only share how training goes."]})
    return classes


def _end_of(day: date, client: Client, at: datetime) -> datetime:
    """The first instant after `day` in the client's zone."""
    zone = ZoneInfo(client.time_zone)
    scopes.check_expiry(day, today=at.astimezone(zone).date())
    return datetime.combine(day + timedelta(days=1), time(0, 0), tzinfo=zone).astimezone(UTC)


def _sign(
    consent: Consent,
    kind: ConsentEvent.Kind,
    actor: Actor,
    signer: Signer,
    at: datetime,
    classes: frozenset[Scope],
    *,
    valid_from: datetime | None = None,
    expires_at: datetime | None = None,
    until_training_ends: bool = False,
    head: ledger.LedgerHead | None = None,
) -> None:
    _append(
        consent,
        kind,
        actor=actor,
        at=at,
        classes=classes,
        by=signer.user_id,
        authority=signer.authority,
        guardianship=signer.guardianship,
        valid_from=valid_from,
        expires_at=expires_at,
        until_training_ends=until_training_ends,
        head=head,
    )


def _write(consent_id: UUID, kind: ConsentEvent.Kind, *, actor: Actor, at: datetime) -> None:
    """An event that follows from another act: replaced, taken back, not answered in time."""
    system = actor.is_system or actor.user_id is None
    _append(
        Consent.objects.get(pk=consent_id),
        kind,
        actor=actor,
        at=at,
        classes=NOTHING,
        by=None if system else actor.user_id,
        authority=ConsentEvent.Authority.SYSTEM,
    )


def _append(
    consent: Consent,
    kind: ConsentEvent.Kind,
    *,
    actor: Actor,
    at: datetime,
    classes: frozenset[Scope],
    by: UUID | None,
    authority: ConsentEvent.Authority,
    guardianship: Guardianship | None = None,
    valid_from: datetime | None = None,
    expires_at: datetime | None = None,
    until_training_ends: bool = False,
    head: ledger.LedgerHead | None = None,
) -> None:
    notice = scopes.notice(consent.notice_version)
    ConsentEvent(
        consent=consent,
        kind=kind,
        classes=sorted(classes),
        valid_from=valid_from,
        expires_at=expires_at,
        until_training_ends=until_training_ends,
        by_id=by,
        authority=authority,
        guardianship=guardianship,
        notice_version=notice.version,
        notice_hash=notice.digest(),
        channel=actor.channel,
    ).append(at=at, head=head)


# --- endings, outside the database too ----------------------------------------------------------


def _foretell(
    now: Standing,
    kind: ConsentEvent.Kind,
    signer: Signer | None,
    at: datetime,
    remaining: frozenset[Scope] = NOTHING,
) -> None:
    """Note in the revocation journal that this consent is about to share less.

    Without a `signer` the system ends it. Before the ledgers are locked, because it waits for a
    disk and readers wait for the ledgers.
    """
    journal.write(
        f"consent.{kind}",
        {
            "consent": str(now.consent_id),
            "seen": now.event_number,
            "classes": sorted(remaining),
            "by": str(signer.user_id) if signer else None,
            "authority": str(signer.authority if signer else ConsentEvent.Authority.SYSTEM),
            "guardianship": str(signer.guardianship.pk) if signer and signer.guardianship else None,
        },
        at=at,
    )


def end_again(facts: Mapping[str, Any], kind: str, *, at: datetime) -> str:
    """Bring about once more what the journal tells of a consent; answers what was done.

    For a database that does not know of it. Nothing is done where the consent is not there, shares
    nothing any more, or was decided about later than the journal's line. Where whoever decided is
    not there either, all of it ends. Must run inside a transaction.
    """
    consent_id = UUID(facts["consent"])
    consent = Consent.objects.select_for_update(no_key=True).filter(pk=consent_id).first()
    if consent is None:
        return "unknown here"
    _lock_ledgers()
    now = standings(Consent.objects.filter(pk=consent_id), at).get(consent_id)
    if now is None or now.state not in _STOPPABLE:
        return "shares nothing"
    if now.event_number > facts["seen"]:
        return "decided later"
    actor = SYSTEM.through(Channel.COMMAND)
    if facts["by"] is None:
        _write(consent_id, Kind.ENDED, actor=actor, at=at)
        return "ended"
    remaining = frozenset(scopes.parse(facts["classes"])) & now.agreed
    signer = Signer(
        UUID(facts["by"]), ConsentEvent.Authority(facts["authority"]), _guardianship(facts)
    )
    known = User.objects.filter(pk=signer.user_id).exists() and (
        signer.authority != ConsentEvent.Authority.GUARDIAN or signer.guardianship is not None
    )
    if kind == f"consent.{Kind.NARROWED}" and remaining and known:
        _sign(
            consent,
            Kind.NARROWED,
            actor,
            signer,
            at,
            remaining,
            valid_from=at,
            expires_at=now.expires_at,
            until_training_ends=now.until_training_ends,
        )
        return "narrowed"
    if kind == f"consent.{Kind.SUPERSEDED}" or not known:
        _write(consent_id, Kind.SUPERSEDED if known else Kind.REVOKED, actor=actor, at=at)
        return "ended"
    _sign(consent, Kind.REVOKED, actor, signer, at, NOTHING)
    return "revoked"


def end_all(*, at: datetime) -> int:
    """End whatever is shared by anybody: the journal is lost, and nobody knows what was withdrawn.

    Answers how many agreements ended. Each client has to agree anew.
    """
    ended = 0
    with transaction.atomic():
        rows = Consent.objects.select_for_update(no_key=True).order_by("id")
        ids = [row.pk for row in rows]
        _lock_ledgers()
        for each in standings(Consent.objects.filter(pk__in=ids), at).values():
            if each.state in _STOPPABLE:
                _write(each.consent_id, Kind.REVOKED, actor=SYSTEM, at=at)
                ended += 1
    return ended


def _guardianship(facts: Mapping[str, Any]) -> Guardianship | None:
    pk = facts["guardianship"]
    return Guardianship.objects.filter(pk=pk).first() if pk else None
