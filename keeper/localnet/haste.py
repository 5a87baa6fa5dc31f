"""How fast time passes where devices prove: quickly while nobody is asked anything, slowly while they are.

Devices and operators have seconds by their own clocks for what a block asks, however fast the chain's is:
the first look takes a second, and an opening is taken for a minute. So on a network of one's own time passes
quickly in between, and what the chain draws (:mod:`keeper.pow.clock`) slows it down while that takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from keeper.chain.heads import SLOTS_PER_SECOND
from keeper.chain.records import Head
from keeper.pow.clock import HOUR, Network, Wave, WaveClock


class Slow(NamedTuple):
    """At most how fast time passes from a block on, and for how long, seconds of the chain."""

    speed: float
    seconds: float


AT_A_WAVE = Slow(3, 240)
"""Picks are drawn after 60 seconds, and then openings are taken for 60 of ours."""
AT_A_PING = Slow(4, 24)
"""It is answered within 20 seconds."""
AT_AN_HOUR = Slow(10, 300)
"""In which operators post what they saw of the hour before."""


class Haste:
    """Says how fast the time passes now, of which nothing is skipped: block after block is looked at."""

    def __init__(self, network: Network, slot: int, head: Callable[[int], Head | None]) -> None:
        """Look at blocks from ``slot`` on; ``head`` gives the first from a slot on, None if none is there."""
        self._clock = WaveClock(network, slot)
        self._head = head
        self._slow: list[tuple[Slow, float]] = []
        """With the slots until which it holds."""

    def speed(self, slot: int, time: int, wanted: float) -> tuple[float, float]:
        """Seconds that pass in one of ours at a slot and time of the chain, and for how many slots."""
        while head := self._head(self._clock.next_slot):
            event = self._clock.feed(head)
            if event is not None:
                slow = AT_A_WAVE if isinstance(event, Wave) else AT_A_PING
                self._slow.append((slow, event.slot + slow.seconds * SLOTS_PER_SECOND))
        self._slow = [each for each in self._slow if each[1] > slot]
        speed = min([wanted, *(each.speed for each, _ in self._slow)])
        into = (time - self._clock.network.start) % HOUR
        if into < AT_AN_HOUR.seconds:
            speed = min(speed, AT_AN_HOUR.speed)
        ends = [self._clock.next_slot, *(until for _, until in self._slow)]
        hours = AT_AN_HOUR.seconds if into < AT_AN_HOUR.seconds else HOUR
        ends.append(slot + (hours - into) * SLOTS_PER_SECOND)
        return speed, max(1.0, min(ends) - slot)
