"""Nonsense in every form of every page: refused at a field with all that was typed still there, or
taken and stored as it was sent. Never a failure of ours.

`FUZZ_EXAMPLES` says how often each form is sent.
"""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import quote_from_bytes

import hypothesis
import pytest
from django.apps import apps
from django.db import models
from django.test import Client as Browser
from hypothesis import strategies as st

from handoff.core.sensitivity import Sensitivity, sensitivity_of, unclassified
from tests.api.conftest import noon  # noqa: F401  (the clock of the scene)
from tests.fuzz.forms import PEOPLE, TYPED, Everybody, Form, forms_of, found
from tests.fuzz.test_api import ORDINARY, taken_back
from tests.guards.test_routes import Route, routes

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "2"))

NASTY: Final[Mapping[str, str]] = {
    "nul": "a\x00b",
    "surrogate": "a\ud800b",
    "surrogate pair": "\ud83d\ude00",
    "right to left": "\u202eevil\u202c \u200f\u2066x\u2069",
    "zero width": "a\u200b\u200d\ufeffb",
    "emoji": "Zoë 👩🏽‍🦰 O'Brien-Łukasz",
    "combining": "e" + "\u0301" * 200,
    "controls": "a\x01\x07\x08\x1b[31mb",
    "lines": "one\r\ntwo\nthree\rfour\u2028five",
    "markup": "<script>alert(1)</script>\"'>&amp;{{ 7*7 }}{% x %}",
    "empty": "",
    "spaces": " \t\u00a0\u3000 ",
    "long": "x" * 1_000_000,
    "first day": "0001-01-01",
    "last day": "9999-12-31",
    "no day": "2027-02-30",
    "first moment": "0001-01-01T00:00",
    "huge": "9" * 400,
    "huge float": "1e308",
    "not a number": "NaN",
    "infinite": "-Infinity",
    "negative": "-1",
    "fraction": "3.0000000001",
    "digits of elsewhere": "٣٤",
    "boolean": "true",
    "list": "[1, 2]",
    "id": "00000000-0000-4000-8000-000000000000",
    "id of another kind": "99999999999999999999999999",
    "formula": '=HYPERLINK("http://x")',
    "path": "../../etc/passwd",
    "address": "//evil.example/\\x",
    "percent": "%s %(x)s {0} %n",
}
PUT_BEFORE: Final = re.compile(r"\AAbout the limit set on \d+ \w+ \d+ \(version \d+\): ")
"""What the product writes itself before somebody's words: which limit a question is about."""
MARK: Final = "Qvz"
"""Put into words that may be stored, so that they are found again."""

# Forms that nobody is shown here, and where they are tested.
NOT_SHOWN: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            *("mfa_activate_totp", "mfa_add_webauthn", "mfa_authenticate", "mfa_deactivate_totp"),
            *("mfa_edit_webauthn", "mfa_generate_recovery_codes", "mfa_reauthenticate"),
            *("mfa_reauthenticate_webauthn", "mfa_remove_webauthn"),
        ),
        "allauth's own, for somebody with a factor or half signed in: tests/pages/test_account.py.",
    ),
    **dict.fromkeys(
        (
            *("account_confirm_email", "account_reset_password_from_key"),
            *("account_confirm_login_code", "account_set_password"),
        ),
        "allauth's own, behind a key from a mail or switched off: tests/pages/test_account.py.",
    ),
    **dict.fromkeys(
        ("discharge_sign", "limit_remove", "reminder_done", "reminder_snooze"),
        "Takes a decision and no words, and its button is not up for the rows seeded here.",
    ),
    "triage_save": "On the answer to a form only: tests/pages/test_triage.py.",
    "usersessions_list": "A button without fields, for somebody signed in twice.",
    "invitation_open": "Behind the link of a mail: tests/pages/test_client_invitation.py.",
}


def encoded(pairs: list[tuple[str, str]]) -> bytes:
    """As a careless or hostile program sends it: lone surrogates and all."""

    def part(text: str) -> str:
        return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="")

    return "&".join(f"{part(name)}={part(value)}" for name, value in pairs).encode()


