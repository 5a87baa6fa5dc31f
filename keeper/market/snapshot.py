"""A tick's snapshot: a row for each device, each open order and each class's price, and who takes part.

Everything that the batch of a tick is computed from is in these rows: whoever has them computes it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keeper.economy.orders import TICK, Currency
from keeper.tables import COUNTRY, KEY, Rows

LISTED = 8
"""The most classes and countries that an order names."""
NUMBERS = 1 << 16
"""More than any class's number."""


class Out(IntFlag):
    """Why a device takes no part in a tick; 0 when it does."""

    HIRED = 1
    """A lease of it runs."""
    LEASED = 2
    """It has a lease that doesn't run (yet)."""
    TERMINATED = 4
    SLASH_PENDING = 8
    INSUFFICIENT_STAKE = 16
    BARRED = 32
    NOT_LET = 64
    """Both its asks are 0."""
    WORK = 128
    """It didn't pass its proof of work in the newest hour that operators agree on."""
    CLASS_CLOSED = 256
    """Its class isn't open for leases yet."""
    GONE = 512
    """It isn't there any more: only where rows say what changed."""


DEVICE = np.dtype(
    [
        ("device", KEY),
        ("class", "<u2"),
        ("processors", "u1"),
        ("tier", "u1"),
        ("country", COUNTRY),
        ("ask_io", "<u8"),
        ("ask_usdc", "<u8"),
        ("changed_at", "<u8"),
        ("idle_since", "<u8"),
        ("weight", "<u2"),
        ("out", "<u2"),
        ("hired_until", "<u8"),
        ("supplier", KEY),
        ("worker", KEY),
        ("payout", KEY),
    ]
)
"""A device: asks in base units for a processor and hour, times in unix seconds, the weight of its idle time
in basis points, ``out`` as :class:`Out` bits, ``hired_until`` the end of the lease that runs, else 0. All
devices that there are have a row."""

ORDER = np.dtype(
    [
        ("order", KEY),
        ("created_at", "<u8"),
        ("match_until", "<u8"),
        ("urgency", "u1"),
        ("currency", "u1"),
        ("classes", "<i4", LISTED),
        ("processors", "u1"),
        ("min_tier", "u1"),
        ("countries", COUNTRY, LISTED),
        ("open", "<u2"),
        ("minimum", "<u2"),
        ("colocated", "u1"),
        ("country", COUNTRY),
        ("limit", "<u8"),
        ("renter", KEY),
    ]
)
"""An order that takes part: it is matched before ``match_until`` (unix seconds), has ``open`` places, of
which it takes ``minimum`` at once or none (1: any number), and pays the price of a class that it names.
``country`` is the one that its devices are in already, ``limit`` the highest price that it pays and has the
money for, base units for a processor and hour. Classes are filled up with -1, countries with nothing."""

PRICE = np.dtype([("class", "<u2"), ("io", "<u8"), ("usdc", "<u8")])
"""A class's price for a processor and hour, base units; 0 where nothing is matched at it: the class isn't
leased for the currency, isn't open yet, or its price is stale."""

PAIR = np.dtype([("order", KEY), ("device", KEY)])
"""A device that takes part, and an order that can't have it again: the program refuses to lease a device to
one order twice running, or while its first lease for the order isn't closed."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All that a tick's batch follows from; every table sorted by its keys, each row once.

    ``slot`` is the first whose clock shows ``now`` or later, ``blockhash`` the 32 bytes of its block's hash.
    """

    tick: int
    slot: int
    blockhash: bytes
    devices: Rows
    orders: Rows
    prices: Rows
    pairs: Rows
    profiled: tuple[int, ...] = ()
    """The classes for which a proof of work is known, of those that there are, ascending: devices of others
    take part without."""

    @property
    def now(self) -> int:
        """When the tick begins, unix seconds."""
        return self.tick * TICK


def empty(dtype: np.dtype[Any]) -> Rows:
    """A table without rows."""
    return np.zeros(0, dtype)


def prices_by_class(prices: Rows) -> NDArray[np.uint64]:
    """By currency, then by class: its price, 0 for classes that have none."""
    found = np.zeros((len(Currency), NUMBERS), np.uint64)
    for currency in Currency:
        found[currency, prices["class"]] = prices[currency.name.lower()]
    return found


def payable(orders: Rows, by_class: NDArray[np.uint64]) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
    """By order and class that it names: whether it pays the price, and the price, as prices are by class."""
    classes = orders["classes"]
    named = (classes >= 0) & (classes < NUMBERS)
    prices = by_class[orders["currency"][:, None], np.where(named, classes, 0)]
    return named & (prices > 0) & (prices <= orders["limit"][:, None]), prices


def reaches_a_price(orders: Rows, prices: Rows) -> NDArray[np.bool_]:
    """Which orders pay the price of a class that they name, at least one: the others can have nothing."""
    found: NDArray[np.bool_] = np.any(payable(orders, prices_by_class(prices))[0], axis=1)
    return found
