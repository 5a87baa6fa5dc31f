"""A member's direct ways to others, without a relay: UDP to where another's KEY says that it is reached.

A datagram is as a relay has it: the id of a way (8 bytes), and WireGuard's. Here an id follows from the order
and the two members, and no secret is in it: whoever comes binds its address by a BIND, which its own key
signs, and whoever is reached answers. Only from a bound address anything is taken, only to one anything is
sent: so an address in a KEY that is nobody's, or a stranger's, gets nothing but BINDs, few of them. Addresses
that aren't public are left out: a KEY would have agents send into networks that they are on.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address

from solders.pubkey import Pubkey
from solders.signature import Signature
from structlog.typing import FilteringBoundLogger

from keeper.budgets import Buckets, network_of
from keeper.chain.signer import Signer
from keeper.compute.bodies import Endpoint
from keeper.compute.carrier import yields
from keeper.compute.egress import reachable
from keeper.compute.relay import (
    ASKING,
    BIND,
    BINDS,
    BOUND,
    LINK,
    MAGIC,
    MAX_PAYLOAD,
    NAMES,
    Address,
    bind,
    is_full,
)
from keeper.compute.wire import CLOCK_MS, SIGNATURE, Network

TRY_SECONDS = 5.0
"""From one BIND to an address that hasn't answered to the next; relays carry meanwhile."""
TRIES = 12
"""A minute of those; then it is tried as seldom as :data:`LATER_SECONDS`."""
LATER_SECONDS = 300.0
BIND_SECONDS = 20.0
"""So often one that has answered is bound again, as a router on the way forgets it."""
GONE_SECONDS = 60.0
"""Without a BIND, or an answer to one, for so long there is no way."""


@dataclass(slots=True)
class _Way:
    mine: bytes
    """The id of what we send."""
    theirs: bytes
    hints: tuple[Address, ...] = ()
    """Where the other one says that it is reached."""
    address: Address | None = None
    """Where it is: bound by itself, or by an answer."""
    at: float = 0.0
    """When it was last bound."""
    ms: int = 0
    """Of its last BIND."""
    asked: int = 0
    """That of ours which may be answered, unix ms."""
    tries: int = 0
    due: float = 0.0


def way(order: Pubkey, sender: Pubkey, other: Pubkey) -> bytes:
    """The id of what one member of an order sends to another."""
    return hashlib.sha256(b"direct" + bytes(order) + bytes(sender) + bytes(other)).digest()[:LINK]


def usable(endpoints: Iterable[Endpoint]) -> tuple[Address, ...]:
    """Those that anything may be sent to: public IPv4 ones."""
    found = []
    for each in endpoints:
        mapped = IPv6Address(each.address).ipv4_mapped
        if mapped is not None and each.port and reachable([str(mapped)], ()):
            found.append((str(mapped), each.port))
    return tuple(found)


