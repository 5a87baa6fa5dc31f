"""With the base installation every command works but those of an extra, which say what to install."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from keeper.cli.extras import needs
from keeper.cli.main import COMMANDS

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]

CHILD = """
import contextlib, io, json, sys

for name in json.loads(sys.argv[1]):
    sys.modules[name] = None  # as if it weren't installed
from keeper.cli import main

found = []
for command in json.loads(sys.argv[2]):
    sys.argv = ["ionet", *command.split()]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            main.main()
        except SystemExit as end:
            code = end.code
    found.append((code, err.getvalue()))
print(json.dumps(found))
"""


def modules(requirements: list[str]) -> list[str]:
    """What is imported of these requirements; each is called as its package is."""
    names = (re.match(r"[\w-]+", each) for each in requirements)
    return [name[0].replace("-", "_") for name in names if name and name[0] != PROJECT["name"]]


def run_without(missing: list[str], commands: list[str], folder: Path) -> list[tuple[int, str]]:
    """Run commands where some modules can't be imported; gives exit codes and stderr."""
    arguments = [sys.executable, "-c", CHILD, json.dumps(missing), json.dumps(commands)]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [(code, err) for code, err in json.loads(done.stdout)]


def test_what_needs_no_extra(tmp_path):
    missing = modules(EXTRAS["keeper"] + EXTRAS["demo"])
    assert {"sqlalchemy", "psycopg", "matplotlib"} <= set(missing)
    commands = [f"{each.name} --help" for each in COMMANDS if each.extra is None]
    assert commands
    assert run_without(missing, commands, tmp_path) == [(0, "")] * len(commands)


def test_what_needs_the_keeper_s(tmp_path):
    (tmp_path / "id.json").touch(0o600)
    wants = {
        "keeper run --once": "ionet keeper run",
        "keeper --help": "ionet keeper",
        "db rebuild staking": "ionet db rebuild",
        "index": "ionet index",
        "buyback run": "ionet buyback run",
        "buyback run --dry-run": "ionet buyback run",
        "api serve": "ionet api serve",
        "rewards serve --dir .": "ionet rewards serve",
        "market replay --tick 1": "ionet market replay",
        f"market why {'1' * 32} --tick 1": "ionet market why",
    }
    found = run_without(modules(EXTRAS["keeper"]), list(wants), tmp_path)
    said = "error: {} needs the extra 'keeper': pip install 'ionet[keeper]'\n"
    assert found == [(1, said.format(command)) for command in wants.values()]


def test_a_simulation_needs_an_extra_for_its_chart_alone(tmp_path):
    plain = "market simulate --days 1 --devices 2 --json"
    told = "ionet market simulate --chart needs the extra 'demo': pip install 'ionet[demo]'"
    said = json.dumps({"error": told, "hint": ""}) + "\n"
    missing = modules(EXTRAS["keeper"] + EXTRAS["demo"])
    assert run_without(missing, [plain, f"{plain} --chart x.svg"], tmp_path) == [(0, ""), (1, said)]


@pytest.mark.parametrize("missing", [["matplotlib"], ["matplotlib", "sqlalchemy"]])
def test_the_demo_names_its_own_extra_whatever_it_lacks(missing, tmp_path):
    said = "error: ionet demo needs the extra 'demo': pip install 'ionet[demo]'\n"
    assert run_without(missing, ["demo"], tmp_path) == [(1, said)]


def test_a_missing_module_of_ours_is_no_missing_extra():
    with pytest.raises(ModuleNotFoundError, match=r"keeper\.nothing"), needs("keeper", "ionet keeper run"):
        import keeper.nothing  # noqa: F401, PLC0415


def test_a_device_needs_no_database_and_no_charts():
    heavy = {"sqlalchemy", "psycopg", "matplotlib"}
    assert not heavy & set(modules(PROJECT["dependencies"] + EXTRAS["worker"]))
