"""What each way of looking at Ana answers. One function for each kind of look.

Written from docs/consent.md ("Disclosure", "The ledgers"), docs/api.md and CONTEXT.md.
"""

from tests.matrix.oracle.answers import (
    ABSENT,
    ELSEWHERE,
    NOTHING_OF_HERS,
    REFUSED,
    TURNED_AWAY,
    Answer,
    Cell,
    Entry,
    Expected,
    Rule,
)
from tests.matrix.oracle.consent import (
    ALL,
    Part,
    Parts,
    State,
    asked_for,
    has_gone_out,
    shared_with,
    was_agreed,
    was_asked,
)
from tests.matrix.oracle.grounds import accepted, knows_her, reads, reports_for
from tests.matrix.oracle.people import PEOPLE, Handoff, Trade, Who
from tests.matrix.oracle.words import (
    COSTS,
    DRAFT,
    LETTER,
    NAME,
    Words,
    goal_of,
    messages_of,
    words_in,
)

TREATING_SIDE: Parts = ALL - {Part.FEEDBACK}
"""What the treating side works with: its own content, never a trainer's."""
NAMED: Words = frozenset({NAME})


def shown(words: Words, *entries: Entry) -> Expected:
    return Expected(Answer.SHOWN, words, entries)


# --- the record ---------------------------------------------------------------------------------


def record(cell: Cell) -> Expected:
    """Part by part: what is not shared says so. One entry, naming the parts that were shown."""
    if not knows_her(cell.who):
        return TURNED_AWAY
    parts = reads(cell.who, cell.state)
    words = NAMED | words_in(parts, reports_for(cell.who, cell.state))
    return Expected(Answer.SHOWN, words, (Entry("read", parts),), withheld=ALL - parts)


def card(cell: Cell) -> Expected:
    """The sheet to print has room for three parts. The entry says what was fetched for it."""
    if not knows_her(cell.who):
        return TURNED_AWAY
    parts = reads(cell.who, cell.state)
    printed = parts & {Part.CONTACT, Part.CLEARANCE, Part.RESTRICTIONS}
    return shown(NAMED | words_in(printed, frozenset()), Entry("printed", parts))


def way(cell: Cell) -> Expected:
    """Her way from injury to training tells of three parts; of limits it has the heading only, and
    not what to do in a flare-up. The entry says what was fetched for it."""
    if not knows_her(cell.who):
        return TURNED_AWAY
    parts = reads(cell.who, cell.state)
    return shown(NAMED | words_in(parts & {Part.HISTORY}, frozenset()), Entry("read", parts))


def one_of(part: Part) -> Rule:
    """A single thing of one part: for those who may read that part."""

    def rule(cell: Cell) -> Expected:
        if part not in reads(cell.who, cell.state):
            return TURNED_AWAY
        return shown(words_in(frozenset({part}), frozenset()), Entry("read", frozenset({part})))

    return rule


def episode(cell: Cell) -> Expected:
    """One episode. How often she came is never a recipient's to know."""
    expected = one_of(Part.HISTORY)(cell)
    hidden = frozenset({"plan"}) if accepted(cell.who) else frozenset()
    return Expected(expected.answer, expected.words, expected.entries, null=hidden)


def limits_of_her(cell: Cell) -> Expected:
    """The list of her limits. Who knows her and may not read them is told that, by name."""
    if not knows_her(cell.who):
        return TURNED_AWAY
    if Part.RESTRICTIONS not in reads(cell.who, cell.state):
        return Expected(Answer.NOT_SHARED, entries=(Entry("read"),))
    return one_of(Part.RESTRICTIONS)(cell)


def draft_of(part: Part) -> Rule:
    """What is not signed is the treating side's alone. Her own try is not entered: the line would
    tell her that something is being written."""

    def rule(cell: Cell) -> Expected:
        if not cell.person.treats:
            return ABSENT if cell.person.is_ana else TURNED_AWAY
        return shown(frozenset({DRAFT}), Entry("read", frozenset({part})))

    return rule


# --- who she is, and lists ----------------------------------------------------------------------


def herself(cell: Cell) -> Expected:
    """Her name, and for her own and the treating side her details."""
    if not knows_her(cell.who):
        return ABSENT
    hidden = frozenset({"details"}) if accepted(cell.who) else frozenset()
    return Expected(Answer.SHOWN, NAMED, null=hidden)


def what_happened(cell: Cell) -> Expected:
    """States and dates in order, nothing clinical."""
    return NOTHING_OF_HERS if knows_her(cell.who) else ABSENT


