"""The secrets behind second factors, as they lie in the database: under the newest key."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from handoff.core import ciphers

_SECRETS = ("secret", "seed")
"""Keys of an authenticator's data that must be read again; `migrated_codes` is a list of them."""


def reencrypted(data: dict[str, Any]) -> dict[str, Any]:
    """The same data under the newest key; what was never encrypted is from now on.

    Raises `ciphers.Unreadable` for what no known key opens.
    """
    fresh = dict(data)
    for name in _SECRETS:
        if isinstance(fresh.get(name), str):
            fresh[name] = _anew(fresh[name])
    if isinstance(fresh.get("migrated_codes"), list):
        fresh["migrated_codes"] = [_anew(code) for code in fresh["migrated_codes"]]
    return fresh


def reencrypt(authenticators: QuerySet[Any]) -> int:
    """Bring every stored secret of these under the newest key; how many rows."""
    count = 0
    with transaction.atomic():
        for row in authenticators.select_for_update().order_by("pk"):
            row.data = reencrypted(row.data)
            row.save(update_fields=["data"])
            count += 1
    return count


def _anew(stored: str) -> str:
    plain = ciphers.decrypt(stored) if ciphers.is_encrypted(stored) else stored
    return ciphers.encrypt(plain)
