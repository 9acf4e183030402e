"""What is written down about a person: names, address, phone, state, zone, date of birth. Pure."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from clients.models.user import validate_zone
from clients.us_states import US_STATES
from handoff.core.errors import Invalid

OLDEST_YEARS: Final = 120
_ADDRESS: Final = "Enter an e-mail address, like name@example.org."


def tidied(values: Mapping[str, str]) -> dict[str, str]:
    """The values without stray spaces, in the way they are stored.

    Knows `first_name last_name email phone state time_zone`; e-mail and phone may be empty. Raises
    Invalid with a complaint at each field that cannot be taken.
    """
    found: dict[str, str] = {}
    errors: dict[str, list[str]] = {}
    for field, value in values.items():
        try:
            found[field] = _CHECKS[field](" ".join(value.split()))
        except ValueError as error:
            errors[field] = [str(error)]
    if errors:
        raise Invalid(errors)
    return found


def check_birth_date(value: date, *, today: date) -> None:
    """Raises Invalid on `birth_date` unless somebody alive today can be born on it."""
    if not (today.year - OLDEST_YEARS <= value.year and value <= today):
        raise Invalid({"birth_date": ["Enter a day in the past."]})


def address(value: str) -> str:
    """An e-mail address in lower case. Raises Invalid on `email` for anything else."""
    tidy = tidied({"email": value})["email"]
    if not tidy:
        raise Invalid({"email": [_ADDRESS]})
    return tidy


def same_person(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Whether two records name one person: date of birth and both names, however they are cased.

    Meant to refuse when in doubt: a person can always clear it up, a wrong match cannot be undone.
    """
    return all(
        _bare(one[field]) == _bare(other[field])
        for field in ("first_name", "last_name", "birth_date")
    )


def _bare(value: object) -> str:
    return "".join(sign for sign in str(value).casefold() if sign.isalnum())


def _name(value: str) -> str:
    if not value:
        raise ValueError("Fill this in.")
    if len(value) > 80:
        raise ValueError("Keep it under 80 characters.")
    if not value.isprintable():
        raise ValueError("This holds signs that cannot be kept. Type it again.")
    return value


def _email(value: str) -> str:
    if not value:
        return ""
    try:
        validate_email(value)
    except ValidationError:
        raise ValueError(_ADDRESS) from None
    if len(value) > 254:
        raise ValueError(_ADDRESS)
    return value.lower()


def _phone(value: str) -> str:
    if len(value) > 30 or not value.isprintable():
        raise ValueError("Enter a phone number of at most 30 signs.")
    return value


def _state(value: str) -> str:
    if value.upper() not in US_STATES:
        raise ValueError("Choose a state from the list.")
    return value.upper()


def _zone(value: str) -> str:
    try:
        validate_zone(value)
    except ValidationError:
        raise ValueError("Choose a time zone from the list.") from None
    return value


_CHECKS: Final[Mapping[str, Callable[[str], str]]] = {
    "first_name": _name,
    "last_name": _name,
    "email": _email,
    "phone": _phone,
    "state": _state,
    "time_zone": _zone,
}
