"""What people type at a referral: reasons, messages, times, reports. Shape only, no rules."""

from typing import Any

from django import forms
from django.db.models import TextChoices

from clients.models import Professional
from referrals.models import LoopReport, ReferralEvent, ReferralMessage
from referrals.scope_of_practice import beyond_training, warning


def _length(model: type[Any], field: str) -> int:
    most = model._meta.get_field(field).max_length
    return int(most)


class NoForm(forms.Form):
    """A step that takes nothing but the decision."""


class ReasonForm(forms.Form):
    """A reason from the list, and a word to go with it."""

    reason_code = forms.ChoiceField(label="Reason")
    reason_text = forms.CharField(
        label="Anything to add?",
        required=False,
        max_length=_length(ReferralEvent, "reason_text"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Facts the other side needs. No diagnosis.",
    )

    def __init__(self, *args: Any, reasons: type[TextChoices], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["reason_code"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", "Choose"), *reasons.choices]


class MessageForm(forms.Form):
    text = forms.CharField(
        label="Your message",
        max_length=_length(ReferralMessage, "text"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Read by both professionals of this handoff, and by nobody else.",
    )


class LimitQuestionForm(MessageForm):
    """The same, about one limit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = "What you ask for, and why"
        self.fields["text"].help_text = "Loads, repetitions, pain as a number. No diagnosis."


class ScheduleForm(forms.Form):
    """Day and time apart: each has a picker on every phone, and errors find their field."""

    day = forms.DateField(label="Day", widget=forms.DateInput(attrs={"type": "date"}))
    time = forms.TimeField(label="Time", widget=forms.TimeInput(attrs={"type": "time"}))


class ReportForm(forms.Form):
    observations = forms.CharField(
        label="What you saw",
        max_length=_length(LoopReport, "observations"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Sessions, loads, pain as a number. Facts only, no diagnosis.",
    )
    sessions_held = forms.IntegerField(
        label="Sessions held",
        required=False,
        min_value=0,
        max_value=500,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    seen_it = forms.BooleanField(
        label="These are facts I saw",
        required=False,
        help_text="Tick it to send the words as they are.",
    )

    def __init__(self, *args: Any, by_trainer: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        typed = self.data.get(self.add_prefix("observations"), "") if by_trainer else ""
        self._doubtful = beyond_training(typed)
        if not self._doubtful:
            del self.fields["seen_it"]

    def clean(self) -> dict[str, Any]:
        """Words that read like a diagnosis are pointed out once, and can be confirmed."""
        found = super().clean() or {}
        if not found.pop("seen_it", False) and self._doubtful:
            self.add_error("observations", warning(self._doubtful))
        return found


class RerouteForm(forms.Form):
    """Somebody else, from those who may take the client now."""

    recipient = forms.ChoiceField()

    def __init__(
        self, *args: Any, people: list[Professional], label: str = "Trainer", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["recipient"]
        field.label = label
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                ("", "Choose"),
                *((str(each.pk), f"{each.name}, {each.practice.name}") for each in people),
            ]
