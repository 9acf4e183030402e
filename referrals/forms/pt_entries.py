"""Forms whose rules are those of the domain: they carry what was typed there and complaints back.

Nothing is checked twice. A verb reads the entries and raises Invalid by field; the form shows each
complaint where it belongs and still holds every letter that was typed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django import forms

from handoff.core.errors import Invalid

Choices = Iterable[tuple[Any, Any]]


class Entry(forms.Field):
    """One field, taken as typed. `required` only decides whether it is shown as optional."""

    def clean(self, value: Any) -> Any:
        return value


class DayInput(forms.DateInput):
    """A day from the browser's own picker; shows again whatever text was sent."""

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__(attrs={"type": "date", **(attrs or {})}, format="%Y-%m-%d")


class EntryForm(forms.Form):
    """A form of entries. `of` is the id of the form element that the controls belong to, for
    controls that stand elsewhere on the page."""

    use_required_attribute = False

    def __init__(self, *args: Any, of: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if of:
            for field in self.fields.values():
                field.widget.attrs["form"] = of

    def entries(self) -> dict[str, Any]:
        """What was typed, field by field."""
        return {
            name: field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
            for name, field in self.fields.items()
        }

    def complain(self, found: Invalid | Mapping[str, Sequence[str]]) -> None:
        """Put complaints at their fields; what has no field here concerns the whole form."""
        errors = found.errors if isinstance(found, Invalid) else found
        for name, texts in errors.items():
            for text in texts:
                self.add_error(name if name in self.fields else None, text)


def words(label: str, *, required: bool = True, hint: str = "", **attrs: Any) -> Entry:
    """One line of text."""
    widget = forms.TextInput(attrs={"autocomplete": "off", **attrs})
    return Entry(label=label, required=required, help_text=hint, widget=widget)


def text(label: str, *, required: bool = True, hint: str = "", rows: int = 3) -> Entry:
    """Several lines."""
    return Entry(
        label=label, required=required, help_text=hint, widget=forms.Textarea(attrs={"rows": rows})
    )


def number(label: str, *, required: bool = True, hint: str = "", whole: bool = True) -> Entry:
    """A number, with the phone's number keys; never the browser's spinner, which loses typing."""
    keys = "numeric" if whole else "decimal"
    widget = forms.TextInput(attrs={"inputmode": keys, "autocomplete": "off"})
    return Entry(label=label, required=required, help_text=hint, widget=widget)


def day(label: str, *, required: bool = True, hint: str = "") -> Entry:
    return Entry(label=label, required=required, help_text=hint, widget=DayInput())


def choice(
    label: str, choices: Choices, *, required: bool = True, hint: str = "", empty: str = "Choose"
) -> Entry:
    """A list to choose one from."""
    rows = [("", empty), *choices]
    return Entry(label=label, required=required, help_text=hint, widget=forms.Select(choices=rows))


def one_of(label: str, choices: Choices, *, required: bool = True, hint: str = "") -> Entry:
    """Few options, all in sight."""
    return Entry(
        label=label,
        required=required,
        help_text=hint,
        widget=forms.RadioSelect(choices=list(choices)),
    )


def tick(label: str, *, hint: str = "") -> Entry:
    return Entry(label=label, required=False, help_text=hint, widget=forms.CheckboxInput())


def typed(value: object) -> str:
    """A stored value as a person would have typed it."""
    match value:
        case None | False:
            return ""
        case True:
            return "on"
        case date():
            return value.isoformat()
        case _:
            return str(value)
