"""What a cell of the matrix is, and what can be expected of one."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.matrix.oracle.consent import NOTHING, Parts, State
from tests.matrix.oracle.people import PEOPLE, SECOND_FACTOR_IS_DEMANDED, Person, Trade, Who
from tests.matrix.oracle.words import Words


class Answer(StrEnum):
    """How a request ends."""

    SHOWN = "shown"
    ELSEWHERE = "leads to another page"
    LOGIN = "asks to sign in"
    ABSENT = "says that nothing is here"
    REFUSED = "says that this is not theirs to do"
    NOT_SHARED = "says that this part is not shared"
    SECOND_FACTOR = "asks for the second factor"
    MAY = "is taken on; whether it fits is for the rules of the act"
    NOT_NOW = "is known of, and not theirs to do or not in this state"
    IGNORED = "is answered, and nothing comes of it"
    INSIDE = "answers in whatever way, without a word of hers"
    SHUT = "is shut: asks to sign in, refuses, or says that nothing is here"

    @property
    def is_denial(self) -> bool:
        open_ones = (Answer.SHOWN, Answer.ELSEWHERE, Answer.MAY, Answer.IGNORED, Answer.INSIDE)
        return self not in open_ones


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the access ledger about Ana: what was done, and which parts it names."""

    action: str
    parts: Parts = NOTHING


REFUSED_LOOK = Entry("refused")
"""A look at her record that was turned away. Kept only of somebody who is signed in."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Who asks, in which state of consent, and whose handoff or consent the address names."""

    who: Who
    state: State
    of: Who = Who.TRAINER

    @property
    def person(self) -> Person:
        return PEOPLE[self.who]


@dataclass(frozen=True, slots=True)
class Expected:
    """How a cell ends: the answer, the planted words in it, the lines in the access ledger."""

    answer: Answer
    words: Words = frozenset()
    entries: tuple[Entry, ...] = ()
    withheld: Parts = NOTHING
    """Parts of the record that say that they are not shared."""
    null: frozenset[str] = frozenset()
    """Of the keys that depend on who asks, those without a value."""
    listed: frozenset[str] | None = None
    """The things whose ids stand in a list; None where that says nothing."""


Rule = Callable[[Cell], Expected]

LOGIN = Expected(Answer.LOGIN)
ABSENT = Expected(Answer.ABSENT)
REFUSED = Expected(Answer.REFUSED)
MAY = Expected(Answer.MAY)
NOT_NOW = Expected(Answer.NOT_NOW)
IGNORED = Expected(Answer.IGNORED)
ELSEWHERE = Expected(Answer.ELSEWHERE)
NOTHING_OF_HERS = Expected(Answer.SHOWN)
"""Answers, and holds nothing about her."""
TURNED_AWAY = Expected(Answer.ABSENT, entries=(REFUSED_LOOK,))
"""Looks like absence, and is entered: she can see who tried."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one address: which thing its argument names, what it answers, to whom."""

    method: str
    address: str
    rule: Rule
    takes: str = ""
    """The thing in the address. `referral` and `consent` are those of `Cell.of`."""
    shape: str = ""
    """The name of the JSON body's keys in `shapes`."""
    query: str = ""


def door(rule: Rule, *trades: Trade, otherwise: Expected) -> Rule:
    """A rule for those who are signed in, and are one of `trades` where any are named."""

    def guarded(cell: Cell) -> Expected:
        if cell.who is Who.ANONYMOUS:
            return LOGIN
        if cell.person.lacks_factor and SECOND_FACTOR_IS_DEMANDED:
            return Expected(Answer.SECOND_FACTOR)
        if trades and not cell.person.trades & set(trades):
            return otherwise
        return rule(cell)

    return guarded


def api(rule: Rule, *trades: Trade) -> Rule:
    """The API says whom an operation is for."""
    return door(rule, *trades, otherwise=REFUSED)


def page(rule: Rule, *trades: Trade) -> Rule:
    """A page that is for others does not exist for you."""
    return door(rule, *trades, otherwise=ABSENT)


def always(expected: Expected) -> Rule:
    return lambda cell: expected


CLIENTS = (Trade.CLIENT,)
THERAPY = (Trade.THERAPIST, Trade.ASSISTANT)
TRAINERS = (Trade.TRAINER,)
PROFESSIONALS = (*THERAPY, *TRAINERS)
