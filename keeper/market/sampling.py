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
    used, in_hire = hired.tolist(), hired.sum(axis=1)
    found = {}
    for currency in Currency:
        name = currency.name.lower()
        price, ask = tick.prices[name], devices[f"ask_{name}"]
        let = known & (devices["out"] == 0) & (ask > 0)
        listed = _count(cell[let], len(numbers))
        idle = _count(cell[let][ask[let] <= price[cell[let] // MAX_PROCESSORS]], len(numbers))
        free, sizes = idle.tolist(), (in_hire + listed.sum(axis=1)).tolist()
        nothing = (in_hire == 0) & (idle.sum(axis=1) == 0)
        unmet = _unmet(_wanting(tick, currency), tick.prices, name, listed, nothing)
        for at in np.flatnonzero(price).tolist():
            found[int(numbers[at]), currency] = Sample(
                hired=tuple(used[at]), idle=tuple(free[at]), unmet=unmet.get(at, 0), size=sizes[at]
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


def _wanting(tick: Snapshot, currency: Currency) -> Rows:
    """The plain orders in a currency that have been open for a while, and would take one device alone."""
    orders = tick.orders
    found: Rows = orders[
        (orders["currency"] == currency)
        & (orders["created_at"] + RIPE < tick.now)
        & (orders["countries"][:, 0] == b"")
        & (orders["colocated"] == 0)
        & (orders["minimum"] <= 1)
        & (orders["min_tier"] <= 1)
    ]
    return found


def _unmet(
    orders: Rows, prices: Rows, name: str, listed: _Counts, nothing: NDArray[np.bool_]
) -> dict[int, int]:
    """Processors that ``orders`` want of the classes of which there is ``nothing`` to have at the price.

    By the class's place in ``prices``, whose column ``name`` is the currency's. Only of the class that an
    order names first, and of each processor count no more than free devices have whose price is not reached:
    what nothing can serve must not move a price.
    """
    found = {}
    first = orders["classes"][:, 0]
    for at in np.flatnonzero(nothing & np.isin(prices["class"], first)).tolist():
        wants = orders[(first == prices["class"][at]) & (orders["limit"] >= prices[name][at])]
        processors = wants["processors"].astype(np.int64)
        wanted = np.zeros(MAX_PROCESSORS, np.int64)
        np.add.at(wanted, processors - 1, processors * wants["open"])
        found[at] = int(np.minimum(wanted, listed[at]).sum())
    return found
