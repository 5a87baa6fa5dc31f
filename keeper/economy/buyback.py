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


def prices(reference: int, start_bps: int, floor_bps: int, min_price: int) -> tuple[int, int]:
    """Start and floor price of the auction that follows ``reference``."""
    floor = max(reference * floor_bps // BPS, min_price)
    start = min(max(-(-reference * start_bps // BPS), floor), MAX_PRICE)
    return start, floor
