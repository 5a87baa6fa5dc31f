"""The same agent by a network's clock, which a test moves: this module, with a folder more.

In that folder ``clock`` has the time, unix seconds in eight bytes. Relays, processes of their own, have the
machine's. Once there is a file ``idle`` the agent is
one that was changed: it beats, answers and looks after its node no more, whatever becomes of that.
"""

from __future__ import annotations

import asyncio
import mmap
import sys
import time
from pathlib import Path
from typing import Any


def follow(clock: Path) -> None:
    """Have all of this process tell the time by a file; what waits, waits by the machine's own."""
    with clock.open("rb") as file:
        told = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    time.time_ns = lambda: int.from_bytes(told[:8], "little") * 10**9
    time.time = lambda: float(int.from_bytes(told[:8], "little"))


if __name__ == "__main__":
    place, machine_ns = Path(sys.argv[1]), time.time_ns
    follow(place / "clock")
    # Whatever takes the time by default takes the network's.
    from keeper.compute import ways
    from keeper.compute.carrier import Carrier
    from keeper.compute.liveness import BEAT_SECONDS
    from keeper.compute.relay import NO_LINK, bind
    from keeper.worker import assemble
    from keeper.worker.serving.hired import Hired
    from keeper.worker.serving.serving import Serving
    from tests.keeper.compute import agent_child

    class Idle(Hired):
        async def turn(self) -> None:
            if not (place / "idle").exists():
                await super().turn()

    class Line(Carrier):
        async def _signed(self, link: bytes) -> bytes:
            ns = time.time_ns() if link == NO_LINK else machine_ns()
            ms = ns // 1_000_000
            return await asyncio.to_thread(bind, self._board.network, self._order, link, ms, self._signer)

    async def beat(self: Any) -> None:
        last = 0.0
        while True:
            if time.time() - last >= BEAT_SECONDS:
                last = time.time()
                await asyncio.gather(*(each.beat() for each in self.hired.values()))
            await asyncio.sleep(0.1)

    assemble.Hired, ways.Carrier = Idle, Line
    Serving._beat = beat
    agent_child.run(*sys.argv[2:])
