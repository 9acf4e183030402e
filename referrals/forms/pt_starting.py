"""Beginning from a template, return gates, and what came back: the therapist's forms for them."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms

from referrals.forms.pt_entries import (
    Choices,
    Entry,
    EntryForm,
    choice,
    day,
    number,
    one_of,
    tick,
    words,
)
from referrals.gates import COMPARATORS
from referrals.vocabulary import Laterality, RecurrenceKind, Unit

_SIDES = [(each.value, each.label) for each in (Laterality.LEFT, Laterality.RIGHT)]


class OfferForm(EntryForm):
    """One thing a template proposes: the tick, and what is to be filled in beside it."""

    add = tick("Add it")
    laterality = choice("Side", [*_SIDES, (Laterality.BILATERAL.value, Laterality.BILATERAL.label)])
    value = number("Your number", whole=False)
    review_on = day("Look at it again on")

    def __init__(
        self, *args: Any, asked: Collection[str], says: str, counted: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - {"add", *asked}:
            del self.fields[name]
        self.fields["add"].label = says
        if counted and "value" in self.fields:
            self.fields["value"].label = f"Your number: {counted}"

    @property
    def is_ticked(self) -> bool:
        return bool(self.is_bound and self.entries()["add"])

    @property
    def filled(self) -> Mapping[str, object]:
        """What was typed beside the tick."""
        return {name: value or "" for name, value in self.entries().items() if name != "add"}


class GateForm(EntryForm):
    """One thing to reach: on a measure, or a test in words."""

    measure = Entry(
        label="Measure",
        required=False,
        widget=forms.Select(),
        help_text="Held against the scores recorded here.",
    )
    test = words(
        "Or a test in words",
        required=False,
        placeholder="Steady on one leg",
        hint="It stays “not measured”: no score is recorded for it.",
    )
    comparator = choice(
        "Result",
        [(each.value, each.label) for each in COMPARATORS],
        required=False,
        empty="Seen",
    )
    value = number("Number", required=False, whole=False)
    unit = choice(
        "Unit",
        [(each.value, each.label) for each in Unit],
        required=False,
        empty="As measured",
        hint="For a test in words.",
    )
    side = choice("Side", _SIDES, required=False, empty="No side")
    source = words("Source", required=False, hint="Author, year and journal, if it is not yours.")

    def __init__(self, *args: Any, measures: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["measure"].widget = forms.Select(choices=[("", "None"), *measures])


class RecurrenceForm(EntryForm):
    """How this relates to the earlier episode."""

    kind = one_of("What it is", RecurrenceKind.choices)
    full_return_on = day(
        "Back to everything since",
        required=False,
        hint="After the earlier episode. Leave it empty if that day never came.",
    )
