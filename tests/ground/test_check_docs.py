"""Documents that promise what is not there are found."""

from pathlib import Path

import pytest

from handoff.management.commands.check_docs import problems_in

GOOD = """# A title, with `code`

See [the map](docs/map.md), [a part](docs/map.md#the-second-part), [here](#a-title-with-code),
[outside](https://example.org/nothing), `docs/map.md`, `docs/*.md`, `make run`, `/api/v1/x.json`,
`handoff.core.mail`, `docs/{name}.md`, `docs/map.md:12` and `N=0 make test`.

```
[not a link](nowhere.md) `docs/example.md`
```
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "map.md").write_text("# Map\n\n## The second part\n")
    (tmp_path / "Makefile").write_text("run: .env\n\ttrue\ntest:\n\ttrue\n")
    return tmp_path


def problems(root: Path, text: str) -> list[str]:
    (root / "README.md").write_text(text)
    return list(problems_in(root / "README.md", root))


def test_a_good_document_has_none(root: Path) -> None:
    assert problems(root, GOOD) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[x](docs/gone.md)", "dead link: docs/gone.md"),
        ("![x](/docs/shot.png)", "dead link: /docs/shot.png"),
        ("[x](docs/map.md#third-part)", "no such heading: docs/map.md#third-part"),
        ("`docs/gone.md`", "no such path: docs/gone.md"),
        ("`docs/*.py`", "no such path: docs/*.py"),
        ("`CHANGES.md`", "no such path: CHANGES.md"),
        ("run `make tests`", "no such make target: tests"),
    ],
)
def test_what_is_not_there_is_named(root: Path, text: str, problem: str) -> None:
    assert problems(root, text) == [problem]
