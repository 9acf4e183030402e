"""The changes that `make mutants` makes still fit the code."""

import ast
from pathlib import Path

import pytest

from handoff.embedded import BASE_DIR
from tests.mutants.changes import MODULES, Change, Module

ALL = [(module, change) for module in MODULES for change in module.changes]


@pytest.mark.parametrize(("module", "change"), ALL, ids=lambda each: getattr(each, "wrong", ""))
def test_a_change_fits_once_and_leaves_python(module: Module, change: Change) -> None:
    text = (BASE_DIR / module.path).read_text()
    assert text.count(change.before) == 1
    ast.parse(text.replace(change.before, change.after))


def test_the_tests_that_have_to_notice_are_there() -> None:
    named = {name.partition("::")[0] for module in MODULES for name in module.tests}
    assert all((BASE_DIR / name).is_file() for name in named)


def test_what_decides_who_reads_is_broken_in_many_ways() -> None:
    deciding = ("consent", "guardians", "permits", "access", "disclosure", "sharing", "particulars")
    stems = [Path(module.path).stem for module, _ in ALL]
    assert sum(stem in (*deciding, "policy", "standpoints") for stem in stems) >= 80