def arrived(value: str) -> str:
    """What the server can have read of it."""
    return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def plain(text: str) -> str:
    """Line ends and margins apart, which forms and browsers change."""
    return re.sub(r"\r\n|\r", "\n", text).strip()


@st.composite
def fillings(draw: Any, form: Form) -> dict[str, list[str]]:
    """The form as the page shows it, filled in where it was empty, with nonsense in some fields."""
    values = {name: list(given) for name, given in form.values.items()}
    for name, kind in form.kinds.items():
        choices = [each for each in form.choices.get(name, ()) if each]
        if kind == "submit":
            if choices and draw(st.booleans()):
                values[name] = [draw(st.sampled_from(choices))]
        elif not any(values.get(name, [])) and choices:
            values[name] = [draw(st.sampled_from(choices))]
        elif not any(values.get(name, [])) and kind in TYPED:
            values[name] = [_likely(name, kind)]
    names = sorted(form.kinds)
    spoilt = draw(st.lists(st.sampled_from(names), max_size=3, unique=True)) if names else []
    for name in spoilt:
        value = draw(st.one_of(st.sampled_from(sorted(NASTY.values())), st.text(max_size=60)))
        marked = f"{MARK}{value}" if form.kinds[name] in ("text", "textarea") else value
        values[name] = [marked] * draw(st.sampled_from([1, 1, 1, 2]))
        if draw(st.booleans()):
            values[name] = [value]
    if draw(st.integers(0, 5)) == 0:
        values[
            draw(st.sampled_from(["is_staff", "state", "__class__", "id", "client_id", "\x00"]))
        ] = [draw(st.sampled_from(["1", "x", "\ud800"]))]
    if draw(st.integers(0, 9)) == 0 and names:
        values.pop(draw(st.sampled_from(names)), None)
    return values


def _likely(name: str, kind: str) -> str:
    if kind == "date" or name.endswith(("_on", "_date", "day")):
        return "2027-02-01"
    if kind == "time":
        return "10:00"
    if kind == "email" or "email" in name:
        return "somebody.else@example.org"
    if "pain" in name or kind == "number" or name in ("value", "days", "revision"):
        return "3"
    return "Words."


TEXT_COLUMNS: Final = [
    (model, column.name)
    for model in apps.get_models()
    if not unclassified(model) and model._meta.managed
    for column in model._meta.local_concrete_fields
    if isinstance(column, models.CharField | models.TextField)
    and sensitivity_of(model, column.name) in (Sensitivity.PERSONAL, Sensitivity.CLINICAL)
]


def stored(mark: str) -> list[str]:
    """Every text of ours in the database that holds the mark."""
    texts: list[str] = []
    tables: dict[type[models.Model], list[str]] = {}
    for model, name in TEXT_COLUMNS:
        tables.setdefault(model, []).append(name)
    for model, names in tables.items():
        wanted = models.Q()
        for name in names:
            wanted |= models.Q(**{f"{name}__contains": mark})
        for row in model._default_manager.filter(wanted).values_list(*names):
            texts += [text for text in row if isinstance(text, str) and mark in text]
    return texts


def on_the_form(page: str, text: str, action: str, name: str) -> list[str]:
    """What stands in that field of that form now."""
    return [
        value
        for form in forms_of(page, text)
        if form.action == action
        for value in form.values.get(name, ())
    ]


