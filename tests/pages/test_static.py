"""Rules about templates, styles and scripts that a browser's policy or a reader depends on.

Each rule is a function with a test that it can fail.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from handoff.web.templatetags.ui import icon_names

BASE = Path(settings.BASE_DIR)
TEMPLATES = sorted((BASE / "templates").rglob("*.html"))
STYLES = sorted((BASE / "handoff" / "static" / "css").glob("*.css"))
SCRIPTS = sorted((BASE / "handoff" / "static" / "js").glob("*.js"))

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SCRIPT = re.compile(r"<script\b([^>]*)>")


def raw_colours(text: str) -> Iterator[str]:
    """Colours written out instead of named: only tokens.css may hold them."""
    plain = re.sub(r"url\([^)]*\)", "", _COMMENT.sub("", text))
    yield from re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:oklch|rgba?|hsla?)\(", plain)


def inline_code(text: str) -> Iterator[str]:
    """What `script-src 'self'; style-src 'self'` would not run."""
    yield from re.findall(r"<[a-z][^>]*\sstyle\s*=", text)
    yield from re.findall(r"<[a-z][^>]*\son[a-z]+\s*=", text)
    yield from re.findall(r"<style\b", text)
    for attributes in _SCRIPT.findall(text):
        if "src=" not in attributes and 'type="application/json"' not in attributes:
            yield f"<script{attributes}>"


def foreign_addresses(text: str) -> Iterator[str]:
    """Anything a page would fetch from somebody else."""
    yield from re.findall(r"(?:src|href)=[\"']?(?:https?:)?//[^\"'\s>]+", text)


def unescaped(text: str) -> Iterator[str]:
    yield from re.findall(r"\|\s*safe\b|\bautoescape\s+off", text)


def unknown_icons(text: str) -> Iterator[str]:
    used = re.findall(r"{%\s*icon\s+[\"']([^\"']+)[\"']", text)
    used += re.findall(r"\bicon=[\"']([^\"']+)[\"']", text)
    yield from (name for name in used if name not in icon_names())


def missing_files(text: str) -> Iterator[str]:
    for path in re.findall(r"{%\s*(?:static|asset)\s+[\"']([^\"']+)[\"']", text):
        if finders.find(path) is None:
            yield path


def code_from_text(text: str) -> Iterator[str]:
    """Ways for a script to make code or markup out of text."""
    yield from re.findall(
        r"\beval\(|\bnew Function\b|\.innerHTML\b|\.outerHTML\b|document\.write", text
    )


Rule = Callable[[str], Iterator[str]]


def broken(rule: Rule, paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(BASE)}: {found}" for path in paths for found in rule(path.read_text())
    ]


# Mail is not served by us, so neither our policy nor our style sheets reach it.
PAGES = [path for path in TEMPLATES if "emails" not in path.parts]


@pytest.mark.parametrize(
    ("rule", "paths"),
    [
        (raw_colours, [path for path in STYLES if path.name != "tokens.css"]),
        (inline_code, PAGES),
        (foreign_addresses, PAGES),
        (unescaped, TEMPLATES),
        (unknown_icons, TEMPLATES),
        (missing_files, TEMPLATES),
        (code_from_text, SCRIPTS),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_rule_holds(rule: Rule, paths: list[Path]) -> None:
    assert paths
    assert broken(rule, paths) == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (raw_colours, "a { color: #fff; }"),
        (raw_colours, "a { color: oklch(0.5 0.1 20); }"),
        (inline_code, '<p style="color: red">'),
        (inline_code, '<button onclick="go()">'),
        (inline_code, "<script>go()</script>"),
        (inline_code, "<style>p {}</style>"),
        (foreign_addresses, '<script src="https://cdn.example/x.js"></script>'),
        (foreign_addresses, '<link href="//cdn.example/x.css">'),
        (unescaped, "{{ note|safe }}"),
        (unescaped, "{% autoescape off %}"),
        (unknown_icons, '{% icon "unicorn" %}'),
        (missing_files, "{% static 'css/nothing.css' %}"),
        (code_from_text, "box.innerHTML = text"),
    ],
)
def test_rule_can_fail(rule: Rule, text: str) -> None:
    assert list(rule(text))


def test_every_custom_property_in_use_exists() -> None:
    tokens = (BASE / "handoff" / "static" / "css" / "tokens.css").read_text()
    everything = "\n".join(path.read_text() for path in STYLES)
    defined = set(re.findall(r"(--[\w-]+)\s*:", everything))
    # s- and p- are handed down by the is-* classes; the rest must be a token or local.
    used = set(re.findall(r"var\((--[\w-]+)", everything))
    assert used - defined == set()
    assert "--action" in set(re.findall(r"(--[\w-]+)\s*:", tokens))


def test_style_sheets_stay_small_enough_to_read() -> None:
    assert [path.name for path in STYLES if len(path.read_text().splitlines()) > 500] == []
