"""Forms about people: signing up, coming in by invitation, one's own details."""

from typing import Any
from zoneinfo import available_timezones

from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.account.forms import ResetPasswordKeyForm as AllauthResetPasswordKeyForm
from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest  # noqa: TID251 (these forms are allauth's, and take one)

from clients.languages import LANGUAGES, MOST_LANGUAGES
from clients.models import Credential, User
from clients.models.professional import MOST_PLACES
from clients.specialties import MOST_SPECIALTIES, SPECIALTIES
from clients.us_states import US_STATES
from handoff.core import attempts
from handoff.web.uploads import UploadField


class SignupForm(AllauthSignupForm):  # type: ignore[misc]  # allauth declares no types
    """Asks for a name as well: others are shown who somebody is, not only their address."""

    first_name = forms.CharField(
        max_length=80,
        label="First name",
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        max_length=80,
        label="Last name",
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    field_order = ("first_name", "last_name", "email", "password1", "password2")

    def try_save(self, request: HttpRequest) -> Any:
        """As allauth, and as much work for an address that is known as for one that is not."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)


class ResetPasswordForm(AllauthResetPasswordForm):  # type: ignore[misc]  # as above
    """A few mails an hour to one address, whoever asks, and the same answer to all."""

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        email = str(self.cleaned_data["email"])
        if attempts.take("reset", email) is None:
            return email
        return str(super().save(request, **kwargs))


_PASSWORD_LABELS = {
    "oldpassword": "Current password",
    "password1": "New password",
    "password2": "New password (again)",
}


class ChangePasswordForm(AllauthChangePasswordForm):  # type: ignore[misc]  # as above
    """Labels as everywhere here: one capital."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = _PASSWORD_LABELS.get(name, field.label)


class ResetPasswordKeyForm(AllauthResetPasswordKeyForm):  # type: ignore[misc]  # as above
    """The same for somebody who came by the link in a mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = _PASSWORD_LABELS.get(name, field.label)


class BirthDateForm(forms.Form):
    """The one thing an invited client must know."""

    birth_date = forms.DateField(
        label="Your date of birth",
        help_text="As the person who invited you wrote it down.",
        widget=forms.DateInput(attrs={"autocomplete": "bday"}),
    )


class ScanForm(forms.Form):
    """One file."""

    file = UploadField(label="Scan or photo")


class PaperForm(forms.Form):
    """A licence or certificate, with its first scan. What belongs together is `clients.papers`."""

    kind = forms.ChoiceField(
        label="What is it?", choices=[("", "Choose"), *Credential.Kind.choices]
    )
    issuer = forms.CharField(
        max_length=120,
        label="Issued by",
        help_text="The board or organisation.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    title = forms.CharField(
        max_length=80,
        required=False,
        label="Title",
        help_text="For example DPT or NSCA-CSCS.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    number = forms.CharField(
        max_length=60,
        required=False,
        label="Number",
        help_text="A licence needs one.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    state = forms.ChoiceField(
        required=False,
        label="State",
        help_text="A licence is valid in one.",
        choices=[("", "None"), *US_STATES.items()],
    )
    issued_on = forms.DateField(required=False, label="Issued on", widget=forms.DateInput())
    expires_on = forms.DateField(required=False, label="Last day", widget=forms.DateInput())
    file = UploadField(label="Scan or photo")


_REGIONS = frozenset(
    {"Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
_US_ZONES = (
    ("America/New_York", "Eastern (New York)"),
    ("America/Chicago", "Central (Chicago)"),
    ("America/Denver", "Mountain (Denver)"),
    ("America/Phoenix", "Mountain, no summer time (Phoenix)"),
    ("America/Los_Angeles", "Pacific (Los Angeles)"),
    ("America/Anchorage", "Alaska (Anchorage)"),
    ("Pacific/Honolulu", "Hawaii (Honolulu)"),
    ("America/Puerto_Rico", "Atlantic (Puerto Rico)"),
)
ZoneGroup = tuple[str, list[tuple[str, str]]]


def zone_choices(chosen: str = "") -> list[ZoneGroup]:
    """Time zones: those of the United States first, then the others by region, each once."""
    listed = {name for name, _ in _US_ZONES}
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones() - listed):
        region, _, place = name.partition("/")
        if (place and region in _REGIONS) or name == chosen:
            groups.setdefault(region, []).append((name, (place or name).replace("_", " ")))
    return [("United States", list(_US_ZONES)), *groups.items()]


class ProfileForm(forms.Form):
    """One's own name and time zone; a client's phone as well."""

    first_name = forms.CharField(
        max_length=80,
        label="First name",
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        max_length=80,
        label="Last name",
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    time_zone = forms.ChoiceField()
    phone = forms.CharField(
        max_length=30,
        required=False,
        label="Phone",
        help_text="For your therapist's clinic. Never shared with a trainer.",
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )

    def __init__(self, *args: Any, user: User, has_phone: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = forms.ChoiceField(
            label="Time zone",
            choices=zone_choices(user.time_zone),
            help_text="Times are shown in it, and reminders keep to your night.",
        )
        if not has_phone:
            del self.fields["phone"]


class ListingForm(forms.Form):
    """What a professional says of themselves in the directory. What fits is `clients.listing`."""

    in_directory = forms.BooleanField(
        required=False,
        label="Show me in the public directory",
        help_text="Anybody can read it, without an account: your name, your practice, what stands "
        "on this page and which of your papers are valid. Never who your clients are.",
    )
    accepts_referrals = forms.BooleanField(
        required=False,
        label="I take new clients",
        help_text="While this is off nobody is handed over to you.",
    )
    open_places = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_PLACES,
        label="Places for new clients",
        help_text="How many more you would take. Each handoff you accept uses one; at 0 you are "
        "shown as full and no new one can be sent to you. Set it anew when you have room. Without "
        "a number there is always a place. Nobody else reads the number.",
        widget=forms.NumberInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    specialties = forms.MultipleChoiceField(
        required=False,
        label="What you work on most",
        help_text=f"At most {MOST_SPECIALTIES}.",
        choices=list(SPECIALTIES.items()),
        widget=forms.CheckboxSelectMultiple(),
    )
    languages = forms.MultipleChoiceField(
        required=False,
        label="Languages you speak with clients",
        help_text=f"At most {MOST_LANGUAGES}.",
        choices=list(LANGUAGES.items()),
        widget=forms.CheckboxSelectMultiple(),
    )
    introduction = forms.CharField(
        required=False,
        label="About you, in a few sentences",
        help_text="Plain text, up to 600 characters. Nothing about a client.",
        widget=forms.Textarea(attrs={"rows": 5}),
    )
