"""A member's ways to the others, through several operators' relays: one that is gone is done without.

What comes from a member shows which relay both have, so what goes to it takes the same one. While nothing
comes, each datagram goes by all of them: WireGuard drops what it gets twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.chain.signer import Signer
from keeper.compute.carrier import Carrier
from keeper.compute.client import Board

SILENT_SECONDS = 10.0
"""Then all ways are tried: what one relay loses comes by another long before Ray misses a node."""
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
        fresh = number >= 0 and self._monotonic() - at < SILENT_SECONDS
        if fresh and self._carriers[number].reaches(other):
            self._carriers[number].send(other, datagram)
            return
        for each in self._carriers:
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
