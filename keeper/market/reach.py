"""Which devices an order can have, of all and of those that are free: a tick's tables for its assignment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from keeper.economy.orders import Currency
from keeper.market.places import Places, inverse
from keeper.market.sequence import U64
from keeper.market.shelves import Numbers, Rack, Shelf
from keeper.market.snapshot import payable, prices_by_class
from keeper.market.work import A_LOOK, Share
from keeper.tables import Rows

ANYWHERE = -1
"""Instead of a country's number: an order is bound to none."""
NO_PLACES: Places = np.empty(0, np.intp)
PART = 1_024
"""Devices that are looked at first: most orders find what they want at the beginning."""
COUNTRIES = 1 << 16
"""More than all pairs of bytes."""
ASKS = {Currency.IO: ("ask_io", "io"), Currency.USDC: ("ask_usdc", "usdc")}
"""By currency, where devices have their ask and classes their price."""


class Kind(NamedTuple):
    """What orders have in common that can have the same devices.

    ``classes`` are those that they can pay, the cheapest first, ``countries`` their numbers, () for any.
    """

    classes: tuple[int, ...]
    processors: int
    min_tier: int
    countries: tuple[int, ...]
    currency: int


class Wish(NamedTuple):
    """An order in Python's own numbers.

    It is matched before ``until`` (unix seconds). ``country`` is the number of the one that it is bound to,
    ``never`` are the places of devices that it can't have for a reason of its own: they are its renter's, or
    served it before.
    """

    kind: Kind
    created_at: int
    open: int
    minimum: int
    colocated: int
    until: int
    country: int
    never: Places

    @property
    def exchanges(self) -> bool:
        """Whether it takes part in exchanges: only an order that can have whatever others of its kind can."""
        return bool(self.kind.classes) and not self.colocated and not len(self.never)

    @property
    def countries(self) -> tuple[int, ...]:
        """Where its devices may be, () for anywhere."""
        return self.kind.countries if self.country == ANYWHERE else (self.country,)


