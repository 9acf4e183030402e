"""What a discharge note needs before it can be signed. Pure: facts in, complaints out.

Every gap is named at its field, in the order in which the note is written, with a sentence that
says what to do. Nothing is worked out for the therapist: a clearance is never computed, only
held against what else they wrote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from referrals.vocabulary import (
    PAIRED,
    BodyRegion,
    ClearanceLevel,
    DischargeReason,
    DischargeType,
    GoalOutcome,
    Laterality,
    Severity,
    sides_of,
)

MOST_PAIN = 10
START, DISCHARGE = "start", "discharge"
LISTED, NONE = "listed", "none"
YES, NO = "yes", "no"

# What a level of clearance cannot stand beside. Good-to-know limits go with every level.
CONTRADICTED_BY: Mapping[str, frozenset[str]] = {
    ClearanceLevel.CLEARED_FULL: frozenset({Severity.MUST_NOT, Severity.LIMIT}),
    ClearanceLevel.CLEARED_GENERAL: frozenset({Severity.MUST_NOT}),
}


@dataclass(frozen=True, slots=True)
class GoalFacts:
    text: str = ""
    outcome: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class MeasuredFacts:
    """One measure, on one side: at which moments it was taken."""

    measure: str
    side: str
    moments: frozenset[str]


@dataclass(frozen=True, slots=True)
class RestrictionFacts:
    """One listed restriction and what the rules of restrictions find wrong with it."""

    severity: str
    errors: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """A note with all that signing looks at. `today` is the day at the therapist's practice."""

    today: date
    born_on: date
    body_region: str
    laterality: str
    discharge_type: str = ""
    discharge_on: date | None = None
    reason: str = ""
    diagnosis: str = ""
    first_visit_on: date | None = None
    last_visit_on: date | None = None
    visits_completed: int | None = None
    pain_now: int | None = None
    pain_worst: int | None = None
    pain_best: int | None = None
    functional_level: str = ""
    measures_missing_reason: str = ""
    home_programme: str = ""
    no_home_programme: bool = False
    follow_up: str = ""
    trainer_referral: str = ""
    clearance: str = ""
    restrictions_decision: str = ""
    flare_up_plan: str = ""
    return_criteria: str = ""
    future_contact: str = ""
    goals: tuple[GoalFacts, ...] = ()
    measured: tuple[MeasuredFacts, ...] = ()
    restrictions: tuple[RestrictionFacts, ...] = ()


