"""A cluster's network: WireGuard inside a sandbox's own, its datagrams carried by the agent.

WireGuard in there believes each peer at a port of its loopback, which is a socket that the agent holds. What
comes out of one is ciphertext for one peer, and goes to that peer's carrier: a relay, or the peer itself. So
neither the renter's code nor an operator is on the machine's network, and no rule or route is made on it.

What all peers together send, and what comes from them, has a rate each: the machine's line is its owner's,
who needs it for BEATs and proofs of work. What is sent too fast waits in WireGuard's own socket, which TCP
inside notices; what comes too fast is lost.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from nacl.public import PrivateKey

from keeper.budgets import Buckets, Rate
from keeper.compute.namespace import Namespaces, SandboxFailed
from keeper.compute.nsinit import INTERFACE, PORT

KEEPALIVE_SECONDS = 25
"""So that a relay, and a router in between, don't forget who is where."""
MAX_DATAGRAM = 2_048
BURST = 64
"""Datagrams of one peer that are taken before the others'."""
WAITING = 4 << 20
"""Bytes that wait to be carried, as far as the system lets them."""
MBIT = 125_000
"""Bytes."""
LINE = 200 * MBIT
"""Bytes a second each way, as a relay gives a member."""
AHEAD_SECONDS, LEAST_AHEAD = 0.05, 65_536
"""What may be sent at once: so many seconds' worth, and so many bytes at least."""


def line(each_second: int) -> Rate:
    """A line's budget from its bytes a second."""
    return Rate(max(AHEAD_SECONDS * each_second, LEAST_AHEAD), each_second)


@dataclass(slots=True)
class Peer:
    """Another member; ``send`` takes away what WireGuard has for it, :meth:`deliver` brings what came."""

    public: bytes
    address: IPv4Address
    send: Callable[[bytes], None]
    _socket: socket.socket | None = None
    _admits: Callable[[int], bool] = lambda size: True
    sent: int = 0
    received: int = 0
    """Bytes of ciphertext."""

    def deliver(self, datagram: bytes) -> None:
        """Hand on a datagram that came from it; one that there is no room for is lost, as datagrams are."""
        if self._socket is None or not self._admits(len(datagram)):
            return
        try:
            self._socket.send(datagram)
        except OSError:
            return
        self.received += len(datagram)


class Overlay:
    """The network of one sandbox, by its namespaces."""

    def __init__(
        self,
        spaces: Namespaces,
        key: PrivateKey,
        address: IPv4Address,
        *,
        rate: int = LINE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``key`` is what this member's KEY says the public part of; ``rate`` is bytes a second each way."""
        self._spaces = spaces
        self._key = key
        self.address = address
        self._monotonic = monotonic
        self.line = Buckets(line(rate)), Buckets(line(rate))
        """What goes out and comes in, by whatever way."""
        self.peers: dict[bytes, Peer] = {}
        """By public key."""

    @property
    def is_over(self) -> bool:
        """Whether its namespaces are gone."""
        return self._spaces.over.done()

    async def up(self) -> None:
        """Make the interface; raises SandboxFailed."""
        key = base64.b64encode(bytes(self._key)).decode()
        await self._spaces.ask("network", key=key, address=str(self.address))

    async def add(self, peer: Peer) -> None:
        """Let a member in, under its address alone; raises SandboxFailed, and for a key that is there."""
        if peer.public in self.peers:
            raise SandboxFailed(f"the member at {peer.address} is in the overlay already")
        made = await self._spaces.socket("udp")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WAITING)
        made.bind(("127.0.0.1", 0))
        made.connect(("127.0.0.1", PORT))  # So the kernel takes nothing for it from anybody inside.
        port = made.getsockname()[1]
        said = ["allowed-ips", f"{peer.address}/32", "endpoint", f"127.0.0.1:{port}"]
        said += ["persistent-keepalive", str(KEEPALIVE_SECONDS)]
        try:
            await self._wg(peer, *said)
        except SandboxFailed:
            made.close()
            raise
        peer._socket, peer._admits = made, self._admits
        self.peers[peer.public] = peer
        asyncio.get_running_loop().add_reader(made, self._carry, peer, made)

    async def remove(self, peer: Peer) -> None:
        """Shut a member out; raises SandboxFailed."""
        self._let_go(self.peers.pop(peer.public))
        await self._wg(peer, "remove")

    async def connect(self, address: IPv4Address, port: int) -> socket.socket:
        """A TCP connection to a member's port, from inside; raises OSError, SandboxFailed."""
        made = await self._spaces.socket("tcp")
        try:
            await asyncio.get_running_loop().sock_connect(made, (str(address), port))
        except BaseException:
            made.close()
            raise
        return made

    def close(self) -> None:
        """Carry nothing more."""
        for each in list(self.peers):
            self._let_go(self.peers.pop(each))

    # -- inside ----------------------------------------------------------------------------------

    def _let_go(self, peer: Peer) -> None:
        if peer._socket is not None:
            asyncio.get_running_loop().remove_reader(peer._socket)
            peer._socket.close()
            peer._socket = None

    async def _wg(self, peer: Peer, *said: str) -> None:
        public = base64.b64encode(peer.public).decode()
        await self._spaces.ask("wg", arguments=["set", INTERFACE, "peer", public, *said])

    def _admits(self, size: int) -> bool:
        return self.line[1].take(None, self._monotonic(), size) == 0

    def _carry(self, peer: Peer, made: socket.socket) -> None:
        for _ in range(BURST):
            now = self._monotonic()
            if wait := self.line[0].take(None, now):
                self._rest(peer, made, wait)
                return
            try:
                data = made.recv(MAX_DATAGRAM)
            except OSError:
                return
            self.line[0].owe(None, now, len(data))
            peer.sent += len(data)
            peer.send(data)

    def _rest(self, peer: Peer, made: socket.socket, seconds: float) -> None:
        """Leave what a peer has to send where it is for a while."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(made)

        def again() -> None:
            if peer._socket is made:
                loop.add_reader(made, self._carry, peer, made)

        loop.call_later(seconds, again)
