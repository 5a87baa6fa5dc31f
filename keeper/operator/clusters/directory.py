"""What the chain says of orders and leases, read again and again: who may speak on a board.

All accounts are read at a time, in a process of its own; those that have changed come here and are decoded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Generic, NamedTuple, TypeVar

from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.clients import orders, staking
from keeper.clients.orders import Lease, Order
from keeper.compute.board import Parties, parties
from keeper.compute.members import running
from keeper.operator.clusters.reading import Changes, Here, Reader

T = TypeVar("T")


class _Decoded(Generic[T]):
    """Accounts of a kind, decoded once for each change."""

    def __init__(self, parse: Callable[[bytes], T]) -> None:
        self._parse = parse
        self.found: dict[Pubkey, T] = {}

    def take(self, changes: Changes) -> dict[Pubkey, T]:
        """All of them; what was given before isn't changed, as others read it."""
        if changes.changed or changes.gone:
            gone = set(map(Pubkey, changes.gone))
            changed = {Pubkey(at): self._parse(data) for at, data in changes.changed.items()}
            self.found = {at: each for at, each in self.found.items() if at not in gone} | changed
        return self.found


class _View(NamedTuple):
    """The chain at a time; nothing of it is changed, as a board reads it from another thread."""

    now: int
    orders: dict[Pubkey, Order]
    leases: dict[Pubkey, list[Lease]]
    """By their order."""
    operators: tuple[Pubkey, ...]
    parties: dict[Pubkey, Parties]
    """As far as somebody asked for them."""


class Directory:
    """Orders with their leases, as they were at the last :meth:`refresh`."""

    def __init__(self, chain: ChainReader, reader: Reader | None = None) -> None:
        """Nothing is known yet; ``reader`` reads accounts [default: of ``chain``, in this process]."""
        self._chain, self._reader = chain, reader or Here(chain)
        self._orders, self._leases = _Decoded(orders.parse_order), _Decoded(orders.parse_lease)
        self._view = _View(0, {}, {}, (), {})

    @property
    def now(self) -> int:
        """The chain's time when it was last read, 0 before."""
        return self._view.now

    @property
    def operators(self) -> tuple[Pubkey, ...]:
        """The network's."""
        return self._view.operators

    @property
    def orders(self) -> Mapping[Pubkey, Order]:
        """Orders by their addresses."""
        return self._view.orders

    async def refresh(self) -> None:
        """Read everything; raises ChainError, and then all stays as it was."""
        changes = await self._reader.read()
        leases, found = self._leases.take(changes["Lease"]), self._orders.take(changes["Order"])
        config = await staking.read_config(self._chain)
        operators = tuple(config.params.operators) if config else ()
        now = (await self._chain.clock()).unix_timestamp
        by_order: defaultdict[Pubkey, list[Lease]] = defaultdict(list)
        for each in leases.values():
            by_order[each.order].append(each)
        self._view = _View(now, found, dict(by_order), operators, {})

    def close(self) -> None:
        """Read no more."""
        self._reader.close()

    def parties(self, order: Pubkey) -> Parties | None:
        """Who may speak in an order; None for one that isn't there."""
        view = self._view
        found = view.orders.get(order)
        if found is None:
            return None
        if order not in view.parties:
            view.parties[order] = parties(found, view.leases.get(order, ()), view.now)
        return view.parties[order]

    def running_of(self, order: Pubkey) -> list[Lease]:
        """An order's leases that run."""
        view = self._view
        return list(running(view.orders, view.leases.get(order, ()), view.now))

    def running(self) -> Iterator[Lease]:
        """All leases that run, as they are with their gangs."""
        view = self._view
        return running(view.orders, chain.from_iterable(view.leases.values()), view.now)
