"""What a device earns that holds no plot, by the hours' own table, and what an honest one loses by that rule.

A wave an hour, one in six tests memory; who is drawn and has no plot can open nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from keeper.pow.clock import RESIDENCY_ONE_IN
from keeper.pow.codes import Code
from keeper.rewards.observed import (
    MEASURED,
    OBSERVED_TABLE,
    VERDICT,
    WHOLE_ALPHA,
    HourSeen,
    WaveSeen,
    observe,
)
from keeper.rewards.rows import Work
from keeper.rewards.rule import VRAM_FAILURES, VRAM_PAUSE
from tests.keeper.rewards.tables import START, key
from tests.model.schedule import HOUR

HOURS, WARM = 1_200, 200
DEVICES = 200
"""Of each kind."""
UNLUCKY = 1e-4
"""How often an honest device's commit doesn't come (benches/waves.py has 0.9e-4), and its opening."""
HONEST, FAKES, SILENT, DODGES = range(4)
"""It has its plot; it has none and commits to anything; the same, but it is silent where that costs nothing,
while a failure holds; the same, and where one silence a day is excused, too."""
BOUND = 0.005
"""Of its hours an honest device may lose at most: the specification's."""


@dataclass
class Earned:
    """What share of the hours each kind was paid for."""

    honest: float
    fakes: float
    silent: float
    dodges: float


def earned(tested: int | None, opened: int) -> Earned:
    """By hours in which ``opened`` of 65,536 memory tests are opened."""
    draw = np.random.default_rng(opened)
    kinds = np.repeat([HONEST, FAKES, SILENT, DODGES], DEVICES)
    devices = np.sort(np.array([key(number) for number in range(len(kinds))], "S32"))
    table = np.zeros(len(kinds), OBSERVED_TABLE)
    table["device"], table["work"] = devices, Work.PASSED
    paid = np.zeros(len(kinds))
    for number in range(HOURS):
        start = START + HOUR * number
        memory = draw.random() < 1 / RESIDENCY_ONE_IN
        drawn = draw.random(len(kinds)) < (opened / WHOLE_ALPHA if memory else 1)
        luck = draw.random((2, len(kinds)))
        codes = np.where(drawn, Code.PASS, Code.PASS_UNOPENED)
        codes = np.where(drawn & (luck[0] < UNLUCKY), Code.NO_OPENING, codes)
        if memory:
            codes = np.where(drawn & (kinds != HONEST), Code.OPEN_ROOT, codes)
            excused = (table["soft_at"] < start - 23 * HOUR) & (table["work"] == Work.PASSED)
            codes = np.where((kinds == DODGES) & excused, Code.NO_COMMIT, codes)
            is_out = table["failed_until"] > start
            codes = np.where((kinds >= SILENT) & is_out, Code.NO_COMMIT, codes)
        codes = np.where(luck[1] < UNLUCKY, Code.NO_COMMIT, codes)
        rows = np.zeros(len(kinds), VERDICT)
        rows["device"], rows["residency"], rows["code"] = devices, memory, codes
        wave = WaveSeen(start + 60, rows)
        seen = HourSeen(start, WHOLE_ALPHA, tested, devices, devices, [wave], [], 1, np.zeros(0, MEASURED))
        table = observe(seen, table)
        shut = (table["vram_failures"] >= VRAM_FAILURES) & (table["vram_failed_at"] + VRAM_PAUSE >= start)
        if number >= WARM:
            paid += (table["work"] == Work.PASSED) & ~shut
    shares = paid / (HOURS - WARM)
    return Earned(*(float(shares[kinds == kind].mean()) for kind in (HONEST, FAKES, SILENT, DODGES)))


@pytest.mark.parametrize("opened", [WHOLE_ALPHA, WHOLE_ALPHA // 4])
def test_without_a_plot_there_is_less_than_a_fifth_of_the_pay(opened: int) -> None:
    found = earned(opened, opened)
    assert found.fakes < 0.05
    assert found.silent < found.dodges < 0.2
    assert 1 - BOUND < found.honest < 1


def test_by_rule_3_there_were_four_fifths() -> None:
    found = earned(None, WHOLE_ALPHA // 4)
    assert min(found.fakes, found.silent, found.dodges) > 0.65
    assert 1 - BOUND < found.honest < 1
