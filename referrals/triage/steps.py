"""What is said and offered for each level. No appointment is offered to who needs medical care."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from referrals.triage.rules import Level, Source


@dataclass(frozen=True, slots=True)
class Action:
    """Something to press: a page of ours by the name of its address, or a number to call."""

    label: str
    icon: str
    page: str = ""
    query: str = ""
    call: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way, in its order."""

    title: str
    text: str
    phase: str = ""
    """`rehab`, `handoff`, `training`, or nothing where it belongs to neither."""


@dataclass(frozen=True, slots=True)
class Way:
    """The headline of a level, and the way from there."""

    title: str
    lead: str
    outcome: str
    """What stands beside the date, for whoever has to know no more."""
    steps: tuple[Step, ...]
    action: Action | None = None
    sources: tuple[Source, ...] = ()
    """Of what the headline claims."""


FIND_PT: Final = Action("Find a physical therapist", "search", page="directory", query="role=pt")
FIND_TRAINER: Final = Action("Find a trainer", "search", page="directory", query="role=trainer")

_TRAIN: Final = Step(
    "Trainer: build up safely",
    "A good trainer looks at how you move before planning anything.",
    "training",
)

WAYS: Final[Mapping[Level, Way]] = {
    Level.MEDICAL: Way(
        "Get medical help first",
        "If it is happening now or getting worse, call your local emergency number. In the US"
        " that is 911. If it is not, call a doctor or an urgent care clinic today.",
        "Medical help first",
        (
            Step("Now: call, or let somebody call for you", "Say what you feel, and since when."),
            Step(
                "Then: come back here",
                "Once a doctor has looked at it, answer these questions again.",
            ),
        ),
        Action("Call 911 (in the US)", "phone", call="911"),
    ),
    Level.PHYSICIAN: Way(
        "Ask a doctor first",
        "This is nothing unusual: by the guidance we follow, about half of all US adults of 40"
        " and older are asked to do it. Often one call is enough.",
        "A doctor\u2019s word before training",
        (
            Step(
                "Doctor: ask what is fine for you",
                "Say what you want to do and how hard. Ask for a short letter."
                " If you have one that is newer than a year, and nothing has changed, use it.",
            ),
            Step(
                "Then: physical therapist or trainer",
                "Take the letter along, and answer these questions again.",
            ),
        ),
        sources=(Source.REFERRED,),
    ),
    Level.PT: Way(
        "See a physical therapist first",
        "A therapist finds out what it is and what you can do. Getting stronger comes right"
        " after, and a trainer can start where the therapist stops.",
        "A physical therapist before training",
        (
            Step(
                "Physical therapist: find the cause",
                "The first visit is usually talking and a few tests of movement. Write down what"
                " bothers you, and since when.",
                "rehab",
            ),
            Step(
                "Handoff: a clear note for your trainer",
                "Only if you agree. You choose which parts are shared.",
                "handoff",
            ),
            _TRAIN,
        ),
        FIND_PT,
    ),
    Level.HANDOFF: Way(
        "See a trainer, with a handoff",
        "You can train. Let the trainer know first what your therapist or doctor wrote, so that"
        " the plan fits.",
        "Training is fine, with the note or letter",
        (
            Step(
                "Handoff: ask for the note or letter",
                "You do not have it yet? Then ask for it. It does not mean that you may not train.",
                "handoff",
            ),
            _TRAIN,
        ),
        FIND_TRAINER,
    ),
    Level.TRAINER: Way(
        "See a trainer",
        "Nothing you said calls for somebody else first.",
        "No reason found to see somebody before training",
        (
            _TRAIN,
            Step(
                "If something starts to hurt",
                "Stop that movement, and answer these questions again.",
            ),
        ),
        FIND_TRAINER,
    ),
}
