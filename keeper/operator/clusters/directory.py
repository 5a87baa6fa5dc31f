"""What the chain says of orders and leases, read again and again: who may speak on a board.

All accounts are read at a time, as the list of devices is; only those that have changed are decoded.
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
from keeper.clients.records import accounts_of
from keeper.compute.board import Parties, parties
from keeper.compute.members import running

T = TypeVar("T")


class _Decoded(Generic[T]):
    """Accounts of a kind, decoded once for each change."""

    def __init__(self, kind: str, parse: Callable[[bytes], T]) -> None:
        self.kind, self._parse = kind, parse
        self._raw: dict[Pubkey, bytes] = {}
        self.found: dict[Pubkey, T] = {}

    def take(self, raw: Mapping[Pubkey, bytes]) -> dict[Pubkey, T]:
        known, before = self._raw, self.found
        self.found = {
            at: before[at] if known.get(at) == data else self._parse(data) for at, data in raw.items()
        }
        self._raw = dict(raw)
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

    def __init__(self, chain: ChainReader) -> None:
        """Nothing is known yet."""
        self._chain = chain
        self._orders = _Decoded("Order", orders.parse_order)
        self._leases = _Decoded("Lease", orders.parse_lease)
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
        # Leases first, as an order outlives its own.
        leases = self._leases.take(await accounts_of(self._chain, orders.PROGRAM, "Lease"))
        found = self._orders.take(await accounts_of(self._chain, orders.PROGRAM, "Order"))
        config = await staking.read_config(self._chain)
        operators = tuple(config.params.operators) if config else ()
        now = (await self._chain.clock()).unix_timestamp
        by_order: defaultdict[Pubkey, list[Lease]] = defaultdict(list)
        for each in leases.values():
            by_order[each.order].append(each)
        self._view = _View(now, found, dict(by_order), operators, {})

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
