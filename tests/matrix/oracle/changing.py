"""Who may try to change what. Written from docs/consent.md, docs/states.md and CONTEXT.md.

Only whether an act is open to somebody. Whether it fits at this moment (a note that is signed
already, a state that has passed) is for the rules of the act, which have tests of their own.
"""

from tests.matrix.oracle.answers import (
    ABSENT,
    IGNORED,
    MAY,
    NOT_NOW,
    TURNED_AWAY,
    Cell,
    Expected,
    Rule,
)
from tests.matrix.oracle.consent import Part
from tests.matrix.oracle.grounds import accepted, knows_her, reads
from tests.matrix.oracle.people import Trade, Who
from tests.matrix.oracle.reading import (
    is_an_end_of_a_handoff,
    knows_of_handoff,
    reads_letters,
)


def treats(cell: Cell) -> Expected:
    """Who treats her, therapist or assistant."""
    return MAY if cell.person.treats else ABSENT


def signs(cell: Cell) -> Expected:
    """Her therapist alone. An assistant drafts, and is told that signing is not theirs."""
    if not cell.person.treats:
        return ABSENT
    return MAY if cell.who is Who.AUTHOR else NOT_NOW


def drafts_a_signed_thing(cell: Cell) -> Expected:
    """The treating side knows it, and finds it signed; a recipient may know it and no more."""
    return NOT_NOW if cell.person.treats else ABSENT


def decides(cell: Cell) -> Expected:
    """She, and nobody for her: she is of age."""
    return MAY if cell.person.is_ana else ABSENT


def objects(cell: Cell) -> Expected:
    """A minor's way to say no. She is of age, and says no by declining or stopping."""
    return _hers(cell, NOT_NOW)


def tries_out(cell: Cell) -> Expected:
    """What would change: answered, or led back to the question, and never kept."""
    return _hers(cell, IGNORED)


def _hers(cell: Cell, expected: Expected) -> Expected:
    return expected if cell.person.is_ana else ABSENT


def asks_for_more(cell: Cell) -> Expected:
    """One end of a handoff of hers: who sent it, and who took her on."""
    return MAY if is_an_end_of_a_handoff(cell) else ABSENT


def hands_in_a_letter(cell: Cell) -> Expected:
    """She, and the treating side."""
    return MAY if reads_letters(cell) else ABSENT


def added_the_letter(cell: Cell) -> Expected:
    """Whoever added it; who reads it as well is told that it is not theirs to remove."""
    if not reads_letters(cell):
        return ABSENT
    return MAY if cell.who is Who.AUTHOR else NOT_NOW


def corrects_her_details(cell: Cell) -> Expected:
    """Her details are hers once she has come. Who knows her is told so."""
    if cell.person.is_ana:
        return MAY
    return NOT_NOW if knows_her(cell.who) else ABSENT


def asks_her(cell: Cell) -> Expected:
    """The two professionals of a question may ask it, and she herself; here about the trainer who
    accepted."""
    if cell.person.is_ana or cell.who in (Who.AUTHOR, Who.TRAINER):
        return MAY
    return ABSENT


def reads_her_limits(cell: Cell) -> Expected:
    """A trainer with whom her limits are shared, and who took her on."""
    return MAY if _reads_limits(cell) else ABSENT


def confirms_on_her_page(cell: Cell) -> Expected:
    """The same, from the page about her, of which those know who took her on."""
    if _reads_limits(cell):
        return MAY
    return NOT_NOW if knows_her(cell.who) else ABSENT


def asks_about_a_limit(cell: Cell) -> Expected:
    """The form shows the limit: a try by somebody who may not read it is entered."""
    return MAY if _reads_limits(cell) else TURNED_AWAY


def _reads_limits(cell: Cell) -> bool:
    return accepted(cell.who) and Part.RESTRICTIONS in reads(cell.who, cell.state)


def step(*walkers: str) -> Rule:
    """A step of a handoff, by whoever docs/states.md names. The other sides know of the handoff,
    and are told that it is not theirs to do."""

    def rule(cell: Cell) -> Expected:
        if "admin" in walkers and Trade.ADMIN in cell.person.trades:
            return MAY
        if not knows_of_handoff(cell):
            return ABSENT
        sides = {
            "sender": cell.who is Who.AUTHOR,
            "client": cell.person.is_ana,
            "recipient": cell.who is cell.of,
        }
        return MAY if any(sides.get(each) for each in walkers) else NOT_NOW

    return rule


def opens(cell: Cell) -> Expected:
    """Seen by the recipient. Anybody else who may look has looked, and nothing is noted."""
    if not knows_of_handoff(cell):
        return ABSENT
    return MAY if cell.who is cell.of else IGNORED


def writes_a_message(cell: Cell) -> Expected:
    """Asking and answering: the recipient asks before accepting, the sender answers."""
    if not knows_of_handoff(cell):
        return ABSENT
    return MAY if cell.who is Who.AUTHOR or cell.who is cell.of else NOT_NOW


def refers_back(cell: Cell) -> Expected:
    """A trainer who took her on."""
    return MAY if accepted(cell.who) else ABSENT


sends_back = signs
"""Back to training: for her therapist alone."""


def owns(cell: Cell) -> Expected:
    """A reminder of her therapist."""
    return MAY if cell.who is Who.AUTHOR else ABSENT
