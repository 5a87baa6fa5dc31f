"""What is lost when fees are sold below their worth: days of auctions, under this rule and the one before.

All in integers, by the second, as on chain: prices in base units of IO per USDC, lots in base units of USDC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from tests.model.buyback.program import price_at
from tests.model.buyback.rule import WHOLE, Rule
from tests.model.buyback.state import USDC, Auction, Params
from tests.model.schedule import IO

WORTH = 4 * IO
"""What a USDC is worth before anything happens."""


class Auctions(Protocol):
    """A rule: what the next auction sells, and what follows from how it ends."""

    def lot(self, vault: int) -> int: ...
    def start_price(self) -> int: ...
    def floor_price(self) -> int: ...
    def sold(self, price: int) -> Auctions: ...
    def unsold(self) -> Auctions: ...


@dataclass(frozen=True)
class Before:
    """The rule until version 1 of the accounts: always a whole lot, around the last price or unpaid floor."""

    params: Params
    reference: int

    def lot(self, vault: int) -> int:
        return min(vault, self.params.max_lot)

    def floor_price(self) -> int:
        return max(self.reference * self.params.floor_bps // WHOLE, self.params.min_price)

    def start_price(self) -> int:
        return max(-(-self.reference * self.params.start_bps // WHOLE), self.floor_price())

    def sold(self, price: int) -> Before:
        return replace(self, reference=price)

    def unsold(self) -> Before:
        return replace(self, reference=self.floor_price())


def settled() -> tuple[Before, Rule]:
    """Both rules after many sales at WORTH, with the protocol's parameters."""
    return Before(Params(), WORTH), Rule(Params(), WORTH, WORTH, WHOLE)


def first(price: int) -> tuple[Before, Rule]:
    """Both rules before the first auction."""
    return Before(Params(), price), Rule(Params(), price)


# -- bidders -------------------------------------------------------------------------------------

Bid = Callable[[Auction, int, int], int | None]
"""At which price somebody takes an auction's lot: by the auction, the day, and what a USDC is worth then."""


def price(auction: Auction, second: int) -> int:
    """The price at a second from the start."""
    return -int(-price_at(auction, auction.started_at + second) // 1)


def rivals(*parts: int) -> Bid:
    """Bidders to whom a USDC is worth so many hundredths of its worth: the keenest bids at the first second
    at which the price is no more than that, as it can't know that nobody else would."""

    def bid(auction: Auction, day: int, worth: int) -> int | None:
        most, duration = worth * max(parts) // 100, auction.ends_at - auction.started_at
        fall = auction.start_price - auction.floor_price
        second = -(-max(auction.start_price - most, 0) * duration // fall) if fall else 0
        if second >= duration or auction.floor_price > most:
            return None
        return price(auction, second)

    return bid


def waits(auction: Auction, day: int, worth: int) -> int | None:
    """The only bidder, who bids in the last second whenever that is a gain."""
    last = price(auction, auction.ends_at - auction.started_at - 1)
    return last if last < worth else None


def away(days: int, then: Bid) -> Bid:
    """Nobody bids for so many days."""
    return lambda auction, day, worth: None if day < days else then(auction, day, worth)


# -- days ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sale:
    """A lot that was sold: the day from the first auction on, base units of USDC and of IO for one."""

    day: int
    lot: int
    price: int
    worth: int

    @property
    def lost(self) -> int:
        """What it was sold below its worth, base units of USDC rounded up; 0 when it was sold above."""
        return max(self.lot - self.lot * self.price // self.worth, 0)


@dataclass
class Fees:
    """A vault whose fees are sold day by day; ``income`` comes in each day before its auction."""

    rule: Auctions
    vault: int = 200_000 * USDC
    income: int = 10_000 * USDC

    def days(self, count: int, bid: Bid, worth: Callable[[int], int] = lambda day: WORTH) -> list[Sale]:
        """Let days go by; the sales, in order."""
        sales = []
        for day in range(count):
            self.vault += self.income
            rule = self.rule
            if self.vault < Params().min_lot:
                continue
            lot = rule.lot(self.vault)
            auction = Auction(day, lot, rule.start_price(), rule.floor_price(), 0, Params().duration)
            paid = bid(auction, day, worth(day))
            if paid is None:
                self.rule = rule.unsold()
                continue
            self.rule, self.vault = rule.sold(paid), self.vault - lot
            sales.append(Sale(day, lot, paid, worth(day)))
        return sales


def lost(sales: Iterable[Sale]) -> int:
    """All that was lost, base units of USDC."""
    return sum(sale.lost for sale in sales)


# -- the best that one bidder can do ---------------------------------------------------------------

PARTS = (50, 62, 74, 81, 87, 90, 93, 95, 97, 100)
"""Prices that it tries, hundredths of the reference price; and the worth itself, which gains nothing."""
STEPS = 3
"""Prices within a factor of 2 ** (1 / STEPS) count as the same where paths are compared."""


def best(rule: Auctions, days: int) -> int:
    """The most that a bidder without rivals is found to take below worth, when the vault is always full.

    Each day it waits, or buys at one of some prices; of the paths that lead to much the same state, the one
    that has taken most goes on.
    """
    vault = 10**6 * USDC
    paths: dict[tuple[int, ...], tuple[int, Auctions]] = {(): (0, rule)}
    for day in range(days):
        found: dict[tuple[int, ...], tuple[int, Auctions]] = {}
        for taken, each in paths.values():
            for after, more in _choices(each, vault, day):
                state = _state(after)
                if taken + more >= found.get(state, (-1, after))[0]:
                    found[state] = taken + more, after
        paths = found
    return max(taken for taken, _ in paths.values())


def _choices(rule: Auctions, vault: int, day: int) -> Iterable[tuple[Auctions, int]]:
    """Each thing that can be done with one auction: the rule after it, and what it takes."""
    low, high, lot = rule.floor_price() + 1, rule.start_price(), rule.lot(vault)
    reference = getattr(rule, "reference", WORTH)
    yield rule.unsold(), 0
    for paid in {WORTH, *(reference * part // 100 for part in PARTS)}:
        if low <= max(paid, low) <= min(high, WORTH):
            sale = Sale(day, lot, max(paid, low), WORTH)
            yield rule.sold(sale.price), sale.lost


def _state(rule: Auctions) -> tuple[int, ...]:
    """What paths are compared by: prices and share on a coarse scale."""
    values = (getattr(rule, name, 1) for name in ("reference", "anchor", "largest_share"))
    return tuple((value**STEPS).bit_length() for value in values)


def doubling(rule: Rule, times: int, vault: int) -> tuple[Rule, int]:
    """Drive the price up by bidding at so many starts; the rule after it, and what that cost above worth.

    The cost is base units of USDC; each time the vault holds ``vault``.
    """
    cost = 0
    for _ in range(times):
        paid = rule.start_price()
        cost += rule.lot(vault) * (paid - WORTH) // WORTH
        rule = rule.sold(paid)
    return rule, cost
