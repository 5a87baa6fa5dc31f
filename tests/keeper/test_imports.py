"""The contract of who may import whom (pyproject.toml) holds, and is broken by what it must not let pass.

CI checks it on the code as it is; here it is held against rooms that don't exist yet, and against doors
that must stay shut.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHUT = {
    "a worker that runs the keeper's jobs": ("worker/agent.py", "import keeper.jobs.registry"),
    "an audit that sends": ("audit/replay.py", "from keeper.sender import intents"),
    "a cluster that knows the keeper's wiring": ("compute/board.py", "from keeper.runtime import wiring"),
    "an audit that asks the keeper's own server": ("audit/replay.py", "from keeper.api import app"),
    "a rule that asks a node": ("economy/fees.py", "from keeper.chain import rpc"),
    "a rule that needs addresses' library": ("economy/fees.py", "from solders.pubkey import Pubkey"),
    "a decision with the VM in it": ("market/matching.py", "from keeper.chain import embedded"),
    "a decision that reads a database by way of another module": (
        "buyback/decide.py",
        "from keeper.rewards import history",
    ),
    "a read that decides": ("clients/roles.py", "from keeper.market import matching"),
    "a job that prints": ("jobs/due.py", "from keeper.terminal import tables"),
    "a room that nobody planned": ("helpers/strings.py", ""),
}
OPEN = {
    "a worker that reads the chain and signs": ("worker/agent.py", "from keeper.wallet import plans"),
    "an audit that repeats the rule": ("audit/replay.py", "from keeper.rewards import rule"),
    "proof of work below the jobs": ("pow/verdict.py", "from keeper.economy import merkle"),
}


def contract(folder: Path, path: str, line: str) -> subprocess.CompletedProcess[str]:
    """Check the contract on the code with one more line in one of its files."""
    shutil.copytree(ROOT / "keeper", folder / "keeper", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    changed = folder / "keeper" / path
    changed.parent.mkdir(exist_ok=True)
    changed.parent.joinpath("__init__.py").touch()
    with changed.open("a") as file:
        file.write(f"\n{line}\n")
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", SHUT)
def test_what_the_contract_refuses(name: str, tmp_path: Path) -> None:
    done = contract(tmp_path, *SHUT[name])
    assert (done.returncode, "BROKEN" in done.stdout or "Missing" in done.stdout) == (1, True), done.stdout


@pytest.mark.parametrize("name", OPEN)
def test_what_it_lets_pass(name: str, tmp_path: Path) -> None:
    done = contract(tmp_path, *OPEN[name])
    assert done.returncode == 0, done.stdout
