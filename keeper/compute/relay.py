"""A blind relay of UDP: hands a cluster's ciphertext from one member to another, and to nobody else.

A datagram is a link's id (8 bytes) and what it carries, which is WireGuard's. A link is one way into a pair
of members of one order: each has its own id, and what comes by one goes out under the other's. Whoever has
a link binds its address by a BIND, which its own worker (or renter) key signs; from then on only that
address may send by it. The relay sees addresses, sizes and times.

A BIND is ``link | 0xff "ionet relay" | genesis 32 | program 32 | order 32 | sender 32 | link 8 | unix ms
u64 | signature 64``, integers little-endian. It counts within 30 seconds, and only if it is later than the
last, so that no copy of one moves a link. It is answered by ``link | 0xff "ionet relay" | unix ms u64``, the
time that it had, so that whoever hears nothing asks for its links anew. An address in a datagram can be
false: who knows a link's id and its address may send by it, and WireGuard drops what that is.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.budgets import Buckets, Rate, network_of
from keeper.chain.signer import Signer
from keeper.compute.refusals import Why, WireError
from keeper.compute.wire import CLOCK_MS, SIGNATURE, Network

LINK = 8
"""Bytes of a link's id."""
MAGIC = b"\xffionet relay"
BIND = struct.Struct("<12s32s32s32s32s8sQ")
BOUND = struct.Struct("<12sQ")
NO_LINK = bytes(LINK)
"""In a BIND that is sent to a board: it asks for all links of its sender."""
ASKING = LINK + BIND.size + SIGNATURE
"""Bytes of a BIND."""
MAX_PAYLOAD = 1_500
"""Bytes of a datagram behind the id: WireGuard's are shorter."""
MEMBER = Rate(25_000_000, 25_000_000)
"""Bytes of a member in an order: 200 Mbit/s."""
BINDS = Rate(60, 6)
"""BINDs from an address: asked before a signature is checked."""
NAMES = 65_536
MOST_WAITING = 1 << 20
"""Bytes that wait for a line which is full: further datagrams are lost, as they would take all memory."""
Address = tuple[str, int]


class Dropped(StrEnum):
    """Why a datagram went nowhere. It has no answer: its address may be false."""

    UNKNOWN_LINK = "unknown_link"
    TOO_LONG = "too_long"
    NOT_BOUND = "not_bound"
    OTHER_ADDRESS = "other_address"
    OTHER_END_NOT_BOUND = "other_end_not_bound"
    BAD_BIND = "bad_bind"
    WRONG_CLOCK = "wrong_clock"
    OLD_BIND = "old_bind"
    TOO_MANY = "too_many"
    LINE_FULL = "line_full"


@dataclass(slots=True)
class _Link:
    order: Pubkey
    sender: Pubkey
    other: bytes
    """The id of the other way."""
    address: Address | None = None
    ms: int = 0
    """Of the last BIND."""


def bind(network: Network, order: Pubkey, link: bytes, ms: int, signer: Signer) -> bytes:
    """The datagram that binds the address that it comes from; raises SigningFailed."""
    sender = signer.pubkey()
    keys = (network.genesis, bytes(network.program), bytes(order), bytes(sender))
    said = BIND.pack(MAGIC, *keys, link, ms)
    return link + said + bytes(signer.sign_message(said))


def asks(data: bytes, network: Network, now_ms: int) -> tuple[Pubkey, Pubkey]:
    """The order and the sender of a BIND of :data:`NO_LINK`; raises WireError for anything else."""
    if len(data) != ASKING or not data.startswith(NO_LINK + MAGIC):
        raise WireError(Why.MALFORMED, "who asks for links sends a BIND of link 0")
    said = data[LINK:-SIGNATURE]
    _, genesis, program, order, sender, link, ms = BIND.unpack(said)
    if link != NO_LINK:
        raise WireError(Why.MALFORMED, "who asks for links sends a BIND of link 0")
    if (genesis, Pubkey(program)) != (network.genesis, network.program):
        raise WireError(Why.WRONG_NETWORK, "the message is for another chain or orders program")
    if abs(ms - now_ms) > CLOCK_MS:
        raise WireError(Why.WRONG_CLOCK, "the message's time is more than 30 s from ours: set the clock")
    if not Signature.from_bytes(data[-SIGNATURE:]).verify(Pubkey(sender), said):
        raise WireError(Why.BAD_SIGNATURE, f"{Pubkey(sender)} didn't sign this message")
    return Pubkey(order), Pubkey(sender)


def is_full(transport: asyncio.DatagramTransport) -> bool:
    """Whether so much waits for the line that more is lost."""
    # All transports know it, though not by their type.
    return cast(asyncio.WriteTransport, transport).get_write_buffer_size() > MOST_WAITING


