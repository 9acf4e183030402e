"""docs/security.md names every requirement it says it goes through, each once, and real files."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from handoff.embedded import BASE_DIR

PAGE: Final = BASE_DIR / "docs" / "security.md"
# ASVS 5.0.0: section -> (numbers of level 1, numbers of level 2), of the chapters gone through.
LEVELS: Final[dict[str, tuple[str, str]]] = {
    "1.1": ("", "1-2"),
    "1.2": ("1-5", "6-9"),
    "1.3": ("1-2", "3-11"),
    "1.4": ("", "1-3"),
    "1.5": ("1", "2"),
    "2.1": ("1", "2-3"),
    "2.2": ("1-2", "3"),
    "2.3": ("1", "2-4"),
    "2.4": ("", "1"),
    "3.2": ("1-2", ""),
    "3.3": ("1", "2-4"),
    "3.4": ("1-2", "3-6"),
    "3.5": ("1-3", "4-5"),
    "3.7": ("", "1-2"),
    "4.1": ("1", "2-3"),
    "4.2": ("", "1"),
    "4.3": ("", "1-2"),
    "4.4": ("1", "2-4"),
    "5.1": ("", "1"),
    "5.2": ("1-2", "3"),
    "5.3": ("1-2", ""),
    "5.4": ("", "1-3"),
    "6.1": ("1", "2-3"),
    "6.2": ("1-8", "9-12"),
    "6.3": ("1-2", "3-4"),
    "6.4": ("1-2", "3-4"),
    "6.5": ("", "1-5"),
    "6.6": ("", "1-3"),
    "6.8": ("", "1-4"),
    "7.1": ("", "1-3"),
    "7.2": ("1-4", ""),
    "7.3": ("", "1-2"),
    "7.4": ("1-2", "3-5"),
    "7.5": ("", "1-2"),
    "7.6": ("", "1-2"),
    "8.1": ("1", "2"),
    "8.2": ("1-2", "3"),
    "8.3": ("1", ""),
    "8.4": ("", "1"),
    "11.1": ("", "1-2"),
    "11.2": ("", "1-3"),
    "11.3": ("1-2", "3"),
    "11.4": ("1", "2-4"),
    "11.5": ("", "1"),
    "11.6": ("", "1"),
    "14.1": ("", "1-2"),
    "14.2": ("1", "2-4"),
    "14.3": ("1", "2-3"),
    "15.1": ("1", "2-3"),
    "15.2": ("1", "2-3"),
    "15.3": ("1", "2-7"),
    "16.1": ("", "1"),
    "16.2": ("", "1-5"),
    "16.3": ("", "1-4"),
    "16.4": ("", "1-3"),
    "16.5": ("", "1-3"),
}
STATUSES: Final = {"met", "partly", "no", "n/a", "host"}
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (?:(\d) \| )?(.+?) \| ([a-z/]+) \| (.+) \|$", re.M)


def required() -> dict[str, str]:
    """number -> level, of everything that has to stand on the page."""
    numbers: dict[str, str] = {}
    for section, ranges in LEVELS.items():
        for level, span in zip("12", ranges, strict=True):
            if span:
                first, _, last = span.partition("-")
                for number in range(int(first), int(last or first) + 1):
                    numbers[f"{section}.{number}"] = level
    return numbers


def rows() -> list[tuple[str, str, str, str, str]]:
    return [tuple(found) for found in ROW.findall(PAGE.read_text())]


def test_every_requirement_is_answered_once_at_its_level() -> None:
    assert len(required()) == 188
    answered = Counter((number, level) for number, level, *_ in rows() if level)
    assert set(answered) == set(required().items())
    assert set(answered.values()) == {1}


def test_every_row_of_the_tables_is_read() -> None:
    """A row that the pattern misses would not be checked."""
    lines = [line for line in PAGE.read_text().splitlines() if re.match(r"\| \d", line)]
    assert len(lines) == len(rows())


def test_each_row_says_how_it_stands_and_why() -> None:
    for number, _, about, status, why in rows():
        assert status in STATUSES, number
        assert about, number
        assert why, number
        for path in re.findall(r"`([\w./-]+/[\w./-]+|\w+\.(?:toml|txt))`", why):
            assert (BASE_DIR / path).exists(), (number, path)
        for link in re.findall(r"\]\(([^)#]+)", why):
            assert (PAGE.parent / link).exists(), (number, link)
