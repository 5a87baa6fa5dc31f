"""Who has which device in a tick, and exchanges: others change devices, so that one that is short has more.

Orders that can have the same devices are one kind. A search goes from kind to kind, over the devices that
they have, until one of them can have a free device instead; then everybody on the way moves up by one. Nobody
has fewer devices after it, and everybody pays its class's price, within its own limit. That is how a
matroid's greedy algorithm serves as many places as can be, with every earlier order served first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from keeper.market.places import Places
from keeper.market.reach import Kind, Table, Wish
from keeper.market.work import A_LOOK, Limits, Share

NOBODY = -1
"""Instead of an order's place: nobody has the device."""
Step = tuple[Places, NDArray[np.int32], Places]
"""Devices, and who had them before: orders and their kinds."""


class Board:
    """Who has which device; orders are named by their place in the sequence."""

    def __init__(self, table: Table, wishes: Sequence[Wish], limits: Limits, drawn: int) -> None:
        """Begin with nobody having anything; ``drawn`` says who has a search where there are too few."""
        self.table = table
        self.order = np.full(len(table.devices), NOBODY, np.int32)
        """By device: who has it."""
        self._kinds: dict[Kind, int] = {}
        self._what: list[Kind] = []
        self._oldest: list[int] = []
        self._kind_of = [self._number(wish) for wish in wishes]
        self._none, self._free = len(self._what), len(self._what) + 1
        """Instead of a kind's number: the holder takes part in no exchange; there is no holder."""
        self._kind_of = [self._none if each == NOBODY else each for each in self._kind_of]
        self._kind = np.full(len(table.devices), self._free, np.intp)
        """By device: the kind of who has it, as numbers that a search can index by as they are."""
        self._reach: dict[int, Places] = {}
        self._is_dead = np.zeros(len(self._what) + 2, bool)
        self._is_dead[[self._none, self._free]] = True
        exchange = sum(each.exchanges for each in wishes)
        self._searches = Share(limits.searches, exchange, drawn)
        self._looks = Share(limits.looks, exchange)
        self._log: list[Step] = []

    def _number(self, wish: Wish) -> int:
        """A kind's number, by its first appearance."""
        if not wish.exchanges:
            return NOBODY
        number = self._kinds.setdefault(wish.kind, len(self._what))
        if number == len(self._what):
            self._what.append(wish.kind)
            self._oldest.append(wish.created_at)
        self._oldest[number] = min(self._oldest[number], wish.created_at)
        return number

    # -- giving ------------------------------------------------------------------------------------

    def give(self, order: int, devices: Places) -> None:
        """An order gets free devices, perhaps none."""
        if not len(devices):
            return
        self.order[devices], self._kind[devices] = order, self._kind_of[order]
        self.table.is_free[devices] = False

    def keep(self, devices: Places) -> None:
        """Nobody gets these devices in this tick."""
        self._kind[devices] = self._none
        self.table.is_free[devices] = False

    def take_back(self, devices: Places) -> None:
        """Devices are free again."""
        self.order[devices], self._kind[devices] = NOBODY, self._free
        self.table.is_free[devices] = True

    # -- exchanges ---------------------------------------------------------------------------------

    def exchange(self, order: int, has: int, wish: Wish) -> int:
        """Find devices for an order that ``has`` too few, or enough; returns how many more it has.

        With fewer than it takes at once, everything is as before. Each order that exchanges is asked once, in
        sequence.
        """
        self._searches.turn()
        self._looks.turn()
        if has == wish.open:
            return 0
        self._log, more = [], 0
        dead = self._is_dead.copy() if has < wish.minimum else self._is_dead
        while has + more < wish.open:
            found = self._search(order, wish.open - has - more)
            if found == 0:
                break
            more += found
        if has + more >= wish.minimum:
            return more
        for devices, orders, kinds in reversed(self._log):
            self.order[devices], self._kind[devices] = orders, kinds
            self.table.is_free[devices] = kinds == self._free
        self._is_dead = dead
        return 0

    def _search(self, order: int, need: int) -> int:
        """Find up to ``need`` devices along one way, breadth-first; returns how many."""
        source = self._kind_of[order]
        if self._is_dead[source] or not self._searches.left:
            return 0
        if not len(self._reach_of(source)):
            # It could have nothing, whoever has what: that is no search.
            self._is_dead[source] = True
            return 0
        self._searches.pay(1)
        came: dict[int, int | None] = {source: None}
        queue = [source]
        unseen = ~self._is_dead
        unseen[source] = False
        for kind in queue:
            reach = self._reach_of(kind)
            if not self._looks.pay(A_LOOK + len(reach)):
                return 0
            there = np.zeros(len(unseen), bool)
            there[self._kind[reach]] = True
            if there[self._free]:
                return self._move(order, kind, need, came)
            there &= unseen
            new = there.nonzero()[0]
            unseen[new] = False
            found = new.tolist()
            came.update(dict.fromkeys(found, kind))
            queue += found
        # Of what they reach nothing is free, and what is free only becomes less.
        self._is_dead[queue] = True
        return 0

    def _move(self, order: int, kind: int, need: int, came: dict[int, int | None]) -> int:
        """Free devices go to holders of the last kind, theirs to those of the kind before, and so on."""
        reach = self._reach_of(kind)
        way = [reach[self._kind[reach] == self._free][:need]]
        while (before := came[kind]) is not None:
            reach = self._reach_of(before)
            way.append(reach[self._kind[reach] == kind])
            kind = before
        much = min(map(len, way))
        way = [devices[:much] for devices in way]
        self._log += [(devices, self.order[devices], self._kind[devices]) for devices in way]
        for devices, theirs in pairwise(way):
            self.order[devices], self._kind[devices] = self.order[theirs], self._kind[theirs]
        self.give(order, way[-1])
        self.table.is_free[way[0]] = False
        return much

    def _reach_of(self, kind: int) -> Places:
        if kind not in self._reach:
            self._reach[kind] = self.table.reach(self._what[kind], self._oldest[kind])
        return self._reach[kind]
