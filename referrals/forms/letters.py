"""Handing in a letter from a doctor."""

from collections.abc import Sequence
from typing import Any

from django import forms

from clients.models import Professional
from handoff.web.uploads import UploadField
from referrals.models import Letter


class LetterForm(forms.Form):
    pt = forms.ChoiceField(label="For")
    kind = forms.ChoiceField(label="What is it?", choices=[("", "Choose"), *Letter.Kind.choices])
    author = forms.CharField(
        label="Who wrote it?",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    dated_on = forms.DateField(label="Date on the letter", widget=forms.DateInput())
    file = UploadField(label="The letter")

    def __init__(self, *args: Any, therapists: Sequence[Professional], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(each.pk), f"{each.name}, {each.practice.name}") for each in therapists]
        if len(choices) == 1:
            self.fields["pt"] = forms.ChoiceField(
                choices=choices, initial=choices[0][0], widget=forms.HiddenInput()
            )
        else:
            self.fields["pt"] = forms.ChoiceField(label="For", choices=[("", "Choose"), *choices])
