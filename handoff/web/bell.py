"""How many open reminders the bell shows.

The bell hangs in every page, but reminders live in a layer above this one. That layer hands in its
counter when the app starts; until it does, the bell shows nothing.
"""

from collections.abc import Callable

from handoff.core.actors import Actor

_counters: list[Callable[[Actor], int]] = []


def count_with(counter: Callable[[Actor], int]) -> None:
    """Use `counter` for the number in the bell. Called once, from an AppConfig.ready()."""
    _counters[:] = [counter]


def open_reminders(actor: Actor) -> int:
    """Reminders waiting for this person now; 0 for somebody not signed in."""
    if actor.user_id is None or not _counters:
        return 0
    return _counters[0](actor)
