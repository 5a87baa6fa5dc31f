"""The demo from genesis to the end of the schedule, with progress, tables and a chart."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from keeper.demo import chart, report
from keeper.demo.network import Network
from keeper.demo.staking import HOURS, Stakers
from keeper.economy.calendar import DAY
from keeper.economy.seasons import points_file
from keeper.economy.supply import EMISSION_MONTHS


async def run(out: Path, console: Console) -> Network:
    """Run the whole demo and leave its files in ``out``; raises DemoFailed at the first wrong figure."""
    started = time.monotonic()
    network = Network.empty()
    stakers = Stakers(network, out / "rewards")
    progress = Progress(
        TextColumn("{task.description:34}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        console=console,
    )
    with progress:
        task = progress.add_task("genesis, vesting due at launch", total=1)
        await network.genesis()
        progress.advance(task)
        for number in (1, 2):
            await _season(network, number, progress)
        await stakers.initialise()
        fleet = len(stakers.fleet.machines)
        task = progress.add_task(f"{fleet} devices, stakes", total=fleet)
        await stakers.onboard(lambda: progress.advance(task))
        task = progress.add_task(f"{HOURS} reward blocks, 3 operators", total=HOURS)
        for hour in range(HOURS):
            await network.hour(hour + 1)
            await stakers.hour(hour)
            progress.advance(task)
        await stakers.finish_blocks()
        task = progress.add_task("reward claims", total=None)
        await stakers.claim(lambda: progress.advance(task))
        await _season(network, 3, progress)
        task = progress.add_task("20 years, month by month", total=EMISSION_MONTHS)
        for month in range(EMISSION_MONTHS):
            await network.month(month)
            if month == 0:
                await stakers.slashes()
                await stakers.leave()
            elif month == 1:
                await stakers.take_out()
            progress.advance(task)
        await network.check_end()
        task = progress.add_task("files and chart", total=1)
        _write(network, out)
        progress.advance(task)
    await report.show(network, stakers, console, time.monotonic() - started)
    return network


async def _season(network: Network, number: int, progress: Progress) -> None:
    season = await network.open_season(number)
    task = progress.add_task(f"airdrop season {number}, claims", total=len(season.claiming))
    network.chain.advance(DAY)
    await network.claim(season, lambda: progress.advance(task))


def _write(network: Network, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for airdrop in network.airdrops:
        number = airdrop.distribution.season
        (out / f"season-{number}-points.csv").write_bytes(points_file(airdrop.points))
    report.write_csv(network.months, out / "supply.csv")
    chart.supply(network.months, out / "supply.png")
    network.chain.save(out / "network.chain")
