"""The others of an order as one member has them in its network: by the KEYs that they posted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.compute.bodies import Endpoint, Key
from keeper.compute.members import RENTER, Members
from keeper.compute.namespace import SandboxFailed
from keeper.compute.overlay import Overlay, Peer


class Other(NamedTuple):
    """Another member: its WireGuard key, its address in the overlay, where it says that it can be reached."""

    public: bytes
    address: IPv4Address
    endpoints: tuple[Endpoint, ...] = ()


def others(
    members: Members, keys: Mapping[tuple[Pubkey, int], Key], me: Pubkey, mine: bytes
) -> dict[Pubkey, Other]:
    """The other members, and the renter, as far as their KEYs are known, by the keys that they sign with.

    ``keys`` are KEYs by sender and number; ``me`` is who asks, and ``mine`` its own WireGuard key. Of two
    with the same one who comes first in the list has it, and nobody has ours: nobody is shut out by a copy.
    """
    found: dict[Pubkey, Other] = {}
    taken = {mine}
    named = [(node.worker, node.number, node.address) for node in members.nodes]
    newest = max((number for sender, number in keys if sender == members.renter), default=0)
    for member, number, address in (*named, (members.renter, newest, RENTER)):
        key = keys.get((member, number))
        if member != me and key is not None and key.public not in taken:
            taken.add(key.public)
            found[member] = Other(key.public, address, key.endpoints)
    return found


class Peers:
    """Those whom one overlay lets in."""

    def __init__(self, overlay: Overlay, send: Callable[[Pubkey, bytes], None]) -> None:
        """``send`` takes away what WireGuard has for a member."""
        self._overlay, self._send = overlay, send
        self._peers: dict[Pubkey, Peer] = {}
        self._unusable: set[tuple[Pubkey, Other]] = set()

    @property
    def addresses(self) -> set[IPv4Address]:
        """Where there is a way to."""
        return {each.address for each in self._peers.values()}

    @property
    def carried(self) -> tuple[int, int]:
        """Bytes of ciphertext that were sent to those who are in, and received."""
        peers = self._peers.values()
        return sum(each.sent for each in peers), sum(each.received for each in peers)

    async def meet(self, wanted: Mapping[Pubkey, Other]) -> dict[Pubkey, str]:
        """Let in exactly these; who left is shut out first, as another one may have its address.

        Returns whose KEY WireGuard newly doesn't take, and why: that is nobody else's end. Raises
        SandboxFailed.
        """
        for member, peer in list(self._peers.items()):
            other = wanted.get(member)
            if other is None or (other.public, other.address) != (peer.public, peer.address):
                del self._peers[member]
                await self._overlay.remove(peer)
        refused = {}
        for member, other in wanted.items():
            if member in self._peers or (member, other) in self._unusable:
                continue
            peer = Peer(other.public, other.address, self._sender(member))
            try:
                await self._overlay.add(peer)
            except SandboxFailed as error:
                if self._overlay.is_over:
                    raise
                self._unusable.add((member, other))
                refused[member] = str(error)
            else:
                self._peers[member] = peer
        return refused

    def deliver(self, member: Pubkey, datagram: bytes) -> None:
        """Hand on what came from a member; what comes from anybody else is dropped."""
        if (peer := self._peers.get(member)) is not None:
            peer.deliver(datagram)

    def _sender(self, member: Pubkey) -> Callable[[bytes], None]:
        return lambda datagram: self._send(member, datagram)
