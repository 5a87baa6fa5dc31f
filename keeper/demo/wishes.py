"""The demo's 60 orders: who wants what, when, and what becomes of it; made up from a fixed seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum, auto

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.clients import orders
from keeper.clients.orders import Terms
from keeper.demo.airdrop import person
from keeper.demo.fleet import CLASSES, Fleet, Machine
from keeper.economy.orders import Currency

RENTERS = 12
LAST_HOUR = 36
"""Orders are opened from the first hour to this one."""
LARGE, CHOOSY = 0.17, 0.1
"""Shares of the orders: for many devices of any class of a pool, for some countries only."""
LAST_CHANGE = 42
"""After this hour only the clock changes an order."""
COLOCATED = 31
"""This order wants all of its devices in one country."""


class Story(Enum):
    """What the people around an order do with it."""

    SERVED = auto()
    RENTER_ENDS = auto()
    SUPPLIER_ENDS = auto()
    FAULT = auto()
    """Operators attest that a device stopped serving."""
    HELD = auto()
    """The guardian holds the money back, and releases it."""
    EXTENDED = auto()
    DIRECT = auto()
    """A supplier takes it before the operators look."""
    LAPSES = auto()
    """A worker doesn't accept in time; the device is matched again."""
    TOO_CHEAP = auto()
    """No device is available at its price."""
    CANCELLED = auto()
    """The same, and the renter doesn't wait for the end of the time."""


FATES = {
    Story.SERVED: 20,
    Story.RENTER_ENDS: 7,
    Story.SUPPLIER_ENDS: 4,
    Story.FAULT: 4,
    Story.HELD: 1,
    Story.EXTENDED: 6,
    Story.DIRECT: 6,
    Story.LAPSES: 4,
    Story.TOO_CHEAP: 6,
    Story.CANCELLED: 2,
}
"""How many orders of each."""
ORDERS = sum(FATES.values())


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as its renter opens it in an hour, and the hour in which something happens to it."""

    number: int
    hour: int
    renter: Keypair
    terms: Terms
    fate: Story
    change: int

    @property
    def address(self) -> Pubkey:
        """The order's account."""
        return orders.order_address(self.renter.pubkey(), self.number)


def wishes(fleet: Fleet, seed: int = 2) -> list[Wish]:
    """Make the orders up; every other one is in USDC."""
    rng = random.Random(seed)
    fates = [fate for fate, count in FATES.items() for _ in range(count)]
    rng.shuffle(fates)
    found = []
    for number, fate in enumerate(fates):
        large, choosy = rng.random() < LARGE or number == COLOCATED, rng.random() < CHOOSY
        like = rng.choice(fleet.machines)
        same_pool = [name for name in CLASSES if fleet.kinds[name].pool == like.kind.pool]
        names = same_pool if large else ()
        kinds = dict.fromkeys([like.kind.id, *(fleet.kinds[name].id for name in names)])
        alike = [m for m in fleet.machines if m.kind.id in kinds and m.processors == like.processors]
        hour = number * (LAST_HOUR + 1) // ORDERS
        hours = rng.randint(4, 30)
        currency = Currency(number % 2)
        price = max(_ask(machine, currency) for machine in alike)
        if fate in (Story.TOO_CHEAP, Story.CANCELLED):
            price = min(_ask(machine, currency) for machine in alike) // 2
        terms = Terms(
            price=price,
            hours=hours,
            devices=rng.randint(5, 9) if large else rng.randint(1, 3),
            processors=like.processors,
            classes=tuple(kinds),
            currency=currency,
            min_tier=rng.choice((1, 1, 1, 2)),
            urgency=rng.randint(0, 2),
            colocated=number == COLOCATED,
            countries=("CH", "DE", "SE", "US") if choosy else (),
        )
        later = rng.randint(1, hours - 2)
        change = hour if fate == Story.CANCELLED else min(hour + later, LAST_CHANGE)
        found.append(Wish(number, hour, person(f"renter {number % RENTERS}"), terms, fate, change))
    return found


def _ask(machine: Machine, currency: Currency) -> int:
    return machine.ask_io if currency == Currency.IO else machine.ask_usdc
