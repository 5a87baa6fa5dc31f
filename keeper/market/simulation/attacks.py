"""What attackers do, each at the moments that a supplier, a renter or an operator really has.

Attackers' bots take orders after operators' exclusive time, and nobody else's do: that is the best for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from keeper.economy.calendar import DAY, HOUR
from keeper.economy.classes import MAX_STEP
from keeper.economy.orders import BPS, TICK, Urgency
from keeper.market.sampling import SLICE
from keeper.market.simulation.draws import PARAMS, Wanted
from keeper.market.simulation.scenario import Attack
from keeper.market.simulation.town import BEGINS, Town
from keeper.market.snapshot import Out, Snapshot

Asks = NDArray[np.int64]
TOUCHED = 55 * 60
FIFTH, TENTH = 5, 10
RARE, SEEM = 2, 4
LAPSE = PARAMS.match_window - PARAMS.exclusive
"""From one gang to the next, seconds."""


class Behaviour:
    """Suppliers who ask their costs, and do nothing else."""

    def __init__(self, town: Town) -> None:
        """Of the devices that are ``town.own``."""
        self.town = town

    @property
    def costs(self) -> Asks:
        """What an hour costs them now."""
        return self.town.costs * self.town.worth

    @property
    def too_much(self) -> Asks:
        """An ask that nobody meets."""
        return np.full_like(self.town.costs, self.town.price * 3 // 2)

    def asks(self) -> Asks:
        """What devices ask in an hour, at its beginning."""
        return self.costs

    def tick(self) -> None:
        """Before the state of a tick is looked at."""

    def seen(self, tick: Snapshot) -> Snapshot:
        """After that, before its first turn; what whoever matches goes by."""
        return tick

    def serves(self, device: int) -> bool:
        """Whether a lease of one is served."""
        return True

    def voted(self, before: int, after: int) -> int:
        """The price that operators' votes lead to from ``before``, where the rule leads to ``after``."""
        return after


class Asking(Behaviour):
    """Asks something else than its costs, from hour to hour."""

    def __init__(self, town: Town, asks: Callable[[Behaviour], Asks]) -> None:
        """``asks`` says what."""
        super().__init__(town)
        self._asks = asks

    def asks(self) -> Asks:
        """By the price, its costs, the hour."""
        return self._asks(self)


class Leaves(Behaviour):
    """Accepts and breaks off."""

    def serves(self, device: int) -> bool:
        """Only others' are."""
        return not self.town.own[device]


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


class Touches(Behaviour):
    """Changes its asks by a base unit again and again: free, and too young for most orders."""

    def tick(self) -> None:
        """Every 55 minutes."""
        town = self.town
        young = town.now - town.devices["changed_at"].astype(np.int64) < TOUCHED
        asks = town.devices["ask_io"].astype(np.int64)
        town.ask(np.where(asks == self.costs, asks + 1, self.costs), town.own & town.is_free() & ~young)


class Flash(Behaviour):
    """Asks too much until an order is there."""

    def tick(self) -> None:
        """Then its costs, for which it is too late."""
        wanted = any(each.limit >= self.town.price for each in self.town.waiting)
        self.town.ask(self.costs if wanted else self.too_much, self.town.own & self.town.is_free())


class Head(Behaviour):
    """Is willing when it has waited longer than nine of ten others."""

    def tick(self) -> None:
        """Until then it asks too much."""
        town = self.town
        since = np.maximum(town.devices["idle_since"], town.devices["changed_at"]).astype(np.int64)
        others = np.sort(since[town.is_willing() & ~town.own])
        comes_first = since <= (others[len(others) // TENTH] if len(others) else town.now)
        is_in = town.is_willing() | (town.is_free() & comes_first & (self.costs <= town.price))
        town.ask(np.where(is_in, self.costs, self.too_much), town.own)

    def asks(self) -> Asks:
        """As it was; at first its costs."""
        asks = self.town.devices["ask_io"].astype(np.int64)
        return np.where(asks > 0, asks, self.costs)


class Blinks(Behaviour):
    """Is off the market in the second half of each five minutes, of which a tick is sampled."""

    def tick(self) -> None:
        """Back at the beginning."""
        is_off = self.town.now // TICK % SLICE * 2 >= SLICE
        asks = np.zeros_like(self.costs) if is_off else self.costs
        self.town.ask(asks, self.town.own & (self.town.until <= self.town.now))


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


class Rogue(Behaviour):
    """One operator: where it leads, what comes first are its friends' devices."""

    def seen(self, tick: Snapshot) -> Snapshot:
        """Its own sequence, which everybody can see to be none of the rule's."""
        if tick.tick % self.town.scenario.operators:
            return tick
        devices = tick.devices.copy()
        devices["idle_since"][self.town.own] = 0
        return replace(tick, devices=devices)


class Votes(Behaviour):
    """More than half of the operators vote the price to a goal, a step an hour."""

    def voted(self, before: int, after: int) -> int:
        """As near to it as a step leads."""
        scenario, most = self.town.scenario, before * MAX_STEP // BPS
        return max(before - most, min(before + most, scenario.start * scenario.goal // 100))


BEHAVIOURS: dict[Attack, Callable[[Town], Behaviour]] = {
    Attack.NONE: Behaviour,
    Attack.MARGIN: lambda town: Asking(town, lambda it: it.costs * 13 // 10),
    Attack.PRICE: lambda town: Asking(town, lambda it: np.maximum(it.costs, it.town.price)),
    Attack.HALF: lambda town: Asking(town, lambda it: it.costs // 2),
    Attack.ABOVE: lambda town: Asking(town, lambda it: it.too_much),
    Attack.WITHHOLDS: lambda town: Asking(
        town, lambda it: np.where(np.arange(len(it.costs)) % FIFTH, it.costs, 0)
    ),
    Attack.LULL: lambda town: Asking(town, lambda it: it.costs * (not it.town.is_lull)),
    Attack.LEAVES: Leaves,
    Attack.SELF_HIRE: SelfHire,
    Attack.PROPS: Props,
    Attack.BUYS: Buys,
    Attack.BLINKS: Blinks,
    Attack.TOUCHES: Touches,
    Attack.FLASH: Flash,
    Attack.HEAD: Head,
    Attack.RARE: Rare,
    Attack.BAIT: Bait,
    Attack.FLOOD: Flood,
    Attack.GANG: Gang,
    Attack.UNPROVEN: Unproven,
    Attack.ROGUE: Rogue,
    Attack.VOTES: Votes,
}
