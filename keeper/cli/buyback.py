"""``ionet buyback``: fees, auctions and burns, and what the keeper would do about them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import structlog
import typer
from rich.table import Table

from keeper.buyback.decide import BidLimits, Quote, Step, View, worth_buying_at
from keeper.chain import ChainError
from keeper.chain.connect import connect
from keeper.chain.embedded import EmbeddedChain
from keeper.cli import options
from keeper.cli.extras import needs
from keeper.cli.options import ChainOption, KeypairOption
from keeper.cli.signing import Session, signs
from keeper.clients import buyback
from keeper.clients.buyback import Auction, AuctionStatus
from keeper.economy import money
from keeper.economy.calendar import moment
from keeper.economy.money import AmountError
from keeper.economy.orders import Currency
from keeper.economy.supply import IO, IO_DECIMALS, io
from keeper.jobs.buyback import plan, read_view
from keeper.jobs.names import AUCTIONS, BIDS, BURNS, FEES
from keeper.runtime import logs
from keeper.settings import Settings
from keeper.terminal import tables
from keeper.terminal.tables import plain
from keeper.wallet.plan import Plan
from keeper.wallet.roles import read_governed

app = typer.Typer(help="Fees, their auctions, the burning of IO.", no_args_is_help=True)

JOBS = (FEES, AUCTIONS, BIDS, BURNS)
"""The keeper's jobs that are about the buyback, in the order they run in."""
PATH_STEPS = 12
"""Lines of an open auction's table between its start and its end."""
RECENT = 10
"""Past auctions that are shown beside an open one."""


@app.command()
def show(chain: ChainOption = None) -> None:
    """What came in, what was burned, the open auction with its prices, and the last ones."""

    async def read() -> tuple[View | None, list[Auction]]:
        async with connect(options.settings(chain).chain) as connected:
            return await read_view(connected), await buyback.read_recent(connected, RECENT + 1)

    view, auctions = asyncio.run(read())
    if view is None:
        raise ChainError(f"buyback is not initialised on this chain: there is no account {buyback.CONFIG}")
    tables.show(totals(view))
    if view.auction:
        tables.show(path(view.auction, view.now))
    if past := [each for each in auctions if each.status != AuctionStatus.OPEN]:
        tables.show(history(past))


