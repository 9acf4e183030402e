"""The only exceptions the domain raises. Each skin (pages, API) maps them to HTTP once."""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """Something the domain refuses. `str(error)` is fit to be shown and holds no health data."""

    message = "This cannot be done."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)


class NotVisible(DomainError):
    """For this actor the thing does not exist (404); never says whether it does for others."""

    message = "Nothing here, or nothing that is shared with you."


class NotAllowed(DomainError):
    """The actor may see the thing but not do this to it (403). The reason is for the actor."""

    message = "This is not yours to do."

    @property
    def reason(self) -> str:
        return str(self)


class Stale(DomainError):
    """The thing moved on since the page was shown (409): reload and look again."""

    message = "This has moved on in the meantime. Look at it again before you act."


class Invalid(DomainError):
    """The input cannot be accepted (422 on a page, 400 in the API).

    `errors` names the field for each complaint; the key "" holds what concerns the whole form.
    """

    message = "Some entries need another look."

    def __init__(self, errors: Mapping[str, Sequence[str]] | str) -> None:
        if isinstance(errors, str):
            errors = {"": [errors]}
        self.errors: dict[str, list[str]] = {field: list(texts) for field, texts in errors.items()}
        first = next((text for texts in self.errors.values() for text in texts), "")
        super().__init__(first)
