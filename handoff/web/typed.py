"""What somebody typed into a form that could not be taken, so that it can be given back to them."""

from dataclasses import dataclass

from django.http import HttpRequest

_NEVER_BACK = frozenset(
    {"csrfmiddlewaretoken", "confirm_password", "confirm_code", "password", "oldpassword"}
    | {"password1", "password2", "code", "credential"}
)
_MOST = 500


@dataclass(frozen=True, slots=True)
class Typed:
    name: str
    value: str

    @property
    def label(self) -> str:
        """The field's name in words."""
        return self.name.replace("_", " ").replace("-", " ").capitalize()


def typed(request: HttpRequest) -> list[Typed]:
    """The fields of a posted form, in order, without secrets."""
    if request.method != "POST":
        return []
    found = [
        Typed(name, str(value))
        for name, values in request.POST.lists()
        if name not in _NEVER_BACK
        for value in values
    ]
    return found[:_MOST]
