"""Which devices an order can have, of all and of those that are free: a tick's tables for its assignment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keeper.economy.orders import Currency
from keeper.market.places import Places
from keeper.market.sequence import U64
from keeper.market.shelves import Numbers, Rack, Shelf
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
    """A tick's devices in their sequence, and what of them each order can have."""

    def __init__(self, devices: Rows, prices: Rows, countries: NDArray[np.bytes_]) -> None:
        """Take rows of devices that take part, in sequence, prices, and all countries that there are."""
        self.devices = devices
        self._numbers = _numbers(countries)
        self.country = self.number(devices["country"])
        self.is_free = np.ones(len(devices), bool)
        self._tier, self._changed_at = devices["tier"].copy(), devices["changed_at"].copy()
        numbers = prices["class"].tolist()
        self._prices = [dict(zip(numbers, prices[each].tolist(), strict=True)) for _, each in ASKS.values()]
        self.costs = [_costs(devices, prices, each) for each in Currency]
        """By currency: what each device costs for a processor and hour, 0 where it isn't let."""
        self._runs = _runs(devices)
        self._shelves: dict[tuple[int, int, int, int], Shelf] = {}

    def number(self, countries: NDArray[np.bytes_]) -> Numbers:
        """Countries' numbers, in the order of their letters; ANYWHERE for no country."""
        return self._numbers[_codes(countries)]

    def affordable(self, classes: Sequence[int], currency: int, limit: int) -> tuple[int, ...]:
        """Those classes whose price is at most ``limit``, the cheapest first, then by number."""
        prices = self._prices[currency]
        found = [(prices[each], each) for each in classes if 0 < prices.get(each, 0) <= limit]
        return tuple([each for _, each in sorted(found)])

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
            parts.append(self._fitting(shelf, wish, need, work))
            need -= len(parts[-1])
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

    def _shelves_of(self, kind: Kind) -> list[Shelf]:
        found = (self._shelf(each, kind.processors, kind.currency, kind.min_tier) for each in kind.classes)
        return [each for each in found if each is not None]

    def _shelf(self, number: int, processors: int, currency: int, tier: int) -> Shelf | None:
        key = number, processors, currency, tier
        if key not in self._shelves:
            run = self._runs.get((number, processors))
            if run is None:
                return None
            let = (self.costs[currency][run] > 0) & (self._tier[run] >= tier)
            self._shelves[key] = Shelf(let.nonzero()[0] + run.start, self.country, self._changed_at)
        return self._shelves[key]

    def _fitting(self, shelf: Shelf, wish: Wish, need: int, work: Share) -> Places:
        """The first free devices of a shelf that an order can have, as many as it needs or as there are.

        Each country that it names is looked at until there are as many; beginning to look costs ``A_LOOK``,
        and every free device up to the last one that is taken costs 1. Where none is free it costs nothing.
        """
        found = [self._of_rack(each, shelf, wish, need, work) for each in shelf.racks(wish.countries)]
        return _merged(found)[:need]

    def _of_rack(self, rack: Rack, shelf: Shelf, wish: Wish, need: int, work: Share) -> Places:
        found: list[Places] = []
        begun = False
        start, size = 0, max(PART, 2 * need)
        while need > 0 and start < len(rack.left):
            devices, start = rack.free(self.is_free, start, start + size)
            size *= 4
            if not len(devices):
                continue
            if not begun and not work.pay(A_LOOK):
                break
            begun, devices = True, devices[: work.left]
            if shelf.youngest < wish.created_at and not len(wish.never):
                found.append(devices[:need])
                looked = len(found[-1])
            else:
                at = self._fits(devices, wish).nonzero()[0][:need]
                found.append(devices[at])
                looked = int(at[-1]) + 1 if len(at) == need else len(devices)
            need -= len(found[-1])
            work.pay(looked)
            if not work.left:
                break
        return _joined(found)

    def _fits(self, devices: Places, wish: Wish) -> NDArray[np.bool_]:
        """Which of a shelf's devices an order can have."""
        fits: NDArray[np.bool_] = self._changed_at[devices] < wish.created_at
        return fits & ~np.isin(devices, wish.never) if len(wish.never) else fits


def _joined(parts: Sequence[Places]) -> Places:
    """Places one after another; mostly there is one part, which needs no copy."""
    some = [each for each in parts if len(each)]
    if len(some) > 1:
        return np.concatenate(some)
    return some[0] if some else NO_PLACES


def _merged(parts: Sequence[Places]) -> Places:
    """Places of some racks, in their sequence."""
    some = [each for each in parts if len(each)]
    return np.sort(np.concatenate(some)) if len(some) > 1 else _joined(some)


def _codes(countries: NDArray[np.bytes_]) -> NDArray[np.intp]:
    return np.ascontiguousarray(countries).view(">u2").astype(np.intp)


def _numbers(countries: NDArray[np.bytes_]) -> Numbers:
    """By a country's two bytes: its number among these."""
    there = np.zeros(COUNTRIES, bool)
    there[_codes(countries)] = True
    there[0] = False
    return np.where(there, np.cumsum(there) - 1, ANYWHERE)


def _costs(devices: Rows, prices: Rows, currency: Currency) -> U64:
    ask, price = ASKS[currency]
    by_class = np.zeros(1 << 16, np.uint64)
    by_class[prices["class"]] = prices[price]
    costs: U64 = by_class[devices["class"]]
    costs[(devices[ask] == 0) | (devices[ask] > costs)] = 0
    return costs


def _runs(devices: Rows) -> dict[tuple[int, int], slice]:
    """By class and number of processors, where its devices are; they are in sequence."""
    numbers = devices["class"].astype(np.intp) << 8 | devices["processors"]
    edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(devices)]
    found = {}
    for start, stop in pairwise(edges):
        if start < stop:
            row = devices[start]
            found[int(row["class"]), int(row["processors"])] = slice(start, stop)
    return found