class Table:
    """A tick's devices in their sequence, and what of them each order can have.

    Places of devices are those in the sequence.
    """

    def __init__(self, devices: Rows, sequence: Places, prices: Rows, countries: NDArray[np.bytes_]) -> None:
        """Take rows of devices that take part, their sequence, prices, and all countries that there are."""
        self.devices, self.sequence = devices, sequence
        self._numbers = _numbers(countries)
        self.country = self.number(self.column("country"))
        self.is_free = np.ones(len(devices), bool)
        self._tier, self._changed_at = self.column("tier"), self.column("changed_at")
        self._prices = prices_by_class(prices)
        classes = self.column("class")
        self.costs = [_costs(self.column(ASKS[each][0]), self._prices[each][classes]) for each in Currency]
        """By currency: what each device costs for a processor and hour, 0 where it isn't let."""
        self._runs = _runs(classes, self.column("processors"))
        self._shelves: dict[tuple[int, int, int, int], Shelf | None] = {}

    @cached_property
    def place_of(self) -> Places:
        """By a device's row: its place."""
        return inverse(self.sequence)

    def column(self, name: str) -> NDArray[Any]:
        """What devices have there, in sequence: rows are long, and most of what is in them isn't needed."""
        found: NDArray[Any] = np.ascontiguousarray(self.devices[name])[self.sequence]
        return found

    def number(self, countries: NDArray[np.bytes_]) -> Numbers:
        """Countries' numbers, in the order of their letters; ANYWHERE for no country."""
        return self._numbers[_codes(countries)]

    def affordable(self, orders: Rows) -> list[tuple[int, ...]]:
        """By order: those classes whose price is at most its limit, the cheapest first, then by number."""
        classes, (can, prices) = orders["classes"], payable(orders, self._prices)
        sequence = np.lexsort((classes, prices, ~can))
        found = np.take_along_axis(classes, sequence, axis=1).tolist()
        return [tuple(row[:count]) for row, count in zip(found, can.sum(axis=1).tolist(), strict=True)]

    def reach(self, kind: Kind, before: int) -> Places:
        """The devices, taken or not, that orders of a kind can have whose terms are older than ``before``.

        Those of the cheapest class first.
        """
        parts = []
        for shelf in self._shelves_of(kind):
            devices = _merged([each.devices for each in shelf.racks(kind.countries)])
            if shelf.youngest >= before:
                devices = devices[self._changed_at[devices] < before]
            parts.append(devices)
        return _joined(parts)

    def first(self, wish: Wish, work: Share) -> Places:
        """The first free devices for an order: for all of its open places, or as many as its work finds."""
        parts, need = [], wish.open
        for shelf in self._shelves_of(wish.kind):
            found = self._fitting(shelf, wish, need, work)
            if len(found):
                parts.append(found)
                need -= len(found)
                if need == 0:
                    break
        return _joined(parts)

    def together(self, wish: Wish, work: Share) -> Places:
        """As :meth:`first`, all in one country: the one that has fewest of those with enough, else most.

        None where no country has as many as the order takes at once.
        """
        everywhere = len(self.devices)
        parts = [self._fitting(each, wish, everywhere, work) for each in self._shelves_of(wish.kind)]
        found = _joined(parts)
        here = self.country[found]
        counts = np.bincount(here, minlength=1)
        if counts.max() < wish.minimum:
            return NO_PLACES
        enough = np.flatnonzero(counts >= wish.open)
        country = enough[np.argmin(counts[enough])] if len(enough) else np.argmax(counts)
        chosen: Places = found[here == country][: wish.open]
        return chosen

    def _shelves_of(self, kind: Kind) -> Iterator[Shelf]:
        """Those of its classes, without such that have none."""
        classes, processors, tier, _, currency = kind
        for number in classes:
            key = number, processors, tier, currency
            if key not in self._shelves:
                self._shelves[key] = self._shelf(*key)
            shelf = self._shelves[key]
            if shelf is not None:
                yield shelf

    def _shelf(self, number: int, processors: int, tier: int, currency: int) -> Shelf | None:
        run = self._runs.get((number, processors))
        if run is None:
            return None
        let = (self.costs[currency][run] > 0) & (self._tier[run] >= tier)
        return Shelf(let.nonzero()[0] + run.start, self.country, self._changed_at)

    def _fitting(self, shelf: Shelf, wish: Wish, need: int, work: Share) -> Places:
        """The first free devices of a shelf that an order can have, as many as it needs or as there are.

        Each country that it names is looked at until there are as many; beginning to look costs ``A_LOOK``,
        and every free device up to the last one that is taken costs 1. Where none is free it costs nothing.
        """
        found = []
        for rack in shelf.racks(wish.countries):
            found += self._of_rack(rack, shelf, wish, need, work)
        return _merged(found)[:need]

    def _of_rack(self, rack: Rack, shelf: Shelf, wish: Wish, need: int, work: Share) -> list[Places]:
        """Parts of a rack, none of them empty."""
        found: list[Places] = []
        begun = False
        all_fit = shelf.youngest < wish.created_at and not len(wish.never)
        start, size = 0, max(PART, 2 * need)
        while need > 0 and start < len(rack.left):
            devices, start = rack.free(self.is_free, start, start + size)
            size *= 4
            if not len(devices):
                continue
            if not begun and not work.pay(A_LOOK):
                break
            begun, devices = True, devices[: work.left]
            if all_fit:
                some = devices[:need]
                looked = len(some)
            else:
                at = self._fits(devices, wish).nonzero()[0][:need]
                some = devices[at]
                looked = int(at[-1]) + 1 if len(at) == need else len(devices)
            if len(some):
                found.append(some)
                need -= len(some)
            work.pay(looked)
            if not work.left:
                break
        return found

    def _fits(self, devices: Places, wish: Wish) -> NDArray[np.bool_]:
        """Which of a shelf's devices an order can have."""
        fits: NDArray[np.bool_] = self._changed_at[devices] < wish.created_at
        return fits & ~np.isin(devices, wish.never) if len(wish.never) else fits


def _joined(parts: Sequence[Places]) -> Places:
    """Places one after another; mostly there is one part, which needs no copy."""
    if len(parts) > 1:
        return np.concatenate(parts)
    return parts[0] if parts else NO_PLACES


def _merged(parts: Sequence[Places]) -> Places:
    """Places of some racks, in their sequence."""
    return np.sort(np.concatenate(parts)) if len(parts) > 1 else _joined(parts)


def _codes(countries: NDArray[np.bytes_]) -> NDArray[np.intp]:
    return np.ascontiguousarray(countries).view(">u2").astype(np.intp)


def _numbers(countries: NDArray[np.bytes_]) -> Numbers:
    """By a country's two bytes: its number among these."""
    there = np.zeros(COUNTRIES, bool)
    there[_codes(countries)] = True
    there[0] = False
    return np.where(there, np.cumsum(there) - 1, ANYWHERE)


def _costs(asks: U64, prices: U64) -> U64:
    """Devices' prices, those of their classes; 0 where they ask for more, or aren't let."""
    return np.where((asks == 0) | (asks > prices), np.uint64(0), prices)


def _runs(classes: NDArray[np.uint16], processors: NDArray[np.uint8]) -> dict[tuple[int, int], slice]:
    """By class and number of processors, where its devices are; they are in sequence."""
    numbers = classes.astype(np.intp) << 8 | processors
    edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    return {
        (int(classes[start]), int(processors[start])): slice(start, stop)
        for start, stop in pairwise(edges)
        if start < stop
    }
