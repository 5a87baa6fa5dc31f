"""The network's price in a month of agents: where it settles, how fast it follows, what gaming it brings.

``python benches/month.py`` takes some minutes, and renews tables in docs/benchmarks.md and docs/month.svg.
The market is that of ``ionet market simulate`` (keeper/market/simulation). Draws have fixed
seeds, so that the tables are the same everywhere.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

from idl_codec import table, write_section

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.market.simulation.findings import Game, Period, filled, game, periods  # noqa: E402
from keeper.market.simulation.outcome import Outcome  # noqa: E402
from keeper.market.simulation.play import play  # noqa: E402
from keeper.market.simulation.scenario import ONE, WORDS, Attack, Scenario  # noqa: E402
from keeper.terminal.simulation_chart import draw  # noqa: E402

SECTION = "month.py"
CHART = REPOSITORY / "docs/month.svg"
SEEDS = range(1, 4)
THIN = 16
"""Devices of a thin class."""
GAMED = Scenario(devices=150, days=10, shocks=())
"""What games are played in."""
GAMES = (
    (Attack.LEAVES, 10),
    (Attack.PRICE, 10),
    (Attack.HALF, 10),
    (Attack.MARGIN, 10),
    (Attack.MARGIN, 100),
    (Attack.WITHHOLDS, 10),
    (Attack.WITHHOLDS, 30),
    (Attack.SELF_HIRE, 10),
    (Attack.SELF_HIRE, 30),
    (Attack.BUYS, 10),
    (Attack.RARE, 18),
    (Attack.BAIT, 18),
    (Attack.FLOOD, 10),
    (Attack.TOUCHES, 30),
    (Attack.TOUCHES, 100),
    (Attack.FLASH, 30),
    (Attack.HEAD, 30),
    (Attack.LULL, 30),
    (Attack.BLINKS, 30),
    (Attack.PROPS, 30),
    (Attack.UNPROVEN, 30),
    (Attack.ROGUE, 10),
    (Attack.ROGUE, 30),
)
GOALS = 75, 100, 150
"""Percent of the first price to which operators vote who own a tenth of the devices."""


def shown(figures: list[float], digits: int) -> str:
    """The mean of seeds, and from where to where they go."""
    low, high = min(figures), max(figures)
    return f"{fmean(figures):,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def levels(name: str, found: list[Period]) -> list[str]:
    """A row: a period in each seed."""
    prices, used = [each.price for each in found], [each.used for each in found]
    hours = [each.hours_to for each in found if each.hours_to is not None]
    cells = [name, shown(prices, 3), shown(used, 0), shown(hours, 0) if found[0].day else "-"]
    moves = fmean(each.move for each in found)
    return [*cells, shown([each.deviation for each in found], 2), f"{moves:.1f} %"]


def gained(name: str, found: list[Game]) -> list[str]:
    """A row: what some gain by a device against the same one honest, and what it does to the others."""
    gains = [each.gain for each in found]
    error = stdev(gains) / len(gains) ** 0.5
    cells = [name, f"{fmean(gains):+.1f} +- {error:.1f}", f"{min(gains):+.1f} to {max(gains):+.1f}"]
    means = {
        each: fmean(getattr(one, each) for one in found)
        for each in ("others", "honest", "surplus", "price", "served")
    }
    cells += [f"{means['others']:+.1f}", f"{means['honest']:.0f}", f"{means['served']:+.0f} %"]
    return [*cells, f"{means['surplus']:+.1f} %", f"{means['price']:.2f}"]


def report() -> str:
    """The section of docs/benchmarks.md."""
    months = [Scenario(seed=seed) for seed in SEEDS]
    thin = [replace(each, devices=THIN) for each in months]
    starts = [Scenario(days=10, start=start, shocks=()) for start in (4 * ONE, ONE // 4)]
    names = {(attack, share, 0): f"{WORDS[attack]}: {share} %" for attack, share in GAMES} | {
        (Attack.VOTES, 10, goal): f"{WORDS[Attack.VOTES]}, {goal / 100:.2f}: 10 %" for goal in GOALS
    }
    attacked = [
        replace(GAMED, seed=seed, attack=attack, share=share, goal=goal or GAMED.goal)
        for attack, share, goal in names
        for seed in SEEDS
    ]
    wanted = list(dict.fromkeys([*months, *thin, *starts, *(each.honest for each in attacked), *attacked]))
    found: dict[Scenario, Outcome] = {}
    with ProcessPoolExecutor() as pool:
        for scenario, outcome in zip(wanted, pool.map(play, wanted), strict=True):
            found[scenario] = outcome
            print(f"{len(found)} of {len(wanted)}", end="\r", file=sys.stderr, flush=True)
    rows = []
    for scenarios in (months, thin):
        by_period = zip(*(periods(each, found[each]) for each in scenarios), strict=True)
        for name, each in zip(("at first", "demand at 45 %", "IO at half, too"), by_period, strict=True):
            rows.append(levels(f"{scenarios[0].devices} devices, {name}", list(each)))
    head = ["", "price", "% hired", "hours to within a tenth", "deviation (log)", "move an hour"]
    games = []
    for at, name in enumerate(names.values()):
        of = attacked[at * len(SEEDS) : (at + 1) * len(SEEDS)]
        games.append(gained(name, [game(each, found[each.honest], found[each]) for each in of]))
    draw(months[0], {"honest": found[months[0]]}, CHART)
    fill = shown([filled(found[each]) for each in months], 1)
    ends = " and ".join(f"{fmean(found[each].prices[-144:]) / ONE:.3f}" for each in starts)
    text = f"{fill} % of places were filled. From four times the price and a quarter it comes to {ends}."
    columns = ["who does it", "gain", "by seed", "gain of the others", "honest", "hours served"]
    return f"{table(head, rows)}\n\n{text}\n\n{table([*columns, 'renters', 'price, times'], games)}\n"


def main() -> None:
    """Compute and renew the section between the marks."""
    write_section(SECTION, report())


if __name__ == "__main__":
    main()
