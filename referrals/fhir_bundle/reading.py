"""The whole file: read, choose what the episode takes, say what became of every entry. Pure."""

from dataclasses import replace
from datetime import date

from handoff.core.errors import Invalid
from referrals.fhir_bundle.drafts import (
    BundleReading,
    CarePlanDraft,
    ConditionDraft,
    EntryReport,
    EpisodeDraft,
    Outcome,
    ProcedureDraft,
)
from referrals.fhir_bundle.entries import open_bundle
from referrals.fhir_bundle.resources import (
    EARLIEST,
    LATEST,
    Ignored,
    Refused,
    read_care_plan,
    read_condition,
    read_patient,
    read_procedure,
)
from referrals.fhir_bundle.strict_json import load


def read_bundle(raw: bytes, *, shift_to: date | None = None) -> BundleReading:
    """Read the file. Raises Invalid, in one line, when it cannot be imported as a whole.

    With `shift_to`, every date moves by the same number of whole days, the birth date too (so
    that ages stay right), such that the newest date among those the episode takes falls on it.
    """
    opened = open_bundle(load(raw))
    if opened.patient.problem:
        where, why = opened.patient.index, opened.patient.problem
        raise Invalid(f"The patient (entry {where}) is refused: {why}.")
    patient, remarks = read_patient(opened.patient)
    outcomes: dict[int, tuple[Outcome, str]] = {}
    conditions: list[ConditionDraft] = []
    procedures: list[ProcedureDraft] = []
    care_plans: list[CarePlanDraft] = []
    for entry in opened.entries:
        try:
            if entry.problem:
                raise Refused(entry.problem)
            if entry.kind == "Condition":
                conditions.append(read_condition(entry, patient.birth_date))
            elif entry.kind == "Procedure":
                procedures.append(read_procedure(entry, opened, patient.birth_date))
            elif entry.kind == "CarePlan":
                care_plans.append(read_care_plan(entry, opened))
            elif entry.kind != "Patient":
                raise Ignored("this type is not part of a draft")
        except Ignored as why:
            outcomes[entry.index] = (Outcome.IGNORED, str(why))
        except Refused as why:
            outcomes[entry.index] = (Outcome.REFUSED, str(why))
    episode = _episode(conditions, procedures, care_plans)
    outcomes[opened.patient.index] = (Outcome.TAKEN, "the client")
    outcomes |= _verdicts(episode, conditions, procedures, care_plans)
    reading = BundleReading(
        patient=patient,
        conditions=tuple(conditions),
        procedures=tuple(procedures),
        care_plans=tuple(care_plans),
        episode=episode,
        entries=tuple(
            EntryReport(entry.index, entry.kind, *outcomes[entry.index]) for entry in opened.entries
        ),
        remarks=(*remarks, *_open_questions(episode)),
    )
    return reading if shift_to is None else _shifted(reading, shift_to)


# Choosing and reporting -------------------------------------------------------------------------


def _episode(
    conditions: list[ConditionDraft],
    procedures: list[ProcedureDraft],
    care_plans: list[CarePlanDraft],
) -> EpisodeDraft | None:
    """The condition of the newest therapy plan that names one, else the newest condition."""
    if not conditions:
        return None
    plans = sorted(care_plans, key=lambda plan: (plan.newest, plan.index), reverse=True)
    chosen = max(conditions, key=lambda one: (one.since, one.index))
    plan = next((one for one in plans if not one.has_addresses), None)
    for candidate in plans:
        linked = [one for one in conditions if one.index in candidate.addresses]
        if linked:
            chosen = max(linked, key=lambda one: (one.since, one.index))
            plan = candidate
            break
    taken = [one for one in procedures if _belongs(one, chosen)]
    taken.sort(key=lambda one: (one.performed_on or date.min, one.index))
    return EpisodeDraft(condition=chosen, care_plan=plan, procedures=tuple(taken))


def _belongs(procedure: ProcedureDraft, condition: ConditionDraft) -> bool:
    """Given as its reason, or the same place and side on or after the day it began."""
    if procedure.reasons:
        return condition.index in procedure.reasons
    sides = {procedure.laterality, condition.laterality} - {None}
    return (
        procedure.region == condition.region
        and len(sides) <= 1
        and (procedure.performed_on or date.max) >= condition.since
    )


def _verdicts(
    episode: EpisodeDraft | None,
    conditions: list[ConditionDraft],
    procedures: list[ProcedureDraft],
    care_plans: list[CarePlanDraft],
) -> dict[int, tuple[Outcome, str]]:
    found: dict[int, tuple[Outcome, str]] = {}
    for condition in conditions:
        found[condition.index] = (
            Outcome.IGNORED,
            "another musculoskeletal condition; an episode has one",
        )
    for procedure in procedures:
        found[procedure.index] = (Outcome.IGNORED, "an operation for something else")
    for plan in care_plans:
        found[plan.index] = (Outcome.IGNORED, "a therapy plan for something else")
    if episode:
        found[episode.condition.index] = (Outcome.TAKEN, "the condition of the episode")
        for procedure in episode.procedures:
            found[procedure.index] = (Outcome.TAKEN, "the surgery of the episode")
        if episode.care_plan:
            found[episode.care_plan.index] = (Outcome.TAKEN, "the therapy plan of the episode")
    return found


def _open_questions(episode: EpisodeDraft | None) -> list[str]:
    if episode is None:
        return []
    remarks = []
    if not episode.condition.words:
        remarks.append("The condition has a code but no words: write them.")
    if episode.condition.laterality is None:
        remarks.append("The side is not in the file: choose it.")
    if episode.condition.onset is None:
        remarks.append("The day of onset is not in the file.")
    if episode.care_plan is None or episode.care_plan.start is None:
        remarks.append("The first visit is not in the file: the day of import stands in for it.")
    return remarks


def _shifted(reading: BundleReading, shift_to: date) -> BundleReading:
    dates = reading.episode.dates() if reading.episode else ()
    if not dates:
        raise Invalid("There is no date in the file that could be shifted.")
    by = shift_to - max(dates)

    def moved(day: date | None) -> date | None:
        if day is None:
            return None
        try:
            found = day + by
        except OverflowError:
            found = date.max
        if not EARLIEST <= found <= LATEST:
            raise Invalid("Shifted like this, a date would be out of range.")
        return found

    def condition(one: ConditionDraft) -> ConditionDraft:
        return replace(
            one,
            onset=moved(one.onset),
            abatement=moved(one.abatement),
            recorded=moved(one.recorded),
        )

    def procedure(one: ProcedureDraft) -> ProcedureDraft:
        return replace(one, performed_on=moved(one.performed_on))

    def plan(one: CarePlanDraft) -> CarePlanDraft:
        return replace(one, start=moved(one.start), end=moved(one.end))

    born = moved(reading.patient.birth_date) or reading.patient.birth_date
    episode = reading.episode
    return replace(
        reading,
        patient=replace(reading.patient, birth_date=born),
        conditions=tuple(condition(one) for one in reading.conditions),
        procedures=tuple(procedure(one) for one in reading.procedures),
        care_plans=tuple(plan(one) for one in reading.care_plans),
        episode=episode
        and EpisodeDraft(
            condition=condition(episode.condition),
            care_plan=plan(episode.care_plan) if episode.care_plan else None,
            procedures=tuple(procedure(one) for one in episode.procedures),
        ),
        shifted_days=by.days,
    )
