"""What attackers do with their asks, their devices, their votes; orders of their own are in own_orders.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from keeper.economy.classes import MAX_STEP
from keeper.economy.orders import BPS, TICK
from keeper.market.sampling import SLICE
from keeper.market.simulation.behaviour import Asks, Behaviour
from keeper.market.simulation.own_orders import Bait, Buys, Flood, Gang, Props, Rare, SelfHire, Unproven
from keeper.market.simulation.scenario import Attack
from keeper.market.simulation.town import Town
from keeper.market.snapshot import Snapshot

TOUCHED = 55 * 60
FIFTH, TENTH = 5, 10


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
