"""A cluster's network: WireGuard inside a sandbox's own, its datagrams carried by the agent.

WireGuard in there believes each peer at a port of its loopback, which is a socket that the agent holds. What
comes out of one is ciphertext for one peer, and goes to that peer's carrier: a relay, or the peer itself. So
neither the renter's code nor an operator is on the machine's network, and no rule or route is made on it.
"""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from nacl.public import PrivateKey

from keeper.compute.namespace import Namespaces, SandboxFailed
from keeper.compute.nsinit import INTERFACE, PORT

KEEPALIVE_SECONDS = 25
"""So that a relay, and a router in between, don't forget who is where."""
MAX_DATAGRAM = 2_048
BURST = 64
"""Datagrams of one peer that are taken before the others'."""


@dataclass(slots=True)
class Peer:
    """Another member; ``send`` takes away what WireGuard has for it, :meth:`deliver` brings what came."""

    public: bytes
    address: IPv4Address
    send: Callable[[bytes], None]
    _socket: socket.socket | None = None
    sent: int = 0
    received: int = 0
    """Bytes of ciphertext."""

    def deliver(self, datagram: bytes) -> None:
        """Hand on a datagram that came from it; one that there is no room for is lost, as datagrams are."""
        if self._socket is None:
            return
        try:
            self._socket.send(datagram)
        except OSError:
            return
        self.received += len(datagram)


class Overlay:
    """The network of one sandbox, by its namespaces."""

    def __init__(self, spaces: Namespaces, key: PrivateKey, address: IPv4Address) -> None:
        """``key`` is what this member's KEY says the public part of."""
        self._spaces = spaces
        self._key = key
        self.address = address
        self.peers: dict[bytes, Peer] = {}
        """By public key."""

    async def up(self) -> None:
        """Make the interface; raises SandboxFailed."""
        key = base64.b64encode(bytes(self._key)).decode()
        await self._spaces.ask("network", key=key, address=str(self.address))

    async def add(self, peer: Peer) -> None:
        """Let a member in, under its address alone; raises SandboxFailed, and for a key that is there."""
        if peer.public in self.peers:
            raise SandboxFailed(f"the member at {peer.address} is in the overlay already")
        made = await self._spaces.socket("udp")
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
        peer._socket = made
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

    def _carry(self, peer: Peer, made: socket.socket) -> None:
        for _ in range(BURST):
            try:
                data = made.recv(MAX_DATAGRAM)
            except OSError:
                return
            peer.sent += len(data)
            peer.send(data)
