"""``--help``, as somebody reads it who is new: whole sentences, in 80 columns, with true examples."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from keeper.cli.answering import walk
from keeper.cli.main import COMMANDS, PANELS

WIDTH = 80
NAMES = [name for name, _ in walk(COMMANDS)]
FOUND = dict(walk(COMMANDS))
GROUPS = sorted({name.split()[0] for name in NAMES if " " in name})
EXAMPLES = {
    name: line.partition("Example: ")[2]
    for name, command in FOUND.items()
    for line in (command.help or "").splitlines()
    if line.startswith("Example: ")
}


@pytest.mark.parametrize("name", NAMES)
def test_all_that_can_be_typed_is_explained(name: str) -> None:
    command = FOUND[name]
    assert re.match(r"[A-Z].*\.$", (command.help or "").partition("\n\n")[0].replace("\n", " "))
    for each in command.params:
        assert each.help, f"ionet {name}: {each.name} has no help"
        # One word, such as "whose", leaves a newcomer to guess.
        assert len(each.help.split()) > 1, f"ionet {name}: {each.name}: {each.help!r}"


@pytest.mark.parametrize("typed", ["", *GROUPS, *NAMES])
def test_help_fits(ionet, monkeypatch, typed: str) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    code, out, err = ionet(*typed.split(), "--help")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert "…" not in out and str(Path.home()) not in out
    for each in FOUND[typed].params if typed in FOUND else ():
        for option in (option for option in each.opts if option.startswith("--")):
            assert re.search(rf"{option}\b", out), f"{option} isn't in one piece"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_can_be_typed(name: str) -> None:
    program, *typed = shlex.split(EXAMPLES[name])
    words = name.split()
    assert program == "ionet" and typed[: len(words)] == words
    context = FOUND[name].make_context(name, typed[len(words) :])
    assert context.params


def test_commands_that_need_much_have_an_example() -> None:
    """Those that need several things, of which one is an option: it isn't obvious what to type."""
    for name, command in FOUND.items():
        needed = [each.opts[0] for each in command.params if each.required]
        if len(needed) > 1 and any(each.startswith("--") for each in needed):
            assert name in EXAMPLES


def test_whatever_signs_is_signed_in_one_way() -> None:
    """Each command that asks whether to sign has all of it, but for those that docs/commands.md excepts."""
    common = {"--dry-run", "--yes", "--json", "--fee-payer", "--output", "--signer", "--chain", "--keypair"}
    lacking = {}
    for name, command in FOUND.items():
        options = {option for each in command.params for option in each.opts}
        if "--yes" in options and (lacks := common - options):
            lacking[name] = lacks
    several = {"--fee-payer", "--output", "--signer"}
    assert lacking == {"deploy": several, "genesis": several}


def test_the_documents_have_the_same_headings() -> None:
    """docs/commands.md has its sections as the help has its panels."""
    text = (Path(__file__).parents[3] / "docs/commands.md").read_text()
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == list(PANELS)
