"""Calendar, emission, vesting and merkle trees for the reference model, from their definitions.

Written apart from keeper.economy and the programs, by other means: dates by ``datetime``, the decay
factor by bisection, tranches by their dates, trees by recursion.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_FLOOR, Decimal, localcontext
from functools import lru_cache
from hashlib import sha256

IO = 10**8
GENESIS = 500_000_000 * IO
EMISSION = 300_000_000 * IO
MAX_SUPPLY = GENESIS + EMISSION
MONTHS = 240
HOUR = 3_600
DAY = 86_400
LAST_SECOND = (date(9999, 12, 31).toordinal() - date(1970, 1, 1).toordinal() + 1) * DAY - 1
"""The calendar ends with the year 9999."""


def begin(month: int) -> int:
    """Unix time at which a month (counted from January 1970) begins; ValueError past the calendar."""
    first = date(1970 + month // 12, month % 12 + 1, 1)
    return (first.toordinal() - date(1970, 1, 1).toordinal()) * DAY


@lru_cache(maxsize=1)
def by_month() -> tuple[int, ...]:
    """Base units emitted after 0..240 whole months: ``E_m = 500e6 * 0.08/12 * q^m``, rounded down once."""
    with localcontext() as context:
        context.prec = 120
        first = Decimal(500_000_000) * Decimal("0.08") / 12
        target = Decimal(300_000_000)
        low, high = Decimal("0.98"), Decimal("0.999")
        for _ in range(300):
            q = (low + high) / 2
            if first * (1 - q**MONTHS) / (1 - q) < target:
                low = q
            else:
                high = q
        sums = [first * (1 - q**m) / (1 - q) * IO for m in range(MONTHS)]
        return (*(int(each.to_integral_value(ROUND_FLOOR)) for each in sums), EMISSION)


@lru_cache(maxsize=64)
def boundaries(start_month: int) -> tuple[int, ...]:
    """The times at which the 240 months begin, and the last one's end; ValueError past the calendar."""
    return tuple(begin(start_month + m) for m in range(MONTHS + 1))


def hours_ended(start_month: int, now: int) -> int:
    """Hours of the emission that have ended."""
    times = boundaries(start_month)
    return (min(max(now, times[0]), times[-1]) - times[0]) // HOUR


def emitted(start_month: int, hours: int) -> int:
    """C(h): whole months from the sum, the month that runs in proportion to its ended hours, rounded down."""
    times, sums = boundaries(start_month), by_month()
    end = min(times[0] + hours * HOUR, times[-1])
    month = bisect_right(times, end) - 1
    if month == MONTHS:
        return sums[MONTHS]
    part = (sums[month + 1] - sums[month]) * (end - times[month])
    return sums[month] + part // (times[month + 1] - times[month])


def vested(amount: int, tge_bps: int, cliff_months: int, tranches: int, start_month: int, now: int) -> int:
    """What is free at ``now``, within the calendar: the launch's share, each tranche from its date."""
    at_launch = amount * tge_bps // 10_000

    def due_at(tranche: int) -> int:
        month = start_month + cliff_months + tranche
        return begin(month) if month < (10_000 - 1970) * 12 else LAST_SECOND + 1

    if not tranches:
        return amount
    passed = bisect_right(range(tranches), now, key=due_at)
    return at_launch + (amount - at_launch) * passed // tranches


def leaf(program: bytes, mint: bytes, season: int, index: int, wallet: bytes, amount: int) -> bytes:
    """A season's leaf: tag 0, program, mint, season (u32), index (u32), wallet, amount (u64)."""
    numbers = season.to_bytes(4, "little") + index.to_bytes(4, "little")
    return sha256(b"\x00" + program + mint + numbers + wallet + amount.to_bytes(8, "little")).digest()


def node(a: bytes, b: bytes) -> bytes:
    """Tag 1 and the two children in order of size."""
    return sha256(b"\x01" + min(a, b) + max(a, b)).digest()


def _split(count: int) -> int:
    """Leaves of the left, complete subtree: the largest power of two below ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over hashed leaves."""
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return node(root(leaves[:middle]), root(leaves[middle:]))


def proof(leaves: Sequence[bytes], position: int) -> list[bytes]:
    """The siblings on the way from a leaf to the root."""
    if len(leaves) == 1:
        return []
    middle = _split(len(leaves))
    if position < middle:
        return [*proof(leaves[:middle], position), root(leaves[middle:])]
    return [*proof(leaves[middle:], position - middle), root(leaves[:middle])]


def proves(top: bytes, hashed: bytes, siblings: bytes) -> bool:
    """Whether the joined ``siblings`` lead from a hashed leaf to ``top``."""
    while len(siblings) >= 32:
        hashed, siblings = node(hashed, siblings[:32]), siblings[32:]
    return hashed == top and not siblings
