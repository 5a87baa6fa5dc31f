"""In which sequence a tick's devices and orders come: who is due first, and how ties are broken.

Ties are broken by a mix of addresses with a seed that nobody knew when the order was opened: otherwise
addresses could be ground that always come first.
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from keeper.economy.orders import BPS, Urgency
from keeper.market.places import Places
from keeper.tables import Rows

U64 = NDArray[np.uint64]

BONUS = {Urgency.ORDINARY: 0, Urgency.SOON: 120, Urgency.NOW: 480}
"""By so many seconds an order's urgency makes it older."""


SECONDS = 40
"""Bits of 30,000 years, unix seconds; a class and a number of processors have the other 24."""


def seed_of(blockhash: bytes, tick: int) -> int:
    """The seed of a tick's ties, from the 32 bytes of its block's hash; below 2^64."""
    digest = sha256(b"ionet-tick" + blockhash + tick.to_bytes(8, "little")).digest()
    return int.from_bytes(digest[:8], "little")


def ids(addresses: NDArray[np.bytes_]) -> U64:
    """The first eight bytes of each address as a number, the lowest byte first."""
    whole: U64 = np.ascontiguousarray(addresses).view("<u8").reshape(-1, 4)
    return whole[:, 0]


def mix(numbers: U64, seed: int) -> U64:
    """Scatter numbers below 2^64 by the finaliser of splitmix64 (Steele, Lea and Flood, 2014)."""
    with np.errstate(over="ignore"):
        found = (numbers ^ np.uint64(seed)) + np.uint64(0x9E3779B97F4A7C15)
        found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: U64 = found ^ (found >> np.uint64(31))
    return mixed


def waited(devices: Rows, now: int) -> U64:
    """For how long each device has waited at ``now``, seconds; changed terms begin that anew."""
    since = np.maximum(devices["idle_since"], devices["changed_at"])
    seconds: U64 = np.uint64(now) - np.minimum(since, np.uint64(now))
    return seconds


def device_sequence(devices: Rows, now: int, seed: int) -> Places:
    """Places of devices by class, processors, and who has waited longest, weighted by its record.

    Of equal weighted waits, rounded down to seconds, the longer one comes first, then chance decides. Rows
    are sorted by address.
    """
    seconds = waited(devices, now)
    weighted = seconds * devices["weight"] // np.uint64(BPS)
    # Differences are positive.
    longest = np.uint64(now) - weighted
    kind = devices["class"].astype(np.uint64) << np.uint64(8) | devices["processors"]
    # All that mostly decides in one number, which sorts several times faster; in full where that is equal.
    first = kind << np.uint64(SECONDS) | np.minimum(longest, np.uint64((1 << SECONDS) - 1))
    found = np.argsort(first)
    equal = np.diff(first[found]) == 0
    tied = (np.append(equal, False) | np.append(False, equal)).nonzero()[0]
    rows = np.sort(found[tied])
    chance = mix(ids(devices["device"][rows]), seed)
    # From the last to the first that counts.
    found[tied] = rows[np.lexsort((chance, (np.uint64(now) - seconds)[rows], longest[rows], kind[rows]))]
    return found


def order_sequence(orders: Rows, seed: int) -> Places:
    """Places of orders by age with their urgency's seconds, then by age, then by chance; rows sorted."""
    bonus = np.array([BONUS[each] for each in Urgency], np.int64)
    created = orders["created_at"].astype(np.int64)
    return np.lexsort((mix(ids(orders["order"]), seed), created, created - bonus[orders["urgency"]]))
