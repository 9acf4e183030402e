"""What a client chooses about sharing. Nothing here is ever chosen beforehand but the length."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from clients.scopes import DURATION_CHOICES_MONTHS, Scope, add_months, latest_expiry

ON_A_DAY = "day"
USUAL_MONTHS = 6


class PartsForm(forms.Form):
    """Which parts; the switches are drawn by the page, one per part."""

    classes = forms.MultipleChoiceField(
        label="What is shared",
        choices=Scope.choices,
        required=False,
        error_messages={"invalid_choice": "Choose from the parts on this page."},
    )

    @property
    def chosen(self) -> frozenset[Scope]:
        """What is switched on as the form stands, valid or not."""
        if not self.is_bound:
            return frozenset()
        raw = self.data.getlist("classes") if isinstance(self.data, MultiValueDict) else ()
        return frozenset(Scope(value) for value in raw if value in Scope.values)


class GrantForm(PartsForm):
    """Parts, until when, and that it was read."""

    until = forms.ChoiceField(
        label="Until when",
        widget=forms.RadioSelect,
        initial=str(USUAL_MONTHS),
        error_messages={"required": "Choose until when."},
    )
    until_day = forms.DateField(label="Last day", required=False)
    confirmed = forms.BooleanField(
        label="That you have read it",
        error_messages={"required": "Tick this once you have read both."},
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.ends = {months: add_months(today, months) for months in DURATION_CHOICES_MONTHS}
        until = self.fields["until"]
        if isinstance(until, forms.ChoiceField):
            until.choices = [
                *((str(months), f"{months} months") for months in self.ends),
                (ON_A_DAY, "Pick a day"),
            ]
        self.first_day = today + timedelta(days=1)
        self.latest_day = latest_expiry(today)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        lacks_day = not cleaned.get("until_day") and "until_day" not in self.errors
        if not cleaned.get("classes") and "classes" not in self.errors:
            # Said together with what else is missing, not only once the rest is right.
            self.add_error("classes", "Choose at least one part to share.")
        if cleaned.get("until") == ON_A_DAY and lacks_day:
            self.add_error("until_day", "Pick the last day of sharing.")
        return cleaned

    @property
    def expires_on(self) -> date:
        """The last day of sharing. Only for a valid form."""
        until = self.cleaned_data["until"]
        if until == ON_A_DAY:
            day: date = self.cleaned_data["until_day"]
            return day
        return self.ends[int(until)]

    def take_suggested(self, suggested: Iterable[Scope]) -> "GrantForm":
        """The same form with the suggested parts switched on as well, and no complaint yet."""
        data: MultiValueDict[str, Any] = MultiValueDict()
        data.update(self.data)
        data.setlist("classes", sorted(self.chosen | frozenset(suggested)))
        again = GrantForm(data, today=self.today)
        again.errors.clear()
        return again
