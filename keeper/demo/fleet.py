"""The demo's suppliers, co-stakers and 200 devices, and what was seen of them: made up from fixed seeds."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.clients import staking
from keeper.demo.airdrop import person
from keeper.economy.calendar import HOUR
from keeper.economy.classes import ClassRow, read_classes
from keeper.economy.staking import minimum
from keeper.rewards.rows import OBSERVATION, Rows, Work, keys
from keeper.rewards.rule import VRAM_FAILURES

DEVICES = 200
SUPPLIERS = 60
CO_STAKED = 50
"""Devices that have a co-staker; each co-staker takes two."""
CLASSES = (
    *("H100 80GB HBM3", "H200", "A100-SXM4-80GB", "L40S", "RTX 4090", "RTX 4090 D"),
    *("RTX 3090", "RTX 4080", "RTX 6000 Ada", "RTX A6000", "T4", "M4 Max"),
)
"""Six in each pool."""
ASKS = (70, 110)
"""What suppliers ask at least and at most, percent of their class's price at first."""
COUNTRIES = ("CH", "DE", "US", "JP", "BR", "IN", "ZA", "SE")
SHORT_STAKES = 12
"""Devices whose supplier staked one base unit too little."""
MOST_PROCESSORS = 8
RESTARTED, ONLINE = 0.02, 0.99
"""Shares of the devices in each hour."""
WORK = {Work.MISSING: 0.02, Work.PASSED: 0.97, Work.FAILED: 0.01}
BAD_MEMORY = range(7, DEVICES, 40)
"""Devices that fail the memory test again and again until a day has passed."""
REPAIRED = 24


@dataclass(frozen=True)
class Machine:
    """A device as its supplier sets it up; amounts in base units."""

    number: int
    kind: ClassRow
    processors: int
    tier: int
    country: str
    supplier: Keypair
    own: int
    ask_io: int
    ask_usdc: int
    co_staker: Keypair | None = None
    co_amount: int = 0
    reward_bps: int = 0

    @cached_property
    def worker(self) -> Keypair:
        """The machine's own key."""
        return person(f"worker {self.number}")

    @cached_property
    def address(self) -> Pubkey:
        """The device's account."""
        return staking.device_address(self.worker.pubkey())


class Fleet:
    """All machines, in the order they are registered in."""

    def __init__(self, seed: int = 1) -> None:
        """Make them up."""
        rng, prices = random.Random(seed), random.Random(seed)
        self.kinds = {row.name: row for row in read_classes()}
        suppliers = [person(f"supplier {number}") for number in range(SUPPLIERS)]
        co_stakers = [person(f"co-staker {number}") for number in range(CO_STAKED // 2)] * 2
        self.machines: list[Machine] = []
        for number in range(DEVICES):
            kind = self.kinds[CLASSES[number % len(CLASSES)]]
            processors = 1 if kind.name.startswith("M") else rng.randint(1, MOST_PROCESSORS)
            least = minimum(kind.multiplier, processors)
            own, part, share = least + rng.choice((0, 0, least // 10)), 0, 0
            co_staker = None
            if number < CO_STAKED:
                part, share = least * rng.randint(10, 50) // 100, 100 * rng.randint(5, 50)
                own, co_staker = least - part, co_stakers[number]
            elif number < CO_STAKED + SHORT_STAKES:
                own = least - 1
            asked = prices.randint(*ASKS)
            self.machines.append(
                Machine(
                    number=number,
                    kind=kind,
                    processors=processors,
                    tier=rng.randint(1, 4),
                    country=rng.choice(COUNTRIES),
                    supplier=suppliers[number] if number < SUPPLIERS else rng.choice(suppliers),
                    own=own,
                    ask_io=kind.prices.price_io * asked // 100,
                    ask_usdc=kind.prices.price_usdc * asked // 100,
                    co_staker=co_staker,
                    co_amount=part,
                    reward_bps=share,
                )
            )

    @cached_property
    def stakes(self) -> dict[Keypair, int]:
        """What each staker needs for all of its stakes, base units."""
        needed: dict[Keypair, int] = {}
        for each in self.machines:
            needed[each.supplier] = needed.get(each.supplier, 0) + each.own
            if each.co_staker:
                needed[each.co_staker] = needed.get(each.co_staker, 0) + each.co_amount
        return needed

    def observe(self, hour: int, start: int, up_since: int) -> Rows:
        """What was seen in an hour that began at ``start``; the machines have run since ``up_since``."""
        rng = np.random.default_rng([2024, hour])
        rows = np.zeros(DEVICES, OBSERVATION)
        rows["device"] = keys([each.address for each in self.machines])
        rows["up_since"] = np.where(rng.random(DEVICES) < RESTARTED, start - HOUR, up_since)
        rows["online"] = rng.random(DEVICES) < ONLINE
        rows["work"] = rng.choice(list(WORK), DEVICES, p=list(WORK.values()))
        if hour < REPAIRED:
            rows["vram_failures"][BAD_MEMORY] = VRAM_FAILURES
            rows["vram_failed_at"][BAD_MEMORY] = start - HOUR
        return rows
