"""A risky call is accepted with a reason, as often as it stands there, and not beyond."""

import tomllib

from handoff.check import unaccepted
from handoff.embedded import BASE_DIR

FOUND = {("a.py", "B603"): ["a.py:1: B603 x", "a.py:9: B603 x"]}


def accepting(count: int, why: str = "Fixed words.") -> list[dict[str, object]]:
    return [{"test": "B603", "why": why, "files": {"a.py": count}}]


def test_as_many_as_are_accepted_are_fine() -> None:
    assert unaccepted(FOUND, accepting(2)) == []


def test_one_more_is_shown_with_its_place() -> None:
    assert unaccepted(FOUND, accepting(1)) == [
        "a.py:1: B603 x (1 accepted)",
        "a.py:9: B603 x (1 accepted)",
    ]
    assert unaccepted(FOUND, []) == [f"a.py:{line}: B603 x (0 accepted)" for line in (1, 9)]


def test_what_nothing_needs_any_longer_is_named() -> None:
    assert unaccepted({}, accepting(1)) == ["a.py: 1 B603 accepted, 0 found"]


def test_an_acceptance_without_a_reason_is_none() -> None:
    assert unaccepted(FOUND, accepting(2, " ")) == ["B603 has no reason"]


def test_ours_all_say_why() -> None:
    settings = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["tool"]["handoff"]
    assert all(len(each["why"]) > 20 for each in settings["accepted"])
