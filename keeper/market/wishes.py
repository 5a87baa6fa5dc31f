"""A tick's orders as its assignment takes them: what each can have, in Python's own numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from keeper.market.places import Places, found
from keeper.market.reach import ANYWHERE, NO_PLACES, Kind, Table, Wish
from keeper.market.sequence import ids
from keeper.tables import Rows

PEOPLE = ("supplier", "worker", "payout")
"""Whose orders a device doesn't serve: somebody would hire itself."""
BITS = 20
"""Of an address: by so many most of those that aren't looked for are told apart."""
PLAIN = ("created_at", "open", "minimum", "colocated", "match_until")
"""What a wish has as it is in an order's row, in its sequence."""


def wishes(table: Table, orders: Rows, served: tuple[Places, Places]) -> list[Wish]:
    """Orders in sequence by their rows; ``served`` are places of orders and of devices that served them."""
    renters, of_order = np.unique(orders["renter"], return_inverse=True)
    own, before = _own(table, renters), _grouped(*served)
    plain = [orders[name].tolist() for name in PLAIN]
    ordinary = (orders[name].tolist() for name in ("processors", "min_tier"))
    columns = table.affordable(orders), *ordinary, _allowed(table, orders), orders["currency"].tolist()
    kinds = map(Kind, *columns)
    bound = table.number(orders["country"]).tolist()
    # A renter's orders share what may be a long list.
    never = [own.get(renter, NO_PLACES) for renter in of_order.tolist()]
    for at, places in before.items():
        never[at] = np.concatenate([never[at], places])
    return [Wish._make(each) for each in zip(kinds, *plain, bound, never, strict=True)]


def _allowed(table: Table, orders: Rows) -> list[tuple[int, ...]]:
    """By order: the countries that it names, by their numbers."""
    countries = np.sort(table.number(orders["countries"]), axis=1)
    # What fills the list up comes first.
    starts = (countries == ANYWHERE).sum(axis=1).tolist()
    return [tuple(row[start:]) for row, start in zip(countries.tolist(), starts, strict=True)]


def _own(table: Table, renters: NDArray[np.bytes_]) -> Mapping[int, Places]:
    """By a renter's place among all, which are sorted: the devices whose people it is one of."""
    devices, looked_for = table.devices, np.zeros(1 << BITS, bool)
    looked_for[_bits(renters)] = True
    whose, which = [NO_PLACES], [NO_PLACES]
    for name in PEOPLE:
        # Few are anybody's: whole addresses are compared for those alone that begin like some renter's.
        some = looked_for[_bits(devices[name])].nonzero()[0]
        at, same = found(renters, devices[name][some])
        whose.append(at[same])
        which.append(table.place_of[some[same]])
    return _grouped(np.concatenate(whose), np.concatenate(which))


def _bits(addresses: NDArray[np.bytes_]) -> NDArray[np.intp]:
    return (ids(addresses) >> np.uint64(64 - BITS)).astype(np.intp)


def _grouped(keys: Places, places: Places) -> Mapping[int, Places]:
    """Places by their keys."""
    order = np.argsort(keys, kind="stable")
    numbers, starts = np.unique(keys[order], return_index=True)
    parts = np.split(places[order], starts[1:])  # One, an empty one, of nothing.
    return dict(zip(numbers.tolist(), parts, strict=False))
