"""The demo's tables and chart of the buyback: fees in, each auction's price path, IO burned, supply."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from matplotlib.figure import Figure

from keeper.clients.buyback import Auction, AuctionStatus
from keeper.demo.buyback import KEEPER_NAME, Buyback, Round
from keeper.demo.sheet import Picture, Section, Sheet
from keeper.demo.words import date
from keeper.economy.calendar import HOUR
from keeper.economy.money import show
from keeper.economy.orders import Currency
from keeper.economy.supply import IO, io
from keeper.web import figures

PATH_COLOUR, FILL_COLOUR, BURN_COLOUR = "#2f6f8f", "#b03a3a", "#4fa36c"
CHECK = ("buyback show --chain OUT/network.chain",)


def section(buyback: Buyback) -> Section:
    """Everything that people should see of the buyback."""
    about = (
        "What the network takes as fees makes IO scarcer. Fees in IO are burned. Fees in USDC are sold a "
        "lot a day, to whoever first takes the price, which falls from hour to hour; the IO that is paid "
        "for them is burned, too. What nobody takes is offered again the next day, down to half the price. "
        "Lots are small at first, as nobody has paid the first price yet."
    )
    parts: list[Sheet | str] = [_rounds(buyback.rounds), _sums(buyback), _summary(buyback.rounds)]
    drawn = [_paths(buyback), _burned(buyback)] if auctions(buyback.rounds) else []
    return Section("buyback", "Fees become fewer IO", about, parts, drawn, CHECK)


def _paths(buyback: Buyback) -> Picture:
    """Each lot's price as it fell until it was sold, or to the day's end."""
    title = "The price of each lot, as it falls until it is sold"
    table = Sheet(title, ("lot opened, UTC", "from", "ended, UTC", "at", ""), left=(0, 2, 4))
    found, sold = [], []
    for one in auctions(buyback.rounds):
        is_sold = one.status == AuctionStatus.SOLD
        end = one.closed_at if is_sold else one.ends_at
        price = one.price if is_sold else one.floor_price
        found.append(figures.Series("price", [(one.started_at, one.start_price / IO), (end, price / IO)]))
        if is_sold:
            sold.append((end, price / IO))
        words = "sold" if is_sold else "not sold"
        table.add_row(date(one.started_at), io(one.start_price, 4), date(end), io(price, 4), words)
    svg = figures.lines(title, [figures.Series("sold", sold, marks=True), *found], _days(buyback.rounds))
    return Picture(svg, ("sold", "price of a lot"), "IO for a USDC", table)


def _burned(buyback: Buyback) -> Picture:
    """What was burned so far."""
    title = "IO burned so far, of fees and by bidders"
    moments, sums = _burns(buyback.rounds)
    table = Sheet(title, ("UTC", "IO"))
    for at, total in zip(moments, sums, strict=True):
        table.add_row(date(at), io(total))
    points = [(at, total / IO) for at, total in zip(moments, sums, strict=True)]
    svg = figures.lines(title, [figures.Series("burned", points, steps=True)], _days(buyback.rounds))
    return Picture(svg, ("burned",), "IO", table)


def _days(rounds: Sequence[Round]) -> figures.Axis:
    found = auctions(rounds)
    ticks = [(one.started_at, f"{datetime.fromtimestamp(one.started_at, UTC):%d %b}") for one in found[::2]]
    return figures.Axis(ticks, found[0].started_at, found[-1].ends_at)


def auctions(rounds: Sequence[Round]) -> list[Auction]:
    """The rounds' auctions."""
    return [each.auction for each in rounds if each.auction]


def _rounds(rounds: Sequence[Round]) -> Sheet:
    columns = ("day", "lot USDC", "from", "to", "sold at", "after", "winner", "IO burned")
    begins = "".join(f" from {date(each.started_at)} UTC" for each in auctions(rounds)[:1])
    table = Sheet(f"An auction a day{begins}; prices in IO per USDC", columns)
    for each in rounds:
        cells = [str(each.day + 1)]
        if one := each.auction:
            cells += [show(one.lot, Currency.USDC), io(one.start_price, 4), io(one.floor_price, 4)]
            if one.status == AuctionStatus.SOLD:
                hours = (one.closed_at - one.started_at) // HOUR
                cells += [io(one.price, 4), f"{hours} h", each.winner, io(one.cost, 4)]
            else:
                cells.append("not sold")
        table.add_row(*cells)
    return table


