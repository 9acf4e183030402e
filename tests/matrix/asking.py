"""Asks one cell of the matrix and reads the answer as the oracle speaks of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.http.response import HttpResponseBase

from clients.models import AccessEntry
from tests.matrix.asker import Asker
from tests.matrix.bodies import body_for
from tests.matrix.oracle.answers import Answer, Cell, Entry, Route
from tests.matrix.oracle.consent import Part, State, was_asked
from tests.matrix.oracle.people import PEOPLE, Handoff, Who
from tests.matrix.oracle.words import (
    COSTS,
    DRAFT,
    LETTER,
    NAME,
    OTHER,
    goal_of,
    messages_of,
    report_of,
)
from tests.matrix.scene import Scene, planted

UNKNOWN = UUID("00000000-0000-4000-8000-000000000000")
"""The id of nothing."""
API = "/api/v1/"
WORDS: dict[str, str] = {
    word: planted(word)
    for word in (
        *(part.value for part in Part if part is not Part.FEEDBACK),
        *(NAME, DRAFT, OTHER, LETTER, COSTS),
        *(
            of(who)
            for who in Who
            if PEOPLE[who].handoff is not Handoff.NONE
            for of in (goal_of, messages_of, report_of)
        ),
    )
}
# What any request may write, allowed or not: that somebody was here, and that they were refused.
ANYBODYS = {
    "core_ledgerhead",
    "clients_accessentry",
    "django_session",
    "usersessions_usersession",
    "handoff_cache",
    "core_attempts",  # tries are counted before anything is looked up
}
_WRITES = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """What came back, and what it left behind in the database before that was undone."""

    status: int
    location: str
    text: str
    json: Any
    entries: tuple[Entry, ...]
    changed: frozenset[str]

    @property
    def words(self) -> frozenset[str]:
        return frozenset(word for word, text in WORDS.items() if text in self.text)

    def is_a(self, answer: Answer) -> bool:
        match answer:
            case Answer.SHOWN:
                return self.status == 200
            case Answer.ELSEWHERE:
                return self.status in (302, 303) and not self._to("login")
            case Answer.LOGIN:
                return self.status == 401 or self._to("login")
            case Answer.ABSENT:
                return self.status == 404
            case Answer.REFUSED:
                return self.status == 403
            case Answer.NOT_SHARED:
                return self.status == 403 and "not-shared" in self.text
            case Answer.SECOND_FACTOR:
                return self._to("2fa") or (self.status in (401, 403) and "factor" in self.text)
            case Answer.MAY:
                denied = self.status in (401, 403, 404, 405) or self._to("login")
                return self.status < 500 and not denied
            case Answer.NOT_NOW:
                return self.status in (403, 409, 422)
            case Answer.IGNORED:
                return self.status in (200, 303) and not self.changed
            case Answer.INSIDE:
                return self.status < 500
            case Answer.SHUT:
                return self.status in (403, 404) or self._to("login")

    def _to(self, word: str) -> bool:
        return self.status in (302, 303) and word in self.location


def addressed(route: Route, cell: Cell, scene: Scene, *, unknown: bool = False) -> str:
    """The route's address with ids in it; `unknown`: of a thing that does not exist."""
    taken = False
    named: dict[str, object] = {
        "invitation": scene.things["invitation"],
        "measurement_id": scene.things["measurement"],
        "gate_id": scene.things["gate"],
        "restriction_id": scene.things["draft restriction"],
        "version_id": scene.things["draft version"],
        "area": "client",
        "verb": "cancel",
        "kind": "json",
        "token": "x",
        "content_type_id": "1",
        "object_id": UNKNOWN,
        "pk": "1",
        "scan_id": scene.things["scan"],
    }
    if route.takes == "somebody's session":
        named["pk"] = scene.sessions[_other_than(cell.who)]

    def fill(found: re.Match[str]) -> str:
        nonlocal taken
        kind, name = found.groups()
        if kind == "uuid" and not taken:
            taken = True
            return str(UNKNOWN if unknown else thing(route, cell, scene))
        return str(named[name])

    address = re.sub(r"<(\w+):(\w+)>", fill, route.address)
    if "^" in address or "(" in address:  # a pattern of a library, or of the API's last route
        address = re.sub(r"\^?\[.*|\^?\(\?P<app_label>account.*|\^?\(\?P<.*", "", address)
        tails = {"app_label": "clients/", "uidb36": "1-x/", "<key>": "x/"}
        tail = next((tails[key] for key in tails if key in route.address), "nothing/")
        address = address.replace("^", "") + tail
    query = {
        "client": f"?client={scene.things['client']}",
        "episode": f"?episode={scene.things['episode']}",
        "": "",
    }.get(route.query, f"?{route.query}")
    return address + query


