"""The demo's suppliers, co-stakers and 200 devices, and what was seen of them: made up from fixed seeds."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.clients import staking
from keeper.clients.staking import MAX_TIER
from keeper.demo.airdrop import person
from keeper.economy.classes import ClassRow, read_classes
from keeper.economy.staking import minimum

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
DOWN, HOT = 0.01, 0.01
"""Shares of the devices that an hour finds switched off, or so hot that they are late."""
ERRS = 0.0005
"""The share of the devices whose memory errs in an hour."""
BAD_MEMORY = range(7, DEVICES, 60)
"""Devices whose memory can't hold their plots until a day has passed; their class has to show them."""
REPAIRED = 24
LAST_LUCK = 47
"""The last hour in which anything happens to machines; from then on all stays as it is."""


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

    @property
    def is_short(self) -> bool:
        """Whether too little is staked on it."""
        return self.own + self.co_amount < minimum(self.kind.multiplier, self.processors)

    @cached_property
    def worker(self) -> Keypair:
        """The machine's own key."""
        return person(f"worker {self.number}")

    @cached_property
    def address(self) -> Pubkey:
        """The device's account."""
        return staking.device_address(self.worker.pubkey())

    @property
    def registration(self) -> Instruction:
        """What its supplier and the machine itself sign to register it; rewards go to the supplier."""
        supplier = self.supplier.pubkey()
        return staking.register_device(
            supplier,
            self.worker.pubkey(),
            supplier,
            self.kind.id,
            processors=self.processors,
            tier=self.tier,
            country=self.country,
            ask_io=self.ask_io,
            ask_usdc=self.ask_usdc,
        )


class Luck(NamedTuple):
    """What happens to a machine in an hour, of its owner's doing or not."""

    is_down: bool = False
    """It answers no ping and does no work."""
    is_hot: bool = False
    """It computes too slowly."""
    errs: bool = False
    """Its products are wrong: its memory errs."""
    has_no_plot: bool = False


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
            tier = rng.randint(1, MAX_TIER)
            self.machines.append(
                Machine(
                    number=number,
                    kind=kind,
                    processors=processors,
                    tier=tier,
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

    @staticmethod
    def luck(hour: int) -> list[Luck]:
        """What happens to each machine in an hour."""
        hour = min(hour, LAST_LUCK)
        rng = np.random.default_rng([2024, hour])
        draws = rng.random((3, DEVICES)) < np.array([[DOWN], [HOT], [ERRS]])
        worn = [hour < REPAIRED and number in BAD_MEMORY for number in range(DEVICES)]
        return [Luck(*map(bool, each)) for each in zip(*draws, worn, strict=True)]