class Sender:
    """Somebody who sends one form after another, and what came of it."""

    def __init__(self, everybody: Everybody, who: str) -> None:
        self.who = who
        self.cookies = everybody.browser(who).cookies
        self.answers: Counter[int] = Counter()
        self.kept = self.round_trips = 0

    def send(self, form: Form, values: dict[str, list[str]]) -> None:
        browser = Browser()
        browser.cookies = SimpleCookie(self.cookies)
        pairs = [(name, value) for name, given in values.items() for value in given]
        with taken_back():
            answer = browser.post(
                form.action,
                encoded(pairs),
                content_type="application/x-www-form-urlencoded",
                headers={"Referer": f"http://testserver{form.page}"},
            )
            where = (form.goes_to, form.page, answer.status_code)
            self.answers[answer.status_code] += 1
            assert answer.status_code < 500, where
            is_page = "html" in answer.get("Content-Type", "")
            text = answer.content.decode() if is_page and not answer.streaming else ""
            if answer.status_code in (200, 422) and "<form" in text:
                self._still_there(form, values, text, where)
            elif answer.status_code in (302, 303):
                self._as_sent(values)

    def _still_there(
        self, form: Form, values: dict[str, list[str]], text: str, where: object
    ) -> None:
        # Rows are read as far as a hidden field says; who changes that hides rows from us.
        hidden = tuple(
            name.removesuffix("rows").removesuffix("TOTAL_FORMS")
            for name in form.kinds
            if name.endswith(("-rows", "-TOTAL_FORMS")) and values.get(name) != form.values[name]
        )
        for name, given in values.items():
            if name.startswith(hidden):
                continue
            if form.kinds.get(name) not in TYPED or len(given) > 1 or form.kinds[name] == "search":
                continue
            if "__prefix__" in name:  # the row that the administration's script copies
                continue
            shown = on_the_form(form.page, text, form.action, name)
            if not shown:
                continue  # the page has moved on to another form
            wanted = plain(arrived(given[0]).replace("\x00", ""))
            have = {plain(each.replace("\x00", "")) for each in shown}
            assert wanted in have, (where, name, wanted[:80], [each[:80] for each in have])
            self.kept += 1

    def _as_sent(self, values: dict[str, list[str]]) -> None:
        sent = {plain(arrived(value)) for given in values.values() for value in given}
        for text in stored(MARK):
            assert PUT_BEFORE.sub("", plain(text)) in sent, (
                text[:80],
                {each[:80] for each in sent if MARK in each},
            )
            self.round_trips += 1


@pytest.fixture
def quiet() -> Iterator[None]:
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(level)


@pytest.fixture
def everybody(db: None, quiet: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Everybody:
    settings.ACCOUNT_RATE_LIMITS = (
        False  # the limits are tested elsewhere; here they would hide all
    )
    return Everybody()


def takes_forms(route: Route) -> bool:
    """Whether the page behind this address may be sent a form."""
    view_class = getattr(route.view, "view_class", None)
    if getattr(route.view, "cls", None) is not None or route.name.startswith("admin:"):
        return False
    return "POST" in getattr(route.view, "methods", ()) or hasattr(view_class, "post")


def _often(sender: Sender, form: Form) -> None:
    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=ORDINARY,
        phases=(hypothesis.Phase.generate,),  # a form answers too slowly to look for less
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(values=fillings(form))
    def send(values: dict[str, list[str]]) -> None:
        sender.send(form, values)

    send()


def test_nonsense_in_every_form(everybody: Everybody) -> None:
    """Everybody's forms in turn; opening all the pages takes long, so it is done once.

    A page that takes a form which nobody here is shown is not tested: name it, or seed it.
    """
    reached: set[str] = set()
    for who in PEOPLE:
        forms = found(everybody, who)
        sender = Sender(everybody, who)
        for form in forms.values():
            _often(sender, form)
        reached |= {name.partition(":")[0] for name, _ in forms}
        print(
            f"{who}: {len(forms)} forms, {dict(sender.answers)}, {sender.kept} kept,"
            f" {sender.round_trips} stored as sent"
        )
        assert forms, who
        assert sum(sender.answers.values()) >= len(forms)

    taking = {route.name for route in routes() if takes_forms(route)}
    assert len(taking) > 30
    missing = taking - reached - set(NOT_SHOWN)
    assert not missing, f"nobody is shown the forms of {sorted(missing)}"
    assert set(NOT_SHOWN) <= taking, "these are gone"
    unneeded = set(NOT_SHOWN) & reached
    assert not unneeded, f"these are shown: {sorted(unneeded)}"
