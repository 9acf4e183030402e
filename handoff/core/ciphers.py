"""Encrypts the few secrets that must be read again, so that a copy of the database holds none.

The newest key writes, every known key reads: a key is changed by naming the old one as a fallback
and running `reencrypt_secrets`.
"""

import base64
from functools import lru_cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_INFO: Final = b"handoff secrets at rest 1"
# Every Fernet token begins so: its version byte, and a time before the year 2106.
_MARK: Final = "gAAAAA"


class Unreadable(Exception):
    """No known key opens this."""


def encrypt(text: str) -> str:
    """`text` under the newest key; different each time."""
    return _cipher().encrypt(text.encode()).decode()


def decrypt(stored: str) -> str:
    """What was encrypted, under any known key. Raises Unreadable."""
    try:
        return _cipher().decrypt(stored.encode()).decode()
    except (InvalidToken, UnicodeEncodeError):
        raise Unreadable from None


def is_encrypted(stored: str) -> bool:
    """Whether this has passed through `encrypt`; says nothing about the key."""
    return stored.startswith(_MARK)


def _cipher() -> MultiFernet:
    return _made_of((settings.FIELD_KEY, *settings.FIELD_KEY_FALLBACKS))


@lru_cache(maxsize=8)
def _made_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(key))) for key in keys])


def _derived(key: str) -> bytes:
    # Derived, so that a key that also signs something else never encrypts as itself.
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(key.encode())
