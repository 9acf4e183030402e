"""Consent questions as the client's side sees them: who asks, what, until when, what came of it.

No clinical content: what somebody would read is `disclosure.preview`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from clients import access as people
from clients import consent as consents
from clients import guardians, licensing, scopes
from clients.consent import ConsentState, Standing
from clients.models import Client, Consent, ConsentEvent, Credential, Professional
from clients.scopes import Notice, Scope, ScopeText
from handoff.core.actors import Actor
from handoff.core.errors import NotVisible
from referrals import sharing, whatif
from referrals.models import Holiday, Referral
from referrals.states import State
from referrals.waits import TIMEOUTS, Wait

RUNNING: Final = frozenset({ConsentState.ACTIVE, ConsentState.NOT_YET, ConsentState.SUSPENDED})


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two professionals of a question."""

    id: UUID
    name: str
    short: str
    """What sentences call them: the first name, unless both have the same."""
    role: str
    role_label: str
    practice: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One class, in the words of the notice the question was asked under."""

    scope: Scope
    text: ScopeText
    asked: bool
    shared: bool
    shared_now: bool
    """Shared at this moment, by this or by an earlier question of the same three."""
    without: str
    """What it means when the part is not shared any more."""


@dataclass(frozen=True, slots=True)
class Question:
    """One consent, ready to be shown to the client or to somebody who acts for them."""

    id: UUID
    client: Client
    discloser: Side
    recipient: Side
    purpose: str
    notice: Notice
    standing: Standing
    asked: frozenset[Scope]
    asked_by: str
    """`discloser`, `recipient` or `client`."""
    asked_at: datetime
    is_own: bool
    """The viewer is the client, not somebody who acts for them."""
    is_minor: bool
    shared_now: frozenset[Scope] = frozenset()
    """What is shared between the same three at this moment, by whichever question."""
    objected_at: tuple[datetime, ...] = ()
    """When the client objected to sharing between the same three, as a minor."""
    is_anew: bool = False
    """Asked by itself, because the client came of age."""

    @property
    def state(self) -> ConsentState:
        return self.standing.state

    @property
    def may_decide(self) -> bool:
        """The adult, or a guardian with authority; `consent_for` has let nobody else in."""
        return not (self.is_own and self.is_minor)

    @property
    def on_behalf_of(self) -> str:
        """First name of the client when somebody else decides; "" for the client."""
        return "" if self.is_own else self.client.first_name

    @property
    def is_of_reports(self) -> bool:
        """A trainer would tell a therapist what they saw."""
        return self.notice.is_of_reports

    @property
    def part_count(self) -> int:
        """How many parts could be shared."""
        return len(self.notice.scopes)

    @property
    def may_ask_more(self) -> bool:
        """Whether asking anew can bring more, or is the only way to share for longer."""
        return not self.is_of_reports or not self.may_renew

    @property
    def is_open(self) -> bool:
        return self.state is ConsentState.REQUESTED

    @property
    def is_active(self) -> bool:
        return self.state is ConsentState.ACTIVE

    @property
    def is_running(self) -> bool:
        """Agreed to and neither stopped nor over. Who may see it may stop it, a minor too."""
        return self.state in RUNNING

    @property
    def has_ended(self) -> bool:
        return not self.is_open and not self.is_running

    @property
    def parts(self) -> tuple[Part, ...]:
        """All seven classes, in the order of the notice."""
        names = {"recipient": self.recipient.short, "discloser": self.discloser.short}
        return tuple(
            Part(
                scope=scope,
                text=self.notice.text_for(scope, **names),
                asked=scope in self.asked,
                shared=scope in self.standing.classes,
                shared_now=scope in self.shared_now,
                without=whatif.without(scope, self.notice, **names),
            )
            for scope in self.notice.scopes
        )

    @property
    def shared_parts(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.shared)

    @property
    def may_object(self) -> bool:
        """A minor who looks at something open or shared that is theirs, and can still say it."""
        said = self.is_open and bool(self.objected_at) and self.objected_at[-1] >= self.asked_at
        return self.is_own and self.is_minor and not self.has_ended and not said

    @property
    def may_renew(self) -> bool:
        """Whoever decides may go on as it is while it runs, under the words of now."""
        return self.is_active and self.may_decide and scopes.is_of_now(self.notice.version)

    def what_if(self, classes: Collection[Scope]) -> tuple[whatif.Change, ...]:
        """What becomes of each part if `classes` were shared instead of what is shared now."""
        return whatif.changes(
            self.shared_now,
            classes,
            self.notice,
            recipient=self.recipient.short,
            discloser=self.discloser.short,
        )

    @property
    def last_day(self) -> date | None:
        """The last day of sharing, where the client lives."""
        return last_day(self.standing.expires_at, self.client)

    def word(self, text: str) -> str:
        """A line of the notice with the names put in."""
        return scopes.fill(text, recipient=self.recipient.short, discloser=self.discloser.short)

    @property
    def notice_purpose(self) -> str:
        return self.word(self.notice.purpose)

    @property
    def never_shared(self) -> list[str]:
        return [self.word(text) for text in self.notice.never_shared]

    @property
    def if_you_say_no(self) -> list[str]:
        return [self.word(text) for text in self.notice.if_you_say_no]

    @property
    def if_you_change_your_mind(self) -> list[str]:
        return [self.word(text) for text in self.notice.if_you_change_your_mind]

    @property
    def redisclosure(self) -> str:
        return self.word(self.notice.redisclosure)


def question(actor: Actor, pk: UUID, *, at: datetime) -> Question:
    """One consent of a client the actor is or acts for. Raises NotVisible for anybody else."""
    consent = sharing.consent_for(actor, pk, at=at)
    if not people.is_own(actor, consent.client, at):
        raise NotVisible
    found = _question(actor, consent, consents.standing(consent, at), at)
    live = consents.live(
        client_id=consent.client_id,
        at=at,
        recipient_ids=[consent.recipient_id],
        discloser_ids=[consent.discloser_id],
    )
    first = ConsentEvent.objects.filter(consent=consent).order_by("number")[0]
    return replace(
        found,
        shared_now=frozenset[Scope]().union(*(each.classes for each in live)),
        objected_at=consents.objections(consent),
        is_anew=first.authority == ConsentEvent.Authority.SYSTEM,
    )


def questions_of(actor: Actor, clients: Collection[Client], *, at: datetime) -> list[Question]:
    """All consents of these clients of the actor's own, newest first."""
    ids = [client.pk for client in clients]
    rows = (
        Consent.objects.filter(client__in=ids)
        .select_related(
            *("client", "discloser__user", "discloser__practice"),
            *("recipient__user", "recipient__practice"),
        )
        .order_by("-asked_at", "-id")
    )
    standings = consents.standings(Consent.objects.filter(client__in=ids), at)
    return [_question(actor, row, standings[row.pk], at) for row in rows if row.pk in standings]


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of the ledger about a question."""

    at: datetime
    kind: str
    by: str
    """Who did it; "" for what followed by itself."""
    is_me: bool
    as_guardian: bool
    parts: int
    last_day: date | None
    until_training_ends: bool


RENEWED: Final = "renewed"
"""How an agreement is called that follows another one to the same question."""


def happened_as(events: Iterable[ConsentEvent]) -> list[tuple[ConsentEvent, str]]:
    """Entries about one question, oldest first, each with what it is called."""
    agreed = (ConsentEvent.Kind.GRANTED, ConsentEvent.Kind.NARROWED)
    found: list[tuple[ConsentEvent, str]] = []
    for event in events:
        again = event.kind == ConsentEvent.Kind.GRANTED and bool(found)
        renewed = again and found[-1][0].kind in agreed
        found.append((event, RENEWED if renewed else event.kind))
    return found


def history(asked: Question, actor: Actor) -> list[Happened]:
    """What became of a question, newest first."""
    events = (
        ConsentEvent.objects.filter(consent_id=asked.id).select_related("by").order_by("number")
    )
    by_itself = ConsentEvent.Authority.SYSTEM
    return [
        Happened(
            at=event.at,
            kind=kind,
            by="" if event.by is None or event.authority == by_itself else event.by.name,
            is_me=event.by_id == actor.user_id,
            as_guardian=event.authority == ConsentEvent.Authority.GUARDIAN,
            parts=len(event.classes),
            last_day=last_day(event.expires_at, asked.client),
            until_training_ends=event.until_training_ends,
        )
        for event, kind in reversed(happened_as(events))
    ]


@dataclass(frozen=True, slots=True)
class NoticeCheck:
    """The words a question was asked and answered in, against what the ledger says of them."""

    version: str
    hash: str
    """The one written with the question."""
    matches: bool
    """Every entry about the question carries the hash of exactly these words."""


def notice_check(consent_id: UUID) -> NoticeCheck:
    """Whether the words shown for a question are those it was asked and answered in."""
    written = list(
        ConsentEvent.objects.filter(consent=consent_id)
        .order_by("number")
        .values_list("notice_version", "notice_hash")
    )
    version, written_hash = written[0]
    told = version, scopes.notice(version).digest()
    return NoticeCheck(version, written_hash, all(each == told for each in written))


def was_agreed(events: Iterable[Happened]) -> bool:
    """Whether there ever was an agreement, so that a receipt exists."""
    return any(event.kind == ConsentEvent.Kind.GRANTED for event in events)


def checked_credentials(recipient_id: UUID, at: datetime) -> tuple[Credential, ...]:
    """What we have checked of a recipient and is valid today, first checked last."""
    professional = Professional.objects.select_related("user", "practice").get(pk=recipient_id)
    return licensing.ability(professional, at).valid


@dataclass(frozen=True, slots=True)
class Waiting:
    """A handoff that goes out when the question is answered with enough."""

    referral_id: UUID
    until: date
    """The last day on which it waits."""


def handoff_waiting_for(asked: Question) -> Waiting | None:
    """The handoff this question holds up, if there is one."""
    referral = Referral.objects.filter(consent_id=asked.id, state=State.AWAITING_CONSENT).first()
    limit = TIMEOUTS[Wait.CONSENT].limit
    if referral is None or limit is None:
        return None
    urgent = referral.priority == Referral.Priority.URGENT
    zone = asked.client.time_zone
    ends = limit.span(urgent=urgent).after(
        referral.state_at, zone, Holiday.objects.days_in(asked.client.state)
    )
    day = last_day(ends, asked.client)
    return Waiting(referral.pk, day) if day else None


def last_day(ends: datetime | None, client: Client) -> date | None:
    """The last whole or begun day before `ends`, where the client lives."""
    if ends is None:
        return None
    return (ends - timedelta(microseconds=1)).astimezone(ZoneInfo(client.time_zone)).date()


def _question(actor: Actor, consent: Consent, standing: Standing, at: datetime) -> Question:
    discloser, recipient = consent.discloser, consent.recipient
    same = discloser.user.first_name == recipient.user.first_name
    asked_by = {discloser.user_id: "discloser", recipient.user_id: "recipient"}
    return Question(
        id=consent.pk,
        client=consent.client,
        discloser=_side(discloser, full=same),
        recipient=_side(recipient, full=same),
        purpose=consent.purpose,
        notice=scopes.notice(consent.notice_version),
        standing=standing,
        asked=frozenset(Scope(value) for value in consent.classes_asked),
        asked_by=asked_by.get(consent.asked_by_id, "client"),
        asked_at=consent.asked_at,
        is_own=consent.client.user_id == actor.user_id,
        is_minor=guardians.is_minor(consent.client, at),
    )


def _side(professional: Professional, *, full: bool) -> Side:
    short = professional.user.get_short_name()
    return Side(
        id=professional.pk,
        name=professional.name,
        short=professional.name if full or not short else short,
        role=professional.role,
        role_label=professional.get_role_display(),
        practice=professional.practice.name,
        is_current=professional.is_current,
    )
