"""The demo cast: fictional people in every stage of the journey, made with the real verbs.

Nobody here exists. Dates are laid out around the moment of loading, so that the demo always looks
like today. Every verb runs `at` its own moment, as it would have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.db import transaction

from clients import verification
from clients.access import actor_for
from clients.models import Client, Credential, Guardianship, Practice, Professional, User
from clients.scopes import Scope
from handoff.core import subjects
from handoff.core.actors import Actor
from handoff.web.demo import PASSWORD
from referrals import (
    care,
    discharge,
    disclosure,
    investment,
    lifecycle,
    restrictions,
    sharing,
)
from referrals.discharge import GoalInput
from referrals.models import Episode, Referral

ZONE = "America/New_York"


@dataclass(frozen=True, slots=True)
class Paper:
    """One credential; `days` is how long it still runs (negative: since when it does not)."""

    kind: Credential.Kind
    title: str
    issuer: str
    number: str
    days: int
    state: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """What somebody says of themselves in the directory."""

    introduction: str
    languages: tuple[str, ...]
    open_places: int | None = None


def _licence(number: str, days: int, title: str = "DPT") -> Paper:
    kind = Credential.Kind.PT_LICENCE
    return Paper(kind, title, "New York State Education Department (demo)", number, days, "NY")


def _privilege(number: str, days: int) -> Paper:
    """For clients who live across the state line, as the clients in many sample files do."""
    kind = Credential.Kind.COMPACT_PRIVILEGE
    return Paper(kind, "DPT", "PT Compact (demo)", number, days, "MA")


def _certified(title: str, number: str, days: int, cpr_days: int) -> tuple[Paper, ...]:
    kinds = Credential.Kind
    return (
        Paper(kinds.TRAINER_CERTIFICATION, title, "NSCA (demo)", number, days),
        Paper(kinds.CPR_AED, "CPR/AED", "Red Cross (demo)", f"{number}-C", cpr_days),
    )


CLINICS = {
    "harbour": ("Harbour Physical Therapy (demo)", "clinic", "555-0110", "Brooklyn"),
    "northside": ("Northside Physical Therapy (demo)", "clinic", "555-0120", "Queens"),
    "ironworks": ("Ironworks Gym (demo)", "gym", "555-0130", "Brooklyn"),
    "riverside": ("Riverside Strength (demo)", "gym", "555-0140", "Queens"),
}
PROFESSIONALS: Sequence[
    tuple[str, str, str, str, str, str, Sequence[str], Listing, Sequence[Paper]]
] = (
    (
        *("pt", "Priya", "Raman", "pt", "harbour", "555-0111"),
        ("knee", "hip", "return_to_sport"),
        Listing("I treat knees and hips, most of them after an operation.", ("en", "hi"), 4),
        (_licence("PT-204817", 540), _privilege("PC-204817", 540)),
    ),
    (
        *("pt2", "Marek", "Nowak", "pt", "northside", "555-0121"),
        ("shoulder",),
        Listing("Shoulders, from stiff to operated.", ("en", "pl")),
        (_licence("PT-198233", 300),),
    ),
    (
        *("pt-expired", "Helen", "Voss", "pt", "northside", "555-0122"),
        ("back",),
        Listing("Backs, and getting up again.", ("en",)),
        (_licence("PT-155021", -20),),
    ),
    (
        *("trainer", "Tom", "Okafor", "trainer", "ironworks", "555-0131"),
        ("after_therapy", "strength", "running"),
        Listing(
            "I help people to get strong again after therapy, and back to running.", ("en",), 3
        ),
        _certified("NSCA-CSCS", "CS-88120", 420, 200),
    ),
    (
        *("trainer2", "Uma", "Lindgren", "trainer", "riverside", "555-0141"),
        ("field_sport", "older_adults", "balance"),
        Listing("From football to steady on your feet at eighty.", ("en", "es"), 2),
        _certified("NASM-CPT", "NA-45012", 250, 55),
    ),
    (
        *("trainer-lapsed", "Ravi", "Mehta", "trainer", "riverside", "555-0142"),
        ("general_fitness",),
        Listing("Fit for every day.", ("en",)),
        _certified("ACE-CPT", "AC-30077", 90, -22),
    ),
)
CLIENTS: Sequence[tuple[str, str, str, date | int]] = (
    ("client", "Ana", "Duarte", date(1994, 3, 8)),
    ("client2", "Jonas", "Weber", date(1987, 11, 21)),
    ("client3", "Mira", "Castellano", date(1979, 6, 2)),
    ("minor", "Leo", "Brandt", 17),
)


def load(at: datetime) -> bool:
    """Make the cast around `at`; False, and nothing done, when it is there already."""
    if User.objects.filter(email="pt@example.org").exists():
        return False
    loader = Loader(at)
    with transaction.atomic():
        loader.load()
    loader.look()
    return True


class Loader:
    """One loading: keeps the people by their short name."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.users: dict[str, User] = {}
        self.professionals: dict[str, Professional] = {}
        self.clients: dict[str, Client] = {}

    def load(self) -> None:
        admin = self._user("admin", "Sam", "Keller")
        admin.is_staff = admin.is_superuser = True
        admin.save()
        self._people()
        for name, stage in (
            ("client", self._just_discharged),
            ("client2", self._in_rehab),
            ("client3", self._in_training),
            ("minor", self._minor),
        ):
            with subjects.of(self.clients[name].pk):
                stage()

    def look(self) -> None:
        """Tom opens Mira's page now and then, so that she has something to look up.

        By itself, because the door commits each look before it shows anything.
        """
        mira = self.clients["client3"].pk
        for days in (-22, -20, -3):
            with subjects.of(mira):
                disclosure.disclose(
                    actor=self._actor("trainer"),
                    client_id=mira,
                    purpose="client page",
                    at=self._days(days, 2),
                )

    # --- people ------------------------------------------------------------------------------

    def _user(self, name: str, first: str, last: str) -> User:
        email = f"{name}@example.org"
        user = User.objects.create_user(
            email, PASSWORD, first_name=first, last_name=last, time_zone=ZONE
        )
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        self.users[name] = user
        return user

    def _people(self) -> None:
        places = {
            key: Practice.objects.create(
                name=name,
                kind=kind,
                phone=phone,
                email=f"{key}@example.org",
                city=city,
                state="NY",
                time_zone=ZONE,
            )
            for key, (name, kind, phone, city) in CLINICS.items()
        }
        for name, first, last, role, place, phone, specialties, listing, papers in PROFESSIONALS:
            user = self._user(name, first, last)
            self.professionals[name] = Professional.objects.create(
                user=user,
                role=role,
                practice=places[place],
                phone=phone,
                specialties=list(specialties),
                languages=list(listing.languages),
                introduction=listing.introduction,
                open_places=listing.open_places,
                in_directory=True,
            )
            for paper in papers:
                self._credential(user, paper)
        for name, first, last, born in CLIENTS:
            if isinstance(born, int):
                today = self.at.date()
                born = date(today.year - born, today.month, 1) - timedelta(days=120)
            user = self._user(name, first, last)
            self.clients[name] = Client.objects.create(
                user=user,
                first_name=first,
                last_name=last,
                birth_date=born,
                email=user.email,
                phone="555-0150",
                state="NY",
                time_zone=ZONE,
                created_by=self.professionals["pt"],
            )
        guardian = self._user("guardian", "Ines", "Brandt")
        row = Guardianship.objects.create(
            client=self.clients["minor"],
            user=guardian,
            relationship=Guardianship.Relationship.PARENT,
        )
        verification.verify_guardianship(
            actor=self._actor("admin"), guardianship_id=row.pk, at=self._days(-80)
        )

    def _credential(self, user: User, paper: Paper) -> None:
        today = self.at.date()
        credential = Credential.objects.create(
            user=user,
            kind=paper.kind,
            title=paper.title,
            issuer=paper.issuer,
            number=paper.number,
            state=paper.state,
            issued_on=today - timedelta(days=700),
            expires_on=today + timedelta(days=paper.days),
        )
        verification.verify_credential(
            actor=self._actor("admin"),
            credential_id=credential.pk,
            where="Register of the issuer (demo)",
            at=self._days(-90),
        )

    # --- the stages of the journey ----------------------------------------------------------------

    def _just_discharged(self) -> None:
        """Ana: signed yesterday, and asked whether Tom may see parts of it."""
        episode = self._episode("client", started=-86, planned=-1, visits=22)
        self._measure(episode, "lefs", 34, 66, started=-86, ended=-2)
        self._measure(episode, "nprs", 7, 2, started=-86, ended=-2)
        self._limits(episode, KNEE_LIMITS, -1)
        self._sign(episode, KNEE_NOTE, KNEE_GOALS, -1, visits=22, started=-86)
        self._hand_off(episode, "trainer", "Run 5 km with my sister by spring", -1)

    def _in_rehab(self) -> None:
        """Jonas: still in therapy, discharge planned, the note begun."""
        episode = self._episode(
            "client2",
            started=-40,
            planned=6,
            visits=11,
            condition="Right shoulder stiffness after a fall",
            icd10_code="M25.611",
            body_region="shoulder",
            laterality="right",
            mechanism="Fell from a bicycle",
            surgery="",
            surgery_on="",
        )
        self._measure(episode, "quickdash", 52, None, started=-40, ended=None, side="right")
        self._measure(episode, "nprs", 6, None, started=-40, ended=None)
        actor = self._actor("pt")
        investment.set_coverage(
            actor=actor,
            episode_id=episode.pk,
            data={
                "payer": "Fictional Health Plan",
                "visits_authorized": 14,
                "visits_used": 11,
                "authorized_until": self._day(20),
                "cost_per_visit": "25.00",
            },
            at=self._days(-1),
        )
        note = discharge.start_note(actor=actor, episode_id=episode.pk, at=self._days(-1))
        discharge.save_draft(
            actor=actor,
            note_id=note.pk,
            revision=note.revision,
            changes={"course": "Manual therapy, then range and strength work."},
            goals=[GoalInput(text="Reach the top shelf without pain")],
            at=self._days(-1),
        )

    def _in_training(self) -> None:
        """Mira: handed over three weeks ago, shares four parts, trains with Tom."""
        episode = self._episode(
            "client3",
            started=-120,
            planned=-24,
            visits=18,
            condition="Lower back pain with stiffness after long sitting",
            icd10_code="M54.50",
            body_region="lumbar",
            laterality="midline",
            mechanism="Came on slowly at work",
            surgery="",
            surgery_on="",
        )
        self._measure(episode, "odi", 42, 14, started=-120, ended=-25)
        self._measure(episode, "nprs", 6, 1, started=-120, ended=-25)
        self._limits(episode, BACK_LIMITS, -24)
        self._sign(episode, BACK_NOTE, BACK_GOALS, -24, visits=18, started=-120)
        referral = self._hand_off(
            episode, "trainer", "Carry my shopping and play with my kids", -24
        )
        self._agree(referral, "client3", -23)
        trainer = self._actor("trainer")
        lifecycle.view(actor=trainer, referral_id=referral.pk, at=self._days(-22))
        lifecycle.accept(actor=trainer, referral_id=referral.pk, at=self._days(-22, 1))
        restrictions.acknowledge_all(
            actor=trainer, client_id=referral.client_id, at=self._days(-22, 2)
        )
        lifecycle.schedule(
            actor=trainer,
            referral_id=referral.pk,
            first_session_at=self._days(-20),
            at=self._days(-22, 3),
        )
        lifecycle.begin(actor=trainer, referral_id=referral.pk, at=self._days(-20, 1))
        lifecycle.report(
            actor=trainer,
            referral_id=referral.pk,
            observations="Six sessions so far. Hinge with 20 kg, pain at most 2, gone by morning.",
            sessions_held=6,
            at=self._days(-3),
        )
        investment.add_package(
            actor=self._actor("client3"),
            client_id=referral.client_id,
            data={
                "provider": "Tom Okafor",
                "sessions_bought": 10,
                "sessions_used": 6,
                "price": "650",
                "bought_on": self._day(-20),
            },
            at=self._days(-3),
        )

    def _minor(self) -> None:
        """Leo, 17: discharged; his mother is asked."""
        episode = self._episode(
            "minor",
            started=-60,
            planned=-2,
            visits=14,
            condition="Left ankle sprain, second time this year",
            icd10_code="S93.402A",
            body_region="ankle",
            laterality="left",
            mechanism="Landed on another player's foot",
            surgery="",
            surgery_on="",
        )
        self._measure(episode, "lefs", 41, 74, started=-60, ended=-2)
        self._measure(episode, "nprs", 6, 1, started=-60, ended=-2)
        self._limits(episode, ANKLE_LIMITS, -2)
        self._sign(episode, ANKLE_NOTE, ANKLE_GOALS, -2, visits=14, started=-60)
        self._hand_off(episode, "trainer2", "Play the whole season", -2)

    # --- steps ------------------------------------------------------------------------------------

    def _days(self, days: float, hours: float = 0) -> datetime:
        return self.at + timedelta(days=days, hours=hours)

    def _day(self, days: int) -> date:
        # In the cast's own zone: late in the evening there, UTC is a day ahead.
        return (self.at + timedelta(days=days)).astimezone(ZoneInfo(ZONE)).date()

    def _actor(self, name: str) -> Actor:
        return actor_for(self.users[name], at=self.at)

    def _episode(
        self, client: str, *, started: int, planned: int, visits: int, **changes: Any
    ) -> Episode:
        data: dict[str, Any] = {
            "condition": "Left knee, three months after ACL reconstruction",
            "icd10_code": "S83.512D",
            "body_region": "knee",
            "laterality": "left",
            "onset_on": self._day(started - 30),
            "mechanism": "Twisted the knee at football",
            "surgery": "ACL reconstruction, hamstring graft",
            "surgery_on": self._day(started - 7),
            "started_on": self._day(started),
            "visits_completed": visits,
            "planned_discharge_on": self._day(planned),
            **changes,
        }
        past = min(planned, 0) - 1
        data["last_visit_on"] = self._day(past)
        return care.open_episode(
            actor=self._actor("pt"),
            client_id=self.clients[client].pk,
            data=data,
            at=self._days(past, 1),
        )

    def _measure(
        self,
        episode: Episode,
        measure: str,
        first: int,
        last: int | None,
        *,
        started: int,
        ended: int | None,
        side: str = "",
    ) -> None:
        readings: list[tuple[str, int, int]] = [("start", first, started)]
        if last is not None and ended is not None:
            readings.append(("discharge", last, ended))
        for moment, value, day in readings:
            care.record_measurement(
                actor=self._actor("pt"),
                episode_id=episode.pk,
                measure=measure,
                moment=moment,
                value=value,
                taken_on=self._day(day),
                side=side,
                at=self._days(-1) if ended is None else self._days(ended, 2),
            )

    def _limits(self, episode: Episode, limits: Sequence[Mapping[str, Any]], day: int) -> None:
        for limit in limits:
            restrictions.add_draft(
                actor=self._actor("pt"),
                episode_id=episode.pk,
                data={**limit, "review_on": self._day(day + limit["review_on"])},
                at=self._days(day),
            )

    def _sign(
        self,
        episode: Episode,
        fields: Mapping[str, Any],
        goals: Sequence[GoalInput],
        day: int,
        *,
        visits: int,
        started: int,
    ) -> None:
        actor = self._actor("pt")
        note = discharge.start_note(actor=actor, episode_id=episode.pk, at=self._days(day))
        note = discharge.save_draft(
            actor=actor,
            note_id=note.pk,
            revision=note.revision,
            changes={
                **COMMON_NOTE,
                **fields,
                "discharge_on": self._day(day),
                "first_visit_on": self._day(started),
                "last_visit_on": self._day(day - 1),
                "visits_completed": visits,
            },
            goals=goals,
            at=self._days(day, 0.1),
        )
        discharge.sign(
            actor=actor, note_id=note.pk, revision=note.revision, at=self._days(day, 0.2)
        )

    def _hand_off(self, episode: Episode, trainer: str, goal: str, day: int) -> Referral:
        actor = self._actor("pt")
        referral = lifecycle.draft(
            actor=actor,
            client_id=episode.client_id,
            recipient_id=self.professionals[trainer].pk,
            episode_id=episode.pk,
            goal=goal,
            start_from=self._day(day + 3),
            start_until=self._day(day + 24),
            at=self._days(day, 0.3),
        )
        return lifecycle.send(actor=actor, referral_id=referral.pk, at=self._days(day, 0.4))

    def _agree(self, referral: Referral, client: str, day: int) -> None:
        if referral.consent_id is None:
            raise RuntimeError("the handoff did not ask for consent")
        sharing.grant(
            actor=self._actor(client),
            consent_id=referral.consent_id,
            classes=[
                Scope.CONTACT,
                Scope.CLEARANCE,
                Scope.RESTRICTIONS,
                Scope.TRAINING_FEEDBACK,
            ],
            expires_on=self._day(day + 180),
            at=self._days(day),
        )


