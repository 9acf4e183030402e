"""Movement restrictions: drafted with the note, signed with it, then changed only by versions.

Time never lifts one. After the note is signed every change is a new signed version by the
treating therapist; what was said before stays readable. A trainer acknowledges the version that
rules and may ask for a change, never make one.
"""

from referrals.restrictions.changes import add_signed, lift, revise
from referrals.restrictions.drafts import (
    add_draft,
    add_drafts,
    change_draft,
    remove_draft,
    set_drafts,
)
from referrals.restrictions.trainers import acknowledge, acknowledge_all, request_lift
from referrals.restrictions.versions import MOST_PER_EPISODE, current_versions

__all__ = [
    "MOST_PER_EPISODE",
    "acknowledge",
    "acknowledge_all",
    "add_draft",
    "add_drafts",
    "add_signed",
    "change_draft",
    "current_versions",
    "lift",
    "remove_draft",
    "request_lift",
    "revise",
    "set_drafts",
]
