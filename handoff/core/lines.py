"""Files outside the database that only grow: each line is chained to the one before, and keyed.

A line is one JSON object with its number `n`, the `mac` of the line before as `prev`, and its own
`mac`: an HMAC over the rest under a key made from `settings.LEDGER_KEY` and the file's purpose, so
that no line can be moved to another file. Appending takes a lock on the file, writes with O_APPEND
and returns once the disk has it (fsync). Whoever holds the database but not the key can neither
write a line nor change one; cutting the end off is found by whoever remembers a later number.

A line that broke off because the machine went down in the middle of it was never promised to
anybody. It stays, and the next line vouches for it (`torn`), so that it is not taken for damage.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings

START: Final = "0" * 64
TAIL: Final = 64 * 1024
"""How many bytes from the end are read to find the newest line."""
_OWN: Final = frozenset({"n", "prev", "torn", "mac"})


class Unwritable(Exception):
    """The file cannot be written: no room, no folder, no permission. Nothing was added."""


class Damaged(Exception):
    """The file is not what was written. `number` is the first line that does not verify."""

    def __init__(self, file: str, number: int, what: str) -> None:
        super().__init__(f"{file} #{number}: {what}")
        self.file = file
        self.number = number
        self.what = what


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was written."""

    number: int
    mac: str
    body: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class File:
    """One such file. `name` is what people call it and part of its key."""

    name: str
    path: Path

    def append(self, body: Mapping[str, Any], *, sync: bool = True) -> Line:
        """Add one line; on the disk when this returns, unless `sync` is off.

        Raises Unwritable, or Damaged where the newest line does not verify: nothing is added to
        a file that somebody has changed.
        """
        if clash := _OWN & set(body):
            raise ValueError(f"{sorted(clash)[0]} is the file's own")
        try:
            with self._locked() as (handle, created):
                size = os.fstat(handle).st_size
                last, broken = self._newest(handle, size)
                content: dict[str, Any] = {
                    **body,
                    "n": last.number + 1 if last else 1,
                    "prev": last.mac if last else START,
                }
                if broken:
                    content["torn"] = hashlib.sha256(broken).hexdigest()
                mac = self._mac(content)
                text = _text({**content, "mac": mac}).encode()
                self._write(handle, (b"\n" if broken else b"") + text + b"\n", size)
                if sync:
                    os.fsync(handle)
                    if created:
                        _sync_folder(self.path.parent)
                return Line(content["n"], mac, dict(body))
        except OSError as error:
            raise Unwritable(f"{self.name}: {type(error).__name__}") from None

    def newest(self) -> Line | None:
        """The last line, looked up from the end; None where there is no file or no line.

        Raises Damaged where that line does not verify, Unwritable where it cannot be read.
        """
        try:
            handle = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unwritable(f"{self.name}: {type(error).__name__}") from None
        try:
            return self._newest(handle, os.fstat(handle).st_size)[0]
        finally:
            os.close(handle)

    def lines(self) -> Iterator[Line]:
        """Every line from the first, each checked before it is handed out. Raises Damaged."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise Unwritable(f"{self.name}: {type(error).__name__}") from None
        number, previous, broken = 0, START, b""
        *whole, rest = raw.split(b"\n")
        for piece in whole:
            content = _parsed(piece)
            if content is None:
                if broken:
                    raise Damaged(self.name, number + 1, "cannot be read")
                broken = piece
                continue
            line = self._checked(content, number + 1)
            if content.get("prev") != previous:
                raise Damaged(self.name, number + 1, "does not follow the line before it")
            vouched = hashlib.sha256(broken).hexdigest() if broken else None
            if content.get("torn") != vouched:
                raise Damaged(self.name, number + 1, "cannot be read")
            number, previous, broken = line.number, line.mac, b""
            yield line
        if broken:
            raise Damaged(self.name, number + 1, "cannot be read")
        # What follows the last line break is being written, or broke off: not promised yet.
        del rest

    @contextmanager
    def _locked(self) -> Iterator[tuple[int, bool]]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        created = not self.path.exists()
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle, created
        finally:
            os.close(handle)

    def _write(self, handle: int, data: bytes, size: int) -> None:
        """All of it or nothing: what a full disk cut short is taken back."""
        try:
            done = os.write(handle, data)
            while done < len(data):
                done += os.write(handle, data[done:])
        except OSError:
            os.ftruncate(handle, size)
            raise

    def _newest(self, handle: int, size: int) -> tuple[Line | None, bytes]:
        """The last whole line, and what broke off after it."""
        if size == 0:
            return None, b""
        length = min(size, TAIL)
        *whole, broken = os.pread(handle, length, size - length).split(b"\n")
        if size > length:
            whole = whole[1:]  # the first begins before what was read
        if not whole:
            if size > length:
                raise Damaged(self.name, 0, "the last line has no end")
            return None, broken
        content = _parsed(whole[-1])
        if content is None:
            raise Damaged(self.name, 0, "the last line cannot be read")
        return self._checked(content, None), broken

    def _checked(self, content: Mapping[str, Any], expected: int | None) -> Line:
        number = content.get("n")
        shown = number if isinstance(number, int) else 0
        if expected is not None and number != expected:
            raise Damaged(self.name, expected, "line is missing")
        unsigned = {key: value for key, value in content.items() if key != "mac"}
        mac = content.get("mac")
        if not isinstance(mac, str) or not hmac.compare_digest(mac, self._mac(unsigned)):
            raise Damaged(self.name, expected or shown, "content does not match its mac")
        body = {key: value for key, value in content.items() if key not in _OWN}
        return Line(shown, mac, body)

    def _mac(self, content: Mapping[str, Any]) -> str:
        return keyed(self.name, _text(content))


def keyed(purpose: str, text: str) -> str:
    """An HMAC of `text` under a key that serves this purpose only."""
    key: str = settings.LEDGER_KEY
    own = hmac.new(key.encode(), f"handoff {purpose}".encode(), hashlib.sha256).digest()
    return hmac.new(own, text.encode(), hashlib.sha256).hexdigest()


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _parsed(piece: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(piece)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _sync_folder(folder: Path) -> None:
    """So that a new file is still there after a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
