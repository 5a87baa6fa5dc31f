"""What the demo's classes cost: by the steps that operators agreed on, in fractions, and on chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from keeper.chain import Event
from keeper.clients import staking
from keeper.clients.staking import Class
from keeper.demo.fleet import CLASSES, Machine
from keeper.demo.network import Network
from keeper.economy.classes import ClassRow, holds_from
from keeper.economy.orders import Currency
from keeper.market.steps import StepTable


@dataclass(frozen=True, slots=True)
class Level:
    """What a class costs in a currency from a time on, base units."""

    since: int
    amount: int


@dataclass(slots=True)
class Prices:
    """What the classes cost, from the first hour to the last."""

    network: Network
    kinds: dict[str, ClassRow]
    machines: list[Machine]
    levels: dict[tuple[int, Currency], list[Level]] = field(default_factory=dict)
    """Of each class, by its number, and currency: the first since ever."""
    steps: int = 0
    """How many were announced, those of 0, too."""
    hours: int = 0

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

    async def take(self, table: StepTable, announced: Sequence[Event]) -> None:
        """An hour's steps were voted for and announced: the chain's prices follow, from their time on.

        The price on chain stays until the step holds, and is then what the step makes of it.
        """
        classes = await staking.read_classes(self.network.chain)
        steps = {
            each.fields["class"]: (each.fields["step_io"], each.fields["step_usdc"]) for each in announced
        }
        self.network.checks.equal(f"steps of hour {table.hour}", steps, dict(table.steps))
        self.network.checks.equal("classes with steps", steps.keys(), classes.keys())
        self.steps, self.hours = self.steps + len(steps), self.hours + 1
        since = holds_from(table.hour)
        for number in (self.kinds[name].id for name in CLASSES):
            for currency, bps in zip(Currency, steps[number], strict=True):
                before = self.levels[number, currency][-1].amount
                after = _stepped(classes[number], currency, before, bps)
                for time, expected in ((since - 1, before), (since, after)):
                    price = classes[number].price(currency, time)
                    what = f"price of {classes[number].name} in {currency.name}"
                    self.network.checks.equal(what, (price.amount, price.is_stale), (expected, False))
                self.levels[number, currency].append(Level(since, after))


def _stepped(of_class: Class, currency: Currency, before: int, bps: int) -> int:
    """A price after a step: the fraction, rounded away from a standstill, within the bounds."""
    low, high = of_class.bounds.of(currency)
    moved = before * (1 + Fraction(bps, 10_000))
    return max(low, min(high, ceil(moved) if bps > 0 else floor(moved)))
