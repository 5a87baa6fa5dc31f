"""Write docs/assurance.md: which tests show which sentence of the protocol, and what their last runs found.

With --check it only compares. What shows what stands in three places, each of which has a test of its own:
tests/assurance/rules.toml, tests/security/exploits, the last columns of docs/security/*.md.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from scripts.pages import rewritten, table, write
from tests.docs.test_documents import HELD_UP, TESTS, named_tests
from tests.security.exploits import CLASSES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/assurance.md"
PROTOCOL = ROOT / "docs/protocol.md"
RULES = ROOT / "tests/assurance/rules.toml"
RUNS = ROOT / "tests/assurance/runs.json"
"""What the last run on each chain found; scripts/auditors_run.py writes it."""
BEGIN, END = "<!-- assurance.py: begin -->", "<!-- assurance.py: end -->"
ALL = "*"
"""All tests of a file."""
RUN = {
    ("embedded", "audit"): ("The audit of the demo's network", "make audit"),
    ("embedded", "tests"): ("The tests on this page, on the embedded chain", "make audit"),
    ("embedded", "native"): ("The programs' native tests", "make audit"),
    ("validator", "tests"): ("The scenarios on solana-test-validator", "make audit CHAIN=validator"),
}
"""By chain and part: what it is called, and what runs it."""

Shown = dict[str, list[str] | str]
"""By sentence: the tests that show it, each FILE::NAME; or why none does."""


def sentences() -> dict[str, list[str]]:
    """The sentences of each rule of the protocol, in order."""
    found = re.findall(r"^- \*\*([A-Z]\d+)\*\* (.*)$", PROTOCOL.read_text(), re.M)
    return {rule: re.split(r"(?<=\.)\s+", body) for rule, body in found}


def rules() -> dict[str, Shown]:
    """What shows each of them."""
    return tomllib.loads(RULES.read_text())


def exploits() -> dict[str, list[str] | str]:
    """The same for each class of exploits."""
    return {
        name: tests
        if isinstance(tests, str)
        else [f"tests/{path}::{each}" for path, names in tests.items() for each in names]
        for name, tests in CLASSES.items()
    }


def threats() -> dict[str, list[str]]:
    """The same for each document of what can be held up; a test that is named alone is in any file."""
    places = defaultdict[str, list[str]](list)
    for path in TESTS:
        for name in re.findall(r"\b(?:def|fn) (\w+)\(", path.read_text()):
            places[name].append(str(path.relative_to(ROOT)))
    found: dict[str, list[str]] = {}
    for document in HELD_UP:
        tests = {
            f"{place}::{name}"
            for name, files in named_tests(document)
            for place in places[name]
            if not files or place.endswith(files)
        }
        if tests:
            found[document] = sorted(tests)
    return found


def all_tests() -> list[str]:
    """Every test that is named anywhere: FILE::NAME, or a file of which all are."""
    listed = [tests for each in rules().values() for tests in each.values()]
    listed += [*exploits().values(), *threats().values()]
    named = {test for tests in listed if not isinstance(tests, str) for test in tests}
    whole = {test.partition("::")[0] for test in named if test.endswith(f"::{ALL}")}
    return sorted(whole | {test for test in named if test.partition("::")[0] not in whole})


def text() -> str:
    """The page as it has to be."""
    parts = (
        "## The last runs",
        _runs(),
        "## Rules",
        _rules(),
        "## Exploits",
        _exploits(),
        "## Threats",
        _threats(),
    )
    body = "\n\n".join(parts)
    return rewritten(PAGE.read_text(), BEGIN, END, f"\n{body}\n")


def _runs() -> str:
    runs: Mapping[str, Any] = json.loads(RUNS.read_text())
    parts = []
    for (chain, part), (title, how) in RUN.items():
        figures = runs.get(chain, {}).get(part)
        rows = [(what, _cell(figure)) for what, figure in (figures or {}).items()]
        parts.append(
            f"### {title}\n\n" + (table(("what", "figure"), rows) if rows else f"Not run yet: `{how}`.")
        )
    return "\n\n".join(parts)


def _cell(figure: int | str) -> str:
    return f"{figure:,}" if isinstance(figure, int) else figure


def _rules() -> str:
    shown = rules()
    rows = [
        (rule if number == 0 else "", sentence, _tests(shown[rule].get(sentence, [])))
        for rule, found in sentences().items()
        for number, sentence in enumerate(found)
    ]
    return table(("rule", "says", "shown by"), rows)


def _exploits() -> str:
    return table(("class", "mounted by"), [(name, _tests(tests)) for name, tests in exploits().items()])


def _threats() -> str:
    rows = []
    for document, tests in threats().items():
        page = (ROOT / document).read_text()
        heads, lines = (len(re.findall(each, page, re.M)) for each in (r"^\| ---", r"^\| "))
        name = Path(document).name
        rows.append((f"[{name}](security/{name})", str(lines - 2 * heads), str(len(tests))))
    return table(("document", "rows", "tests that show them"), rows)


def _tests(tests: list[str] | str) -> str:
    """Tests by their files, or why there are none."""
    if isinstance(tests, str):
        return f"*{tests}*"
    split = [tuple(test.split("::")) for test in tests]
    return "; ".join(
        f"[{path.removeprefix('tests/')}](../{path}): "
        + ", ".join("all" if name == ALL else f"`{name}`" for _, name in some)
        for path, some in groupby(split, key=lambda each: each[0])
    )


if __name__ == "__main__":
    write(PAGE, text(), "docs/assurance.md isn't current")
