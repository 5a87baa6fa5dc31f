"""The documents: every path in them exists, every link leads somewhere, every command is described."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.core

from keeper.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "keys/README.md")
)
CODE = re.compile(r"`+([^`]+)`+")
FENCED = re.compile(r"^```.*?^```", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PLACEHOLDER = re.compile(r"<[a-z_]+>|NNNN")
OURS = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} | {".ci"}
MADE = ("out/", "benches/.venv-")
"""What commands make, and no checkout has."""


def text(document: str) -> str:
    """A document without its fenced blocks."""
    return FENCED.sub("", (ROOT / document).read_text())


def paths(document: str) -> list[str]:
    """What looks like a path of the repository, in backticks."""
    found = (each.strip() for each in CODE.findall(text(document)))
    return [
        each
        for each in found
        if "/" in each and each.partition("/")[0] in OURS and not each.startswith(MADE) and " " not in each
    ]


def exists(path: str) -> bool:
    """Whether there is such a file; ``<anything>`` stands for any name, of which there must be one."""
    bare = path.partition(":")[0].rstrip("/")
    return bool(list(ROOT.glob(PLACEHOLDER.sub("*", bare))))


def anchors(document: Path) -> set[str]:
    """The headings of a document, as links name them."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", document.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_exists(document: str) -> None:
    assert [each for each in paths(document) if not exists(each)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    broken = []
    for link in LINK.findall(text(document)):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        found = (ROOT / document).parent / target if target else ROOT / document
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(link)
    assert broken == []


def test_every_document_is_linked() -> None:
    """From another one: nobody looks for what nothing leads to."""
    linked = {
        ((ROOT / document).parent / link.partition("#")[0]).resolve()
        for document in DOCUMENTS
        for link in LINK.findall(text(document))
    }
    lonely = [each for each in DOCUMENTS if (ROOT / each).resolve() not in linked]
    assert lonely == ["README.md", "keys/README.md"]


HELD_UP = [document for document in DOCUMENTS if document.startswith("docs/security/")]
TESTS = [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("programs/*/tests/**/*.rs")]


def named_tests(document: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The tests in the last column of a document's tables, each with the files that it is said to be in."""
    for row in re.findall(r"^\| .* \|$", text(document), re.M):
        words = CODE.findall(row.rsplit("|", 2)[1])
        names: list[str] = []
        files: list[str] = []
        for word in [*words, ""]:
            if word.endswith((".py", ".rs")):
                files.append(word)
                continue
            if files or not word:
                yield from ((name, tuple(files)) for name in names)
                names, files = [], []
            names.append(word)


@pytest.mark.parametrize("document", HELD_UP)
def test_every_test_that_shows_something_exists(document: str) -> None:
    """In one of the files that are named behind it, else in any."""
    named = list(named_tests(document))
    assert len(named) > 10
    missing = []
    for name, files in named:
        among = [path for path in TESTS if not files or str(path).endswith(files)]
        if not any(re.search(rf"\b(?:def|fn) {name}\(", path.read_text()) for path in among):
            missing.append((name, files))
    assert missing == []


def commands() -> Iterator[str]:
    """Every command that can be typed."""
    for each in COMMANDS:
        found = each.load()
        if isinstance(found, typer.core.TyperGroup):
            yield from (f"ionet {each.name} {name}" for name in found.commands)
        else:
            yield f"ionet {each.name}"


def test_every_command_is_described() -> None:
    described = (ROOT / "docs/commands.md").read_text()
    rows = re.findall(r"^\| `(ionet [a-z -]+[a-z])", described, re.M)
    assert sorted(rows) == sorted(commands())


def test_the_charts_are_on_a_page() -> None:
    shown = {link for document in DOCUMENTS for link in LINK.findall(text(document))}
    pictures = [path.name for path in (ROOT / "docs").iterdir() if path.suffix in {".png", ".svg"}]
    assert [name for name in pictures if not any(link.endswith(name) for link in shown)] == []
