"""The demo's 60 orders: who wants what, when, and what becomes of it; made up from a fixed seed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.clients import orders
from keeper.clients.orders import Terms
from keeper.demo.airdrop import person
from keeper.demo.fleet import CLASSES, Fleet, Machine
from keeper.demo.staking import HOURS
from keeper.economy.orders import Currency, Urgency
from keeper.market.offers import Offer

RENTERS = 12
UNPROVEN_HOURS, LAST_HOUR = 2, 36
"""Orders are opened from the first hour to this one. In the first ones no proofs of work are agreed on yet:
operators match nothing, and suppliers take orders themselves."""
ALTERNATIVES = 12
"""So many devices a renter thinks of whose like it could have."""
SPARE = 2
"""So many devices more there must be where one of them won't accept."""
MINUTES = 4
"""An hour's orders are opened in so many minutes, the first."""
SLOW, SLOW_HOURS = 178, 36
"""The first order is for this machine's like and so long, hours: it is slow, and passes only while hired."""
LARGE, CHOOSY = 0.17, 0.1
"""Shares of the orders: for many devices of any class of a pool, for some countries only."""
LAST_CHANGE = 42
"""After this hour only the clock changes an order."""
COLOCATED = 31
"""This order wants all of its devices in one country."""
FROZEN = 41
"""The payee of this one, which is in USDC, is frozen."""
LONGER = 4
"""Its lease goes on for so many hours after the last block."""
URGENT = (6, 2, 1)
"""Weights of an order's being ordinary, wanted soon, wanted now."""
OFFERS = (100, 105, 120, 150)
"""What renters pay at most, percent of the price."""


class Story(Enum):
    """What the people around an order do with it."""

    SERVED = auto()
    RENTER_ENDS = auto()
    SUPPLIER_ENDS = auto()
    FAULT = auto()
    """Operators attest that a device stopped serving."""
    HELD = auto()
    """The guardian holds the money back, and releases it."""
    FROZEN = auto()
    """USDC's issuer freezes the account of a supplier who is still owed money, and thaws it later."""
    EXTENDED = auto()
    DIRECT = auto()
    """Operators don't match it in their time, as no device has passed its work, and suppliers take it."""
    LAPSES = auto()
    """A worker doesn't accept in time; another device takes the place."""
    GANG = auto()
    """All of its devices or none."""
    UNFILLED = auto()
    """The same, but a worker doesn't accept in time: a second gang of devices does."""
    TOO_CHEAP = auto()
    """It offers less than the price."""
    CANCELLED = auto()
    """The same, and the renter doesn't wait for the end of the time."""


FATES = {
    Story.SERVED: 16,
    Story.RENTER_ENDS: 7,
    Story.SUPPLIER_ENDS: 4,
    Story.FAULT: 4,
    Story.HELD: 1,
    Story.FROZEN: 1,
    Story.EXTENDED: 6,
    Story.DIRECT: 6,
    Story.LAPSES: 4,
    Story.GANG: 2,
    Story.UNFILLED: 1,
    Story.TOO_CHEAP: 6,
    Story.CANCELLED: 2,
}
"""How many orders of each."""
ORDERS = sum(FATES.values())
SPARES = {Story.FROZEN, Story.LAPSES, Story.GANG, Story.UNFILLED}
"""These stories need devices, some of them more than are wanted: any class of a pool will do."""


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as its renter opens it in a second of an hour, and the hour in which something happens to it.

    ``asked`` are terms without a price: the renter asks for quotes until one says that there are ``needs``
    devices, and offers ``offer`` percent of its price.
    """

    number: int
    hour: int
    second: int
    renter: Keypair
    asked: tuple[Terms, ...]
    needs: int
    offer: int
    fate: Story
    change: int

    @property
    def address(self) -> Pubkey:
        """The order's account."""
        return orders.order_address(self.renter.pubkey(), self.number)

    def choice(self, found: Iterable[Offer]) -> Offer:
        """The first quote by which there are enough devices, or else the one with the most."""
        best = None
        for each in found:
            if best is None or _free(each) > _free(best):
                best = each
            if _free(best) >= self.needs:
                break
        assert best is not None  # a renter thinks of something
        return best

    def offers(self, quoted: Terms) -> Terms:
        """The terms of a quote with the most that the renter pays."""
        return replace(quoted, price=quoted.price * self.offer // 100)


def wishes(fleet: Fleet, seed: int = 2) -> list[Wish]:
    """Make the orders up; every other one is in USDC."""
    rng = random.Random(seed)
    fates = [fate for fate, count in FATES.items() for _ in range(count)]
    rng.shuffle(fates)
    # Nobody else than suppliers matches the first ones.
    fates.sort(key=lambda fate: fate != Story.DIRECT)
    direct = FATES[Story.DIRECT]
    # The frozen one is in USDC.
    frozen = fates.index(Story.FROZEN)
    fates[frozen], fates[FROZEN] = fates[FROZEN], fates[frozen]
    # Renters look for what they can get at the price.
    willing = [each for each in fleet.machines if each.ask_io <= each.kind.prices.price_io]
    found = []
    for number, fate in enumerate(fates):
        large, choosy = rng.random() < LARGE or number == COLOCATED, rng.random() < CHOOSY
        spares = fate in SPARES
        if number < direct:
            hour = number * UNPROVEN_HOURS // direct
        else:
            hour = UNPROVEN_HOURS + (number - direct) * (LAST_HOUR + 1 - UNPROVEN_HOURS) // (ORDERS - direct)
        hours = rng.randint(4, 30) if number else SLOW_HOURS
        if fate == Story.FROZEN:
            hours = HOURS + LONGER - hour
        wanted = rng.randint(5, 9) if large and not spares else rng.randint(1, 3)
        gang = fate in (Story.GANG, Story.UNFILLED)
        devices = max(wanted, 2) if spares else wanted
        like = rng.sample(willing, ALTERNATIVES) if number else [fleet.machines[SLOW]]
        asked = Terms(
            price=0,
            hours=hours,
            devices=devices,
            min_devices=devices if gang else 1,
            processors=1,
            classes=(),
            currency=Currency(number % 2),
            min_tier=1 if spares else rng.choice((1, 1, 1, 2)),
            urgency=rng.choices(list(Urgency), URGENT)[0],
            colocated=number == COLOCATED,
            countries=("CH", "DE", "SE", "US") if choosy and not spares else (),
        )
        offer = 50 if fate in (Story.TOO_CHEAP, Story.CANCELLED) else rng.choice(OFFERS)
        later = rng.randint(1, hours - 2)
        change = hour if fate == Story.CANCELLED else min(hour + later, LAST_CHANGE)
        second = rng.randrange(MINUTES * 60)
        renter = person(f"renter {number % RENTERS}")
        alternatives = tuple(
            replace(asked, processors=each.processors, classes=_kinds(fleet, each, large or spares, rng))
            for each in like
        )
        needs = devices + SPARE if spares else devices
        found.append(Wish(number, hour, second, renter, alternatives, needs, offer, fate, change))
    return found


def _free(found: Offer) -> int:
    return sum(each.free for each in found.classes)


def _kinds(fleet: Fleet, like: Machine, all_of_pool: bool, rng: random.Random) -> tuple[int, ...]:
    """A machine's class, and another one of its pool or all of them."""
    same_pool = [name for name in CLASSES if fleet.kinds[name].pool == like.kind.pool]
    names = same_pool if all_of_pool else [rng.choice(same_pool)]
    return tuple(dict.fromkeys([like.kind.id, *(fleet.kinds[name].id for name in names)]))
