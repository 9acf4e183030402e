"""What somebody looks for in the directory."""

from django import forms

from clients.languages import LANGUAGES
from clients.specialties import SPECIALTIES
from clients.us_states import US_STATES

ROLES = [("pt", "Physical therapists"), ("trainer", "Personal trainers")]
ANY = ("", "Any")


class DirectoryForm(forms.Form):
    """Sent in the address, so that a search can be kept and passed on."""

    q = forms.CharField(
        required=False,
        max_length=80,
        label="Name, practice or city",
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        required=False,
        label="Who",
        choices=[("", "Both"), *ROLES],
    )
    specialty = forms.ChoiceField(
        required=False, label="Works on", choices=[ANY, *SPECIALTIES.items()]
    )
    state = forms.ChoiceField(required=False, label="State", choices=[ANY, *US_STATES.items()])
    language = forms.ChoiceField(
        required=False, label="Language", choices=[ANY, *LANGUAGES.items()]
    )
    accepting = forms.BooleanField(required=False, label="Only who has places now")
