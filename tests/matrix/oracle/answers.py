"""What a cell of the matrix is, and what can be expected of one."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.matrix.oracle.consent import NOTHING, Parts, State
from tests.matrix.oracle.people import PEOPLE, Person, Trade, Who
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
SECOND_FACTOR = Expected(Answer.SECOND_FACTOR)
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


def api(rule: Rule, *trades: Trade) -> Rule:
    """For those who are signed in, and are one of `trades` where any are named. The API says whom
    an operation is for, also to who has not shown a second factor."""

    def guarded(cell: Cell) -> Expected:
        if cell.who is Who.ANONYMOUS:
            return LOGIN
        if trades and not cell.person.trades & set(trades):
            return REFUSED
        return SECOND_FACTOR if cell.person.lacks_factor else rule(cell)

    return guarded


def page(rule: Rule, *trades: Trade) -> Rule:
    """A page that is for others does not exist for you. Without a second factor none does: every
    address leads to the page that asks for it."""

    def guarded(cell: Cell) -> Expected:
        if cell.who is Who.ANONYMOUS:
            return LOGIN
        if cell.person.lacks_factor:
            return SECOND_FACTOR
        if trades and not cell.person.trades & set(trades):
            return ABSENT
        return rule(cell)

    return guarded


def own(rule: Rule) -> Rule:
    """A page or an operation of one's own account: open without a second factor."""

    def guarded(cell: Cell) -> Expected:
        return LOGIN if cell.who is Who.ANONYMOUS else rule(cell)

    return guarded


def entered(rule: Rule) -> Rule:
    """A page that fetches what it is about before it does anything: whoever finds nothing there is
    turned away from it. An operation of the API that changes something shows nothing first."""

    def guarded(cell: Cell) -> Expected:
        expected = rule(cell)
        return TURNED_AWAY if expected.answer is Answer.ABSENT else expected

    return guarded


def always(expected: Expected) -> Rule:
    return lambda cell: expected


CLIENTS = (Trade.CLIENT,)
THERAPY = (Trade.THERAPIST, Trade.ASSISTANT)
TRAINERS = (Trade.TRAINER,)
PROFESSIONALS = (*THERAPY, *TRAINERS)
