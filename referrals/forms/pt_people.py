"""Finding and inviting people."""

from collections.abc import Iterable
from typing import Any

from django import forms

from clients.forms import zone_choices
from clients.models import Guardianship, Professional
from clients.us_states import US_STATES
from referrals.forms.pt_entries import Entry, EntryForm, choice, day, words


class FindForm(forms.Form):
    find = forms.CharField(
        label="Find a client by name",
        max_length=100,
        required=False,
        widget=forms.TextInput(
            attrs={
                "class": "input",
                "type": "search",
                "placeholder": "Find a client by name",
                "autocomplete": "off",
            }
        ),
    )


class InviteForm(EntryForm):
    """A new client: who they are, and where the link goes."""

    first_name = words("First name")
    last_name = words("Last name")
    birth_date = day("Date of birth", hint="They are asked for it when they open the link.")
    email = Entry(
        label="E-mail",
        help_text="The link works once, for this address, for 7 days.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    phone = words("Phone", required=False, inputmode="tel")
    state = choice(
        "State they live in",
        US_STATES.items(),
        hint="Decides which licence you sign under.",
    )
    time_zone = Entry(label="Time zone", widget=forms.Select())
    therapist_id = choice("Treated by", ())

    def __init__(
        self, *args: Any, therapists: Iterable[Professional] = (), zone: str = "", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        zones = self.fields["time_zone"].widget
        if isinstance(zones, forms.Select):
            zones.choices = zone_choices(zone)
        choices = [(str(each.pk), each.name) for each in therapists]
        if choices:
            self.fields["therapist_id"].widget = forms.Select(choices=[("", "Choose"), *choices])
        else:
            del self.fields["therapist_id"]


class AddressForm(EntryForm):
    """Where the link for a record goes that is here already."""

    email = Entry(
        label="Client's e-mail",
        help_text="The link works once, for this address, for 7 days. An older link stops working.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class GuardianForm(EntryForm):
    email = Entry(
        label="Guardian's e-mail",
        help_text="Their own address, not the client's.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    relationship = choice("They are the client's", Guardianship.Relationship.choices)
