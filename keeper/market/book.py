"""The market's book: what there is of each class and place, and who waits for it, from the accounts of now.

What devices proved of their work is in nobody's account: whoever has no operator's files counts as passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from solders.pubkey import Pubkey

from keeper.clients.orders import Lease, Order
from keeper.clients.staking import NOBODY, Class, Device
from keeper.economy.orders import Currency
from keeper.market.holding import HOLD_AGE
from keeper.market.matching import waits_for
from keeper.market.participants import Accounts, State, reasons
from keeper.market.snapshot import Out


@dataclass(slots=True)
class Supply:
    """The devices of a class, a tier and a country, in processors.

    ``free`` have no lease; ``willing`` are those of them that take part in a tick and ask no more than the
    price of a currency; ``hired``: their lease runs.
    """

    hired: int = 0
    free: int = 0
    willing: dict[Currency, int] = field(default_factory=lambda: dict.fromkeys(Currency, 0))


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open order: its age in seconds, and as how many devices it takes at once or none (1: any number).

    ``holds``: it is old enough to keep devices from later orders, where it may become whole in its time.
    """

    order: Order
    age: int
    minimum: int
    holds: bool


@dataclass(frozen=True, slots=True)
class Book:
    """Supply by class, tier and country, in their order; orders, the oldest first."""

    supply: Mapping[tuple[int, int, str], Supply]
    waiting: tuple[Waiting, ...]


def read_in_turn(
    devices: Mapping[Pubkey, Device],
    classes: Mapping[int, Class],
    leases: Mapping[Pubkey, Lease],
    orders: Mapping[Pubkey, Order],
) -> Accounts:
    """Accounts that were read one kind after the other, in this sequence.

    A device whose lease was closed meanwhile, or its order, is free.
    """

    def is_there(lease: Pubkey) -> bool:
        return lease in leases and leases[lease].order in orders

    now = {
        address: each if each.lease == NOBODY or is_there(each.lease) else replace(each, lease=NOBODY)
        for address, each in devices.items()
    }
    return Accounts(now, classes, orders, leases, earned_until={})


def book(accounts: Accounts, now: int, number: int | None = None) -> Book:
    """The book at ``now``, unix seconds; with a class's ``number``, of that and of orders that name it."""
    state = State(accounts, {}, frozenset())
    supply: dict[tuple[int, int, str], Supply] = {}
    for address, device in accounts.devices.items():
        if number not in (None, device.device_class):
            continue
        found = supply.setdefault((device.device_class, device.tier, device.country), Supply())
        out = reasons(device, address, state, now)
        if Out.HIRED in out:
            found.hired += device.processors
        if not out & (Out.HIRED | Out.LEASED):
            found.free += device.processors
        if not out:
            for currency, asked in zip(Currency, (device.ask_io, device.ask_usdc), strict=True):
                price = accounts.classes[device.device_class].price(currency, now)
                if 0 < asked <= price.amount and not price.is_stale:
                    found.willing[currency] += device.processors
    waiting = tuple(
        _waiting(order, now)
        for _, order in sorted(accounts.orders.items(), key=_age)
        if order.takes_devices(now) and (number is None or number in order.terms.classes)
    )
    return Book(dict(sorted(supply.items())), waiting)


def _age(row: tuple[Pubkey, Order]) -> tuple[int, bytes]:
    return row[1].created_at, bytes(row[0])


def _waiting(order: Order, now: int) -> Waiting:
    age, minimum = now - order.created_at, waits_for(order, now)
    return Waiting(order, age, minimum, holds=1 < minimum <= order.open and age >= HOLD_AGE)
