"""What is said after a step lies in the session until it is read: fixed words, nobody's name."""

import ast
from collections.abc import Iterator

import pytest

from handoff.embedded import BASE_DIR

KINDS = {"debug", "info", "success", "warning", "error"}


def worded_at_run_time(source: str) -> Iterator[int]:
    """Lines on which words for `messages` are put together; a name for fixed ones is fine."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in KINDS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "messages"
            and not all(_is_fixed(text) for text in node.args[1:2])
        ):
            yield node.lineno


def _is_fixed(text: ast.expr) -> bool:
    if isinstance(text, ast.IfExp):
        return _is_fixed(text.body) and _is_fixed(text.orelse)
    return isinstance(text, ast.Constant | ast.Name | ast.Attribute)


def test_pages_say_fixed_words() -> None:
    found = [
        f"{path.relative_to(BASE_DIR)}:{line}"
        for app in ("clients", "referrals", "handoff")
        for path in sorted((BASE_DIR / app).rglob("views/*.py"))
        for line in worded_at_run_time(path.read_text())
    ]
    assert not found


@pytest.mark.parametrize(
    "call",
    [
        'messages.success(request, f"It is with {name}.")',
        'messages.info(request, "Yes." if sent else "No, " + name)',
        'messages.error(request, "It is with {}.".format(name))',
    ],
)
def test_the_guard_can_fail(call: str) -> None:
    assert list(worded_at_run_time(call)) == [1]
