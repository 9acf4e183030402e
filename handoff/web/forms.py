"""How a form field is shown: which control it is, what is tied to what, what is left to correct."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.forms import BaseForm, BoundField, ChoiceField, Field
from django.forms.formsets import BaseFormSet
from django.forms.widgets import (
    CheckboxInput,
    CheckboxSelectMultiple,
    DateInput,
    DateTimeInput,
    RadioSelect,
    Textarea,
    TimeInput,
)
from django.utils.safestring import SafeString

from handoff.web.look import tone_of


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a group."""

    control: SafeString
    label: str
    hint: str = ""
    css: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Presented:
    """A field, ready to be written out by `components/field.html`."""

    kind: str
    id: str
    label: str
    hint: str
    errors: tuple[str, ...]
    control: SafeString
    options: tuple[Option, ...] = ()
    described_by: str = ""
    unit: str = ""
    wide: bool = False
    optional: bool = False
    on: str = ""
    off: str = ""

    @property
    def hint_id(self) -> str:
        return f"{self.id}_helptext"

    @property
    def error_id(self) -> str:
        return f"{self.id}_error"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing to correct, and where (no target: it concerns the whole form)."""

    text: str
    target: str = ""
    label: str = ""


def present(
    bound: BoundField,
    *,
    label: str = "",
    hint: str = "",
    unit: str = "",
    wide: bool = False,
    look: str = "",
    hints: Mapping[str, str] | None = None,
    on: str = "On",
    off: str = "Off",
    placeholder: bool = True,
) -> Presented:
    """Choose the control for a bound field and tie its hint and errors to it."""
    widget = bound.field.widget
    if not placeholder:
        widget.attrs.pop("placeholder", None)
    hint = hint or str(bound.help_text)
    errors = errors_of(bound)
    ident = bound.auto_id or bound.html_name
    described = " ".join(
        name for name, used in ((f"{ident}_helptext", hint), (f"{ident}_error", errors)) if used
    )
    attrs: dict[str, Any] = {"aria-describedby": described} if described else {}
    if errors:
        attrs["aria-invalid"] = "true"
    kind = _kind(widget, look)
    options: tuple[Option, ...] = ()
    match kind:
        case "hidden":
            control = bound.as_widget()
        case "check":
            control = bound.as_widget(attrs=attrs)
        case "switch":
            control = bound.as_widget(attrs={**attrs, "class": "switch", "role": "switch"})
        case "group" | "seg":
            control = SafeString("")
            options = _options(bound, hints or {}, coloured=look == "severity")
        case _:
            _use_native_picker(widget)
            css = f"{widget.attrs.get('class', '')} input".strip()
            control = bound.as_widget(attrs={**attrs, "class": css})
    return Presented(
        kind=kind,
        id=ident,
        label=label or str(bound.label),
        hint=hint,
        errors=errors,
        control=control,
        options=options,
        described_by=described,
        unit=unit,
        wide=wide or isinstance(widget, Textarea),
        optional=not bound.field.required and kind == "input",
        on=on,
        off=off,
    )


def complaints(sources: Iterable["BaseForm | BaseFormSet[Any]"]) -> list[Complaint]:
    """Everything these bound forms found wrong, in the order of the page."""
    found: list[Complaint] = []
    for source in sources:
        if isinstance(source, BaseFormSet):
            if source.is_bound:
                found += [Complaint(str(text)) for text in source.non_form_errors()]
                found += complaints(source.forms)
            continue
        if not source.is_bound:
            continue
        found += [Complaint(str(text)) for text in source.non_field_errors()]
        for bound in source:
            found += [
                Complaint(text, target=_target(bound), label=str(bound.label))
                for text in errors_of(bound)
            ]
    return found


def errors_of(bound: BoundField) -> tuple[str, ...]:
    """What is wrong with a field, as something to do: Django's "This field is required" is not."""
    plain = str(Field.default_error_messages["required"])
    empty = "Choose one" if isinstance(bound.field, ChoiceField) else "Fill this in"
    return tuple(empty if str(text) == plain else str(text) for text in bound.errors)


def _kind(widget: Any, wanted: str) -> str:
    if widget.is_hidden:
        return "hidden"
    if isinstance(widget, CheckboxInput):
        return "switch" if wanted == "switch" else "check"
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        return "seg" if wanted in ("seg", "severity") else "group"
    return "input"


def _options(bound: BoundField, hints: Mapping[str, str], *, coloured: bool) -> tuple[Option, ...]:
    rows = []
    for choice in bound.subwidgets:
        value = str(choice.data["value"])
        tone = tone_of(value) if coloured else None
        rows.append(
            Option(
                control=SafeString(choice.tag()),
                label=str(choice.choice_label),
                hint=hints.get(value, ""),
                css=tone.css if tone else "",
                icon=tone.icon if tone else "",
            )
        )
    return tuple(rows)


def _use_native_picker(widget: Any) -> None:
    """Let the browser ask for dates and times in its own way; it wants ISO values."""
    if getattr(widget, "input_type", "") != "text":
        return
    for kind, native, pattern in (
        (DateTimeInput, "datetime-local", "%Y-%m-%dT%H:%M"),
        (DateInput, "date", "%Y-%m-%d"),
        (TimeInput, "time", "%H:%M"),
    ):
        if isinstance(widget, kind):
            widget.input_type = native
            widget.format = pattern
            return


def _target(bound: BoundField) -> str:
    """The id a link can jump to: for a group of choices, its first."""
    if bound.field.widget.is_hidden:
        return ""
    if isinstance(bound.field.widget, RadioSelect | CheckboxSelectMultiple):
        return f"{bound.auto_id}_0"
    return bound.id_for_label or str(bound.auto_id)