def her_invitations(cell: Cell) -> Expected:
    return Expected(Answer.SHOWN, listed=frozenset({"invitation"})) if treats(cell) else ABSENT


def treats(cell: Cell) -> bool:
    return cell.person.treats


def clients(cell: Cell) -> Expected:
    listed = {"client"} if knows_her(cell.who) else _of_another(cell, "other client")
    return _list(cell, listed, named=knows_her(cell.who))


def episodes(cell: Cell) -> Expected:
    another = {"other episode"} if cell.who is Who.OTHER_THERAPIST else set()
    return _list(cell, {"episode", "running episode"} if treats(cell) else another)


def notes(cell: Cell) -> Expected:
    """The treating side's, drafts included, and one's own once signed. No recipient's."""
    listed = _of_another(cell, "other note")
    if treats(cell):
        listed = {"note", "draft note"}
    elif cell.person.is_ana:
        listed = {"note"}
    elif cell.who is Who.OTHERS_TRAINER:
        listed = set()
    return Expected(Answer.SHOWN, listed=frozenset(listed))


def handoffs(cell: Cell) -> Expected:
    """Those one sent, those that reached one, and those about oneself."""
    if cell.person.is_ana or treats(cell):
        listed = {f"referral of {each}" for each in Who if PEOPLE[each].handoff is not Handoff.NONE}
    elif knows_of_handoff(Cell(cell.who, cell.state, cell.who)):
        listed = {f"referral of {cell.who}"}
    else:
        listed = _of_another(cell, "other referral")
    return _list(cell, listed, named=knows_her(cell.who))


def consents(cell: Cell) -> Expected:
    """Questions to oneself, and those one is a side of; a recipient's from acceptance on."""
    if cell.person.is_ana or cell.who is Who.AUTHOR:
        listed = {f"consent of {each}" for each in Who if was_asked(each, cell.state)}
        if cell.state is State.OTHER_RECIPIENT:
            listed.add("consent of somebody else")
    elif accepted(cell.who) and was_asked(cell.who, cell.state):
        listed = {f"consent of {cell.who}"}
    else:
        listed = _of_another(cell, "other consent")
    return _list(cell, listed, named=any(each.startswith("consent of") for each in listed))


def _of_another(cell: Cell, thing: str) -> set[str]:
    """What those who are connected with the other client see of theirs."""
    theirs = (Who.OTHER_CLIENT, Who.OTHER_THERAPIST, Who.OTHERS_TRAINER)
    return {thing} if cell.who in theirs else set()


def _list(cell: Cell, listed: set[str], *, named: bool | None = None) -> Expected:
    if named is None:
        named = treats(cell)
    return Expected(Answer.SHOWN, NAMED if named else frozenset(), listed=frozenset(listed))


# --- one handoff --------------------------------------------------------------------------------


def knows_of_handoff(cell: Cell) -> bool:
    """She, the sender's side, and the recipient once it has gone out to them."""
    if cell.person.is_ana or treats(cell):
        return True
    return cell.who is cell.of and not cell.person.has_left and has_gone_out(cell.who, cell.state)


def _shares_something(cell: Cell) -> bool:
    return bool(shared_with(cell.who, cell.state))


def _envelope(cell: Cell) -> Entry:
    """Before accepting: whether she may train and whether there are limits, where shared."""
    seen = {Part.CLEARANCE, Part.RESTRICTIONS}
    return Entry("envelope", shared_with(cell.who, cell.state) & seen)


def handoff(cell: Cell) -> Expected:
    """Through the API. What she wants to train for needs a live consent; the rest is states."""
    if not knows_of_handoff(cell):
        return TURNED_AWAY
    no_question = {"consent", "sharing"} if not was_asked(cell.of, cell.state) else set()
    goal = frozenset({goal_of(cell.of)})
    read = Entry("read")
    if cell.person.is_ana:
        null = {"envelope", "sharing", "episode", "previous"} | no_question
        return Expected(Answer.SHOWN, NAMED | goal, (read,), null=frozenset(null))
    if treats(cell):
        null = {"envelope", "previous"} | no_question
        return Expected(Answer.SHOWN, NAMED | goal, (read,), null=frozenset(null))
    if accepted(cell.who):
        null = {"envelope", "episode", "previous"} | no_question
        if _shares_something(cell):
            return Expected(Answer.SHOWN, NAMED | goal, (read,), null=frozenset(null))
        return Expected(Answer.SHOWN, NAMED, null=frozenset({"goal", *null}))
    return Expected(
        Answer.SHOWN,
        goal if _shares_something(cell) else frozenset(),
        (_envelope(cell),),
        null=frozenset({"goal", "consent", "sharing", "episode", "previous"}),
    )


