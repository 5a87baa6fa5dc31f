"""``ionet buyback``: fees, auctions and burns, and what the keeper would do about them."""

from __future__ import annotations

import asyncio
from decimal import Decimal, InvalidOperation
from typing import Annotated

import structlog
import typer

from keeper.buyback.decide import Quote, Step, View
from keeper.chain import ChainError
from keeper.chain.connect import connect
from keeper.chain.embedded import EmbeddedChain
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.extras import needs
from keeper.cli.options import ChainOption, KeypairOption
from keeper.cli.signing import Session, signs
from keeper.clients import buyback
from keeper.clients.buyback import Auction, AuctionStatus
from keeper.economy import money
from keeper.economy.calendar import moment
from keeper.economy.money import AmountError
from keeper.economy.supply import IO, IO_DECIMALS, io
from keeper.jobs.buyback import plan, read_view
from keeper.jobs.names import AUCTIONS, BIDS, BURNS, FEES
from keeper.runtime import logs
from keeper.settings import Settings
from keeper.terminal import buyback as shown
from keeper.terminal import tables
from keeper.terminal.answers import earning
from keeper.wallet.plan import Plan
from keeper.wallet.roles import read_governed

app = typer.Typer(help="Fees, their auctions, the burning of IO.", no_args_is_help=True)

JOBS = (FEES, AUCTIONS, BIDS, BURNS)
"""The keeper's jobs that are about the buyback, in the order they run in."""
RECENT = 10
"""Past auctions that are shown beside an open one."""


@app.command()
@answers(earning.Buyback)
def show(chain: ChainOption = None, as_json: JsonOption = False) -> None:
    """What came in, what was burned, the open auction with its prices, and the last ones."""

    async def read() -> tuple[View | None, list[Auction]]:
        async with connect(options.settings(chain).chain) as connected:
            return await read_view(connected), await buyback.read_recent(connected, RECENT + 1)

    view, auctions = asyncio.run(read())
    if view is None:
        raise ChainError(f"buyback is not initialised on this chain: there is no account {buyback.CONFIG}")
    if as_json:
        write(shown.as_json(view, auctions))
        return
    tables.show(shown.totals(view))
    if view.auction:
        tables.show(shown.path(view.auction, view.now))
    if past := [each for each in auctions if each.status != AuctionStatus.OPEN]:
        tables.show(shown.history(past))


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
    tables.show(shown.steps(view, quote, limits, due))


def _base_units(price: str) -> int:
    """IO as base units, exactly; raises AmountError when it isn't a positive amount of IO."""
    try:
        units = Decimal(price) * IO
        if 0 < units <= money.U64_MAX and units == int(units):
            return int(units)
    except (InvalidOperation, OverflowError):
        pass
    raise AmountError(f"'{price}' is not an amount of IO: write it like 4.25, at most {IO_DECIMALS} decimals")