@app.command()
def run(
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    once: Annotated[bool, typer.Option("--once", help="run every job once and stop")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done, and why")] = False,
) -> None:
    """Burn fees, close and start auctions, bid, count burns: a keeper with these jobs alone.

    Beside another keeper on the same database it stands by, as ``ionet keeper run`` does.
    """
    settings = options.settings(chain, keypair)
    if dry_run:
        _dry_run(settings)
        return
    with needs("keeper", "ionet buyback run"):
        from keeper.cli.keeper import run_jobs  # noqa: PLC0415 - a keeper's database, for this alone

    run_jobs(settings, [name for name in JOBS if name in settings.jobs], once=once)


@app.command("first-price")
@signs
async def first_price(
    session: Session, price: Annotated[str, typer.Argument(help="IO per USDC, such as 4.25")]
) -> None:
    """Announce the first auction's price (admin): it can start after the notice, if no guardian drops it."""
    units = _base_units(price)
    at = await read_governed(session.chain, "buyback")
    at.require_admin(session.address)
    note = (
        f"announced: {io(units)} IO per USDC; the first auction can start from "
        f"{moment(session.now + at.config.params.notice)} on. Until then the guardian can drop it."
    )
    plan = Plan((buyback.propose_first_price(session.address, units),), notes=(note,))
    await session.carry_out(plan)


# -- tables --------------------------------------------------------------------------------------


def totals(view: View) -> Table:
    """The config's counters."""
    config = view.config
    table = plain(f"Buyback at {_time(view.now)} UTC", "", "")
    table.add_row("IO in the vault", io(view.io_vault))
    table.add_row("IO burned from fees", io(config.burned_fees))
    table.add_row("IO burned by bidders", io(config.burned_auctions), end_section=True)
    table.add_row("USDC that came in", money.show(view.usdc_vault + config.usdc_sold, Currency.USDC))
    table.add_row("- sold", money.show(config.usdc_sold, Currency.USDC))
    table.add_row("USDC in the vault", money.show(view.usdc_vault, Currency.USDC), end_section=True)
    table.add_row("auctions: sold, not sold", f"{config.sold:,}, {config.unsold:,}")
    if reference := config.standing.reference:
        begin, end = config.next_prices()
        which = "reference" if config.reference_price else "first"
        table.add_row(f"{which} price, IO per USDC", io(reference))
        if config.anchor_price:
            table.add_row("anchor price, IO per USDC", io(config.anchor_price))
        table.add_row("the next one falls from, to", f"{io(begin)}, {io(end)}")
        share = Decimal(config.standing.share_bps) / 100
        table.add_row("and sells of a whole lot", f"{share:.2f} %")
        table.add_row("and can start from", _time(config.next_start))
    return table


def path(auction: Auction, now: int) -> Table:
    """An open auction's prices, the current one marked."""
    title = f"Auction {auction.number}: {money.show(auction.lot, Currency.USDC)} USDC"
    table = plain(title, "UTC", "IO per USDC", "IO for the lot", "")
    duration = auction.ends_at - auction.started_at
    moments = [auction.started_at + duration * step // PATH_STEPS for step in range(PATH_STEPS)]
    for at in sorted({*moments, auction.ends_at - 1, *([now] if now < auction.ends_at else [])}):
        price, cost = auction.path.price(at), auction.path.cost(at)
        assert price is not None and cost is not None  # all of them are inside
        mark = "now" if at == now else ""
        table.add_row(_time(at), io(price), io(cost), mark, style="bold" if mark else None)
    if now >= auction.ends_at:
        table.caption = "its time is over: nobody took it"
    return table


def history(auctions: list[Auction]) -> Table:
    """Past auctions."""
    table = plain("Past auctions", "number", "started, UTC", "USDC", "came to", "IO per USDC", "IO burned")
    for each in auctions:
        sold = each.status == AuctionStatus.SOLD
        table.add_row(
            str(each.number),
            _time(each.started_at),
            money.show(each.lot, Currency.USDC),
            f"{AuctionStatus(each.status).name.lower()} after {_hours(each.closed_at - each.started_at)}",
            io(each.price) if sold else "",
            io(each.cost) if sold else "",
        )
    return table


def steps(view: View, quote: Quote | None, limits: BidLimits, found: list[Step]) -> Table:
    """Each step, whether it is due, and why or why not."""
    table = plain(f"What is due at {_time(view.now)} UTC", "step", "auction", "due", "why", "when")
    for step in found:
        number = str(step.number) if step.kind != "burn fees" else ""
        when = _time(step.at) if step.at and not step.due else ""
        table.add_row(step.kind.value, number, "yes" if step.due else "no", step.why, when)
    if quote:
        most = worth_buying_at(quote, limits)
        table.caption = f"worth by {quote.source}: {io(quote.price)} IO per USDC; bids from {io(most)} down"
    return table


def _dry_run(settings: Settings) -> None:
    with needs("keeper", "ionet buyback run"):
        from keeper.runtime import wiring  # noqa: PLC0415 - a keeper's database, for this alone

    logs.configure(settings.log)
    bidder, limits = settings.signer(), wiring.bid_limits(settings)

    async def read() -> tuple[View, Quote | None, list[Step]] | None:
        async with connect(settings.chain) as connected:
            if isinstance(connected, EmbeddedChain):
                # As the jobs would find it, but none of it is saved.
                connected.follow_wall_clock()
            log = structlog.get_logger()
            source = wiring.price_source(settings)
            return await plan(connected, bidder.pubkey(), log, source=source, limits=limits)

    found = asyncio.run(read())
    if found is None:
        raise ChainError(f"buyback is not initialised on this chain: there is no account {buyback.CONFIG}")
    view, quote, due = found
    tables.show(steps(view, quote, limits, due))


def _base_units(price: str) -> int:
    """IO as base units, exactly; raises AmountError when it isn't a positive amount of IO."""
    try:
        units = Decimal(price) * IO
        if 0 < units <= money.U64_MAX and units == int(units):
            return int(units)
    except (InvalidOperation, OverflowError):
        pass
    raise AmountError(f"'{price}' is not an amount of IO: write it like 4.25, at most {IO_DECIMALS} decimals")


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _hours(seconds: int) -> str:
    return f"{seconds // 3_600} h {seconds % 3_600 // 60:02} min"
