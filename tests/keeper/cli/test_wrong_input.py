"""Everything that a user can get wrong on the command line: one or two lines that say what to do, no trace.

The files that are wrong are so for root as well: a folder in a file's place, a link to itself, a folder
that would be in a file.
"""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.cli.answering import walk
from keeper.cli.main import COMMANDS
from keeper.settings import Settings
from tests.keeper.api.serving import serving
from tests.keeper.cli.wrong.chains import CHAINS, KEYS
from tests.keeper.cli.wrong.governing import GENESES, GOVERNING
from tests.keeper.cli.wrong.house import house, there
from tests.keeper.cli.wrong.keeping import ANY_TEXT, DATABASES, MORE_SETTINGS, RUN, SETTINGS, WORKERS
from tests.keeper.cli.wrong.localnets import LOCALNETS
from tests.keeper.cli.wrong.market import MARKET, REWARDS
from tests.keeper.cli.wrong.orders import STAKES, TEXTS
from tests.keeper.cli.wrong.typed import OPERATORS, Wrong

__all__ = ["house", "there"]

TABLE = [
    *CHAINS,
    *KEYS,
    *TEXTS,
    *STAKES,
    *GOVERNING,
    *MARKET,
    *REWARDS,
    *GENESES,
    *DATABASES,
    *MORE_SETTINGS,
    *WORKERS,
    *LOCALNETS,
]
TABLE += [
    Wrong(RUN, f"IONET_{name.upper()}", {f"IONET_{name.upper()}": value}) for name, value in SETTINGS.items()
]


COMMON = {"--chain", "--keypair", "--fee-payer", "--output", "--signer"}
"""Options that all commands take from one place."""
ELSEWHERE = {
    "cluster submit --wheel",
    "cluster put --node",
    "cluster get --node",
    "cluster shell --node",
}
"""Looked at once a cluster is there: tests/keeper/cli/test_renting.py, tests/keeper/renter."""
ANY_NUMBER = {
    "market simulate --seed",
    "pow verify --sample",
    "cluster get --most",
    "rewards receipt --limit",
    "stake estimate --hours",
    "worker test --profile",
    "demo --http-hours",
}
"""Numbers of which any makes sense: more than there is means all, and a profile is looked up."""


@pytest.fixture
def taken() -> Iterator[str]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def _called(wrong: Wrong) -> str:
    settings = (f"{name}={value[:30]}" for name, value in wrong.settings.items())
    return " ".join([*settings, wrong.typed[:70]])


@pytest.mark.parametrize("wrong", TABLE, ids=_called)
def test_what_is_said(ionet, there, taken, monkeypatch, wrong: Wrong) -> None:
    known = {**there, "taken": taken}
    for name, value in wrong.settings.items():
        monkeypatch.setenv(name, value.replace("{taken}", taken))
    arguments = [each.format(**known) for each in shlex.split(wrong.typed.replace("{operators}", OPERATORS))]
    code, _, err = ionet(*arguments)
    assert code == wrong.code, err
    assert "Traceback" not in err
    assert wrong.said in " ".join(err.split()), err
    if code == 1:
        said = [line for line in err.splitlines() if not line.startswith("{")]
        assert said[0].startswith("error: ") and len(said) <= 2, err
    assert "secret" not in err


def test_every_command_is_in_the_table() -> None:
    typed = {" ".join(shlex.split(each.typed)[:2]) for each in TABLE}
    lacking = {name for name in _commands() if not any(f"{each} ".startswith(f"{name} ") for each in typed)}
    # What is wrong is its table: it is no error.
    assert lacking == {"keeper doctor", "worker doctor"}


def test_every_option_is_in_the_table() -> None:
    """Those that take a value: with each command that has it, or, of what all commands have, with any."""
    typed = [shlex.split(each.typed) for each in TABLE]
    lacking = set()
    for name, command in walk(COMMANDS):
        words = name.split()
        rows = [row for row in typed if row[: len(words)] == words]
        for each in command.params:
            if each.param_type_name == "option" and not each.is_flag:
                of = typed if each.opts[0] in COMMON else rows
                if not any(option in row for row in of for option in each.opts):
                    lacking.add(f"{name} {each.opts[0]}")
    assert lacking == ELSEWHERE


def test_every_number_has_bounds() -> None:
    """One that goes on a chain or into a table of fixed sizes is refused before it gets there."""
    unbounded = {
        f"{name} {each.opts[0]}"
        for name, command in walk(COMMANDS)
        for each in command.params
        if each.type_descriptor
        and each.type_descriptor.annotation in {int, float}
        and None in {each.min, each.max}
    }
    assert unbounded == ANY_NUMBER


def _commands() -> Iterator[str]:
    return (name for name, _ in walk(COMMANDS))


def test_every_setting_is_in_the_table() -> None:
    tried = {name.removeprefix("IONET_").lower() for each in TABLE for name in each.settings}
    assert set(Settings.model_fields) - tried == ANY_TEXT


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"IONET_CHIAN=x", "ionet.env: no setting is called IONET_CHIAN"),
        (b"PATH=x", "ionet.env: no setting is called PATH"),
        (b"IONET_NAME=\xff", "ionet.env is not UTF-8 text"),
        (b"IONET_LAG_SLOTS=x", "IONET_LAG_SLOTS: it should be a whole number"),
    ],
)
def test_a_file_of_settings(ionet, content: bytes, said: str) -> None:
    Path("ionet.env").write_bytes(content)
    code, _, err = ionet("rewards", "show")
    assert (code, len(err.splitlines())) == (1, 1)
    assert err.startswith(f"error: {said}"), err


def test_several_settings_are_named_at_once(ionet, monkeypatch) -> None:
    monkeypatch.setenv("IONET_LAG_SLOTS", "x")
    monkeypatch.setenv("IONET_LAG_HOURS", "0")
    code, _, err = ionet("rewards", "show")
    assert (code, len(err.splitlines())) == (1, 2)
    assert "IONET_LAG_SLOTS: " in err and "IONET_LAG_HOURS: " in err


def test_a_web_page_in_place_of_a_node(ionet, there) -> None:
    with serving(Path("rewards")) as url:
        code, _, err = ionet("supply", "--chain", url)
    assert code == 1
    assert err.startswith("error: the RPC node doesn't answer: HTTP status 40") and len(err.splitlines()) == 2


DEFECT = """
import sys
from keeper.cli import emission, main

def defect(start):
    raise ValueError("this can't be")

emission.years = defect
sys.argv = ["ionet", "emission"]
main.main()
"""


def test_a_defect_shows_its_trace() -> None:
    done = subprocess.run([sys.executable, "-c", DEFECT], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "this can't be" in done.stderr and "in emission" in done.stderr
    assert "error:" not in done.stderr
