"""All that the demo shows, section by section, and its monthly figures as a file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from keeper.clients import tokenomics
from keeper.demo import (
    buyback_report,
    market_report,
    opening,
    orders_report,
    people,
    proofs_report,
    staking_report,
)
from keeper.demo.buyback import Buyback
from keeper.demo.network import PUBLISHED_MONTHS, Month, Network
from keeper.demo.orders import Market
from keeper.demo.sheet import Picture, Section, Sheet
from keeper.demo.staking import Stakers
from keeper.economy.calendar import MONTHS, hours_in_month, month_name
from keeper.economy.supply import EMISSION_MONTHS, GENESIS_SUPPLY, IO, MAX_SUPPLY, MILLION, io
from keeper.web import figures

LAYERS = {
    "circulating": "circulating",
    "seasons": "in airdrop seasons, not claimed yet",
    "rewards": "emitted for suppliers, and nobody's yet",
    "locked": "locked: vesting",
}
"""What IO is divided into, from the bottom of the figure."""
TICK_MONTHS = 4 * MONTHS


async def sections(network: Network, stakers: Stakers, market: Market, buyback: Buyback) -> list[Section]:
    """Everything that people should see, from who is who to the last year."""
    hours = stakers.results()
    return [
        opening.section(network, stakers, market),
        people.supplier(stakers, market, hours),
        people.renter(market),
        staking_report.rewards(stakers, hours),
        proofs_report.section(stakers, hours),
        staking_report.sums(stakers),
        market_report.section(market),
        orders_report.section(market),
        buyback_report.section(buyback),
        await _launch(network),
        _supply(network),
    ]


def summary(network: Network) -> str:
    """What was compared, and what the chain did."""
    records = network.chain.transactions()
    return (
        f"{network.checks.passed:,} figures compared, all equal; {len(records):,} transactions, "
        f"{sum(r.compute_units for r in records):,} compute units"
    )


def show(found: Sequence[Section], console: Console) -> None:
    """Print it."""
    for section in found:
        console.print(Text(f"\n{section.title}\n", style="bold underline"))
        console.print(section.about, highlight=False, markup=False)
        show_parts(section, console)


def show_parts(section: Section, console: Console) -> None:
    """Print a section's tables and sentences."""
    for part in section.parts:
        console.print()
        console.print(part if isinstance(part, str) else part.rich(), highlight=False, markup=False)


async def _launch(network: Network) -> Section:
    about = (
        "This is how it began. The first IO went to six allocations, most of them locked: after a cliff, "
        "months in which nothing is free, a part of it is each month, a tranche. People who had worked for "
        "the network before got IO in three airdrop seasons: whoever is in a season's published list "
        "claims within 180 days, and what nobody claims goes back."
    )
    parts: list[Sheet | str] = [await _genesis(network), await _seasons(network)]
    return Section("launch", "The beginning", about, parts, (), ("season show --chain OUT/network.chain",))


def _supply(network: Network) -> Section:
    hours, months = network.hours, network.months
    about = (
        "The keeper mints what the formula allows, hour by hour for two days and then month by month for "
        f"{EMISSION_MONTHS // MONTHS} years. Devices work in the first {len(hours)} hours alone here: what "
        "is minted later stays in the reward vault, as there is nobody to earn it. On a network that goes "
        "on, it is paid out."
    )
    march = months[8]
    hourly = io(march.emitted // hours_in_month(march.number))
    said = (
        f"First {len(hours)} hours, one call each: {io(hours[0].fields['amount'])} IO in hour 0, "
        f"{io(hours[-1].fields['emitted'])} IO in all. An hour of {month_name(march.number)}: {hourly} IO "
        "(the network's explorer showed 4,129.12)."
    )
    parts: list[Sheet | str] = [_published(months), _years(months), said]
    check = ("supply --chain OUT/network.chain", "emission")
    return Section("supply", "20 years", about, parts, [_drawn(months)], check)


def _drawn(months: Sequence[Month]) -> Picture:
    """Where all IO is at each month's end."""
    title = "Where all IO is, by the end of each month"
    table = Sheet(title, ("month", *LAYERS.values()))
    for month in months:
        amounts = (getattr(month.supply, name) / MILLION for name in LAYERS)
        table.add_row(month_name(month.number), *(f"{amount:.3f}" for amount in amounts))
    series = [
        figures.Series(
            words, [(at, getattr(month.supply, name) / MILLION) for at, month in enumerate(months)]
        )
        for name, words in LAYERS.items()
    ]
    ticks = [(at, month_name(months[at].number)) for at in range(0, len(months), TICK_MONTHS)]
    axis = figures.Axis(ticks, 0, len(months) - 1)
    svg = figures.areas(title, series, axis, MAX_SUPPLY / MILLION)
    return Picture(
        svg, list(LAYERS.values()), "million IO; the dashed line is the most that there can be", table
    )


async def _genesis(network: Network) -> Sheet:
    columns = ("allocation", "IO", "at launch", "cliff months", "tranches", "released")
    table = Sheet(f"Genesis: {io(GENESIS_SUPPLY, 0)} IO", columns)
    for row in await tokenomics.read_allocations(network.chain):
        plan = row.schedule
        table.add_row(
            row.label,
            io(plan.amount, 0),
            f"{plan.tge_bps / 100:.0f} %",
            str(plan.cliff_months) if plan.cliff_months else "-",
            str(plan.tranches),
            io(row.released, 0),
        )
    return table


async def _seasons(network: Network) -> Sheet:
    table = Sheet("Airdrop seasons", ("season", "pool IO", "wallets", "claims", "claimed IO", "went back IO"))
    for season in await tokenomics.read_seasons(network.chain):
        table.add_row(
            str(season.season),
            io(season.total, 0),
            f"{season.leaves:,}",
            f"{season.claims:,}",
            io(season.claimed, 2),
            io(season.returned, 2),
        )
    return table


def _published(months: Sequence[Month]) -> Sheet:
    table = Sheet("Emission, first year", ("month", "on chain IO", "published IO"))
    for month, published in zip(months, PUBLISHED_MONTHS, strict=False):
        table.add_row(month_name(month.number), io(month.emitted), f"{published:,}")
    return table


def _years(months: Sequence[Month]) -> Sheet:
    columns = ("year to", "emitted in it", "emitted", "vesting locked", "circulating", "supply")
    table = Sheet("Supply, million IO", columns)
    for end in range(MONTHS, len(months) + 1, MONTHS):
        year = months[end - MONTHS : end]
        supply = year[-1].supply
        emitted = sum(month.emitted for month in year)
        amounts = (emitted, supply.emitted, supply.locked, supply.circulating, supply.supply)
        table.add_row(month_name(year[-1].number), *(f"{amount / MILLION:.3f}" for amount in amounts))
    return table


def write_csv(months: Sequence[Month], path: Path) -> None:
    """Write a line a month, amounts in IO with all decimals."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        columns = ("emitted", "burned", "supply", "locked", "seasons", "rewards", "circulating")
        writer.writerow(("month", *columns))
        for month in months:
            amounts = (getattr(month.supply, name) for name in columns)
            writer.writerow((month_name(month.number), *(f"{a // IO}.{a % IO:08}" for a in amounts)))
