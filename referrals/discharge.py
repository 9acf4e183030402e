"""The discharge note: drafted by the treating side, signed once by the therapist, then added to.

A draft takes what is typed and may be incomplete. Signing demands what `discharge_rules` lists
and a licence valid at that moment, seals the note with its goals and restrictions, and ends the
episode. From then on the database itself refuses any change.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import TextChoices
from django.utils import timezone

from clients.licensing import local_day, require_signer
from clients.models import Credential, Professional
from handoff.core import audit
from handoff.core.actors import Actor
from handoff.core.errors import Invalid, NotAllowed, Stale
from referrals import access, reminders, sealing
from referrals.care import MOST_VISITS, account_of, require_running, treats
from referrals.discharge_rules import (
    MOST_PAIN,
    GoalFacts,
    MeasuredFacts,
    NoteFacts,
    RestrictionFacts,
    missing,
)
from referrals.intake import Intake
from referrals.models import Addendum, DischargeNote, Episode, Goal, RestrictionVersion
from referrals.sealing import Covered
from referrals.vocabulary import (
    ClearanceLevel,
    DischargeReason,
    DischargeType,
    GoalOutcome,
    check,
)

MOST_GOALS: Final = 20

_DAYS: Final = ("discharge_on", "first_visit_on", "last_visit_on")
_PAIN: Final = ("pain_now", "pain_worst", "pain_best")
_CHOICES: Final[Mapping[str, type[TextChoices]]] = {
    "discharge_type": DischargeType,
    "reason": DischargeReason,
    "trainer_referral": DischargeNote.TrainerReferral,
    "clearance": ClearanceLevel,
    "restrictions_decision": DischargeNote.RestrictionsDecision,
}
TEXTS: Final[Mapping[str, int]] = {
    "diagnosis": 2000,
    "course": 8000,
    "range_of_motion": 4000,
    "strength": 4000,
    "functional_level": 4000,
    "response": 4000,
    "measures_missing_reason": 1000,
    "home_programme": 8000,
    "equipment": 2000,
    "follow_up": 4000,
    "flare_up_plan": 4000,
    "return_criteria": 4000,
    "future_contact": 300,
}
"""Texts and how long each may be, as their columns have it."""
FIELDS: Final = (*_CHOICES, *_DAYS, *_PAIN, *TEXTS, "visits_completed", "no_home_programme")
"""What a draft may be given."""


@dataclass(frozen=True, slots=True)
class GoalInput:
    """One goal as typed in."""

    text: str = ""
    outcome: str = ""
    why_not: str = ""


def start_note(*, actor: Actor, episode_id: UUID, at: datetime | None = None) -> DischargeNote:
    """The note of an episode, begun from what the episode knows when there is none yet.

    For the treating therapist and assistants. Raises NotVisible, NotAllowed before an imported
    episode is confirmed, Stale when the episode ended without a note.
    """
    at = at or timezone.now()
    with transaction.atomic():
        episode = access.episode_for(actor, episode_id, lock=True)
        note = DischargeNote.objects.filter(episode=episode).first()
        if note is not None:
            return note
        require_running(episode)
        note = DischargeNote.objects.create(
            episode=episode,
            author_id=account_of(actor),
            created_at=at,
            saved_at=at,
            diagnosis=episode.condition,
            first_visit_on=episode.started_on,
            last_visit_on=episode.last_visit_on,
            visits_completed=episode.visits_completed or None,
            future_contact=_contact(episode.pt),
        )
        audit.record(actor, "note.started", note, at=at)
    return note


def save_draft(
    *,
    actor: Actor,
    note_id: UUID,
    revision: int,
    changes: Mapping[str, object],
    goals: Sequence[GoalInput] | None = None,
    at: datetime | None = None,
) -> DischargeNote:
    """Keep what was typed, finished or not; what `changes` leaves out stays.

    `goals`, when given, replaces all of them. `revision` is that of the note the person saw.
    Raises NotVisible, Stale when somebody saved or signed in the meantime, Invalid (and keeps
    nothing) for what no field can hold.
    """
    at = at or timezone.now()
    intake = Intake(changes, FIELDS)
    with transaction.atomic():
        note = access.note_for(actor, note_id, lock=True)
        _require_draft(note, revision)
        _read_into(note, intake)
        rows = None if goals is None else _goals(note, goals, intake)
        intake.raise_if_wrong()
        note.revision += 1
        note.saved_at = at
        note.save()
        if rows is not None:
            Goal.objects.filter(note=note).delete()
            Goal.objects.bulk_create(rows)
        audit.record(actor, "note.saved", note, at=at, facts={"revision": note.revision})
    return note


def what_is_missing(
    *, actor: Actor, note_id: UUID, at: datetime | None = None
) -> dict[str, list[str]]:
    """What a signature would still be refused for, by field; empty for a signed note."""
    at = at or timezone.now()
    note = access.note_for(actor, note_id)
    if note.is_signed:
        return {}
    return missing(facts_of(sealing.covered(note), local_day(note.episode.pt, at)))


def fingerprint(*, actor: Actor, note_id: UUID) -> str:
    """Stands for all that a signature would cover now. A page that shows the note for signing
    hands it back to `sign`, which then refuses to sign anything else."""
    return sealing.fingerprint(sealing.covered(access.note_for(actor, note_id)))


def sign(
    *,
    actor: Actor,
    note_id: UUID,
    revision: int,
    seen: str = "",
    at: datetime | None = None,
) -> DischargeNote:
    """Sign the note with its goals and restrictions, for good, and end the episode.

    Only the treating therapist, with a verified licence valid now where the client lives (R2).
    `revision` and, when given, `seen` are those of the note on the page. Raises NotVisible,
    NotAllowed with the reason, Stale when anything changed meanwhile or it is signed already,
    Invalid naming every missing field. When it raises, nothing is written.
    """
    at = at or timezone.now()
    with transaction.atomic():
        note = access.note_for(actor, note_id, lock=True)
        # The episode's lock keeps new restrictions and scores out until this is done.
        episode = access.episode_for(actor, note.episode_id, lock=True)
        note.episode = episode
        licence = licence_of(actor, episode, at)
        _require_draft(note, revision)
        require_running(episode)
        content = sealing.covered(note)
        if seen and seen != sealing.fingerprint(content):
            raise Stale
        gaps = missing(facts_of(content, local_day(episode.pt, at)))
        if gaps:
            raise Invalid(gaps)
        _sign_restrictions(content.versions, account_of(actor), at)
        _put_signature(note, licence, episode.pt, at)
        note.content_hash = sealing.fingerprint(content)
        note.save()
        episode.status = Episode.Status.FINISHED
        episode.ended_on = note.discharge_on
        episode.save(update_fields=["status", "ended_on"])
        reminders.note_signed(note, at=at)
        reminders.restrictions_changed([each.restriction_id for each in content.versions], at=at)
        audit.record(
            actor,
            "note.signed",
            note,
            at=at,
            facts={
                "revision": note.revision,
                "restrictions": len(content.versions),
                "content_hash": note.content_hash,
            },
        )
    return note


def add_addendum(*, actor: Actor, note_id: UUID, text: str, at: datetime | None = None) -> Addendum:
    """Correct or complete a signed note; the note itself stays as it is.

    Needs what `sign` needs. Raises NotVisible, NotAllowed, Stale while the note is a draft,
    Invalid for an empty or too long text.
    """
    at = at or timezone.now()
    with transaction.atomic():
        note = access.note_for(actor, note_id)
        episode = note.episode
        licence = licence_of(actor, episode, at)
        if not note.is_signed:
            raise Stale("This note is not signed yet. Change the note itself.")
        intake = Intake({"text": text}, ("text",))
        written = intake.text("text", most=8000, lines=True).strip()
        if not written:
            intake.refuse_all({"text": ["Write what should be added."]})
        intake.raise_if_wrong()
        addendum = Addendum.objects.create(
            note=note,
            text=written,
            signed_at=at,
            signed_by_id=account_of(actor),
            signer_name=_name(episode.pt),
            licence_state=licence.state,
            licence_number=licence.number,
        )
        audit.record(actor, "note.added_to", note, at=at, facts={"addendum": str(addendum.pk)})
    return addendum


def licence_of(actor: Actor, episode: Episode, at: datetime) -> Credential:
    """The licence under which the actor may sign for this episode at this moment.

    Raises NotAllowed, with the reason, for everybody but the therapist of the episode, and for
    them without a verified licence valid now in the client's state.
    """
    if not treats(actor, episode):
        raise NotAllowed("Only the treating physical therapist can sign. You can save a draft.")
    return require_signer(episode.pt, state=episode.client.state, at=at)


def facts_of(content: Covered, today: date) -> NoteFacts:
    """What the rules of signing look at, from the rows behind a note."""
    note, episode = content.note, content.episode
    moments: dict[tuple[str, str], set[str]] = {}
    for row in content.measurements:
        moments.setdefault((row.measure_id, row.side), set()).add(row.moment)
    return NoteFacts(
        today=today,
        born_on=episode.client.birth_date,
        body_region=episode.body_region,
        laterality=episode.laterality,
        discharge_type=note.discharge_type,
        discharge_on=note.discharge_on,
        reason=note.reason,
        diagnosis=note.diagnosis,
        first_visit_on=note.first_visit_on,
        last_visit_on=note.last_visit_on,
        visits_completed=note.visits_completed,
        pain_now=note.pain_now,
        pain_worst=note.pain_worst,
        pain_best=note.pain_best,
        functional_level=note.functional_level,
        measures_missing_reason=note.measures_missing_reason,
        home_programme=note.home_programme,
        no_home_programme=note.no_home_programme,
        follow_up=note.follow_up,
        trainer_referral=note.trainer_referral,
        clearance=note.clearance,
        restrictions_decision=note.restrictions_decision,
        flare_up_plan=note.flare_up_plan,
        return_criteria=note.return_criteria,
        future_contact=note.future_contact,
        goals=tuple(GoalFacts(each.text, each.outcome, each.why_not) for each in content.goals),
        measured=tuple(
            MeasuredFacts(measure, side, frozenset(found))
            for (measure, side), found in moments.items()
        ),
        restrictions=tuple(
            RestrictionFacts(each.severity, check(each.spec(), today=today).errors)
            for each in content.versions
        ),
    )


# --- parts --------------------------------------------------------------------------------------


def _require_draft(note: DischargeNote, revision: int) -> None:
    if note.is_signed:
        raise Stale("This note is signed. Add an addendum instead.")
    if note.revision != revision:
        raise Stale


def _read_into(note: DischargeNote, intake: Intake) -> None:
    """Put what the intake has into the note, as typed."""
    readers: dict[str, Callable[[str], Any]] = {
        **{name: _choice_reader(intake, choices) for name, choices in _CHOICES.items()},
        **dict.fromkeys(_DAYS, intake.day),
        **dict.fromkeys(_PAIN, lambda name: intake.whole(name, low=0, high=MOST_PAIN)),
        **dict.fromkeys(
            TEXTS,
            lambda name: intake.text(name, most=TEXTS[name], lines=name != "future_contact"),
        ),
        "visits_completed": lambda name: intake.whole(name, low=0, high=MOST_VISITS),
        "no_home_programme": intake.flag,
    }
    for name, read in readers.items():
        if name in intake:
            setattr(note, name, read(name))


def _choice_reader(intake: Intake, choices: type[TextChoices]) -> Callable[[str], str]:
    return lambda name: intake.choice(name, choices) or ""


def _goals(note: DischargeNote, goals: Sequence[GoalInput], intake: Intake) -> list[Goal]:
    """Unsaved goals in the order given; complaints go to "goals-0-text" and so on."""
    if len(goals) > MOST_GOALS:
        intake.refuse("goals", f"Name at most {MOST_GOALS} goals.")
        return []
    rows = []
    for place, goal in enumerate(goals):
        part = Intake(asdict(goal), ("text", "outcome", "why_not"))
        row = Goal(
            note=note,
            position=place + 1,
            text=part.text("text", most=300),
            outcome=part.choice("outcome", GoalOutcome) or "",
            why_not=part.text("why_not", most=500),
        )
        intake.refuse_all({f"goals-{place}-{name}": texts for name, texts in part.errors.items()})
        rows.append(row)
    return rows


def _sign_restrictions(versions: Sequence[RestrictionVersion], signer: UUID, at: datetime) -> None:
    """One statement, however many there are. Whoever drafted them, the signer now set them."""
    for version in versions:
        version.signed_at, version.set_at, version.set_by_id = at, at, signer
    RestrictionVersion.objects.filter(pk__in=[version.pk for version in versions]).update(
        signed_at=at, set_at=at, set_by_id=signer
    )


def _put_signature(
    note: DischargeNote, licence: Credential, signer: Professional, at: datetime
) -> None:
    note.signed_at = at
    note.saved_at = at
    note.signed_by_id = signer.user_id
    note.signer_name = _name(signer)
    note.signer_credential = licence.title or licence.get_kind_display()
    note.licence_state = licence.state
    note.licence_number = licence.number


def _name(professional: Professional) -> str:
    # The snapshot's column is as wide as two names; an address shown for want of one may be more.
    return professional.name[:160]


def _contact(pt: Professional) -> str:
    parts = (pt.name, pt.practice.name, pt.phone or pt.practice.phone)
    return ", ".join(part for part in parts if part)[:300]
