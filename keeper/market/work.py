"""How much work a tick may be, and how much of it each order has: nobody uses up what others need.

Work is counted, not timed, so that everybody stops at the same place. Orders have equal parts of it. What one
leaves goes to those after it in the sequence, never to those before: who stands in front with what nothing
can serve has its own part alone.
"""

from __future__ import annotations

from typing import NamedTuple

A_LOOK = 1_000
"""How many devices it costs as much as to begin looking at some."""


class Limits(NamedTuple):
    """What a tick may cost.

    ``searches`` for exchanges, ``looks`` at devices in them: each look at those of a kind counts for its
    devices and ``A_LOOK`` more. The number of searches alone would bound nothing, as one may pass through the
    kinds of thousands of orders that somebody opened to make it long. ``first`` are the looks at free devices
    before any exchange, counted in the same way.
    """

    searches: int
    looks: int
    first: int = 64_000_000


class Share:
    """Of ``total`` units of work, what the order whose turn it is has left.

    Parts of units are given out by a ``drawn`` number: of two orders that have half a unit each, one has it.
    """

    def __init__(self, total: int, orders: int, drawn: int = 0) -> None:
        """Divide by so many ``orders``."""
        self._total, self._orders, self._drawn = total, max(1, orders), drawn % max(1, orders)
        self._turn, self._given = 0, 0
        self.left = 0

    def turn(self) -> None:
        """The next order has its part."""
        self._turn += 1
        given = (self._total * self._turn + self._drawn) // self._orders
        self.left += given - self._given
        self._given = given

    def pay(self, much: int) -> bool:
        """Take some of it, all or nothing; whether there was so much."""
        if much > self.left:
            return False
        self.left -= much
        return True
