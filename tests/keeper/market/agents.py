"""A class's market of agents: suppliers with costs, renters with values, and the network price between them.

Steps of five minutes, an hour's step of the price from the hour before last, leases to whoever has waited
longest. All draws are made before it starts, from a fixed seed: two runs that differ in what some suppliers
do have the same costs, and the same orders at the same times.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keeper.economy.classes import MAX_PRICE, next_price
from keeper.market.price import NO_COUNTS, SAMPLES, Sample, hour_step, total

ONE = 1_000_000
"""Base units of what costs and values are given in."""
HOURS_A_DAY, STEPS = 24, SAMPLES
"""Steps in an hour."""
WAITS = 4
"""Steps that an order waits for devices."""
FEES_BPS = 50
"""Both sides' fees on what is paid."""
COST, COST_SPREAD = 0.54, 0.43
VALUE, VALUE_SPREAD = 1.1, 0.6
"""Medians, and standard deviations of the logarithms: of what an hour of a processor costs, and is worth."""
ORDERS_A_STEP, PLACES, LEASE_HOURS = 1.06, 2.0, 8.0
"""How many orders come in a step for 300 devices, for how many places, and for how long, on average."""
SWING = 35
"""Percent by which demand is higher and lower in the course of a day."""


class Ask(Enum):
    """What a supplier does with its devices."""

    COST = "asks its costs"
    MARGIN = "asks 1.3 x its costs"
    PRICE = "asks the price, or its costs if they are more"
    HALF = "asks half its costs"
    ABOVE = "lies in wait at 1.5 x the price"
    LEAVES = "accepts and breaks off, and is barred"
    HIRES_ITSELF = "hires itself to raise the price"
    WITHHOLDS = "withholds a fifth of its devices"


class Order(NamedTuple):
    """Places wanted from a step on, for so many steps, at a value for an hour of each."""

    step: int
    places: int
    steps: int
    value: int


@dataclass(frozen=True)
class Shock:
    """From a day on: percent of the usual demand, and how many IO are what one was."""

    day: int
    demand: int
    worth: int


@dataclass(frozen=True)
class Scenario:
    """Who is there, for how long, and what happens."""

    seed: int = 1
    devices: int = 300
    days: int = 30
    start: int = ONE
    shocks: tuple[Shock, ...] = ()
    swing: int = SWING
    ask: Ask = Ask.COST
    others: int = 0
    """Percent of devices, the first ones, that ``ask`` so; the rest asks its costs."""


@dataclass
class Outcome:
    """What came of it; money in base units, ``prices`` and ``used`` (permille of all devices) by the hour."""

    prices: list[int] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    wanted: int = 0
    filled: int = 0
    surplus: int = 0
    profits: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


