"""What a transaction offers for being taken sooner: what others offered, within a price and a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MICRO = 1_000_000
"""Micro-lamports in a lamport."""
RAISE_PER_CENT = 150
"""A transaction that expired is signed anew at this many hundredths of its price."""


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """How priority fees are chosen: all of it in integers."""

    percentile: int = 60
    """Of the fees that recent slots took, those of 0 left out."""
    highest: int = 1_000_000
    """Micro-lamports per compute unit, at most."""
    daily: int = 20_000_000
    """Lamports that a job may spend in a day on fees; what it sends beyond that offers no priority fee."""

    def price(self, recent: Sequence[int], units: int, *, expired: int, spent: int) -> int:
        """Micro-lamports per compute unit for a transaction of ``units``.

        ``recent`` are the chain's own figures, ``expired`` counts how often this transaction expired, and
        ``spent`` are the job's lamports of the last day.
        """
        offers = sorted(fee for fee in recent if fee > 0)
        if not offers:
            return 0
        price = offers[min(len(offers) - 1, len(offers) * self.percentile // 100)]
        for _ in range(expired):
            price = min(self.highest, price * RAISE_PER_CENT // 100)
        left = max(0, self.daily - spent)
        return min(price, self.highest, left * MICRO // max(1, units))


def priority_fee(price: int, units: int) -> int:
    """Lamports that ``units`` cost at ``price``, rounded up as the chain does."""
    return -(-price * units // MICRO)
