"""The description is what the code does: committed, complete, and readable without a script."""

import io
import re
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client as Browser
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from handoff.api.problems import TITLES
from tests.api.client import DESCRIPTION, check, description


def test_the_committed_description_is_the_one_of_the_code() -> None:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    assert out.getvalue() == DESCRIPTION.read_text(), "run `make openapi` and look at it"


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in description()["paths"].items()
        for method, operation in methods.items()
    ]


# Each of these makes something anew that only the asker gets: a secret, a proof, a file.
NOT_REPEATED = {
    *("/api/v1/tokens/", "/api/v1/me/confirm/", "/api/v1/me/export/"),
    "/api/v1/clients/{id}/export/",
}


@pytest.mark.parametrize(
    ("method", "path", "operation"), operations(), ids=lambda each: str(each)[:60]
)
def test_every_operation_says_what_it_is_and_how_it_refuses(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert "For " in operation["description"]
    statuses = set(operation["responses"])
    if operation["security"] != [{}]:
        assert {"401", "403", "503"} <= statuses
    if "{" in path:
        assert "404" in statuses
    if "requestBody" in operation:
        assert {"400", "413", "415"} <= statuses
    parameters = {each["name"] for each in operation.get("parameters", ())}
    if method == "post" and path not in NOT_REPEATED:
        assert "Idempotency-Key" in parameters
    success = next(iter(operation["responses"].values()))
    schema = str(success.get("content", ""))
    if "Page" in schema:
        assert {"cursor", "page_size"} <= parameters


def test_the_checking_client_can_fail() -> None:
    """Otherwise every test that uses it would prove nothing about answers."""

    class Answer:
        status_code = 200
        content = b"{}"

        def __init__(self, body: Any, media: str = "application/json") -> None:
            self.body, self.media = body, media

        def json(self) -> Any:
            return self.body

        def __getitem__(self, name: str) -> str:
            return self.media

    good: dict[str, Any] = {"results": [], "next": None, "previous": None}
    check("GET", "/api/v1/episodes/", Answer(good))
    for bad in (
        Answer({**good, "more": 1}),
        Answer({"results": []}),
        Answer({**good, "results": [{"id": "x"}]}),
        Answer(good, "text/html"),
    ):
        with pytest.raises(AssertionError):
            check("GET", "/api/v1/episodes/", bad)
    with pytest.raises(AssertionError):
        check("GET", "/api/v1/unheard-of/", Answer(good))


def test_shapes_are_valid_json_schema() -> None:
    for name, shape in description()["components"]["schemas"].items():
        Draft202012Validator.check_schema(shape)
        assert not name.endswith(("Shape", "Body"))


def test_it_is_served_as_json_and_as_yaml_to_everybody(db: None) -> None:
    api = APIClient()
    served = api.get("/api/v1/schema/")
    assert served["Content-Type"].startswith("application/json")
    committed = yaml.safe_load(DESCRIPTION.read_text())
    assert served.json()["paths"].keys() == committed["paths"].keys()
    as_yaml = api.get("/api/v1/schema/", headers={"Accept": "application/yaml"})
    assert yaml.safe_load(as_yaml.content)["info"]["title"] == "Handoff"


def test_the_docs_page_holds_every_operation_and_needs_no_script(db: None) -> None:
    page = Browser().get("/api/v1/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    for method, path, operation in operations():
        assert f'id="{operation["operationId"]}"' in text, (method, path)
        assert path in text
    for kind in TITLES:
        assert f'id="{kind}"' in text
    own = re.sub(r"<head>.*?</head>", "", text, flags=re.DOTALL)
    assert "cdn" not in text
    assert not re.search(r"<script(?![^>]*src=)", own)
    assert not re.search(r"\sstyle=|\son\w+=", own)