def thing(route: Route, cell: Cell, scene: Scene) -> UUID:
    match route.takes:
        case "referral" | "consent":
            return scene.things[f"{route.takes} of {cell.of}"]
        case "own token":
            return scene.things.get(f"token of {cell.who}", UNKNOWN)
        case "somebody's token":
            return scene.things[f"token of {_other_than(cell.who)}"]
        case takes:
            return scene.things[takes]


def _other_than(who: Who) -> Who:
    return Who.AUTHOR if who is not Who.AUTHOR else Who.CLIENT


def whose(route: Route, who: Who, state: State) -> list[Who]:
    """Whose handoff or consent to ask for: one's own where there is one, and the trainer's."""
    match route.takes:
        case "referral":
            own = [who] if PEOPLE[who].handoff is not Handoff.NONE else []
            return list(dict.fromkeys([Who.TRAINER, *own]))
        case "consent":
            known = [Who.TRAINER if was_asked(Who.TRAINER, state) else Who.REVOKED]
            return list(dict.fromkeys([*known, *([who] if was_asked(who, state) else [])]))
    return [Who.TRAINER]


def ask(
    scene: Scene, route: Route, cell: Cell, *, unknown: bool = False, htmx: bool = False
) -> Told:
    """Ask, and undo whatever it did."""
    path = addressed(route, cell, scene, unknown=unknown)
    browser, headers = scene.browsers[cell.who], {}
    if path.startswith(API):
        browser = Asker()
        if cell.who in scene.tokens:
            headers["authorization"] = f"Bearer {scene.tokens[cell.who]}"
    if htmx:
        headers["hx-request"] = "true"
    sent: dict[str, Any] = {}
    if route.method != "GET":
        body = body_for(route, scene)
        as_json = path.startswith(API)
        sent = {"data": body, "content_type": "application/json"} if as_json else {"data": body}
    with undone():
        with _changes() as changed:
            answer = getattr(browser, route.method.lower())(path, headers=headers, **sent)
            text = _text(answer, path)
        entries = _entries(scene) if AccessEntry._meta.db_table in changed else ()
    return Told(
        status=answer.status_code,
        location=answer.get("Location", ""),
        text=text,
        json=json.loads(text) if "json" in answer.get("Content-Type", "") else None,
        entries=entries,
        changed=frozenset(changed - ANYBODYS),
    )


@contextmanager
def undone() -> Iterator[None]:
    """A transaction around one request that never happened afterwards.

    Marked like those of a test case, so that a block which must be the outermost one (disclosure)
    takes it for the ground.
    """
    around = transaction.atomic()
    around._from_testcase = True  # type: ignore[attr-defined]  # as TestCase does
    with around:
        yield
        transaction.set_rollback(True)


@contextmanager
def _changes() -> Iterator[set[str]]:
    """The tables that are written to meanwhile."""
    written: set[str] = set()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = _WRITES.match(sql)
        if found:
            written.add(found[1])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield written


def _entries(scene: Scene) -> tuple[Entry, ...]:
    """What was entered about Ana since the scene was built."""
    rows = AccessEntry.objects.filter(number__gt=scene.entries, client=scene.ana)
    return tuple(
        Entry(row.action, frozenset(Part(each) for each in row.shown))
        for row in rows.order_by("number")
    )


# What differs between two answers of one kind: a token, and which place in the bar one is at.
_SECRET = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": "\w+"| aria-current="\w+"'
)


def _text(answer: HttpResponseBase, path: str) -> str:
    """The body, without what differs from one request to the next."""
    parts = b"".join(
        getattr(answer, "streaming_content", None) or [getattr(answer, "content", b"")]
    )
    return _SECRET.sub("", parts.decode(errors="replace")).replace(path, "PATH")
