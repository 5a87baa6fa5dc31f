"""How much a device's time of waiting weighs, from what became of its leases.

Source: rule version 1, docs/market.md. Served time counts as far as fees were paid for it, failures count
against it, both fade; the weight follows from what the device is good for with a confidence of 95 %.
Everything is in thousandths of a day's lease or of a failure, parts are basis points.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import comb

from keeper.clients.orders import Lease, Order
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import BPS, EndReason, earned, fee

MILLI = 1_000
FADED = 977
"""Of a thousand so many are left after a day: half after 30 days."""
PRIOR_GOOD, PRIOR_BAD = 9, 1
"""What a device begins with: nine days of ten."""
FAIL = 8
"""Days that a failure weighs."""
MOST = 90
"""Good days that count at most."""
ONE_IN = 20
"""The bound is too high in one of so many cases."""
LEAST_WEIGHT = 5_000


@dataclass(frozen=True, slots=True)
class LeaseEnd:
    """What became of a lease that ran, as far as is known.

    ``served`` are the seconds that it was paid for, ``fees`` what both sides paid in fees, base units,
    ``fee_bps`` the rates of both, ``hourly`` what its processors cost for an hour at the network's price when
    it was matched, base units. ``failed``: the supplier broke it off, or operators attested a fault.
    ``disputed``: its money was held, and then wasn't paid.
    """

    at: int
    """When it ended, unix seconds."""
    served: int
    fees: int
    fee_bps: int
    hourly: int
    failed: bool = False
    disputed: bool = False

    @classmethod
    def of(cls, lease: Lease, order: Order, price: int, *, disputed: bool = False) -> LeaseEnd:
        """That of a lease that ran and has ended, all of whose fees are paid or still held.

        ``price`` is the network's for a processor and hour when it was matched, base units: the lease's own,
        unless it was stale then.
        """
        served = lease.stop - lease.start
        return cls(
            at=lease.ended_at,
            served=served,
            fees=lease.renter_fee + fee(earned(lease.rate, served), order.supplier_fee_bps),
            fee_bps=lease.renter_fee_bps + order.supplier_fee_bps,
            hourly=price * order.terms.processors,
            failed=lease.reason in (EndReason.SUPPLIER, EndReason.FAULT),
            disputed=disputed,
        )

    @property
    def fee_seconds(self) -> int:
        """Of the seconds that it served the most whose pay at the network's price costs no more in fees.

        As pay is rounded down and fees are rounded up, a lease with all of its fees paid counts for all of
        its time. Without fees nothing counts.
        """
        if not (self.fees and self.fee_bps and self.hourly):
            return 0
        pay = self.fees * BPS // self.fee_bps
        return min(self.served, ((pay + 1) * HOUR - 1) // self.hourly)

    @property
    def good(self) -> int:
        """Thousandths of a day's lease."""
        return self.fee_seconds * MILLI // DAY

    @property
    def bad(self) -> int:
        """Thousandths of a failure; a dispute is half of one."""
        return self.failed * MILLI + self.disputed * MILLI // 2


@dataclass(frozen=True, slots=True)
class Reputation:
    """What is left of a device's leases on a day, unix time over 86,400."""

    day: int = 0
    good: int = 0
    bad: int = 0

    def on(self, day: int) -> Reputation:
        """The same on a later day: both have faded at the start of each day between."""
        days = day - self.day
        return Reputation(day, fade(self.good, days), fade(self.bad, days))

    def after(self, end: LeaseEnd) -> Reputation:
        """The same with one more lease, which ended no earlier than its day."""
        now = self.on(end.at // DAY)
        return replace(now, good=now.good + end.good, bad=now.bad + end.bad)

    @property
    def bound(self) -> int:
        """The part of leases that the device serves well, at least."""
        return lower_bound(min(MOST, self.good // MILLI), FAIL * self.bad // MILLI)

    @property
    def weight(self) -> int:
        """What its idle time weighs, from a half to nearly all."""
        return weight(self.bound)


def reputation(ends: Iterable[LeaseEnd], now: int) -> Reputation:
    """A device's reputation at ``now``, unix seconds, from all of its leases that have ended by then."""
    found = Reputation()
    for end in sorted(ends, key=lambda each: each.at):
        found = found.after(end)
    return found.on(now // DAY)


def fade(milli: int, days: int) -> int:
    """What is left after so many days, rounded down on each."""
    while milli and days > 0:
        milli, days = milli * FADED // MILLI, days - 1
    return milli


@lru_cache(maxsize=1 << 14)
def lower_bound(good: int, bad: int) -> int:
    """The highest part, in basis points, that Beta(9 + good, 1 + bad) is below in one of 20 cases at most.

    Exact: for whole numbers that is the chance of 9 + good hits or more among 9 + good + bad, each with that
    chance.
    """
    hits, misses = PRIOR_GOOD + good, PRIOR_BAD + bad
    tries = hits + misses - 1
    whole: int = BPS**tries

    def is_above(part: int) -> bool:
        other = BPS - part
        if misses <= hits:
            chance: int = part**hits * _fewer(tries, misses, other, part)
        else:
            chance = whole - other**misses * _fewer(tries, hits, part, other)
        return ONE_IN * chance > whole

    return bisect_left(range(BPS + 1), True, key=is_above) - 1


def _fewer(tries: int, limit: int, part: int, other: int) -> int:
    """The chance of fewer than ``limit`` hits, without the factor that all of its terms have."""
    return sum(comb(tries, k) * part**k * other ** (limit - 1 - k) for k in range(limit))


def weight(bound: int) -> int:
    """The weight of a device's idle time: it never waits for more than twice as long as an equal one."""
    return LEAST_WEIGHT + (BPS - LEAST_WEIGHT) * bound // BPS
