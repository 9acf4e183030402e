"""Episodes of care and what was measured in them: open, correct, confirm, record."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clients.access import professional_of, require_kept
from clients.licensing import local_day
from clients.models import Client, Professional
from handoff.core import audit
from handoff.core.actors import Actor, Role
from handoff.core.errors import Invalid, NotAllowed, NotVisible, Stale
from referrals import access, reminders
from referrals.intake import Intake
from referrals.measures import DECIMAL_PLACES, number
from referrals.models import Episode, Measure, Measurement, Referral
from referrals.states import OPEN, RECIPIENT_MAY_READ
from referrals.vocabulary import (
    PAIRED,
    BodyRegion,
    Laterality,
    normal_icd10,
    sides_of,
)

Status = Episode.Status
Moment = Measurement.Moment

FIELDS = (
    *("condition", "icd10_code", "body_region", "laterality", "onset_on", "mechanism"),
    *("surgery", "surgery_on", "started_on", "last_visit_on", "visits_completed"),
    *("planned_discharge_on", "recurrence_of"),
)
MOST_VISITS = 999
# A plan further away than this is a slip of the pen.
LATEST_PLAN = timedelta(days=730)


def open_episode(
    *, actor: Actor, client_id: UUID, data: Mapping[str, object], at: datetime | None = None
) -> Episode:
    """Begin an episode of care, with the acting therapist as the one who treats.

    For a therapist who took the client on: invited them, treats or treated them, or accepted a
    referral. Raises NotVisible, NotAllowed for other roles, Invalid with every field named.
    """
    at = at or timezone.now()
    client = access.client_for(actor, client_id, at=at)
    require_kept(client)
    pt = _therapist_of(actor, client)
    intake = Intake(data, FIELDS)
    with transaction.atomic():
        episode = Episode(client=client, pt=pt, status=Status.ACTIVE, created_at=at)
        _read_into(episode, intake, actor)
        _check(episode, intake, today=local_day(pt, at), planned_before=None)
        intake.raise_if_wrong()
        episode.save(force_insert=True)
        reminders.episode_changed(episode, at=at)
        audit.record(actor, "episode.opened", episode, at=at)
    return episode


def update_episode(
    *, actor: Actor, episode_id: UUID, changes: Mapping[str, object], at: datetime | None = None
) -> Episode:
    """Correct an episode, or move it on with `changes["status"]`.

    "active" confirms an imported episode; "entered_in_error" closes one that should not exist,
    as long as no referral is open under it, and leaves the rest as it was. Only the treating
    therapist does this. Raises NotVisible, NotAllowed, Stale once the episode has ended, Invalid.
    """
    at = at or timezone.now()
    with transaction.atomic():
        episode = access.episode_for(actor, episode_id, lock=True)
        require_treating(actor, episode)
        if episode.status not in (Status.REVIEW, Status.ACTIVE):
            raise Stale("This episode has ended. What is signed is corrected by an addendum.")
        intake = Intake(changes, (*FIELDS, "status"))
        before = episode.status
        if "status" in intake:
            episode.status = _next_status(episode, intake)
        if episode.status != Status.ENTERED_IN_ERROR:
            planned, earlier = episode.planned_discharge_on, episode.recurrence_of_id
            _read_into(episode, intake, actor)
            if episode.recurrence_of_id != earlier:
                # What was said about coming back was said about that earlier episode.
                episode.recurrence_kind, episode.full_return_on = "", None
            _check(episode, intake, today=local_day(episode.pt, at), planned_before=planned)
        intake.raise_if_wrong()
        episode.save()
        reminders.episode_changed(episode, at=at)
        audit.record(
            actor,
            "episode.updated",
            episode,
            at=at,
            facts={"from": before, "to": episode.status},
        )
    return episode


def record_measurement(
    *,
    actor: Actor,
    episode_id: UUID,
    measure: str,
    moment: str,
    value: object,
    taken_on: object,
    side: str = "",
    at: datetime | None = None,
) -> Measurement:
    """Add one value of one measure; the measure's own row says which values it has.

    The treating therapist or an assistant of the practice. Raises NotVisible, Stale once the
    episode has ended, Invalid at the field.
    """
    at = at or timezone.now()
    entries = {
        "measure": measure,
        "moment": moment,
        "value": value,
        "taken_on": taken_on,
        "side": side,
    }
    with transaction.atomic():
        episode = require_running(access.episode_for(actor, episode_id, lock=True))
        measurement = _read_measurement(
            Intake(entries, entries), episode, local_day(episode.pt, at)
        )
        measurement.recorded_by_id = account_of(actor)
        measurement.recorded_at = at
        measurement.save(force_insert=True)
        audit.record(
            actor, "measurement.recorded", measurement, at=at, facts={"episode": str(episode.pk)}
        )
    return measurement


def remove_measurement(*, actor: Actor, measurement_id: UUID, at: datetime | None = None) -> None:
    """Take back a value that was typed wrongly, while nothing is signed.

    The treating therapist, or whoever recorded it. Raises NotVisible, NotAllowed, Stale once the
    episode has ended.
    """
    at = at or timezone.now()
    with transaction.atomic():
        found = Measurement.objects.filter(pk=measurement_id).first()
        episode = access.episode_for(actor, _episode_id(found), lock=True)
        require_running(episode)
        # Again under the lock: somebody else may just have removed it.
        measurement = Measurement.objects.filter(pk=measurement_id).first()
        if measurement is None:
            raise Stale
        if measurement.recorded_by_id != actor.user_id:
            require_treating(actor, episode)
        audited = Measurement(pk=measurement.pk)
        measurement.delete()
        audit.record(
            actor, "measurement.removed", audited, at=at, facts={"episode": str(episode.pk)}
        )


# --- guards shared by the verbs of care ---------------------------------------------------------


def account_of(actor: Actor) -> UUID:
    """The account that acts. Raises NotVisible for the system and for nobody."""
    if actor.user_id is None:
        raise NotVisible
    return actor.user_id


def treats(actor: Actor, episode: Episode) -> bool:
    """Whether the actor is the therapist of this episode, not an assistant or anybody else."""
    return (Role.PT, episode.pt_id) in actor.professionals


def require_treating(actor: Actor, episode: Episode) -> None:
    """Raises NotAllowed unless the actor is the therapist of this episode."""
    if not treats(actor, episode):
        raise NotAllowed("Only the treating physical therapist can do this.")


def require_running(episode: Episode) -> Episode:
    """The episode, when it can still be written to. Raises NotAllowed before an imported one is
    confirmed, Stale once it has ended."""
    if episode.status == Status.REVIEW:
        raise NotAllowed("Check the imported episode first, and confirm it.")
    if episode.status != Status.ACTIVE:
        raise Stale("This episode has ended. What is signed is corrected by an addendum.")
    return episode


def value_problems(measure: Measure, value: Decimal) -> list[str]:
    """What is wrong with `value` on this measure, by the numbers of its row, which admins edit."""
    if not measure.low <= value <= measure.high:
        return [f"{measure.name} runs from {number(measure.low)} to {number(measure.high)}."]
    if measure.whole_numbers and value != value.to_integral_value():
        return [f"{measure.name} takes whole numbers only."]
    if value != round(value, DECIMAL_PLACES):
        return [f"Use at most {DECIMAL_PLACES} decimals."]
    return []


# --- parts --------------------------------------------------------------------------------------


def _therapist_of(actor: Actor, client: Client) -> Professional:
    """The acting therapist, if they took this client on. Raises NotAllowed."""
    if Role.PT not in actor.roles:
        raise NotAllowed("Only a physical therapist can open an episode of care.")
    pt = professional_of(actor, Role.PT)
    if client.user_id is not None and client.user_id == actor.user_id:
        raise NotAllowed("You cannot treat yourself.")
    treated = Episode.objects.filter(client=client, pt=pt)
    received = Referral.objects.filter(
        client=client, recipient=pt, state__in=list(RECIPIENT_MAY_READ)
    )
    if client.created_by_id != pt.pk and not treated.exists() and not received.exists():
        raise NotAllowed("Invite the client first, or accept a referral.")
    return pt


def _read_into(episode: Episode, intake: Intake, actor: Actor) -> None:
    """Put what the intake has into the episode; what it does not have stays as it is."""
    readers: dict[str, Callable[[], object]] = {
        "condition": lambda: intake.text("condition", most=300).strip(),
        "icd10_code": lambda: _icd10(intake),
        "body_region": lambda: intake.choice("body_region", BodyRegion) or "",
        "laterality": lambda: intake.choice("laterality", Laterality) or "",
        "onset_on": lambda: intake.day("onset_on"),
        "mechanism": lambda: intake.text("mechanism", most=300).strip(),
        "surgery": lambda: intake.text("surgery", most=300).strip(),
        "surgery_on": lambda: intake.day("surgery_on"),
        "started_on": lambda: intake.day("started_on"),
        "last_visit_on": lambda: intake.day("last_visit_on"),
        "visits_completed": lambda: intake.whole("visits_completed", low=0, high=MOST_VISITS) or 0,
        "planned_discharge_on": lambda: intake.day("planned_discharge_on"),
        "recurrence_of": lambda: _earlier_episode(episode, intake, actor),
    }
    for name, read in readers.items():
        if name in intake:
            setattr(episode, name, read())
    region = BodyRegion(episode.body_region) if episode.body_region else None
    if region is not None and region not in PAIRED and not episode.laterality:
        episode.laterality = Laterality.NOT_APPLICABLE


def _icd10(intake: Intake) -> str:
    typed = intake.text("icd10_code", most=20).strip()
    if not typed:
        return ""
    code = normal_icd10(typed)
    if code is None:
        intake.refuse("icd10_code", "Write the code like M54.5, or leave it empty.")
    return code or ""


def _earlier_episode(episode: Episode, intake: Intake, actor: Actor) -> Episode | None:
    """The ended episode this one is a recurrence of: same client, known to the actor."""
    pk = intake.identifier("recurrence_of")
    if pk is None:
        return None
    earlier = (
        access.episodes_visible_to(actor)
        .filter(pk=pk, client_id=episode.client_id, status=Status.FINISHED)
        .first()
    )
    if earlier is None:
        intake.refuse("recurrence_of", "Choose an ended episode of this client.")
    return earlier


def _next_status(episode: Episode, intake: Intake) -> str:
    wanted = intake.choice("status", Status)
    if wanted is Status.ACTIVE or wanted == episode.status:
        return wanted
    if wanted is Status.FINISHED:
        intake.refuse("status", "An episode ends when its discharge note is signed.")
    elif wanted is not Status.ENTERED_IN_ERROR:
        intake.refuse_all({"status": ["Choose from the list."]})
    elif Referral.objects.filter(episode=episode, state__in=sorted(OPEN)).exists():
        intake.refuse("status", "A referral is open. Cancel it first.")
    else:
        return wanted
    return episode.status


def _check(episode: Episode, intake: Intake, *, today: date, planned_before: date | None) -> None:
    """Complain about everything that is missing or cannot be; the whole episode is looked at."""
    found: dict[str, list[str]] = {}

    def refuse(name: str, text: str) -> None:
        found.setdefault(name, []).append(text)

    if not episode.condition:
        refuse("condition", "Describe the condition in your own words.")
    _check_side(episode, refuse)
    if episode.surgery_on is not None and not episode.surgery:
        refuse("surgery", "Say which surgery it was.")
    _check_past(episode, refuse, today)
    is_new = episode.planned_discharge_on != planned_before
    _check_plan(episode, refuse, today, is_new=is_new)
    intake.refuse_all(found)


def _check_side(episode: Episode, refuse: Callable[[str, str], None]) -> None:
    if not episode.body_region:
        refuse("body_region", "Choose the body region.")
        return
    region = BodyRegion(episode.body_region)
    if episode.laterality in sides_of(region):
        return
    if region in PAIRED:
        refuse("laterality", "Choose left, right or both.")
    else:
        refuse("laterality", "This region has no such side.")


_START = "started_on"
_PAST = ("onset_on", "surgery_on", _START, "last_visit_on")


def _check_past(episode: Episode, refuse: Callable[[str, str], None], today: date) -> None:
    born = episode.client.birth_date
    days: dict[str, date | None] = {name: getattr(episode, name) for name in _PAST}
    for name, day in days.items():
        if day is not None and day > today:
            refuse(name, "This cannot be in the future.")
        elif day is not None and day < born:
            refuse(name, "This is before the client was born.")
    start, last = days[_START], days["last_visit_on"]
    if start is None:
        refuse("started_on", "Enter the day of the first visit.")
    elif last is not None and last < start:
        refuse("last_visit_on", "The last visit cannot be before the first.")


def _check_plan(
    episode: Episode, refuse: Callable[[str, str], None], today: date, *, is_new: bool
) -> None:
    plan = episode.planned_discharge_on
    start: date | None = getattr(episode, _START)
    if plan is None:
        return
    if start is not None and plan < start:
        refuse("planned_discharge_on", "This is before the first visit.")
    elif is_new and plan < today:
        refuse("planned_discharge_on", "Plan a day that is not past.")
    elif plan > today + LATEST_PLAN:
        refuse("planned_discharge_on", "Plan a day within two years.")


def _read_measurement(intake: Intake, episode: Episode, today: date) -> Measurement:
    """An unsaved measurement. Raises Invalid."""
    code = intake.text("measure", most=40).strip()
    row = Measure.objects.filter(pk=code, in_use=True).first() if code else None
    moment = intake.choice("moment", Moment)
    amount = intake.decimal("value")
    day = intake.day("taken_on")
    side = intake.choice("side", Laterality)
    if row is None:
        intake.refuse_all({"measure": ["Choose a measure from the list."]})
    elif amount is not None:
        intake.refuse_all({"value": texts} if (texts := value_problems(row, amount)) else {})
    if day is not None and day > today:
        intake.refuse("taken_on", "This cannot be in the future.")
    elif day is not None and day < episode.started_on:
        intake.refuse("taken_on", "This is before the first visit of the episode.")
    if side is not None and side not in sides_of(BodyRegion(episode.body_region)):
        intake.refuse("side", "This region has no such side.")
    if moment is None:
        intake.refuse_all({"moment": ["Say when it was taken."]})
    if amount is None:
        intake.refuse_all({"value": ["Enter the score."]})
    if day is None:
        intake.refuse_all({"taken_on": ["Enter the day."]})
    if row is None or moment is None or amount is None or day is None or intake.errors:
        raise Invalid(intake.errors)
    return Measurement(
        episode=episode, measure=row, moment=moment, value=amount, taken_on=day, side=side or ""
    )


def _episode_id(measurement: Measurement | None) -> UUID:
    if measurement is None:
        raise NotVisible
    return measurement.episode_id
