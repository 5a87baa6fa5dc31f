"""The four programs, and the mark of a test that runs on every instruction of each.

A new program is added to ``SUBJECTS``; ``test_every_instruction.py`` fails until it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any

import pytest

from tests.security.buyback.subject import SUBJECT as BUYBACK
from tests.security.orders.subject import SUBJECT as ORDERS
from tests.security.staking.subject import SUBJECT as STAKING
from tests.security.subject import Subject
from tests.security.tokenomics.subject import SUBJECT as TOKENOMICS

SUBJECTS = {each.program.name: each for each in (TOKENOMICS, STAKING, ORDERS, BUYBACK)}
EVERY = [(name, each) for name, its in SUBJECTS.items() for each in its.program.instructions]
"""Every instruction: its program's name and its own."""

Test = Callable[..., None]
Unless = Mapping[str, Callable[[Subject, str], bool]]
"""Why a test has nothing to do with some instructions, and which those are."""

EXCUSES: dict[Test, Unless] = {}
"""By the test."""


def on_every_instruction(
    unless: Unless | None = None, **each: Callable[[Subject, str], Iterable[Any]]
) -> Callable[[Test], Test]:
    """Run a test on ``program`` and ``instruction``, and on what else there is in ``each`` of them."""
    excuses = unless or {}

    def mark(test: Test) -> Test:
        rows = [
            (name, instruction, *values)
            for name, instruction in EVERY
            if not any(holds(SUBJECTS[name], instruction) for holds in excuses.values())
            for values in product(*(of(SUBJECTS[name], instruction) for of in each.values()))
        ]
        EXCUSES[test] = excuses
        marked: Test = pytest.mark.parametrize(("program", "instruction", *each), rows)(test)
        return marked

    return mark


on_every_program = pytest.mark.parametrize("program", list(SUBJECTS))
with_params = pytest.mark.parametrize("program", [name for name, its in SUBJECTS.items() if its.params])


def named(*instructions: tuple[str, str]) -> Callable[[Subject, str], bool]:
    """An excuse for some instructions by name."""
    return lambda its, instruction: (its.program.name, instruction) in instructions