class Town:
    """The market in one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Draw costs and orders."""
        self.scenario = scenario
        random = np.random.default_rng(scenario.seed)
        count = scenario.devices
        self.costs = (COST * ONE * random.lognormal(0, COST_SPREAD, count)).astype(np.int64)
        self.orders = deque(self._orders(random))
        self.odd = np.arange(count) < count * scenario.others // 100
        self.until = np.zeros(count, np.int64)
        """The step in which a device's lease is over."""
        self.since = np.arange(count)[::-1] - count
        """The step in which a device became free; at first one after the other."""
        self.waiting: deque[Order] = deque()
        self.outcome = Outcome(profits=np.zeros(count, np.int64))

    def _orders(self, random: np.random.Generator) -> list[Order]:
        """All orders of the time, as they would come without shocks; a shock drops a part of them."""
        found, swing = [], self.scenario.swing
        for step in range(self.scenario.days * HOURS_A_DAY * STEPS):
            hour = step // STEPS % HOURS_A_DAY
            tide = (100 + swing - abs(hour - 12) * swing / 6) / 100
            shock = self._shock(step)
            for _ in range(random.poisson(ORDERS_A_STEP * tide * self.scenario.devices / 300)):
                places, hours = random.geometric(1 / PLACES), random.exponential(LEASE_HOURS)
                value = VALUE * ONE * shock.worth * random.lognormal(0, VALUE_SPREAD)
                if random.random() * 100 < shock.demand:
                    found.append(Order(step, int(places), max(STEPS, int(hours * STEPS)), int(value)))
        return found

    def _shock(self, step: int) -> Shock:
        """What holds in a step."""
        day = step // STEPS // HOURS_A_DAY
        return ([Shock(0, 100, 1)] + [each for each in self.scenario.shocks if each.day <= day])[-1]

    def run(self) -> Outcome:
        """Let the whole time pass."""
        price = coming = self.scenario.start
        for hour in range(self.scenario.days * HOURS_A_DAY):
            samples = [self._step(hour * STEPS + each, price) for each in range(STEPS)]
            self.outcome.prices.append(price)
            found = total(samples)
            self.outcome.used.append(sum(found.hired) * 1_000 // (STEPS * len(self.costs)))
            price, coming = coming, next_price(coming, hour_step(found), 1, MAX_PRICE)
        return self.outcome

    def _step(self, now: int, price: int) -> Sample:
        """Match who waits, and count what is left."""
        worth = self._shock(now).worth
        asks = self._asks(price, worth)
        free = self.until <= now
        if self.scenario.ask is Ask.HIRES_ITSELF:
            self._hire_themselves(now, price, free & self.odd)
            free &= ~self.odd
        while self.orders and self.orders[0].step == now:
            order = self.orders.popleft()
            self.outcome.wanted += order.places
            self.waiting.append(order)
        willing = np.flatnonzero(free & (asks > 0) & (asks <= price))
        queue = deque(willing[np.argsort(self.since[willing], kind="stable")].tolist())
        still = deque()
        for order in self.waiting:
            left = order.places
            while left and queue and order.value >= price:
                left -= self._lease(queue.popleft(), order, now, price, worth)
            if left and now < order.step + WAITS:
                still.append(order._replace(places=left))
        self.waiting = still
        return self._sample(now, asks, price)

    def _asks(self, price: int, worth: int) -> NDArray[np.int64]:
        """What each device asks at a price; 0 for not at all."""
        costs = self.costs * worth
        odd = {
            Ask.COST: costs,
            Ask.MARGIN: costs * 13 // 10,
            Ask.PRICE: np.maximum(costs, price),
            Ask.HALF: costs // 2,
            Ask.ABOVE: np.full_like(costs, price * 3 // 2),
            Ask.LEAVES: costs,
            Ask.HIRES_ITSELF: costs,
            Ask.WITHHOLDS: np.where(np.arange(len(costs)) % 5 == 0, 0, costs),
        }
        return np.where(self.odd, odd[self.scenario.ask], costs)

    def _lease(self, device: int, order: Order, now: int, price: int, worth: int) -> bool:
        """One place's lease, at the price; whether it is served.

        Both sides know what it is worth to them when it begins.
        """
        if self.scenario.ask is Ask.LEAVES and self.odd[device]:
            # Nothing is paid, the place opens again, and bars are the longest soon: a day.
            self.until[device] = self.since[device] = now + HOURS_A_DAY * STEPS
            return False
        self.until[device] = self.since[device] = now + order.steps
        self.outcome.filled += 1
        half_the_fees = price * order.steps // STEPS * FEES_BPS // 20_000
        gains = order.value - price, price - int(self.costs[device]) * worth
        renters, suppliers = (each * order.steps // STEPS - half_the_fees for each in gains)
        self.outcome.surplus += renters
        self.outcome.profits[device] += suppliers
        return True

    def _hire_themselves(self, now: int, price: int, who: NDArray[np.bool_]) -> None:
        """Their own renters take them for a day: all that it costs are the fees."""
        self.until[who] = now + HOURS_A_DAY * STEPS
        self.outcome.profits[who] -= price * HOURS_A_DAY * FEES_BPS // 10_000

    def _sample(self, now: int, asks: NDArray[np.int64], price: int) -> Sample:
        """The market after a step's matching; who is barred is neither hired nor free."""
        busy = self.until > now
        barred = busy & self.odd if self.scenario.ask is Ask.LEAVES else np.zeros_like(busy)
        hired = int(np.count_nonzero(busy & ~barred))
        listed = ~busy & (asks > 0)
        idle = int(np.count_nonzero(listed & (asks <= price)))
        size = hired + int(np.count_nonzero(listed))
        wanted = sum(each.places for each in self.waiting if each.value >= price)
        unmet = min(wanted, size) if hired + idle == 0 else 0
        return Sample((hired, *NO_COUNTS[1:]), (idle, *NO_COUNTS[1:]), unmet, size)
