"""The program's table of the emission, recomputed from the formula in whole numbers alone.

``E_m = 500e6 * 0.08/12 * q^m`` IO, with q such that 240 months emit 300e6. Here q is enclosed between two
fractions of 2^512, and every power and sum is rounded down for the lower of them and up for the upper: a
figure is right when both give it.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from itertools import accumulate, repeat

from keeper.economy.emission import cumulative_by_month, decay
from scripts import emission_table
from tests.model import schedule

MONTHS = 240
ONE = 1 << 512
FIRST_MONTH = (500_000_000 * 10**8 * 8, 100 * 12)
"""Base units, as a fraction."""
WANTED = 90 * ONE
"""300e6 in months of the first's size, which is 40e6 / 12."""

SOURCE = emission_table.TABLE.read_text()
TABLE = [int(each.replace("_", "")) for each in re.findall(r"^    ([\d_]+),$", SOURCE, re.MULTILINE)]


def sums(q: int, *, up: bool) -> list[int]:
    """``1 + q + .. + q^(m-1)`` for m = 0..240, bounded from one side; q and the sums in 1/2^512."""
    spare = ONE - 1 if up else 0
    powers = accumulate(repeat(q, MONTHS - 1), lambda power, q: (power * q + spare) // ONE, initial=ONE)
    return list(accumulate(powers, initial=0))


@cache
def enclosed() -> tuple[int, int]:
    """The decay factor's bounds: with the lower the months emit too little, with the upper too much."""
    bounds = []
    for up in (True, False):
        little, much = 0, ONE
        while much - little > 1:
            middle = (little + much) // 2
            if sums(middle, up=up)[MONTHS] < WANTED:
                little = middle
            else:
                much = middle
        # Rounded up it is still too little, rounded down already too much.
        bounds.append(little if up else much)
    return bounds[0], bounds[1]


def base_units(sum_of_months: int) -> int:
    """A sum in base units, rounded down."""
    over, under = FIRST_MONTH
    return sum_of_months * over // (under * ONE)


def test_every_figure_is_the_formulas() -> None:
    low, high = enclosed()
    assert 0 < high - low < 1 << 20, "q is known to 490 bits"
    least, most = sums(low, up=False), sums(high, up=True)
    assert len(TABLE) == MONTHS + 1
    for month in range(MONTHS):
        assert base_units(least[month]) == base_units(most[month]) == TABLE[month], f"month {month}"
    assert TABLE[MONTHS] == 300_000_000 * 10**8
    assert base_units(least[MONTHS]) <= TABLE[MONTHS] <= base_units(most[MONTHS]) + 1


def test_the_keepers_the_models_and_the_scripts_table_are_this_one() -> None:
    assert list(cumulative_by_month()) == TABLE
    assert list(schedule.by_month()) == TABLE
    assert emission_table.text() == SOURCE
    low, high = enclosed()
    close = Fraction(1, 10**88)
    assert Fraction(low, ONE) - close < Fraction(decay()) < Fraction(high, ONE) + close
