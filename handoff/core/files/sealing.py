"""Files at rest: each sealed with a key of its own, and that key with one the database lacks.

The sealed bytes and the wrapped key lie in different rows: whoever reads the one without the other
reads nothing, and whoever destroys the key has destroyed the file.
"""

import os
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_NONCE: Final = 12


class Unreadable(Exception):
    """A file that none of our keys opens: changed, mixed up, or sealed under a key we lost."""


def seal(file_id: UUID, data: bytes) -> tuple[bytes, bytes]:
    """The sealed bytes, and the wrapped key that opens them again."""
    key = AESGCM.generate_key(256)
    return _locked(key, data, _about("file", file_id)), _wrapped(key, file_id)


def unseal(file_id: UUID, sealed: bytes, wrapped: bytes) -> bytes:
    """The data again. Raises Unreadable."""
    for master in _masters():
        try:
            key = _opened(master, wrapped, _about("key", file_id))
            return _opened(key, sealed, _about("file", file_id))
        except InvalidTag:
            continue
    raise Unreadable


def _wrapped(key: bytes, file_id: UUID) -> bytes:
    return _locked(next(_masters()), key, _about("key", file_id))


def _masters() -> Iterator[bytes]:
    for secret in (settings.FILES_KEY, *settings.FILES_KEY_FALLBACKS):
        yield HKDF(SHA256(), 32, salt=None, info=b"handoff files").derive(secret.encode())


def _about(what: str, file_id: UUID) -> bytes:
    """Bound into the seal, so that no row's bytes or key pass for another's."""
    return f"{what} {file_id}".encode()


def _locked(key: bytes, data: bytes, about: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, about)


def _opened(key: bytes, data: bytes, about: bytes) -> bytes:
    return AESGCM(key).decrypt(data[:_NONCE], data[_NONCE:], about)
