"""What changes for the recipient when a client shares other parts than now. Pure.

The words name people and parts, never what stands in a part.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from clients import scopes
from clients.scopes import Notice, Scope


class Effect(StrEnum):
    GAINS = "gains"
    LOSES = "loses"
    KEEPS = "keeps"
    STAYS_PRIVATE = "stays_private"


class Words(NamedTuple):
    """What it means when one part is shared from now on, and when it no longer is. Both may name
    {recipient} and {discloser}."""

    gained: str
    lost: str


_WORDS: Final[Mapping[Scope, Words]] = MappingProxyType(
    {
        Scope.CONTACT: Words(
            "{recipient} can reach {discloser} with a question.",
            "{recipient} cannot look up how to reach {discloser}, and has to ask you.",
        ),
        Scope.CLEARANCE: Words(
            "{recipient} sees how far you may train, and what to do when it flares up.",
            "{recipient} no longer sees how far you may train, and must not take it for granted. "
            "No new handoff can go out without it.",
        ),
        Scope.RESTRICTIONS: Words(
            "{recipient} sees every limit in force, and has to confirm them before training.",
            "{recipient} no longer sees your limits. They still hold: {recipient} must not "
            "train you against limits they cannot see.",
        ),
        Scope.HISTORY: Words(
            "{recipient} sees what you were treated for.",
            "{recipient} no longer sees what you were treated for.",
        ),
        Scope.OUTCOMES: Words(
            "{recipient} sees your scores so far, and new ones as they come.",
            "{recipient} no longer sees your scores, and sees no new ones. "
            "Training goes by what you say and do.",
        ),
        Scope.NOTE: Words(
            "{recipient} can read the whole closing note.",
            "{recipient} can no longer open the closing note.",
        ),
        Scope.TRAINING_FEEDBACK: Words(
            "{discloser} reads what {recipient} reports, earlier reports included.",
            "{discloser} no longer reads what {recipient} reports, earlier reports included.",
        ),
    }
)


_REPORTED: Final = Words(
    "{recipient} reads what {discloser} saw in your training, earlier reports included.",
    "{recipient} no longer reads what {discloser} saw in your training, earlier reports included.",
)
"""The one part that a trainer shares with a therapist."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one part."""

    scope: Scope
    effect: Effect
    meaning: str
    """In plain words; empty for a part that stays as it is."""


def changes(
    before: Collection[Scope],
    after: Collection[Scope],
    notice: Notice | None = None,
    /,
    *,
    recipient: str,
    discloser: str,
) -> tuple[Change, ...]:
    """What becomes of each part that `notice` (without one: that of now) asks about, in its
    order."""
    asked = notice or scopes.notice()

    def change(scope: Scope) -> Change:
        words = _words(scope, asked)
        match scope in before, scope in after:
            case False, True:
                effect, text = Effect.GAINS, words.gained
            case True, False:
                effect, text = Effect.LOSES, words.lost
            case True, True:
                effect, text = Effect.KEEPS, ""
            case _:
                effect, text = Effect.STAYS_PRIVATE, ""
        return Change(scope, effect, scopes.fill(text, recipient=recipient, discloser=discloser))

    return tuple(change(scope) for scope in asked.scopes)


def without(
    scope: Scope, notice: Notice | None = None, /, *, recipient: str, discloser: str
) -> str:
    """What it means when one part is shared no longer."""
    words = _words(scope, notice or scopes.notice())
    return scopes.fill(words.lost, recipient=recipient, discloser=discloser)


def _words(scope: Scope, notice: Notice) -> Words:
    return _REPORTED if notice.is_of_reports else _WORDS[scope]