class Relay(asyncio.DatagramProtocol):
    """One operator's: links are opened by whoever knows the chain, and closed when a lease is over."""

    def __init__(
        self, network: Network, now_ms: Callable[[], int], monotonic: Callable[[], float], rate: Rate = MEMBER
    ) -> None:
        """``now_ms`` gives unix time; ``rate`` is each member's, bytes."""
        self._network, self._now_ms, self._monotonic = network, now_ms, monotonic
        self._links: dict[bytes, _Link] = {}
        self._ids: defaultdict[Pubkey, dict[tuple[Pubkey, Pubkey], bytes]] = defaultdict(dict)
        self._budgets, self._binds = Buckets(rate, NAMES), Buckets(BINDS, NAMES)
        self._transport: asyncio.DatagramTransport | None = None
        self.dropped: Counter[Dropped] = Counter()
        self.relayed_bytes = 0
        self.bound = 0
        """How many links have an address."""

    # -- links -----------------------------------------------------------------------------------

    def open(self, order: Pubkey, one: Pubkey, other: Pubkey) -> tuple[bytes, bytes]:
        """The links of two members of an order, by their worker or renter keys: one's own, and the other's.

        The same pair has the same links until they are closed.
        """
        ids = self._ids[order]
        if (one, other) in ids:
            return ids[one, other], ids[other, one]
        mine, theirs = secrets.token_bytes(LINK), secrets.token_bytes(LINK)
        self.put(order, one, other, mine, theirs)
        return mine, theirs

    def put(self, order: Pubkey, one: Pubkey, other: Pubkey, mine: bytes, theirs: bytes) -> None:
        """Open the links of a pair, whose ids were drawn elsewhere."""
        self._links[mine], self._links[theirs] = _Link(order, one, theirs), _Link(order, other, mine)
        ids = self._ids[order]
        ids[one, other], ids[other, one] = mine, theirs

    def close(self, order: Pubkey, member: Pubkey) -> None:
        """Close all links of a member of an order."""
        ids = self._ids.pop(order, {})
        for pair in [each for each in ids if member in each]:
            self.bound -= self._links.pop(ids.pop(pair)).address is not None
        if ids:
            self._ids[order] = ids

    # -- datagrams -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio: the socket is there."""
        self._transport = cast(asyncio.DatagramTransport, transport)  # Python 3.11's own isn't one by type.

    def datagram_received(self, data: bytes, address: tuple[str, int, int, int] | Address) -> None:
        """Of asyncio: hand a datagram on, or drop and count it."""
        why = self._take(data, (address[0], address[1]))
        if why is not None:
            self.dropped[why] += 1

    def error_received(self, error: Exception) -> None:
        """Of asyncio: somebody's port is closed; what is for it is lost, as datagrams may be."""

    def _take(self, data: bytes, address: Address) -> Dropped | None:  # noqa: PLR0911 - a reason each
        link = self._links.get(data[:LINK])
        if link is None:
            return Dropped.UNKNOWN_LINK
        if len(data) > LINK + MAX_PAYLOAD:
            return Dropped.TOO_LONG
        if data.startswith(MAGIC, LINK):  # WireGuard's datagrams begin with 1 to 4.
            return self._bind(link, data, address)
        if link.address is None:
            return Dropped.NOT_BOUND
        if link.address != address:
            return Dropped.OTHER_ADDRESS
        target = self._links[link.other].address
        if target is None:
            return Dropped.OTHER_END_NOT_BOUND
        if self._budgets.take((link.order, link.sender), self._monotonic(), len(data)):
            return Dropped.TOO_MANY
        assert self._transport is not None
        if is_full(self._transport):
            return Dropped.LINE_FULL
        self._transport.sendto(link.other + data[LINK:], target)
        self.relayed_bytes += len(data) - LINK
        return None

    def _bind(  # noqa: PLR0911 - a reason each
        self, link: _Link, data: bytes, address: Address
    ) -> Dropped | None:
        if len(data) != ASKING:
            return Dropped.BAD_BIND
        said = data[LINK : LINK + BIND.size]
        *_, ms = BIND.unpack(said)
        keys = (self._network.genesis, bytes(self._network.program), bytes(link.order), bytes(link.sender))
        if said != BIND.pack(MAGIC, *keys, data[:LINK], ms):
            return Dropped.BAD_BIND
        if abs(ms - self._now_ms()) > CLOCK_MS:
            return Dropped.WRONG_CLOCK
        if ms <= link.ms:
            return Dropped.OLD_BIND
        if self._binds.take(network_of(address[0]), self._monotonic()):
            return Dropped.TOO_MANY
        if not Signature.from_bytes(data[-SIGNATURE:]).verify(link.sender, said):
            return Dropped.BAD_BIND
        self.bound += link.address is None
        link.address, link.ms = address, ms
        assert self._transport is not None
        # A tenth of what came, and only to who signed: it makes no flood of anything.
        self._transport.sendto(data[:LINK] + BOUND.pack(MAGIC, ms), address)
        return None
