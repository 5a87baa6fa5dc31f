"""The demo's tables about the market: prices, how long orders waited, who matched against the rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from solders.pubkey import Pubkey

from keeper.demo.exchange import FAVOURING
from keeper.demo.orders import Market
from keeper.demo.orders_books import BookedLease
from keeper.demo.sheet import Picture, Section, Sheet
from keeper.demo.staking import HOURS
from keeper.demo.words import begin_of, hours_axis, start
from keeper.economy.calendar import HOUR
from keeper.economy.classes import ClassRow
from keeper.economy.money import DECIMALS
from keeper.economy.orders import Currency, Urgency
from keeper.economy.supply import IO, io
from keeper.terminal import ticks
from keeper.web import figures

TIMES = {Currency.IO: range(0, HOURS + 1, HOURS // 2), Currency.USDC: (0, HOURS)}
"""The hours at whose beginning prices are shown."""
DRAWN = 5
WAIT = 10
"""Classes that are drawn; seconds that are counted together."""
CHECK = (
    "market price --chain OUT/mid.chain",
    "market replay --all --chain OUT/network.chain --rewards OUT/rewards/operator-1 "
    "--dir OUT/market/operator-1 --dir OUT/market/operator-2 --dir OUT/market/operator-3",
)


def section(market: Market) -> Section:
    """Everything that people should see of the market."""
    about = (
        "A renter's order asks for devices of some classes for some hours. Nobody haggles: each class has "
        "one price for a processor's hour in each currency, and every hour operators vote for a step up or "
        "down, by how many of its devices are hired. Every 30 seconds is a tick: the operator whose turn "
        "it is matches what is open with devices that are free, by a rule that others repeat. A match that "
        "the device accepts is a lease."
    )
    parts: list[Sheet | str] = [_prices(market), _waits(market), _summary(market), _favour(market)]
    return Section("market", "Prices and matches", about, parts, [_drawn(market), _waited_for(market)], CHECK)


def _drawn(market: Market) -> Picture:
    """The prices in IO of the classes that were hired most, hour by hour."""
    prices, begin = market.prices, start()
    kinds = {machine.address: machine.kind for machine in prices.machines}
    leased = Counter(kinds[lease.device].id for lease in market.books.leases)
    shown = sorted({kind.id: kind for kind in kinds.values()}.values(), key=lambda kind: -leased[kind.id])[
        :DRAWN
    ]
    title = f"Prices of the {DRAWN} classes that were hired most"
    table, hours = (
        Sheet(title, ("hour", "begins, UTC", *(kind.name for kind in shown)), left=(0, 1)),
        range(HOURS + 1),
    )

    def price(kind: ClassRow, hour: int) -> int:
        return prices.at(kind.id, Currency.IO, begin + hour * HOUR)

    for hour in hours:
        table.add_row(str(hour), begin_of(hour), *(io(price(kind, hour), 4) for kind in shown))
    names = [kind.name for kind in shown]
    series = [
        figures.Series(kind.name, [(hour, price(kind, hour) / IO) for hour in hours], steps=True)
        for kind in shown
    ]
    svg = figures.lines(title, series, hours_axis(HOURS))
    return Picture(svg, names, "IO for an hour of a processor", table)


def _waited_for(market: Market) -> Picture:
    """How many leases were matched within how many seconds of their order's opening, by operators."""
    operators = {operator.pubkey() for operator in market.stakers.operators}
    books = market.books
    again = _again(books.leases)
    waits = [
        each.matched_at - books.orders[each.order].opened_at
        for each in books.leases
        if each.matcher in operators and each not in again
    ]
    groups = [(low, low + WAIT) for low in range(0, max(waits) + 1, WAIT)]
    counts = [sum(low <= each < high for each in waits) for low, high in groups]
    title = "Leases by how long their order waited for the match"
    table = Sheet(title, ("seconds", "leases"))
    for (low, high), count in zip(groups, counts, strict=True):
        table.add_row(f"{low} to {high - 1}", str(count))
    svg = figures.bars(title, [f"{low}-{high - 1}" for low, high in groups], [("leases", counts)])
    return Picture(svg, ["leases"], "leases, by seconds", table)


