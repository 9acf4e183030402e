"""Documents say what the code does. Links, paths and make targets: `check_docs`; the rest here."""

import ast
import re
from collections.abc import Iterator
from importlib import metadata
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands

from handoff.embedded import BASE_DIR
from handoff.management.commands.check_docs import LEFT_OUT, TARGET
from handoff.web.demo import LOGINS, PASSWORD

DOCS = BASE_DIR / "docs"
LISTS = tuple(sorted(BASE_DIR.glob("requirements*.in")))
READERS = {"text", "secret", "flag", "number", "listing"}
FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
TICKED = re.compile(r"`([^`\n]+)`")
RULE = re.compile(r"\|[\s|:-]+\|")


def documents() -> list[Path]:
    return [
        path
        for path in sorted(BASE_DIR.rglob("*.md"))
        if not LEFT_OUT & set(path.relative_to(BASE_DIR).parts)
    ]


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next of its level. Raises ValueError without it."""
    _, _, rest = text.partition(f"\n{heading}\n")
    if not rest:
        raise ValueError(f"no heading {heading!r}")
    level = heading.split(" ", 1)[0]
    return re.split(rf"^{level} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each table row, without heads and the rules below them."""
    lines = text.splitlines()
    for line, after in pairwise([*lines, ""]):
        if line.startswith("|") and not RULE.fullmatch(line) and not RULE.fullmatch(after):
            yield [cell.strip() for cell in line.strip("|").split("|")]


# --- links, paths, commands -----------------------------------------------------------------------


def test_every_link_path_and_make_target_exists() -> None:
    call_command("check_docs", verbosity=0)


def test_commands_in_code_blocks_exist() -> None:
    """`check_docs` leaves code blocks alone: they may show what is not there yet."""
    targets = set(TARGET.findall((BASE_DIR / "Makefile").read_text()))
    commands = set(get_commands())
    for document in documents():
        text = document.read_text()
        shown = "\n".join([*FENCED.findall(text), *TICKED.findall(text)])
        for target in re.findall(r"^(?:\w+=\S+ )*make ([a-z][a-z-]*)", shown, re.MULTILINE):
            assert target in targets, f"{document.name}: make {target}"
        for command in re.findall(r"manage\.py ([a-z][a-z_]*)", shown):
            assert command in commands, f"{document.name}: manage.py {command}"


def test_the_readme_names_run_and_test() -> None:
    shown = "\n".join(FENCED.findall((BASE_DIR / "README.md").read_text()))
    assert {"run", "test"} <= set(re.findall(r"^make ([a-z-]+)", shown, re.MULTILINE))


def test_the_readme_knows_the_demo_cast() -> None:
    text = (BASE_DIR / "README.md").read_text()
    named = set(re.findall(r"[\w-]+@example\.org", text))
    assert named
    assert named <= {login.email for login in LOGINS}
    assert f"`{PASSWORD}`" in text


def test_every_row_of_the_map_names_a_place() -> None:
    """That the places exist is `check_docs`'s to say; that there is one, this test's."""
    found = list(rows((DOCS / "map.md").read_text()))
    assert len(found) > 20
    for cells in found:
        places = TICKED.findall(cells[-1])
        assert any((BASE_DIR / place.split("*")[0].rstrip("/")).exists() for place in places), cells


def test_every_document_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text()
    linked = {target.split("#")[0] for target in re.findall(r"\]\(([^)]+)\)", index)}
    there = {path.name for path in DOCS.iterdir() if path.is_file()} - {"README.md"}
    assert there <= linked


# --- decisions ------------------------------------------------------------------------------------


def decisions() -> list[Path]:
    return sorted((DOCS / "adr").glob("[0-9]*.md"))


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in decisions()]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("path", decisions(), ids=lambda path: path.stem)
def test_a_decision_has_its_parts_and_stands_in_the_list(path: Path) -> None:
    text = path.read_text()
    title = text.splitlines()[0]
    assert title.startswith(f"# {path.name[:4]} ")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Context", "Decision", "Alternatives", "Consequences"]
    assert re.search(r"^\d{1,2} [A-Z][a-z]{2} \d{4}$", text, re.MULTILINE), "no date"
    line = f"| [{path.name[:4]}]({path.name}) | {title[7:]} |"
    assert line in (DOCS / "adr" / "README.md").read_text()


# --- dependencies ---------------------------------------------------------------------------------


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def direct(path: Path) -> set[str]:
    """The packages a list names itself."""
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    names = (re.match(r"[A-Za-z0-9][\w.-]*", line) for line in lines)
    return {normal(name[0]) for name in names if name}


def described(path: Path) -> dict[str, list[str]]:
    """The rows of docs/dependencies.md for one list, by package."""
    text = (DOCS / "dependencies.md").read_text()
    parts = [
        part for part in re.split(r"^## ", text, flags=re.MULTILINE) if f"`{path.name}`" in part
    ]
    return {normal(cells[0]): cells for part in parts for cells in rows(part)}


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_every_dependency_is_explained_and_no_other(path: Path) -> None:
    assert set(described(path)) == direct(path)
    for cells in described(path).values():
        assert len(cells) == 4
        assert all(cells), cells


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_licences_are_those_the_packages_state(path: Path) -> None:
    for name, cells in described(path).items():
        package = metadata.distribution(name)
        facts = package.metadata
        stated = [*(facts.get_all("License-Expression") or [])]
        stated += [text[:80] for text in facts.get_all("License") or []]
        stated += [each for each in facts.get_all("Classifier") or [] if "License" in each]
        if not "".join(stated):  # says it in a file only
            files = [each for each in package.files or [] if "LICENSE" in each.name.upper()]
            stated = [str(each.locate().read_text())[:200] for each in files]  # type: ignore[attr-defined]  # a Path
        family = re.split(r"[- ]", cells[3])[0]
        assert any(family.lower() in text.lower() for text in stated), (name, cells[3], stated)


# --- the environment ------------------------------------------------------------------------------


def read_by_settings() -> dict[str, str]:
    """The variables `handoff/settings.py` reads, and how."""
    tree = ast.parse((BASE_DIR / "handoff" / "settings.py").read_text())
    found = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env"), attr=how),
                args=[ast.Constant(value=str(name)), *_],
            ) if how in READERS:
                found[name] = how
    return found


def documented(heading: str) -> dict[str, list[str]]:
    text = section((DOCS / "operations.md").read_text(), heading)
    return {TICKED.findall(cells[0])[0]: cells for cells in rows(text)}


def test_operations_lists_what_the_settings_read() -> None:
    there = documented("## Settings from the environment")
    assert set(there) == set(read_by_settings()) | {"HANDOFF_ENV_FILE"}


def test_operations_says_which_values_may_come_from_a_file() -> None:
    there = documented("## Settings from the environment")
    said = {name for name, cells in there.items() if "`_FILE`" in cells[0]}
    assert said == {name for name, how in read_by_settings().items() if how == "secret"}


def test_operations_lists_what_compose_asks_for() -> None:
    compose = (BASE_DIR / "docker-compose.yml").read_text()
    asked = dict(re.findall(r"\$\{(\w+)(:\?)?", compose))
    there = documented("## Production with docker-compose")
    assert set(there) == set(asked)
    assert {name for name, cells in there.items() if cells[1] == "none"} == {
        name for name, must in asked.items() if must
    }


def test_the_example_file_names_nothing_unknown() -> None:
    text = (BASE_DIR / ".env.example").read_text()
    named = set(re.findall(r"^#?([A-Z][A-Z_]+)=", text, re.MULTILINE))
    assert named
    assert named <= set(read_by_settings())
