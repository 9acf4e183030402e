"""How sensitive each stored field is. Every field of every model of ours must be classified.

The same table drives the log allow-list, the demo data and the tests that look for leaks.
"""

from collections.abc import Iterable
from enum import StrEnum

from django.db.models import Model


class Sensitivity(StrEnum):
    PUBLIC = "public"
    """Ids, states, versions, times: fit for logs."""
    PERSONAL = "personal"
    """Names, addresses, who did what: never in logs, mail or URLs."""
    CLINICAL = "clinical"
    """Health data: leaves only through `referrals.disclosure`."""
    SECRET = "secret"  # noqa: S105 (a name, not a password)
    """Hashes of tokens and the like: leaves never."""


_TABLE: dict[type[Model], dict[str, Sensitivity]] = {}


def classify(
    model: type[Model],
    *,
    public: Iterable[str] = (),
    personal: Iterable[str] = (),
    clinical: Iterable[str] = (),
    secret: Iterable[str] = (),
) -> None:
    """Classify the concrete fields of `model`; raises ValueError on a name given twice or unknown.

    Called right below the model class, so that a new field and its class land together.
    """
    named: dict[str, Sensitivity] = {}
    groups = (
        (Sensitivity.PUBLIC, public),
        (Sensitivity.PERSONAL, personal),
        (Sensitivity.CLINICAL, clinical),
        (Sensitivity.SECRET, secret),
    )
    for level, names in groups:
        for name in names:
            if name in named:
                raise ValueError(f"{model.__name__}.{name} is classified twice")
            named[name] = level
    known = {field.name for field in model._meta.local_concrete_fields}
    known |= {field.name for field in model._meta.concrete_fields}
    if unknown := sorted(set(named) - known):
        raise ValueError(f"{model.__name__} has no field {', '.join(unknown)}")
    _TABLE[model] = named


def sensitivity_of(model: type[Model], field: str) -> Sensitivity:
    """The class of one field. Raises KeyError where it was never classified."""
    return _TABLE[model][field]


def unclassified(model: type[Model]) -> list[str]:
    """The concrete fields of `model` that nobody classified."""
    named = _TABLE.get(model, {})
    return [field.name for field in model._meta.concrete_fields if field.name not in named]


def fields_of(model: type[Model], level: Sensitivity) -> list[str]:
    """The names of the fields of `model` classified as `level`."""
    return [name for name, given in _TABLE.get(model, {}).items() if given is level]
