"""``make mutants``: changes one place of a rule at a time, and sees that a test notices.

Of the modules that ``checked.json`` doesn't have as they are, for ten minutes at most; a mutant that no test
notices, and that ``checked.json`` doesn't say why, is an error. ``--minutes 0 --write MODULE`` looks at every
mutant of a module and writes down what survived: then find it a test, or say in ``why`` how it is the same.

A small tool of our own: mutmut copies the project and starts a process for each mutant, which takes seconds
to import what these rules need; cosmic-ray wants a session for each. Here a process is forked that has
imported all that doesn't depend on the module.
"""

from __future__ import annotations

import argparse
import ast
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import grimp
import pytest

from tests.mutants.changes import mutants

REPOSITORY = Path(__file__).parents[2]
CHECKED = Path(__file__).parent / "checked.json"
NOTICED, SURVIVED, SLOW = "noticed", "survived", "slow"
MINUTES = 10.0
PATIENCE = 20
"""So many times what the tests take unchanged, and a minute: whoever takes longer goes round in circles."""
MODULES: dict[str, tuple[str, ...]] = {
    "keeper/economy/emission.py": (
        "tests/reference/test_emission_table.py",
        "tests/reference/test_vectors.py",
    ),
    "keeper/economy/buyback.py": ("tests/keeper/economy/test_buyback.py",),
    "keeper/economy/staking.py": ("tests/keeper/economy/test_staking.py",),
    "keeper/economy/orders.py": ("tests/keeper/economy/test_orders.py",),
    "keeper/market/price.py": ("tests/keeper/market/test_price.py",),
    "keeper/market/reputation.py": ("tests/keeper/market/test_reputation.py",),
    "keeper/market/assignment.py": ("tests/keeper/market/test_assignment.py",),
    "keeper/rewards/exact.py": ("tests/keeper/rewards/test_rule.py",),
    "keeper/rewards/rule.py": ("tests/keeper/rewards/test_rule.py", "tests/keeper/rewards/test_rows.py"),
    "keeper/rewards/observed.py": ("tests/keeper/rewards/test_observed.py",),
    "keeper/rewards/hired.py": ("tests/keeper/rewards/test_hired.py",),
    "keeper/pow/tree.py": ("tests/keeper/pow/test_opening.py",),
    "keeper/pow/seeds.py": ("tests/keeper/pow/test_vectors.py",),
    "keeper/pow/clock.py": ("tests/keeper/pow/test_clock.py",),
    "keeper/pow/verdicts.py": ("tests/keeper/pow/test_verdicts.py",),
    "keeper/pow/connectivity.py": ("tests/keeper/pow/test_connectivity.py",),
}
"""The rules that money follows, and the tests that are about each."""


PLUGINS = "pytest_asyncio.plugin", "_hypothesis_pytestplugin"
"""All that those tests need."""


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module as a mutant has it."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self._name = _named(module)
        self._path, self._tree = str(REPOSITORY / module), tree

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """See :class:`importlib.abc.MetaPathFinder`."""
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._path, loader=self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """The usual one."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """See :class:`importlib.abc.Loader`."""
        exec(compile(self._tree, self._path, "exec"), module.__dict__)


def prepare(module: str, tests: Sequence[str]) -> None:
    """Import all that the tests need and that doesn't depend on the module, before anything is forked."""
    for name in (*PLUGINS, *map(_named, tests)):
        importlib.import_module(name)
    graph = grimp.build_graph("keeper", include_external_packages=False)
    name = _named(module)
    for each in {name, *graph.find_downstream_modules(name)}:
        sys.modules.pop(each, None)
    for each in [each for each in sys.modules if each.split(".")[0] == "tests"]:
        if not each.startswith("tests.mutants"):
            del sys.modules[each]


def _named(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def tried(
    module: str, tree: ast.Module | None, tests: Sequence[str], most: float | None
) -> tuple[str, float]:
    """Run tests of a module as ``tree`` has it, in a fork; what came of it, and after how many seconds."""
    began = time.monotonic()
    child = os.fork()
    if not child:
        os.setsid()
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        nothing = os.open(os.devnull, os.O_RDWR)
        for each in (0, 1, 2):
            os.dup2(nothing, each)
        if tree is not None:
            sys.meta_path.insert(0, _Changed(module, tree))
        code = 1
        try:
            plugins = [flag for each in PLUGINS for flag in ("-p", each)]
            code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *plugins, *tests])
        finally:
            os._exit(int(code))
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        took = time.monotonic() - began
        if done:
            return (SURVIVED if status == 0 else NOTICED), took
        if most is not None and took > most:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return SLOW, took
        time.sleep(0.02)


def digest(source: str) -> str:
    """Of what the module does: comments and texts aside."""
    return sha256(ast.dump(ast.parse(source)).encode()).hexdigest()


def looked_at(module: str, known: dict[str, Any], until: float | None) -> tuple[dict[str, Any], bool]:
    """All mutants of a module, as far as there is time; and whether there was."""
    source, tests = (REPOSITORY / module).read_text(), MODULES[module]
    prepare(module, tests)
    plain, took = tried(module, None, tests, None)
    assert plain == SURVIVED, f"{module}: its tests fail as it is"
    counts, survived, whole = {NOTICED: 0, SURVIVED: 0, SLOW: 0}, [], True
    for mutant in mutants(source):
        if until is not None and time.monotonic() > until:
            whole = False
            break
        found, _ = tried(module, mutant.tree, tests, PATIENCE * took + 60)
        # Tests that draw may draw better the second time: what is said to survive did so twice.
        if found == SURVIVED:
            found, _ = tried(module, mutant.tree, tests, PATIENCE * took + 60)
        counts[found] += 1
        if found == SURVIVED:
            survived.append(mutant)
            print(f"  {module}:{mutant.line} {mutant.key}", flush=True)
    why = known.get(module, {}).get("why", {})
    told = {each.key: why.get(each.key, "") for each in survived}
    return {"sha256": digest(source), **counts, "why": told}, whole


def _due(known: dict[str, Any], names: Sequence[str]) -> list[str]:
    """Modules that nobody looked at as they are."""
    stated = {name: known.get(name, {}).get("sha256") for name in names}
    return [name for name, its in stated.items() if digest((REPOSITORY / name).read_text()) != its]


def main() -> None:
    """See the module's own text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--all", action="store_true", help="those that didn't change, too")
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help="then it ends with what it did; 0: never"
    )
    parser.add_argument("--write", action="store_true", help="write down what was found of whole modules")
    given = parser.parse_args()
    unknown = set(given.modules) - set(MODULES)
    if unknown:
        parser.error(f"there are no tests for {min(unknown)}: say which in MODULES")
    known: dict[str, Any] = json.loads(CHECKED.read_text())
    names = given.modules or list(MODULES)
    until = time.monotonic() + 60 * given.minutes if given.minutes else None
    unexplained: list[str] = []
    for module in names if given.all else _due(known, names):
        found, whole = looked_at(module, known, until)
        told = ", ".join(f"{found[each]} {each}" for each in (NOTICED, SURVIVED, SLOW))
        print(f"{module}: {told}{'' if whole else ', as far as there was time'}", flush=True)
        unexplained += [f"{module}: {key}" for key, why in found["why"].items() if not why]
        if given.write and whole:
            known[module] = found
            CHECKED.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
        if not whole:
            break
    if unexplained and not given.write:
        print("no test notices, and nothing says why:", *unexplained, sep="\n  ")
        sys.exit(1)


if __name__ == "__main__":
    main()