class Gaps:
    """Complaints by field, in the order in which they were found."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def name(self, field: str, text: str) -> None:
        self.found.setdefault(field, []).append(text)


def missing(facts: NoteFacts) -> dict[str, list[str]]:
    """Everything that stands between this note and a signature; empty when nothing does.

    Fields of a goal are named "goals-0-outcome" and so on, by place in the list. Complaints name
    places and fields, never what was written there.
    """
    gaps = Gaps()
    _type_and_reason(facts, gaps)
    _condition(facts, gaps)
    _visits(facts, gaps)
    _pain(facts, gaps)
    if not says_something(facts.functional_level):
        gaps.name("functional_level", "Describe what the client can do now.")
    _goals(facts.goals, gaps)
    _measures(facts, gaps)
    _home_programme(facts, gaps)
    _what_follows(facts, gaps)
    _clearance(facts, gaps)
    _restrictions(facts, gaps)
    _coming_back(facts, gaps)
    return gaps.found


def says_something(text: str) -> bool:
    """Whether there is at least one letter or digit: a dot or a dash answers nothing."""
    return any(sign.isalnum() for sign in text)


def _type_and_reason(facts: NoteFacts, gaps: Gaps) -> None:
    if facts.discharge_type not in DischargeType.values:
        gaps.name("discharge_type", "Choose full or quick.")
    if facts.discharge_on is None:
        gaps.name("discharge_on", "Enter the date of discharge.")
    elif facts.discharge_on > facts.today:
        gaps.name("discharge_on", "The discharge cannot be in the future.")
    if facts.reason not in DischargeReason.values:
        gaps.name("reason", "Choose why therapy ends.")


def _condition(facts: NoteFacts, gaps: Gaps) -> None:
    if not says_something(facts.diagnosis):
        gaps.name("diagnosis", "Write the diagnosis in your own words.")
    if facts.body_region not in BodyRegion.values:
        gaps.name("body_region", "Choose the body region in the episode.")
        return
    region = BodyRegion(facts.body_region)
    if facts.laterality in Laterality.values and facts.laterality in sides_of(region):
        return
    if region in PAIRED:
        gaps.name("laterality", "Choose left, right or both in the episode.")
    else:
        gaps.name("laterality", "This region has no such side. Correct it in the episode.")


def _visits(facts: NoteFacts, gaps: Gaps) -> None:
    first, last, end = facts.first_visit_on, facts.last_visit_on, facts.discharge_on
    if first is None:
        gaps.name("first_visit_on", "Enter the date of the first visit.")
    elif first < facts.born_on:
        gaps.name("first_visit_on", "This is before the client was born.")
    elif first > facts.today:
        gaps.name("first_visit_on", "The first visit cannot be in the future.")
    if last is None:
        gaps.name("last_visit_on", "Enter the date of the last visit.")
    elif first is not None and last < first:
        gaps.name("last_visit_on", "The last visit cannot be before the first.")
    elif end is not None and last > end:
        gaps.name("last_visit_on", "The last visit cannot be after the discharge.")
    elif last > facts.today:
        gaps.name("last_visit_on", "The last visit cannot be in the future.")
    count = facts.visits_completed
    if count is None:
        gaps.name("visits_completed", "Enter how many visits were completed.")
    elif count < 1:
        gaps.name("visits_completed", "Enter at least one visit.")
    elif count == 1 and first is not None and last is not None and last > first:
        gaps.name("visits_completed", "First and last visit on two days make at least two visits.")


_PAIN = (
    ("pain_now", "Enter pain now, 0 to 10."),
    ("pain_worst", "Enter the worst pain, 0 to 10."),
    ("pain_best", "Enter the least pain, 0 to 10."),
)


def _pain(facts: NoteFacts, gaps: Gaps) -> None:
    scores = {"pain_now": facts.pain_now, "pain_worst": facts.pain_worst}
    scores["pain_best"] = facts.pain_best
    for field, text in _PAIN:
        score = scores[field]
        if score is None or not 0 <= score <= MOST_PAIN:
            gaps.name(field, text)
    now, worst, best = facts.pain_now, facts.pain_worst, facts.pain_best
    if best is not None and worst is not None and best > worst:
        gaps.name("pain_best", "The least pain cannot be above the worst.")
    elif now is not None and worst is not None and now > worst:
        gaps.name("pain_now", "Pain now cannot be above the worst.")
    elif now is not None and best is not None and now < best:
        gaps.name("pain_now", "Pain now cannot be below the least.")


def _goals(goals: Sequence[GoalFacts], gaps: Gaps) -> None:
    if not goals:
        gaps.name("goals", "Name at least one goal and what became of it.")
    for place, goal in enumerate(goals):
        if not says_something(goal.text):
            gaps.name(f"goals-{place}-text", f"Goal {place + 1}: say what the goal was.")
        if goal.outcome not in GoalOutcome.values:
            gaps.name(f"goals-{place}-outcome", f"Goal {place + 1}: say what became of it.")
        elif goal.outcome != GoalOutcome.MET and not says_something(goal.why_not):
            gaps.name(f"goals-{place}-why_not", f"Goal {place + 1}: say why it was not fully met.")


def _measures(facts: NoteFacts, gaps: Gaps) -> None:
    """A full note has one measure at both ends; a quick one keeps what is known and says why."""
    if any({START, DISCHARGE} <= each.moments for each in facts.measured):
        return
    if facts.discharge_type == DischargeType.QUICK:
        if not says_something(facts.measures_missing_reason):
            known = "the final scores are missing" if facts.measured else "nothing was measured"
            gaps.name("measures_missing_reason", f"Say why {known}.")
        return
    moments = frozenset().union(*(each.moments for each in facts.measured))
    if START not in moments:
        gaps.name("measurements", "Record at least one score from the start of therapy.")
    if DISCHARGE not in moments:
        gaps.name("measurements", "Record at least one score at discharge.")
    if {START, DISCHARGE} <= moments:
        gaps.name("measurements", "Record one measure at both ends: at the start and at discharge.")


def _home_programme(facts: NoteFacts, gaps: Gaps) -> None:
    written = says_something(facts.home_programme)
    if written and facts.no_home_programme:
        gaps.name(
            "home_programme", "Either describe the home programme or tick that there is none."
        )
    elif not written and not facts.no_home_programme:
        gaps.name("home_programme", "Describe the home programme, or tick that there is none.")


def _what_follows(facts: NoteFacts, gaps: Gaps) -> None:
    if not says_something(facts.follow_up):
        gaps.name("follow_up", "Write what you recommend from here.")
    if facts.trainer_referral not in (YES, NO):
        gaps.name("trainer_referral", "Say whether the client goes on to a trainer.")


def _clearance(facts: NoteFacts, gaps: Gaps) -> None:
    if facts.clearance not in ClearanceLevel.values:
        gaps.name("clearance", "Choose the level of clearance.")
        return
    level = ClearanceLevel(facts.clearance)
    severities = {each.severity for each in facts.restrictions}
    if level is ClearanceLevel.NOT_CLEARED and facts.trainer_referral == YES:
        gaps.name(
            "clearance",
            "A client who is not cleared cannot go to a trainer. Change one of the two.",
        )
    if level is ClearanceLevel.CLEARED_WITH_RESTRICTIONS and not facts.restrictions:
        gaps.name("clearance", "“Cleared, with limits” needs at least one restriction.")
    if severities & CONTRADICTED_BY.get(level, frozenset()):
        gaps.name(
            "clearance",
            "Your restrictions go further than this level. Choose “Cleared, with limits”, or"
            " change the restrictions.",
        )


def _restrictions(facts: NoteFacts, gaps: Gaps) -> None:
    field, decision = "restrictions_decision", facts.restrictions_decision
    if decision not in (LISTED, NONE):
        gaps.name(field, "Decide: list restrictions, or choose “No restrictions”.")
    elif decision == LISTED and not facts.restrictions:
        gaps.name(field, "List the restrictions, or choose “No restrictions”.")
    elif decision == NONE and facts.restrictions:
        gaps.name(
            field,
            "You chose “No restrictions” but restrictions are listed. Remove them, or choose that"
            " they apply.",
        )
    for place, restriction in enumerate(facts.restrictions, start=1):
        for texts in restriction.errors.values():
            for text in texts:
                gaps.name("restrictions", f"Restriction {place}: {text}")


def _coming_back(facts: NoteFacts, gaps: Gaps) -> None:
    if not says_something(facts.flare_up_plan):
        gaps.name("flare_up_plan", "Say what to do when it flares up.")
    if not says_something(facts.return_criteria):
        gaps.name("return_criteria", "Say when the client should come back to you.")
    if not says_something(facts.future_contact):
        gaps.name("future_contact", "Name whom the client can call.")