COMMON_NOTE: Mapping[str, Any] = {
    "discharge_type": "full",
    "reason": "goals_met",
    "pain_best": 0,
    "response": "Came to every visit, did the home programme most days.",
    "trainer_referral": "yes",
    "clearance": "cleared_with_restrictions",
    "restrictions_decision": "listed",
    "equipment": "None.",
    "future_contact": "Priya Raman, Harbour Physical Therapy (demo), 555-0111",
}
KNEE_NOTE: Mapping[str, Any] = {
    "diagnosis": "Left ACL reconstruction (hamstring graft), strength not yet symmetric.",
    "course": "Progressive strength, range and gait work. Full extension from week 5.",
    "pain_now": 1,
    "pain_worst": 3,
    "range_of_motion": "Left knee 0 to 138 degrees.",
    "strength": "Quadriceps left 82 % of right.",
    "functional_level": "Stairs and a 30 minute walk without pain; no running yet.",
    "home_programme": "Split squat, hip thrust and calf raises, three times a week.",
    "follow_up": "Strength with a trainer, three months; hop tests again at the review.",
    "flare_up_plan": "Two quiet days, ice, then half the load for a week.",
    "return_criteria": "Swelling, giving way, or pain above 5 that stays a second day.",
}
KNEE_GOALS = (
    GoalInput("Climb stairs without pain", "met"),
    GoalInput("Left thigh strength 90 % of right", "partly", "82 % at week 12"),
)
KNEE_LIMITS: Sequence[Mapping[str, Any]] = (
    {
        "kind": "avoid",
        "severity": "must_not",
        "body_region": "knee",
        "laterality": "left",
        "patterns": ["jump", "land"],
        "wording": "No jumping, landing or hopping on the left leg.",
        "rationale": "Graft at three months; hop symmetry not tested.",
        "instead": "Step-downs from 20 cm, sled push, bicycle intervals.",
        "criteria": [
            {"measure": "Hop test, left against right", "comparator": "ge", "value": "90"}
            | {"unit": "pct", "side": "left"}
        ],
        "review_on": 57,
    },
    {
        "kind": "limit_rom",
        "severity": "limit",
        "body_region": "knee",
        "laterality": "left",
        "patterns": ["squat"],
        "joint_action": "flexion",
        "comparator": "le",
        "value": "90",
        "unit": "deg",
        "wording": "Under load, left knee bends at most 90 degrees.",
        "rationale": "Patellofemoral load under deep flexion.",
        "instead": "Box squat to 45 cm, leg press 0 to 90 degrees.",
        "criteria": [
            {"measure": "Thigh strength, left against right", "comparator": "ge", "value": "90"}
            | {"unit": "pct", "side": "left"}
        ],
        "review_on": 57,
    },
    {
        "kind": "pain_rule",
        "severity": "caution",
        "body_region": "knee",
        "laterality": "left",
        "patterns": ["kneel"],
        "comparator": "le",
        "value": "3",
        "unit": "nprs",
        "wording": "Kneeling on the left can be tender; stop above 3.",
        "instead": "Kneel on a thick pad, or stand.",
        "criteria": [{"kind": "pt_review"}],
        "review_on": 57,
    },
)
BACK_NOTE: Mapping[str, Any] = {
    "diagnosis": "Mechanical lower back pain, recurrent.",
    "course": "Education, graded loading, hinge pattern from week 4.",
    "pain_now": 1,
    "pain_worst": 2,
    "functional_level": "Sits two hours, lifts 15 kg from the floor.",
    "home_programme": "Hinge with a band and side plank, four times a week.",
    "follow_up": "Strength with a trainer; review of the limit in six weeks.",
    "flare_up_plan": "Keep walking, drop the load by half for three days.",
    "return_criteria": "Leg pain, numbness, or a week without improvement.",
}
BACK_GOALS = (GoalInput("Sit through a meeting", "met"), GoalInput("Lift a child", "met"))
BACK_LIMITS: Sequence[Mapping[str, Any]] = (
    {
        "kind": "limit_load",
        "severity": "limit",
        "body_region": "lumbar",
        "laterality": "midline",
        "patterns": ["hinge"],
        "comparator": "le",
        "value": "30",
        "unit": "kg",
        "wording": "Lifting from the floor: at most 30 kg.",
        "instead": "Hip thrust or leg press, no limit.",
        "criteria": [{"kind": "pt_review"}],
        "review_on": 45,
    },
)
ANKLE_NOTE: Mapping[str, Any] = {
    "diagnosis": "Lateral ankle sprain, left, grade II, recurrent.",
    "course": "Balance and calf work, brace for sport.",
    "pain_now": 0,
    "pain_worst": 2,
    "functional_level": "Jogs 20 minutes, no cutting yet.",
    "home_programme": "Single-leg balance and calf raises, daily.",
    "follow_up": "Balance and jump work with a trainer, then team practice.",
    "flare_up_plan": "Rest a day, brace, then start one step back.",
    "return_criteria": "New swelling, or the ankle gives way.",
}
ANKLE_GOALS = (GoalInput("Jog 20 minutes", "met"),)
ANKLE_LIMITS: Sequence[Mapping[str, Any]] = (
    {
        "kind": "avoid",
        "severity": "must_not",
        "body_region": "ankle",
        "laterality": "left",
        "patterns": ["change_of_direction"],
        "wording": "No cutting or sharp turns.",
        "instead": "Straight-line running, bicycle.",
        "criteria": [
            {"measure": "Single-leg hop, left against right", "comparator": "ge", "value": "90"}
            | {"unit": "pct", "side": "left"}
        ],
        "review_on": 30,
    },
)
