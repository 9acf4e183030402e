"""What a client chooses about sharing. Nothing here is ever chosen beforehand but the length."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from clients.scopes import DURATION_CHOICES_MONTHS, Scope, add_months, latest_expiry

ON_A_DAY = "day"
WITH_TRAINING = "training"
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
    knows_objection = forms.BooleanField(label="That you know of the objection", required=False)
    confirmed = forms.BooleanField(
        label="That you have read it",
        error_messages={"required": "Tick this once you have read both."},
    )

    def __init__(self, *args: Any, today: date, has_training: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.has_training = has_training
        self.ends = {months: add_months(today, months) for months in DURATION_CHOICES_MONTHS}
        until = self.fields["until"]
        if isinstance(until, forms.ChoiceField):
            until.choices = [
                *((str(months), f"{months} months") for months in self.ends),
                *([(WITH_TRAINING, "Training ends")] if has_training else []),
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
        if until == WITH_TRAINING:
            return self.latest_day
        return self.ends[int(until)]

    @property
    def until_training_ends(self) -> bool:
        """Whether it ends with the training, if that comes first. Only for a valid form."""
        return bool(self.cleaned_data["until"] == WITH_TRAINING)

    def take(self, parts: Iterable[Scope]) -> "GrantForm":
        """The same form with these parts switched on as well, and no complaint yet."""
        data: MultiValueDict[str, Any] = MultiValueDict()
        data.update(self.data)
        data.setlist("classes", sorted(self.chosen | frozenset(parts)))
        again = GrantForm(data, today=self.today, has_training=self.has_training)
        again.errors.clear()
        return again


class RenewForm(forms.Form):
    """Until when it goes on."""

    until = forms.ChoiceField(
        label="Until when",
        widget=forms.RadioSelect,
        initial=str(USUAL_MONTHS),
        error_messages={"required": "Choose until when."},
    )
    until_day = forms.DateField(label="Last day", required=False)

    def __init__(self, *args: Any, today: date, now_until: date | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ends = {months: add_months(today, months) for months in DURATION_CHOICES_MONTHS}
        self.ends = {
            months: day for months, day in ends.items() if now_until is None or day > now_until
        }
        until = self.fields["until"]
        if isinstance(until, forms.ChoiceField):
            until.choices = [
                *((str(months), f"{months} months") for months in self.ends),
                (ON_A_DAY, "Pick a day"),
            ]
            if USUAL_MONTHS not in self.ends:
                until.initial = next((str(months) for months in self.ends), ON_A_DAY)
        self.first_day = max(today, now_until or today) + timedelta(days=1)
        self.latest_day = latest_expiry(today)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        lacks_day = not cleaned.get("until_day") and "until_day" not in self.errors
        if cleaned.get("until") == ON_A_DAY and lacks_day:
            self.add_error("until_day", "Pick the last day of sharing.")
        return cleaned

    @property
    def expires_on(self) -> date:
        """The new last day. Only for a valid form."""
        until = self.cleaned_data["until"]
        if until == ON_A_DAY:
            day: date = self.cleaned_data["until_day"]
            return day
        return self.ends[int(until)]


class AskForm(PartsForm):
    """What a professional asks a client to share, and why."""

    other = forms.ChoiceField(label="Between whom", error_messages={"required": "Choose whom."})
    purpose = forms.CharField(
        label="Why do you ask?",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The client reads exactly this. Say what you would do with it. No diagnosis.",
        error_messages={"required": "Say why you ask: the client decides by it."},
    )

    def __init__(self, *args: Any, others: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        other = self.fields["other"]
        if isinstance(other, forms.ChoiceField):
            other.choices = list(others)
            if len(other.choices) == 1:
                other.initial = other.choices[0][0]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("classes") and "classes" not in self.errors:
            self.add_error("classes", "Choose at least one part to ask for.")
        return cleaned
