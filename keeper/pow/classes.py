"""Where the class table invites a lie: a card that earns more under the name of a weaker one.

A proof of work shows that a device is at least as capable as its class, never that it is no more. So a class
that pays more must not be easier than one that pays less.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from keeper.economy.classes import ClassRow, Pool
from keeper.errors import UserError, why
from keeper.resources import THROUGHPUT_TABLE

EFFICIENCY = {"int8": 60, "fp16": 75, "fp32": 75}
"""What the best kernels reach of a data sheet's figure, percent, by the units that a product is made on."""


class ThroughputError(UserError):
    """A table of throughputs that can't be read."""


@dataclass(frozen=True, slots=True)
class Capability:
    """What a card can do: 10^9 exact INT8 operations a second, and its memory in MiB (0: none is tested)."""

    gops: int
    mib: int

    def covers(self, other: Capability) -> bool:
        """Whether it passes for the other: as fast at least, with as much memory at least."""
        return self.gops >= other.gops and self.mib >= other.mib


LEAST = Capability(0, 0)
"""Of a class whose throughput nobody knows, such as CPUs: any card passes for it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A class whose cards earn more, or may, under another class's name; multipliers in hundredths.

    ``by_pool`` where it is not the multiplier that is higher, but the pool that is richer: Enterprise has
    19 times as much to share.
    """

    card: str
    passes_for: str
    multiplier: int
    other: int
    by_pool: bool


def read_capabilities(path: Path = THROUGHPUT_TABLE) -> dict[str, Capability]:
    """Read what each class's card can do, by the class's name; raises ThroughputError."""
    try:
        with path.open(newline="") as file:
            return {
                row["class"]: Capability(
                    round(float(row["tops"]) * 10 * EFFICIENCY[row["unit"]]), int(row["mib"])
                )
                for row in csv.DictReader(file)
            }
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ThroughputError(
            f"{path}: no table of throughputs ({type(error).__name__}: {why(error)})"
        ) from error


def pairs(classes: Sequence[ClassRow], capabilities: Mapping[str, Capability]) -> list[Pair]:
    """Every class whose cards pass for a class that pays more, with that class, in the table's order.

    Classes without a multiplier aren't looked at: their cards earn only under another's name anyway.
    """
    found = []
    for card, other in _lies(classes, capabilities):
        by_pool = other.multiplier <= card.multiplier
        if not by_pool or (card.pool, other.pool) == (Pool.COMMUNITY, Pool.ENTERPRISE):
            found.append(Pair(card.name, other.name, card.multiplier, other.multiplier, by_pool))
    return found


def truthful(
    classes: Sequence[ClassRow], capabilities: Mapping[str, Capability]
) -> dict[str, tuple[int, Pool]]:
    """Multiplier and pool of each class in a table without such pairs, by name.

    A card gets what it could have had under the best name that it passes for. So nobody gains by a lie, no
    multiplier falls, and what rises is what its cards could take before.
    """
    found = {row.name: (row.multiplier, row.pool) for row in classes}
    for card, other in _lies(classes, capabilities):
        multiplier, pool = found[card.name]
        found[card.name] = max(multiplier, other.multiplier), min(pool, other.pool)
    return found


def _lies(
    classes: Sequence[ClassRow], capabilities: Mapping[str, Capability]
) -> list[tuple[ClassRow, ClassRow]]:
    """Each rewarded class with each other one that its cards pass for."""
    some = [row for row in classes if row.multiplier]
    return [
        (card, other)
        for card in some
        for other in some
        if card != other and capabilities.get(card.name, LEAST).covers(capabilities.get(other.name, LEAST))
    ]
