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
PLAIN = ("created_at", "open", "minimum", "colocated", "match_until")
"""What a wish has as it is in an order's row, in its sequence."""


def wishes(table: Table, orders: Rows, served: tuple[Places, Places]) -> list[Wish]:
    """Orders in sequence by their rows; ``served`` are places of orders and of devices that served them."""
    renters, of_order = np.unique(orders["renter"], return_inverse=True)
    own, before = _own(table.devices, renters), _grouped(*served)
    plain = [orders[name].tolist() for name in PLAIN]
    allowed = [_named(row) for row in np.sort(table.number(orders["countries"]), axis=1).tolist()]
    kinds = [
        Kind(table.affordable(classes[:count], currency, limit), processors, tier, countries, currency)
        for classes, currency, limit, processors, tier, count, countries in zip(
            *(orders[name].tolist() for name in ("classes", "currency", "limit", "processors", "min_tier")),
            (orders["classes"] >= 0).sum(axis=1).tolist(),
            allowed,
            strict=True,
        )
    ]
    bound = table.number(orders["country"]).tolist()
    # A renter's orders share what may be a long list.
    never = [own.get(renter, NO_PLACES) for renter in of_order.tolist()]
    for at, places in before.items():
        never[at] = np.concatenate([never[at], places])
    return [Wish._make(each) for each in zip(kinds, *plain, bound, never, strict=True)]


def _named(countries: list[int]) -> tuple[int, ...]:
    """What a list has, without what fills it up."""
    return tuple(each for each in countries if each != ANYWHERE) if countries[-1] != ANYWHERE else ()


def _own(devices: Rows, renters: NDArray[np.bytes_]) -> Mapping[int, Places]:
    """By a renter's place among all, which are sorted: the devices whose people it is one of."""
    first = np.sort(ids(renters))
    whose, which = [NO_PLACES], [NO_PLACES]
    for name in PEOPLE:
        # Few are anybody's; whole addresses are compared for those alone.
        people = ids(devices[name])
        some = found(first, people)[1].nonzero()[0]
        at, same = found(renters, devices[name][some])
        whose.append(at[same])
        which.append(some[same])
    return _grouped(np.concatenate(whose), np.concatenate(which))


def _grouped(keys: Places, places: Places) -> Mapping[int, Places]:
    """Places by their keys."""
    order = np.argsort(keys, kind="stable")
    numbers, starts = np.unique(keys[order], return_index=True)
    parts = np.split(places[order], starts[1:])  # One, an empty one, of nothing.
    return dict(zip(numbers.tolist(), parts, strict=False))
