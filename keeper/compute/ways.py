"""A member's ways to the others, through several operators' relays: one that is gone is done without.

What comes from a member shows which relay both have, so what goes to it takes the same one. While nothing
comes, datagrams go by all of them, as WireGuard drops what it gets twice: a few of them, enough for each side
to hear the other. What a renter's code sends beyond that to who is silent takes one way, each in turn: so no
machine's line carries it as often as there are relays.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.budgets import Buckets, Rate
from keeper.chain.signer import Signer
from keeper.compute.carrier import Carrier
from keeper.compute.client import Board

SILENT_SECONDS = 10.0
"""Then all ways are tried: what one relay loses comes by another long before Ray misses a node."""
EVERYWHERE, MOST_MEMBERS = Rate(65_536, 4_096), 4_096
"""Bytes to a silent member that go by all ways, over all of them: a handshake of WireGuard's has 148, every
five seconds."""
RENEW_SECONDS = 5.0
"""Before a board is asked again for links that it hasn't given: it looks at the chain as often."""


class Ways:
    """Of one member in one order; used from one event loop."""

    def __init__(
        self,
        boards: Sequence[Board],
        order: Pubkey,
        signer: Signer,
        deliver: Callable[[Pubkey, bytes], None],
        log: FilteringBoundLogger,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``deliver`` gets what comes, with the key of the member that it comes from."""
        self._deliver, self._monotonic = deliver, monotonic
        self._carriers = [
            Carrier(board, order, signer, self._from(number), log) for number, board in enumerate(boards)
        ]
        self._wanted: frozenset[Pubkey] = frozenset()
        self._last: dict[Pubkey, tuple[int, float]] = {}
        """By which relay a member was last heard, and when."""
        self._everywhere = Buckets(EVERYWHERE, MOST_MEMBERS)
        self._turn = 0
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Have links, and keep them, until :meth:`close`."""
        self._tasks = [asyncio.create_task(each.run()) for each in self._carriers]
        self._tasks.append(asyncio.create_task(self._renew()))

    def want(self, others: frozenset[Pubkey]) -> None:
        """There are to be ways to these: links that aren't there are asked for."""
        self._wanted = others
        self._last = {other: last for other, last in self._last.items() if other in others}

    def send(self, other: Pubkey, datagram: bytes) -> None:
        """Hand a datagram to another member; without any way it is lost."""
        number, at = self._last.get(other, (-1, 0.0))
        now = self._monotonic()
        if number >= 0 and now - at < SILENT_SECONDS and self._carriers[number].reaches(other):
            self._carriers[number].send(other, datagram)
            return
        chosen = self._carriers
        if self._everywhere.take(other, now, len(datagram) * len(chosen)):
            self._turn += 1
            there = [each for each in chosen if each.reaches(other)] or chosen
            chosen = [there[self._turn % len(there)]]
        for each in chosen:
            each.send(other, datagram)

    async def close(self) -> None:
        """Carry nothing more."""
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _renew(self) -> None:
        """Ask boards for what they haven't given, as somebody has come since."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            for each in self._carriers:
                if not all(map(each.has_link, self._wanted)):
                    await each.refresh()

    def _from(self, number: int) -> Callable[[Pubkey, bytes], None]:
        def deliver(sender: Pubkey, datagram: bytes) -> None:
            self._last[sender] = number, self._monotonic()
            self._deliver(sender, datagram)

        return deliver
