"""What gangs that aren't whole yet keep from later orders in a tick, so that small orders can't starve them.

A gang costs nothing until it is whole, so that anybody may open one that never will be. It keeps devices only
where it may become whole in its time, and of devices that are alike no more than half of those that are left:
whoever comes later finds as many as are kept.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from keeper.economy.orders import Currency
from keeper.market.places import Places
from keeper.market.reach import NO_PLACES, Table, Wish
from keeper.market.snapshot import Out, Snapshot
from keeper.market.wishes import PEOPLE
from keeper.market.work import A_LOOK, Share

HOLD_AGE = 300
"""From this age on a gang that isn't whole yet keeps devices for the tick, seconds."""


def countries_of(snapshot: Snapshot) -> NDArray[np.bytes_]:
    """All that a tick names: tables that are made of them have the same numbers for them."""
    orders = snapshot.orders
    found: NDArray[np.bytes_] = np.concatenate(
        [snapshot.devices["country"], orders["country"], orders["countries"].ravel()]
    )
    return found


class Holding:
    """What is kept in a tick."""

    def __init__(self, snapshot: Snapshot, table: Table, renters: NDArray[np.bytes_]) -> None:
        """Keep of a tick's ``table`` for orders in sequence, opened by these ``renters``."""
        self._snapshot, self._table, self._renters = snapshot, table, renters
        self._kept = np.zeros(len(table.devices), bool)

    def kept(self, order: int, wish: Wish, devices: Places, work: Share) -> Places:
        """Those of free ``devices`` that an order keeps that could have them and isn't whole with them.

        What its ``work`` doesn't reach for isn't kept.
        """
        if self._snapshot.now - wish.created_at < HOLD_AGE or not len(devices):
            return NO_PLACES
        if len(devices) + self._soon(order, wish, work) < wish.minimum:
            return NO_PLACES
        found = self._half(devices, work)
        self._kept[found] = True
        return found

    def _soon(self, order: int, wish: Wish, work: Share) -> int:
        """How many more it could have of those whose lease ends in its time."""
        there = self._hired.first(wish._replace(open=len(self._hired.devices), never=NO_PLACES), work)
        rows = self._hired.devices[self._hired.sequence[there]]
        rows = rows[rows["hired_until"] < wish.until]
        own = [rows[each] == self._renters[order] for each in PEOPLE]
        return len(rows) - int(np.count_nonzero(np.any(own, axis=0)))

    @cached_property
    def _hired(self) -> Table:
        """Devices that could be matched but for a lease that ends before the last order's time is over."""
        rows, orders = self._snapshot.devices, self._snapshot.orders
        rows = rows[(rows["out"] == Out.HIRED) & (rows["hired_until"] < orders["match_until"].max(initial=0))]
        sequence = np.lexsort((rows["processors"], rows["class"]))
        return Table(rows, sequence, self._snapshot.prices, countries_of(self._snapshot))

    def _half(self, devices: Places, work: Share) -> Places:
        """The first of each kind, up to half of what is left of it and kept of it already."""
        kinds, places = self._kinds
        mine = kinds[devices]
        found = [NO_PLACES]
        for kind in np.unique(mine).tolist():
            alike = places[kind]
            if not work.pay(A_LOOK + len(alike)):
                break
            kept = int(np.count_nonzero(self._kept[alike]))
            free = int(np.count_nonzero(self._table.is_free[alike]))
            found.append(devices[mine == kind][: max(0, (free + kept) // 2 - kept)])
        return np.sort(np.concatenate(found))

    @cached_property
    def _kinds(self) -> tuple[NDArray[np.intp], list[Places]]:
        """Which devices are alike to every order but for the age of their terms, and each kind's places."""
        table = self._table
        columns = (
            *(table.column(each) for each in ("class", "processors", "tier")),
            table.country,
            *(table.costs[each] > 0 for each in Currency),
        )
        rows = np.stack([each.astype(np.int64) for each in columns])
        _, kinds = np.unique(rows, axis=1, return_inverse=True)
        kinds = kinds.reshape(-1)
        order = np.argsort(kinds, kind="stable")
        return kinds, np.split(order, np.flatnonzero(np.diff(kinds[order])) + 1)
