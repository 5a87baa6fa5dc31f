"""The network's price in a month of agents: where it settles, how fast it follows, what gaming it brings.

``python benches/month.py`` takes some minutes and renews the tables in docs/benchmarks.md. The rule is the
keeper's own; agents are those of tests/keeper/market/agents.py. Draws have fixed seeds, so that the tables
are the same everywhere.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from math import log
from pathlib import Path
from statistics import fmean, pstdev, stdev

from idl_codec import table, write_section

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from tests.keeper.market.agents import HOURS_A_DAY, ONE, Ask, Outcome, Scenario, Shock, Town  # noqa: E402

SECTION = "month.py"
SEEDS = range(1, 13)
MONTH = Scenario(shocks=(Shock(10, 45, 1), Shock(20, 45, 2)))
"""On day 10 more than half of the demand goes away, on day 20 the token halves."""
SIZE, THIN = MONTH.devices, 16
"""Devices of the class, and of a thin one."""
PERIODS = (0, 10), (10, 20), (20, 30)
SETTLED = 3
"""Days after which a period's level is taken."""
GAMES = (
    (Ask.ABOVE, 5),
    (Ask.LEAVES, 5),
    (Ask.PRICE, 5),
    (Ask.HALF, 5),
    (Ask.MARGIN, 5),
    (Ask.MARGIN, 10),
    (Ask.MARGIN, 100),
    (Ask.WITHHOLDS, 10),
    (Ask.WITHHOLDS, 30),
    (Ask.HIRES_ITSELF, 10),
    (Ask.HIRES_ITSELF, 30),
)


def settled(figures: list[int], period: tuple[int, int]) -> list[int]:
    """Hourly figures in a period, once it has settled."""
    first, last = period
    return figures[(first + SETTLED) * HOURS_A_DAY : last * HOURS_A_DAY]


def level(figures: list[int], period: tuple[int, int]) -> float:
    """The mean of them."""
    return fmean(settled(figures, period))


def unrest(prices: list[int], period: tuple[int, int]) -> tuple[float, float]:
    """The standard deviation of the price's logarithm, and its mean move from hour to hour in percent."""
    logs = [log(each) for each in settled(prices, period)]
    return pstdev(logs), 100 * fmean(abs(after - before) for before, after in pairwise(logs))


def hours_to(outcome: Outcome, period: tuple[int, int]) -> int:
    """How long it takes from a period's start until the price is within a tenth of the period's level."""
    goal = level(outcome.prices, period)
    after = enumerate(outcome.prices[period[0] * HOURS_A_DAY :])
    return next(hour for hour, price in after if abs(price - goal) <= goal / 10)


def shown(figures: list[float], digits: int) -> str:
    """The mean of seeds, and from where to where they go."""
    low, high = min(figures), max(figures)
    return f"{fmean(figures):,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def periods(months: list[Outcome], size: int) -> list[list[str]]:
    """Rows of levels."""
    rows = []
    for name, period in zip(("at first", "demand at 45 %", "IO at half, too"), PERIODS, strict=True):
        prices = [level(each.prices, period) / ONE for each in months]
        used = [level(each.used, period) / 10 for each in months]
        hours = shown([hours_to(each, period) for each in months], 0) if period[0] else "-"
        deviation, moves = zip(*(unrest(each.prices, period) for each in months), strict=True)
        row = [f"{size} devices, {name}", shown(prices, 3), shown(used, 0), hours]
        rows.append([*row, shown(list(deviation), 2), f"{fmean(moves):.1f} %"])
    return rows


def game(ask: Ask, percent: int, honest: list[Outcome]) -> list[str]:
    """What some suppliers gain by a device against the same ones honest, and what it does to the others."""
    own = MONTH.devices * percent // 100
    gains, others, usual, surplus, price = [], [], [], [], []
    for seed, before in zip(SEEDS, honest, strict=True):
        after = Town(replace(MONTH, seed=seed, ask=ask, others=percent)).run()
        usual.append(before.profits[:own].sum() / own / ONE)
        more = (after.profits - before.profits) / ONE
        gains.append(more[:own].mean())
        others.append(more[own:].sum() / max(1, len(more) - own))
        surplus.append(100 * (after.surplus / before.surplus - 1))
        price.append(sum(after.prices) / sum(before.prices))
    error = stdev(gains) / len(gains) ** 0.5
    cells = [f"{fmean(gains):+.1f} +- {error:.1f}", f"{min(gains):+.1f} to {max(gains):+.1f}"]
    cells += [f"{fmean(others):+.1f}" if percent < 100 else "-", f"{fmean(usual):.0f}"]
    cells += [f"{fmean(surplus):+.1f} %", f"{fmean(price):.2f}"]
    return [f"{ask.value}: {percent} %", *cells]


def report() -> str:
    """The section of docs/benchmarks.md."""
    months, thin = (
        [Town(replace(MONTH, seed=seed, devices=size)).run() for seed in SEEDS] for size in (SIZE, THIN)
    )
    filled = [100 * each.filled / each.wanted for each in months]
    starts = [Town(replace(MONTH, days=10, start=start)).run() for start in (4 * ONE, ONE // 4)]
    ends = [f"{level(each.prices, (4, 10)) / ONE:.3f}" for each in starts]
    head = [
        "who does it",
        "gain",
        "by seed",
        "gain of the others",
        "honest",
        "renters' surplus",
        "price, times",
    ]
    games = table(head, [game(ask, percent, months) for ask, percent in GAMES])
    text = f"{shown(filled, 1)} % of places were filled. From four times the price and a quarter it comes to"
    levels = table(
        ["", "price", "% hired", "hours to within a tenth", "deviation (log)", "move an hour"],
        [*periods(months, SIZE), *periods(thin, THIN)],
    )
    return f"{levels}\n\n{text} {' and '.join(ends)}.\n\n{games}\n"


def main() -> None:
    """Compute and renew the section between the marks."""
    write_section(SECTION, report())


if __name__ == "__main__":
    main()
