"""How auctions follow each other: what the next one sells, from which price to which, and why.

The *reference* price is the last sale's, or the lowest that nobody paid since; the next floor follows it.
The *anchor* price is what bidders paid: a higher sale sets it at once, a lower one draws it down slowly; the
next start price follows it. So a lot that nobody takes is offered again over a wider range, not a lower one,
and whoever bids against others pays what it is worth on the first day back.

The *share* is how much of a whole lot is sold: the reference's part of the anchor. Whoever has waited for a
low price gets little at it. And at most twice what was sold last, as one sale of a small lot says little.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from tests.model.buyback.state import Params

WHOLE = 10_000
"""Basis points of a whole lot."""
FIRST_SHARE = WHOLE // 16
"""Nobody has paid the first price yet."""
LEAST_SHARE = WHOLE // 100
FALL = Fraction(1, 4)
"""How far a whole lot draws the anchor down towards its price."""
SPREAD = 256
"""A start price is at most this many floors: over more, the price falls by too much in a second."""
MAX_PRICE = 10**6 * 10**8


@dataclass(frozen=True)
class Rule:
    """What the next auction follows, and the parameters."""

    params: Params
    reference: int
    anchor: int = 0
    largest_share: int = FIRST_SHARE

    def share(self) -> int:
        """Basis points of a whole lot, rounded down."""
        by_price = floor(Fraction(self.reference * WHOLE, self.anchor)) if self.anchor else WHOLE
        return max(min(by_price, self.largest_share), LEAST_SHARE)

    def lot(self, vault: int) -> int:
        """Base units of USDC out of a vault that holds at least the smallest lot."""
        whole = min(vault, self.params.max_lot)
        return max(floor(Fraction(whole * self.share(), WHOLE)), self.params.min_lot)

    def floor_price(self) -> int:
        """The lowest price, rounded down."""
        return max(floor(Fraction(self.reference * self.params.floor_bps, 10_000)), self.params.min_price)

    def start_price(self) -> int:
        """The highest, rounded up."""
        highest = max(self.reference, self.anchor)
        start = max(ceil(Fraction(highest * self.params.start_bps, 10_000)), self.floor_price())
        return min(start, self.floor_price() * SPREAD, MAX_PRICE)

    def sold(self, price: int) -> Rule:
        """After a sale."""
        share = self.share()
        fall = floor((self.anchor - price) * FALL * Fraction(share, WHOLE))
        anchor = price if price >= self.anchor else self.anchor - fall
        return replace(self, reference=price, anchor=anchor, largest_share=min(2 * share, WHOLE))

    def unsold(self) -> Rule:
        """After an auction that nobody took."""
        return replace(self, reference=self.floor_price())
