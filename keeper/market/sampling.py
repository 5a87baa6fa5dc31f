"""The ticks at which an hour's market is looked at, and what is counted of a class in one of them.

The ticks are drawn by a block that is later than all of them: nobody knows while it happens that it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from keeper.clients.staking import MAX_PROCESSORS
from keeper.economy.calendar import HOUR
from keeper.economy.orders import TICK, Currency
from keeper.market.price import SAMPLES, Sample
from keeper.market.snapshot import Out, Snapshot
from keeper.tables import Rows

SLICE = HOUR // TICK // SAMPLES
"""Ticks of which one is drawn."""
RIPE = 60
"""An order is wanted when it has been open for longer than this, seconds."""

Sampled = Mapping[tuple[int, Currency], Sample]
"""A tick's samples by class and currency; of those that were leased at it."""
_Counts = NDArray[np.int64]


def sample_ticks(hour: int, blockhash: bytes) -> tuple[int, ...]:
    """The ticks of an hour (unix time over 3,600) that are sampled, in order.

    Sample k is the k-th five minutes' tick number ``sha256("ionet-sample" | blockhash | k) mod 10``, with k
    as one byte and the hash's first eight bytes as a little-endian number. ``blockhash`` is that of the first
    slot whose clock shows the next hour, 32 bytes.
    """
    first = hour * HOUR // TICK
    draws = (sha256(b"ionet-sample" + blockhash + bytes([k])).digest()[:8] for k in range(SAMPLES))
    return tuple(first + k * SLICE + int.from_bytes(drawn, "little") % SLICE for k, drawn in enumerate(draws))


def sample(tick: Snapshot) -> Sampled:
    """Count every class's market in both currencies; without a price in one it has no sample in that."""
    devices, numbers = tick.devices, tick.prices["class"]
    cell, known = _cells(devices, numbers)
    hired = _count(cell[known & (devices["out"] & Out.HIRED != 0)], len(numbers))
    found = {}
    for currency in Currency:
        name = currency.name.lower()
        price, ask = tick.prices[name], devices[f"ask_{name}"]
        let = known & (devices["out"] == 0) & (ask > 0)
        listed = _count(cell[let], len(numbers))
        idle = _count(cell[let][ask[let] <= price[cell[let] // MAX_PROCESSORS]], len(numbers))
        orders = tick.orders[tick.orders["currency"] == currency]
        for at in np.flatnonzero(price).tolist():
            nothing = not hired[at].any() and not idle[at].any()
            found[int(numbers[at]), currency] = Sample(
                hired=tuple(hired[at].tolist()),
                idle=tuple(idle[at].tolist()),
                unmet=_unmet(orders, int(numbers[at]), int(price[at]), listed[at], tick.now)
                if nothing
                else 0,
                size=int(hired[at].sum() + listed[at].sum()),
            )
    return found


def _cells(devices: Rows, numbers: NDArray[np.uint16]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Each device's place in a table of classes and processor counts, and whether its class is in it."""
    at = np.searchsorted(numbers, devices["class"])
    known = np.isin(devices["class"], numbers)
    return at * MAX_PROCESSORS + devices["processors"] - 1, known


def _count(cells: NDArray[np.intp], classes: int) -> _Counts:
    """Processors by class and processor count, int64[classes, counts]."""
    devices = np.bincount(cells, minlength=classes * MAX_PROCESSORS).reshape(classes, MAX_PROCESSORS)
    return devices * np.arange(1, MAX_PROCESSORS + 1)


def _unmet(orders: Rows, number: int, price: int, listed: _Counts, now: int) -> int:
    """Processors that orders want of a class of which there is nothing to have at the price.

    Only plain orders that would take the first device of it, and of each processor count no more than free
    devices have whose price is not reached: what nothing can serve must not move a price.
    """
    wants = orders[
        (orders["classes"][:, 0] == number)
        & (orders["limit"] >= price)
        & (orders["created_at"] + RIPE < now)
        & (orders["countries"][:, 0] == b"")
        & (orders["colocated"] == 0)
        & (orders["minimum"] <= 1)
        & (orders["min_tier"] <= 1)
    ]
    processors = wants["processors"].astype(np.int64)
    wanted = np.zeros(MAX_PROCESSORS, np.int64)
    np.add.at(wanted, processors - 1, processors * wants["open"])
    return int(np.minimum(wanted, listed).sum())
