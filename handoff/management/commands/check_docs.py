"""Finds what the documents promise and the repository does not have."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
TICKED = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
MAKE = re.compile(r"make ([a-z][a-z-]*)")
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
ELSEWHERE = ("http://", "https://", "mailto:")
LEFT_OUT = {".venv", "var", ".git", "node_modules", ".pytest_cache", ".hypothesis"}


class Command(BaseCommand):
    help = "Checks that links, paths and make targets named in *.md files exist."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--root", type=Path, default=settings.BASE_DIR)

    def handle(self, *args: Any, **options: Any) -> None:
        root: Path = options["root"]
        documents = sorted(
            path for path in root.rglob("*.md") if not LEFT_OUT & set(path.relative_to(root).parts)
        )
        problems = [
            f"{document.relative_to(root)}: {problem}"
            for document in documents
            for problem in problems_in(document, root)
        ]
        if problems:
            raise CommandError("\n".join(problems))
        self.stdout.write(f"{len(documents)} documents: every link and path exists")


def problems_in(document: Path, root: Path) -> Iterator[str]:
    """One line for each promise of the document that the repository does not keep."""
    whole = document.read_text()
    text = FENCE.sub("", whole)
    for target in LINK.findall(text):
        if not target.startswith(ELSEWHERE):
            yield from problems_of_link(target, document, root)
    for ticked in TICKED.findall(text):
        if looks_like_path(ticked, root) and not exists(ticked, root):
            yield f"no such path: {ticked}"
    targets = set(TARGET.findall((root / "Makefile").read_text()))
    for named in TICKED.findall(whole):
        match = MAKE.match(named)
        if match and match.group(1) not in targets:
            yield f"no such make target: {match.group(1)}"


def problems_of_link(target: str, document: Path, root: Path) -> Iterator[str]:
    name, _, anchor = target.partition("#")
    path = document if not name else root / name[1:] if name[0] == "/" else document.parent / name
    if not path.exists():
        yield f"dead link: {target}"
    elif anchor and path.suffix == ".md" and anchor not in anchors(path):
        yield f"no such heading: {target}"


def anchors(document: Path) -> set[str]:
    """The anchors a document's headings get: lower case, punctuation gone, dashes for spaces."""
    headings = HEADING.findall(FENCE.sub("", document.read_text()))
    return {
        re.sub(r"[^\w\- ]", "", heading.replace("`", "")).lower().replace(" ", "-")
        for heading in headings
    }


def looks_like_path(words: str, root: Path) -> bool:
    """A path of this repository: it begins with a folder or file at the top, and has no gap."""
    if re.search(r"[\s<>{}()$|\"'=,…]", words) or words.startswith(("/", "..", "-")):
        return False
    first = words.split("/", 1)[0]
    if "/" in words:
        return (root / first).is_dir() and first not in LEFT_OUT
    return bool(re.fullmatch(r"[\w.-]+\.(md|toml|yml|yaml|txt|in|py)", words)) and not re.match(
        r"[a-z_]+\.(py|yml)$", words
    )


def exists(words: str, root: Path) -> bool:
    name = re.split(r"::|:(?=\d|\w)", words, maxsplit=1)[0].rstrip("/")
    if "*" in name:
        return next(root.glob(name), None) is not None
    return (root / name).exists()