def _sums(buyback: Buyback) -> Sheet:
    """What came in, what was sold and burned, and the supply before and after."""
    before, after = buyback.supplies
    sold = [each for each in auctions(buyback.rounds) if each.status == AuctionStatus.SOLD]
    burned = sum(each.burned_fees for each in buyback.rounds)

    def row(name: str, io_amount: int, usdc: int | None = None, *, ends: bool = False) -> None:
        dollars = "" if usdc is None else show(usdc, Currency.USDC)
        table.add_row(name, io(io_amount), dollars, end_section=ends)

    table = Sheet("Fees became fewer IO", ("", *(currency.name for currency in Currency)))
    row("fees in", *(buyback.fees_in[each] for each in Currency))
    row("- burned, sold", burned, sum(each.lot for each in sold), ends=True)
    row("left in the vaults", *(buyback.left[each] for each in Currency), ends=True)
    row("supply before", before.supply)
    row("+ emitted meanwhile", after.emitted - before.emitted)
    row("- fees burned", burned)
    row("- paid by bidders, burned", sum(each.cost for each in sold), ends=True)
    row("supply after", after.supply)
    return table


def _summary(rounds: Sequence[Round]) -> str:
    late = sum(each.late for each in rounds)
    return (
        f"{late} bids came in the same second as the one that took the lot: refused, at no cost. "
        f"Lots that the keeper took itself: {sum(each.winner == KEEPER_NAME for each in rounds)}."
    )


def chart(rounds: Sequence[Round], path: Path) -> None:
    """Draw each auction's price path with its fill, and the IO burned so far, as a PNG."""
    figure = Figure(figsize=(10, 6.4), dpi=120)
    prices, burned = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for one in auctions(rounds):
        times = [one.started_at, one.closed_at if one.status == AuctionStatus.SOLD else one.ends_at]
        fall = (one.start_price - one.floor_price) / (one.ends_at - one.started_at)
        values = [(one.start_price - fall * (at - one.started_at)) / IO for at in times]
        prices.plot(_dates(times), values, color=PATH_COLOUR, linewidth=1.5)
        if one.status == AuctionStatus.SOLD:
            rest = [values[-1], one.floor_price / IO]
            prices.plot(
                _dates([one.closed_at, one.ends_at]), rest, color=PATH_COLOUR, linestyle=":", linewidth=1
            )
            prices.plot(_dates([one.closed_at]), [one.price / IO], "o", color=FILL_COLOUR, markersize=6)
    prices.plot([], [], color=PATH_COLOUR, label="Price of the lot")
    prices.plot([], [], "o", color=FILL_COLOUR, label="Sold, and the IO burned")
    prices.set_ylabel("IO per USDC")
    prices.set_ylim(bottom=0)
    prices.set_title("Fees in USDC, auctioned for IO that is burned", loc="left", fontweight="bold")
    prices.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=9)
    moments, total = _burns(rounds)
    burned.step(
        _dates(moments), [each / IO for each in total], where="post", color=BURN_COLOUR, linewidth=1.5
    )
    burned.fill_between(
        _dates(moments), [each / IO for each in total], step="post", color=BURN_COLOUR, alpha=0.2
    )
    burned.set_ylabel("IO burned so far")
    burned.yaxis.set_major_formatter("{x:,.0f}")
    burned.set_ylim(bottom=0)
    for axes in (prices, burned):
        axes.spines[["top", "right"]].set_visible(False)
    figure.autofmt_xdate(rotation=30)
    figure.tight_layout()
    figure.savefig(path)


def _burns(rounds: Sequence[Round]) -> tuple[list[int], list[int]]:
    """When IO was burned, up to the last day's end, and how much by then; fees at the day's start."""
    steps: list[tuple[int, int]] = []
    for each in rounds:
        if one := each.auction:
            steps.append((one.started_at, each.burned_fees))
            steps += [(one.closed_at, one.cost), (one.ends_at, 0)]
    total, sums = 0, []
    for _, amount in sorted(steps):
        total += amount
        sums.append(total)
    return sorted(at for at, _ in steps), sums


def _dates(moments: Sequence[int]) -> list[datetime]:
    return [datetime.fromtimestamp(at, UTC) for at in moments]
