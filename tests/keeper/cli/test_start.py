"""What a command imports: no more than it needs, as imports are most of the time that a short one takes."""

import json
import subprocess
import sys

import pytest

from keeper.cli.main import COMMANDS
from tests.programs.world import World

DATABASE = {"sqlalchemy", "alembic", "psycopg"}
NODE = {"websockets"}
SERVER = {"uvicorn", "starlette"}
KEEPER = {"prometheus_client"}
CHARTS = {"matplotlib"}
HEAVY = DATABASE | NODE | SERVER | KEEPER | CHARTS

CHILD = """
import json, sys
from keeper.cli import main

found = []
for command in json.loads(sys.argv[1]):
    sys.argv[1:] = command
    try:
        main.main()
    except SystemExit as end:
        found.append((end.code, list(sys.modules)))
with open("found.json", "w") as file:
    json.dump(found, file)
"""


@pytest.fixture
def run(tmp_path):
    """Run commands one after the other in a process of their own; gives exit codes and loaded modules."""

    def run(*commands: list[str]) -> list[tuple[int, set[str]]]:
        arguments = [sys.executable, "-c", CHILD, json.dumps(commands)]
        done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = json.loads((tmp_path / "found.json").read_text())
        return [(code, set(modules)) for code, modules in found]

    return run


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_the_list_of_commands_imports_none_of_them(run):
    ((code, modules),) = run(["--help"])
    assert code == 0
    ours = {name for name in modules if name.partition(".")[0] == "keeper"}
    cli = {"keeper.cli", "keeper.cli.extras", "keeper.cli.lazy", "keeper.cli.main"}
    assert ours == {"keeper", "keeper.errors"} | cli
    assert not packages(modules) & (HEAVY | {"solders", "numpy", "construct", "structlog", "httpx2"})


def test_what_asks_neither_database_nor_node_loads_neither(run, tmp_path):
    World.launched().chain.save(tmp_path / "network.chain")
    chain = ["--chain", "network.chain"]
    found = run(
        ["emission"],
        ["emission", "--start", "soon"],
        ["supply", *chain],
        ["rewards", "proof", "--wallet", "1" * 32, "--dir", "."],
        ["order", "show", "1" * 32, *chain],
        ["device", "--help"],
        ["buyback", "show", *chain],
    )
    # Four are refused: that month, and what is not there.
    assert [code for code, _ in found] == [0, 1, 0, 1, 1, 0, 1]
    assert [packages(modules) & HEAVY for _, modules in found] == [set()] * 7


def test_what_is_called_heavy_is_loaded_where_it_is_needed(run):
    """Or the names above would be wrong, and a test that doesn't find them worthless."""
    is_a_file = ["demo", "--out", sys.executable]
    found = run(["supply", "--chain", "http://127.0.0.1:9"], ["keeper", "--help"], is_a_file)
    assert [code for code, _ in found] == [1, 0, 1]
    node, keeper, demo = (packages(modules) & HEAVY for _, modules in found)
    assert node == NODE
    assert keeper - node == DATABASE | SERVER | KEEPER
    assert demo - keeper == CHARTS


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.name)
def test_a_command_is_listed_with_its_own_help(command):
    assert command.load().help.partition("\n\n")[0] == command.help