def handoff_page(cell: Cell) -> Expected:
    """The page. Goal and messages stand on it for the two professionals, each with its entry."""
    if not knows_of_handoff(cell):
        return TURNED_AWAY
    both = frozenset({goal_of(cell.of), messages_of(cell.of)})
    if cell.who is Who.AUTHOR:
        return shown(NAMED | both, Entry("read"), Entry("read"))
    if cell.person.is_ana:
        return NOTHING_OF_HERS  # it speaks to her
    if treats(cell):
        return shown(NAMED)
    if accepted(cell.who):
        if _shares_something(cell):
            return shown(NAMED | both, Entry("read"), Entry("read"))
        return shown(NAMED)
    if _shares_something(cell):
        return shown(both, _envelope(cell), Entry("read"))
    return shown(frozenset(), _envelope(cell))


def messages(cell: Cell) -> Expected:
    """Questions and answers are the two professionals'; the recipient's while she shares."""
    if not knows_of_handoff(cell):
        return TURNED_AWAY
    may = cell.who is Who.AUTHOR or (cell.who is cell.of and _shares_something(cell))
    return shown(frozenset({messages_of(cell.of)}), Entry("read")) if may else REFUSED


def may_see(cell: Cell) -> Words:
    """The most that the answer to a change can hold: nothing that this person could not read."""
    who, state, person = cell.who, cell.state, cell.person
    words = set(words_in(reads(who, state), reports_for(who, state)))
    if knows_her(who) or has_gone_out(who, state):
        words.add(NAME)  # who accepts learns it
    if treats(cell):
        words.add(DRAFT)
    if reads_letters(cell):
        words.add(LETTER)
        words.add(COSTS)
    if person.is_ana or treats(cell) or bool(shared_with(who, state)):
        words.add(goal_of(cell.of))
    if who is Who.AUTHOR or bool(shared_with(who, state)):
        words.add(messages_of(cell.of))
    return frozenset(words)


def may_be_named(cell: Cell) -> Parts:
    """The parts that an entry about the answer to a change can name."""
    return reads(cell.who, cell.state) | shared_with(cell.who, cell.state)


# --- one consent --------------------------------------------------------------------------------


def consent(cell: Cell) -> Expected:
    """She sees all of it, professionals what concerns them; the words she read are hers."""
    if cell.person.is_ana:
        return Expected(Answer.SHOWN, NAMED)
    if cell.who is Who.AUTHOR:
        return Expected(Answer.SHOWN, NAMED, null=frozenset({"notice", "notice_matches"}))
    if cell.who is cell.of and accepted(cell.who):
        return Expected(
            Answer.SHOWN, NAMED, null=frozenset({"notice", "notice_matches", "classes_asked"})
        )
    return ABSENT


def preview(cell: Cell) -> Expected:
    """Exactly what that trainer would read if she agreed to what was asked."""
    if not cell.person.is_ana:
        return ABSENT
    parts = asked_for(cell.of, cell.state)
    words = NAMED | words_in(parts, _reports_of(cell.of))
    return Expected(Answer.SHOWN, words, (Entry("read", parts),), withheld=ALL - parts)


def consent_page(cell: Cell) -> Expected:
    """The question with what would be seen, or what is seen now; nothing once it has ended."""
    if not cell.person.is_ana:
        return ABSENT
    parts = _on_the_page(cell.of, cell.state)
    if not parts:
        return shown(frozenset())
    return shown(words_in(parts, _reports_of(cell.of)), Entry("read", parts))


def _on_the_page(of: Who, state: State) -> Parts:
    if state is State.PROPOSED and was_asked(of, state) and not was_agreed(of, state):
        return ALL  # while it is open, she can look at every part before she chooses
    return shared_with(of, state)


def _reports_of(who: Who) -> frozenset[Who]:
    return frozenset({who}) if PEOPLE[who].handoff is Handoff.ACCEPTED else frozenset()


def receipt(cell: Cell) -> Expected:
    """What she keeps of an agreement; of a question that waits there is none yet."""
    waits = cell.state is State.PROPOSED and was_asked(cell.of, cell.state)
    if cell.person.is_ana and waits and not was_agreed(cell.of, cell.state):
        return Expected(Answer.NOT_NOW)
    if not cell.person.is_ana or not was_agreed(cell.of, cell.state):
        return ABSENT
    return shown(NAMED)


