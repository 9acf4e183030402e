"""Who comes first: the rules, their reasons and their sources, as one table.

A rule holds when each of its clauses does. An answer of "unsure" makes every clause hold, so no
answer that is missing can make the advice laxer than any answer there could have been.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from referrals.triage.questions import YES, Question, Topic

VERSION: Final = 1
"""Goes up when the same answers could lead to other advice."""


class Level(StrEnum):
    """Whom to see first, the strictest above."""

    MEDICAL = "medical"
    PHYSICIAN = "physician"
    PT = "pt"
    HANDOFF = "handoff"
    TRAINER = "trainer"

    @property
    def strictness(self) -> int:
        """The higher, the stricter."""
        return -list(Level).index(self)


class Source(StrEnum):
    """Where a rule comes from."""

    RED_FLAGS = "red_flags"
    ACSM = "acsm"
    PAR_Q = "par_q"
    REFERRED = "referred"
    OURS = "ours"


SOURCES: Final[Mapping[Source, str]] = {
    Source.RED_FLAGS: (
        "Bigos S et al. Acute Low Back Problems in Adults. Clinical Practice Guideline 14,"
        " AHCPR 95-0642, 1994: table of red flags."
    ),
    Source.ACSM: (
        "Riebe D et al. Updating ACSM\u2019s recommendations for exercise preparticipation health"
        " screening. Med Sci Sports Exerc 2015;47:2473-2479."
    ),
    Source.PAR_Q: (
        "PAR-Q and PAR-Q+ questionnaires: whom they send to a doctor, and that an answer holds for"
        " 12 months at most. None of their wording is used."
    ),
    Source.REFERRED: (
        "Whitfield GP et al. Applying the ACSM preparticipation screening algorithm to U.S."
        " adults. Med Sci Sports Exerc 2017;49:2056-2063."
    ),
    Source.OURS: "A careful choice of our own.",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """Holds when the question was answered with one of these values, or not clearly."""

    question: Question
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """When all clauses hold, the advice is at least this strict."""

    code: str
    level: Level
    clauses: tuple[Clause, ...]
    title: str
    why: str
    sources: tuple[Source, ...]


def _is(question: Question, *values: str) -> Clause:
    return Clause(question, frozenset(values or (YES,)))


_NOW = "This can be a sign of something that must not wait. Have it looked at before anything else."
_SPINE = (Source.RED_FLAGS,)
_ACSM = (Source.ACSM,)
_OURS = (Source.OURS,)

RULES: Final[tuple[Rule, ...]] = (
    # --- medical care, now
    Rule("chest", Level.MEDICAL, (_is(Question.CHEST),), "Chest, breath or fainting", _NOW, _OURS),
    Rule("saddle", Level.MEDICAL, (_is(Question.SADDLE),), "Numb between the legs", _NOW, _SPINE),
    Rule(
        "bladder_bowel",
        Level.MEDICAL,
        (_is(Question.BLADDER_BOWEL),),
        "Trouble with urine or stool",
        _NOW,
        _SPINE,
    ),
    Rule("weakness", Level.MEDICAL, (_is(Question.WEAKNESS),), "Getting weaker", _NOW, _SPINE),
    Rule("trauma", Level.MEDICAL, (_is(Question.TRAUMA),), "A hard fall or blow", _NOW, _SPINE),
    Rule("fever", Level.MEDICAL, (_is(Question.FEVER),), "Fever with strong pain", _NOW, _SPINE),
    Rule(
        "cancer",
        Level.MEDICAL,
        (_is(Question.CANCER),),
        "Cancer, with weight loss or pain at night",
        "A doctor should see this before anybody works with the body.",
        _SPINE,
    ),
    # --- a doctor's word first
    Rule(
        "symptoms",
        Level.PHYSICIAN,
        (_is(Question.SYMPTOMS),),
        "Signs when you move",
        "Heart, lungs or circulation may need a look before you put more load on them.",
        _ACSM,
    ),
    Rule(
        "disease_inactive",
        Level.PHYSICIAN,
        (_is(Question.DISEASE), _is(Question.ACTIVE, "no")),
        "A condition, and new to exercise",
        "With this condition a doctor says first how to begin.",
        _ACSM,
    ),
    Rule(
        "disease_hard",
        Level.PHYSICIAN,
        (_is(Question.DISEASE), _is(Question.EFFORT, "hard")),
        "A condition, and hard training",
        "With this condition a doctor says first whether hard training is fine.",
        _ACSM,
    ),
    Rule(
        "supervised",
        Level.PHYSICIAN,
        (_is(Question.SUPERVISED),),
        "A doctor wants to be asked",
        "They know a reason. Ask them first.",
        (Source.PAR_Q,),
    ),
    Rule(
        "pregnant",
        Level.PHYSICIAN,
        (_is(Question.PREGNANT),),
        "Pregnant, or possibly",
        "Exercise is often welcome then. Ask your doctor or midwife how much, and of what kind.",
        (Source.PAR_Q,),
    ),
    Rule(
        "over_69_inactive",
        Level.PHYSICIAN,
        (_is(Question.OVER_69), _is(Question.ACTIVE, "no")),
        "70 or older, and new to exercise",
        "It is never too late to begin. A doctor says how.",
        (Source.PAR_Q,),
    ),
    # --- a physical therapist
    Rule(
        "pain",
        Level.PT,
        (_is(Question.PAIN),),
        "Pain now",
        "Pain is a reason to have it looked at before you put load on it.",
        _OURS,
    ),
    Rule(
        "pain_before_goal",
        Level.PT,
        (_is(Question.PAIN), _is(Question.GOAL, "stronger", "sport")),
        "Pain comes before the goal",
        "You want to get stronger or better, and something hurts. First find out why it hurts."
        " Your goal comes right after.",
        _OURS,
    ),
    Rule(
        "flares",
        Level.PT,
        (_is(Question.FLARES),),
        "It keeps coming back",
        "When an old problem returns, its cause may not be solved yet.",
        _OURS,
    ),
    Rule(
        "limited",
        Level.PT,
        (_is(Question.LIMITED),),
        "Something holds you back",
        "A therapist can find out what it is, and what you can do about it.",
        _OURS,
    ),
    Rule(
        "daily",
        Level.PT,
        (_is(Question.DAILY),),
        "Everyday things feel unsafe",
        "Safe movement in everyday life comes before training.",
        _OURS,
    ),
    Rule(
        "complex",
        Level.PT,
        (_is(Question.COMPLEX),),
        "A long history",
        "Somebody should look at the whole of it once, before you train.",
        _OURS,
    ),
    Rule(
        "in_treatment",
        Level.PT,
        (_is(Question.INJURY, "treatment"),),
        "Still being treated",
        "Whoever treats you says when you may train. Ask them for a handoff.",
        _OURS,
    ),
    Rule(
        "not_cleared",
        Level.PT,
        (_is(Question.INJURY, "untreated"),),
        "Nobody has cleared it yet",
        "After an injury or operation somebody should test first what it can take.",
        (Source.PAR_Q, Source.OURS),
    ),
    Rule(
        "relief",
        Level.PT,
        (_is(Question.GOAL, "relief"),),
        "You want to be rid of a complaint",
        "To find a cause and treat it is the work of a physical therapist.",
        _OURS,
    ),
    # --- a trainer who is handed over to
    Rule(
        "discharged",
        Level.HANDOFF,
        (_is(Question.INJURY, "discharged"),),
        "Your therapist has finished",
        "A trainer can begin as soon as they know what your therapist wrote at the end.",
        _OURS,
    ),
    Rule(
        "cleared",
        Level.HANDOFF,
        (_is(Question.INJURY, "cleared"),),
        "A doctor says you may train",
        "A trainer can begin with the doctor\u2019s letter, after a look at how you move.",
        _OURS,
    ),
    # --- a trainer
    Rule(
        "nothing_found",
        Level.TRAINER,
        (),
        "Nothing speaks against it",
        "No answer of yours calls for somebody else first.",
        (Source.ACSM, Source.PAR_Q),
    ),
)

UNSURE_ABOUT: Final[Mapping[Topic, tuple[str, str]]] = {
    Topic.WARNING: (
        "Not sure about a warning sign",
        "Ask a doctor or a nurse today. They can tell quickly.",
    ),
    Topic.HEALTH: (
        "Not sure about your health",
        "A doctor can answer it, often by a call.",
    ),
    Topic.BODY: (
        "Not sure how your body is",
        "A therapist can find out before you put load on it.",
    ),
    Topic.INJURY: (
        "Not sure where your injury stands",
        "Ask whoever treated it, or have it tested first.",
    ),
    Topic.GOAL: (
        "No goal said",
        "If it is about a complaint, a therapist comes first.",
    ),
    Topic.ACTIVE: (
        "Not sure how active you are",
        "With what else you said, a doctor says first how to begin.",
    ),
    Topic.EFFORT: (
        "Not sure how hard to train",
        "With what else you said, a doctor says first what is fine.",
    ),
}
"""What is said where only an unclear answer makes a rule hold: once for each topic."""
