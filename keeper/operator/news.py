"""What the service tells workers of the chain: hints, which a worker with a node needs not believe."""

from __future__ import annotations

import asyncio
from typing import Any

import base58

from keeper.chain.records import Head
from keeper.pow.clock import Ping, Wave

KEPT = 64
"""Pieces of news: several hours' worth. Whoever asks for all of them costs no more than others do."""


class News:
    """Waves, pings and blocks of picks in the order in which they became known.

    Each has a place on a scale of slots, above all that was told before: whoever asks for what is above the
    last ``slot`` that it was told misses nothing, though the block of the picks is told later than its slot.
    """

    def __init__(self) -> None:
        """There is none yet."""
        self.slot = 0
        self.day: int | None = None
        """Of the newest :meth:`epoch`, unix seconds."""
        self._epoch: dict[str, Any] | None = None
        self._told: list[tuple[int, str, Any]] = []
        self._more, self._closed = asyncio.Event(), asyncio.Event()

    def wave(self, wave: Wave) -> None:
        """A wave has begun."""
        blockhash = base58.b58encode(wave.blockhash).decode()
        what = {"slot": wave.slot, "blockhash": blockhash, "time": wave.time}
        what |= {"kind": wave.kind.name.lower(), "spot": wave.spot}
        self._tell("waves", what)

    def ping(self, ping: Ping) -> None:
        """A ping has begun."""
        self._tell("pings", {"slot": ping.slot, "seed": base58.b58encode(ping.seed).decode()})

    def opening(self, wave: Wave, opening: Head) -> None:
        """The block that a wave's picks are drawn from is final."""
        blockhash = base58.b58encode(opening.blockhash).decode()
        self._tell("opens", {"slot": wave.slot, "open_slot": opening.slot, "open_blockhash": blockhash})

    def epoch(self, day: int, head: Head) -> None:
        """The first block of the UTC day from ``day`` (unix seconds) on: plots can be made from it."""
        self.day = day
        blockhash = base58.b58encode(head.blockhash).decode()
        self._epoch = {"slot": head.slot, "blockhash": blockhash, "day": day}

    def came_to(self, slot: int) -> None:
        """The newest confirmed slot."""
        self.slot = max(self.slot, slot)

    def after(self, slot: int) -> dict[str, Any]:
        """Everything above a slot, and the day's first block."""
        found: dict[str, Any] = {"slot": self.slot, "epoch": self._epoch}
        found |= {"waves": [], "pings": [], "opens": []}
        for place, kind, what in self._told:
            if place > slot:
                found[kind].append(what)
        return found

    def is_new(self, slot: int) -> bool:
        """Whether there is something above a slot."""
        return bool(self._told) and self._told[-1][0] > slot

    async def wait(self, seconds: float) -> None:
        """Return once there is something more, after so long, or when the service ends."""
        if not self._closed.is_set():
            await _within(self._more, seconds)

    async def closing(self, seconds: float) -> None:
        """Return after so long, or when the service ends."""
        await _within(self._closed, seconds)

    def close(self) -> None:
        """The service ends: nobody waits any longer."""
        self._closed.set()
        self._more.set()

    def _tell(self, kind: str, what: Any) -> None:
        self.slot += 1
        self._told.append((self.slot, kind, what))
        del self._told[:-KEPT]
        self._more.set()
        self._more = asyncio.Event()


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
