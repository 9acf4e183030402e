"""The discharge note as a form: its fields, its goals, and which section each belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms

from referrals.discharge import MOST_GOALS, GoalInput
from referrals.forms.pt_entries import (
    EntryForm,
    choice,
    day,
    number,
    one_of,
    text,
    tick,
    typed,
    words,
)
from referrals.models import DischargeNote
from referrals.vocabulary import ClearanceLevel, DischargeReason, DischargeType, GoalOutcome

NOTE: Final = "note"
"""Id of the form element; the controls stand in the sections below it."""


class NoteForm(EntryForm):
    discharge_type = one_of("Kind of discharge", DischargeType.choices)
    discharge_on = day("Date of discharge")
    reason = choice("Why therapy ends", DischargeReason.choices)
    diagnosis = text("Diagnosis, in your own words", rows=2)
    first_visit_on = day("First visit")
    last_visit_on = day("Last visit")
    visits_completed = number("Visits completed")
    course = text(
        "What happened and what you did",
        required=False,
        hint="Clinical text. A trainer reads it only if the client shares the closing note.",
    )
    response = text("How the client responded", required=False, rows=2)
    pain_now = number("Pain now")
    pain_worst = number("Pain at its worst")
    pain_best = number("Pain at its best")
    range_of_motion = text("Range of motion", required=False, rows=2)
    strength = text("Strength", required=False, rows=2)
    functional_level = text("What the client can do now", rows=2)

    measures_missing_reason = text(
        "Why final scores are missing",
        required=False,
        hint="Only for a quick discharge without them.",
        rows=2,
    )

    restrictions_decision = one_of("Your decision", DischargeNote.RestrictionsDecision.choices)

    home_programme = text("Home programme", rows=3)
    no_home_programme = tick("There is no home programme")
    equipment = text("Equipment", required=False, rows=2)
    follow_up = text("What you recommend from here", rows=2)
    flare_up_plan = text("If it flares up", rows=2)
    return_criteria = text("Come back to therapy if", rows=2)
    future_contact = words("Whom to call later")

    clearance = one_of("May the client train?", ClearanceLevel.choices)
    trainer_referral = one_of("Hand off to a trainer?", DischargeNote.TrainerReferral.choices)


class GoalForm(EntryForm):
    text = words("Goal")
    outcome = one_of("What became of it", GoalOutcome.choices)
    # The blank stands for "empty" in the style sheet, which shows the field where it is asked for.
    why_not = words(
        "Why not fully", required=True, hint="For example: 82% at week 12", placeholder=" "
    )

    @property
    def is_blank(self) -> bool:
        return not any(str(value or "").strip() for value in self.entries().values())

    def as_input(self) -> GoalInput:
        entries = self.entries()
        return GoalInput(**{name: str(entries.get(name) or "") for name in self.fields})


class GoalRows:
    """The goals of a note on a page: those that are there, and blank ones to fill in.

    Blank rows are left out when saving, so a goal's place in the note need not be its row.
    """

    def __init__(self, forms_: Sequence[GoalForm]) -> None:
        self.forms = list(forms_)

    @classmethod
    def typed(cls, data: Mapping[str, Any]) -> "GoalRows":
        """The rows as they were sent."""
        try:
            count = int(data.get("goals-rows", 0))
        except (TypeError, ValueError):
            count = 0
        count = min(max(count, 0), MOST_GOALS + 1)
        return cls([cls._row(place, data) for place in range(count)])

    @classmethod
    def stored(cls, goals: Sequence[Any], *, bound: bool = False) -> "GoalRows":
        """The rows of a saved note, for looking at or (`bound`) for showing what is missing."""
        rows = []
        for place, goal in enumerate(goals):
            values = {name: getattr(goal, name) for name in ("text", "outcome", "why_not")}
            if bound:
                data = {f"goals-{place}-{name}": typed(value) for name, value in values.items()}
                rows.append(cls._row(place, data))
            else:
                rows.append(cls._row(place, None, values))
        return cls(rows)

    @staticmethod
    def _row(
        place: int, data: Mapping[str, Any] | None, initial: Mapping[str, Any] | None = None
    ) -> GoalForm:
        return GoalForm(data, prefix=f"goals-{place}", initial=dict(initial or {}), of=NOTE)

    @property
    def filled(self) -> list[int]:
        """The rows that hold a goal, in the order of the note."""
        return [place for place, row in enumerate(self.forms) if not row.is_blank]

    def inputs(self) -> list[GoalInput]:
        return [self.forms[place].as_input() for place in self.filled]

    def with_blank(self) -> "GoalRows":
        """The same rows with an empty one at the end, unless there is one or no room."""
        last_is_blank = bool(self.forms) and self.forms[-1].is_bound and self.forms[-1].is_blank
        if not last_is_blank and len(self.forms) < MOST_GOALS:
            self.forms.append(self._row(len(self.forms), None))
        return self

    def row_of(self, field: str) -> tuple[GoalForm, str] | None:
        """The row and field that a complaint named "goals-1-text" is about."""
        parts = field.split("-", 2)
        if len(parts) != 3 or parts[0] != "goals" or not parts[1].isdigit():
            return None
        filled = self.filled if any(row.is_bound for row in self.forms) else None
        place = int(parts[1])
        if filled is not None:
            if place >= len(filled):
                return None
            place = filled[place]
        return (self.forms[place], parts[2]) if place < len(self.forms) else None


@dataclass(frozen=True, slots=True)
class Section:
    """One numbered part of the page, and the fields whose complaints belong to it."""

    key: str
    title: str
    fields: tuple[str, ...]

    def owns(self, field: str) -> bool:
        return field in self.fields or (self.key == "goals" and field.startswith("goals-"))


SECTIONS: Final = (
    Section(
        "course",
        "Course of care",
        (
            *("discharge_type", "discharge_on", "reason", "diagnosis", "body_region"),
            *("laterality", "first_visit_on", "last_visit_on", "visits_completed", "pain_now"),
            *("pain_worst", "pain_best", "functional_level", "course", "response"),
            *("range_of_motion", "strength"),
        ),
    ),
    Section("measures", "Measures", ("measurements", "measures_missing_reason")),
    Section("goals", "Goals", ("goals",)),
    Section("limits", "Limits for training", ("restrictions", "restrictions_decision")),
    Section(
        "home",
        "Home, follow-up, flare-up",
        (
            *("home_programme", "no_home_programme", "equipment", "follow_up"),
            *("flare_up_plan", "return_criteria", "future_contact"),
        ),
    ),
    Section("clearance", "Clearance", ("clearance",)),
    Section("trainer", "Trainer", ("trainer_referral",)),
)
UNITS: Final = {"pain_now": "of 10", "pain_worst": "of 10", "pain_best": "of 10"}


def choices_of(name: str) -> dict[str, str]:
    """Stored value -> words, for a field of the note that is chosen from a list."""
    widget = NoteForm.base_fields[name].widget
    if not isinstance(widget, forms.Select | forms.RadioSelect):
        return {}
    return {str(value): str(label) for value, label in widget.choices if value}
