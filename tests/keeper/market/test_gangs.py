"""Gangs that are opened to keep devices from others: what that costs them, and gangs that are meant.

A class of equal devices, small orders that come by chance and are lost after 20 minutes, ticks by the rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from statistics import mean
from typing import Any
from unittest.mock import patch

import pytest

from keeper.market.assignment import assign
from keeper.market.holding import HOLD_AGE, Holding
from keeper.market.places import Places
from keeper.market.price import NO_COUNTS, SAMPLES, Sample, hour_step
from keeper.market.reach import NO_PLACES, Wish
from keeper.market.snapshot import Out
from keeper.market.work import Share
from tests.keeper.market.ticks import NOW, device, got, order, tick

DEVICES, TICKS, SECONDS = 60, 300, 30
WAITS = 1_200
"""So long an order is matched, seconds."""
LEASE = 2 * 3_600
"""The mean of leases."""

Gang = Callable[["Class"], list[dict[str, Any]]]
"""The gangs of a tick, all of them old enough to keep devices."""


@dataclass
class Class:
    """A class of equal devices, for as many ticks as it has had; times are seconds from the first on."""

    seed: int
    load: float
    """What is wanted, of what there is."""
    gang: Gang
    until: list[int] = field(default_factory=list)
    since: list[int] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    waited: list[int] = field(default_factory=list)
    lost: int = 0
    hired: int = 0
    whole: set[bytes] = field(default_factory=set)
    """Gangs that got what they wanted."""
    now: int = 0

    def run(self) -> Class:
        random = Random(self.seed)
        busy = int(DEVICES * min(self.load, 0.95))
        self.until = [int(random.expovariate(1 / LEASE)) if number < busy else 0 for number in range(DEVICES)]
        self.since = [-number for number in range(DEVICES)]
        for number in range(TICKS):
            self._tick(number * SECONDS, random)
        return self

    @property
    def filled(self) -> float:
        """Of the small orders whose time is over, those that were filled."""
        return len(self.waited) / (len(self.waited) + self.lost)

    @property
    def used(self) -> float:
        """How much of the class was hired on average."""
        return self.hired / DEVICES / TICKS

    @property
    def free(self) -> int:
        return sum(until <= self.now for until in self.until)

    @property
    def step(self) -> int:
        """The step of its price, basis points, if all of this were an hour."""
        idle = DEVICES * TICKS - self.hired
        return hour_step(Sample((self.hired, *NO_COUNTS[1:]), (idle, *NO_COUNTS[1:]), 0, DEVICES * SAMPLES))

    def _tick(self, now: int, random: Random) -> None:
        self.now = now
        for name in [each for each, opened in self.waiting.items() if opened + WAITS <= now]:
            del self.waiting[name]
            self.lost += 1
        there = [
            device(
                number,
                idle_since=NOW + self.since[number] - now - 100,
                out=Out.HIRED if until > now else 0,
                hired_until=NOW + until - now if until > now else 0,
            )
            for number, until in enumerate(self.until)
        ]
        small = [order(name, created_at=NOW + opened - now - 1) for name, opened in self.waiting.items()]
        gangs = self.gang(self)
        found = got(assign(tick(there, [*gangs, *small])))
        names = {each["device"]: number for number, each in enumerate(there)}
        whose = {each["order"]: name for each, name in zip(small, self.waiting, strict=True)}
        for of, devices in found.items():
            if of in whose:
                self.waited.append(now - self.waiting.pop(whose[of]))
            else:
                self.whole.add(of)
            for each in devices:
                self.until[names[each]] = now + 3_600 + int(random.expovariate(1 / (LEASE - 3_600)))
                self.since[names[each]] = self.until[names[each]]
        self.hired += DEVICES - self.free
        for _ in range(sum(random.random() < self.load * DEVICES * SECONDS / LEASE / 4 for _ in range(4))):
            self.waiting[f"{now} {len(self.waiting)} {random.random()}"] = now


def none(_: Class) -> list[dict[str, Any]]:
    return []


def too_large(_: Class) -> list[dict[str, Any]]:
    """There will never be so many; opened anew before the time of the one before is over."""
    return [order("gang", created_at=NOW - 1_140, match_until=NOW + 60, open=500, minimum=500)]


def one_short(market: Class) -> list[dict[str, Any]]:
    """By chance always some that need one device more than there is: they cost nothing."""
    many = market.free + 1
    return [
        order(f"gang {number}", created_at=NOW - 1_140 - number, open=many, minimum=many)
        for number in range(5)
    ]


def keeps_all(holding: Holding, order: int, wish: Wish, devices: Places, _: Share) -> Places:
    """The rule as it was: whatever a gang could take, for as long as it isn't whole."""
    return devices if holding._snapshot.now - wish.created_at >= HOLD_AGE else NO_PLACES


def run(load: float, gang: Gang) -> Class:
    return Class(1, load, gang).run()


@pytest.mark.parametrize("load", [0.6, 0.9])
def test_gangs_that_are_never_whole_cost_others_nothing(load: float) -> None:
    """They had everybody wait until older than they are, and the price fell by what they kept idle."""
    alone = run(load, none)
    with patch.object(Holding, "kept", keeps_all):
        before = run(load, too_large)
    assert mean(before.waited) > 1_100 > 2 * mean(alone.waited)
    assert before.used < alone.used - 0.05
    assert before.step < alone.step - 80
    for gang in (too_large, one_short):
        attacked = run(load, gang)
        assert not attacked.whole
        assert mean(attacked.waited) <= mean(alone.waited) * 1.02
        assert attacked.used >= alone.used - 0.002
        assert abs(attacked.step - alone.step) <= 3
        assert attacked.filled >= alone.filled - 0.005
