"""Every sentence of the protocol has the tests that show it, and docs/assurance.md says which."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts import assurance, auditors_run

SENTENCES, RULES = assurance.sentences(), assurance.rules()
MOST_UNSHOWN = 6
"""Sentences that say where something stands, or why, and that no test can show."""


def test_every_rule_is_here() -> None:
    assert list(RULES) == list(SENTENCES), "tests/assurance/rules.toml and docs/protocol.md"


@pytest.mark.parametrize("rule", list(SENTENCES))
def test_every_sentence_has_what_shows_it(rule: str) -> None:
    """A sentence that was changed is another one: its tests may not show it any more."""
    assert list(RULES.get(rule, {})) == SENTENCES[rule], "tests/assurance/rules.toml"


def test_few_sentences_are_shown_by_nothing() -> None:
    reasons = [tests for shown in RULES.values() for tests in shown.values() if isinstance(tests, str)]
    assert all(reasons) and len(reasons) <= MOST_UNSHOWN
    assert all(tests for shown in RULES.values() for tests in shown.values())


def defines(path: Path, name: str) -> bool:
    """Whether a file has this test, as pytest or cargo finds it."""
    if path.suffix == ".rs":
        return re.search(rf"#\[test\]\s+(?:#\[[^\]]*\]\s+)*fn {name}\(", path.read_text()) is not None
    return re.search(rf"^(?:async )?def {name}\(", path.read_text(), re.M) is not None


def test_every_test_that_is_named_exists() -> None:
    missing = []
    for test in assurance.all_tests():
        path, _, name = test.partition("::")
        file = assurance.ROOT / path
        if not file.exists() or (name and not defines(file, name)):
            missing.append(test)
    assert missing == []


def test_a_test_that_is_gone_would_be_noticed() -> None:
    here = Path(__file__)
    assert defines(here, "test_every_rule_is_here")
    assert not defines(here, "test_every_rule_is_there")
    native = assurance.ROOT / "programs/common/src/math.rs"
    assert defines(native, "fees_round_up")
    assert not defines(native, "mul_div_ceil"), "a function that is no test"


def test_only_rules_that_there_are_are_spoken_of() -> None:
    """In the protocol itself, in other documents, and in tests."""
    wrong = []
    for path in (*(assurance.ROOT / "docs").glob("**/*.md"), *(assurance.ROOT / "tests").glob("**/*.py")):
        text = path.read_text()
        spoken = re.findall(r"\brules? ([GTCDSROLBI]\d{1,2})\b", text)
        if path == assurance.PROTOCOL:
            spoken += re.findall(r"\(([GTCDSROLBI]\d{1,2})\)", text)
        wrong += [(path.name, each) for each in spoken if each not in SENTENCES]
    assert wrong == []


def test_the_page_is_current() -> None:
    assert assurance.PAGE.read_text() == assurance.text(), "run python -m scripts.assurance"


def test_all_parts_of_a_run_are_of_the_commit_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first part writes into the page changes the tree."""
    page, runs = tmp_path / "assurance.md", tmp_path / "runs.json"
    page.write_text(assurance.PAGE.read_text())
    runs.write_text("{}")
    monkeypatch.setattr(assurance, "PAGE", page)
    monkeypatch.setattr(assurance, "RUNS", runs)
    clean = page.read_text()
    monkeypatch.setattr(auditors_run, "_commit", lambda: "c0ffee" + "-dirty" * (page.read_text() != clean))
    parts = {part: lambda: ({"passed": 7, "failed": 0}, []) for part in ("tests", "native")}
    monkeypatch.setattr(auditors_run, "PARTS", {"embedded": parts})
    monkeypatch.setattr("sys.argv", ["auditors_run"])
    with pytest.raises(SystemExit) as ended:
        auditors_run.main()
    figures = {"commit": "c0ffee", "passed": 7, "failed": 0}
    assert (ended.value.code, json.loads(runs.read_text())) == (
        0,
        {"embedded": {"tests": figures, "native": figures}},
    )
    assert page.read_text() != clean


def test_what_the_last_runs_found_is_what_has_to_be_found() -> None:
    """Nobody commits a run in which something failed."""
    runs = json.loads(assurance.RUNS.read_text())
    found = {(chain, part): figures for chain, parts in runs.items() for part, figures in parts.items()}
    assert set(found) <= set(assurance.RUN)
    for (_, part), figures in found.items():
        if part == "tests":
            assert figures["failed"] == 0 < figures["passed"]
    if ("embedded", "audit") in found:
        figures = found["embedded", "audit"]
        assert figures["findings beside these"] == figures["left unchecked"] == 0
        planted = [figure for what, figure in figures.items() if what.startswith("found: ")]
        assert len(planted) == len(auditors_run.PLANTED) and all(planted)
