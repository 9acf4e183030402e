"""Choosing a trainer: whom, what for, when, and what the client is asked to share."""

from typing import Any

from django import forms

from clients.scopes import SUGGESTED, Scope
from referrals.forms.pt_entries import Entry, EntryForm, choice, day, words
from referrals.models import Referral


class HandoffForm(EntryForm):
    """The trainers are drawn by the page, one radio each."""

    recipient = Entry(label="Trainer", widget=forms.RadioSelect())
    find = words("Find a trainer by name, gym or city", required=False)
    goal = words(
        "What the client wants to train for",
        required=False,
        hint="The trainer reads this before they accept. No diagnosis.",
    )
    start_from = day("Start from", required=False)
    start_until = day("At the latest", required=False)
    priority = choice("How urgent", Referral.Priority.choices)
    classes = Entry(
        label="What you ask the client to share",
        widget=forms.CheckboxSelectMultiple(choices=Scope.choices),
    )

    @property
    def chosen(self) -> frozenset[Scope]:
        """The parts that are ticked as the form stands; the usual ones on a fresh page."""
        if not self.is_bound:
            return SUGGESTED
        sent: Any = self.entries()["classes"] or []
        return frozenset(Scope(value) for value in sent if value in Scope.values)
