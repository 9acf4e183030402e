"""What is asked, in our own words, and what can be answered. No questionnaire is copied.

A code that is stored or sent must keep its meaning: change the words freely, the meaning only under
a new code and a new `VERSION` of the rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

YES: Final = "yes"
NO: Final = "no"
UNSURE: Final = "unsure"
"""Also what an answer is taken for that is missing, or that there is none of."""


class Topic(StrEnum):
    """Questions that are asked together."""

    WARNING = "warning"
    HEALTH = "health"
    BODY = "body"
    INJURY = "injury"
    GOAL = "goal"
    ACTIVE = "active"
    EFFORT = "effort"


class Question(StrEnum):
    CHEST = "chest"
    SADDLE = "saddle"
    BLADDER_BOWEL = "bladder_bowel"
    WEAKNESS = "weakness"
    TRAUMA = "trauma"
    FEVER = "fever"
    CANCER = "cancer"
    SYMPTOMS = "symptoms"
    DISEASE = "disease"
    SUPERVISED = "supervised"
    PREGNANT = "pregnant"
    OVER_69 = "over_69"
    PAIN = "pain"
    FLARES = "flares"
    LIMITED = "limited"
    DAILY = "daily"
    COMPLEX = "complex"
    INJURY = "injury"
    GOAL = "goal"
    ACTIVE = "active"
    EFFORT = "effort"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: what it is part of, its words, and each answer with its words."""

    topic: Topic
    words: str
    options: Mapping[str, str]


_YES_OR_NO: Final = {YES: "Yes", NO: "No", UNSURE: "I am not sure"}


def _yes_or_no(topic: Topic, words: str) -> Asked:
    return Asked(topic, words, _YES_OR_NO)


ASKED: Final[Mapping[Question, Asked]] = {
    Question.CHEST: _yes_or_no(
        Topic.WARNING, "Pain or pressure in the chest, fainting, or short of breath while resting"
    ),
    Question.SADDLE: _yes_or_no(
        Topic.WARNING, "Numb between the legs, where a saddle would touch you"
    ),
    Question.BLADDER_BOWEL: _yes_or_no(
        Topic.WARNING, "New trouble holding, or letting go of, urine or stool"
    ),
    Question.WEAKNESS: _yes_or_no(Topic.WARNING, "A leg or an arm that keeps getting weaker"),
    Question.TRAUMA: _yes_or_no(
        Topic.WARNING,
        "A hard fall, crash or blow that no doctor has looked at, or a leg you cannot stand on",
    ),
    Question.FEVER: _yes_or_no(
        Topic.WARNING, "Fever together with strong pain in a joint or in the back"
    ),
    Question.CANCER: _yes_or_no(
        Topic.WARNING,
        "Cancer now or in the past, and also losing weight without trying, or pain at night",
    ),
    Question.SYMPTOMS: _yes_or_no(
        Topic.HEALTH,
        "When you move: a tight chest, dizziness, a racing or stumbling heart, far more out of"
        " breath than it should take, or calves that cramp. Or ankles that swell",
    ),
    Question.DISEASE: _yes_or_no(
        Topic.HEALTH, "A condition of the heart or blood vessels, diabetes, or a kidney disease"
    ),
    Question.SUPERVISED: _yes_or_no(
        Topic.HEALTH,
        "A doctor told you to check with them before you exercise, or not to do it on your own",
    ),
    Question.PREGNANT: _yes_or_no(Topic.HEALTH, "Pregnant, or possibly pregnant"),
    Question.OVER_69: _yes_or_no(Topic.HEALTH, "70 years old or older"),
    Question.PAIN: _yes_or_no(Topic.BODY, "Something hurts, at rest or when I move"),
    Question.FLARES: _yes_or_no(Topic.BODY, "An old problem keeps coming back"),
    Question.LIMITED: _yes_or_no(
        Topic.BODY, "Something is stiff, swollen, weak or gives way, and holds me back"
    ),
    Question.DAILY: _yes_or_no(
        Topic.BODY, "Stairs, getting up, washing or other everyday things feel unsafe"
    ),
    Question.COMPLEX: _yes_or_no(
        Topic.BODY, "Several injuries or operations, or a long and complicated history"
    ),
    Question.INJURY: Asked(
        Topic.INJURY,
        "An injury, or an operation on bones, joints or muscles, in the last 12 months or still"
        " being treated?",
        {
            "none": "No",
            "discharged": "Yes, and my physical therapist has finished treating me",
            "cleared": "Yes, and a doctor says I may train again",
            "treatment": "Yes, and I am still being treated",
            "untreated": "Yes, and nobody has said that I may train again",
            UNSURE: "I am not sure",
        },
    ),
    Question.GOAL: Asked(
        Topic.GOAL,
        "What do you want most?",
        {
            "stronger": "Get stronger or fitter",
            "sport": "Get better at a sport",
            "daily": "Move with ease in everyday life",
            "relief": "Get rid of pain or a complaint",
            "open": "I do not know yet",
        },
    ),
    Question.ACTIVE: _yes_or_no(
        Topic.ACTIVE,
        "Have you been active for half an hour on three days a week, for the last three months?",
    ),
    Question.EFFORT: Asked(
        Topic.EFFORT,
        "How hard do you want to train at first?",
        {
            "easy": "Light or moderate: I could still talk",
            "hard": "Hard: I could say a few words only",
            UNSURE: "I am not sure",
        },
    ),
}

Answers = Mapping[Question, str]


def read(answers: Mapping[str, object]) -> dict[Question, str]:
    """An answer to every question, whatever is there: what is missing or makes no sense is unsure.

    What is not a question is left out.
    """
    found: dict[Question, str] = {}
    for question, asked in ASKED.items():
        said = answers.get(question.value)
        found[question] = said if isinstance(said, str) and said in asked.options else UNSURE
    return found
