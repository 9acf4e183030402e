"""Reads what somebody typed, field by field, into typed values. Pure.

Takes what forms and JSON bodies bring (text, numbers, dates, lists) and complains at the field
itself, in words for the person who typed. Empty is never a complaint here: whether something may
be missing is for the caller to say.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeVar
from uuid import UUID

from django.db.models import TextChoices

from handoff.core.errors import Invalid

Choice = TypeVar("Choice", bound=TextChoices)

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})", re.ASCII)
_DIGITS: Final = 9
# Word processors put these where a person sees a new line.
_LINE_BREAKS: Final = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# No sign at all, or one that no database and no document can hold.
_UNREADABLE: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_TRUE: Final = frozenset({True, "true", "on", "1", "yes"})
_FALSE: Final = frozenset({False, None, "", "false", "off", "0", "no"})


class Intake:
    """One body of input. Every reader answers a usable value and notes what was wrong."""

    def __init__(self, data: Mapping[str, object], known: Collection[str]) -> None:
        self._data = data
        self.errors: dict[str, list[str]] = {}
        for name in data:
            if name not in known:
                self.refuse(str(name), "There is no such entry.")

    def __contains__(self, name: str) -> bool:
        return name in self._data

    def refuse(self, name: str, text: str) -> None:
        """Complain at field `name`."""
        self.errors.setdefault(name, []).append(text)

    def refuse_all(self, found: Mapping[str, Iterable[str]]) -> None:
        """Take over complaints of another check, but only at fields that are clean so far."""
        for name, texts in found.items():
            if name not in self.errors:
                self.errors[name] = list(texts)

    def raise_if_wrong(self) -> None:
        """Raises `Invalid` with everything noted, if there is anything."""
        if self.errors:
            raise Invalid(self.errors)

    def text(self, name: str, *, most: int, lines: bool = False) -> str:
        """Text as typed; line breaks become newlines (`lines`) or spaces."""
        value = self._data.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(name, "Enter text.")
            return ""
        if _UNREADABLE.search(value):
            self.refuse(name, "This holds characters that cannot be kept. Type it again.")
            return ""
        value = _LINE_BREAKS.sub("\n", value)
        if not lines:
            value = value.replace("\n", " ")
        if len(value) > most:
            self.refuse(name, f"Keep it under {most} characters; this has {len(value)}.")
            return ""
        return value

    def choice(self, name: str, choices: type[Choice]) -> Choice | None:
        """A member of a closed list by its stored value; None when left empty."""
        value = self._data.get(name)
        if value is None or value == "":
            return None
        return self._member(name, value, choices)

    def choices(self, name: str, choices: type[Choice]) -> tuple[Choice, ...]:
        """Several members of a closed list, in the order given."""
        value = self._data.get(name)
        if value is None or value == "":
            return ()
        if not isinstance(value, list | tuple):
            self.refuse(name, "Choose from the list.")
            return ()
        members = [self._member(name, each, choices) for each in value[: len(choices) + 1]]
        return tuple(each for each in members if each is not None)

    def _member(self, name: str, value: object, choices: type[Choice]) -> Choice | None:
        if isinstance(value, str) and value in choices.values:
            return choices(value)
        self.refuse(name, "Choose from the list.")
        return None

    def day(self, name: str) -> date | None:
        """A calendar day, as a date or like 2027-01-12."""
        value = self._data.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        if isinstance(value, str) and _DAY.fullmatch(value.strip()):
            try:
                return date.fromisoformat(value.strip())
            except ValueError:
                pass
        self.refuse(name, "Enter a date.")
        return None

    def whole(self, name: str, *, low: int, high: int) -> int | None:
        """A whole number between `low` and `high`."""
        value = self._data.get(name)
        if value is None or value == "":
            return None
        number: int | None = None
        if isinstance(value, int) and not isinstance(value, bool):
            number = value
        elif isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            number = int(value)
        if number is None or not low <= number <= high:
            self.refuse(name, f"Enter a whole number from {low} to {high}.")
            return None
        return number

    def decimal(self, name: str) -> Decimal | None:
        """A finite number of ordinary size; its range is for the caller to check."""
        value = self._data.get(name)
        if value is None or value == "":
            return None
        text = ""
        if isinstance(value, Decimal):
            if value.is_finite() and abs(value.adjusted()) < _DIGITS:
                text = f"{value:f}"
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            # A float's shortest text is what the person typed; its exact value is not.
            text = str(value).strip()
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
        self.refuse(name, "Enter a number, like 2.5.")
        return None

    def flag(self, name: str) -> bool:
        """A tick."""
        value = self._data.get(name)
        if isinstance(value, bool | str | None):
            plain = value.lower() if isinstance(value, str) else value
            if plain in _TRUE:
                return True
            if plain in _FALSE:
                return False
        self.refuse(name, "Answer yes or no.")
        return False

    def identifier(self, name: str) -> UUID | None:
        """An id, as such or as text."""
        value = self._data.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, UUID):
            return value
        try:
            return UUID(str(value))
        except ValueError:
            self.refuse(name, "There is no such entry.")
            return None
