"""The oracle knows nothing of the product, and every address of the product is in it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

from tests.api.client import description
from tests.guards.test_routes import METHODS, routes
from tests.matrix.oracle import elsewhere
from tests.matrix.oracle.answers import Answer, Cell
from tests.matrix.oracle.consent import HOLDS, NOTHING, State
from tests.matrix.oracle.people import PEOPLE, Who
from tests.matrix.oracle.routes import API, PAGES

ORACLE = Path(__file__).parent / "oracle"
PACKAGE = "tests.matrix.oracle"
ITSELF = (PACKAGE, "collections", "dataclasses", "enum", "__future__")
"""All that the oracle may import: its own modules, and what Python has for plain data."""
WITHOUT_ARGUMENTS = re.compile(r"<\w+:\w+>|\{\w+\}")


def imported(source: str) -> set[str]:
    """The modules a piece of source names in an import, wherever the import stands in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
        elif isinstance(node, ast.Name) and node.id in ("__import__", "eval", "exec", "open"):
            found.add(node.id)
    return found


def foreign(source: str) -> set[str]:
    """What it imports and may not."""
    return {
        name
        for name in imported(source)
        if not any(name == own or name.startswith(f"{own}.") for own in ITSELF)
    }


def test_the_oracle_imports_nothing_of_the_product() -> None:
    """Nor, by its own modules, anything else: what they import is held to the same."""
    sources = {path: path.read_text() for path in ORACLE.rglob("*.py")}
    assert len(sources) > 8
    assert {str(path): foreign(text) for path, text in sources.items() if foreign(text)} == {}
    # The packages around it run first on an import, and hold nothing.
    for package in (ORACLE, ORACLE.parent, ORACLE.parent.parent):
        assert (package / "__init__.py").read_text() == ""


def test_the_guard_against_imports_can_fail() -> None:
    assert foreign("def rule():\n    from referrals.permits import permit") == {"referrals.permits"}
    assert foreign("import clients.consent as c") == {"clients.consent"}
    assert foreign("from ..scene import Scene") == {"..scene"}
    assert foreign("__import__('referrals')") == {"__import__"}
    assert foreign(f"from {PACKAGE}.people import Who\nfrom enum import StrEnum") == set()


def test_every_address_is_in_the_oracle() -> None:
    known = Counter(
        {route.address for route in (*API, *PAGES, *elsewhere.ALL)}
        | {address for _, address in elsewhere.WITHOUT_HER}
    )
    there = {route.address for route in routes()}
    assert there - set(known) == set(), "say in tests/matrix/oracle whom these are for"
    assert set(known) - there == set(), "these are gone"


def test_every_method_of_the_api_is_in_the_oracle() -> None:
    """By the views and by the committed description, which have to agree."""
    known = {
        (route.method, route.address)
        for route in (*API, *elsewhere.SIGNED_IN)
        if route.address.startswith("/api/")
    }
    known |= {entry for entry in elsewhere.WITHOUT_HER if entry[1].startswith("/api/")}
    answered = {
        (method, route.address)
        for route in routes()
        if (view := getattr(route.view, "cls", None)) is not None
        and route.name not in ("api-schema", "api-root", "api-nothing")
        for method in METHODS
        if hasattr(view, method.lower())
    }
    assert answered == known
    described = {
        (method.upper(), path)
        for path, operations in description()["paths"].items()
        for method in operations
        if method.upper() in METHODS
    }
    assert described == {(method, _described(address)) for method, address in known}


def _described(address: str) -> str:
    return re.sub(r"<\w+:(\w+)>", r"{\1}", address)


def test_every_method_of_a_page_is_in_the_oracle() -> None:
    """A page that takes a form is there with GET and with POST."""
    known = {(route.method, route.address) for route in (*PAGES, *elsewhere.ALL)}
    known |= set(elsewhere.WITHOUT_HER)
    answered = {
        (method, route.address)
        for route in routes()
        if getattr(route.view, "cls", None) is None
        for method in getattr(route.view, "methods", ())
    }
    assert len(answered) > 60
    assert answered <= known
    pages = {(route.method, route.address) for route in PAGES}
    assert pages <= answered


def test_the_states_and_the_people_are_all_there() -> None:
    assert len(State) == 9
    assert set(HOLDS) == set(State)
    assert set(PEOPLE) == set(Who)
    assert len(Who) == 17


def test_the_oracle_denies_more_than_it_allows() -> None:
    """Emptiness means nothing: without any consent no trainer reads a part."""
    for route in (*API, *PAGES):
        for who, person in PEOPLE.items():
            if person.is_ana or person.treats:
                continue
            expected = route.rule(Cell(who, State.NONE, who))
            if expected.answer is Answer.SHOWN and who is Who.TRAINER:
                assert all(entry.parts == NOTHING for entry in expected.entries)
