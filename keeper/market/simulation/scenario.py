"""What a simulation is told: who is there, for how long, what happens, and who games it.

Money is in millionths of the currency's unit, times are seconds, parts percent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from keeper.market.price import RULE, Rule

ONE = 1_000_000
"""A unit of the currency, about what a processor costs in an hour."""
GOAL = 150
BOUND = 10
"""The class's bounds, as those of the class table: a tenth of the first price, and ten times it."""


class Attack(StrEnum):
    """What some suppliers do with their devices, instead of asking their costs all the time."""

    NONE = "none"
    MARGIN = "margin"
    PRICE = "price"
    HALF = "half"
    ABOVE = "above"
    LEAVES = "leaves"
    SELF_HIRE = "self-hire"
    PROPS = "props"
    BUYS = "buys"
    WITHHOLDS = "withholds"
    LULL = "lull"
    BLINKS = "blinks"
    TOUCHES = "touches"
    FLASH = "flash"
    HEAD = "head"
    RARE = "rare"
    BAIT = "bait"
    FLOOD = "flood"
    GANG = "gang"
    UNPROVEN = "unproven"
    ROGUE = "rogue"
    VOTES = "votes"


WORDS = {
    Attack.NONE: "asks its costs",
    Attack.MARGIN: "asks 1.3 x its costs",
    Attack.PRICE: "asks the price, or its costs if they are more",
    Attack.HALF: "asks half its costs",
    Attack.ABOVE: "lies in wait at 1.5 x the price",
    Attack.LEAVES: "accepts and breaks off, and is barred",
    Attack.SELF_HIRE: "hires itself to raise the price",
    Attack.PROPS: "hires itself in the lull, so that the price doesn't fall",
    Attack.BUYS: "hires itself for a third of the time to buy reputation",
    Attack.WITHHOLDS: "withholds a fifth of its devices",
    Attack.LULL: "is off the market in the lull",
    Attack.BLINKS: "is off the market for half of each five minutes",
    Attack.TOUCHES: "touches its terms every 55 minutes",
    Attack.FLASH: "asks too much until an order is there",
    Attack.HEAD: "is willing only when it would come first",
    Attack.RARE: "hires its own devices of a processor count that nobody orders",
    Attack.BAIT: "such devices are idle, and ask next to nothing",
    Attack.FLOOD: "urgent orders for all free devices, cancelled before the match; own bots",
    Attack.GANG: "gangs for all that is free and soon will be, never cancelled; own bots",
    Attack.UNPROVEN: "skips its proofs of work; own bots",
    Attack.ROGUE: "an operator takes its friends first when it leads",
    Attack.VOTES: "operators vote the price to a goal",
}
"""The same for people."""


@dataclass(frozen=True, slots=True)
class Shock:
    """From a day on: percent of the usual demand, and how many IO are what one was."""

    day: int
    demand: int
    worth: int = 1


MONTH = Shock(10, 45), Shock(20, 45, 2)
"""On day 10 more than half of the demand goes away, on day 20 the token halves."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A class of ``devices`` with a processor each, for ``days``; the same seed draws the same people."""

    seed: int = 1
    days: int = 30
    devices: int = 300
    demand: int = 100
    """Percent of the usual."""
    swing: int = 35
    """Percent by which demand is higher and lower in the course of a day."""
    start: int = ONE
    """The price at first."""
    shocks: tuple[Shock, ...] = MONTH
    attack: Attack = Attack.NONE
    share: int = 0
    """Percent of devices whose supplier does that."""
    ends: int = 0
    """The day from which on it is over, as that of an operator that was found out and replaced; 0: never."""
    operators: int = 5
    """Of which a rogue one is one."""
    goal: int = GOAL
    """Percent of the first price to which operators vote, where they do."""
    rule: Rule = RULE

    @property
    def own(self) -> int:
        """How many devices are an attacker's."""
        return self.devices * self.share // 100 if self.attack is not Attack.NONE else 0

    @property
    def honest(self) -> Scenario:
        """The same people without an attack."""
        return replace(self, attack=Attack.NONE, share=0, ends=0, goal=GOAL)

    def shock(self, day: int) -> Shock:
        """What holds on a day."""
        begun = [each for each in self.shocks if each.day <= day]
        return max(begun, key=lambda each: each.day, default=Shock(0, 100))
