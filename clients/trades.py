"""What each trade may and may not do, in words for whoever looks for one (R1 to R8). Pure.

The rules themselves are enforced where each step is; nothing is decided from these words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from clients.us_states import US_STATES


@dataclass(frozen=True, slots=True)
class Remit:
    """What one professional may do, and what not, one short sentence each."""

    may: tuple[str, ...]
    may_not: tuple[str, ...]


def therapists(states: Sequence[str]) -> Remit:
    """A physical therapist who holds a checked licence, valid today, for these states."""
    places = _listed([US_STATES.get(state, state) for state in states])
    return Remit(
        may=(
            "Examine you, say what is wrong and treat it.",
            "Set limits for training, change them and lift them.",
            f"Do this for people who live in {places}.",
            "See you without a doctor\u2019s referral, as far as your state and your insurance "
            "allow. Ask when you book.",
        ),
        may_not=("Sign for somebody who lives in a state without a licence here.",),
    )


def trainers() -> Remit:
    return Remit(
        may=(
            "Look at how you move, plan your training and lead it.",
            "Train within the limits a therapist has set, and ask for one to be looked at again.",
        ),
        may_not=(
            "Say what is wrong with you, or treat an injury.",
            "Set, change or lift a limit: that is the therapist\u2019s.",
        ),
    )


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
