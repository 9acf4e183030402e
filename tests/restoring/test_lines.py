"""Files that only grow: what was promised is there, what was not is not taken for damage."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from handoff.core.lines import Damaged, File, Unwritable


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File("ground", tmp_path / "deep" / "down" / "file")


def test_lines_come_back_in_order_and_readable_by_nobody_else(file: File) -> None:
    assert file.newest() is None
    assert list(file.lines()) == []
    for number in range(1, 4):
        assert file.append({"what": number}).number == number
    assert [line.body["what"] for line in file.lines()] == [1, 2, 3]
    newest = file.newest()
    assert newest is not None
    assert (newest.number, newest.body) == (3, {"what": 3})
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_line_longer_than_what_is_read_from_the_end_is_found_or_said(file: File) -> None:
    file.append({"what": "x" * 40_000})
    file.append({"what": "y" * 40_000})
    newest = file.newest()
    assert newest is not None
    assert newest.number == 2
    file.append({"what": "z" * 90_000})
    with pytest.raises(Damaged):
        file.newest()


@pytest.mark.parametrize(
    ("change", "number"),
    [
        (lambda text: text.replace('"what":1', '"what":9'), 1),
        (lambda text: "".join(text.splitlines(keepends=True)[1:]), 1),
        (lambda text: "".join(text.splitlines(keepends=True)[::2]), 2),
        (lambda text: "".join(reversed(text.splitlines(keepends=True))), 1),
        (lambda text: text.replace("\n", "\nnoise\n", 1), 2),
        (lambda text: text + "noise\n", 4),
        (lambda text: text + "noise\nnoise\n", 4),
    ],
)
def test_a_change_is_named_by_its_line(
    file: File, change: Callable[[str], str], number: int
) -> None:
    for each in range(1, 4):
        file.append({"what": each})
    assert len(list(file.lines())) == 3
    file.path.write_text(change(file.path.read_text()))
    with pytest.raises(Damaged) as found:
        list(file.lines())
    assert found.value.number == number


def test_a_line_of_another_file_does_not_verify(file: File, tmp_path: Path) -> None:
    File("other", file.path).append({"what": 1})
    with pytest.raises(Damaged):
        list(file.lines())


def test_what_broke_off_was_never_promised(file: File) -> None:
    """The machine went down in the middle of a line; the next one vouches for the rest."""
    file.append({"what": 1})
    with file.path.open("a") as torn:
        torn.write('{"what": 2, "n"')
    assert len(list(file.lines())) == 1
    newest = file.newest()
    assert newest is not None
    assert newest.number == 1
    file.append({"what": 3})
    assert [line.body["what"] for line in file.lines()] == [1, 3]
    file.path.write_text(file.path.read_text().replace('{"what": 2, "n"', '{"what": 4, "n"'))
    with pytest.raises(Damaged):
        list(file.lines())


def test_nothing_is_added_to_what_was_changed(file: File) -> None:
    file.append({"what": 1})
    file.path.write_text(file.path.read_text().replace('"what":1', '"what":2'))
    before = file.path.read_bytes()
    with pytest.raises(Damaged):
        file.append({"what": 3})
    assert file.path.read_bytes() == before


def test_a_full_disk_takes_nothing(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a line is written, then there is no more room: the half is taken back."""
    file.append({"what": 1})
    before = file.path.read_bytes()
    real = os.write
    room = [20]

    def short(handle: int, data: bytes) -> int:
        if not room:
            raise OSError(28, "No space left on device")
        return real(handle, data[: room.pop()])

    with monkeypatch.context() as full:
        full.setattr(os, "write", short)
        with pytest.raises(Unwritable):
            file.append({"what": 2})
    assert file.path.read_bytes() == before
    assert file.append({"what": 2}).number == 2


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unwritable):
        File("ground", tmp_path / "file" / "below").append({"what": 1})


def test_many_write_at_once_and_no_number_is_missing(file: File) -> None:
    def write() -> None:
        for _ in range(20):
            file.append({"what": threading.get_ident()}, sync=False)

    writers = [threading.Thread(target=write) for _ in range(6)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert [line.number for line in file.lines()] == list(range(1, 121))


def test_the_keys_of_the_file_are_its_own(file: File) -> None:
    with pytest.raises(ValueError, match="mac"):
        file.append({"mac": "x"})
