"""Who is in a cluster, from the accounts of an order and its leases alone: no coordinator elects anything.

Lease accounts are closed by anybody once they are settled, so nothing here counts what has been: all of it
follows from the leases that run. The head is the one that began first; the epoch names it, and changes with
it alone, so that another member's leaving restarts nobody. A lease's own name gives its address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Address

from solders.pubkey import Pubkey

from keeper.clients.orders import Lease, Order
from keeper.economy.orders import LeaseStatus

RENTER = IPv4Address("10.255.255.254")
"""The renter's address in every overlay: overlays don't see each other."""
_FIRST, _COUNT = int(IPv4Address("10.0.0.1")), (1 << 24) - 3
"""Of 10.0.0.0/8 without its first, the renter's, and its last address."""


@dataclass(frozen=True, slots=True)
class Node:
    """A member: a lease that runs."""

    device: Pubkey
    worker: Pubkey
    """Signs for it: that is the proof that it is the one which was matched."""
    registered_at: int
    number: int
    """The device's leases when it was matched: with the two before, it names the lease for ever."""
    start: int
    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Members:
    """A cluster as the chain has it at a time; ``nodes`` begins with the head."""

    order: Pubkey
    renter: Pubkey
    nodes: tuple[Node, ...]
    epoch: int
    """Names the head, 1 to 2^32 - 1; 0 without one."""

    @property
    def head(self) -> Node | None:
        """Where Ray's head runs: the lease that began first, of several the one of the lowest device."""
        return self.nodes[0] if self.nodes else None

    def of(self, worker: Pubkey) -> Node | None:
        """The member that ``worker`` signs for."""
        return next((each for each in self.nodes if each.worker == worker), None)

    def hash(self) -> bytes:
        """Of all above: a ticket for another list is none. SHA-256, 32 bytes."""
        parts = [b"ionet compute members", bytes(self.order), bytes(self.renter), _u(self.epoch, 4)]
        for each in self.nodes:
            parts += [_name(self.order, each.device, each.registered_at, each.number)]
            parts += [bytes(each.worker), _u(each.start, 8), each.address.packed]
        return sha256(b"".join(parts)).digest()


def members(order: Order, leases: Iterable[Lease], now: int) -> Members:
    """The members of an order at ``now`` (unix seconds, the chain's); ``leases`` may have other orders', too.

    A gang's leases run from its filling on, whether or not anybody has written that down.
    """
    at = order.address
    found = sorted(running({at: order}, leases, now), key=lambda each: (each.start, bytes(each.device)))
    addresses = _addresses(at, found)
    nodes = tuple(
        Node(each.device, each.worker, each.registered_at, each.number, each.start, addresses[each.device])
        for each in found
    )
    return Members(at, order.renter, nodes, _epoch(at, nodes))


def running(orders: Mapping[Pubkey, Order], leases: Iterable[Lease], now: int) -> Iterator[Lease]:
    """Those leases of some orders that are served at ``now``, each as it is with its gang.

    One whose hours are over isn't.
    """
    for each in leases:
        if (order := orders.get(each.order)) is not None:
            lease = each.begun(order)
            if lease.status == LeaseStatus.RUNNING and lease.start <= now < lease.stop:
                yield lease


def first_address(order: Pubkey, device: Pubkey, registered_at: int, number: int) -> IPv4Address:
    """The address that a lease's name gives: its member's, unless an earlier lease of the order has it."""
    return _address(_name(order, device, registered_at, number), 0)


def _addresses(order: Pubkey, leases: list[Lease]) -> dict[Pubkey, IPv4Address]:
    """Each lease's address: from its name, or the next from it where an earlier one has that.

    Of 100 leases two have the same in 1 of 3,400 orders; should the earlier of them end first, the later one
    gets its own, and its node begins again. Nobody else's changes.
    """
    found: dict[Pubkey, IPv4Address] = {}
    taken: set[IPv4Address] = set()
    for each in leases:
        name = _name(order, each.device, each.registered_at, each.number)
        again = 0
        while (address := _address(name, again)) in taken:
            again += 1
        taken.add(address)
        found[each.device] = address
    return found


def _address(name: bytes, again: int) -> IPv4Address:
    drawn = int.from_bytes(_hash(b"address", name + _u(again, 4))[:8], "little")
    return IPv4Address(_FIRST + drawn % _COUNT)


def _epoch(order: Pubkey, nodes: tuple[Node, ...]) -> int:
    if not nodes:
        return 0
    head = nodes[0]
    name = _name(order, head.device, head.registered_at, head.number)
    return int.from_bytes(_hash(b"epoch", name)[:8], "little") % (2**32 - 1) + 1


def _name(order: Pubkey, device: Pubkey, registered_at: int, number: int) -> bytes:
    return bytes(order) + bytes(device) + _u(registered_at, 8) + _u(number, 8)


def _hash(what: bytes, name: bytes) -> bytes:
    return sha256(b"ionet compute " + what + name).digest()


def _u(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")
