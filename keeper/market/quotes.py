"""What an order's leases will cost: exact from its opening to the end of its time for matching."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keeper.clients.orders import Terms
from keeper.clients.staking import Class
from keeper.economy import orders as economy
from keeper.economy.calendar import HOUR
from keeper.economy.classes import PRICE_NOTICE, STALE, Price
from keeper.economy.orders import Currency
from keeper.errors import UserError


class NoPrice(UserError):
    """A class that no highest price follows from."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A class's price for a processor and hour in a currency, and each time at which another holds."""

    of_class: Class
    prices: tuple[tuple[int, Price], ...]
    """By the time from which it holds: first the one in force."""

    @property
    def highest(self) -> int:
        """The most that it is in all of this time; 0 where the class isn't leased for the currency."""
        return max(price.amount for _, price in self.prices)

    @property
    def is_stale(self) -> bool:
        """Whether it binds no more at some time: then a lease costs what its device asks."""
        return any(price.is_stale for _, price in self.prices)


def quote(of_class: Class, currency: Currency, now: int, until: int) -> Quote:
    """A class's prices from ``now`` to before ``until``.

    Exact where ``until`` is no later than an order's first 20 minutes: whatever is announced after now holds
    later than that.
    """
    step_at = of_class.step_at
    changes = step_at, step_at and step_at + STALE, of_class.bounds_at
    times = sorted({now} | {at for at in changes if now < at < until})
    return Quote(of_class, tuple((at, of_class.price(currency, at)) for at in times))


def known_until(now: int) -> int:
    """The hour, as its first second, whose prices aren't certain at ``now``: a step may yet be announced.

    Steps hold from full hours on, and are announced earlier than their notice before.
    """
    return ((now + PRICE_NOTICE) // HOUR + 1) * HOUR


def limit(quotes: Iterable[Quote]) -> int:
    """The highest price that matches all of these classes for as long as the quotes go; raises NoPrice."""
    found = list(quotes)
    for each in found:
        name = each.of_class.name
        if each.is_stale:
            raise NoPrice(
                f"the price of {name} is stale, its devices' asks bind: say by --price of ionet order create "
                "what you pay at most"
            )
        if not each.highest:
            raise NoPrice(f"{name} has no price in this currency: leave it out, or try the other currency")
    return max(each.highest for each in found)


def most(quotes: Iterable[Quote], terms: Terms, fee_bps: int) -> int:
    """The most that a device costs within the order's highest price, fee included; 0 if none can match."""
    prices = [
        terms.price if price.is_stale else price.amount
        for each in quotes
        for _, price in each.prices
        if price.amount and (price.is_stale or price.amount <= terms.price)
    ]
    return economy.place(max(prices, default=0), terms.processors, terms.hours, fee_bps)


@dataclass(frozen=True, slots=True)
class Outlook:
    """A class's price in a currency, and all that is announced about it; times are unix seconds.

    ``step_at`` and ``bounds_at`` are when the last step and other bounds hold, None where none waits;
    ``stale_from`` is when the price binds no more unless a step renews it, None for one that never moved.
    """

    of_class: Class
    currency: Currency
    price: Price
    step: int
    step_at: int | None
    stepped: int
    bounds_at: int | None
    next_low: int
    next_high: int
    stale_from: int | None


def outlook(of_class: Class, currency: Currency, now: int) -> Outlook:
    """What is known at ``now`` of a class's price; ``stepped`` is the price once the step holds."""
    step = of_class.next_io if currency == Currency.IO else of_class.next_usdc
    step_at, bounds_at = of_class.step_at, of_class.bounds_at
    low, high = of_class.next_bounds.of(currency)
    return Outlook(
        of_class,
        currency,
        of_class.price(currency, now),
        step=step if now < step_at else 0,
        step_at=step_at if now < step_at else None,
        stepped=of_class.price(currency, max(now, step_at)).amount,
        bounds_at=bounds_at if now < bounds_at else None,
        next_low=low,
        next_high=high,
        stale_from=step_at + STALE if step_at else None,
    )
