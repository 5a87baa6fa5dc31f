"""A member's ways to the others, direct or by several operators' relays: one that is gone is done without.

What comes from a member shows which relay both have, so what goes to it takes the same one. While nothing
comes, datagrams go by all of them, as WireGuard drops what it gets twice: a few of them, enough for each side
to hear the other. What a renter's code sends beyond that to who is silent takes one way, each in turn: so no
machine's line carries it as often as there are relays.

A direct way is taken as long as something comes by it; until then, and once nothing does, relays carry.

Nobody has signed what comes: a relay, or who is on the way to it, can make up that a member was heard, and
drop what then goes to it. WireGuard notices that what it sends has no answer, and shakes hands again. So
handshakes go by all ways, and the relay that was used before one that comes early is doubted for a while.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.budgets import Buckets, Rate
from keeper.chain.signer import Signer
from keeper.compute.carrier import Carrier
from keeper.compute.client import Board
from keeper.compute.direct import Direct
from keeper.compute.peers import Other

SILENT_SECONDS = 10.0
"""Then all ways are tried: what one relay loses comes by another long before Ray misses a node."""
EVERYWHERE, MOST_MEMBERS = Rate(65_536, 4_096), 4_096
"""Bytes to a silent member that go by all ways, over all of them: a handshake of WireGuard's has 148, every
five seconds."""
AGAIN_SECONDS = (3.0, 100.0)
"""After the last handshake one is early: WireGuard's own pace is 120 s, and 15 without an answer. Two members
that begin with each other at once do it twice in less."""
DOUBT_SECONDS, MOST_DOUBT_SECONDS = 60.0, 3_600.0
"""Twice as long each time, up to an hour: a relay that has none of it is as good as the other ones."""
INITIATION, RESPONSE = (b"\x01\0\0\0", 148), (b"\x02\0\0\0", 92)
"""How WireGuard's handshakes begin, and their sizes. It answers none that isn't the member's."""
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
        direct: Direct | None = None,
    ) -> None:
        """``deliver`` gets what comes, with the key of the member that it comes from.

        ``direct`` has the ways beside relays, if there may be any.
        """
        self._deliver, self._monotonic = deliver, monotonic
        self._carriers: list[Carrier | Direct] = [
            Carrier(board, order, signer, self._from(number), log) for number, board in enumerate(boards)
        ]
        self._direct = len(self._carriers)
        """The number of the direct way."""
        if direct is not None:
            direct.deliver = self._from(self._direct)
            self._carriers.append(direct)
        self._wanted: frozenset[Pubkey] = frozenset()
        self._last: dict[Pubkey, tuple[int, float]] = {}
        """By which relay a member was last heard, and when."""
        self._shaken: dict[Pubkey, float] = {}
        """When hands were last shaken with a member."""
        self._doubts: dict[tuple[Pubkey, int], tuple[float, float]] = {}
        """Until when a relay isn't believed that a member is heard there, and for how long that was."""
        self._everywhere = Buckets(EVERYWHERE, MOST_MEMBERS)
        self._turn = 0
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Have links, and keep them, until :meth:`close`."""
        self._tasks = [asyncio.create_task(each.run()) for each in self._carriers]
        self._tasks.append(asyncio.create_task(self._renew()))

    def want(self, others: Mapping[Pubkey, Other]) -> None:
        """There are to be ways to these: links that aren't there are asked for."""
        self._wanted = frozenset(others)
        for each in self._carriers:
            if isinstance(each, Direct):
                each.want({other: found.endpoints for other, found in others.items()})
        self._last = {other: last for other, last in self._last.items() if other in others}
        self._shaken = {other: at for other, at in self._shaken.items() if other in others}
        self._doubts = {key: doubt for key, doubt in self._doubts.items() if key[0] in others}

    def send(self, other: Pubkey, datagram: bytes) -> None:
        """Hand a datagram to another member; without any way it is lost."""
        now = self._monotonic()
        shakes = (datagram[:4], len(datagram)) in (INITIATION, RESPONSE)
        if shakes:
            self._doubt(other, now)
        number = self._used(other, now)
        if number is not None and not shakes:
            self._carriers[number].send(other, datagram)
            return
        chosen = self._carriers
        if self._everywhere.take(other, now, len(datagram) * len(chosen)):
            self._turn += 1
            there = [each for each in chosen if each.reaches(other)] or chosen
            there = [
                each for n, each in enumerate(chosen) if each in there and self._trusts(other, n)
            ] or there
            chosen = [there[self._turn % len(there)]]
        for each in chosen:
            each.send(other, datagram)

    async def close(self) -> None:
        """Carry nothing more."""
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _used(self, other: Pubkey, now: float) -> int | None:
        """By which relay what goes to a member goes; None where it is silent."""
        number, at = self._last.get(other, (-1, 0.0))
        fresh = number >= 0 and now - at < SILENT_SECONDS and self._carriers[number].reaches(other)
        return number if fresh else None

    def _is_direct(self, other: Pubkey, now: float) -> bool:
        """Whether a member is heard directly, so that it is no matter which relay it is heard by, too."""
        return self._last.get(other, (-1, 0.0))[0] == self._direct and self._used(other, now) is not None

    def _doubt(self, other: Pubkey, now: float) -> None:
        """Hands are shaken: early, it is as what went by the present relay had no answer."""
        least, most = AGAIN_SECONDS
        since = now - self._shaken.get(other, -most)
        self._shaken[other] = now
        number = self._used(other, now)
        if number is None or not least <= since < most:
            return
        _, before = self._doubts.get((other, number), (0.0, DOUBT_SECONDS / 2))
        seconds = min(2 * before, MOST_DOUBT_SECONDS)
        self._doubts[other, number] = now + seconds, seconds
        del self._last[other]

    def _trusts(self, other: Pubkey, number: int) -> bool:
        """Whether a relay is believed that a member is heard there."""
        return self._doubts.get((other, number), (0.0, 0.0))[0] <= self._monotonic()

    async def _renew(self) -> None:
        """Ask boards for what they haven't given, as somebody has come since."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            for each in self._carriers:
                if not all(map(each.has_link, self._wanted)):
                    await each.refresh()

    def _from(self, number: int) -> Callable[[Pubkey, bytes], None]:
        def deliver(sender: Pubkey, datagram: bytes) -> None:
            now = self._monotonic()
            if self._trusts(sender, number) and (number == self._direct or not self._is_direct(sender, now)):
                self._last[sender] = number, now
            self._deliver(sender, datagram)

        return deliver
