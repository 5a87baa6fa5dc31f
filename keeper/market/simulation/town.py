"""A class's market, tick by tick: who is free, who is hired, what is paid, and the price that follows.

Snapshots, samples, matches and steps are the keeper's own; beside them there are only suppliers who ask their
costs, renters who pay what a device is worth to them, and what an attacker does (attacks.py). Who is matched
accepts at once, leases are as long as their renters want. Everybody knows what a lease will bring, so that it
is counted when it begins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import FIRST, TICK, Currency, Urgency, cancel_fee, earned, fee
from keeper.economy.staking import next_bar
from keeper.market.price import SAMPLES, Sample
from keeper.market.reputation import LeaseEnd, Reputation
from keeper.market.sampling import sample, sample_ticks
from keeper.market.simulation import draws
from keeper.market.simulation.draws import PARAMS, Wanted
from keeper.market.simulation.outcome import Outcome
from keeper.market.simulation.scenario import Scenario
from keeper.market.snapshot import DEVICE, LISTED, ORDER, PAIR, PRICE, Out, Snapshot, empty
from keeper.tables import NOTHING, Rows

BEGINS = 500_000
"""The first hour, unix time over 3,600."""
NUMBER = 1
"""The class."""
TICKS = HOUR // TICK
"""In an hour."""


class Town:
    """The market in one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Draw costs and orders, and have everybody ask its costs."""
        self.scenario, count = scenario, scenario.devices
        self.now = BEGINS * HOUR
        self.price = scenario.start
        self.costs = np.array(draws.costs(scenario), np.int64)
        self.own = np.arange(count) < scenario.own
        self.coming = deque(draws.orders(scenario, self.now))
        self.waiting: list[Wanted] = []
        self.devices = self._rows(count)
        self.at = {bytes(key).ljust(32, b"\0"): n for n, key in enumerate(self.devices["device"].tolist())}
        self.until = np.zeros(count, np.int64)
        """When a device's lease is over."""
        self.barred = np.zeros(count, np.int64)
        self.out = np.zeros(count, np.uint16)
        """What else keeps a device from taking part, by what its supplier does."""
        self.strikes, self.records = [0] * count, [Reputation()] * count
        self.is_changed = True
        """Whether a match is possible that wasn't in the tick before."""
        self.outcome = Outcome(
            profits=np.zeros(count, np.int64),
            served=np.zeros(count, np.int64),
            weights=self.devices["weight"],
        )
        self._due: list[tuple[int, int, LeaseEnd | None]] = []
        self._number = 0

    def _rows(self, count: int) -> Rows:
        rows = np.zeros(count, DEVICE)
        seed = self.scenario.seed
        rows["device"] = draws.addresses(seed, "device", count)
        for name in ("supplier", "worker", "payout"):
            rows[name] = draws.addresses(seed, name, count)
        rows["class"], rows["processors"], rows["tier"], rows["country"] = NUMBER, 1, 1, b"AT"
        rows["weight"] = Reputation().weight
        # At first they have become free one after the other.
        rows["idle_since"] = self.now - np.argsort(draws.addresses(seed, "free", count)) * TICK
        return rows

    # -- what suppliers do -------------------------------------------------------------------------

    @property
    def worth(self) -> int:
        """How many IO are what one was."""
        return self.scenario.shock((self.now - BEGINS * HOUR) // DAY).worth

    @property
    def is_lull(self) -> bool:
        """Whether it is an hour in which less is wanted than usual."""
        return draws.tide(self.now // HOUR - BEGINS, self.scenario.swing) < draws.USUAL_TIDE

    def ask(self, asks: NDArray[np.int64], who: NDArray[np.bool_]) -> None:
        """What devices ask from now on; who asks something else than before has new terms."""
        other = who & (asks != self.devices["ask_io"].astype(np.int64))
        self.devices["ask_io"][other] = asks[other]
        if self.now > BEGINS * HOUR:
            self.devices["changed_at"][other & (asks > 0)] = self.now
        self._look(np.flatnonzero(other))

    def is_free(self) -> NDArray[np.bool_]:
        """Which devices could be matched."""
        there: NDArray[np.bool_] = self.devices["out"] == 0
        return there

    def is_willing(self) -> NDArray[np.bool_]:
        """Which of them would be, at the price."""
        willing: NDArray[np.bool_] = self.is_free() & (self.devices["ask_io"] <= self.price)
        return willing

    def can_take(self, order: Wanted, device: int) -> bool:
        """Whether the program lets a supplier take an order for its device, once it is there."""
        row = self.devices[device]
        return bool(
            order.open
            and order.limit >= self.price
            and row["out"] & ~Out.WORK == 0
            and 0 < row["ask_io"] <= self.price
            and row["changed_at"] < order.created_at
            and device not in order.had
        )

    def _look(self, devices: Iterable[int]) -> None:
        """Find out again why devices take no part."""
        for each in devices:
            out = Out(int(self.out[each]))
            out |= Out.HIRED if self.until[each] > self.now else Out(0)
            out |= Out.BARRED if self.barred[each] > self.now else Out(0)
            out |= Out.NOT_LET if self.devices["ask_io"][each] == 0 else Out(0)
            self.devices["out"][each] = out
            self.devices["hired_until"][each] = self.until[each] if Out.HIRED in out else 0
            self.is_changed = True

    # -- leases ------------------------------------------------------------------------------------

    def new_order(
        self, *, places: int, seconds: int, minimum: int = 1, urgency: Urgency = Urgency.ORDINARY
    ) -> Wanted:
        """An attacker's order at the price of now, a second old."""
        self._number += 1
        address, since = draws.blockhash(self.scenario.seed, -self._number), self.now - 1
        until = since + PARAMS.match_window
        return Wanted(address, since, until, places, seconds, self.price, urgency, minimum, own=True)

    def open(self, order: Wanted) -> None:
        """Operators see it from this tick on."""
        self.waiting.append(order)
        self.is_changed = True

    def cancel(self, order: Wanted) -> None:
        """An attacker takes its order back before its time is over, for the fee on an hour of each place."""
        self.waiting.remove(order)
        self.outcome.spent += cancel_fee(order.limit, order.open, order.fee_bps, order.limit * order.open)

    def lease(self, order: Wanted, device: int) -> None:
        """One place's lease begins, at the price."""
        at, seconds = self.now + FIRST, order.seconds
        order.open -= 1
        order.had.add(device)
        processors = int(self.devices["processors"][device])
        pay = earned(self.price * processors, seconds)
        charges = fee(pay, PARAMS.supplier_fee_bps), fee(pay, order.fee_bps)
        if order.own and self.own[device]:
            # Nothing runs, and the pay goes round.
            self.outcome.spent += sum(charges)
        else:
            cost = earned(int(self.costs[device]) * self.worth * processors, seconds)
            self.outcome.profits[device] += pay - charges[0] - cost
            self.outcome.spent += (pay + charges[1]) * order.own
        if not order.own:
            self.outcome.filled += 1
            self.outcome.surplus += earned(order.limit, seconds) - pay - charges[1]
            self.outcome.served[device] += seconds
        bps = PARAMS.supplier_fee_bps + order.fee_bps
        self.until[device] = at + seconds
        end = LeaseEnd(at + seconds, seconds, sum(charges), bps, self.price * processors)
        heappush(self._due, (at + seconds, device, end))
        self._look([device])

    def break_off(self, order: Wanted, device: int) -> None:
        """A supplier accepts and leaves at once: the place is open again, the device is barred."""
        order.had.add(device)
        order.until = max(order.until, self.now + PARAMS.match_window)
        self.barred[device] = self.now + next_bar(self.strikes[device], 0)
        self.strikes[device] += 1
        heappush(self._due, (int(self.barred[device]), device, None))
        self._look([device])

    # -- time --------------------------------------------------------------------------------------

    def begin(self, now: int) -> None:
        """What has happened by a tick's beginning: leases and bars ended, orders came and lapsed."""
        self.now = now
        while self._due and self._due[0][0] <= now:
            at, device, end = heappop(self._due)
            self.devices["idle_since"][device] = at
            if end is not None:
                self.records[device] = self.records[device].after(end)
                self.devices["weight"][device] = self.records[device].weight
            self._look([device])
        while self.coming and self.coming[0].created_at < now:
            self.waiting.append(self.coming.popleft())
            self.outcome.wanted += self.waiting[-1].open
            self.is_changed = True
        gone = {each.address for each in self.waiting if not each.open or each.until <= now + FIRST}
        if gone:
            # What a gang kept is free again.
            self.is_changed = True
            self.waiting = [each for each in self.waiting if each.address not in gone]
        if now % DAY == 0:
            self.records = [each.on(now // DAY) for each in self.records]
            self.devices["weight"] = [each.weight for each in self.records]

    def snapshot(self) -> Snapshot:
        """The tick that begins now, as operators see it."""
        orders = sorted(self.waiting, key=lambda each: each.address)
        pairs = [
            (each.address, self.devices["device"][device])
            for each in orders
            for device in each.had
            if self.devices["out"][device] == 0
        ]
        tick = self.now // TICK
        return Snapshot(
            tick,
            tick,
            draws.blockhash(self.scenario.seed, tick),
            self.devices,
            np.array([_row(each) for each in orders], ORDER),
            np.array([(NUMBER, self.price, 0)], PRICE),
            np.array(sorted(pairs), PAIR) if pairs else empty(PAIR),
        )

    def can_match(self) -> bool:
        """Whether a batch may have a match: without new devices, orders or prices it has none.

        Unless there is a gang: what that keeps from others is for a while.
        """
        wanted = any(each.limit >= self.price for each in self.waiting)
        gangs = any(each.minimum > 1 for each in self.waiting)
        return wanted and (self.is_changed or gangs) and bool(self.is_willing().any())

    def count(self) -> Sample:
        """The market at a tick that is sampled."""
        return sample(self.snapshot())[NUMBER, Currency.IO]

    def note(self, found: list[Sample]) -> None:
        """An hour is over."""
        self.outcome.prices.append(self.price)
        hired, there = sum(sum(each.hired) for each in found), int(self.devices["processors"].sum())
        self.outcome.used.append(hired * 1_000 // (SAMPLES * there))

    def drawn(self, hour: int) -> set[int]:
        """The ticks of an hour that are sampled."""
        return set(sample_ticks(hour, draws.blockhash(self.scenario.seed, hour + 1)))


def _row(order: Wanted) -> tuple[object, ...]:
    """An order as a tick's snapshot has it."""
    classes = [NUMBER, *[NOTHING] * (LISTED - 1)]
    terms = order.created_at, order.until, order.urgency, Currency.IO, classes, 1, 1, [b""] * LISTED
    places = order.open, order.minimum
    return order.address, *terms, *places, 0, b"", order.limit, order.renter
