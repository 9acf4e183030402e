"""The rows behind the oracle's facts: Ana, everybody around her, and a word planted in each part.

One scene is one state of consent. It holds what `oracle` says, and nothing here decides anything.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import time_machine
from allauth.usersessions.models import UserSession

from clients import consent as consents
from clients import papers
from clients.models import (
    AccessEntry,
    Consent,
    Credential,
    Invitation,
    Professional,
    User,
)
from clients.scopes import Scope
from handoff.core import tokens
from handoff.core.files.accepting import Accepted
from handoff.core.files.kinds import Kind
from referrals import letters, screenings
from referrals.models import (
    Coverage,
    Gate,
    Goal,
    LoopReport,
    Measure,
    Measurement,
    Package,
    ReferralEvent,
    ReferralMessage,
    Reminder,
    ReminderRule,
    Wish,
)
from referrals.states import State as ReferralState
from tests.factories import (
    NOON,
    ClientFactory,
    CredentialFactory,
    DischargeNoteFactory,
    EpisodeFactory,
    PracticeFactory,
    ProfessionalFactory,
    ReferralFactory,
    RestrictionFactory,
    RestrictionVersionFactory,
    UserFactory,
    acting,
    asked_consent,
    certified_trainer,
    granted_consent,
    licensed_pt,
    signed_note,
)
from tests.matrix.asker import Asker
from tests.matrix.oracle.consent import AGREED, ALL, CONTACT, NARROW, OTHER, Parts, State
from tests.matrix.oracle.people import PEOPLE, Asked, Handoff, Who
from tests.matrix.oracle.words import Word
from tests.signing_in import forget_second_factor

BEFORE = NOON - timedelta(days=30)
"""When everything was agreed, written and sent."""
RUNS_OUT = datetime(2027, 1, 13, 5, 0, tzinfo=UTC)
"""Midnight in New York, where Ana lives: the first instant after 12 January."""


def clock_of(state: State) -> datetime:
    """The moment at which everybody asks."""
    return RUNS_OUT + timedelta(seconds=1) if state is State.EXPIRED else NOON


def slug(who: Who) -> str:
    return who.name.lower().replace("_", "")


def planted(word: Word) -> str:
    """The text that stands for a word in the database."""
    match word:
        case "contact":
            return "555-0731"
        case "outcomes":
            return "37.41"
        case "name":
            return "Canaryname"
    kind, _, owner = word.partition(" of ")
    return f"canary{kind}{slug(Who(owner)) if owner else ''}"


class Scene:
    """Everybody and everything, in one state of consent. Built at `BEFORE`."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.clock = clock_of(state)
        self.things: dict[str, uuid.UUID] = {}
        self.tokens: dict[Who, str] = {}
        with time_machine.travel(BEFORE, tick=False):
            self._people()
            self._record()
            for who, person in PEOPLE.items():
                if person.handoff is not Handoff.NONE:
                    self._handoff(who)
            if state is State.OTHER_RECIPIENT:
                somebody = self._grant(certified_trainer(), AGREED)
                self.things["consent of somebody else"] = somebody.pk
            self._another_client()
            self.professionals[Who.SUSPENDED].left_at = BEFORE
            self.professionals[Who.SUSPENDED].save()
        self.entries = AccessEntry.objects.count()

    def sign_in(self) -> None:
        """A session and a token for each person, made at the moment they ask: with a password and
        a second factor, but for who lacks it."""
        self.sessions: dict[Who, int] = {}
        self.browsers: dict[Who, Asker] = {}
        for who in Who:
            user = self.users[who]
            self.browsers[who] = Asker()
            if user is not None:
                self.browsers[who].force_login(user)
                lacks_factor = PEOPLE[who].lacks_factor
                if lacks_factor:
                    forget_second_factor(self.browsers[who])
                token, self.tokens[who] = tokens.issue(
                    user_id=user.pk, name="matrix", second_factor=not lacks_factor
                )
                self.sessions[who] = UserSession.objects.get(user=user).pk
                self.things[f"token of {who}"] = token.pk

    # --- rows -----------------------------------------------------------------------------------

    def _people(self) -> None:
        clinic = PracticeFactory.create()
        self.author = licensed_pt(practice=clinic, phone=planted("contact"))
        # Her account bears another name, so that the frame of her pages does not say the word.
        self.ana = ClientFactory.create(
            user=UserFactory.create(), first_name="Ana", last_name=planted("name"),
            created_by=self.author,
        )  # fmt: skip
        self.bert = ClientFactory.create()
        assistant = ProfessionalFactory.create(role=Professional.Role.PTA, practice=clinic)
        CredentialFactory.create(user=assistant.user, kind=Credential.Kind.PTA_LICENCE)
        self.professionals: dict[Who, Professional] = {
            Who.AUTHOR: self.author,
            Who.COLLEAGUE: licensed_pt(practice=clinic),
            Who.ASSISTANT: assistant,
            Who.OTHER_THERAPIST: licensed_pt(),
            **{
                who: certified_trainer()
                for who, person in PEOPLE.items()
                if person.handoff is not Handoff.NONE or who is Who.OTHERS_TRAINER
            },
        }
        self.users: dict[Who, User | None] = {
            Who.ANONYMOUS: None,
            Who.CLIENT: self.ana.user,
            Who.OTHER_CLIENT: self.bert.user,
            Who.CLINIC_ADMIN: UserFactory.create(is_staff=True),
            Who.STAFF: UserFactory.create(is_staff=True, is_superuser=True),
            **{who: each.user for who, each in self.professionals.items()},
        }

    def _record(self) -> None:
        """A finished therapy with everything signed, and a second one that runs, all in drafts."""
        episode = EpisodeFactory.create(
            client=self.ana, pt=self.author, mechanism=planted("history")
        )
        measure, _ = Measure.objects.get_or_create(
            code="matrix",
            defaults={"name": "Scale", "low": 0, "high": 80, "higher_is_better": True},
        )
        value = Measurement.objects.create(
            episode=episode,
            measure=measure,
            moment="discharge",
            value=Decimal(planted("outcomes")),
            taken_on=BEFORE.date(),
            recorded_by=self.author.user,
        )
        gate = Gate.objects.create(
            client=self.ana,
            episode=episode,
            measure=measure,
            comparator="ge",
            value=Decimal(1),
            unit="points",
            added_by=self.author.user,
        )
        note = signed_note(
            at=BEFORE, episode=episode, course=planted("note"), flare_up_plan=planted("clearance")
        )
        limit = RestrictionFactory.create(episode=episode)
        RestrictionVersionFactory.create(
            restriction=limit, wording=planted("restrictions"), rationale=planted("note"),
            signed_at=BEFORE,
        )  # fmt: skip
        episode.status, episode.ended_on = "finished", BEFORE.date()
        episode.save()
        running = EpisodeFactory.create(client=self.ana, pt=self.author)
        draft = DischargeNoteFactory.create(episode=running, course=planted("draft"))
        Goal.objects.create(note=draft, position=1, text=planted("draft"))
        listed = RestrictionFactory.create(episode=running)
        version = RestrictionVersionFactory.create(
            restriction=listed, draft=True, wording=planted("draft"), set_at=BEFORE
        )
        invitation = Invitation.objects.create(
            client=self.ana, email="ana@example.org", token_hash="0" * 64,
            invited_by=self.author, expires_at=NOON + timedelta(days=7),
        )  # fmt: skip
        assert self.ana.user is not None
        wish = Wish.objects.create(
            client=self.ana, professional=self.professionals[Who.OTHERS_TRAINER], role="trainer",
            wished_by=self.ana.user, wished_at=BEFORE,
        )  # fmt: skip
        self.things |= {
            "client": self.ana.pk,
            "listing": self.author.pk,
            "wish": wish.pk,
            "episode": episode.pk,
            "running episode": running.pk,
            "note": note.pk,
            "draft note": draft.pk,
            "restriction": limit.pk,
            "draft restriction": listed.pk,
            "draft version": version.pk,
            "measurement": value.pk,
            "gate": gate.pk,
            "invitation": invitation.pk,
        }
        self._files()
        self._costs()

    def _costs(self) -> None:
        """Who pays for her therapy, and what she noted of her training."""
        Coverage.objects.create(
            episode_id=self.things["episode"], client=self.ana, payer=planted("costs"),
            visits_authorized=20, visits_used=4, changed_at=BEFORE,
        )  # fmt: skip
        package = Package.objects.create(
            client=self.ana, provider=planted("costs"), sessions_bought=10,
            bought_on=BEFORE.date(), added_at=BEFORE,
        )  # fmt: skip
        self.things["package"] = package.pk

    def _files(self) -> None:
        """A letter about her, handed in for her therapist and by them, and a scan of a paper of
        theirs that nobody has checked, and a result that she kept."""
        sheet = Accepted(Kind.PDF, b"%PDF- a sheet\n%%EOF")
        letter = letters.hand_in(
            actor=acting(self.author, BEFORE),
            client_id=self.ana.pk,
            values={
                "pt": str(self.author.pk), "kind": "clearance", "author": planted("letter"),
                "dated_on": BEFORE.date(),
            },
            letter=sheet,
            at=BEFORE,
        )  # fmt: skip
        paper = CredentialFactory.create(user=self.author.user, verified_at=None, verified_by=None)
        scan = papers.add_scan(
            actor=acting(self.author, BEFORE), credential_id=paper.pk, scan=sheet, at=BEFORE
        )
        kept = screenings.save(
            actor=acting(self.ana, BEFORE),
            client_id=self.ana.pk,
            answers={"pain": "yes"},
            at=BEFORE,
        )
        self.things |= {"letter": letter.pk, "paper": paper.pk, "scan": scan.pk}
        self.things |= {"screening": kept.pk}

    def _handoff(self, who: Who) -> None:
        """A trainer's question to Ana and their handoff, with all that is written in one."""
        person, trainer = PEOPLE[who], self.professionals[who]
        consent = self._question(person.asked, trainer)
        accepted = person.handoff is Handoff.ACCEPTED
        reached = accepted or self.state not in (
            State.NONE,
            State.PROPOSED,
            State.OTHER_RECIPIENT,
        )
        state = ReferralState.IN_PROGRESS if accepted else ReferralState.SENT
        referral = ReferralFactory.create(
            client=self.ana,
            episode_id=self.things["episode"],
            note_id=self.things["note"],
            sender=self.author,
            recipient=trainer,
            consent=consent,
            goal=planted(f"goal of {who}"),
            state=state if reached else ReferralState.AWAITING_CONSENT,
            sent_at=BEFORE if reached else None,
            answered_at=BEFORE if accepted else None,
            created_at=BEFORE,
            state_at=BEFORE,
        )
        ReferralEvent.objects.create(
            referral=referral, verb="send", source="draft", target="sent", party="sender",
            by=self.author.user, at=BEFORE,
        )  # fmt: skip
        ReferralMessage.objects.create(
            referral=referral, author=trainer, text=planted(f"messages of {who}"), sent_at=BEFORE
        )
        if accepted:
            LoopReport.objects.create(
                referral=referral, kind="interim", author=trainer, sessions_held=3,
                observations=planted(f"report of {who}"), sent_at=BEFORE,
            )  # fmt: skip
        if who is Who.TRAINER:
            reminder = Reminder.objects.create(
                rule=ReminderRule.objects.get(number=5), recipient=self.author.user,
                occurrence_key="matrix", referral=referral, audience=Reminder.Audience.SENDER,
                due_at=BEFORE, useful_until=NOON + timedelta(days=3), zone="America/New_York",
                shown_at=BEFORE,
            )  # fmt: skip
            self.things["reminder"] = reminder.pk
        self.things[f"referral of {who}"] = referral.pk
        if consent is not None:
            self.things[f"consent of {who}"] = consent.pk

    def _question(self, asked: Asked, trainer: Professional) -> Consent | None:
        match asked:
            case Asked.NEVER:
                return None
            case Asked.RAN_OUT:
                return self._grant(trainer, ALL, days=20)
            case Asked.STOPPED:
                return self._stopped(self._grant(trainer, ALL))
            case Asked.CONTACT_ONLY:
                return self._grant(trainer, CONTACT)
            case Asked.AS_THE_STATE_SAYS:
                return self._in_state(trainer)

    def _in_state(self, trainer: Professional) -> Consent | None:
        match self.state:
            case State.NONE | State.OTHER_RECIPIENT:
                return None
            case State.PROPOSED:
                return asked_consent(
                    client=self.ana, discloser=self.author, recipient=trainer,
                    classes=frozenset(Scope(part) for part in AGREED), at=BEFORE,
                )  # fmt: skip
            case State.ACTIVE:
                return self._grant(trainer, AGREED)
            case State.OTHER_PARTS:
                return self._grant(trainer, OTHER)
            case State.NOT_YET:
                return self._grant(trainer, AGREED, at=self.clock + timedelta(seconds=1))
            case State.EXPIRED:
                return self._grant(trainer, AGREED, days=29)
            case State.REVOKED:
                return self._stopped(self._grant(trainer, AGREED))
            case State.NARROWER:
                self._grant(trainer, AGREED)
                return self._grant(trainer, NARROW)

    def _grant(
        self, trainer: Professional, parts: Parts, *, days: int = 180, at: datetime = BEFORE
    ) -> Consent:
        return granted_consent(
            client=self.ana,
            discloser=self.author,
            recipient=trainer,
            classes=frozenset(Scope(part) for part in parts),
            days=days,
            at=at,
        )

    def _stopped(self, consent: Consent) -> Consent:
        return consents.revoke(actor=acting(self.ana, BEFORE), consent_id=consent.pk, at=BEFORE)

    def _another_client(self) -> None:
        """Bert shares everything with his own trainer."""
        pt, trainer = (
            self.professionals[Who.OTHER_THERAPIST],
            self.professionals[Who.OTHERS_TRAINER],
        )
        episode = EpisodeFactory.create(
            client=self.bert, pt=pt, mechanism=planted("other"), status="finished",
            ended_on=BEFORE.date(),
        )  # fmt: skip
        note = signed_note(at=BEFORE, episode=episode, course=planted("other"))
        limit = RestrictionFactory.create(episode=episode)
        RestrictionVersionFactory.create(
            restriction=limit, wording=planted("other"), signed_at=BEFORE
        )
        consent = granted_consent(
            client=self.bert, discloser=pt, recipient=trainer, classes=frozenset(Scope), at=BEFORE
        )
        referral = ReferralFactory.create(
            client=self.bert, episode=episode, sender=pt, recipient=trainer, consent=consent,
            state=ReferralState.IN_PROGRESS, goal=planted("other"), sent_at=BEFORE,
            answered_at=BEFORE, created_at=BEFORE, state_at=BEFORE,
        )  # fmt: skip
        self.things |= {
            "other client": self.bert.pk,
            "other episode": episode.pk,
            "other note": note.pk,
            "other consent": consent.pk,
            "other referral": referral.pk,
        }
