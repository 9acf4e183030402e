"""Who may read what of Ana's record. Written from docs/consent.md, "The permit".

There are three grounds. It is your own record: you read everything. You treat her: you read your
own side's content, and what trainers report only where she agreed. You accepted her handoff and
she shares with you now: you read what she shares. Nothing else opens anything, and who has no
ground is told that there is nothing.
"""

from tests.matrix.oracle.consent import (
    ALL,
    NOTHING,
    Part,
    Parts,
    State,
    shared_with,
    tells_back,
)
from tests.matrix.oracle.people import PEOPLE, Handoff, Who


def accepted(who: Who) -> bool:
    """Took her on, and still works."""
    person = PEOPLE[who]
    return person.handoff is Handoff.ACCEPTED and not person.has_left


def knows_her(who: Who) -> bool:
    """May know that she is a client here. Who took her on keeps that much, shared or not."""
    person = PEOPLE[who]
    return person.is_ana or person.treats or accepted(who)


def reads(who: Who, state: State) -> Parts:
    """The parts of her record that this person may read now."""
    person = PEOPLE[who]
    if person.is_ana:
        return ALL
    if person.treats:
        told = any(tells_back(trainer, state) for trainer in Who)
        return ALL if told else ALL - {Part.FEEDBACK}
    if accepted(who):
        return shared_with(who, state)
    return NOTHING


def reports_for(who: Who, state: State) -> frozenset[Who]:
    """The trainers whose reports this person may read."""
    person = PEOPLE[who]
    if person.is_ana:
        return frozenset(each for each in Who if PEOPLE[each].handoff is Handoff.ACCEPTED)
    if person.treats:
        return frozenset(each for each in Who if tells_back(each, state))
    return frozenset({who})  # what they reported themselves
