"""The words planted in Ana's record: where one stands, that content is shown."""

from tests.matrix.oracle.consent import Part, Parts
from tests.matrix.oracle.people import Who

Word = str
Words = frozenset[str]

NAME, DRAFT, OTHER, LETTER, COSTS = "name", "draft", "other", "letter", "costs"
"""Her last name; anything unsigned; anything from the record of another client; who wrote a letter
about her; who is paid by whom."""


def goal_of(who: Who) -> Word:
    """What she wants to train for, as the handoff to this trainer says."""
    return f"goal of {who}"


def messages_of(who: Who) -> Word:
    """Question and answer in the handoff to this trainer."""
    return f"messages of {who}"


def report_of(who: Who) -> Word:
    """What this trainer reported back."""
    return f"report of {who}"


def words_in(parts: Parts, reports: frozenset[Who]) -> Words:
    """The words that stand in these parts. Reports are those of the trainers named."""
    found = {part.value for part in parts if part is not Part.FEEDBACK}
    if Part.NOTE in parts:
        found.add(Part.CLEARANCE.value)  # the whole note says when to come back, too
    if Part.FEEDBACK in parts:
        found |= {report_of(who) for who in reports}
    return frozenset(found)
