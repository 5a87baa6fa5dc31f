"""The demo from genesis to the end of the schedule, with progress, tables and a chart."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from keeper.demo import buyback_report, chart, midlife, page, report
from keeper.demo.beside import Beside, beside
from keeper.demo.buyback import Buyback
from keeper.demo.network import Network
from keeper.demo.orders import Market
from keeper.demo.processes import import_beside, keep_all, processes
from keeper.demo.proofs import Proofs
from keeper.demo.sheet import Section
from keeper.demo.staking import HOURS, Stakers
from keeper.demo.workplace import Workplace, workplace
from keeper.economy.calendar import DAY
from keeper.economy.seasons import points_file
from keeper.economy.supply import EMISSION_MONTHS
from keeper.errors import UserError, why
from keeper.rewards import seasons

REWARDS, PROOFS, MARKET = "rewards", "pow", "market"
"""Folders of the operators' reward blocks, of their files of proof of work, and of those of the market."""


class FolderRefused(UserError):
    """A folder that the demo's files can't go to."""


class Done(NamedTuple):
    """What the demo comes to."""

    network: Network
    sections: Sequence[Section]
    summary: str


async def run(out: Path, console: Console, http_hours: int = 1) -> Done:
    """Run the whole demo and leave its files in ``out``; devices prove over HTTP for ``http_hours`` hours.

    Raises DemoFailed at the first wrong figure, FolderRefused.
    """
    _make(out)
    with beside() as other:
        async with workplace(out, other.pool) as place:
            return await _run(out, place, other, console, http_hours)


async def _run(out: Path, place: Workplace, other: Beside, console: Console, http_hours: int) -> Done:
    started = time.monotonic()
    import_beside()
    network = Network.empty()
    stakers = Stakers(network, other, place.folder / REWARDS, place.folder / PROOFS, http_hours)
    buyback, market = Buyback(network), Market(network, stakers, place.folder / MARKET)
    progress = Progress(
        TextColumn("{task.description:34}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        console=console,
    )
    with progress:
        await _begin(network, stakers, market, buyback, progress)
        await _two_days(network, stakers, market, progress)
        with _writing(out):
            midlife.begin(network, out, other)
        await stakers.finish_blocks()
        for name in (PROOFS, REWARDS, MARKET):
            place.keep(name)
        await _end(network, stakers, market, buyback, progress)
        await other.finish()
        task = progress.add_task("files and charts", total=1)
        sections, summary = await report.sections(network, stakers, market, buyback), report.summary(network)
        with _writing(out):
            other.start(chart.supply, network.months, out / "supply.png")
            other.start(buyback_report.chart, buyback.rounds, out / "buyback.png")
            _write(network, out)
            page.write(sections, summary, out)
            await other.finish()
            await place.finish()
            _publish_seasons(network, out / REWARDS / "operator-1")
        progress.advance(task)
    report.show(sections, console)
    console.print(f"\n[bold green]{summary}[/]\nin {time.monotonic() - started:.1f} s", highlight=False)
    return Done(network, sections, summary)


async def _begin(
    network: Network, stakers: Stakers, market: Market, buyback: Buyback, progress: Progress
) -> None:
    """Genesis, two airdrops, and all that is there when the emission's first hour begins."""
    task = progress.add_task("genesis, vesting due at launch", total=1)
    await network.genesis()
    progress.advance(task)
    for number in (1, 2):
        await _season(network, number, progress)
    await stakers.initialise()
    fleet = len(stakers.fleet.machines)
    task = progress.add_task(f"{fleet} devices, stakes", total=fleet)
    await stakers.onboard(lambda: progress.advance(task))
    await buyback.initialise()
    await market.initialise()
    network.begin()
    keep_all()


async def _end(
    network: Network, stakers: Stakers, market: Market, buyback: Buyback, progress: Progress
) -> None:
    """Claims, auctions of the fees, another airdrop, 20 years, and everybody's stakes back."""
    await market.finish()
    claims = stakers.claims()
    task = progress.add_task("reward claims", total=len(claims))
    await stakers.claim(claims, lambda: progress.advance(task))
    await buyback.open()
    task = progress.add_task("days, an auction of fees each", total=0)
    while await buyback.goes_on():
        await buyback.day()
        progress.update(task, advance=1, total=len(buyback.rounds))
    await buyback.finish(market.books.fees)
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


async def _two_days(network: Network, stakers: Stakers, market: Market, progress: Progress) -> None:
    """The hours for which devices prove and are paid, and renters hire them."""
    task = progress.add_task(f"{HOURS} hours of proofs, rewards, orders", total=HOURS)
    with processes() as workers:
        proofs = Proofs(network, stakers, workers)
        async with proofs.opened():
            for hour in range(HOURS):
                await market.hour(hour)
                await network.hour(hour + 1)
                progress.advance(task)
            await proofs.finish()
        proofs.leave()


async def _season(network: Network, number: int, progress: Progress) -> None:
    season = await network.open_season(number)
    task = progress.add_task(f"airdrop season {number}, claims", total=len(season.claiming))
    network.chain.advance(DAY)
    await network.claim(season, lambda: progress.advance(task))


def _make(out: Path) -> None:
    with _writing(out):
        out.mkdir(parents=True, exist_ok=True)


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FolderRefused(f"{out} can't be written: {why(error)}; name another folder by --out") from error


def _write(network: Network, out: Path) -> None:
    for airdrop in network.airdrops:
        number = airdrop.distribution.season
        (out / f"season-{number}-points.csv").write_bytes(points_file(airdrop.points))
    report.write_csv(network.months, out / "supply.csv")
    network.chain.save(out / "network.chain")
    midlife.write_keys(out / midlife.KEYS)


def _publish_seasons(network: Network, folder: Path) -> None:
    for airdrop in network.airdrops:
        seasons.publish(folder, airdrop.distribution, points_file(airdrop.points))
