"""The Dutch auction as pure functions of its terms and of time, as the program computes them.

A price is base units of IO for one whole USDC.
"""

from __future__ import annotations

from dataclasses import dataclass

from keeper.resources import constants

_CONSTANTS = constants("buyback")
USDC: int = _CONSTANTS["USDC"]
"""Base units in one USDC."""
BPS = 10_000
"""Basis points in a whole."""
INTERVAL: int = _CONSTANTS["INTERVAL"]
"""The fewest seconds from one start to the next."""
MAX_PRICE: int = _CONSTANTS["MAX_PRICE"]
"""No price is above this."""
MIN_SHARE_BPS: int = _CONSTANTS["MIN_SHARE_BPS"]
"""A lot is never less than this part of a whole one."""
MAX_SPREAD: int = _CONSTANTS["MAX_SPREAD"]
"""An auction starts at this multiple of its floor at most."""


@dataclass(frozen=True, slots=True)
class Path:
    """How an auction's price falls: ``start`` at ``started_at``, towards ``floor`` at ``ends_at``."""

    lot: int
    start: int
    floor: int
    started_at: int
    ends_at: int

    def price(self, now: int) -> int | None:
        """The price at ``now``, rounded up; None before the start and from the end on."""
        if not self.started_at <= now < self.ends_at:
            return None
        elapsed, duration = now - self.started_at, self.ends_at - self.started_at
        return self.start - (self.start - self.floor) * elapsed // duration

    def cost(self, now: int) -> int | None:
        """Base units of IO that the lot costs at ``now``; None when it can't be bought."""
        price = self.price(now)
        return None if price is None else cost(self.lot, price)

    def reaches(self, price: int) -> int | None:
        """The first second at which the price is ``price`` or less; None when it never is."""
        if price >= self.start:
            return self.started_at
        fall, duration = self.start - self.floor, self.ends_at - self.started_at
        if price < self.floor or not fall:
            return None
        # The least elapsed with fall * elapsed // duration >= start - price.
        elapsed = -(-(self.start - price) * duration // fall)
        return self.started_at + elapsed if elapsed < duration else None


def cost(lot: int, price: int) -> int:
    """``ceil(lot * price / 1 USDC)``, base units of IO."""
    return -(-lot * price // USDC)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the next auction follows: two prices, and the largest share that its lot may be.

    ``reference`` is the last sale's price or the lowest that nobody paid since, ``anchor`` what bidders paid,
    0 before the first sale. ``next_share_bps`` is twice the share that was sold last.
    """

    reference: int
    anchor: int
    next_share_bps: int

    def prices(self, start_bps: int, floor_bps: int, min_price: int) -> tuple[int, int]:
        """Start and floor price."""
        floor = max(self.reference * floor_bps // BPS, min_price)
        start = max(-(-max(self.reference, self.anchor) * start_bps // BPS), floor)
        return min(start, floor * MAX_SPREAD, MAX_PRICE), floor

    @property
    def share_bps(self) -> int:
        """How much of a whole lot is sold: less where prices are below what bidders paid."""
        by_price = self.reference * BPS // self.anchor if self.anchor else BPS
        return max(min(by_price, self.next_share_bps), MIN_SHARE_BPS)

    def lot(self, vault: int, min_lot: int, max_lot: int) -> int:
        """Base units of USDC that are sold out of ``vault``, at least ``min_lot`` of them."""
        return max(min(vault, max_lot) * self.share_bps // BPS, min_lot)
