"""The demo's tables, and its monthly figures as a file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from keeper.clients import tokenomics
from keeper.demo import buyback_report, market_report, orders_report, staking_report
from keeper.demo.buyback import Buyback
from keeper.demo.network import PUBLISHED_MONTHS, Month, Network
from keeper.demo.orders import Market
from keeper.demo.staking import Stakers
from keeper.economy.calendar import MONTHS, hours_in_month, month_name
from keeper.economy.supply import IO, MILLION, io
from keeper.terminal.tables import plain


async def show(
    network: Network, stakers: Stakers, market: Market, buyback: Buyback, console: Console, seconds: float
) -> None:
    """Print everything that people should see."""
    for table in (
        await _genesis(network),
        await _seasons(network),
        *staking_report.tables(stakers),
        *market_report.tables(market),
        *orders_report.tables(market),
        *buyback_report.tables(buyback),
        _published(network.months),
        _years(network.months),
    ):
        console.print(table)
    first, last = network.hours[0].fields, network.hours[-1].fields
    console.print(
        f"First {len(network.hours)} hours, one call each: "
        f"{io(first['amount'])} IO in the first, {io(last['emitted'])} IO in all."
    )
    march = network.months[8]
    hourly = io(march.emitted // hours_in_month(march.number))
    console.print(
        f"An hour of {month_name(march.number)}: {hourly} IO (the network's explorer showed 4,129.12)."
    )
    records = network.chain.transactions()
    console.print(
        f"[bold green]{network.checks.passed:,} figures compared, all equal[/]; "
        f"{len(records):,} transactions, {sum(r.compute_units for r in records):,} compute units, "
        f"{seconds:.1f} s."
    )


async def _genesis(network: Network) -> Table:
    table = plain(
        "Genesis: 500,000,000 IO", "allocation", "IO", "at launch", "cliff months", "tranches", "released"
    )
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


async def _seasons(network: Network) -> Table:
    table = plain("Airdrop seasons", "season", "pool IO", "wallets", "claims", "claimed IO", "went back IO")
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


def _published(months: Sequence[Month]) -> Table:
    table = plain("Emission, first year", "month", "on chain IO", "published IO")
    for month, published in zip(months, PUBLISHED_MONTHS, strict=False):
        table.add_row(month_name(month.number), io(month.emitted), f"{published:,}")
    return table


def _years(months: Sequence[Month]) -> Table:
    columns = ("year to", "emitted in it", "emitted", "vesting locked", "circulating", "supply")
    table = plain("Supply, million IO", *columns)
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
