"""The demo's tables about the market: prices, how long orders waited, who matched against the rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from rich.table import Table
from solders.pubkey import Pubkey

from keeper.demo.orders import Market
from keeper.demo.orders_books import BookedLease
from keeper.demo.staking import HOURS
from keeper.economy.calendar import HOUR, month_start
from keeper.economy.money import DECIMALS
from keeper.economy.orders import Currency, Urgency
from keeper.terminal import ticks
from keeper.terminal.tables import plain

TIMES = {Currency.IO: range(0, HOURS + 1, HOURS // 2), Currency.USDC: (0, HOURS)}
"""The hours at whose beginning prices are shown."""


def tables(market: Market) -> list[Table | str]:
    """Everything that people should see of the market."""
    return [_prices(market), _waits(market), _summary(market), _favour(market)]


def _prices(market: Market) -> Table:
    """A class's prices over the hours, and who came to lease at them."""
    prices, start = market.prices, month_start(market.network.start_month)
    columns = [f"{unit.name} {hour}" for unit, hours in TIMES.items() for hour in hours]
    title = f"Prices of a processor-hour over {HOURS} hours, by operators' votes"
    table = plain(title, "class", *columns, "leases")
    table.columns[0].no_wrap = True
    kinds = {machine.address: machine.kind for machine in prices.machines}
    leased = Counter(kinds[lease.device].id for lease in market.books.leases)
    for kind in dict.fromkeys(kinds.values()):
        amounts = [
            f"{prices.at(kind.id, unit, start + hour * HOUR) / 10 ** DECIMALS[unit]:.4f}"
            for unit, hours in TIMES.items()
            for hour in hours
        ]
        table.add_row(kind.name, *amounts, str(leased[kind.id]))
    return table


def _waits(market: Market) -> Table:
    """Seconds from an order's opening to its matches and to their acceptance."""
    columns = ("leases", "matched: half", "all", "accepted: half", "all")
    table = plain("Within how many seconds of an order's opening", "", *columns)
    operators = {operator.pubkey() for operator in market.stakers.operators}
    books = market.books
    again = _again(books.leases)
    for urgency in Urgency:
        of_urgency = [lease for lease in books.leases if books.orders[lease.order].urgency == urgency]
        by_operators = [each for each in of_urgency if each.matcher in operators and each not in again]
        _waited(table, market, f"{urgency.name.lower()}, by operators", by_operators)
    _waited(table, market, "places that were open again", again)
    _waited(table, market, "by suppliers", [each for each in books.leases if each.matcher not in operators])
    return table


def _again(leases: Sequence[BookedLease]) -> list[BookedLease]:
    """Those of orders of which an earlier one wasn't accepted."""
    first: dict[Pubkey, int] = {}
    for each in leases:
        first.setdefault(each.order, each.matched_at)
    late = {each.order for each in leases if not each.accepted_at}
    return [each for each in leases if each.order in late and each.matched_at > first[each.order]]


def _waited(table: Table, market: Market, name: str, leases: Sequence[BookedLease]) -> None:
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
    return "An operator matches a friend's device, once; ionet market replay says: " + " ".join(
        ticks.replayed(favoured)
    )
