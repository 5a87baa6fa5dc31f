"""The assignment of a tick: which order gets which device, by a published rule that anybody repeats.

Orders come one after the other and take the first free devices that they can have, the cheapest class
first. One that is short has others change devices, where nobody has fewer for it. There are integers and a
fixed sequence alone: the same rows give the same matches.
"""

from __future__ import annotations

import numpy as np

from keeper.economy.orders import Currency
from keeper.market.exchange import NOBODY, Board
from keeper.market.holding import Holding, countries_of
from keeper.market.places import Places, found, inverse
from keeper.market.reach import ANYWHERE, Table, Wish
from keeper.market.sequence import device_sequence, order_sequence, seed_of
from keeper.market.snapshot import Snapshot
from keeper.market.wishes import wishes
from keeper.market.work import Limits, Share
from keeper.tables import KEY, Rows

VERSION = 2
"""Of the rule: files name it, so that later rules leave them as they are."""
LIMITS = Limits(searches=1_000, looks=64_000_000, first=64_000_000)
"""What a tick may cost; whom its part of it doesn't serve has another one in the next tick."""

MATCH = np.dtype([("order", KEY), ("device", KEY), ("price", "<u8")])
"""A device that an order gets, at the price of a processor and hour in the order's currency, base units."""


def assign(snapshot: Snapshot, limits: Limits = LIMITS) -> Rows:
    """The matches of a tick, as :data:`MATCH` rows sorted by order and device; the rule has LIMITS."""
    seed = seed_of(snapshot.blockhash, snapshot.tick)
    out = snapshot.devices["out"] != 0
    there = snapshot.devices[~out] if out.any() else snapshot.devices
    device_at = device_sequence(there, snapshot.now, seed)
    order_at = order_sequence(snapshot.orders, seed)
    orders = snapshot.orders[order_at]
    table = Table(there, device_at, snapshot.prices, countries_of(snapshot))
    wanted = wishes(table, orders, _served(snapshot, table, order_at))
    board, work = Board(table, wanted, limits, seed), Share(limits.first, len(wanted))
    holding = Holding(snapshot, board.table, orders["renter"])
    for place, wish in enumerate(wanted):
        work.turn()
        _serve(board, holding, place, wish, work)
    return _matches(board, orders, order_at)


def _serve(board: Board, holding: Holding, place: int, wish: Wish, work: Share) -> None:
    """Give an order what it gets, perhaps nothing."""
    chooses = wish.colocated and wish.country == ANYWHERE
    first = board.table.together(wish, work) if chooses else board.table.first(wish, work)
    board.give(place, first)
    has = len(first)
    if wish.exchanges:
        has += board.exchange(place, has, wish)
    if has < wish.minimum:
        board.take_back(first)
        board.keep(holding.kept(place, wish, first, work))


def _served(snapshot: Snapshot, table: Table, order_at: Places) -> tuple[Places, Places]:
    """The snapshot's pairs by places in both sequences."""
    pairs = snapshot.pairs
    order, has_order = found(snapshot.orders["order"], pairs["order"])
    device, has_device = found(table.devices["device"], pairs["device"])
    both = has_order & has_device
    return inverse(order_at)[order[both]], table.place_of[device[both]]


def _matches(board: Board, orders: Rows, order_at: Places) -> Rows:
    """What the board says; both tables were sorted by address before they came into sequence."""
    devices, device_at = board.table.devices, board.table.sequence
    taken = (board.order != NOBODY).nonzero()[0]
    taken = taken[np.argsort(order_at[board.order[taken]] * len(devices) + device_at[taken])]
    of = board.order[taken]
    rows = np.zeros(len(taken), MATCH)
    rows["order"], rows["device"] = orders["order"][of], devices["device"][device_at[taken]]
    costs = (board.table.costs[each][taken] for each in (Currency.USDC, Currency.IO))
    rows["price"] = np.where(orders["currency"][of] == Currency.USDC, *costs)
    return rows
