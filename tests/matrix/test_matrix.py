"""The permission matrix: every address, method, person and state of consent, against the oracle.

A test is one state and one kind of request: everybody asks for everything in a scene that is built
once, and each request is undone. What differs from the oracle is listed cell by cell.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pytest
import time_machine

from tests.matrix.asking import Told, ask, whose
from tests.matrix.bodies_of_json import differences
from tests.matrix.oracle import elsewhere
from tests.matrix.oracle.answers import Answer, Cell, Expected, Route
from tests.matrix.oracle.consent import State
from tests.matrix.oracle.people import PEOPLE, Asked, Who
from tests.matrix.oracle.reading import may_be_named, may_see
from tests.matrix.oracle.routes import API, PAGES, PARTS
from tests.matrix.oracle.shapes import DEPENDING, SHAPES
from tests.matrix.oracle.words import NAME
from tests.matrix.scene import BEFORE, Scene

pytestmark = pytest.mark.django_db

READS = tuple(route for route in (*API, *PAGES) if route.method == "GET")
CHANGES = tuple(route for route in (*API, *PAGES) if route.method != "GET")
ABSENCES = (
    Route("GET", "/api/v1/clients/<uuid:id>/", lambda cell: Expected(Answer.ABSENT)),
    Route("GET", "/clients/<uuid:pk>/", lambda cell: Expected(Answer.ABSENT)),
)

Count = Callable[[str, object], None]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of refusals are thousands of lines in the log; other tests read those."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with time_machine.travel(BEFORE, tick=False):
        built = Scene(request.param)
    with time_machine.travel(built.clock, tick=False):
        built.sign_in()
        yield built


STATED = tuple(
    who
    for who, person in PEOPLE.items()
    if (person.asked is Asked.AS_THE_STATE_SAYS or person.is_ana or person.treats)
    and not person.lacks_factor
)
"""Those for whom something depends on the state."""
# Changes are tried where all is open, and where it was never opened, was stopped, or ran out.
CHANGED_IN = (State.ACTIVE, State.NONE, State.REVOKED, State.EXPIRED)
OUTSIDERS = (Who.OTHER_CLIENT, Who.COLLEAGUE, Who.REVOKED, Who.OTHERS_TRAINER, Who.STAFF)
"""One of each kind of those to whom something is denied."""


def depends(route: Route) -> bool:
    """Whether for somebody the answer is another in another state of consent."""
    named = tuple(Who) if route.takes in ("referral", "consent") else (Who.TRAINER,)
    return any(
        len({route.rule(Cell(who, state, of)) for state in State}) > 1
        for who in STATED
        for of in named
    )


def looked_at(kind: str, skin: str, state: State) -> tuple[tuple[Route, ...], tuple[Who, ...]]:
    """Everything by everybody where consent is active; elsewhere what depends on it, by those for
    whom it does."""
    asked = READS if kind == "reads" else CHANGES
    routes = tuple(each for each in asked if skin_of(each) == skin)
    if state is State.ACTIVE:
        return routes, tuple(Who)
    return tuple(each for each in routes if depends(each)), STATED


def skin_of(route: Route) -> str:
    return "api" if route.address.startswith("/api/") else "pages"


def cells(
    routes: tuple[Route, ...], state: State, people: Iterable[Who] = tuple(Who)
) -> Iterator[tuple[Route, Cell]]:
    for route in routes:
        for who in people:
            for of in whose(route, who, state):
                yield route, Cell(who, state, of)


def complaints(route: Route, cell: Cell, told: Told, expected: Expected) -> Iterator[str]:
    """Where an answer differs from what the oracle expects."""
    if not told.is_a(expected.answer):
        yield f"{expected.answer!s} expected, came {told.status} {told.location}"
        return
    if expected.answer in (Answer.MAY, Answer.NOT_NOW, Answer.IGNORED):
        yield from _beyond(cell, told)
    elif told.words != expected.words:
        more, less = told.words - expected.words, expected.words - told.words
        yield f"shows {sorted(more)} too many, {sorted(less)} too few"
    elif told.entries != expected.entries:
        yield f"entered {told.entries}, not {expected.entries}"
    if expected.answer is Answer.SHOWN and route.shape:
        yield from differences(SHAPES[route.shape], told.json, expected.withheld)
        yield from _depending(route, told, expected)
    if expected.answer.is_denial and told.changed:
        yield f"denied, and wrote to {sorted(told.changed)}"


def _beyond(cell: Cell, told: Told) -> Iterator[str]:
    """Where the answer to a change holds what its asker may not read, or what is not entered."""
    if told.words - may_see(cell):
        yield f"shows {sorted(told.words - may_see(cell))}"
    if told.words - {NAME} and not told.entries:
        yield f"shows {sorted(told.words)} and enters nothing"
    for entry in told.entries:
        if entry.parts - may_be_named(cell):
            yield f"entered {entry}"


def _depending(route: Route, told: Told, expected: Expected) -> Iterator[str]:
    null = {key for key in DEPENDING.get(route.shape, ()) if told.json[key] is None}
    if null != expected.null:
        yield f"without a value: {sorted(null)}, not {sorted(expected.null)}"


def count(record_property: Count, asked: int, routes: Iterable[Route]) -> None:
    """What pytest adds up at the end."""
    record_property("matrix cells", asked)
    for method, address in {(route.method, route.address) for route in routes}:
        record_property("matrix route", f"{method} {address}")


def report(wrong: list[str]) -> str:
    return "\n".join([f"{len(wrong)} cells differ from the oracle:", *wrong])


def named(route: Route, cell: Cell) -> str:
    of = f" (of {cell.of})" if route.takes in ("referral", "consent") else ""
    return f"{route.method} {route.address} {route.takes}{of} by {cell.who.name} in {cell.state}"


PLACES = [
    pytest.param(state, kind, skin, id=f"{state.name}-{kind}-{skin}")
    for state in State
    for kind in ("reads", "changes")
    for skin in ("api", "pages")
    if kind == "reads" or state in CHANGED_IN
]


@pytest.mark.parametrize(("scene", "kind", "skin"), PLACES, indirect=["scene"])
def test_everybody_gets_what_the_oracle_says(
    scene: Scene, kind: str, skin: str, record_property: Count
) -> None:
    routes, people = looked_at(kind, skin, scene.state)
    (absence,) = (each for each in ABSENCES if skin_of(each) == skin)
    nothing = {who: ask(scene, absence, Cell(who, scene.state), unknown=True) for who in people}
    wrong, asked = [], 0
    for route, cell in cells(routes, scene.state, people):
        expected, told = route.rule(cell), ask(scene, route, cell)
        asked += 1
        found = list(complaints(route, cell, told, expected))
        if expected.listed is not None and told.status == 200:
            listed = {
                name
                for name, pk in scene.things.items()
                if str(pk) in {str(each.get("id")) for each in told.json["results"]}
            }
            if listed != expected.listed:
                found.append(f"lists {sorted(listed)}, not {sorted(expected.listed)}")
        if told.status == 404 and told.text != nothing[cell.who].text:
            found.append("does not look like what is not there")
        wrong += [f"{named(route, cell)}: {each}" for each in found]
    count(record_property, asked, routes)
    assert not wrong, report(wrong)


@pytest.mark.parametrize("scene", [State.ACTIVE], indirect=True)
def test_what_is_denied_looks_like_what_does_not_exist(
    scene: Scene, record_property: Count
) -> None:
    wrong, asked = [], 0
    for route, cell in cells((*API, *PAGES), scene.state, OUTSIDERS):
        expected = route.rule(cell)
        if route.takes in ("", "area") or expected.answer is not Answer.ABSENT:
            continue
        told, nothing = ask(scene, route, cell), ask(scene, route, cell, unknown=True)
        asked += 1
        same = (told.status, told.text) == (nothing.status, nothing.text)
        if not same:
            wrong.append(f"{named(route, cell)}: {told.status}, and {nothing.status} of nothing")
        if nothing.entries or nothing.changed:
            wrong.append(f"{named(route, cell)}: what does not exist is entered")
    record_property("matrix cells", asked)
    assert not wrong, report(wrong)


@pytest.mark.parametrize("scene", [State.ACTIVE], indirect=True)
def test_a_part_of_a_page_shows_no_more_than_the_page(scene: Scene, record_property: Count) -> None:
    """The same pages as htmx asks for them."""
    wrong, asked = [], 0
    people = (*STATED, Who.COLLEAGUE, Who.OTHERS_TRAINER, Who.NO_FACTOR)
    for route, cell in cells(PAGES, scene.state, people):
        if route.method != "GET":
            continue
        rule = PARTS.get(route.address, route.rule)
        expected, told = rule(cell), ask(scene, route, cell, htmx=True)
        asked += 1
        if told.words - expected.words:
            wrong.append(f"{named(route, cell)}: shows {sorted(told.words - expected.words)}")
        if expected.answer is Answer.ABSENT and told.status != 404:
            wrong.append(f"{named(route, cell)}: came {told.status}")
        if told.entries != expected.entries:
            wrong.append(f"{named(route, cell)}: entered {told.entries}")
    record_property("matrix cells", asked)
    assert not wrong, report(wrong)


@pytest.mark.parametrize("scene", [State.ACTIVE], indirect=True)
@pytest.mark.parametrize(
    ("routes", "people"),
    [
        pytest.param((*elsewhere.OPEN, *elsewhere.SIGNED_IN), tuple(Who), id="own"),
        # Libraries' pages know no more of anybody than whether they are staff and show a factor.
        pytest.param((*elsewhere.ACCOUNTS, *elsewhere.ADMIN), elsewhere.KINDS, id="libraries"),
    ],
)
def test_no_other_address_says_a_word_of_her(
    scene: Scene, routes: tuple[Route, ...], people: tuple[Who, ...], record_property: Count
) -> None:
    wrong, asked = [], 0
    for route, cell in cells(routes, scene.state, people):
        expected, told = route.rule(cell), ask(scene, route, cell)
        asked += 1
        if not told.is_a(expected.answer):
            wrong.append(f"{named(route, cell)}: {expected.answer}, came {told.status}")
        if told.words - expected.words:
            wrong.append(f"{named(route, cell)}: shows {sorted(told.words)}")
        if route.shape and told.status == 200:
            wrong += [
                f"{named(route, cell)}: {each}"
                for each in differences(SHAPES[route.shape], told.json)
            ]
        if told.entries:
            wrong.append(f"{named(route, cell)}: entered {told.entries}")
    count(record_property, asked, routes)
    assert not wrong, report(wrong)


@pytest.mark.parametrize("scene", [State.ACTIVE], indirect=True)
def test_no_address_answers_a_method_it_does_not_have(scene: Scene, record_property: Count) -> None:
    had: dict[str, set[str]] = {}
    for route in (*API, *PAGES):
        had.setdefault(route.address, set()).add(route.method)
    wrong, asked = [], 0
    for route in {each.address: each for each in (*API, *PAGES)}.values():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if method in had[route.address]:
                continue
            other = replace(route, method=method)
            for who in (Who.CLIENT, Who.AUTHOR, Who.TRAINER):
                told = ask(scene, other, Cell(who, scene.state, whose(route, who, scene.state)[0]))
                asked += 1
                shut = told.status in (401, 403, 404, 405) or told.is_a(Answer.LOGIN)
                if not shut or told.words or told.changed or told.entries:
                    wrong.append(f"{method} {route.address} by {who.name}: {told.status}")
    record_property("matrix cells", asked)
    assert not wrong, report(wrong)
