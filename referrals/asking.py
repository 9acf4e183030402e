"""How often, and for what, a professional may ask a client to share. Pure.

A question costs the client attention, and saying no must cost them nothing: whoever asked is told
"not shared" and cannot ask until they give in.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from clients.scopes import Scope
from handoff.core.errors import Invalid, NotAllowed

SAME_CLIENT: Final = timedelta(days=30)
MOST_OF_ONE_CLIENT: Final = 3
ANYBODY: Final = timedelta(days=1)
MOST_OF_ANYBODY: Final = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What a professional wants to ask, and what they have asked lately."""

    wanted: Collection[Scope]
    shared: Collection[Scope]
    """What the client shares between the same three at this moment."""
    is_recipient: bool
    question_is_open: bool
    of_this_client: int
    """Questions of theirs to this client within `SAME_CLIENT`."""
    of_anybody: int
    """Questions of theirs within `ANYBODY`."""


def require(asked: Asked) -> None:
    """Raises Invalid when nothing new is asked for; NotAllowed while an answer is awaited that is
    not the asker's to replace, or when they have asked often enough."""
    if asked.wanted and frozenset(asked.wanted) <= frozenset(asked.shared):
        raise Invalid({"classes": ["This is shared already."]})
    if asked.is_recipient and asked.question_is_open:
        raise NotAllowed("A question to this client is open. Wait for the answer.")
    if asked.of_this_client >= MOST_OF_ONE_CLIENT:
        raise NotAllowed("You have asked this client three times in 30 days. Talk to them instead.")
    if asked.of_anybody >= MOST_OF_ANYBODY:
        raise NotAllowed("You have asked twenty times in one day. Go on tomorrow.")
