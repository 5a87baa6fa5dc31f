"""A member's way through an operator's relay: has its links, keeps them bound, and carries datagrams by them.

What it carries is WireGuard's, so a relay that loses, repeats or makes up datagrams does no more harm than a
bad line. A relay that doesn't answer is asked for its links anew, as it may have begun again; how long it has
been silent is there for whoever has another one.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.chain.services import OperatorError
from keeper.chain.signer import Signer
from keeper.compute.client import Board
from keeper.compute.relay import BOUND, LINK, MAGIC, NO_LINK, bind, is_full

BIND_SECONDS = 20.0
"""So often each link is bound again: a router on the way forgets a way that is silent for 30 seconds."""
RETRY_SECONDS = 2.0
"""A link that isn't answered is bound again so soon."""
LOST = 3
"""Rounds without any answer after which the links are asked for anew."""


BULK = 2
"""Linux's priority of what can wait (TC_PRIO_BULK)."""
LOWER_EFFORT = 1 << 2
"""RFC 8622: routers that know it, such as the supplier's own, let everything else go first."""


def yields(line: socket.socket) -> None:
    """Have what a renter's code sends go behind all else of the machine, BEATs and proofs of work first."""
    if line.family == socket.AF_INET6:
        line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, LOWER_EFFORT)
    else:
        line.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, LOWER_EFFORT)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, BULK)  # After the other, which sets it, too.


class Carrier(asyncio.DatagramProtocol):
    """One member's, through one operator's relay; used from one event loop."""

    def __init__(
        self,
        board: Board,
        order: Pubkey,
        signer: Signer,
        deliver: Callable[[Pubkey, bytes], None],
        log: FilteringBoundLogger,
        *,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """``deliver`` gets what comes, with the key of the member that it comes from."""
        self._board, self._order, self._signer = board, order, signer
        self._deliver, self._log, self._unix_ms = deliver, log, unix_ms
        self._transport: asyncio.DatagramTransport | None = None
        self._relay: tuple[str, int] | None = None
        self._links: dict[Pubkey, bytes] = {}
        self._others: dict[bytes, Pubkey] = {}
        self._bound: dict[bytes, float] = {}
        self._answered = asyncio.Event()
        self._ms = 0

    @property
    def bound(self) -> set[Pubkey]:
        """Members to whom there is a way, as far as this end of it goes."""
        return {self._others[link] for link in self._bound if link in self._others}

    def has_link(self, other: Pubkey) -> bool:
        """Whether the board has given a link to another member."""
        return other in self._links

    def reaches(self, other: Pubkey) -> bool:
        """Whether that link is bound, as far as this end of it goes."""
        return self._links.get(other) in self._bound

    def send(self, other: Pubkey, datagram: bytes) -> None:
        """Hand a datagram to another member; without a way, or on a full line, it is lost."""
        link, transport = self._links.get(other), self._transport
        if link is None or transport is None or transport.is_closing():
            return
        if not is_full(transport):
            transport.sendto(link + datagram)

    async def run(self) -> None:
        """Have links and keep them bound, until it is cancelled."""
        silent = LOST
        try:
            while True:
                if silent >= LOST:
                    silent = 0 if await self._ask() else LOST
                self._answered.clear()
                self._bound.clear()
                await self._bind()
                waited = BIND_SECONDS if await self._all_answered() else RETRY_SECONDS
                silent = 0 if self._bound else silent + 1
                await asyncio.sleep(waited)
        finally:
            if self._transport is not None:
                self._transport.close()

    async def refresh(self) -> None:
        """Ask for the links again: who is in the order has changed."""
        await self._ask()
        await self._bind()

    # -- of asyncio ------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, address: object) -> None:
        """Deliver what a member sent, or note that the relay has bound a link."""
        other = self._others.get(data[:LINK])
        if other is None:
            return
        if data.startswith(MAGIC, LINK):
            if len(data) == LINK + BOUND.size:
                self._bound[data[:LINK]] = time.monotonic()
                if len(self._bound) == len(self._links):
                    self._answered.set()
            return
        self._deliver(other, data[LINK:])

    def error_received(self, error: Exception) -> None:
        """A relay that isn't there: it is asked again."""

    # -- inside ----------------------------------------------------------------------------------

    async def _ask(self) -> bool:
        """Ask for links, and be connected to the relay that has them; whether there are any."""
        try:
            relay, links = await self._board.links(await self._signed(NO_LINK))
        except OperatorError as error:
            self._log.warning("relay.no_links", url=self._board.url, reason=str(error))
            return False
        self._links, self._others = links, {link: other for other, link in links.items()}
        if relay is None:
            return False
        if relay != self._relay or self._transport is None:
            if self._transport is not None:
                self._transport.close()
            try:
                made = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: self, remote_addr=relay
                )
            except OSError as error:
                self._log.warning("relay.unreachable", url=self._board.url, reason=str(error))
                self._transport = None
                return False
            self._transport, self._relay = made[0], relay
            yields(made[0].get_extra_info("socket"))
        return bool(links)

    async def _bind(self) -> None:
        for link in list(self._others):
            datagram = await self._signed(link)
            if self._transport is not None:
                self._transport.sendto(datagram)

    async def _all_answered(self) -> bool:
        try:
            async with asyncio.timeout(RETRY_SECONDS):
                await self._answered.wait()
        except TimeoutError:
            return False
        return True

    async def _signed(self, link: bytes) -> bytes:
        # A relay takes no BIND that isn't later than the last of its link.
        self._ms = max(self._ms + 1, self._unix_ms())
        return await asyncio.to_thread(bind, self._board.network, self._order, link, self._ms, self._signer)
