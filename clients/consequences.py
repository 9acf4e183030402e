"""What follows when people change: a layer above plans it, in the transaction of the change.

This app knows no referrals and no reminders. Whoever does follows these once, from an
`AppConfig.ready()`; the verbs here say what happened.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final, Generic, TypeVar

from clients.models import Client, Credential, User

Subject = TypeVar("Subject")


class Told(Generic[Subject]):
    """One kind of change. Called by the verb that makes it, inside its transaction."""

    def __init__(self) -> None:
        self._follower: Callable[[Subject, datetime], None] | None = None

    def follow(self, follower: Callable[[Subject, datetime], None]) -> None:
        """Have `follower` plan what follows; it takes the place of an earlier one."""
        self._follower = follower

    def __call__(self, subject: Subject, *, at: datetime) -> None:
        if self._follower is not None:
            self._follower(subject, at)


credential_changed: Final = Told[Credential]()
"""Added, verified, changed or withdrawn."""
deciders_changed: Final = Told[Client]()
"""A guardian's authority was verified or has ended."""
zone_changed: Final = Told[User]()
"""Somebody lives by another clock now."""
