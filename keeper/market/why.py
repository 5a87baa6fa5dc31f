"""Why a device was or wasn't taken in a tick, from the rows that everybody has: no judgement in it.

First what keeps it from taking part, then its place among its equals, then what of it each order can't have,
and what became of the orders that could have had it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import Any

import numpy as np
from solders.pubkey import Pubkey

from keeper.economy.orders import BPS, Currency
from keeper.errors import UserError
from keeper.market.places import found
from keeper.market.reach import ASKS
from keeper.market.sequence import device_sequence, order_sequence, seed_of, waited
from keeper.market.snapshot import Out, Snapshot
from keeper.market.wishes import PEOPLE
from keeper.tables import KEY, Rows


class NoSuchDevice(UserError):
    """A device that no row of a tick is about."""


class Unfit(IntFlag):
    """Why an order can't have a device; 0 when it can."""

    CLASS = 1
    """It doesn't name the device's class."""
    PROCESSORS = 2
    TIER = 4
    COUNTRY = 8
    NO_PRICE = 16
    """Nothing is matched in batches at the class's price in its currency."""
    LIMIT = 32
    """The price is above what it pays, or has the money for."""
    NOT_LET = 64
    """The device isn't for lease in its currency."""
    ASK = 128
    """The device asks more than the price."""
    YOUNG = 256
    """The device's terms aren't older than the order."""
    OWN = 512
    """It is the order of somebody who has to do with the device."""
    AGAIN = 1024
    """It had the device before."""


class Outcome(Enum):
    """What became of an order that could have had a device."""

    TOOK = "it took the device"
    FILLED = "it took devices that come first, or cost less"
    ELSEWHERE = "it took devices of one other country"
    GANG = "it takes so many at once or none, and they weren't there"
    EARLIER = "what it could have went to earlier orders, or is kept for one"


@dataclass(frozen=True, slots=True)
class Chance:
    """An order, in the tick's sequence, beside a device: what speaks against it, and what the order got.

    ``outcome`` is None where something speaks against the device.
    """

    order: Pubkey
    unfit: Unfit
    open: int
    minimum: int
    got: int
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Why:
    """A device in a tick.

    ``place`` (from 1) of ``count`` is its place among the devices of its class and processor count that take
    part, 0 where it doesn't; ``seconds`` it has waited, ``weight`` is what they count, basis points.
    ``taken_by`` is an order, at ``price`` for a processor and hour, base units.
    """

    device: Pubkey
    out: Out
    place: int
    count: int
    seconds: int
    weight: int
    taken_by: Pubkey | None
    currency: Currency | None
    price: int
    chances: tuple[Chance, ...]

    @property
    def weighted(self) -> int:
        """The seconds that decide between equals."""
        return self.seconds * self.weight // BPS


def why(tick: Snapshot, matches: Rows, device: Pubkey) -> Why:
    """Look a device up in a tick; raises NoSuchDevice."""
    (at,), (is_there,) = found(tick.devices["device"], np.array([bytes(device)], KEY))
    if not is_there:
        raise NoSuchDevice(f"there is no device {device} at tick {tick.tick}; see ionet device list")
    row = tick.devices[at : at + 1]
    out = Out(int(row["out"][0]))
    place, count = (0, 0) if out else _place(tick, row)
    mine = matches[matches["device"] == row["device"][0]]
    chances = [] if out else _chances(tick, matches, row)
    taken_by = Pubkey(_whole(mine["order"][0])) if len(mine) else None
    return Why(
        device=device,
        out=out,
        place=place,
        count=count,
        seconds=int(waited(row, tick.now)[0]),
        weight=int(row["weight"][0]),
        taken_by=taken_by,
        currency=_currency(tick, mine["order"][0]) if taken_by else None,
        price=int(mine["price"][0]) if taken_by else 0,
        chances=tuple(chances),
    )


def _currency(tick: Snapshot, order: bytes) -> Currency:
    (currency,) = tick.orders["currency"][tick.orders["order"] == order].tolist()
    return Currency(currency)


def _place(tick: Snapshot, row: Rows) -> tuple[int, int]:
    """Its place among its equals, from 1, and how many they are."""
    there = tick.devices[tick.devices["out"] == 0]
    sequence = there[device_sequence(there, tick.now, seed_of(tick.blockhash, tick.tick))]
    equal = sequence[(sequence["class"] == row["class"]) & (sequence["processors"] == row["processors"])]
    return int(np.flatnonzero(equal["device"] == row["device"])[0]) + 1, len(equal)


def _chances(tick: Snapshot, matches: Rows, row: Rows) -> list[Chance]:
    orders = tick.orders[order_sequence(tick.orders, seed_of(tick.blockhash, tick.tick))]
    served = set(tick.pairs["order"][tick.pairs["device"] == row["device"]].tolist())
    return [_chance(tick, matches, row[0], each, each["order"].item() in served) for each in orders]


def _chance(tick: Snapshot, matches: Rows, device: Any, order: Any, had_it: bool) -> Chance:
    unfit = _unfit(tick, device, order, had_it)
    got = matches["device"][matches["order"] == order["order"]]
    return Chance(
        order=Pubkey(_whole(order["order"])),
        unfit=unfit,
        open=int(order["open"]),
        minimum=int(order["minimum"]),
        got=len(got),
        outcome=None if unfit else _outcome(tick, device, order, got),
    )


def _outcome(tick: Snapshot, device: Any, order: Any, got: Rows) -> Outcome:
    if device["device"] in got:
        return Outcome.TOOK
    if not len(got):
        return Outcome.GANG if order["minimum"] > 1 else Outcome.EARLIER
    if order["colocated"] and device["country"] != _country(tick, got[0]):
        return Outcome.ELSEWHERE
    return Outcome.FILLED if len(got) == order["open"] else Outcome.EARLIER


def _country(tick: Snapshot, device: bytes) -> bytes:
    (country,) = tick.devices["country"][tick.devices["device"] == device].tolist()
    return bytes(country)


def _unfit(tick: Snapshot, device: Any, order: Any, had_it: bool) -> Unfit:
    """All that keeps an order from having a device: see docs/market.md, Matching."""
    ask, name = (str(each) for each in ASKS[Currency(int(order["currency"]))])
    (priced,) = tick.prices[name][tick.prices["class"] == device["class"]].tolist() or (0,)
    countries = [each for each in order["countries"].tolist() if each]
    checks = {
        Unfit.CLASS: device["class"] not in order["classes"],
        Unfit.PROCESSORS: device["processors"] != order["processors"],
        Unfit.TIER: device["tier"] < order["min_tier"],
        Unfit.COUNTRY: bool(order["country"] and order["country"] != device["country"])
        or bool(countries and device["country"].item() not in countries),
        Unfit.NO_PRICE: not priced,
        Unfit.LIMIT: priced > order["limit"],
        Unfit.NOT_LET: not device[ask],
        Unfit.ASK: device[ask] > priced > 0,
        Unfit.YOUNG: device["changed_at"] >= order["created_at"],
        Unfit.OWN: any(device[each] == order["renter"] for each in PEOPLE),
        Unfit.AGAIN: had_it,
    }
    unfit = Unfit(0)
    for each, holds in checks.items():
        unfit |= each if holds else 0
    return unfit


def _whole(address: bytes) -> bytes:
    """An address with the zeros at its end, which numpy leaves out."""
    return bytes(address).ljust(32, b"\0")
