"""The whole API under schemathesis, as a client, a therapist and a trainer.

Each case is asked in a transaction that is taken back, so that the seeded rows are there for the
next one. `FUZZ_EXAMPLES` says how many cases of each kind an operation gets; the ordinary run is
short. Checks that are off say why.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPMethod
from typing import Any, Final

import hypothesis
import pytest
import schemathesis
import yaml
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.http import HttpResponse
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from werkzeug import Client as Wsgi

from clients.api.me import Me
from handoff.core import attempts
from tests.api.client import DESCRIPTION, PREFIX
from tests.api.conftest import noon  # noqa: F401  (the clock of the scene)
from tests.fuzz.seeds import IDENTITIES, Seeded, described, fitting_body, token_of

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "1"))
ORDINARY: Final = "FUZZ_EXAMPLES" not in os.environ
"""The ordinary run draws from one seed, so that two runs reach much the same."""
SLOWEST_SECONDS: Final = 2.0
"""Of the processor, for one answer: machines that run tests do other things as well. What the
database may take is bounded by its own limit for a statement."""

CHECKED: Final = frozenset(
    {
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "missing_required_header",
        "unsupported_method",
        "allow_header_conformance",
        "use_after_free",
        "ensure_resource_availability",
        "ignored_auth",
    }
)
OFF: Final[Mapping[str, str]] = {
    "positive_data_acceptance": (
        "A shape cannot say the rules: who may, in which state, with which consent. What a seeded"
        " case must be taken for is asserted below instead, as a share of answers 2xx."
    ),
    "object_level_authorization": (
        "It takes two identities of equal standing and objects of their own making; here what one"
        " may see is the client's consent. The permission matrix asks that, cell by cell."
    ),
    "max_response_time": "Measured below, for all answers of a run.",
}
# Not visible is not found, and what is too early or too late is stale: besides 400 these refuse.
REFUSED: Final = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "429"]


_django: Final = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """The product, asked from this machine: limits per address need one."""
    return _django({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)


@contextmanager
def taken_back() -> Iterator[None]:
    """What a case writes is gone after it; as a test's own transaction, verbs commit inside it."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # as Django's TestCase marks its own
    with block:
        yield
        transaction.set_rollback(True)


