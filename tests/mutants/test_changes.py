"""What is changed in a module, and that a test which looks notices."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

from tests.mutants.__main__ import CHECKED, MODULES, NOTICED, REPOSITORY, SURVIVED, _due, digest
from tests.mutants.changes import mutants

SOURCE = '''
"""A text with 1 < 2."""
LIMIT = 3

def share(whole: int, part: int = 1) -> int:
    """Not this 5 + 6."""
    if not whole or part < 0:
        raise ValueError("1 < 2")
    return min(whole * part // LIMIT, LIMIT - 1) if part <= 2 else -1
'''


def test_one_place_at_a_time() -> None:
    found = list(mutants(SOURCE))
    keys = [each.key for each in found]
    assert len(keys) == len(set(keys)) == 18
    for wanted in (
        "module: 3 -> 4",
        "share: part < 0 -> part <= 0",
        "share: not whole or part < 0 -> not whole and part < 0",
        "share: if not whole or part < 0 -> if False",
        "share: whole * part // LIMIT -> whole * part * LIMIT",
        "share: LIMIT - 1 -> LIMIT + 1",
        "share: min(whole * part // LIMIT, LIMIT - 1) -> max(whole * part // LIMIT, LIMIT - 1)",
    ):
        assert wanted in keys, keys
    plain = ast.dump(ast.parse(SOURCE))
    for each in found:
        assert ast.dump(each.tree) != plain
        compile(each.tree, "changed", "exec")


def test_texts_and_comments_are_no_change() -> None:
    """The digest is of the tree, and so is what follows from a line's number."""
    assert digest("# a\nX = 1\n") == digest("\n\nX = 1  # b\n") != digest("X = 2\n")


A_CHANGE = """
import ast
from tests.mutants.__main__ import REPOSITORY, tried

module, tests = "keeper/economy/money.py", ("tests/keeper/economy/test_money.py",)
source = (REPOSITORY / module).read_text()
broken = source.replace("raise AmountError", "print", 1)
assert broken != source
print([tried(module, ast.parse(each), tests, None)[0] for each in (source, broken)])
"""


def test_a_change_is_noticed() -> None:
    """By a module's own tests, in a fork of a process that has not read it; the module as it is passes."""
    told = subprocess.run(
        [sys.executable, "-c", A_CHANGE], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert told.stdout == f"{[SURVIVED, NOTICED]}\n", told.stderr


def test_what_nobody_looked_at_as_it_is_is_due() -> None:
    known = json.loads(CHECKED.read_text())
    assert known.keys() <= MODULES.keys()
    assert _due(known, list(known)) == [], "python -m tests.mutants --minutes 0 --write MODULE"
    assert _due({}, list(MODULES)) == list(MODULES)
    one = next(iter(MODULES))
    now = digest((REPOSITORY / one).read_text())
    assert _due({one: {"sha256": now}}, [one]) == []
    assert _due({one: {"sha256": "another"}}, [one]) == [one]
    for its in known.values():
        assert all(its["why"].values()), "each survivor is noticed by a test, or it says why not"
