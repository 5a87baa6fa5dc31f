"""The 20-year emission: C(h), base units emitted once h hours have ended.

Month m emits ``E_m = 500e6 * 0.08/12 * q^m`` IO (m = 0..239), with q such that the sum is 300e6
exactly; an hour emits ``E_m / hours in that calendar month``. The program holds the 241 cumulative
figures as constants; here they are computed from the formula, so each checks the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import NamedTuple

from keeper.economy.calendar import HOUR, hours_in_month, month_name, month_of, month_start
from keeper.economy.supply import EMISSION_MONTHS, EMISSION_TOTAL, GENESIS_SUPPLY

FIRST_YEAR_RATE = Decimal("0.08")
PRECISION = 100
"""Decimal digits: 80 more than the result needs."""


@lru_cache(maxsize=1)
def decay() -> Decimal:
    """q, the factor from one month to the next, to 90 digits: 0.98984895...

    Solved by Newton's method on ``f(q) = first * (1 + q + .. + q^239) - total``, which is convex and
    rising for q > 0, so that the steps from q = 1 come down to the one root.
    """
    with localcontext() as context:
        context.prec = PRECISION
        ratio = Decimal(EMISSION_TOTAL) / _first_month()
        q, step = Decimal(1), Decimal(1)
        while abs(step) > Decimal(10) ** (10 - PRECISION):
            value = slope = Decimal(0)
            for _ in range(EMISSION_MONTHS):
                slope = slope * q + value
                value = value * q + 1
            step = (value - ratio) / slope
            q -= step
        return q


@lru_cache(maxsize=1)
def cumulative_by_month() -> tuple[int, ...]:
    """Base units emitted after 0..240 whole months, each rounded down; the last is the total."""
    with localcontext() as context:
        context.prec = PRECISION
        q, month = decay(), _first_month()
        exact, figures = Decimal(0), [0]
        for _ in range(EMISSION_MONTHS - 1):
            exact += month
            month *= q
            figures.append(int(exact))
    return (*figures, EMISSION_TOTAL)


def total_hours(start_month: int) -> int:
    """Hours from the start of ``start_month`` to the end of the 240th month."""
    return (month_start(start_month + EMISSION_MONTHS) - month_start(start_month)) // HOUR


def hours_ended(start_month: int, now: int) -> int:
    """Hours of the emission that have ended at ``now``: 0 before it starts, at most all of them."""
    elapsed = max(0, now - month_start(start_month)) // HOUR
    return min(elapsed, total_hours(start_month))


def cumulative(start_month: int, hours: int) -> int:
    """C(h): base units emitted once ``hours`` hours from the start of ``start_month`` have ended."""
    start = month_start(start_month)
    hours = min(hours, total_hours(start_month))
    month = month_of(start + hours * HOUR)
    figures = cumulative_by_month()
    index = month - start_month
    if index == EMISSION_MONTHS:
        return EMISSION_TOTAL
    into_month = hours - (month_start(month) - start) // HOUR
    return figures[index] + (figures[index + 1] - figures[index]) * into_month // hours_in_month(month)


def block(start_month: int, hour: int) -> int:
    """Base units of one hour (0 is the first)."""
    return cumulative(start_month, hour + 1) - cumulative(start_month, hour)


class EmissionMonth(NamedTuple):
    """One month of the emission, base units."""

    month: str
    hours: int
    emitted: int
    first_block: int
    cumulative: int


def calendar(start_month: int) -> Iterator[EmissionMonth]:
    """All months of an emission that begins with ``start_month``."""
    figures = cumulative_by_month()
    hours = 0
    for index in range(EMISSION_MONTHS):
        month = start_month + index
        emitted = figures[index + 1] - figures[index]
        yield EmissionMonth(
            month_name(month), hours_in_month(month), emitted, block(start_month, hours), figures[index + 1]
        )
        hours += hours_in_month(month)


def _first_month() -> Decimal:
    return Decimal(GENESIS_SUPPLY) * FIRST_YEAR_RATE / 12
