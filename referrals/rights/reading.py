"""Turns the rows of `contents` into frozen values. Called inside the disclosure door, and for one's
own account."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db.models import Field, ForeignKey, Model
from django.utils.formats import date_format

from clients import looks
from clients.models import Client, Practice, Professional, User
from handoff.core.actors import Actor
from referrals import paper
from referrals.packets import Cell, WholePart
from referrals.rights.contents import Section, Whose, named

MOST_ROWS: Final = 5000
"""The newest of each table: a file is made in one request and held in memory meanwhile."""


def section(part: Section, whose: Whose, zone: str) -> WholePart:
    """The rows of one section; the newest ones where there are more than can be held."""
    people = [
        f"{name}__{further}" if further else name
        for name in part.fields
        for field in [part.model._meta.get_field(name)]
        if isinstance(field, ForeignKey)
        for further in _FURTHER.get(field.related_model, ())
    ]
    found = part.model._default_manager.filter(part.rows(whose)).distinct()
    total = found.count()
    newest = found.order_by(*(_turned(name) for name in part.order)).select_related(*people)
    rows = list(newest[:MOST_ROWS])[::-1]
    fields = [part.model._meta.get_field(name) for name in part.fields]
    return WholePart(
        part.key,
        part.title,
        tuple(tuple(_cell(row, field, zone) for field in fields) for row in rows),
        left_out=total - len(rows),
    )


def looks_at(client: Client, actor: Actor, zone: str) -> WholePart:
    """The list of looks, in the words of its page."""
    found = looks.entries_about([client], actor, own_too=True)
    entries = list(found.order_by("-number")[:MOST_ROWS])[::-1]
    rows = []
    for entry, look in zip(entries, looks.looks(entries, actor), strict=True):
        who = {"name": look.who, "role": look.role, "practice": look.detail}
        parts = [str(scope) for scope in entry.shown]
        rows.append(
            (
                _plain("number", "Number", entry.number, str(entry.number)),
                _plain("at", "When", paper.instant(entry.at), paper.moment(entry.at, zone)),
                _plain("who", "Who", who, ", ".join(each for each in who.values() if each)),
                _plain("action", "What", entry.action, look.what),
                _plain("shown", "Parts", parts, ", ".join(look.parts)),
                _plain("withheld", "Not shown", [str(each) for each in entry.withheld], ""),
                _plain("purpose", "Why", entry.purpose, look.why),
                _plain("channel", "Through", entry.channel, entry.channel),
                _plain("consents", "Agreed in", [str(each) for each in entry.consent_ids], ""),
                _plain("hash", "Hash", entry.hash, ""),
            )
        )
    return WholePart("looks", "Who looked", tuple(rows), left_out=found.count() - len(rows))


_FURTHER: Final[dict[type[Model], tuple[str, ...]]] = {
    User: ("",),
    Professional: ("user", "practice"),
    Practice: ("",),
}


def _plain(name: str, label: str, value: object, shown: str) -> Cell:
    return Cell(name, label, value, shown)


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _cell(row: Model, field: Any, zone: str) -> Cell:
    label = str(field.verbose_name)
    label = label[:1].upper() + label[1:]
    if isinstance(field, ForeignKey):
        pk = getattr(row, field.attname)
        person = named(getattr(row, field.name)) if field.related_model in _NAMED else None
        value = person if person is not None else _json(pk)
        shown = ", ".join(str(person[key]) for key in person if key != "id") if person else ""
        return Cell(field.name, label, value, shown or _text(pk, zone))
    value = getattr(row, field.name)
    return Cell(field.name, label, _json(value), _shown(row, field, value, zone))


_NAMED: Final = frozenset(_FURTHER)


def _shown(row: Model, field: "Field[Any, Any]", value: Any, zone: str) -> str:
    inner = field.base_field if isinstance(field, ArrayField) else field
    words = {str(code): str(label) for code, label in (inner.flatchoices or ())}
    if isinstance(value, list):
        return "; ".join(words.get(str(each), _text(each, zone)) for each in value)
    return words.get(str(value)) or _text(value, zone)


def _text(value: Any, zone: str) -> str:
    match value:
        case None | "":
            return ""
        case bool():
            return "Yes" if value else "No"
        case datetime():
            return paper.moment(value, zone)
        case date():
            return date_format(value)
        case dict():
            return ", ".join(f"{key}: {_text(each, zone)}" for key, each in value.items() if each)
        case _:
            return str(value)


def _json(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Decimal():
            return float(value)
        case UUID():
            return str(value)
        case dict():
            return {str(key): _json(each) for key, each in value.items()}
        case _ if isinstance(value, Iterable):
            return [_json(each) for each in value]
        case _:
            return str(value)