def stop_page(cell: Cell) -> Expected:
    """Where she is asked once more before sharing stops; leads away when nothing runs."""
    if not cell.person.is_ana:
        return ABSENT
    return NOTHING_OF_HERS if _runs(cell.of, cell.state) else ELSEWHERE


def _runs(of: Who, state: State) -> bool:
    return bool(shared_with(of, state)) or (
        was_agreed(of, state) and state is State.NOT_YET and not PEOPLE[of].has_left
    )


def renewing(cell: Cell) -> Expected:
    """Longer, while it is shared at this moment; leads away otherwise."""
    if not cell.person.is_ana:
        return ABSENT
    return NOTHING_OF_HERS if shared_with(cell.of, cell.state) else ELSEWHERE


def viewed_as_now(cell: Cell) -> Expected:
    """The page as that trainer has it now."""
    return _viewed_as(cell, shared_with(cell.of, cell.state))


def viewed_as(cell: Cell) -> Expected:
    """The page as that trainer would have it with one part that is tried out: the note."""
    return _viewed_as(cell, frozenset({Part.NOTE}))


def _viewed_as(cell: Cell, parts: Parts) -> Expected:
    if not cell.person.is_ana:
        return ABSENT
    return shown(words_in(parts, _reports_of(cell.of)), Entry("read", parts))


def of_her_question(cell: Cell) -> Expected:
    """What would change for a trainer, in the words of the notice; nothing of the record."""
    return NOTHING_OF_HERS if cell.person.is_ana else ABSENT


# --- whom she would like ------------------------------------------------------------------------


def wishes(cell: Cell) -> Expected:
    """Her side, and who treats her. Whoever it names is not among them."""
    return NOTHING_OF_HERS if cell.person.is_ana or treats(cell) else ABSENT


# --- letters from doctors, everything as a file ------------------------------------------------
# Written from docs/files.md and docs/rights.md.


def reads_letters(cell: Cell) -> bool:
    """She, and the therapist it was handed in for with their assistants. No consent covers one."""
    return cell.person.is_ana or treats(cell)


def letters(cell: Cell) -> Expected:
    if not reads_letters(cell):
        return TURNED_AWAY
    return shown(frozenset({LETTER}), Entry("read", frozenset({Part.HISTORY})))


def letters_page(cell: Cell) -> Expected:
    """The same, under her name for those who treat her."""
    expected = letters(cell)
    if not treats(cell):
        return expected
    return shown(NAMED | expected.words, *expected.entries)


def letter_file(cell: Cell) -> Expected:
    """What somebody photographed or printed: none of the planted words can be read in it."""
    if not reads_letters(cell):
        return TURNED_AWAY
    return shown(frozenset(), Entry("exported", frozenset({Part.HISTORY})))


# --- what it costs: no class of sharing holds it, so no consent covers it -----------------------


def her_costs(cell: Cell) -> Expected:
    """Hers alone: what she noted herself is not even her therapist's."""
    if not cell.person.is_ana:
        return TURNED_AWAY
    return shown(frozenset({COSTS}), Entry("read", frozenset({Part.HISTORY})))


def gates(cell: Cell) -> Expected:
    """What she has to reach: read like her results, and by no trainer, whatever is shared."""
    if not cell.person.is_ana and not treats(cell):
        return TURNED_AWAY
    return one_of(Part.OUTCOMES)(cell)


def coverage(cell: Cell) -> Expected:
    """Who pays for her therapy, for those who treat her."""
    if not treats(cell):
        return TURNED_AWAY
    return shown(frozenset({COSTS}), Entry("read", frozenset({Part.HISTORY})))


def coverage_page(cell: Cell) -> Expected:
    return _for_treating(cell, coverage(cell))


def screenings(cell: Cell) -> Expected:
    """Results of who comes first that she kept: hers alone, and no consent covers one. They hold
    none of the planted words."""
    if not cell.person.is_ana:
        return TURNED_AWAY
    return shown(frozenset(), Entry("read", frozenset({Part.HISTORY})))


def everything(cell: Cell) -> Expected:
    """Her whole record and every handoff of hers; not what the two professionals wrote to each
    other, nothing unsigned, and no telephone number of a practice: that is nothing about her."""
    if not cell.person.is_ana:
        return ABSENT
    goals = {goal_of(each) for each in Who if PEOPLE[each].handoff is not Handoff.NONE}
    parts = ALL - {Part.CONTACT}
    words = NAMED | words_in(parts, reports_for(cell.who, cell.state)) | goals | {LETTER, COSTS}
    return shown(words, Entry("exported", ALL))


