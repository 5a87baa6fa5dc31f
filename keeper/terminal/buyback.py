"""What ``ionet buyback`` shows: fees, auctions and burns, and what is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from rich.table import Table

from keeper.buyback.decide import BidLimits, Quote, Step, View, worth_buying_at
from keeper.clients.buyback import Auction, AuctionStatus
from keeper.economy import money
from keeper.economy.orders import Currency
from keeper.economy.supply import io
from keeper.terminal.answers import earning
from keeper.terminal.tables import plain

PATH_STEPS = 12
"""Lines of an open auction's table between its start and its end."""


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


def as_json(view: View, auctions: Sequence[Auction]) -> earning.Buyback:
    """All of it for programs: base units as text, unix seconds."""
    config = view.config
    known = config.standing.reference
    return {
        "at": view.now,
        "io_vault": str(view.io_vault),
        "usdc_vault": str(view.usdc_vault),
        "burned_fees": str(config.burned_fees),
        "burned_auctions": str(config.burned_auctions),
        "usdc_sold": str(config.usdc_sold),
        "sold": config.sold,
        "unsold": config.unsold,
        "reference_price": str(config.reference_price),
        "anchor_price": str(config.anchor_price),
        "first_price": str(config.first_price),
        "next_start": config.next_start,
        "next_prices": [str(each) for each in config.next_prices()] if known else None,
        "auctions": [_auction(each, view.now) for each in auctions],
    }


def _auction(found: Auction, now: int) -> earning.Auction:
    running = found.status == AuctionStatus.OPEN and now < found.ends_at
    sold = found.status == AuctionStatus.SOLD
    return {
        "number": found.number,
        "status": AuctionStatus(found.status).name.lower(),
        "lot": str(found.lot),
        "started_at": found.started_at,
        "ends_at": found.ends_at,
        "closed_at": found.closed_at,
        "start_price": str(found.start_price),
        "floor_price": str(found.floor_price),
        "price_now": str(found.path.price(now)) if running else None,
        "cost_now": str(found.path.cost(now)) if running else None,
        "price": str(found.price) if sold else None,
        "cost": str(found.cost) if sold else None,
        "bidder": str(found.bidder) if sold else None,
    }


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _hours(seconds: int) -> str:
    return f"{seconds // 3_600} h {seconds % 3_600 // 60:02} min"
