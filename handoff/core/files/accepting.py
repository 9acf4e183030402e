"""Takes an uploaded file or refuses it: what it says it is, what it is, and what is left of it.

Three things have to agree: the end of its name, the type the browser declares, and how the file
begins. Then it is rewritten (`cleaning`), by a process of its own with limits of its own. Nothing
of the original is kept, its name neither.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from handoff.core.errors import Invalid
from handoff.core.files.cleaning import LARGEST, MOST_PAGES, REFUSED, Refusal
from handoff.core.files.kinds import Kind

AT_ONCE: Final = 2
"""How many files one process of ours has cleaned at a time."""
PATIENCE: Final = 10
"""Seconds that a file waits for its turn."""
SECONDS: Final = 12
"""How long cleaning one may take; its own limit counts only what the processor works."""

FIELD: Final = "file"
WHICH: Final = "Choose a PDF, or a photo as JPEG or PNG."
_NOT_ALIKE: Final = (
    "This file is not what its name says. Save it once more as PDF, JPEG or PNG and choose that."
)
_WORDS: Final[Mapping[Refusal, str]] = {
    Refusal.BROKEN: "This file is damaged or not complete. Save it once more and try again.",
    Refusal.ENCRYPTED: "This PDF is locked with a password. Save it without one.",
    Refusal.PAGES: f"This PDF has too many pages: {MOST_PAGES} at most.",
    Refusal.PIXELS: "This picture is too large. Take it with fewer pixels: 50 million at most.",
    Refusal.TOO_LARGE: f"This file is too large: {LARGEST // 1_000_000} MB at most.",
    Refusal.TOO_COMPLEX: "This file is too complicated. Print it to a new PDF and choose that.",
}
_BUSY: Final = "Other files are being checked. Try again in a moment."
_CLEANER: Final = Path(__file__).with_name("cleaning.py")
_turns = BoundedSemaphore(AT_ONCE)

_BEGINNINGS: Final[Mapping[Kind, bytes]] = {
    Kind.PDF: b"%PDF-",
    Kind.JPEG: b"\xff\xd8\xff",
    Kind.PNG: b"\x89PNG\r\n\x1a\n",
}
_ENDINGS: Final[Mapping[str, Kind]] = {
    "pdf": Kind.PDF,
    "jpg": Kind.JPEG,
    "jpeg": Kind.JPEG,
    "png": Kind.PNG,
}
# A picture that is something else as well, for a reader that looks elsewhere than at its beginning.
_SECOND_NATURE: Final = re.compile(
    rb"%PDF-|<script|<html|<!doctype|<\?php|<svg[\s>]", re.IGNORECASE
)
_ZIP_END: Final = b"PK\x05\x06"
_ZIP_END_WITHIN: Final = 66_000


@dataclass(frozen=True, slots=True)
class Accepted:
    """A file as we made it anew."""

    kind: Kind
    data: bytes


def accept(*, name: str, declared: str, data: bytes) -> Accepted:
    """`data` cleaned. Raises Invalid on "file", in words for whoever chose it."""
    kind = kind_of(name=name, declared=declared, data=data)
    if not _turns.acquire(timeout=PATIENCE):
        raise Invalid({FIELD: [_BUSY]})
    try:
        return Accepted(kind, _cleaned(kind, data))
    finally:
        _turns.release()


def kind_of(*, name: str, declared: str, data: bytes) -> Kind:
    """What the file is, when all three witnesses agree. Raises Invalid on "file"."""
    if not data:
        raise Invalid({FIELD: ["This file is empty."]})
    if len(data) > LARGEST:
        raise Invalid({FIELD: [_WORDS[Refusal.TOO_LARGE]]})
    kind = _ENDINGS.get(name.rpartition(".")[2].lower()) if "." in name else None
    if kind is None:
        raise Invalid({FIELD: [WHICH]})
    if declared.partition(";")[0].strip().lower() != kind.media_type:
        raise Invalid({FIELD: [_NOT_ALIKE]})
    if not data.startswith(_BEGINNINGS[kind]):
        raise Invalid({FIELD: [_NOT_ALIKE]})
    second = kind is not Kind.PDF and _SECOND_NATURE.search(data)
    if second or _ZIP_END in data[-_ZIP_END_WITHIN:]:
        raise Invalid({FIELD: [_NOT_ALIKE]})
    return kind


def _cleaned(kind: Kind, data: bytes) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 (our own program; the file is its input, not its name)
            [sys.executable, "-I", str(_CLEANER), kind.value],
            input=data,
            capture_output=True,
            timeout=SECONDS,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Invalid({FIELD: [_WORDS[Refusal.TOO_COMPLEX]]}) from None
    if done.returncode == REFUSED:
        # The last line is ours; a library may have complained before.
        raise Invalid({FIELD: [_WORDS[Refusal(done.stderr.decode().splitlines()[-1])]]})
    if done.returncode != 0 or not done.stdout.startswith(_BEGINNINGS[kind]):
        # Stopped by its limits, in the middle of something.
        raise Invalid({FIELD: [_WORDS[Refusal.TOO_COMPLEX]]})
    return done.stdout
