"""The clients: how each is run on the cases, all of them at the same time."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.interop import installed
from tests.interop.cases import cases

HERE = Path(__file__).parent
SIDES = HERE / "sides"
IDLS = HERE.parents[1] / "idl"

Answers = dict[str, dict[str, Any]]
"""By the kind of question and its name; ``{"error": ..}`` where the client threw."""


def _anchor(folder: str, package: str) -> Callable[[Path], list[str]]:
    def command(_: Path) -> list[str]:
        return ["node", str(SIDES / "anchor.cjs"), str(installed.packages(folder)), package, str(IDLS)]

    return command


def codama_clients(out: Path) -> Path:
    """Generate Codama's clients of the four interfaces into ``out``; gives the bundle of them."""
    script = SIDES / "codama_clients.mjs"
    _run(["node", str(script), str(installed.packages("codama")), str(IDLS), str(out)])
    return out / "clients.mjs"


def _codama(out: Path) -> list[str]:
    return ["node", str(SIDES / "codama.mjs"), str(codama_clients(out / "clients")), str(IDLS)]


def _anchorpy(_: Path) -> list[str]:
    return [str(installed.python()), str(SIDES / "anchorpy_side.py"), str(IDLS)]


CLIENTS: dict[str, Callable[[Path], list[str]]] = {
    "@coral-xyz/anchor 0.32.1": _anchor("coral-anchor", "@coral-xyz/anchor"),
    "@anchor-lang/core 1.2.0": _anchor("anchor-lang", "@anchor-lang/core"),
    "Codama renderers-js 2.2.0": _codama,
    "anchorpy 0.21.0": _anchorpy,
}
"""By name and version, the command that takes a file of questions and one for answers."""
RESOLVERS = tuple(name for name in CLIENTS if not name.startswith("anchorpy"))
"""Those that look for accounts; what the older format of interfaces says of them is nothing."""


def ask(folder: Path) -> dict[str, Answers]:
    """Every client's answers, with ``folder`` for files; raises RuntimeError when one can't be run."""
    questions = folder / "cases.json"
    questions.write_text(json.dumps(cases().questions))

    def one(name: str) -> Answers:
        place = folder / name.replace("/", " ")
        place.mkdir()
        _run([*CLIENTS[name](place), str(questions), str(place / "answers.json")])
        found: Answers = json.loads((place / "answers.json").read_text())
        return found

    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        return dict(zip(CLIENTS, pool.map(one, CLIENTS), strict=True))


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
