"""Reads, for many subjects at once, what waits there now and who is concerned.

The number of queries does not grow with the number of subjects. No clinical text is read: states,
dates and ids only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q

from clients import consent as consents
from clients import guardians
from clients.consent import ConsentState, Standing
from clients.models import (
    Client,
    Consent,
    ConsentEvent,
    Credential,
    Guardianship,
    Professional,
    User,
)
from clients.models.user import DEFAULT_ZONE
from clients.scopes import Scope
from handoff.core import subjects
from handoff.core.errors import Invalid
from referrals import whose
from referrals.calendars import local_today, zone_named
from referrals.models import (
    Acknowledgement,
    Coverage,
    DischargeNote,
    Episode,
    Referral,
    ReferralEvent,
    Reminder,
    Restriction,
    RestrictionVersion,
)
from referrals.reasons import SystemReason
from referrals.reminders import rules
from referrals.reminders.rules import Audience, Subject, Wait
from referrals.reminders.timing import Person
from referrals.states import RECIPIENT_MAY_READ, TERMINAL, Kind, State

Key = tuple[Subject, UUID]
People = dict[Audience, tuple[Person, ...]]


@dataclass(frozen=True, slots=True)
class Case:
    """One subject at one moment."""

    subject: Subject
    pk: UUID
    urgent: bool
    waits: tuple[Wait, ...]
    people: Mapping[Audience, tuple[Person, ...]]
    unshared: frozenset[Audience] = frozenset()
    """Audiences that nobody is in because their consent has ended."""

    @property
    def name(self) -> str:
        return f"{self.subject.value}:{self.pk}"

    def is_in(self, audience: str, user_id: UUID) -> bool:
        there = self.people.get(Audience(audience), ())
        return any(person.user_id == user_id for person in there)


def subject_of(reminder: Reminder) -> Key:
    """What a reminder is about."""
    for subject in Subject:
        pk = getattr(reminder, f"{subject.value}_id")
        if pk is not None:
            return subject, pk
    raise LookupError(f"reminder {reminder.pk} has no subject")


def cases(keys: Iterable[Key], at: datetime) -> dict[Key, Case]:
    """The case of every subject of `keys` that exists; nobody is reminded of an erased client."""
    ids: dict[Subject, set[UUID]] = defaultdict(set)
    for subject, pk in keys:
        ids[subject].add(pk)
    with subjects.among(_clients_behind(ids)):
        found = _cases(ids, at)
    return {(case.subject, case.pk): case for case in found}


def _clients_behind(ids: Mapping[Subject, Collection[UUID]]) -> frozenset[UUID]:
    return whose.clients_behind(
        referrals=ids.get(Subject.REFERRAL, ()),
        consents=ids.get(Subject.CONSENT, ()),
        episodes=ids.get(Subject.EPISODE, ()),
        restrictions=ids.get(Subject.RESTRICTION, ()),
    )


def _cases(ids: Mapping[Subject, Collection[UUID]], at: datetime) -> list[Case]:
    admins = _admins() if ids else ()
    found: list[Case] = []
    if ids.get(Subject.REFERRAL):
        found += _referrals(ids[Subject.REFERRAL], admins, at)
    if ids.get(Subject.CONSENT):
        found += _consents(ids[Subject.CONSENT], at)
    if ids.get(Subject.EPISODE):
        found += _episodes(ids[Subject.EPISODE], admins)
    if ids.get(Subject.RESTRICTION):
        found += _restrictions(ids[Subject.RESTRICTION], admins, at)
    if ids.get(Subject.CREDENTIAL):
        found += _credentials(ids[Subject.CREDENTIAL], admins)
    return found


# --- people -------------------------------------------------------------------------------------


def _person(user: User, state: str = "") -> Person:
    try:
        zone_named(user.time_zone)
    except Invalid:  # a name the time zone data no longer knows must not stop anybody's work
        return Person(user.pk, DEFAULT_ZONE, state)
    return Person(user.pk, user.time_zone, state)


def _professional(professional: Professional) -> tuple[Person, ...]:
    if not professional.is_current:
        return ()
    return (_person(professional.user, professional.practice.state),)


def _admins() -> tuple[Person, ...]:
    staff = User.objects.filter(is_staff=True, is_active=True).order_by("date_joined", "id")
    return tuple(_person(user) for user in staff)


@dataclass(frozen=True, slots=True)
class _Guardians:
    """Who has authority over which minor; read in one query for many clients."""

    by_client: Mapping[UUID, tuple[User, ...]]

    @classmethod
    def of(cls, clients: Collection[Client], at: datetime) -> _Guardians:
        minors = {client.pk: client for client in clients if guardians.is_minor(client, at)}
        rows = Guardianship.objects.none()
        if minors:
            rows = Guardianship.objects.filter(client__in=minors).select_related("user")
        found: dict[UUID, list[User]] = {pk: [] for pk in minors}
        for row in rows.order_by("created_at", "id"):
            if guardians.authority_stands(row, minors[row.client_id], at):
                found[row.client_id].append(row.user)
        return cls({pk: tuple(users) for pk, users in found.items()})

    def deciders(self, client: Client) -> tuple[Person, ...]:
        """Who answers for the client: the adult, or the guardians."""
        if client.pk in self.by_client:
            return tuple(_person(user, client.state) for user in self.by_client[client.pk])
        return _itself(client)

    def side(self, client: Client) -> tuple[Person, ...]:
        """The client, with the guardians of a minor."""
        if client.pk in self.by_client:
            return _itself(client) + self.deciders(client)
        return _itself(client)


def _itself(client: Client) -> tuple[Person, ...]:
    if client.user is None or not client.user.is_active:
        return ()
    return (_person(client.user, client.state),)


# --- what is shared -----------------------------------------------------------------------------

Pair = tuple[UUID, UUID]
"""(client, recipient)"""


@dataclass(frozen=True, slots=True)
class _Sharing:
    """The consents that stand now between some clients and some recipients."""

    active: Mapping[Pair, tuple[Standing, ...]]
    granted: Mapping[UUID, datetime]
    """Consent -> when it was first given. Sharing less since, or longer, begins nothing anew."""

    @classmethod
    def between(cls, pairs: Collection[Pair], at: datetime) -> _Sharing:
        active: dict[Pair, list[Standing]] = defaultdict(list)
        if pairs:
            rows = Consent.objects.filter(
                client_id__in={client for client, _ in pairs},
                recipient_id__in={recipient for _, recipient in pairs},
            )
            for standing in consents.standings(rows, at).values():
                if standing.is_active:
                    active[standing.client_id, standing.recipient_id].append(standing)
        ids = [each.consent_id for found in active.values() for each in found]
        given = ConsentEvent.objects.filter(consent__in=ids, kind=ConsentEvent.Kind.GRANTED)
        # Of several agreements to one question, the first stays: it is written last.
        newest_first = given.order_by("-number").values_list("consent_id", "at")
        granted = dict(newest_first) if ids else {}
        return cls({pair: tuple(found) for pair, found in active.items()}, granted)

    def stands(self, referral: Referral) -> bool:
        """Whether the sender may share anything with the recipient, where consent was needed."""
        if referral.consent_id is None:
            return True
        pair = referral.client_id, referral.recipient_id
        if any(each.discloser_id == referral.sender_id for each in self.active.get(pair, ())):
            return True
        # What a trainer tells may flow back under what the therapist shares with them.
        back = self.active.get((referral.client_id, referral.sender_id), ())
        return referral.kind == Kind.REFER_OUT and any(
            each.discloser_id == referral.recipient_id and Scope.TRAINING_FEEDBACK in each.classes
            for each in back
        )

    def restrictions(self, pair: Pair) -> dict[UUID, datetime]:
        """Therapist -> since when this recipient may read the restrictions they set."""
        return {
            each.discloser_id: self.granted[each.consent_id]
            for each in self.active.get(pair, ())
            if Scope.RESTRICTIONS in each.classes
        }


# --- referrals ----------------------------------------------------------------------------------


def _referrals(ids: Collection[UUID], admins: tuple[Person, ...], at: datetime) -> list[Case]:
    rows = list(
        Referral.objects.filter(pk__in=ids, client__erased_at=None).select_related(
            "client__user",
            "sender__user",
            "sender__practice",
            "recipient__user",
            "recipient__practice",
        )
    )
    open_rows = [row for row in rows if row.state not in TERMINAL]
    pairs = {(row.client_id, row.recipient_id) for row in open_rows}
    pairs |= {(row.client_id, row.sender_id) for row in open_rows if row.kind == Kind.REFER_OUT}
    sharing = _Sharing.between(pairs, at)
    watch = _Guardians.of([row.client for row in rows], at)
    unread = _unread(open_rows, sharing)
    ended = [row for row in rows if row.state in TERMINAL]
    not_shared, followed_up = _not_shared(ended), _followed_up(ended)
    found = []
    for row in rows:
        shared = sharing.stands(row)
        facts = rules.ReferralFacts(
            state=State(row.state),
            state_at=row.state_at,
            first_session_at=row.first_session_at,
            not_shared=row.pk in not_shared,
            followed_up=row.pk in followed_up,
            unread_since=unread.get(row.pk),
            kind=Kind(row.kind),
            sent_at=row.sent_at,
        )
        people: People = {
            Audience.SENDER: _professional(row.sender),
            Audience.RECIPIENT: _professional(row.recipient) if shared else (),
            Audience.CLIENT: watch.side(row.client),
            Audience.ADMIN: admins,
        }
        found.append(
            Case(
                Subject.REFERRAL,
                row.pk,
                urgent=row.priority == Referral.Priority.URGENT,
                waits=rules.waits_of_referral(facts),
                people=people,
                unshared=frozenset() if shared else frozenset({Audience.RECIPIENT}),
            )
        )
    return found


def _unread(rows: Collection[Referral], sharing: _Sharing) -> dict[UUID, datetime]:
    """Referral -> since when its recipient may read a restriction they have not acknowledged."""
    readers = {
        row.pk: sharing.restrictions((row.client_id, row.recipient_id))
        for row in rows
        if row.state in RECIPIENT_MAY_READ
    }
    readable = [row for row in rows if readers.get(row.pk)]
    if not readable:
        return {}
    versions = _versions_in_force({row.client_id for row in readable})
    seen = set(
        Acknowledgement.objects.filter(
            version__in=[version.pk for version in versions],
            professional__in={row.recipient_id for row in readable},
        ).values_list("version_id", "professional_id")
    )
    found: dict[UUID, datetime] = {}
    for row in readable:
        for version in versions:
            episode = version.restriction.episode
            since = readers[row.pk].get(episode.pt_id)
            if since is None or episode.client_id != row.client_id or version.signed_at is None:
                continue
            if (version.pk, row.recipient_id) not in seen:
                accepted = row.answered_at or row.state_at
                newest = max(accepted, since, version.signed_at)
                found[row.pk] = max(newest, found.get(row.pk, newest))
    return found


def _versions_in_force(client_ids: Collection[UUID]) -> list[RestrictionVersion]:
    episodes = Episode.objects.filter(client__in=client_ids).exclude(
        status=Episode.Status.ENTERED_IN_ERROR
    )
    return list(
        RestrictionVersion.objects.newest_signed(list(episodes.values_list("pk", flat=True)))
        .in_force()
        .select_related("restriction__episode")
    )


def _not_shared(ended: Collection[Referral]) -> set[UUID]:
    cancelled = [row.pk for row in ended if row.state == State.CANCELLED]
    if not cancelled:
        return set()
    return set(
        ReferralEvent.objects.filter(
            referral__in=cancelled,
            target=State.CANCELLED,
            reason_code=SystemReason.NOT_SHARED,
        ).values_list("referral_id", flat=True)
    )


def _followed_up(ended: Collection[Referral]) -> set[UUID]:
    """Ended referrals in whose place the sender has begun another one, or that a therapist has
    answered by sending the client back to training."""
    if not ended:
        return set()
    later = (
        Referral.objects.filter(
            Q(sender__in={row.sender_id for row in ended})
            | Q(previous__in=[row.pk for row in ended]),
            client__in={row.client_id for row in ended},
        )
        .exclude(state=State.DISCARDED)
        .values_list("previous_id", "client_id", "sender_id", "kind", "created_at")
    )
    return {
        row.pk
        for row in ended
        for previous, client, sender, kind, created in later
        if previous == row.pk
        or (
            (client, sender, kind) == (row.client_id, row.sender_id, row.kind)
            and created > (row.closed_at or row.state_at)
        )
    }


# --- consents -----------------------------------------------------------------------------------


def _consents(ids: Collection[UUID], at: datetime) -> list[Case]:
    rows = list(
        Consent.objects.filter(pk__in=ids, client__erased_at=None).select_related(
            "client__user",
            "asked_by",
            "discloser__user",
            "discloser__practice",
            "recipient__user",
            "recipient__practice",
        )
    )
    standings = consents.standings(Consent.objects.filter(pk__in=ids), at)
    watch = _Guardians.of([row.client for row in rows], at)
    urgent = _urgent_consents(ids)
    told = set(
        Referral.objects.filter(
            client__in={row.client_id for row in rows},
            recipient__in={row.recipient_id for row in rows},
            sent_at__isnull=False,
        ).values_list("client_id", "recipient_id")
    )
    found = []
    for row in rows:
        standing = standings.get(row.pk)
        if standing is None:
            continue
        facts = rules.ConsentFacts(
            state=standing.state,
            asked_at=row.asked_at,
            changed_at=standing.event_at,
            expires_at=standing.expires_at,
            last_day=_last_day(row.client, standing),
        )
        deciders = watch.deciders(row.client)
        decides = any(person.user_id == row.asked_by_id for person in deciders)
        found.append(
            Case(
                Subject.CONSENT,
                row.pk,
                urgent=row.pk in urgent and standing.state is ConsentState.REQUESTED,
                waits=rules.waits_of_consent(facts),
                people={
                    Audience.DECIDER: deciders,
                    Audience.ASKER: ()
                    if decides or not row.asked_by.is_active
                    else (_person(row.asked_by),),
                    Audience.DISCLOSER: _professional(row.discloser),
                    # Somebody who never heard of the question does not hear of its end either.
                    Audience.READER: _professional(row.recipient)
                    if (row.client_id, row.recipient_id) in told
                    else (),
                },
            )
        )
    return found


def _last_day(client: Client, standing: Standing) -> date | None:
    if standing.expires_at is None:
        return None
    return local_today(standing.expires_at - timedelta(microseconds=1), client.time_zone)


def _urgent_consents(ids: Collection[UUID]) -> set[UUID]:
    """Questions that an urgent referral waits for."""
    return set(
        Referral.objects.filter(
            consent__in=ids, state=State.AWAITING_CONSENT, priority=Referral.Priority.URGENT
        ).values_list("consent_id", flat=True)
    )


# --- episodes, restrictions, credentials ----------------------------------------------------------


def _episodes(ids: Collection[UUID], admins: tuple[Person, ...]) -> list[Case]:
    rows = Episode.objects.filter(pk__in=ids, client__erased_at=None).select_related(
        "pt__user", "pt__practice"
    )
    signed = set(
        DischargeNote.objects.filter(episode__in=ids, signed_at__isnull=False).values_list(
            "episode_id", flat=True
        )
    )
    coverage = {
        each.episode_id: each
        for each in Coverage.objects.filter(episode__in=ids).only(
            "episode", "low_since", "authorized_until"
        )
    }
    found = []
    for row in rows:
        paid = coverage.get(row.pk)
        facts = rules.EpisodeFacts(
            active=row.status == Episode.Status.ACTIVE,
            signed=row.pk in signed,
            planned_on=row.planned_discharge_on,
            last_visit_on=row.last_visit_on,
            visits_low_since=paid.low_since if paid else None,
            authorized_until=paid.authorized_until if paid else None,
        )
        found.append(
            Case(
                Subject.EPISODE,
                row.pk,
                urgent=False,
                waits=rules.waits_of_episode(facts),
                people={Audience.PT: _professional(row.pt), Audience.ADMIN: admins},
            )
        )
    return found


def _restrictions(ids: Collection[UUID], admins: tuple[Person, ...], at: datetime) -> list[Case]:
    heads = {
        row.pk: row
        for row in Restriction.objects.filter(pk__in=ids, episode__client__erased_at=None)
        .exclude(episode__status=Episode.Status.ENTERED_IN_ERROR)
        .select_related("episode__pt__user", "episode__pt__practice")
    }
    versions = RestrictionVersion.objects.newest_signed(
        {row.episode_id for row in heads.values()}
    ).filter(restriction__in=heads)
    accepted = list(
        Referral.objects.filter(
            client__in={row.episode.client_id for row in heads.values()},
            state__in=list(RECIPIENT_MAY_READ),
        ).select_related("recipient__user", "recipient__practice")
    )
    sharing = _Sharing.between({(row.client_id, row.recipient_id) for row in accepted}, at)
    found = []
    for version in versions:
        episode = heads[version.restriction_id].episode
        readers = {
            row.recipient_id: row.recipient
            for row in accepted
            if row.client_id == episode.client_id
            and episode.pt_id in sharing.restrictions((row.client_id, row.recipient_id))
        }
        facts = rules.RestrictionFacts(
            in_force=version.status == RestrictionVersion.Status.ACTIVE,
            review_on=version.review_on,
        )
        found.append(
            Case(
                Subject.RESTRICTION,
                version.restriction_id,
                urgent=False,
                waits=rules.waits_of_restriction(facts),
                people={
                    Audience.PT: _professional(episode.pt),
                    Audience.READER: tuple(
                        person for each in readers.values() for person in _professional(each)
                    ),
                    Audience.ADMIN: admins,
                },
                unshared=frozenset() if readers else frozenset({Audience.READER}),
            )
        )
    return found


def _credentials(ids: Collection[UUID], admins: tuple[Person, ...]) -> list[Case]:
    rows = list(Credential.objects.filter(pk__in=ids).select_related("user"))
    held: dict[tuple[UUID, str, str], list[Credential]] = defaultdict(list)
    for each in Credential.objects.filter(
        user__in={row.user_id for row in rows}, verified_at__isnull=False, withdrawn_at=None
    ):
        held[each.user_id, each.kind, each.state].append(each)
    found = []
    for row in rows:
        same = held[row.user_id, row.kind, row.state]
        facts = rules.CredentialFacts(
            counts=row.verified_at is not None and row.withdrawn_at is None,
            renewed=any(_outlasts(each, row) for each in same),
            expires_on=row.expires_on,
        )
        owner = (_person(row.user, row.state),) if row.user.is_active else ()
        found.append(
            Case(
                Subject.CREDENTIAL,
                row.pk,
                urgent=False,
                waits=rules.waits_of_credential(facts),
                people={Audience.OWNER: owner, Audience.ADMIN: admins},
            )
        )
    return found


def _outlasts(other: Credential, row: Credential) -> bool:
    if row.expires_on is None:
        return False
    return other.expires_on is None or other.expires_on > row.expires_on