def everything_from_a_page(cell: Cell) -> Expected:
    """The same; a try by another client reaches the door, and is entered."""
    return everything(cell) if cell.person.is_ana else TURNED_AWAY


def hers(cell: Cell) -> Expected:
    return NOTHING_OF_HERS if cell.person.is_ana else ABSENT


def leads_to_her_question(cell: Cell) -> Expected:
    """Of age she objects to nothing, and what would change is asked with the parts."""
    return ELSEWHERE if cell.person.is_ana else ABSENT


def own_name(cell: Cell) -> Expected:
    return shown(NAMED if cell.person.is_ana else frozenset())


def is_an_end_of_a_handoff(cell: Cell) -> bool:
    return cell.who is Who.AUTHOR or accepted(cell.who)


def asking(cell: Cell) -> Expected:
    """The form with which one end of a handoff asks her for more. It calls her by first name."""
    return NOTHING_OF_HERS if is_an_end_of_a_handoff(cell) else ABSENT


def facts_of_a_handoff(cell: Cell) -> Expected:
    """A handoff has none: they go from a trainer to a therapist."""
    return ABSENT if knows_of_handoff(cell) else TURNED_AWAY


def referring_back(cell: Cell) -> Expected:
    """The form with which a trainer who took her on refers her back to a therapist."""
    return shown(NAMED) if accepted(cell.who) else ABSENT


def sending_back(cell: Cell) -> Expected:
    """Back to training goes who was discharged: before, it leads to the note. It is for whoever
    signs; an assistant is told so."""
    if not treats(cell):
        return ABSENT
    return ELSEWHERE if cell.who is Who.AUTHOR else REFUSED


# --- pages of a role ----------------------------------------------------------------------------


def first_page(cell: Cell) -> Expected:
    if cell.person.is_ana:
        parts = frozenset({Part.CONTACT, Part.CLEARANCE})
        return shown(words_in(parts, frozenset()), Entry("read", ALL))
    if Trade.ADMIN in cell.person.trades:
        return ELSEWHERE  # into the administration
    return _named_if_known(cell)


def _named_if_known(cell: Cell) -> Expected:
    return shown(NAMED if knows_her(cell.who) else frozenset())


caseload = _named_if_known
handoffs_page = _named_if_known


def workspace(*parts: Part, unsigned: bool = False) -> Rule:
    """A page on which the treating side works; for all others it does not exist."""

    def rule(cell: Cell) -> Expected:
        if not treats(cell):
            return TURNED_AWAY
        words = words_in(frozenset(parts), frozenset()) | ({DRAFT} if unsigned else set())
        return shown(NAMED | words, Entry("read", TREATING_SIDE))

    return rule


def treating(expected: Expected) -> Rule:
    return lambda cell: expected if treats(cell) else TURNED_AWAY


def signing(expected: Expected) -> Rule:
    """For whoever may sign. An assistant is told that it is not theirs to do."""

    def rule(cell: Cell) -> Expected:
        if not treats(cell):
            return TURNED_AWAY
        return expected if cell.who is Who.AUTHOR else REFUSED

    return rule


def score_page(cell: Cell) -> Expected:
    return _for_treating(cell, one_of(Part.OUTCOMES)(cell))


def limit_history(cell: Cell) -> Expected:
    return _for_treating(cell, one_of(Part.RESTRICTIONS)(cell))


def drafted_limit(cell: Cell) -> Expected:
    return _for_treating(cell, draft_of(Part.RESTRICTIONS)(cell))


def drafted_limits(cell: Cell) -> Expected:
    """The part of the note that lists unsigned limits, as htmx asks for it alone."""
    return draft_of(Part.RESTRICTIONS)(cell)


def revising(cell: Cell) -> Expected:
    """The form shows the limit with its clinical reason, which is part of the note."""
    words = words_in(frozenset({Part.RESTRICTIONS}), frozenset()) | {Part.NOTE.value}
    return signing(shown(NAMED | words, Entry("read", TREATING_SIDE)))(cell)


def lifting(cell: Cell) -> Expected:
    limit = one_of(Part.RESTRICTIONS)(cell)
    return signing(shown(NAMED | limit.words, *limit.entries))(cell)


def names_her(cell: Cell) -> Expected:
    """A form about her that holds no more than her name."""
    return shown(NAMED) if treats(cell) else ABSENT


def hers_or_empty(cell: Cell) -> Expected:
    """A client's own page: hers for her, an empty one for another client."""
    return shown(frozenset())


def _for_treating(cell: Cell, expected: Expected) -> Expected:
    if not treats(cell):
        return TURNED_AWAY
    return shown(NAMED | expected.words, *expected.entries)
