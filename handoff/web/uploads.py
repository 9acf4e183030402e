"""A file in a form: checked and rewritten while the form is, with its complaint at its field."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from django import forms
from django.http import HttpResponse
from django.utils.datastructures import MultiValueDict

from handoff.core.errors import Invalid
from handoff.core.files.accepting import FIELD, accept
from handoff.core.files.kinds import Kind
from handoff.core.files.serving import inert_headers

MOST_BYTES: Final = 11_000_000
"""Of a form with a file in it: the file and some room for the rest."""
AGAIN: Final = "Choose the file once more. A browser does not keep it."

View = TypeVar("View", bound=Callable[..., Any])


def takes_file(view: View) -> View:
    """A page whose forms may be larger than others (`handoff.bodies`)."""
    view.most_bytes = MOST_BYTES  # type: ignore[attr-defined]  # read by the middleware
    return view


class UploadField(forms.FileField):
    """Gives the file as we made it anew (`Accepted`)."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "File")
        kwargs.setdefault("help_text", "PDF, JPEG or PNG, up to 10 MB.")
        kinds = ",".join(Kind(each).media_type for each in Kind.values)
        super().__init__(
            allow_empty_file=True, widget=forms.FileInput(attrs={"accept": kinds}), **kwargs
        )

    def clean(self, data: Any, initial: Any = None) -> Any:
        given = super().clean(data, initial)
        if given is None:
            return None
        try:
            return accept(
                name=given.name or "", declared=given.content_type or "", data=given.read()
            )
        except Invalid as refused:
            raise forms.ValidationError(refused.errors[FIELD]) from None


def ask_again(form: forms.Form) -> None:
    """A form that comes back for something else has lost its file: say so where it was."""
    files: MultiValueDict[str, Any] = form.files
    if form.errors and FIELD in files and FIELD not in form.errors:
        form.add_error(FIELD, AGAIN)


def inert_file(kind: Kind, data: bytes, name: str) -> HttpResponse:
    """The answer that hands a file out, to be saved and nothing else."""
    return HttpResponse(data, headers=dict(inert_headers(kind, name)))
