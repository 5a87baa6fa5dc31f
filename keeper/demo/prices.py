"""The demo's prices: operators vote for a table of steps every few hours, and each is applied by its proof.

The steps are made up from a fixed seed: nothing samples the demo's market yet.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from solders.keypair import Keypair

from keeper.chain.packing import pack
from keeper.clients import staking
from keeper.clients.staking import Class
from keeper.demo.fleet import CLASSES, Machine
from keeper.demo.network import Network
from keeper.economy.calendar import HOUR
from keeper.economy.classes import ClassRow, holds_from
from keeper.economy.orders import Currency
from keeper.market.steps import StepTable

EVERY = 6
"""Hours between two votes."""
DOWN, UP = -600, 1_000
"""Steps, basis points; the program takes 1,250 either way."""
SEED = 3


@dataclass(frozen=True, slots=True)
class Level:
    """What a class costs in a currency from a time on, base units."""

    since: int
    amount: int


@dataclass(slots=True)
class Prices:
    """Who votes for prices, and what they were."""

    network: Network
    operators: list[Keypair]
    kinds: dict[str, ClassRow]
    machines: list[Machine]
    levels: dict[tuple[int, Currency], list[Level]] = field(default_factory=dict)
    """Of each class, by its number, and currency: the first since ever."""
    votes: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(SEED))

    def __post_init__(self) -> None:
        """Begin with the table's prices."""
        for name in CLASSES:
            row = self.kinds[name]
            amounts = (row.prices.price_io, row.prices.price_usdc)
            for currency, amount in zip(Currency, amounts, strict=True):
                self.levels[row.id, currency] = [Level(0, amount)]

    def at(self, number: int, currency: Currency, time: int) -> int:
        """What a class costs at a time, by the steps alone."""
        return [each.amount for each in self.levels[number, currency] if each.since <= time][-1]

    def first(self, number: int, currency: Currency) -> int:
        """What it costs at first."""
        return self.levels[number, currency][0].amount

    def last(self, number: int, currency: Currency) -> int:
        """What it costs at the end."""
        return self.levels[number, currency][-1].amount

    async def hour(self, number: int) -> None:
        """In every sixth hour vote for steps of the one before and apply them: they hold from the next."""
        if number % EVERY != EVERY - 1:
            return
        chain = self.network.chain
        hour = chain.now() // HOUR - 1
        ids = [self.kinds[name].id for name in CLASSES]
        steps = {each: (self._step(), self._step()) for each in ids}
        table = StepTable(hour, steps)
        for operator in self.operators[:2]:
            await chain.send([staking.vote_prices(operator.pubkey(), hour, table.root)], [operator])
        applied = [staking.apply_price(each, hour, *steps[each], table.proof(each)) for each in ids]
        keeper = self.network.keeper
        for run in pack([[each] for each in applied], keeper.pubkey()):
            await chain.send([applied[at] for at in run], [keeper])
        self.votes += 1
        await self._check(steps, holds_from(hour))

    async def _check(self, steps: dict[int, tuple[int, int]], since: int) -> None:
        """The price on chain stays until the step holds, and is then what the step makes of it."""
        classes = await staking.read_classes(self.network.chain)
        for number, step in steps.items():
            for currency, bps in zip(Currency, step, strict=True):
                before = self.last(number, currency)
                after = _stepped(classes[number], currency, before, bps)
                for time, expected in ((since - 1, before), (since, after)):
                    price = classes[number].price(currency, time)
                    what = f"price of {classes[number].name} in {currency.name}"
                    self.network.checks.equal(what, (price.amount, price.is_stale), (expected, False))
                self.levels[number, currency].append(Level(since, after))

    def _step(self) -> int:
        return self._random.randint(DOWN, UP)


def _stepped(of_class: Class, currency: Currency, before: int, bps: int) -> int:
    """A price after a step: the fraction, rounded away from a standstill, within the bounds."""
    low, high = of_class.bounds.of(currency)
    moved = before * (1 + Fraction(bps, 10_000))
    return max(low, min(high, ceil(moved) if bps > 0 else floor(moved)))
