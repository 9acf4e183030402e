"""From answers to advice. Total: whatever is sent, somebody comes first, and it is said why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from referrals.triage.questions import ASKED, UNSURE, Answers, Topic, read
from referrals.triage.rules import RULES, SOURCES, UNSURE_ABOUT, VERSION, Level, Rule, Source

UNSURE_CODE: Final = "unsure_"
CODES: Final = frozenset(
    {rule.code for rule in RULES} | {f"{UNSURE_CODE}{topic}" for topic in Topic}
)
"""Every code of a reason."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the advice is at least this strict."""

    code: str
    level: Level
    title: str
    why: str
    sources: tuple[Source, ...]
    unsure: bool = False
    """Only because an answer is missing or unclear."""

    @property
    def source_texts(self) -> tuple[str, ...]:
        return tuple(SOURCES[source] for source in self.sources)


@dataclass(frozen=True, slots=True)
class Advice:
    """Whom to see first, and why. Never a diagnosis."""

    level: Level
    reasons: tuple[Reason, ...]
    """What decided it: all of this level."""
    further: tuple[Reason, ...]
    """What would lead to somebody else later, and is good to tell whoever comes first."""
    version: int = VERSION

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(reason.code for reason in (*self.reasons, *self.further))


def advise(answers: Mapping[str, object]) -> Advice:
    """The advice for these answers, by code of question; what is missing counts as unsure."""
    said = read(answers)
    held = [rule for rule in RULES if _holds(rule, said)]
    level = max((rule.level for rule in held), key=lambda each: each.strictness)
    reasons = list(_reasons(held, said))
    return Advice(
        level=level,
        reasons=tuple(each for each in reasons if each.level is level),
        further=tuple(each for each in reasons if each.level not in (level, Level.TRAINER)),
    )


def reason_of(code: str, level: Level) -> Reason | None:
    """The reason behind a stored code, in the words of today; None where it is gone."""
    for rule in RULES:
        if rule.code == code:
            return Reason(rule.code, rule.level, rule.title, rule.why, rule.sources)
    for topic in Topic:
        if code == f"{UNSURE_CODE}{topic}":
            return _unsure(topic, level)
    return None


def valid_until(level: Level, taken_on: date) -> date:
    """The last day the result says anything: a year at most, and never longer than health stays
    the same. What sends somebody to medical care says something about that day alone."""
    if level is Level.MEDICAL:
        return taken_on
    try:
        return taken_on.replace(year=taken_on.year + 1)
    except ValueError:  # 29 February
        return taken_on.replace(year=taken_on.year + 1, day=28)


def _holds(rule: Rule, said: Answers) -> bool:
    return all(said[each.question] in (*each.values, UNSURE) for each in rule.clauses)


def _unclear(rule: Rule, said: Answers) -> Topic | None:
    """The topic of the first unclear answer that this rule holds by; None where it holds surely."""
    for each in rule.clauses:
        if said[each.question] == UNSURE:
            return ASKED[each.question].topic
    return None


def _reasons(held: Iterable[Rule], said: Answers) -> Iterable[Reason]:
    """Strictest first, as the rules stand. An unclear topic is named once, where it is strictest:
    what it could mean besides would be guessing."""
    named: set[Topic] = set()
    for rule in held:
        topic = _unclear(rule, said)
        if topic is None:
            yield Reason(rule.code, rule.level, rule.title, rule.why, rule.sources)
        elif topic not in named:
            named.add(topic)
            yield _unsure(topic, rule.level)


def _unsure(topic: Topic, level: Level) -> Reason:
    title, why = UNSURE_ABOUT[topic]
    return Reason(f"{UNSURE_CODE}{topic}", level, title, why, (Source.OURS,), unsure=True)
