"""What Ana has agreed to, and what of it holds. Written from docs/consent.md.

Nothing is shared unless the newest thing said is a yes, its time has begun, its time has not
ended, and both professionals still work. In every other case the answer is the empty set.
"""

from enum import StrEnum

from tests.matrix.oracle.people import PEOPLE, Asked, Handoff, Who


class Part(StrEnum):
    """One part of a record that can be shared."""

    CONTACT = "contact"
    CLEARANCE = "clearance"
    RESTRICTIONS = "restrictions"
    HISTORY = "history"
    OUTCOMES = "outcomes"
    NOTE = "note"
    FEEDBACK = "training_feedback"


class State(StrEnum):
    """Where the question stands that Ana was asked about a trainer."""

    NONE = "none"
    PROPOSED = "proposed"
    ACTIVE = "active"
    OTHER_PARTS = "active for other parts"
    OTHER_RECIPIENT = "active for another recipient"
    NOT_YET = "not begun yet"
    EXPIRED = "expired one second ago"
    REVOKED = "revoked"
    NARROWER = "superseded by a narrower one"


Parts = frozenset[Part]
NOTHING: Parts = frozenset()
ALL: Parts = frozenset(Part)
AGREED: Parts = frozenset({Part.CLEARANCE, Part.RESTRICTIONS, Part.HISTORY, Part.FEEDBACK})
OTHER: Parts = frozenset({Part.CONTACT, Part.OUTCOMES, Part.NOTE})
NARROW: Parts = frozenset({Part.CLEARANCE, Part.RESTRICTIONS})
CONTACT: Parts = frozenset({Part.CONTACT})

HOLDS: dict[State, Parts] = {
    State.NONE: NOTHING,
    State.PROPOSED: NOTHING,  # a question shares nothing
    State.ACTIVE: AGREED,
    State.OTHER_PARTS: OTHER,
    State.OTHER_RECIPIENT: NOTHING,  # what is agreed for one is agreed for no other
    State.NOT_YET: NOTHING,
    State.EXPIRED: NOTHING,
    State.REVOKED: NOTHING,
    State.NARROWER: NARROW,  # the older and wider yes is gone
}
"""What the consent between Ana, her therapist and the trainer shares in each state."""


def shared_with(who: Who, state: State) -> Parts:
    """The parts Ana shares now with this person as a trainer."""
    person = PEOPLE[who]
    if person.has_left:
        return NOTHING
    match person.asked:
        case Asked.AS_THE_STATE_SAYS:
            return HOLDS[state]
        case Asked.CONTACT_ONLY:
            return CONTACT
        case Asked.NEVER | Asked.RAN_OUT | Asked.STOPPED:
            return NOTHING


def was_asked(who: Who, state: State) -> bool:
    """Whether there is a question about this person at all."""
    match PEOPLE[who].asked:
        case Asked.NEVER:
            return False
        case Asked.AS_THE_STATE_SAYS:
            return state not in (State.NONE, State.OTHER_RECIPIENT)
        case Asked.RAN_OUT | Asked.STOPPED | Asked.CONTACT_ONLY:
            return True


def asked_for(who: Who, state: State) -> Parts:
    """The parts the question about this person names."""
    match PEOPLE[who].asked:
        case Asked.RAN_OUT | Asked.STOPPED:
            return ALL
        case Asked.CONTACT_ONLY:
            return CONTACT
        case Asked.NEVER:
            return NOTHING
        case Asked.AS_THE_STATE_SAYS:
            if not was_asked(who, state):
                return NOTHING
            return {State.OTHER_PARTS: OTHER, State.NARROWER: NARROW}.get(state, AGREED)


def was_agreed(who: Who, state: State) -> bool:
    """Whether she ever said yes to that question, whatever became of it."""
    as_stated = PEOPLE[who].asked is Asked.AS_THE_STATE_SAYS
    return was_asked(who, state) and not (as_stated and state is State.PROPOSED)


def has_gone_out(who: Who, state: State) -> bool:
    """Whether the handoff has reached this trainer. It is not sent before Ana has agreed."""
    handoff = PEOPLE[who].handoff
    if handoff is Handoff.SENT:
        return state not in (State.NONE, State.PROPOSED, State.OTHER_RECIPIENT)
    return handoff is Handoff.ACCEPTED


def tells_back(who: Who, state: State) -> bool:
    """Whether what this trainer reports flows back to the therapist."""
    accepted = PEOPLE[who].handoff is Handoff.ACCEPTED
    return accepted and Part.FEEDBACK in shared_with(who, state)
