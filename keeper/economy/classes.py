"""Classes of processors: the table of them, and what a lease of one costs, as the program computes it.

Prices are of a processor for an hour, in base units of their currency, steps basis points.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path

from keeper.economy import merkle
from keeper.economy.calendar import HOUR
from keeper.economy.orders import BPS, Currency
from keeper.errors import UserError, why
from keeper.resources import CLASS_TABLE, constants

_CONSTANTS = constants("staking")
NAME_BYTES = 24
"""Room for a class's name on chain."""
MAX_MULTIPLIER: int = _CONSTANTS["MAX_MULTIPLIER"]
"""The most that the program accepts, in hundredths."""
MAX_PRICE: int = _CONSTANTS["MAX_PRICE"]
"""The most that the program accepts."""
MAX_STEP: int = _CONSTANTS["MAX_STEP"]
"""The most that a price moves in an hour."""
PRICE_NOTICE: int = _CONSTANTS["PRICE_NOTICE"]
"""So long before it holds a step is announced at least, seconds."""
STALE: int = _CONSTANTS["STALE"]
"""After so long without a step a price binds no more, seconds."""


class Pool(IntEnum):
    """The pools that share an hour's emission, by the program's numbers."""

    ENTERPRISE = 0
    COMMUNITY = 1


class ProcessorKind(IntEnum):
    """Kinds of processors, by the program's numbers."""

    GPU = 0
    CPU = 1
    APPLE = 2


@dataclass(frozen=True, slots=True)
class ClassPrices:
    """What a class costs at first, and the bounds of that; zeros in a currency that it isn't leased for."""

    price_io: int = 0
    low_io: int = 0
    high_io: int = 0
    price_usdc: int = 0
    low_usdc: int = 0
    high_usdc: int = 0

    @property
    def are_valid(self) -> bool:
        """Whether the program accepts them."""
        return are_valid_prices(self.low_io, self.price_io, self.high_io) and are_valid_prices(
            self.low_usdc, self.price_usdc, self.high_usdc
        )


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One row of a class table; the multiplier in hundredths, 0 for no reward.

    ``priced_like`` names the class that its base prices follow from: itself where a price was published.
    """

    id: int
    name: str
    multiplier: int
    pool: Pool
    kind: ProcessorKind
    prices: ClassPrices
    priced_like: str


def are_valid_prices(low: int, price: int, high: int) -> bool:
    """Whether the program accepts a price and its bounds: all zero, or all positive."""
    return low == price == high == 0 or 1 <= low <= price <= high <= MAX_PRICE


# -- what a lease costs ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a class's prices stay between; zeros in a currency that it isn't leased for."""

    low_io: int = 0
    high_io: int = 0
    low_usdc: int = 0
    high_usdc: int = 0

    def of(self, currency: Currency) -> tuple[int, int]:
        """The lowest and the highest price in a currency."""
        return (self.low_io, self.high_io) if currency == Currency.IO else (self.low_usdc, self.high_usdc)


@dataclass(frozen=True, slots=True)
class Price:
    """A price at a time, 0 where the class isn't leased for the currency.

    A stale one binds no more: a lease costs what the device asks, between ``low`` and ``high``.
    """

    amount: int
    low: int
    high: int
    is_stale: bool


def holds_from(hour: int) -> int:
    """When a step measured in ``hour`` (unix seconds over 3,600) holds, unix seconds."""
    return (hour + 2) * HOUR


def next_price(price: int, step: int, low: int, high: int) -> int:
    """A price after a step: rounded up when it rises, down when it falls, within its bounds; 0 stays 0."""
    if price == 0:
        return 0
    moved = price * (BPS + step)
    return max(low, 1, min(high, -(-moved // BPS) if step > 0 else moved // BPS))


def step_leaf(hour: int, number: int, step_io: int, step_usdc: int) -> bytes:
    """A class's steps in an hour's table, as the root that operators vote for has them."""
    numbers = hour.to_bytes(4, "little") + number.to_bytes(2, "little")
    steps = (each.to_bytes(2, "little", signed=True) for each in (step_io, step_usdc))
    return merkle.leaf(b"price", numbers, *steps)


def price_at(
    now: int,
    price: int,
    bounds: tuple[int, int],
    *,
    step: int,
    step_at: int,
    next_bounds: tuple[int, int],
    bounds_at: int,
) -> tuple[int, int, int]:
    """The price that holds at ``now``, with its bounds, from the one that was written down last.

    A step and other bounds hold from ``step_at`` and ``bounds_at`` on (unix seconds, 0 for none) by
    themselves, in the order of their time; the step comes first when both hold from the same second.
    """
    for at, is_bounds in sorted(((step_at, False), (bounds_at, True))):
        if not 0 < at <= now:
            continue
        if is_bounds:
            bounds = next_bounds
            price = max(bounds[0], min(bounds[1], price))
        else:
            price = next_price(price, step, *bounds)
    return price, *bounds


class ClassTableError(UserError):
    """A class table that can't be read, or that the program would refuse."""


def read_classes(path: Path = CLASS_TABLE) -> list[ClassRow]:
    """Read a class table; raises ClassTableError."""
    try:
        rows = [
            ClassRow(
                each["id"],
                each["name"],
                each["multiplier"],
                Pool[each["pool"].upper()],
                ProcessorKind[each["kind"].upper()],
                ClassPrices(**{name: each[name] for name in ClassPrices.__dataclass_fields__}),
                each["priced_like"],
            )
            for each in json.loads(path.read_text())["classes"]
        ]
        for row in rows:
            if not 0 < len(row.name.encode()) <= NAME_BYTES or not 0 <= row.multiplier <= MAX_MULTIPLIER:
                raise ClassTableError(
                    f"{path}: the name or the multiplier of class {row.id} ({row.name}) is out of bounds"
                )
            amounts = asdict(row.prices).values()
            if not all(type(each) is int for each in amounts) or not row.prices.are_valid:
                raise ClassTableError(f"{path}: the prices of class {row.id} ({row.name}) are out of bounds")
        if len({row.id for row in rows}) < len(rows) or len({row.name for row in rows}) < len(rows):
            raise ClassTableError(f"{path}: an id or a name appears twice")
        if not {row.priced_like for row in rows} <= {row.name for row in rows}:
            raise ClassTableError(f"{path}: a class is priced like one that isn't there")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ClassTableError(f"{path}: no class table ({type(error).__name__}: {why(error)})") from error
    return rows
