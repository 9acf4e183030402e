"""Pure: which word, icon and class each meaning wears (docs/design.md, severity and phase).

The words are fixed: a trainer learns them once. Nothing here decides anything.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Tone:
    """How one severity, or one kind of message, looks."""

    css: str
    word: str
    icon: str
    # The word for the same severity as a verdict on one item of a training plan.
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    css: str
    word: str


AVOID = Tone("is-avoid", "Avoid", "avoid", "Blocked")
MODIFY = Tone("is-modify", "Modify", "modify", "Adjust")
CAUTION = Tone("is-caution", "Caution", "caution", "Watch")
CLEAR = Tone("is-clear", "Can do", "clear", "Fits")
UNCHECKED = Tone("is-neutral", "Not checked", "unknown", "Not checked")
INFO = Tone("is-info", "Note", "info", "Note")

# Strictest first, so that a region or movement under two limits shows the stricter one.
STRICTEST_FIRST = (AVOID, MODIFY, CAUTION, CLEAR, UNCHECKED, INFO)

_TONES = {
    # as stored on a restriction
    "must_not": AVOID,
    "limit": MODIFY,
    "caution": CAUTION,
    "none": CLEAR,
    "untagged": UNCHECKED,
    # as a plan check answers
    "blocked": AVOID,
    "adjust": MODIFY,
    "ok": CLEAR,
    "unknown": UNCHECKED,
    # by the name of the look itself
    "avoid": AVOID,
    "modify": MODIFY,
    "clear": CLEAR,
    "neutral": UNCHECKED,
    "info": INFO,
    # by the tag of a message (django.contrib.messages)
    "debug": INFO,
    "success": CLEAR,
    "warning": CAUTION,
    "error": AVOID,
}

PHASES = {
    "rehab": Phase("is-rehab", "Rehab"),
    "handoff": Phase("is-handoff", "Handoff"),
    "training": Phase("is-training", "Training"),
    "returned": Phase("is-returned", "Returned"),
}

# People wear the colour of the end of the baton they hold.
_PEOPLE = {
    "pt": "is-rehab",
    "pta": "is-rehab",
    "trainer": "is-returned",
    "client": "is-training",
    "guardian": "is-training",
}


def plain(value: object) -> str:
    """The stored text of an enum member or a string."""
    return str(value.value) if isinstance(value, Enum) else str(value)


def tone_of(value: object) -> Tone:
    """The look of a stored severity, verdict or message tag. Unknown is never fine: not checked."""
    return _TONES.get(plain(value), UNCHECKED)


def phase_of(value: object) -> Phase:
    """The look of a phase of the journey; an unknown name is an error in the page."""
    return PHASES[plain(value)]


def person_css(role: object) -> str:
    return _PEOPLE.get(plain(role), "")


def initials(name: str) -> str:
    """One or two letters for the circle beside a name."""
    words = [word for word in name.replace(",", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    ends = words[:1] if len(words) == 1 else [words[0], words[-1]]
    return "".join(word[0] for word in ends).upper()
