"""Every command that a document names can be typed as it stands there, with each of its options."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import typer.core

from keeper.cli.main import COMMANDS
from tests.docs.test_documents import CODE, DOCUMENTS, FENCED, ROOT

LINE = re.compile(r"(?:^|[\s/(])ionet ([^|#;&>]*)")
"""What follows the program's name, up to where a shell goes on with something else."""
WORD = re.compile(r"[a-z][a-z-]*")
Options = dict[str, set[str]]
"""By subcommand, "" for a command that has none."""


def options() -> dict[str, Options]:
    """What every command takes."""
    found: dict[str, Options] = {}
    for each in COMMANDS:
        command = each.load()
        group = isinstance(command, typer.core.TyperGroup)
        parts = command.commands.items() if group else [("", command)]
        found[str(each.name)] = {
            str(name): {
                text for parameter in part.params for text in (*parameter.opts, *parameter.secondary_opts)
            }
            for name, part in parts
        }
    return found


TAKES = options()


def typed(document: str) -> Iterator[str]:
    """The words behind ``ionet``, wherever a document has code."""
    text = (ROOT / document).read_text().replace("\\\n", " ")
    blocks = [block.group() for block in FENCED.finditer(text)]
    lines = [*CODE.findall(FENCED.sub("", text)), *(line for each in blocks for line in each.splitlines())]
    return (words for line in lines for words in LINE.findall(line) if WORD.match(words))


def wrong(words: str) -> str | None:
    """What of a command there isn't."""
    command, *rest = words.split()
    if command not in TAKES:
        return command
    parts = TAKES[command]
    known = set[str]().union(*parts.values())
    if "" not in parts and rest and WORD.fullmatch(rest[0]) and (rest[0] in parts or command != "audit"):
        if rest[0] not in parts:
            return f"{command} {rest[0]}"
        known = parts[rest[0]]
    own = rest[: rest.index("--")] if "--" in rest else rest
    given = (each.partition("=")[0].rstrip(".,:") for each in own if each.startswith("--"))
    return next((each for each in given if each not in known | {"--help"}), None)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_and_option_is_there(document: str) -> None:
    found = [words for words in typed(document) if wrong(words) is not None]
    assert found == []


def test_what_is_not_there_is_noticed() -> None:
    assert wrong("order create --class A --hours 4 --yes") is None
    assert wrong("audit hour 20 --chain out/demo/network.chain") is None
    assert wrong("audit --chain out/demo/network.chain") is None
    assert wrong("cluster submit ORDER -- python --epochs 3") is None
    assert wrong("order creat --hours 4") == "order creat"
    assert wrong("order create --hour 4") == "--hour"
    assert wrong("orders create") == "orders"


def test_there_are_many() -> None:
    assert sum(1 for document in DOCUMENTS for _ in typed(document)) > 500


def test_every_scenario_on_a_validator_is_described() -> None:
    page = (ROOT / "docs/validator.md").read_text()
    assert [each.name for each in (ROOT / "tests/e2e").glob("test_*.py") if each.name not in page] == []
