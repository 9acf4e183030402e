"""The changes that `make mutants` makes still fit the code."""

import ast

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
    assert all((BASE_DIR / name).is_file() for module in MODULES for name in module.tests)
    assert len(ALL) >= 60
