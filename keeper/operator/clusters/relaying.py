"""The relay beside the challenge service: who has which link is decided here, datagrams go through a process.

Ids are kept here, so that a relay that died has the same links again; members notice that nobody answers and
bind anew.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.compute.relay import LINK, NO_LINK
from keeper.compute.wire import Network
from keeper.errors import UserError, why
from keeper.operator.clusters.relay_process import closing, opening
from keeper.operator.metrics import Metrics

BUFFER = 4 << 20
"""Bytes that wait to be read, as far as the system lets them: a burst of 3,000 datagrams."""
AGAIN_SECONDS = 1.0
"""Before a relay that died is started again."""
MODULE = "keeper.operator.clusters.relay_process"


class RelayRefused(UserError):
    """An address or a port that a relay can't have."""


class Relaying:
    """One operator's relay; see :class:`keeper.operator.clusters.office.Links`."""

    def __init__(
        self,
        host: str,
        port: int,
        network: Network,
        rate: int,
        log: FilteringBoundLogger,
        metrics: Metrics,
    ) -> None:
        """Take the UDP port (0: any); a member has ``rate`` bytes a second. Raises RelayRefused."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            self._socket.setblocking(False)
            self._socket.bind((host, port))
        except (OSError, UnicodeError) as error:
            self._socket.close()
            reason = (
                f"can't relay on {host}:{port} ({why(error)}): set IONET_RELAY to another address, or off"
            )
            raise RelayRefused(reason) from error
        self.port: int = self._socket.getsockname()[1]
        self._network, self._rate, self._log, self._metrics = network, rate, log, metrics
        self._ids: defaultdict[Pubkey, dict[tuple[Pubkey, Pubkey], bytes]] = defaultdict(dict)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Of the process, None while it is started."""
        return self._process.pid if self._process else None

    def open(self, order: Pubkey, one: Pubkey, other: Pubkey) -> tuple[bytes, bytes]:
        """The links of a pair: one's own, and the other's; the same until they are closed."""
        ids = self._ids[order]
        if (one, other) not in ids:
            ids[one, other], ids[other, one] = _drawn(), _drawn()
            self._tell(opening(order, one, other, ids[one, other], ids[other, one]))
        return ids[one, other], ids[other, one]

    def keep_only(self, parties: Callable[[Pubkey], set[Pubkey]]) -> None:
        """Close the links of whoever has no part in an order any more."""
        for order, ids in list(self._ids.items()):
            gone = {each for pair in ids for each in pair} - parties(order)
            for member in gone:
                self._tell(closing(order, member))
            if gone:
                left = {pair: link for pair, link in ids.items() if not gone & set(pair)}
                self._ids[order] = left
                if not left:
                    del self._ids[order]
        self._metrics.links.set(sum(map(len, self._ids.values())))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Have the process run meanwhile; one that dies is started again."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._socket.close()

    # -- inside ----------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            process = await self._start()
            try:
                await self._listen(process)
                code = await process.wait()
                self._log.error("relay.died", code=code)
            finally:
                self._process = None
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _start(self) -> asyncio.subprocess.Process:
        number = self._socket.fileno()
        genesis, program = self._network.genesis.hex(), str(self._network.program)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", MODULE, str(number), genesis, program, str(self._rate)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=[number],
        )
        self._process = process
        for order, ids in self._ids.items():
            for (one, other), mine in ids.items():
                if bytes(one) < bytes(other):
                    self._tell(opening(order, one, other, mine, ids[other, one]))
        self._log.info("relay.started", port=self.port, pid=process.pid)
        return process

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Count what the process says that it did."""
        assert process.stdout is not None
        had, dropped = 0, Counter[str]()
        while line := await process.stdout.readline():
            found = json.loads(line)
            self._metrics.relayed.inc(found["bytes"] - had)
            had = found["bytes"]
            self._metrics.bound.set(found["bound"])
            for reason, count in found["dropped"].items():
                self._metrics.dropped.labels(reason).inc(count - dropped[reason])
                dropped[reason] = count

    def _tell(self, line: bytes) -> None:
        """Tell the process; one that isn't there is told everything when it starts."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(line)


def _drawn() -> bytes:
    link = secrets.token_bytes(LINK)
    return link if link != NO_LINK else _drawn()
