"""Attackers with orders of their own, or bots that take others'.

Their bots take orders after operators' exclusive time, and nobody else's do: that is the best for them.
"""

from __future__ import annotations

import numpy as np

from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import TICK, Urgency
from keeper.market.simulation.behaviour import Asks, Behaviour
from keeper.market.simulation.draws import PARAMS, Wanted
from keeper.market.simulation.town import BEGINS, Town
from keeper.market.snapshot import Out, Snapshot

RARE, SEEM = 2, 4
LAPSE = PARAMS.match_window - PARAMS.exclusive
"""From one gang to the next, seconds."""


class SelfHire(Behaviour):
    """Its own renters take whatever of it is free: all that it costs are the fees."""

    hours = DAY // HOUR

    def tick(self) -> None:
        """Orders that operators never see."""
        for device in np.flatnonzero(self.town.own & self.town.is_free()).tolist():
            self.town.lease(self.town.new_order(places=1, seconds=self.hours * HOUR), device)


class Props(SelfHire):
    """Does so for an hour each in the hours in which the price would fall."""

    hours = 1

    def tick(self) -> None:
        """Only then."""
        if self.town.is_lull:
            super().tick()


class Buys(SelfHire):
    """Does so until its record is good, and asks its costs from then on."""

    def tick(self) -> None:
        """In the first third of the time."""
        if (self.town.now - BEGINS * HOUR) * 3 < self.town.scenario.days * DAY:
            super().tick()


class Bait(Behaviour):
    """Has devices of a processor count that nobody orders, which ask next to nothing."""

    def __init__(self, town: Town) -> None:
        """Of two processors each."""
        super().__init__(town)
        town.devices["processors"][town.own] = RARE

    def asks(self) -> Asks:
        """Less than everybody."""
        return np.ones_like(self.town.costs)


class Rare(Bait, SelfHire):
    """Has such devices, and hires them."""


class Bots(Behaviour):
    """Takes what operators left open, as soon as it may."""

    def tick(self) -> None:
        """The oldest first."""
        town = self.town
        late = [each for each in town.waiting if not each.own and each.minimum == 1]
        for order in late:
            if order.created_at + PARAMS.exclusive > town.now or order.limit < town.price:
                continue
            for device in np.flatnonzero(town.own & (town.until <= town.now)).tolist():
                if town.can_take(order, device):
                    town.lease(order, device)


class Flood(Bots):
    """Beside an honest order an urgent one for all that is free, cancelled between a tick and its match."""

    def tick(self) -> None:
        """Its order is a second old."""
        super().tick()
        town = self.town
        self.order: Wanted | None = None
        places = int(np.count_nonzero(town.is_willing() & ~town.own))
        wanted = any(each.limit >= town.price and not each.own and each.open for each in town.waiting)
        if wanted and places and (town.own & town.is_willing()).any():
            self.order = town.new_order(places=places, seconds=HOUR, urgency=Urgency.NOW)
            town.open(self.order)

    def seen(self, tick: Snapshot) -> Snapshot:
        """What it would have got is left out by whoever matches."""
        if self.order is not None:
            self.town.cancel(self.order)
        return tick


class Gang(Bots):
    """Always has a gang for all that is free and soon will be, and lets it lapse, which costs nothing.

    It is never whole: a few of its own devices seem to be free soon, and are hired by their owner again.
    """

    def __init__(self, town: Town) -> None:
        """One of them is always in the last third of its hour."""
        super().__init__(town)
        self._seem = {int(at): n * LAPSE for n, at in enumerate(np.flatnonzero(town.own)[:SEEM], 1)}

    def tick(self) -> None:
        """The next one is old enough to keep devices when the one before is over."""
        town, free = self.town, self.town.is_free()
        for device, seconds in self._seem.items():
            if free[device]:
                town.lease(town.new_order(places=1, seconds=seconds), device)
                self._seem[device] = HOUR
        super().tick()
        if town.now % LAPSE < TICK:
            left = town.until - town.now
            soon = (left > 0) & (left < PARAMS.match_window)
            size = int(np.count_nonzero(town.is_willing()) + np.count_nonzero(soon))
            if soon[list(self._seem)].any() and size > 1:
                town.open(town.new_order(places=size, seconds=HOUR, minimum=size, urgency=Urgency.NOW))


class Unproven(Bots):
    """Its devices skip their proofs: neither idle nor matched in batches. It may take orders all the same."""

    def __init__(self, town: Town) -> None:
        """From the beginning on; what hours' rewards it loses isn't counted."""
        super().__init__(town)
        town.out[town.own] = Out.WORK