class Run:
    """One identity, its description, and what became of its cases."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.seeded = Seeded()
        self.secret, other = token_of(self.seeded.api_of(who))
        self.raw = described(self.seeded, who, other)
        self.schema = schemathesis.openapi.from_dict(self.raw)
        self.schema.app = application
        checks = self.schema.config.checks
        checks.negative_data_rejection.expected_statuses = REFUSED
        checks.positive_data_acceptance.enabled = False
        checks.object_level_authorization.enabled = False
        self.headers = {"Authorization": f"Bearer {self.secret}"}
        self.answers: Counter[tuple[str, str, int]] = Counter()
        self.slowest = 0.0
        self.failures: list[str] = []

    def ask(self, case: Any) -> Any:
        """Call and check one case, inside whatever transaction is open."""
        began = time.process_time()
        response = case.call(headers=self.headers)
        self.slowest = max(self.slowest, time.process_time() - began)
        self.note(case, response)
        self.check(case, response)
        return response

    def check(self, case: Any, response: Any, recorder: Any = None) -> None:
        """All checks that are on; those that ask again know which credentials were ours."""
        case.validate_response(
            response,
            headers=self.headers,
            transport_kwargs={"headers": self.headers},
            recorder=recorder,
        )

    def note(self, case: Any, response: Any) -> None:
        family = f"{response.status_code // 100}xx"
        self.answers[case.operation.label, family, response.status_code] += 1
        assert response.status_code != 503, "nothing here is unavailable"

    def operations(self) -> Iterator[Any]:
        for found in self.schema.get_all_operations():
            yield found.ok()  # type: ignore[union-attr]  # an Err raises here, as it should


@pytest.fixture
def run(request: pytest.FixtureRequest, db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    patient = attempts.Rate(1_000_000, timedelta(minutes=1))
    monkeypatch.setattr(attempts, "RATES", dict.fromkeys(attempts.RATES, patient))
    made = Run(request.param)
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # a line for every refusal says nothing here
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)  # the connection holds the test's transaction
    try:
        yield made
    finally:
        logging.disable(level)
        for signal in (signals.request_started, signals.request_finished):
            signal.connect(close_old_connections)


def several(ask: Callable[[Any], None], strategy: Any, count: int) -> None:
    quiet = hypothesis.settings(
        max_examples=count,
        derandomize=ORDINARY,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    quiet(hypothesis.given(case=strategy)(ask))()


def kind_of(label: str) -> str:
    """What an operation does: reads one, lists, changes, or removes."""
    method, path = label.split()
    if method == "GET":
        return "reads one" if "{id}/" in path and path.endswith("{id}/") else "lists"
    return "removes" if method == "DELETE" else "changes"


# What each identity reaches at least: (kind -> operations with an answer 2xx). Falling below means
# that the seeds are no longer found, or that somebody lost what they could do.
REACHED: Final[Mapping[str, Mapping[str, int]]] = {
    "client": {"reads one": 5, "lists": 14, "changes": 10, "removes": 1},
    "pt": {"reads one": 6, "lists": 15, "changes": 22, "removes": 3},
    "trainer": {"reads one": 5, "lists": 10, "changes": 16, "removes": 1},
}
SHARE: Final = {"client": 0.1, "pt": 0.14, "trainer": 0.1}
"""Of all cases, those answered 2xx: more than half are wrong on purpose, some of what is right
is about ids of nobody, and everybody is kept out of what is for others."""


def test_every_check_is_on_or_says_why_not() -> None:
    load_all_checks()
    known = {check.__name__ for check in CHECKS.get_all()} | {"max_response_time"}
    assert known == CHECKED | set(OFF)


@pytest.mark.parametrize("run", IDENTITIES, indirect=True)
def test_the_api_as(run: Run) -> None:
    """0 server errors, 0 ignored authentication, in every operation and for wrong and right."""

    def ask(case: Any) -> None:
        with taken_back():
            run.ask(case)

    for operation in run.operations():
        body = fitting_body(run.seeded, run.raw, operation.definition.raw)
        fitting = {} if body is None else {"body": body, "media_type": "application/json"}
        first = Counter(run.answers)  # a first look: whom the policy keeps out is asked less
        several(ask, operation.as_strategy(**fitting), 1)
        met = {status for (_, _, status) in run.answers - first}
        count = 1 if met <= {401, 403} else EXAMPLES
        several(ask, operation.as_strategy(**fitting), count * 2)
        several(ask, operation.as_strategy(generation_mode=GenerationMode.POSITIVE), count)
        several(ask, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), count)
        edges = list(
            run.schema.iter_coverage_cases(
                operation,
                generation_modes=list(GenerationMode),
                generation_config=run.schema.config.generation_for(
                    operation=operation, phase="coverage"
                ),
            )
        )
        chosen = random.Random(operation.label).sample(  # noqa: S311 (not a secret)
            edges, min(len(edges), count * 2)
        )
        for case in chosen:
            ask(case)

    total = sum(run.answers.values())
    fine = sum(count for (_, family, _), count in run.answers.items() if family == "2xx")
    reached = Counter(
        kind_of(label) for label in {label for label, family, _ in run.answers if family == "2xx"}
    )
    print(f"{run.who}: {total} cases, {fine / total:.0%} answered 2xx, {dict(reached)}")
    assert fine / total >= SHARE[run.who]
    assert reached >= Counter(REACHED[run.who]), (reached, REACHED[run.who])
    assert run.slowest < SLOWEST_SECONDS


@pytest.mark.parametrize("run", IDENTITIES, indirect=True)
def test_what_is_made_is_there_and_what_is_removed_is_not(run: Run) -> None:
    """Steps that follow each other, as the description lets them be linked: a row just made is
    found (`ensure_resource_availability`), one removed is not (`use_after_free`)."""
    machine: Any = run.schema.as_state_machine()
    made = 0

    class Steps(machine):  # type: ignore[misc]  # made at run time
        def setup(self) -> None:
            self.block = taken_back()
            self.block.__enter__()

        def teardown(self) -> None:
            self.block.__exit__(None, None, None)
            super().teardown()

        def before_call(self, case: Any) -> None:
            """What is meant to be right gets a body that the rules may take: from words drawn at
            random hardly anything is ever made."""
            super().before_call(case)
            body = fitting_body(run.seeded, run.raw, case.operation.definition.raw)
            if body is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
                case.body = body

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": run.headers}

        def after_call(self, response: Any, case: Any) -> None:
            super().after_call(response, case)
            run.note(case, response)
            nonlocal made
            made += response.status_code == 201

        def validate_response(self, response: Any, case: Any, *_: Any, **__: Any) -> None:
            run.check(case, response, self.recorder)

    Steps.run(
        settings=hypothesis.settings(
            max_examples=max(15, EXAMPLES * 3),
            derandomize=ORDINARY,
            stateful_step_count=6,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
    )
    print(f"{run.who}: {sum(run.answers.values())} steps, {made} made")
    assert run.answers


@pytest.mark.parametrize("run", ["pt"], indirect=True)  # who makes the rows
def test_who_makes_a_row_comes_back_to_it(run: Run) -> None:
    """Whatever answers 201 is at its own address the moment after, and no longer once removed.

    The steps above meet this by chance; here every operation that makes something is asked."""
    operations = {operation.label: operation for operation in run.operations()}
    back: dict[str, list[str]] = {}
    for label, operation in operations.items():
        method, path = label.split()
        body = fitting_body(run.seeded, run.raw, operation.definition.raw)
        item = f"{path}{{id}}/"
        if method != "POST" or "{" in path or f"GET {item}" not in operations or body is None:
            continue
        with taken_back():
            answer = operation.Case(body=body, media_type="application/json").call(
                headers=run.headers
            )
            if answer.status_code != 201:
                continue
            address = {"id": answer.json()["id"]}
            verbs = ["GET", "DELETE", "GET"] if f"DELETE {item}" in operations else ["GET"]
            statuses = [
                operations[f"{verb} {item}"]
                .Case(path_parameters=address)
                .call(headers=run.headers)
                .status_code
                for verb in verbs
            ]
            assert statuses in ([200], [200, 204, 404], [200, 403, 200]), (label, statuses)
            back[label] = verbs
    assert len(back) >= 6, back


@pytest.mark.parametrize("run", IDENTITIES, indirect=True)
def test_a_method_that_is_not_described_is_refused(run: Run) -> None:
    """405 with what is allowed, on every address, before anything is looked up."""
    asked = 0
    for path, described_ in yaml.load(DESCRIPTION.read_text(), Loader=yaml.CSafeLoader)[
        "paths"
    ].items():
        address = path.replace("{id}", str(run.seeded.client.pk))
        address = address.replace("{invitation}", str(run.seeded.invitation.pk))
        for method in HTTPMethod:
            if method.lower() in described_ or method in ("HEAD", "OPTIONS", "CONNECT"):
                continue
            with taken_back():
                answer = Wsgi(application).open(address, method=method, headers=run.headers)
            assert answer.status_code in (403, 405), (method, path, answer.status_code)
            if answer.status_code == 405:
                assert method not in answer.headers["Allow"]
            asked += 1
    assert asked > 200


@pytest.mark.parametrize("run", IDENTITIES, indirect=True)
def test_nobody_in_particular_gets_nothing_anywhere(run: Run) -> None:
    """Each operation without a token, with a wrong one and with an ended one, whatever else is
    right; the one way in is the operation that gives tokens."""
    asked = 0
    for operation in run.operations():
        if operation.label == f"POST {PREFIX}tokens/":
            continue
        body = fitting_body(run.seeded, run.raw, operation.definition.raw)
        fitting = {} if body is None else {"body": body, "media_type": "application/json"}
        for words in ("", "Bearer nonsense", f"Bearer {run.secret}x", "Basic YTpi"):
            several(
                _refused({"Authorization": words} if words else {}), _one(operation, fitting), 1
            )
            asked += 1
    assert asked > 300


def _one(operation: Any, fitting: dict[str, Any]) -> Any:
    return operation.as_strategy(**fitting)


def _refused(headers: dict[str, str]) -> Callable[[Any], None]:
    def ask(case: Any) -> None:
        with taken_back():
            answer = case.call(headers=headers)
        assert answer.status_code == 401, (case.operation.label, answer.status_code)

    return ask


@pytest.mark.parametrize("run", ["client"], indirect=True)
def test_a_server_error_and_an_open_door_would_be_seen(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks can fail: a view that breaks, and one that answers anybody."""
    operation = next(each for each in run.operations() if each.label == f"GET {PREFIX}me/")
    shown = run.ask(operation.Case())

    def broken(self: Any, query: Any) -> None:
        raise RuntimeError("no")

    def open_to_all(self: Any, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponse(shown.content, content_type="application/json")

    for name, instead, seen in (
        ("show", broken, "ServerError"),
        ("dispatch", open_to_all, "IgnoredAuth"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(Me, name, instead)
            with pytest.raises(FailureGroup) as caught:
                run.ask(operation.Case())
        assert seen in {type(each).__name__ for each in caught.value.exceptions}