def _prices(market: Market) -> Sheet:
    """A class's prices over the hours, and who came to lease at them."""
    prices, begin = market.prices, start()
    columns = [f"{unit.name} {hour}" for unit, hours in TIMES.items() for hour in hours]
    title = f"Prices of a processor's hour as hours 0, {HOURS // 2} and {HOURS} begin"
    table = Sheet(title, ("class", *columns, "leases"))
    kinds = {machine.address: machine.kind for machine in prices.machines}
    leased = Counter(kinds[lease.device].id for lease in market.books.leases)
    for kind in dict.fromkeys(kinds.values()):
        amounts = [
            f"{prices.at(kind.id, unit, begin + hour * HOUR) / 10 ** DECIMALS[unit]:.4f}"
            for unit, hours in TIMES.items()
            for hour in hours
        ]
        table.add_row(kind.name, *amounts, str(leased[kind.id]))
    return table


def _waits(market: Market) -> Sheet:
    """Seconds from an order's opening to its matches and to their acceptance."""
    columns = ("", "leases", "matched: half", "all", "accepted: half", "all")
    table = Sheet("Within how many seconds of an order's opening", columns)
    operators = {operator.pubkey() for operator in market.stakers.operators}
    books = market.books
    again = _again(books.leases)
    for urgency in Urgency:
        of_urgency = [lease for lease in books.leases if books.orders[lease.order].urgency == urgency]
        by_operators = [each for each in of_urgency if each.matcher in operators and each not in again]
        _waited(table, market, f"{urgency.name.lower()}, by operators", by_operators)
    _waited(table, market, "places opened again", again)
    _waited(table, market, "by suppliers", [each for each in books.leases if each.matcher not in operators])
    return table


def _again(leases: Sequence[BookedLease]) -> list[BookedLease]:
    """Those of orders of which an earlier one wasn't accepted."""
    first: dict[Pubkey, int] = {}
    for each in leases:
        first.setdefault(each.order, each.matched_at)
    late = {each.order for each in leases if not each.accepted_at}
    return [each for each in leases if each.order in late and each.matched_at > first[each.order]]


def _waited(table: Sheet, market: Market, name: str, leases: Sequence[BookedLease]) -> None:
    opened = {address: order.opened_at for address, order in market.books.orders.items()}
    matched = [each.matched_at - opened[each.order] for each in leases]
    accepted = [each.accepted_at - opened[each.order] for each in leases if each.accepted_at]
    found = [f"{int(f(rows))}" if rows else "" for rows in (matched, accepted) for f in (median, max)]
    table.add_row(name, str(len(leases)), *found)


def _summary(market: Market) -> str:
    prices = market.prices
    moves = Counter(
        (after.amount > before.amount) - (after.amount < before.amount)
        for levels in prices.levels.values()
        for before, after in pairwise(levels)
    )
    return (
        f"In {prices.hours} hours operators voted for steps, and {prices.steps:,} were announced: the "
        f"prices of the classes above went up {moves[1]} times, down {moves[-1]} times, and stood still "
        f"{moves[0]} times. They matched in {market.matched} of the {market.ticks} ticks in which "
        "something was open and had changed."
    )


def _favour(market: Market) -> str:
    favoured = market.exchange.favoured
    assert favoured is not None  # the demo ends otherwise
    return (
        f"Operator {FAVOURING + 1} gives an order to a friend's device, once, though another one's turn it "
        "was; its files and its hash on chain say so, too. Whoever computes the tick again from these "
        "files finds the line, and whose it is. ionet market replay says: "
        f"{' '.join(ticks.replayed(favoured))}"
    )
