"""What a device earns that commits to anything, where not all products are opened, by the hours' own table.

It is quiet in hours in which it is drawn: that is no offence that anybody could be slashed for, so pay alone
deters it. A wave an hour, no memory tests; ``q`` of the products are opened.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

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
from tests.keeper.rewards.tables import START, key
from tests.model.schedule import HOUR

HOURS, WARM = 2_000, 400
DEVICES = 200
"""Of each kind."""
UNLUCKY = 1e-4
"""How often an honest device's commit doesn't come, and its opening."""
HONEST, IDLE, SILENT, RESTS, ANEW, CHEAP = KINDS = range(6)
"""It works in every wave; in none; in none, and commits to nothing until a day before a failure is over; only
until it is paid, and then no more until it is caught; the same, but registers anew once it is caught; it
skips a twentieth of each product."""
CAUGHT = 1 - 0.95**24
"""How often an opening shows that a twentieth was skipped."""
FEW, MANY = 0.65, 0.02
"""The share that is opened of 10,000 devices with a processor each, and of 100,000 with eight."""


@dataclass
class Kind:
    """What share of its hours a kind was paid for, and in what share of them it worked."""

    paid: float
    worked: float


def earned(q: float, shown_first: bool) -> list[Kind]:
    """Of each kind, in hours in which a share ``q`` is opened."""
    draw = np.random.default_rng(round(q * 100))
    kinds = np.repeat(KINDS, DEVICES)
    devices = np.sort(np.array([key(number) for number in range(len(kinds))], "S32"))
    table = np.zeros(0, OBSERVED_TABLE)
    works, silent = np.ones(len(kinds)), np.zeros(len(kinds), bool)
    paid, worked = np.zeros(len(kinds)), np.zeros(len(kinds))
    for number in range(HOURS):
        start = START + HOUR * number
        if len(table):
            rests = (table["unshown"] == 0) if shown_first else np.ones(len(kinds), bool)
            works = np.select([kinds == HONEST, kinds <= SILENT, kinds == CHEAP], [1.0, 0.0, 0.95], ~rests)
            silent = (kinds == SILENT) & (table["failed_until"] > start + 25 * HOUR)
        luck = draw.random((4, len(kinds)))
        drawn = luck[0] < q
        fails = np.where(kinds == CHEAP, luck[1] < CAUGHT, works == 0) | (luck[2] < UNLUCKY)
        codes = np.where(drawn, np.where(fails, Code.NO_OPENING, Code.PASS), Code.PASS_UNOPENED)
        codes = np.where((luck[3] < UNLUCKY) | silent, Code.NO_COMMIT, codes)
        rows = np.zeros(len(kinds), VERDICT)
        rows["device"], rows["code"] = devices, codes
        alpha, wave = round(q * WHOLE_ALPHA), WaveSeen(start + 60, rows)
        nobody = np.zeros(0, MEASURED)
        hour = HourSeen(start, alpha, WHOLE_ALPHA, devices, devices, [wave], [], 1, nobody, shown_first)
        table = observe(hour, table)
        if number >= WARM:
            paid += table["work"] == Work.PASSED
            worked += works
        # Whoever registers anew is forgotten, as another address is.
        table = table[(kinds != ANEW) | (codes != Code.NO_OPENING)] if shown_first else table
        if len(table) < len(kinds):
            table = _anew(table, devices, shown_first)
    shares = [each / (HOURS - WARM) for each in (paid, worked)]
    return [Kind(*(float(share[kinds == kind].mean()) for share in shares)) for kind in KINDS]


def _anew(table: np.ndarray, devices: np.ndarray, shown_first: bool) -> np.ndarray:
    """The table with those that are gone as new ones."""
    whole = np.zeros(len(devices), OBSERVED_TABLE)
    whole["device"], whole["unshown"] = devices, shown_first
    whole[np.searchsorted(devices, table["device"])] = table
    return whole


@pytest.mark.parametrize("q", [FEW, MANY])
def test_whoever_does_nothing_earns_nothing_and_nobody_more_than_what_it_worked(q: float) -> None:
    honest, idle, silent, rests, anew, cheap = earned(q, shown_first=True)
    assert 0.99 < honest.paid <= 1
    assert idle == silent == Kind(0, 0)
    assert rests.paid < rests.worked / 2
    # An hour of pay for an hour of work, without what a new stake and the first six hours cost.
    assert anew.paid == pytest.approx(anew.worked, rel=0.1)
    assert cheap.paid < 0.1 < cheap.worked


def test_by_rule_4_whoever_did_nothing_was_paid_where_few_were_opened() -> None:
    honest, idle, silent, *_ = earned(MANY, shown_first=False)
    assert 0.99 < honest.paid <= 1
    assert idle.worked == silent.worked == 0
    assert 0.01 < idle.paid < silent.paid < (1 - MANY) / 5
