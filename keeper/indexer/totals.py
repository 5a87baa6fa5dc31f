"""What moved on a day, by the name that it is shown under: amounts of events, and how many there were."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from keeper.chain import Event
from keeper.chain.program import Fields
from keeper.economy.orders import Currency
from keeper.indexer.book import Book

Moved = Iterable[tuple[str, int]]
"""Names and amounts, base units."""
Reads = Callable[[Book, Fields], Moved]


def _amount(name: str, *fields: str) -> Reads:
    """All that some fields come to."""
    return lambda book, event: [(name, sum(event[each] for each in fields))]


def _of_order(name: str, *fields: str, order: str = "cluster_id") -> Reads:
    """The same in the currency of the order that the event is about, which must be there still."""

    def read(book: Book, event: Fields) -> Moved:
        currency = book.get("Order", event[order])["terms"]["currency"]
        return [(f"{name}_{Currency(currency).name.lower()}", sum(event[each] for each in fields))]

    return read


def _worked(book: Book, event: Fields) -> Moved:
    """What a supplier got for time served, and both fees on it."""
    gross, fee = event["amount"], event["fee"]
    return [
        *_of_order("rent", "amount")(book, event),
        *((name, gross - fee) for name, _ in _of_order("supplied")(book, event)),
        *_of_order("order_fees", "fee", "renter_fee")(book, event),
    ]


TOTALS: Mapping[str, Mapping[str, Reads]] = {
    "tokenomics": {
        "Launched": _amount("minted", "minted"),
        "Emitted": _amount("emitted", "amount"),
        "Released": _amount("released", "amount"),
        "SeasonClaimed": _amount("season_claimed", "amount"),
        "Burned": _amount("burned", "amount", "by_others"),
        "BurnsCounted": _amount("burned", "amount"),
    },
    "staking": {
        "Staked": _amount("staked", "amount"),
        "CoStaked": _amount("staked", "amount"),
        "OverflowWithdrawn": _amount("unstaked", "amount"),
        "Withdrawn": _amount("unstaked", "amount"),
        "CoStakeWithdrawn": _amount("unstaked", "amount"),
        "Slashed": _amount("slashed", "burned"),
        "RewardClaimed": _amount("claimed", "amount"),
        "DeviceRegistered": _amount("registered"),
    },
    "orders": {
        "Pay": _of_order("escrowed", "amount"),
        "Worked": _worked,
        "Refund": _of_order("refunded", "amount"),
        "LeaseEnded": _of_order("order_fees", "charged", order="order"),
        "OrderCancelled": _of_order("order_fees", "charged", order="order"),
        "BookProduct": _of_order("ordered"),
        "LeaseAccepted": _amount("accepted"),
    },
    "buyback": {
        "AuctionSold": lambda book, event: [
            ("auctioned_usdc", event["lot"]),
            ("auction_burned", event["cost"]),
        ],
        "FeesBurned": _amount("fees_burned", "amount"),
    },
}
"""By program, by event. ``rent`` is what renters paid for time served, before their own fee; of it suppliers
got ``supplied``. ``registered``, ``ordered`` and ``accepted`` count, and have no amounts."""
VERSION = 1
"""Raised when the table above changes: every keeper sums up anew then."""


def layout(program: str) -> str:
    """What is summed up of a program, as far as another version would do it otherwise."""
    return f"{VERSION}: {', '.join(sorted(TOTALS.get(program, ())))}"


def moved(program: str, book: Book, event: Event) -> Moved:
    """What an event moved, by its program's book after it."""
    read = TOTALS.get(program, {}).get(event.name)
    return read(book, event.fields) if read else ()