class Direct(asyncio.DatagramProtocol):
    """One member's in one order, beside its relays; used from one event loop."""

    def __init__(
        self,
        network: Network,
        order: Pubkey,
        signer: Signer,
        log: FilteringBoundLogger,
        port: int = 0,
        *,
        usable: Callable[[Iterable[Endpoint]], tuple[Address, ...]] = usable,
    ) -> None:
        """``port`` is where others reach it, as its KEY says; 0: nobody does, and it reaches others."""
        self.deliver: Callable[[Pubkey, bytes], None] = lambda member, datagram: None
        """Gets what comes, with the key of the member that it comes from."""
        self._network, self._order, self._signer = network, order, signer
        self._log, self._port, self._usable = log, port, usable
        self._transport: asyncio.DatagramTransport | None = None
        self._ways: dict[Pubkey, _Way] = {}
        self._members: dict[bytes, Pubkey] = {}
        self._binds = Buckets(BINDS, NAMES)
        self._ms = 0

    def want(self, others: Mapping[Pubkey, Iterable[Endpoint]]) -> None:
        """There are to be ways to these, and from them, and nobody else."""
        me = self._signer.pubkey()
        self._ways = {
            other: self._ways.get(other) or _Way(way(self._order, me, other), way(self._order, other, me))
            for other in others
        }
        self._members = {each.theirs: other for other, each in self._ways.items()}
        for other, endpoints in others.items():
            self._ways[other].hints = self._usable(endpoints)

    def reaches(self, other: Pubkey) -> bool:
        """Whether there is a way now."""
        found = self._ways.get(other)
        return found is not None and found.address is not None and time.monotonic() - found.at < GONE_SECONDS

    def has_link(self, other: Pubkey) -> bool:
        """Nobody is asked for a link."""
        return True

    def send(self, other: Pubkey, datagram: bytes) -> None:
        """Hand a datagram to another member; without a way, or on a full line, it is lost."""
        found, transport = self._ways.get(other), self._transport
        if transport is None or found is None or found.address is None or not self.reaches(other):
            return
        if not transport.is_closing() and not is_full(transport):
            transport.sendto(found.mine + datagram, found.address)

    async def refresh(self) -> None:
        """Nothing is asked for."""

    async def run(self) -> None:
        """Have ways and keep them bound, until it is cancelled. Without its port there are none."""
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            made.bind(("0.0.0.0", self._port))
            yields(made)
            loop = asyncio.get_running_loop()
            self._transport = (await loop.create_datagram_endpoint(lambda: self, sock=made))[0]
        except OSError as error:
            made.close()
            self._log.warning("direct.no_port", port=self._port, reason=str(error))
            return
        try:
            while True:
                await self._bind(self._transport)
                await asyncio.sleep(1.0)
        finally:
            self._transport.close()

    # -- of asyncio ------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, address: Address) -> None:
        """Deliver what a member sent, answer its BIND, or note the answer to ours."""
        member = self._members.get(data[:LINK])
        if member is None or len(data) > LINK + MAX_PAYLOAD:
            return
        found, address = self._ways[member], (address[0], address[1])
        if not data.startswith(MAGIC, LINK):
            if found.address == address:
                self.deliver(member, data[LINK:])
        elif len(data) == LINK + BOUND.size:
            if address in found.hints and BOUND.unpack_from(data, LINK)[1] == found.asked:
                found.address, found.at, found.asked, found.tries = address, time.monotonic(), 0, 0
        elif self._is_bind(member, found, data, address):
            found.address, found.at = address, time.monotonic()
            assert self._transport is not None
            self._transport.sendto(found.mine + BOUND.pack(MAGIC, found.ms), address)

    def error_received(self, error: Exception) -> None:
        """Somebody's port is closed: it is tried again."""

    # -- inside ----------------------------------------------------------------------------------

    def _is_bind(self, member: Pubkey, found: _Way, data: bytes, address: Address) -> bool:
        """Whether it is a member's own BIND, of now, and newer than its last one; then that is noted."""
        if len(data) != ASKING or self._binds.take(network_of(address[0]), time.monotonic()):
            return False
        said = data[LINK:-SIGNATURE]
        *_, ms = BIND.unpack(said)
        keys = (self._network.genesis, bytes(self._network.program), bytes(self._order), bytes(member))
        if said != BIND.pack(MAGIC, *keys, found.theirs, ms) or ms <= found.ms:
            return False
        if abs(ms - time.time_ns() // 1_000_000) > CLOCK_MS:
            return False
        if not Signature.from_bytes(data[-SIGNATURE:]).verify(member, said):
            return False
        found.ms = ms
        return True

    async def _bind(self, transport: asyncio.DatagramTransport) -> None:
        """BINDs to those who say where they are reached, where it is time for one."""
        for member, found in list(self._ways.items()):
            now = time.monotonic()
            if not found.hints or now < found.due:
                continue
            self._ms = max(self._ms + 1, time.time_ns() // 1_000_000)
            datagram = await asyncio.to_thread(
                bind, self._network, self._order, found.mine, self._ms, self._signer
            )
            if self._ways.get(member) is not found:
                continue
            found.asked, found.tries = self._ms, found.tries + 1
            waits = TRY_SECONDS if found.tries <= TRIES else LATER_SECONDS
            found.due = now + (BIND_SECONDS if self.reaches(member) and found.tries <= 1 else waits)
            for hint in found.hints if found.address not in found.hints else (found.address,):
                transport.sendto(datagram, hint)
