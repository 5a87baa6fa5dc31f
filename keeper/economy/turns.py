"""Whose turn it is to match: a tick belongs to one operator after another, by the clock alone.

Times are unix seconds, operators are counted as staking's parameters list them.
"""

from __future__ import annotations

from dataclasses import dataclass

from keeper.resources import constants

_CONSTANTS = constants("orders")
TICK: int = constants("staking")["TICK"]
"""Seconds of a tick: orders opened before its start can be matched at it."""
FIRST: int = _CONSTANTS["FIRST"]
"""From a tick's start to the first operator's turn: by then its slot is final."""
TURN: int = _CONSTANTS["TURN"]
"""From one operator's turn to the next one's."""
REACH: int = _CONSTANTS["REACH"]
"""From a tick's start to the last second in which it can be matched at."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An operator's time at a tick, from ``opens`` to ``closes``, both included.

    An earlier operator's doesn't end when the next one's opens.
    """

    tick: int
    opens: int
    closes: int

    @property
    def start(self) -> int:
        """The tick's start: only orders opened before it are matched at it."""
        return self.tick * TICK


def tick_at(now: int) -> int:
    """The tick that ``now`` is in."""
    return now // TICK


def turn(tick: int, operator: int, operators: int) -> Turn:
    """The turn of operator number ``operator`` of so many: the first is that of ``tick % operators``."""
    start = tick * TICK
    return Turn(tick, start + FIRST + TURN * ((operator - tick) % operators), start + REACH)


def newest(operator: int, operators: int, now: int) -> Turn | None:
    """The newest tick's turn that this operator has at ``now``; None while it has none."""
    for tick in range(tick_at(now), -1, -1):
        found = turn(tick, operator, operators)
        if now > found.closes:
            return None
        if now >= found.opens:
            return found
    return None


def opening(operator: int, operators: int, created_at: int) -> Turn:
    """The first turn at which this operator can match an order opened at ``created_at``."""
    return turn(tick_at(created_at) + 1, operator, operators)
