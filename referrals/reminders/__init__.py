"""Reminders: planned with the change that causes them, delivered while their reason holds.

`rules` says what waits for whom, `planning` writes the rows, `checks` and `delivery` send them,
`inbox` is the person's own list. docs/reminders.md tells the whole story.
"""

from referrals.reminders.delivery import claim, deliver
from referrals.reminders.inbox import (
    Line,
    Reminded,
    is_listed,
    mark_done,
    mine,
    open_count,
    sent_for,
    snooze,
)
from referrals.reminders.planning import (
    acknowledged,
    client_erased,
    consent_asked,
    consent_changed,
    credential_changed,
    episode_changed,
    heal,
    note_signed,
    people_changed,
    referral_drafted,
    referral_walked,
    restrictions_changed,
    rule_changed,
    zone_changed,
)
from referrals.reminders.rules import CATALOGUE, Rule
from referrals.reminders.sweeping import Backlog, Tally, backlog, requeue, stop_due, sweep

__all__ = [
    "CATALOGUE",
    "Backlog",
    "Line",
    "Reminded",
    "Rule",
    "Tally",
    "acknowledged",
    "backlog",
    "claim",
    "client_erased",
    "consent_asked",
    "consent_changed",
    "credential_changed",
    "deliver",
    "episode_changed",
    "heal",
    "is_listed",
    "mark_done",
    "mine",
    "note_signed",
    "open_count",
    "people_changed",
    "referral_drafted",
    "referral_walked",
    "requeue",
    "restrictions_changed",
    "rule_changed",
    "sent_for",
    "snooze",
    "stop_due",
    "sweep",
    "zone_changed",
]
