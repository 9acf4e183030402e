"""An episode of care, and what is measured in it."""

from collections.abc import Iterable
from typing import Any

from django import forms

from referrals.forms.pt_entries import (
    Choices,
    Entry,
    EntryForm,
    choice,
    day,
    number,
    text,
    words,
)
from referrals.models import Measurement
from referrals.vocabulary import BodyRegion, Laterality


class EpisodeForm(EntryForm):
    condition = words(
        "Condition, in your own words",
        hint="A trainer reads it only if the client shares “What happened”.",
    )
    icd10_code = words("ICD-10 code", required=False, hint="Like M54.5")
    body_region = choice("Body region", BodyRegion.choices)
    laterality = choice("Side", Laterality.choices)
    onset_on = day("Began on", required=False)
    mechanism = words("How it happened", required=False)
    surgery = words("Surgery", required=False)
    surgery_on = day("Surgery on", required=False)
    started_on = day("First visit")
    last_visit_on = day("Last visit", required=False)
    visits_completed = number("Visits so far", required=False)
    planned_discharge_on = day(
        "Discharge planned for", required=False, hint="You are reminded a week before."
    )
    recurrence_of = Entry(
        label="Comes back after",
        required=False,
        help_text="An earlier episode, when the same thing has returned.",
        widget=forms.Select(),
    )

    def __init__(self, *args: Any, earlier: Iterable[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ended = list(earlier)
        if ended:
            self.fields["recurrence_of"].widget = forms.Select(choices=[("", "Nothing"), *ended])
        else:
            del self.fields["recurrence_of"]


class MeasurementForm(EntryForm):
    """One value of one measure."""

    measure = Entry(label="Measure", widget=forms.Select())
    value = number("Score", whole=False)
    moment = Entry(label="Taken at", widget=forms.RadioSelect(choices=Measurement.Moment.choices))
    taken_on = day("On")
    side = Entry(
        label="Side",
        required=False,
        widget=forms.Select(
            choices=[
                ("", "No side"),
                (Laterality.LEFT.value, Laterality.LEFT.label),
                (Laterality.RIGHT.value, Laterality.RIGHT.label),
                (Laterality.BILATERAL.value, Laterality.BILATERAL.label),
            ]
        ),
    )

    def __init__(self, *args: Any, measures: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["measure"].widget = forms.Select(choices=[("", "Choose"), *measures])


class AddendumForm(EntryForm):
    text = text(
        "What should be added or corrected",
        hint="It is signed with your licence and stands below the note for good.",
        rows=4,
    )
